//! The database fails at each step of what concerns accounts: nothing is half done, and whoever is
//! signed in stays so.

use serde_json::{Value, json};
use sheetline::accounts;
use sheetline::faults::{self, Kind};

use super::{OTHER, call, id_of, queue_for, refused, text, try_sign_in, with_session};
use crate::office::{Office, PASSWORD};

const KINDS: [Kind; 3] = [Kind::Full, Kind::Broken, Kind::Busy];

/// A write has two steps: its beginning and its commit.
const STEPS: [u64; 2] = [0, 1];

fn each(mut test: impl FnMut(u64, Kind)) {
    for kind in KINDS {
        for step in STEPS {
            test(step, kind);
        }
    }
}

#[test]
fn a_session_is_good_while_nothing_can_be_written_and_its_extension_comes_later() {
    let office = Office::new();
    let anna = office.member("anna").session;
    each(|step, kind| {
        office.pass(3_600);
        let before = text(&office, "SELECT expires_at FROM sessions");
        let answer = faults::with_failure(step, kind, || with_session(&office, &anna));
        answer.expect(200);
        assert_eq!(text(&office, "SELECT expires_at FROM sessions"), before);
        office.pass(10);
        with_session(&office, &anna).expect(200);
        assert!(text(&office, "SELECT expires_at FROM sessions") > before);
    });
}

#[test]
fn a_wrong_guess_counts_while_nothing_can_be_written() {
    let office = Office::new();
    accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    for _ in 0..10 {
        let guess = || try_sign_in(&office, "anna", OTHER);
        refused(
            &faults::with_failure(0, Kind::Full, guess),
            401,
            "invalid-credentials",
        );
    }
    refused(
        &try_sign_in(&office, "anna", PASSWORD),
        429,
        "too-many-attempts",
    );
    assert_eq!(office.number("SELECT count(*) FROM sign_in_failures"), 0);
}

#[test]
fn a_sign_in_that_can_not_be_written_is_none() {
    let office = Office::new();
    accounts::add_user(&office.app.db, "anna", PASSWORD, None, false).unwrap();
    each(|step, kind| {
        let sign_in = || try_sign_in(&office, "anna", PASSWORD);
        let answer = faults::with_failure(step, kind, sign_in);
        match kind {
            Kind::Full => refused(&answer, 507, "disk-full"),
            Kind::Broken | Kind::Busy | Kind::ReadOnly => refused(&answer, 503, "busy"),
        }
        assert_eq!(answer.header("Set-Cookie"), None);
        assert_eq!(office.number("SELECT count(*) FROM sessions"), 0);
        assert_eq!(
            office.number("SELECT count(*) FROM audit WHERE action = 'signed-in'"),
            0
        );
    });
    try_sign_in(&office, "anna", PASSWORD).expect(200);
}

#[test]
fn a_setup_that_can_not_be_written_leaves_its_code() {
    let office = Office::new();
    let code = office
        .app
        .accounts
        .begin_setup(&office.app.db)
        .unwrap()
        .unwrap();
    let body = json!({ "token": code, "username": "anna", "password": PASSWORD });
    let set_up = || call(&office, "POST", "/api/auth/setup", &[], &body);
    each(|step, kind| {
        assert!(faults::with_failure(step, kind, set_up).status >= 500);
        assert_eq!(office.number("SELECT count(*) FROM users"), 0);
    });
    set_up().expect(201);
}

#[test]
fn a_new_password_is_there_whole_or_not_at_all() {
    let office = Office::new();
    let anna = office.member("anna");
    let other = office.sign_in("anna").session;
    let body = json!({ "current": PASSWORD, "new": OTHER });
    let change = || anna.send("POST", "/api/auth/password", &body);
    each(|step, kind| {
        assert!(faults::with_failure(step, kind, change).status >= 500);
        assert_eq!(with_session(&office, &other).status, 200);
    });
    try_sign_in(&office, "anna", PASSWORD).expect(200);
    change().expect(200);
    refused(&with_session(&office, &other), 401, "session-revoked");
}

#[test]
fn a_user_is_deleted_whole_or_not_at_all() {
    let office = Office::new();
    let root = office.admin("root");
    let anna = office.member("anna");
    let job = queue_for(&office, id_of(&office, "anna"));
    anna.post(&format!("/api/jobs/{job}/cancel")).expect(200);
    let url = format!("/api/users/{}?transfer_to=1", id_of(&office, "anna"));
    let delete = || root.send("DELETE", &url, &Value::Null);
    each(|step, kind| {
        assert!(faults::with_failure(step, kind, delete).status >= 500);
        anna.get(&format!("/api/jobs/{job}")).expect(200);
        assert_eq!(
            office.number("SELECT count(*) FROM uploads WHERE user_id = 1"),
            0
        );
    });
    delete().expect(200);
    assert_eq!(
        office.number("SELECT count(*) FROM uploads WHERE user_id = 1"),
        1
    );
}
