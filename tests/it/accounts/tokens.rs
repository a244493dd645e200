//! API tokens for scripts.

use serde_json::{Value, json};

use super::{refused, with_session};
use crate::office::{Office, Person};

#[test]
fn an_api_token_has_its_users_rights_except_users_passwords_and_tokens() {
    let office = Office::new();
    let root = office.admin("root");
    let made = root
        .send(
            "POST",
            "/api/auth/tokens",
            &json!({ "name": "nightly", "expires_in_days": 30 }),
        )
        .expect(201);
    let secret = made["token"].as_str().unwrap().to_owned();
    assert_eq!(made["name"], "nightly");
    let script = Person {
        office: &office,
        session: secret.clone(),
    };
    script.get("/api/files/processing-status").expect(200);
    script.get("/api/admin/queue").expect(200);
    assert_eq!(
        script.get("/api/auth/session").expect(200)["user_info"]["username"],
        "root"
    );
    for (method, url) in [
        ("GET", "/api/users"),
        ("POST", "/api/users"),
        ("PATCH", "/api/users/1"),
        ("DELETE", "/api/users/1"),
        ("DELETE", "/api/users/1/sessions"),
        ("POST", "/api/auth/password"),
        ("GET", "/api/auth/tokens"),
        ("POST", "/api/auth/tokens"),
        ("DELETE", "/api/auth/tokens/1"),
        ("GET", "/api/auth/sessions"),
        ("POST", "/api/auth/logout"),
    ] {
        refused(&script.send(method, url, &json!({})), 403, "forbidden");
    }
    let list = root.get("/api/auth/tokens").expect(200);
    assert_eq!(list["tokens"][0]["name"], "nightly");
    assert_eq!(
        list["tokens"][0]["last_used_at"],
        "2026-11-23T10:00:00.000Z"
    );
    assert!(!root.get("/api/auth/tokens").text().contains(&secret));

    office.pass(30 * 86_400 - 1);
    script.get("/api/admin/queue").expect(200);
    office.pass(1);
    refused(&script.get("/api/admin/queue"), 401, "session-expired");
}

#[test]
fn a_token_ends_when_it_is_revoked_and_nobody_else_can_do_that() {
    let office = Office::new();
    let anna = office.member("anna");
    let ben = office.member("ben");
    let made = anna
        .send("POST", "/api/auth/tokens", &json!({ "name": "a" }))
        .expect(201);
    assert_eq!(made["expires_at"], Value::Null);
    let url = format!("/api/auth/tokens/{}", made["id"]);
    refused(&ben.send("DELETE", &url, &Value::Null), 404, "not-found");
    let secret = made["token"].as_str().unwrap();
    assert_eq!(with_session(&office, secret).status, 200);
    anna.send("DELETE", &url, &Value::Null).expect(200);
    refused(&with_session(&office, secret), 401, "session-revoked");
    assert_eq!(
        anna.get("/api/auth/tokens").expect(200)["tokens"],
        json!([])
    );
}

#[test]
fn a_token_needs_a_name_and_a_possible_number_of_days() {
    let office = Office::new();
    let anna = office.member("anna");
    let make = |body: Value| anna.send("POST", "/api/auth/tokens", &body);
    for body in [
        json!({}),
        json!({ "name": "  " }),
        json!({ "name": "a".repeat(101) }),
        json!({ "name": "a", "expires_in_days": 0 }),
        json!({ "name": "a", "expires_in_days": 3_651 }),
        json!({ "name": "a", "expires_in_days": 1.5 }),
        json!({ "name": "a", "expires_in_days": "30" }),
    ] {
        let answer = make(body);
        refused(&answer, 400, "bad-request");
        assert!(answer.json()["errors"][0]["field"].is_string());
    }
    make(json!({ "name": "a".repeat(100), "expires_in_days": 3_650 })).expect(201);
    for _ in 1..100 {
        make(json!({ "name": "a" })).expect(201);
    }
    refused(&make(json!({ "name": "a" })), 400, "bad-request");
}
