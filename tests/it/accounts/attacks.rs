//! What somebody with bad intentions would try, and what happens at once.

use std::sync::Barrier;

use serde_json::{Value, json};

use super::{OTHER, call, id_of, queue_for, refused, text, try_sign_in, with_session};
use crate::office::{Office, PASSWORD};

#[test]
fn signing_in_again_in_the_same_browser_ends_the_session_before() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let ben = office.member("ben").session;
    let again = |cookie: &str| {
        let cookie = format!("session={cookie}");
        let body = json!({ "username": "anna", "password": PASSWORD });
        call(
            &office,
            "POST",
            "/api/auth/login",
            &[("Cookie", &cookie)],
            &body,
        )
        .expect(200);
    };
    again(&anna);
    refused(&with_session(&office, &anna), 401, "session-revoked");
    // Somebody else's goes on: Anna can't end it.
    again(&ben);
    assert_eq!(with_session(&office, &ben).status, 200);
}

#[test]
fn odd_secrets_are_unknown_secrets() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let long = "a".repeat(60_000);
    let upper = anna.to_uppercase();
    let shorter = anna.get(1..).unwrap();
    for odd in [
        "",
        " ",
        "slt_",
        "'; DROP TABLE users; --",
        "%00",
        "ä\u{202e}",
        &long,
        &upper,
        shorter,
    ] {
        refused(&with_session(&office, odd), 401, "session-invalid");
        let cookie = format!("session={odd}x");
        let by_cookie = call(
            &office,
            "GET",
            "/api/files",
            &[("Cookie", &cookie)],
            &Value::Null,
        );
        refused(&by_cookie, 401, "session-invalid");
    }
    // What the database keeps of a session is no session.
    let hash = text(&office, "SELECT token_hash FROM sessions");
    refused(&with_session(&office, &hash), 401, "session-invalid");
    let quoted = format!("session=\"{anna}\"");
    refused(
        &call(
            &office,
            "GET",
            "/api/files",
            &[("Cookie", &quoted)],
            &Value::Null,
        ),
        401,
        "session-invalid",
    );
}

#[test]
fn names_that_look_alike_by_case_are_one_name() {
    let office = Office::new();
    let root = office.admin("root");
    let add = |name: &str| {
        let body = json!({ "username": name, "password": OTHER });
        root.send("POST", "/api/users", &body)
    };
    add("ÄÖÜ ΣΑΣ").expect(201);
    for name in ["äöü σας", "äöü ΣΑΣ", " ÄÖÜ ΣΑΣ "] {
        refused(&add(name), 409, "name-taken");
    }
    for name in [
        "Robert'); DROP TABLE users;--",
        "名前",
        "🦀",
        "a=b session=ffff",
        "../x",
        "<b>",
    ] {
        let made = add(name).expect(201);
        assert_eq!(made["user"]["username"], name);
        try_sign_in(&office, name, OTHER).expect(200);
    }
}

#[test]
fn a_disabled_user_with_an_active_job_is_out_all_the_same() {
    let office = Office::new();
    let root = office.admin("root");
    let anna = office.member("anna");
    let job = queue_for(&office, id_of(&office, "anna"));
    let url = format!("/api/users/{}", id_of(&office, "anna"));
    root.send("PATCH", &url, &json!({ "disabled": true }))
        .expect(200);
    refused(&anna.get("/api/files"), 403, "account-disabled");
    // The end of the job gives nothing back.
    root.post(&format!("/api/jobs/{job}/cancel")).expect(200);
    refused(&anna.get("/api/files"), 403, "account-disabled");
    root.send("PATCH", &url, &json!({ "disabled": false }))
        .expect(200);
    refused(&anna.get("/api/files"), 401, "session-revoked");
}

#[test]
fn a_session_ended_while_a_request_moves_its_end_on_stays_ended() {
    let office = Office::new();
    let anna = office.member("anna");
    for _ in 0..20 {
        let other = office.sign_in("anna");
        let id = office.number("SELECT max(id) FROM sessions");
        office.pass(60);
        let begin = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                begin.wait();
                with_session(&office, &other.session)
            });
            begin.wait();
            let url = format!("/api/auth/sessions/{id}");
            anna.send("DELETE", &url, &Value::Null).expect(200);
        });
        refused(
            &with_session(&office, &other.session),
            401,
            "session-revoked",
        );
    }
}

#[test]
fn two_users_of_one_name_at_once_become_one() {
    let office = Office::new();
    let root = office.admin("root");
    let begin = Barrier::new(4);
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = ["Anna", "anna", "ANNA", "aNNa"]
            .map(|name| {
                let (root, begin) = (&root, &begin);
                scope.spawn(move || {
                    begin.wait();
                    let body = json!({ "username": name, "password": OTHER });
                    root.send("POST", "/api/users", &body).status
                })
            })
            .into_iter()
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}

#[test]
fn two_administrators_who_delete_each_other_at_once_leave_one() {
    let office = Office::new();
    let people = [office.admin("one"), office.admin("two")];
    let urls = [
        format!("/api/users/{}", id_of(&office, "two")),
        format!("/api/users/{}", id_of(&office, "one")),
    ];
    let begin = Barrier::new(2);
    std::thread::scope(|scope| {
        for (person, url) in people.iter().zip(&urls) {
            let begin = &begin;
            scope.spawn(move || {
                begin.wait();
                person.send("DELETE", url, &Value::Null)
            });
        }
    });
    assert_eq!(
        office.number("SELECT count(*) FROM users WHERE deleted_at IS NULL"),
        1
    );
}
