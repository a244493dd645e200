//! Promises about accounts: sessions, passwords, tokens, the throttle, the setup and the users.

use std::sync::Barrier;

use serde_json::{Value, json};
use sheetline::accounts;
use sheetline::clock::Timestamp;

use crate::office::{Answer, Office, PASSWORD, Person};

const OTHER: &str = "another long password";

/// A request with these headers; a JSON body where there is one.
fn call(
    office: &Office,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let bytes = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    office.call(method, url, headers, bytes)
}

fn try_sign_in(office: &Office, name: &str, password: &str) -> Answer {
    sign_in_from(office, "192.0.2.1", name, password)
}

/// Signs in through the proxy that [`behind_proxy`] trusts.
fn sign_in_from(office: &Office, address: &str, name: &str, password: &str) -> Answer {
    call(
        office,
        "POST",
        "/api/auth/login",
        &[("X-Forwarded-For", address)],
        &json!({ "username": name, "password": password }),
    )
}

fn behind_proxy() -> Office {
    Office::with(|settings| settings.trusted_proxies = vec!["192.0.2.1".parse().unwrap()])
}

fn with_session(office: &Office, session: &str) -> Answer {
    let bearer = format!("Bearer {session}");
    call(
        office,
        "GET",
        "/api/auth/session",
        &[("Authorization", &bearer)],
        &Value::Null,
    )
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{}",
        String::from_utf8_lossy(&answer.bytes)
    );
}

fn text(office: &Office, sql: &str) -> String {
    office
        .app
        .db
        .read(|c| Ok(c.query_row(sql, [], |row| row.get(0))?))
        .unwrap()
}

fn run(office: &Office, sql: &str) {
    office
        .app
        .db
        .write(|tx| Ok(tx.execute_batch(sql)?))
        .unwrap();
}

fn id_of(office: &Office, name: &str) -> i64 {
    accounts::by_name(&office.app.db, name).unwrap().id.0
}

/// Gives a user a file and a job that waits.
fn queue_for(office: &Office, user: i64) -> i64 {
    let now = sheetline::clock::Clock::now(&office.clock);
    run(
        office,
        &format!(
            "INSERT INTO uploads (id, user_id, filename, size, sha256, format, status, uploaded_at)
             VALUES (lower(hex(randomblob(16))), {user}, 'a.csv', 1, '', 'csv', 'stored', '{now}');
             INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
             VALUES ({user}, last_insert_rowid(), 'process', 'companies', 'skip', '{now}', '{now}');"
        ),
    );
    office.number("SELECT max(id) FROM jobs")
}

// Signing in -----------------------------------------------------------------------------------

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

// Carriers -------------------------------------------------------------------------------------

#[test]
fn a_session_travels_in_three_ways_and_the_first_one_counts_alone() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let bearer = format!("Bearer {anna}");
    let cookie = format!("session={anna}");
    let ask =
        |headers: &[(&str, &str)]| call(&office, "GET", "/api/auth/session", headers, &Value::Null);
    for headers in [
        [("Authorization", bearer.as_str())],
        [("X-Session-Id", anna.as_str())],
        [("Cookie", cookie.as_str())],
    ] {
        assert_eq!(ask(&headers).status, 200, "{headers:?}");
    }
    refused(&ask(&[]), 401, "session-missing");
    for headers in [
        [
            ("Authorization", "Bearer x"),
            ("X-Session-Id", anna.as_str()),
        ],
        [("Authorization", ""), ("Cookie", cookie.as_str())],
        [("Authorization", "Basic YTpi"), ("Cookie", cookie.as_str())],
        [("X-Session-Id", "x"), ("Cookie", cookie.as_str())],
        [
            ("Authorization", bearer.as_str()),
            ("Authorization", "Bearer x"),
        ],
        [("X-Session-Id", anna.as_str()), ("X-Session-Id", "x")],
    ] {
        refused(&ask(&headers), 401, "session-invalid");
    }
    let in_url = call(
        &office,
        "GET",
        &format!("/api/auth/session?session={anna}&session_id={anna}"),
        &[],
        &Value::Null,
    );
    refused(&in_url, 401, "session-missing");
}

// The life of a session ------------------------------------------------------------------------

