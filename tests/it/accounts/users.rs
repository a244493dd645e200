//! Managing users.

use std::sync::Barrier;

use serde_json::{Value, json};
use sheetline::accounts;

use super::{OTHER, call, id_of, queue_for, refused, try_sign_in, with_session};
use crate::office::{Office, PASSWORD};

#[test]
fn an_administrator_adds_users_and_lists_them_page_by_page() {
    let office = Office::new();
    let root = office.admin("root");
    let body = json!({ "username": " Jürgen ", "password": OTHER, "email": "j@example.org", "role": "member" });
    let made = root.send("POST", "/api/users", &body).expect(201);
    assert_eq!(made["user"]["username"], "Jürgen");
    assert_eq!(made["user"]["email"], "j@example.org");
    assert_eq!(made["user"]["role"], "member");
    assert_eq!(made["user"]["disabled"], false);
    try_sign_in(&office, "JÜRGEN", OTHER).expect(200);
    let again = json!({ "username": "jÜRGEN", "password": OTHER });
    refused(&root.send("POST", "/api/users", &again), 409, "name-taken");

    let first = root.get("/api/users?limit=1").expect(200);
    assert_eq!(first["users"][0]["username"], "root");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = root
        .get(&format!("/api/users?limit=1&cursor={cursor}"))
        .expect(200);
    assert_eq!(second["users"][0]["username"], "Jürgen");
    assert_eq!(second["next_cursor"], Value::Null);
    refused(&root.get("/api/users?limit=x"), 400, "bad-request");
    refused(&root.get("/api/users?cursor=x"), 400, "bad-request");
}

#[test]
fn what_is_wrong_with_a_new_user_is_told_field_by_field() {
    let office = Office::new();
    let root = office.admin("root");
    let add = |body: Value| root.send("POST", "/api/users", &body);
    let answer = add(json!({ "email": "x", "role": "boss" }));
    refused(&answer, 400, "bad-request");
    let fields: Vec<Value> = answer.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].clone())
        .collect();
    assert_eq!(fields, ["username", "password", "role", "email"]);
    for name in ["", "  ", "a\nb", "a\u{202e}b"] {
        let answer = add(json!({ "username": name, "password": OTHER }));
        refused(&answer, 400, "bad-request");
        assert_eq!(answer.json()["errors"][0]["field"], "username");
    }
    add(json!({ "username": "n".repeat(64), "password": OTHER })).expect(201);
    let long = json!({ "username": "m".repeat(65), "password": OTHER });
    refused(&add(long), 400, "bad-request");
    let weak = |password: &str| add(json!({ "username": "Wilhelmine", "password": password }));
    refused(&weak("123456789"), 422, "weak-password");
    refused(&weak("password123"), 422, "weak-password");
    refused(&weak("wilhelmine42"), 422, "weak-password");
    weak("1234567 8x").expect(201);
}

#[test]
fn only_administrators_manage_users() {
    let office = Office::new();
    office.admin("root");
    let anna = office.member("anna");
    for (method, url) in [
        ("GET", "/api/users"),
        ("POST", "/api/users"),
        ("PATCH", "/api/users/1"),
        ("DELETE", "/api/users/1"),
        ("DELETE", "/api/users/1/sessions"),
    ] {
        refused(&anna.send(method, url, &json!({})), 403, "forbidden");
        refused(
            &call(&office, method, url, &[], &json!({})),
            401,
            "session-missing",
        );
    }
}

#[test]
fn a_change_of_role_holds_for_the_very_next_request() {
    let office = Office::new();
    let root = office.admin("root");
    let anna = office.member("anna");
    let url = format!("/api/users/{}", id_of(&office, "anna"));
    refused(&anna.get("/api/users"), 403, "forbidden");
    root.send("PATCH", &url, &json!({ "role": "admin" }))
        .expect(200);
    anna.get("/api/users").expect(200);
    root.send("PATCH", &url, &json!({ "role": "member" }))
        .expect(200);
    refused(&anna.get("/api/users"), 403, "forbidden");
}

