//! Whoever is locked out while the body of a request comes in has nothing done by it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sheetline::server::Server;

use crate::forms::{self, companies};
use crate::office::{Office, Person};

/// A server in this process.
fn serve(office: &Office) -> (Server, String) {
    let server = Server::start(Arc::clone(&office.app)).unwrap();
    let address = server.address().to_string();
    (server, address.trim_start_matches("http://").to_owned())
}

/// A request whose body comes in two halves, with `meanwhile` between them: status and body.
fn in_two_halves(
    address: &str,
    line: &str,
    secret: &str,
    content_type: &str,
    body: &[u8],
    meanwhile: impl FnOnce(),
) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n\
         Expect: 100-continue\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // Asked for once it is known who sends it.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let (first, second) = body.split_at(length / 2);
    stream.write_all(first).unwrap();
    meanwhile();
    stream.write_all(second).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// The id of a user.
fn id(office: &Office, name: &str) -> i64 {
    office.number(&format!("SELECT id FROM users WHERE username = '{name}'"))
}

/// Sends a file by `route`, with `meanwhile` between its halves.
fn upload(address: &str, route: &str, secret: &str, meanwhile: impl FnOnce()) -> (u16, Value) {
    let (content_type, body) = forms::multipart("a.csv", &companies("a", 3), &[]);
    let line = format!("POST /api/files/{route}");
    in_two_halves(address, &line, secret, &content_type, &body, meanwhile)
}

fn delete(root: &Person<'_>, path: &str) {
    root.send("DELETE", path, &Value::Null).expect(200);
}

fn office() -> Office {
    Office::with(|settings| settings.listen = "127.0.0.1:0".to_owned())
}

#[test]
fn who_is_locked_out_while_a_file_comes_in_has_none_stored() {
    let office = office();
    let root = office.admin("root");
    let (server, address) = serve(&office);
    for route in ["upload-json", "upload-and-process", "preview"] {
        let name = |way: &str| format!("{way}-{route}");
        let told = |way: &str, lock_out: &dyn Fn(i64, &Person<'_>)| {
            let person = office.member(&name(way));
            let id = id(&office, &name(way));
            let (status, body) = upload(&address, route, &person.session, || lock_out(id, &person));
            (status, body["code"].as_str().unwrap_or_default().to_owned())
        };
        let revoked = (401, "session-revoked".to_owned());
        let told_deleted = told("deleted", &|id, _| {
            delete(&root, &format!("/api/users/{id}"))
        });
        assert_eq!(told_deleted, revoked, "{route}");
        let told_ended = told("ended", &|id, _| {
            delete(&root, &format!("/api/users/{id}/sessions"));
        });
        assert_eq!(told_ended, revoked, "{route}");
        let told_out = told("out", &|_, person| {
            person.post("/api/auth/logout").expect(200);
        });
        assert_eq!(told_out, revoked, "{route}");
        let told_disabled = told("disabled", &|id, _| {
            root.send(
                "PATCH",
                &format!("/api/users/{id}"),
                &json!({ "disabled": true }),
            )
            .expect(200);
        });
        assert_eq!(
            told_disabled,
            (403, "account-disabled".to_owned()),
            "{route}"
        );
    }
    assert_eq!(office.number("SELECT count(*) FROM uploads"), 0);
    assert_eq!(office.number("SELECT count(*) FROM jobs"), 0);
    assert!(server.stop());
}

#[test]
fn a_token_that_is_revoked_while_a_file_comes_in_has_none_stored() {
    let office = office();
    let anna = office.member("anna");
    let (server, address) = serve(&office);
    let made = anna
        .send("POST", "/api/auth/tokens", &json!({ "name": "nightly" }))
        .expect(201);
    let (status, body) = upload(
        &address,
        "upload-json",
        made["token"].as_str().unwrap(),
        || delete(&anna, &format!("/api/auth/tokens/{}", made["id"])),
    );
    assert_eq!((status, &body["code"]), (401, &json!("session-revoked")));
    assert_eq!(office.number("SELECT count(*) FROM uploads"), 0);
    assert!(server.stop());
}

#[test]
fn an_administrator_who_is_none_any_more_when_the_template_is_in_changes_none() {
    let office = office();
    let root = office.admin("root");
    let other = office.admin("other");
    let (server, address) = serve(&office);
    let schema = json!({ "fields": [{ "name": "sku" }] }).to_string();
    let (status, body) = in_two_halves(
        &address,
        "PUT /api/templates/items",
        &other.session,
        "application/json",
        schema.as_bytes(),
        || {
            let id = id(&office, "other");
            let wanted = json!({ "role": "member" });
            root.send("PATCH", &format!("/api/users/{id}"), &wanted)
                .expect(200);
        },
    );
    assert_eq!((status, &body["code"]), (403, &json!("forbidden")));
    assert_eq!(office.number("SELECT count(*) FROM templates"), 0);
    assert!(server.stop());
}

#[test]
fn a_session_that_only_expires_while_a_file_comes_in_has_it_stored() {
    let office = office();
    let anna = office.member("anna");
    let (server, address) = serve(&office);
    let (status, body) = upload(&address, "upload-json", &anna.session, || {
        office.pass(86_401);
    });
    assert_eq!(status, 201, "{body}");
    assert_eq!(anna.get("/api/files").status, 401);
    assert!(server.stop());
}

#[test]
fn a_body_without_a_length_is_asked_for_one() {
    let office = office();
    let anna = office.member("anna");
    let (server, address) = serve(&office);
    for (line, content_type) in [
        (
            "POST /api/files/upload-json",
            "multipart/form-data; boundary=b",
        ),
        ("POST /api/auth/login", "application/json"),
    ] {
        let mut stream = TcpStream::connect(&address).unwrap();
        let secret = &anna.session;
        let head = format!(
            "{line} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n\
             Content-Type: {content_type}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 411"), "{answer}");
        assert!(answer.contains("length-required"), "{answer}");
    }
    assert!(server.stop());
}