#[test]
fn each_request_moves_the_end_of_a_session_on() {
    let office = Office::new();
    let anna = office.member("anna").session;
    office.pass(86_399);
    let body = with_session(&office, &anna).expect(200);
    assert_eq!(body["created_at"], "2026-11-23T10:00:00.000Z");
    assert_eq!(body["last_seen_at"], "2026-11-24T09:59:59.000Z");
    assert_eq!(body["expires_at"], "2026-11-25T09:59:59.000Z");
    office.pass(86_399);
    assert_eq!(with_session(&office, &anna).status, 200);
    office.pass(86_400);
    refused(&with_session(&office, &anna), 401, "session-expired");
}

#[test]
fn an_extension_is_written_once_a_minute_and_not_more_often() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let kept = "SELECT expires_at FROM sessions";
    office.pass(59);
    with_session(&office, &anna).expect(200);
    assert_eq!(text(&office, kept), "2026-11-24T10:00:00.000Z");
    office.pass(1);
    with_session(&office, &anna).expect(200);
    assert_eq!(text(&office, kept), "2026-11-24T10:01:00.000Z");
}

#[test]
fn a_short_session_is_extended_within_a_tenth_of_its_life() {
    let office = Office::with(|settings| settings.session_ttl = std::time::Duration::from_secs(50));
    let anna = office.member("anna").session;
    let kept = "SELECT expires_at FROM sessions";
    office.pass(4);
    with_session(&office, &anna).expect(200);
    assert_eq!(text(&office, kept), "2026-11-23T10:00:50.000Z");
    office.pass(1);
    with_session(&office, &anna).expect(200);
    assert_eq!(text(&office, kept), "2026-11-23T10:00:55.000Z");
}

#[test]
fn a_session_ends_at_its_absolute_end_however_busy_it_is() {
    let office = Office::with(|settings| {
        settings.session_max = std::time::Duration::from_secs(100_000);
    });
    let anna = office.member("anna").session;
    office.pass(50_000);
    with_session(&office, &anna).expect(200);
    office.pass(49_999);
    let body = with_session(&office, &anna).expect(200);
    assert_eq!(body["expires_at"], "2026-11-24T13:46:40.000Z");
    office.pass(1);
    refused(&with_session(&office, &anna), 401, "session-expired");
}

#[test]
fn a_session_survives_a_restart() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let office = office.restart();
    assert_eq!(with_session(&office, &anna).status, 200);
}

#[test]
fn a_session_does_not_expire_while_its_user_has_an_active_job() {
    let mut office = Office::new();
    let anna = office.member("anna").session;
    let old = office.sign_in("anna").session;
    run(
        &office,
        "UPDATE sessions SET expires_at = '2026-11-23T09:00:00.000Z' WHERE id = 2",
    );
    let job = queue_for(&office, id_of(&office, "anna"));
    office.pass(40 * 86_400);
    office.sweep();
    assert_eq!(with_session(&office, &anna).status, 200);
    refused(&with_session(&office, &old), 401, "session-invalid");

    let bearer = format!("Bearer {anna}");
    let cancel = format!("/api/jobs/{job}/cancel");
    call(
        &office,
        "POST",
        &cancel,
        &[("Authorization", &bearer)],
        &Value::Null,
    )
    .expect(200);
    refused(&with_session(&office, &anna), 401, "session-expired");
}

#[test]
fn when_a_job_ends_its_owners_session_runs_a_full_lifetime() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let before = office.sign_in("anna").session;
    run(
        &office,
        "UPDATE sessions SET expires_at = '2026-11-23T09:59:59.999Z' WHERE id = 2",
    );
    let user = id_of(&office, "anna");
    queue_for(&office, user);
    office.pass(3 * 86_400);
    run(
        &office,
        "UPDATE jobs SET status = 'cancelled', finished_at = '', changed_at = ''",
    );
    office
        .app
        .db
        .write(|tx| {
            let until = tx.now.plus(office.app.settings.session_ttl);
            sheetline::store::sessions::extend_for_user(tx, sheetline::id::UserId(user), until)
        })
        .unwrap();
    office.pass(86_399);
    assert_eq!(with_session(&office, &anna).status, 200);
    refused(&with_session(&office, &before), 401, "session-expired");
}

