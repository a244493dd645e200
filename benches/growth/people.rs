//! An office of more and more people.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, params};

use crate::office::middle;
use crate::office::starts::DATABASE;
use crate::works::{ROUNDS, ask, crowd, curve, ms};
use crate::{Curve, Kind, client};

/// An office of so many people, each with a session.
pub(crate) fn curves(sizes: [usize; 3]) -> Vec<Curve> {
    let mut status = curve("status", "users", "ms", Kind::Request);
    let mut many = curve("status, 16 clients", "users", "us", Kind::Request);
    let mut list = curve("list of users", "users", "ms", Kind::Request);
    let mut sign_in = curve("sign-in", "users", "ms", Kind::Request);
    for users in sizes {
        let folder = tempfile::tempdir().unwrap();
        client::serve(folder.path(), &[]).kill();
        client::add_user(folder.path(), "user0", &["--admin"]);
        fill_with_people(&folder.path().join(DATABASE), users);
        let served = client::serve(folder.path(), &[]);
        let session = served.sign_in("user0");
        status.points.push((
            users,
            ask(&served, &session, "/api/files/processing-status"),
        ));
        let sessions: Vec<String> = (0..users.min(16))
            .map(|n| served.sign_in(&format!("user{n}")))
            .collect();
        many.points.push((users, crowd(&served, &sessions)));
        list.points
            .push((users, ask(&served, &session, "/api/users?limit=50")));
        let last = format!("user{}", users - 1);
        let some = (0..ROUNDS).map(|_| {
            let began = Instant::now();
            served.sign_in(&last);
            ms(began)
        });
        sign_in.points.push((users, middle(some.collect())));
    }
    vec![status, many, list, sign_in]
}

/// More people with the password of the first, and a session for each.
fn fill_with_people(database: &Path, users: usize) {
    let mut connection = Connection::open(database).unwrap();
    let tx = connection.transaction().unwrap();
    for n in 1..users {
        tx.execute(
            "INSERT INTO users (username, username_key, role, password_hash, created_at)
             SELECT ?1, ?1, 'member', password_hash, created_at FROM users WHERE id = 1",
            [format!("user{n}")],
        )
        .unwrap();
        tx.execute(
            "INSERT INTO sessions (token_hash, user_id, created_at, last_seen_at, expires_at, ends_at)
             SELECT ?1, ?2, created_at, created_at, '2999-01-01T00:00:00.000Z', '2999-01-01T00:00:00.000Z'
             FROM users WHERE id = 1",
            params![format!("{n:064x}"), tx.last_insert_rowid()],
        )
        .unwrap();
    }
    tx.commit().unwrap();
}
