//! The first administrator.

use std::sync::Barrier;

use serde_json::json;
use sheetline::accounts;

use super::{call, refused, try_sign_in};
use crate::office::{Answer, Office, PASSWORD};

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