#[test]
fn what_has_ended_is_forgotten_after_another_lifetime() {
    let mut office = Office::new();
    let gone = office.member("anna").session;
    office.pass(86_400);
    office.sweep();
    refused(&with_session(&office, &gone), 401, "session-expired");
    office.pass(86_401);
    office.sweep();
    refused(&with_session(&office, &gone), 401, "session-invalid");
    assert_eq!(office.number("SELECT count(*) FROM sessions"), 0);
}

#[test]
fn a_locked_database_neither_refuses_a_session_nor_loses_its_extension() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let other = rusqlite::Connection::open(&office.app.settings.db).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    office.pass(3_600);
    assert_eq!(with_session(&office, &anna).status, 200);
    let kept = "SELECT expires_at FROM sessions";
    assert_eq!(text(&office, kept), "2026-11-24T10:00:00.000Z");
    // It counts all the same, and the next ones don't wait for the lock.
    let began = std::time::Instant::now();
    office.pass(86_000);
    for _ in 0..5 {
        assert_eq!(with_session(&office, &anna).status, 200);
        office.pass(1);
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(8));
    other.execute_batch("ROLLBACK").unwrap();
    office.pass(10);
    assert_eq!(with_session(&office, &anna).status, 200);
    assert!(text(&office, kept).as_str() > "2026-11-25T10:50");
}

#[test]
fn a_clock_that_was_wrong_leaves_no_session_for_years() {
    let office = Office::new();
    office
        .clock
        .set_wall(Timestamp::parse("2036-01-01T00:00:00Z").unwrap());
    let anna = office.member("anna").session;
    office
        .clock
        .set_wall(Timestamp::parse("2026-11-23T10:00:00Z").unwrap());
    assert_eq!(with_session(&office, &anna).status, 200);
    assert_eq!(
        text(&office, "SELECT expires_at FROM sessions"),
        "2026-11-24T10:00:00.000Z"
    );
    office.pass(86_400);
    refused(&with_session(&office, &anna), 401, "session-expired");
}

// Signing out, and the list of sessions --------------------------------------------------------