#[test]
fn a_disabled_user_is_out_at_once() {
    let office = Office::new();
    let root = office.admin("root");
    let anna = office.member("anna");
    let token = anna
        .send("POST", "/api/auth/tokens", &json!({ "name": "a" }))
        .expect(201)["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let left = office.sign_in("anna");
    left.post("/api/auth/logout").expect(200);
    office.pass(1);
    let url = format!("/api/users/{}", id_of(&office, "anna"));
    let changed = root
        .send("PATCH", &url, &json!({ "disabled": true }))
        .expect(200);
    assert_eq!(changed["user"]["disabled"], true);
    refused(&anna.get("/api/auth/session"), 403, "account-disabled");
    refused(&with_session(&office, &token), 403, "account-disabled");
    refused(
        &with_session(&office, &left.session),
        401,
        "session-revoked",
    );
    refused(
        &try_sign_in(&office, "anna", PASSWORD),
        403,
        "account-disabled",
    );
    refused(
        &try_sign_in(&office, "anna", OTHER),
        401,
        "invalid-credentials",
    );

    root.send("PATCH", &url, &json!({ "disabled": false }))
        .expect(200);
    refused(&anna.get("/api/auth/session"), 401, "session-revoked");
    refused(&with_session(&office, &token), 401, "session-revoked");
    try_sign_in(&office, "anna", PASSWORD).expect(200);
}

#[test]
fn a_password_set_by_an_administrator_ends_the_users_sessions_and_lock_outs() {
    let office = Office::new();
    let root = office.admin("root");
    let anna = office.member("anna");
    for _ in 0..11 {
        try_sign_in(&office, "anna", OTHER);
    }
    let url = format!("/api/users/{}", id_of(&office, "anna"));
    refused(
        &root.send("PATCH", &url, &json!({ "password": "short" })),
        422,
        "weak-password",
    );
    assert_eq!(anna.get("/api/auth/session").status, 200);
    root.send("PATCH", &url, &json!({ "password": OTHER }))
        .expect(200);
    refused(&anna.get("/api/auth/session"), 401, "session-revoked");
    try_sign_in(&office, "anna", OTHER).expect(200);
    assert_eq!(root.get("/api/auth/session").status, 200);
}

#[test]
fn a_change_that_can_not_be_changes_nothing() {
    let office = Office::new();
    let root = office.admin("root");
    office.member("anna");
    let url = format!("/api/users/{}", id_of(&office, "anna"));
    for body in [
        json!({}),
        json!({ "name": "x" }),
        json!({ "disabled": "yes" }),
        json!({ "role": "boss", "email": "a@b.de" }),
        json!({ "email": "ab.de" }),
    ] {
        refused(&root.send("PATCH", &url, &body), 400, "bad-request");
    }
    refused(
        &root.send("PATCH", "/api/users/99", &json!({ "role": "admin" })),
        404,
        "not-found",
    );
    let with = root
        .send("PATCH", &url, &json!({ "email": "a@b.de" }))
        .expect(200);
    assert_eq!(with["user"]["email"], "a@b.de");
    let same = root
        .send("PATCH", &url, &json!({ "role": "member" }))
        .expect(200);
    assert_eq!(same["user"]["email"], "a@b.de");
    let without = root
        .send("PATCH", &url, &json!({ "email": null }))
        .expect(200);
    assert_eq!(without["user"]["email"], Value::Null);
}

#[test]
fn the_last_administrator_stays() {
    let office = Office::new();
    let root = office.admin("root");
    let second = office.admin("second");
    let root_url = format!("/api/users/{}", id_of(&office, "root"));
    let second_url = format!("/api/users/{}", id_of(&office, "second"));
    root.send("PATCH", &second_url, &json!({ "disabled": true }))
        .expect(200);
    for body in [json!({ "role": "member" }), json!({ "disabled": true })] {
        refused(&root.send("PATCH", &root_url, &body), 409, "last-admin");
    }
    refused(
        &root.send("DELETE", &root_url, &Value::Null),
        409,
        "last-admin",
    );
    let cli = accounts::by_name(&office.app.db, "root").unwrap();
    assert!(accounts::enable(&office.app.db, &cli, false).is_err());
    root.send("PATCH", &second_url, &json!({ "disabled": false }))
        .expect(200);
    root.send("PATCH", &root_url, &json!({ "role": "member" }))
        .expect(200);
    let _ = second;
}

#[test]
fn two_administrators_who_demote_each_other_at_once_leave_one() {
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
                person.send("PATCH", url, &json!({ "role": "member" }))
            });
        }
    });
    assert_eq!(
        office.number("SELECT count(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL"),
        1
    );
}

