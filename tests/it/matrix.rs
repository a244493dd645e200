//! The route table against everybody who may come: what each route answers to whom follows from
//! its `Who`, and from nothing else.

use std::sync::LazyLock;

use serde_json::Value;
use sheetline::accounts;
use sheetline::http::routes::{self, Route, Who};

use crate::office::{Answer, Office, PASSWORD};

/// The office that all of this is about.
struct Scene {
    office: Office,
    who: &'static People,
}

/// Everybody's secrets; and Anna has one thing of each kind.
struct People {
    anna: String,
    ben: String,
    root: String,
    disabled: String,
    revoked: String,
    token: String,
    root_token: String,
    /// The database in which they are so.
    database: Vec<u8>,
}

/// Made once: hashing takes its time.
static PEOPLE: LazyLock<People> = LazyLock::new(people);

const FILE: &str = "7d1c6e1e-0000-4000-8000-000000000001";

fn people() -> People {
    let office = Office::new();
    for (name, admin) in [
        ("anna", false),
        ("ben", false),
        ("root", true),
        ("dora", false),
    ] {
        accounts::add_user(&office.app.db, name, PASSWORD, None, admin).unwrap();
    }
    let session = |name: &str| office.sign_in(name).session;
    let revoked = session("anna");
    let anna = session("anna");
    let root = session("root");
    let token = |of: &str| {
        let bearer = format!("Bearer {of}");
        let headers = [("Authorization", bearer.as_str())];
        let body = b"{\"name\":\"script\"}".to_vec();
        let made = office.call("POST", "/api/auth/tokens", &headers, body);
        made.expect(201)["token"].as_str().unwrap().to_owned()
    };
    let (token, root_token) = (token(&anna), token(&root));
    let (ben, disabled) = (session("ben"), session("dora"));
    let sql = format!(
        "UPDATE sessions SET revoked_at = '2026-11-23T10:00:00.000Z' WHERE id = 1;
         UPDATE users SET disabled_at = '2026-11-23T10:00:00.000Z' WHERE username = 'dora';
         INSERT INTO uploads (id, user_id, filename, size, sha256, format, status, uploaded_at)
         VALUES ('{FILE}', 1, 'a.csv', 1, '', 'csv', 'stored', '2026-11-23T10:00:00.000Z');
         INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
         VALUES (1, 1, 'process', 'companies', 'skip', '2026-11-23T10:00:00.000Z', '2026-11-23T10:00:00.000Z');
         INSERT INTO templates (name, version, schema, created_at)
         VALUES ('own', 1, '{{\"fields\":[{{\"name\":\"a\"}}]}}', '2026-11-23T10:00:00.000Z');
         INSERT INTO mappings (template, headers_key, headers, mapping, created_at, created_by)
         VALUES ('own', '', '[]', '{{}}', '2026-11-23T10:00:00.000Z', 'anna');"
    );
    let db = &office.app.db;
    db.write(|tx| Ok(tx.execute_batch(&sql)?)).unwrap();
    db.tidy().unwrap();
    People {
        anna,
        ben,
        root,
        disabled,
        revoked,
        token,
        root_token,
        database: std::fs::read(db.path()).unwrap(),
    }
}

impl Scene {
    fn set() -> Scene {
        let who = &*PEOPLE;
        Scene {
            office: Office::with(|settings| std::fs::write(&settings.db, &who.database).unwrap()),
            who,
        }
    }

    fn ask(&self, route: &Route, url: &str, secret: Option<&str>) -> Answer {
        let bearer = secret.map(|secret| format!("Bearer {secret}"));
        let headers: Vec<(&str, &str)> = bearer
            .iter()
            .map(|bearer| ("Authorization", bearer.as_str()))
            .collect();
        self.office
            .call(route.method, url, &headers, b"{}".to_vec())
    }
}

/// A route's address for what is Anna's, or for what nobody has.
fn url(route: &Route, there: bool) -> String {
    // Anna's second session is number 2: the first has been revoked.
    let id = match route.path.trim_start_matches("/api/").split('/').next() {
        Some("files") if there => FILE,
        Some("files") => "7d1c6e1e-0000-4000-8000-00000000ffff",
        Some("auth") if route.path.contains("sessions") && there => "2",
        Some(_) if there => "1",
        _ => "999999",
    };
    let name = if there { "own" } else { "none" };
    route.path.replace("{id}", id).replace("{name}", name)
}

fn code(answer: &Answer) -> String {
    match serde_json::from_slice::<Value>(&answer.bytes) {
        Ok(body) => body["code"].as_str().unwrap_or("").to_owned(),
        Err(_) => String::new(),
    }
}

/// Whether a route let its caller in: what it says then is its own business.
fn is_in(answer: &Answer) -> bool {
    !matches!(
        code(answer).as_str(),
        "session-missing"
            | "session-invalid"
            | "session-expired"
            | "session-revoked"
            | "account-disabled"
            | "forbidden"
            | "cross-origin"
    )
}

