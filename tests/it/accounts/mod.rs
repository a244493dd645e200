//! Promises about accounts: helpers that their tests share; one file per subject.

mod attacks;
mod audit;
mod carriers;
mod command_line;
mod faults;
mod locked_out;
mod sessions;
mod setup;
mod sign_in;
mod throttle;
mod tokens;
mod users;

use serde_json::{Value, json};
use sheetline::accounts;

use crate::office::{Answer, Office};

pub(super) const OTHER: &str = "another long password";

/// A request with these headers; a JSON body where there is one.
pub(super) fn call(
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

pub(super) fn try_sign_in(office: &Office, name: &str, password: &str) -> Answer {
    sign_in_from(office, "192.0.2.1", name, password)
}

/// Signs in through the proxy that [`behind_proxy`] trusts.
pub(super) fn sign_in_from(office: &Office, address: &str, name: &str, password: &str) -> Answer {
    call(
        office,
        "POST",
        "/api/auth/login",
        &[("X-Forwarded-For", address)],
        &json!({ "username": name, "password": password }),
    )
}

pub(super) fn behind_proxy() -> Office {
    Office::with(|settings| settings.trusted_proxies = vec!["192.0.2.1".parse().unwrap()])
}

pub(super) fn with_session(office: &Office, session: &str) -> Answer {
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
pub(super) fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{}",
        String::from_utf8_lossy(&answer.bytes)
    );
}

pub(super) fn text(office: &Office, sql: &str) -> String {
    office
        .app
        .db
        .read(|c| Ok(c.query_row(sql, [], |row| row.get(0))?))
        .unwrap()
}

pub(super) fn run(office: &Office, sql: &str) {
    office
        .app
        .db
        .write(|tx| Ok(tx.execute_batch(sql)?))
        .unwrap();
}

pub(super) fn id_of(office: &Office, name: &str) -> i64 {
    accounts::by_name(&office.app.db, name).unwrap().id.0
}

/// Gives a user a file and a job that waits.
pub(super) fn queue_for(office: &Office, user: i64) -> i64 {
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