#[test]
fn a_user_with_uploads_is_deleted_only_when_somebody_takes_them() {
    let office = Office::new();
    let root = office.admin("root");
    let anna = office.member("anna");
    let ben = office.member("ben");
    let (anna_id, ben_id) = (id_of(&office, "anna"), id_of(&office, "ben"));
    let job = queue_for(&office, anna_id);
    let url = format!("/api/users/{anna_id}");
    let to = |heir: &str| root.send("DELETE", &format!("{url}?transfer_to={heir}"), &Value::Null);
    refused(&to(&ben_id.to_string()), 409, "job-in-progress");
    anna.post(&format!("/api/jobs/{job}/cancel")).expect(200);
    let kept = root.send("DELETE", &url, &Value::Null);
    refused(&kept, 409, "has-uploads");
    assert_eq!(
        kept.json()["detail"],
        "anna has 1 upload. Delete it first, or name who takes it over."
    );
    for nobody in ["x", "", "999", &anna_id.to_string()] {
        refused(&to(nobody), 400, "bad-request");
    }
    to(&ben_id.to_string()).expect(200);
    refused(&anna.get("/api/auth/session"), 401, "session-revoked");
    refused(
        &try_sign_in(&office, "anna", PASSWORD),
        401,
        "invalid-credentials",
    );
    ben.get(&format!("/api/jobs/{job}")).expect(200);
    assert_eq!(
        ben.get("/api/files").expect(200)["files"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    refused(&root.send("DELETE", &url, &Value::Null), 404, "not-found");
    // The name is free again, and nobody inherits the old sessions.
    office.member("Anna");
    refused(&anna.get("/api/auth/session"), 401, "session-revoked");
}

#[test]
fn an_administrator_ends_all_sessions_and_tokens_of_a_user() {
    let office = Office::new();
    let root = office.admin("root");
    let anna = office.member("anna");
    let token = anna
        .send("POST", "/api/auth/tokens", &json!({ "name": "a" }))
        .expect(201)["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let url = format!("/api/users/{}/sessions", id_of(&office, "anna"));
    root.send("DELETE", &url, &Value::Null).expect(200);
    refused(&anna.get("/api/auth/session"), 401, "session-revoked");
    refused(&with_session(&office, &token), 401, "session-revoked");
    try_sign_in(&office, "anna", PASSWORD).expect(200);
    refused(
        &root.send("DELETE", "/api/users/99/sessions", &Value::Null),
        404,
        "not-found",
    );
}

#[test]
fn a_password_is_replaced_only_where_the_one_that_was_checked_still_stands() {
    use sheetline::id::UserId;
    use sheetline::store::users;

    let office = Office::new();
    office.member("anna");
    let db = &office.app.db;
    let replace = |checked: &str| {
        db.write(|tx| users::replace_password(tx, UserId(1), checked, "new"))
            .unwrap()
    };
    let stored: String = db
        .read(|c| Ok(c.query_row("SELECT password_hash FROM users", [], |row| row.get(0))?))
        .unwrap();
    assert!(!replace("changed by somebody else meanwhile"));
    assert!(replace(&stored));
    assert!(!replace(&stored), "the same check doesn't count twice");
}