#[test]
fn nobody_comes_in_without_a_session_that_lives() {
    let scene = Scene::set();
    for route in routes::all() {
        let url = url(route, true);
        let line = format!("{} {url}", route.method);
        let outcomes = [
            (None, 401, "session-missing"),
            (Some("unknown"), 401, "session-invalid"),
            (Some(scene.who.revoked.as_str()), 401, "session-revoked"),
            (Some(scene.who.disabled.as_str()), 403, "account-disabled"),
        ];
        for (secret, status, expected) in outcomes {
            let answer = scene.ask(route, &url, secret);
            match route.who {
                // Counters are for this machine or for administrators: its handler sees to it.
                Who::Anyone if route.path == "/metrics" => {
                    assert_eq!(
                        (answer.status, code(&answer)),
                        (status, expected.to_owned())
                    );
                }
                Who::Anyone => assert!(is_in(&answer), "{line} {secret:?}"),
                Who::SignedIn
                | Who::Owner
                | Who::Session
                | Who::OwnSession
                | Who::Admin
                | Who::AdminSession => {
                    assert_eq!(
                        (answer.status, code(&answer)),
                        (status, expected.to_owned()),
                        "{line} {secret:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_has_an_id_belongs_to_somebody() {
    for route in routes::all().filter(|route| route.path.contains("{id}")) {
        let owned = match route.who {
            Who::Owner | Who::OwnSession | Who::Admin | Who::AdminSession => true,
            Who::Anyone | Who::SignedIn | Who::Session => false,
        };
        // What the office remembers is everybody's.
        let owned = owned || route.path == "/api/mappings/{id}";
        assert!(owned, "{} {}: {:?}", route.method, route.path, route.who);
    }
}

#[test]
fn what_is_somebody_elses_is_not_there() {
    let scene = Scene::set();
    let mut seen = 0;
    for route in routes::all() {
        let strangers: &[&str] = match route.who {
            Who::Owner => &[&scene.who.ben],
            Who::OwnSession => &[&scene.who.ben, &scene.who.root],
            Who::Anyone | Who::SignedIn | Who::Session | Who::Admin | Who::AdminSession => continue,
        };
        seen += 1;
        for stranger in strangers {
            let theirs = scene.ask(route, &url(route, true), Some(stranger));
            let none = scene.ask(route, &url(route, false), Some(stranger));
            let line = format!("{} {}", route.method, route.path);
            assert_eq!(
                (theirs.status, code(&theirs)),
                (404, "not-found".to_owned()),
                "{line}"
            );
            assert_eq!(theirs.bytes, none.bytes, "{line}");
            assert_eq!(theirs.headers, none.headers, "{line}");
        }
    }
    assert!(seen >= 15, "{seen}");
}

#[test]
fn members_are_kept_from_what_is_for_administrators_and_tokens_from_what_needs_a_session() {
    let scene = Scene::set();
    for route in routes::all() {
        let url = url(route, true);
        let line = format!("{} {url}", route.method);
        let keeps = |secret: &str| {
            let answer = scene.ask(route, &url, Some(secret));
            assert_eq!(
                (answer.status, code(&answer)),
                (403, "forbidden".to_owned()),
                "{line}"
            );
        };
        match route.who {
            Who::Anyone | Who::SignedIn | Who::Owner => {}
            Who::Session | Who::OwnSession => {
                keeps(&scene.who.token);
                keeps(&scene.who.root_token);
            }
            Who::Admin => {
                keeps(&scene.who.anna);
                keeps(&scene.who.token);
            }
            Who::AdminSession => {
                keeps(&scene.who.anna);
                keeps(&scene.who.token);
                keeps(&scene.who.root_token);
            }
        }
    }
}

#[test]
fn everybody_comes_to_what_is_theirs() {
    for route in routes::all() {
        // Each with a scene of its own, for some of these end what the next one needs.
        let callers: fn(&Scene) -> Vec<&str> = match route.who {
            Who::Anyone => continue,
            Who::SignedIn | Who::Owner => |scene| {
                vec![
                    &scene.who.anna,
                    &scene.who.token,
                    &scene.who.root,
                    &scene.who.root_token,
                ]
            },
            Who::Session => |scene| vec![&scene.who.anna, &scene.who.root],
            Who::OwnSession => |scene| vec![&scene.who.anna],
            Who::Admin => |scene| vec![&scene.who.root, &scene.who.root_token],
            Who::AdminSession => |scene| vec![&scene.who.root],
        };
        let mut scene = Scene::set();
        for at in 0..callers(&scene).len() {
            if at > 0 && route.method != "GET" {
                scene = Scene::set();
            }
            let answer = scene.ask(route, &url(route, true), callers(&scene).get(at).copied());
            let line = format!("{} {} {at}", route.method, route.path);
            assert!(is_in(&answer), "{line}: {}", code(&answer));
            // 404 is for what is not there; all of this is.
            if route.path.contains("{id}") && answer.status == 404 {
                assert!(!is_plain_404(&answer), "{line}");
            }
        }
    }
}

/// The answer for what is not there, as against one about something in it that is not there.
fn is_plain_404(answer: &Answer) -> bool {
    let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
    body["detail"] == "There is nothing here under this address."
}
