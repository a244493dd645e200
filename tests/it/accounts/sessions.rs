//! The life of a session: sliding, ending, held by a job, listed and ended by its owner.

use serde_json::{Value, json};
use sheetline::accounts;
use sheetline::clock::Timestamp;

use super::{behind_proxy, call, id_of, queue_for, refused, run, text, with_session};
use crate::office::{Office, PASSWORD, Person};

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
    // The job holds who was signed in when it came, and brings nobody back.
    refused(&with_session(&office, &before), 401, "session-expired");
    office.pass(3 * 86_400);
    assert_eq!(with_session(&office, &anna).status, 200);
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
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
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
    assert_eq!(
        text(&office, "SELECT ends_at FROM sessions"),
        "2026-12-23T10:00:00.000Z"
    );
    office.pass(86_400);
    refused(&with_session(&office, &anna), 401, "session-expired");
}

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
