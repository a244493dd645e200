//! Wrong guesses slow the next one down.

use std::sync::Barrier;

use sheetline::accounts;
use sheetline::clock::Timestamp;

use super::{OTHER, behind_proxy, refused, sign_in_from, try_sign_in};
use crate::office::{Office, PASSWORD};

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
