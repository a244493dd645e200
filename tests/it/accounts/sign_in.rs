//! Signing in, and passwords.

use std::sync::Barrier;

use serde_json::json;
use sheetline::accounts;

use super::{OTHER, call, id_of, refused, try_sign_in, with_session};
use crate::office::{Office, PASSWORD, Person};

#[test]
fn signing_in_answers_with_a_session_and_an_http_only_cookie() {
    let office = Office::new();
    accounts::add_user(
        &office.app.db,
        "Anna",
        PASSWORD,
        Some("anna@example.org"),
        true,
    )
    .unwrap();
    let answer = try_sign_in(&office, "anna", PASSWORD);
    let body = answer.expect(200);
    let session = body["session_id"].as_str().unwrap();
    assert_eq!(session.len(), 64);
    assert_eq!(body["success"], true);
    assert_eq!(body["expires_at"], "2026-11-24T10:00:00.000Z");
    assert_eq!(body["user_info"]["username"], "Anna");
    assert_eq!(body["user_info"]["email"], "anna@example.org");
    assert_eq!(body["user_info"]["role"], "admin");
    assert!(body["user_info"]["permissions"].is_array());
    assert_eq!(
        answer.header("Set-Cookie").unwrap(),
        format!("session={session}; Path=/; HttpOnly; SameSite=Strict")
    );
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
}

#[test]
fn a_session_that_the_client_brings_along_is_never_taken_over() {
    let office = Office::new();
    accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    let planted = "ab".repeat(32);
    let answer = call(
        &office,
        "POST",
        "/api/auth/login",
        &[("Cookie", &format!("session={planted}"))],
        &json!({ "username": "anna", "password": PASSWORD, "session_id": planted }),
    );
    let first = answer.expect(200)["session_id"].clone();
    assert_ne!(first, json!(planted));
    let second = try_sign_in(&office, "anna", PASSWORD).expect(200)["session_id"].clone();
    assert_ne!(first, second);
    refused(&with_session(&office, &planted), 401, "session-invalid");
}

#[test]
fn the_database_holds_neither_a_session_nor_a_token_nor_a_password() {
    let office = Office::new();
    let anna = office.member("anna");
    let made = anna
        .send("POST", "/api/auth/tokens", &json!({ "name": "script" }))
        .expect(201);
    office.app.db.checkpoint().unwrap();
    let mut bytes = std::fs::read(&office.app.settings.db).unwrap();
    bytes.extend(
        std::fs::read(format!("{}-wal", office.app.settings.db.display())).unwrap_or_default(),
    );
    let holds = |secret: &str| {
        bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes())
    };
    assert!(holds("anna"));
    assert!(!holds(&anna.session));
    assert!(!holds(made["token"].as_str().unwrap()));
    assert!(!holds(PASSWORD));
}

#[test]
fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
    let office = Office::new();
    accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    let wrong = try_sign_in(&office, "anna", OTHER);
    let unknown = try_sign_in(&office, "nobody", OTHER);
    refused(&wrong, 401, "invalid-credentials");
    assert_eq!(wrong.bytes, unknown.bytes);
    assert_eq!(wrong.headers, unknown.headers);
}

#[test]
fn a_body_that_is_not_right_says_which_fields() {
    let office = Office::new();
    let login = |body: &str| office.call("POST", "/api/auth/login", &[], body.as_bytes().to_vec());
    refused(&login("{"), 400, "invalid-json");
    refused(&login("[1]"), 400, "invalid-json");
    let answer = login("{\"username\": 5}");
    refused(&answer, 400, "bad-request");
    let errors = answer.json()["errors"].clone();
    assert_eq!(errors[0]["field"], "username");
    assert_eq!(errors[1]["field"], "password");
    refused(&login(&" ".repeat((64 << 10) + 1)), 413, "too-large");
}