#[test]
fn signing_out_ends_the_session_and_takes_the_cookie_away() {
    let office = Office::new();
    let anna = office.member("anna");
    let other = office.sign_in("anna").session;
    let answer = anna.post("/api/auth/logout");
    answer.expect(200);
    assert_eq!(
        answer.header("Set-Cookie"),
        Some("session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
    );
    refused(
        &with_session(&office, &anna.session),
        401,
        "session-revoked",
    );
    assert_eq!(with_session(&office, &other).status, 200);
}

#[test]
fn people_see_where_they_are_signed_in_and_end_what_they_do_not_know() {
    let office = behind_proxy();
    accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    let ben = office.member("ben");
    let body = json!({ "username": "anna", "password": PASSWORD });
    let sign_in = |address: &str, device: &str| {
        call(
            &office,
            "POST",
            "/api/auth/login",
            &[("X-Forwarded-For", address), ("User-Agent", device)],
            &body,
        )
        .expect(200)["session_id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let phone = sign_in("198.51.100.7", "Phone\u{7}/1");
    office.pass(10);
    let desk = Person {
        office: &office,
        session: sign_in("198.51.100.8", "Desk/1"),
    };
    let list = desk.get("/api/auth/sessions").expect(200);
    assert_eq!(list["next_cursor"], Value::Null);
    let list = list["sessions"].as_array().unwrap().clone();
    assert_eq!(list.len(), 2);
    assert_eq!(list[0]["device"], "Desk/1");
    assert_eq!(list[0]["current"], true);
    assert_eq!(list[1]["device"], "Phone/1");
    assert_eq!(list[1]["address"], "198.51.100.7");
    assert_eq!(list[1]["current"], false);
    assert_eq!(list[1]["last_seen_at"], "2026-11-23T10:00:00.000Z");

    let url = format!("/api/auth/sessions/{}", list[1]["id"]);
    let theirs = ben.send("DELETE", &url, &Value::Null);
    let none = ben.send("DELETE", "/api/auth/sessions/999", &Value::Null);
    refused(&theirs, 404, "not-found");
    assert_eq!(theirs.bytes, none.bytes);
    desk.send("DELETE", &url, &Value::Null).expect(200);
    refused(&with_session(&office, &phone), 401, "session-revoked");
    refused(&desk.send("DELETE", &url, &Value::Null), 404, "not-found");
}

// Passwords ------------------------------------------------------------------------------------

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

// API tokens -----------------------------------------------------------------------------------

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

// The throttle ---------------------------------------------------------------------------------

#[test]
fn the_eleventh_guess_at_a_name_has_to_wait_and_the_right_password_too() {
    let office = behind_proxy();
    accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    let guess = |password: &str| sign_in_from(&office, "198.51.100.1", "anna", password);
    for _ in 0..10 {
        refused(&guess(OTHER), 401, "invalid-credentials");
    }
    let answer = guess(PASSWORD);
    refused(&answer, 429, "too-many-attempts");
    assert_eq!(answer.header("Retry-After"), Some("1"));
    assert_eq!(answer.json()["retry_after"], 1);
    // Another address and another name are free.
    sign_in_from(&office, "198.51.100.2", "anna", PASSWORD).expect(200);
    refused(
        &sign_in_from(&office, "198.51.100.1", "ben", OTHER),
        401,
        "invalid-credentials",
    );
    for seconds in ["1", "2", "4", "8", "16", "30", "30"] {
        let answer = guess(OTHER);
        refused(&answer, 429, "too-many-attempts");
        assert_eq!(answer.header("Retry-After"), Some(seconds));
        office.pass(seconds.parse().unwrap());
        refused(&guess(OTHER), 401, "invalid-credentials");
    }
    office.pass(30);
    guess(PASSWORD).expect(200);
    for _ in 0..10 {
        refused(&guess(OTHER), 401, "invalid-credentials");
    }
    refused(&guess(OTHER), 429, "too-many-attempts");
}

#[test]
fn the_case_of_a_name_and_an_unknown_name_are_throttled_alike() {
    let office = behind_proxy();
    for n in 0..10 {
        let name = if n % 2 == 0 { "Nobody" } else { " nobody" };
        refused(
            &sign_in_from(&office, "198.51.100.1", name, OTHER),
            401,
            "invalid-credentials",
        );
    }
    refused(
        &sign_in_from(&office, "198.51.100.1", "NOBODY", OTHER),
        429,
        "too-many-attempts",
    );
}

#[test]
fn an_address_is_slowed_after_thirty_names_and_a_name_after_fifty_addresses() {
    let office = behind_proxy();
    for name in ["anna", "ben"] {
        accounts::add_user(&office.app.db, name, PASSWORD, None, false).unwrap();
    }
    for n in 0..30 {
        refused(
            &sign_in_from(&office, "198.51.100.1", &format!("name{n}"), OTHER),
            401,
            "invalid-credentials",
        );
    }
    refused(
        &sign_in_from(&office, "198.51.100.1", "anna", PASSWORD),
        429,
        "too-many-attempts",
    );
    for n in 0..50 {
        refused(
            &sign_in_from(&office, &format!("203.0.113.{n}"), "ben", OTHER),
            401,
            "invalid-credentials",
        );
    }
    refused(
        &sign_in_from(&office, "203.0.113.200", "ben", PASSWORD),
        429,
        "too-many-attempts",
    );
    sign_in_from(&office, "203.0.113.1", "anna", PASSWORD).expect(200);
}

#[test]
fn wrong_guesses_are_not_forgotten_by_a_restart_nor_by_setting_the_clock() {
    let office = behind_proxy();
    accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    for wait in [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16] {
        office.pass(wait);
        sign_in_from(&office, "198.51.100.1", "anna", OTHER).expect(401);
    }
    office
        .clock
        .set_wall(Timestamp::parse("2030-01-01T00:00:00Z").unwrap());
    refused(
        &sign_in_from(&office, "198.51.100.1", "anna", PASSWORD),
        429,
        "too-many-attempts",
    );
    office
        .clock
        .set_wall(Timestamp::parse("2026-11-23T10:00:31Z").unwrap());
    let mut office = office.restart();
    refused(
        &sign_in_from(&office, "198.51.100.1", "anna", PASSWORD),
        429,
        "too-many-attempts",
    );
    office.pass(30);
    sign_in_from(&office, "198.51.100.1", "anna", PASSWORD).expect(200);
    assert_eq!(office.number("SELECT count(*) FROM sign_in_failures"), 0);
    sign_in_from(&office, "198.51.100.1", "anna", OTHER);
    office.pass(15 * 60 + 1);
    office.sweep();
    assert_eq!(office.number("SELECT count(*) FROM sign_in_failures"), 0);
}

#[test]
fn guesses_made_at_once_do_not_slip_through_together() {
    let office = Office::new();
    accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    let begin = Barrier::new(30);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..30)
            .map(|_| {
                scope.spawn(|| {
                    begin.wait();
                    try_sign_in(&office, "anna", OTHER).status
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 20);
}

#[test]
fn right_passwords_at_once_are_all_let_in() {
    let office = Office::new();
    accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| try_sign_in(&office, "anna", PASSWORD).expect(200));
        }
    });
}

// The setup ------------------------------------------------------------------------------------

fn set_up(office: &Office, code: &str, name: &str, password: &str) -> Answer {
    call(
        office,
        "POST",
        "/api/auth/setup",
        &[],
        &json!({ "token": code, "username": name, "password": password }),
    )
}

fn code(office: &Office) -> String {
    office
        .app
        .accounts
        .begin_setup(&office.app.db)
        .unwrap()
        .unwrap()
}

#[test]
fn the_setup_code_makes_the_first_administrator_once() {
    let office = Office::new();
    let code = code(&office);
    refused(
        &set_up(&office, "AAAA-AAAA-AAAA", "anna", PASSWORD),
        403,
        "wrong-setup-code",
    );
    // A weak password or an impossible name does not use the code up.
    refused(
        &set_up(&office, &code, "anna", "short"),
        422,
        "weak-password",
    );
    refused(&set_up(&office, &code, " ", PASSWORD), 400, "bad-request");
    let made = set_up(&office, &code, "anna", PASSWORD).expect(201);
    assert_eq!(made["user"]["role"], "admin");
    refused(&set_up(&office, &code, "ben", PASSWORD), 409, "setup-done");
    refused(
        &set_up(&office, "AAAA-AAAA-AAAA", "ben", PASSWORD),
        409,
        "setup-done",
    );
    try_sign_in(&office, "anna", PASSWORD).expect(200);
    assert_eq!(
        office.app.accounts.begin_setup(&office.app.db).unwrap(),
        None
    );
}

#[test]
fn a_setup_code_is_good_for_an_hour_and_a_restart_makes_a_new_one() {
    let office = Office::new();
    let first = code(&office);
    office.pass(3_600);
    refused(
        &set_up(&office, &first, "anna", PASSWORD),
        403,
        "wrong-setup-code",
    );
    let office = office.restart();
    let second = code(&office);
    refused(
        &set_up(&office, &first, "anna", PASSWORD),
        403,
        "wrong-setup-code",
    );
    office.pass(3_599);
    set_up(&office, &second, "anna", PASSWORD).expect(201);
}

#[test]
fn a_sixth_try_at_the_setup_code_within_a_minute_has_to_wait() {
    let office = Office::new();
    let code = code(&office);
    for _ in 0..5 {
        refused(
            &set_up(&office, "wrong", "anna", PASSWORD),
            403,
            "wrong-setup-code",
        );
    }
    let answer = set_up(&office, &code, "anna", PASSWORD);
    refused(&answer, 429, "too-many-attempts");
    assert_eq!(answer.header("Retry-After"), Some("30"));
    office.pass(59);
    refused(
        &set_up(&office, &code, "anna", PASSWORD),
        429,
        "too-many-attempts",
    );
    office.pass(1);
    set_up(&office, &code, "anna", PASSWORD).expect(201);
}

#[test]
fn of_two_setups_at_once_one_wins() {
    let office = Office::new();
    let code = code(&office);
    let begin = Barrier::new(4);
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let (office, code, begin) = (&office, &code, &begin);
                scope.spawn(move || {
                    begin.wait();
                    set_up(office, code, &format!("user{n}"), PASSWORD).status
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
    assert_eq!(office.number("SELECT count(*) FROM users"), 1);
}

#[test]
fn without_a_code_nobody_can_set_up() {
    let office = Office::new();
    refused(
        &set_up(&office, "", "anna", PASSWORD),
        403,
        "wrong-setup-code",
    );
    accounts::add_user(&office.app.db, "cli", PASSWORD, None, true).unwrap();
    refused(&set_up(&office, "", "anna", PASSWORD), 409, "setup-done");
}

// Users ----------------------------------------------------------------------------------------

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
    refused(&root.send("DELETE", &url, &Value::Null), 409, "has-uploads");
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

// Origins and proxies --------------------------------------------------------------------------

#[test]
fn a_browser_on_another_site_can_not_use_the_cookie() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let cookie = format!("session={anna}");
    let make = |headers: &[(&str, &str)]| {
        let mut all = vec![("Cookie", cookie.as_str())];
        all.extend_from_slice(headers);
        call(
            &office,
            "POST",
            "/api/auth/tokens",
            &all,
            &json!({ "name": "a" }),
        )
    };
    for own in [
        vec![],
        vec![("Sec-Fetch-Site", "same-origin")],
        vec![
            ("Sec-Fetch-Site", "same-origin"),
            ("Origin", "http://elsewhere"),
        ],
        vec![("Origin", "http://office.test")],
        vec![("Origin", "http://OFFICE.test:80")],
    ] {
        assert_eq!(make(&own).status, 201, "{own:?}");
    }
    for foreign in [
        vec![("Sec-Fetch-Site", "cross-site")],
        vec![("Sec-Fetch-Site", "same-site")],
        vec![("Sec-Fetch-Site", "none")],
        vec![("Sec-Fetch-Site", "")],
        vec![
            ("Sec-Fetch-Site", "same-origin"),
            ("Sec-Fetch-Site", "cross-site"),
        ],
        vec![
            ("Sec-Fetch-Site", "cross-site"),
            ("Origin", "http://office.test"),
        ],
        vec![("Origin", "https://office.test")],
        vec![("Origin", "http://office.test:8080")],
        vec![("Origin", "http://office.test.evil")],
        vec![("Origin", "http://evil")],
        vec![("Origin", "null")],
        vec![("Origin", "")],
        vec![("Origin", "http://office.test"), ("Origin", "http://evil")],
    ] {
        refused(&make(&foreign), 403, "cross-origin");
    }
    // Reading is not changing.
    let read = call(
        &office,
        "GET",
        "/api/auth/session",
        &[("Cookie", &cookie), ("Origin", "http://evil")],
        &Value::Null,
    );
    assert_eq!(read.status, 200);
}

#[test]
fn a_bearer_token_is_never_cross_origin_and_signing_in_may_be() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let bearer = format!("Bearer {anna}");
    for carrier in [
        ("Authorization", bearer.as_str()),
        ("X-Session-Id", anna.as_str()),
    ] {
        let answer = call(
            &office,
            "POST",
            "/api/auth/tokens",
            &[
                carrier,
                ("Sec-Fetch-Site", "cross-site"),
                ("Origin", "http://evil"),
            ],
            &json!({ "name": "a" }),
        );
        assert_eq!(answer.status, 201);
    }
    for url in ["/api/auth/login", "/api/auth/setup"] {
        let body = json!({ "token": "x", "username": "anna", "password": PASSWORD });
        let answer = call(&office, "POST", url, &[("Origin", "http://evil")], &body);
        refused(&answer, 403, "cross-origin");
    }
    let own = json!({ "username": "anna", "password": PASSWORD });
    let origin = [("Origin", "http://office.test")];
    call(&office, "POST", "/api/auth/login", &origin, &own).expect(200);
}

#[test]
fn an_unknown_session_is_told_before_a_foreign_origin_and_that_before_a_missing_right() {
    let office = Office::new();
    let anna = office.member("anna").session;
    let ask = |cookie: &str| {
        call(
            &office,
            "POST",
            "/api/users",
            &[("Cookie", cookie), ("Origin", "http://evil")],
            &json!({}),
        )
    };
    refused(&ask("session=unknown"), 401, "session-invalid");
    refused(&ask(&format!("session={anna}")), 403, "cross-origin");
}

#[test]
fn forwarding_headers_count_only_from_a_trusted_proxy() {
    let direct = Office::new();
    let proxied = behind_proxy();
    for (office, address) in [(&direct, "192.0.2.1"), (&proxied, "198.51.100.7")] {
        accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
        sign_in_from(office, "198.51.100.7", "anna", PASSWORD).expect(200);
        assert_eq!(text(office, "SELECT address FROM sessions"), address);
    }
    let behind_two = Office::with(|settings| {
        settings.trusted_proxies = vec!["192.0.2.1".parse().unwrap(), "10.0.0.9".parse().unwrap()];
    });
    accounts::add_user(&behind_two.app.db, "anna", PASSWORD, None, false).unwrap();
    for (forwarded, address) in [
        ("203.0.113.9, 198.51.100.7, 10.0.0.9", "198.51.100.7"),
        ("203.0.113.9, 198.51.100.8", "198.51.100.8"),
        ("198.51.100.9:4711", "198.51.100.9"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.9, 10.0.0.9", "10.0.0.9"),
        ("203.0.113.9, nonsense, 10.0.0.9", "10.0.0.9"),
        ("", "192.0.2.1"),
    ] {
        sign_in_from(&behind_two, forwarded, "anna", PASSWORD).expect(200);
        assert_eq!(
            text(
                &behind_two,
                "SELECT address FROM sessions ORDER BY id DESC LIMIT 1"
            ),
            address,
            "{forwarded}"
        );
    }
}

#[test]
fn the_cookie_is_secure_where_people_come_by_https() {
    let cookie = |office: &Office, proto: &str| {
        let body = json!({ "username": "anna", "password": PASSWORD });
        let headers = [("X-Forwarded-Proto", proto)];
        let answer = call(office, "POST", "/api/auth/login", &headers, &body);
        answer.expect(200);
        (
            answer.header("Set-Cookie").unwrap().ends_with("; Secure"),
            answer.header("Strict-Transport-Security").is_some(),
        )
    };
    let direct = Office::new();
    let proxied = behind_proxy();
    let public =
        Office::with(|settings| settings.public_url = Some("https://office.test/".to_owned()));
    for office in [&direct, &proxied, &public] {
        accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    }
    assert_eq!(cookie(&direct, "https"), (false, false));
    assert_eq!(cookie(&proxied, "https"), (true, true));
    assert_eq!(cookie(&proxied, "http"), (false, false));
    assert_eq!(cookie(&public, "http"), (true, true));
}

#[test]
fn an_origin_is_compared_with_the_address_that_people_use() {
    let office = Office::with(|settings| {
        settings.trusted_proxies = vec!["192.0.2.1".parse().unwrap()];
        settings.public_url = Some("https://sheets.example".to_owned());
    });
    accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    let body = json!({ "username": "anna", "password": PASSWORD });
    let sign_in =
        |headers: &[(&str, &str)]| call(&office, "POST", "/api/auth/login", headers, &body).status;
    assert_eq!(sign_in(&[("Origin", "https://sheets.example")]), 200);
    assert_eq!(sign_in(&[("Origin", "http://sheets.example")]), 403);
    let https = ("X-Forwarded-Proto", "https");
    assert_eq!(sign_in(&[https, ("Origin", "https://office.test")]), 200);
    assert_eq!(sign_in(&[https, ("Origin", "http://office.test")]), 403);
}

// The command line -----------------------------------------------------------------------------

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the program with these arguments on the database of a folder.
fn sheetline(folder: &std::path::Path, arguments: &[&str], input: &str) -> Ran {
    use std::io::Write;
    let mut child = command(folder).args(arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that wants no input may be gone before it is written.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn command(folder: &std::path::Path) -> std::process::Command {
    use std::process::Stdio;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sheetline"));
    command
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn users_are_managed_on_the_command_line_with_and_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input: &str| sheetline(folder.path(), arguments, input);
    let list = run(&["user", "list"], "");
    assert_eq!(list.code, Some(2));
    assert!(list.err.contains("There is no database"), "{}", list.err);

    let password = format!("{PASSWORD}\n");
    let add = run(
        &["user", "add", "--admin", "Root", "--password-stdin"],
        &password,
    );
    assert_eq!(
        (add.code, add.out.as_str()),
        (Some(0), "Root is added (administrator).\n")
    );
    let office = Office::with(|settings| settings.db = folder.path().join("sheetline.db"));
    // From here on the database is in use by a server.
    let email = [
        "user",
        "add",
        "anna",
        "--email",
        "a@b.de",
        "--password-stdin",
    ];
    assert_eq!(run(&email, &password).code, Some(0));
    let anna = office.sign_in("anna").session;

    let list = run(&["user", "list"], "");
    let lines: Vec<&str> = list.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", list.out);
    assert!(lines[0].starts_with("ID  NAME  ROLE           STATE"));
    assert!(lines[1].starts_with("1   Root  administrator  active"));
    assert!(lines[2].starts_with("2   anna  member         active"));

    let again = run(&["user", "add", "ROOT", "--password-stdin"], &password);
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("name-taken"), "{}", again.err);
    let weak = run(
        &["user", "passwd", "anna", "--password-stdin"],
        "password123\n",
    );
    assert_eq!(weak.code, Some(2));
    assert!(weak.err.contains("weak-password"), "{}", weak.err);
    assert_eq!(with_session(&office, &anna).status, 200);
    let new = run(&["user", "passwd", "ANNA", "--password-stdin"], OTHER);
    assert_eq!(new.code, Some(0), "{}", new.err);
    refused(&with_session(&office, &anna), 401, "session-revoked");
    try_sign_in(&office, "anna", OTHER).expect(200);

    assert_eq!(run(&["user", "disable", "anna"], "").code, Some(0));
    refused(
        &try_sign_in(&office, "anna", OTHER),
        403,
        "account-disabled",
    );
    assert!(run(&["user", "list"], "").out.contains("disabled"));
    assert_eq!(run(&["user", "enable", "anna"], "").code, Some(0));
    try_sign_in(&office, "anna", OTHER).expect(200);
    let last = run(&["user", "disable", "root"], "");
    assert_eq!(last.code, Some(2));
    assert!(last.err.contains("last-admin"), "{}", last.err);
    let nobody = run(&["user", "enable", "nobody"], "");
    assert_eq!(nobody.code, Some(2));
    assert!(
        nobody.err.contains("There is no user named nobody"),
        "{}",
        nobody.err
    );
}

#[test]
fn without_a_terminal_a_password_is_not_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let add = sheetline(folder.path(), &["user", "add", "root"], "");
    assert_eq!(add.code, Some(2));
    assert!(add.err.contains("--password-stdin"), "{}", add.err);
}

/// Starts the server with this environment until it has printed its address, or has ended.
fn serve(folder: &std::path::Path, environment: &[(&str, &str)]) -> (Vec<String>, String) {
    use std::io::{BufRead, Read};
    let mut child = command(folder)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .envs(environment.iter().copied())
        .spawn()
        .unwrap();
    let mut lines = Vec::new();
    for line in std::io::BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let ready = line.starts_with("listening on");
        lines.push(line);
        if ready {
            break;
        }
    }
    child.kill().unwrap();
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    child.wait().unwrap();
    (lines, err)
}

#[test]
fn the_first_administrator_may_come_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password.txt");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let (lines, err) = serve(folder.path(), &[("SHEETLINE_ADMIN_NAME", "root")]);
    assert!(
        lines.is_empty() && err.contains("SHEETLINE_ADMIN_PASSWORD_FILE"),
        "{err}"
    );
    let (lines, _) = serve(folder.path(), &[]);
    assert!(lines.iter().any(|line| line.contains("SETUP")), "{lines:?}");
    assert!(folder.path().join("setup-code.txt").exists());

    let file = file.to_str().unwrap();
    let root = [
        ("SHEETLINE_ADMIN_NAME", "root"),
        ("SHEETLINE_ADMIN_PASSWORD_FILE", file),
    ];
    let (lines, err) = serve(folder.path(), &root);
    assert!(!lines.is_empty(), "{err}");
    assert!(
        !lines.iter().any(|line| line.contains("SETUP")),
        "{lines:?}"
    );
    assert!(!folder.path().join("setup-code.txt").exists());
    let other = [
        ("SHEETLINE_ADMIN_NAME", "other"),
        ("SHEETLINE_ADMIN_PASSWORD", OTHER),
    ];
    let (_, err) = serve(folder.path(), &other);
    assert!(err.contains("ignored"), "{err}");
    assert!(!err.contains(OTHER));

    let office = Office::with(|settings| settings.db = folder.path().join("sheetline.db"));
    office.sign_in("root").get("/api/users").expect(200);
    refused(
        &try_sign_in(&office, "other", OTHER),
        401,
        "invalid-credentials",
    );
}