#[test]
fn a_new_password_ends_the_users_other_sessions() {
    let office = Office::new();
    let anna = office.member("anna");
    let ben = office.member("ben");
    let other = office.sign_in("anna").session;
    let change = |current: &str, new: &str| {
        anna.send(
            "POST",
            "/api/auth/password",
            &json!({ "current": current, "new": new }),
        )
    };
    refused(&change(OTHER, OTHER), 401, "invalid-credentials");
    refused(&change(PASSWORD, "too short"), 422, "weak-password");
    refused(&change(PASSWORD, "Password1234"), 422, "weak-password");
    assert_eq!(with_session(&office, &other).status, 200);
    change(PASSWORD, OTHER).expect(200);
    assert_eq!(with_session(&office, &anna.session).status, 200);
    assert_eq!(with_session(&office, &ben.session).status, 200);
    refused(&with_session(&office, &other), 401, "session-revoked");
    refused(
        &try_sign_in(&office, "anna", PASSWORD),
        401,
        "invalid-credentials",
    );
    try_sign_in(&office, "anna", OTHER).expect(200);
}

#[test]
fn a_stolen_session_can_not_guess_the_password_for_ever() {
    let office = Office::new();
    let anna = office.member("anna");
    let guess = json!({ "current": "wrong wrong wrong", "new": OTHER });
    for _ in 0..10 {
        refused(
            &anna.send("POST", "/api/auth/password", &guess),
            401,
            "invalid-credentials",
        );
    }
    let right = json!({ "current": PASSWORD, "new": OTHER });
    refused(
        &anna.send("POST", "/api/auth/password", &right),
        429,
        "too-many-attempts",
    );
    office.pass(1);
    anna.send("POST", "/api/auth/password", &right).expect(200);
}

#[test]
fn a_sign_in_with_the_old_password_never_outlives_the_new_one() {
    let office = Office::new();
    let anna = office.member("anna");
    let begin = Barrier::new(5);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                begin.wait();
                try_sign_in(&office, "anna", PASSWORD);
            });
        }
        scope.spawn(|| {
            begin.wait();
            let body = json!({ "current": PASSWORD, "new": OTHER });
            anna.send("POST", "/api/auth/password", &body).expect(200);
        });
    });
    assert_eq!(
        office.number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"),
        1
    );
}

#[test]
fn whoever_got_a_first_password_chooses_their_own_before_anything_else() {
    let office = Office::new();
    let root = office.admin("root");
    let body = json!({ "username": "anna", "password": PASSWORD, "must_change": true });
    let made = root.send("POST", "/api/users", &body).expect(201);
    assert_eq!(made["user"]["must_change"], true);
    let body = try_sign_in(&office, "anna", PASSWORD).expect(200);
    assert_eq!(body["user_info"]["must_change"], true);
    let anna = Person {
        office: &office,
        session: body["session_id"].as_str().unwrap().to_owned(),
    };
    for (method, url) in [
        ("GET", "/api/files"),
        ("POST", "/api/files/upload-json"),
        ("GET", "/api/records"),
        ("POST", "/api/auth/tokens"),
    ] {
        refused(&anna.send(method, url, &json!({})), 403, "must-change");
    }
    anna.get("/api/auth/session").expect(200);
    let change = |new: &str| {
        let body = json!({ "current": PASSWORD, "new": new });
        anna.send("POST", "/api/auth/password", &body)
    };
    refused(&change(PASSWORD), 422, "weak-password");
    change(OTHER).expect(200);
    anna.get("/api/files").expect(200);

    let url = format!("/api/users/{}", id_of(&office, "anna"));
    let again = json!({ "password": PASSWORD, "must_change": true });
    root.send("PATCH", &url, &again).expect(200);
    let body = try_sign_in(&office, "anna", PASSWORD).expect(200);
    assert_eq!(body["user_info"]["must_change"], true);
    root.send("PATCH", &url, &json!({ "password": OTHER }))
        .expect(200);
    let body = try_sign_in(&office, "anna", OTHER).expect(200);
    assert_eq!(body["user_info"]["must_change"], false);
}
