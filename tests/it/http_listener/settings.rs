//! Each limit of the door is a setting of the program, and holds on both sides there.

use serde_json::{Value, json};

use super::*;
use crate::forms::PASSWORD;

fn connect(served: &client::Served) -> Client {
    let stream = TcpStream::connect(&served.address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    Client {
        stream,
        here: Vec::new(),
    }
}

/// The status of the answer to these bytes.
fn answered(served: &client::Served, request: impl AsRef<[u8]>) -> u16 {
    let mut client = connect(served);
    // What is over a limit may be answered before all of it is sent.
    let _ = client.stream.write_all(request.as_ref());
    client.answer().status
}

/// A form with a small file and these parts before it.
fn form(session: &str, parts: &[String]) -> Vec<u8> {
    let mut body: String = parts
        .iter()
        .map(|part| format!("--b\r\n{part}\r\n"))
        .collect();
    body.push_str("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\na\n1\n\r\n--b--\r\n");
    let head = format!(
        "POST /api/files/upload-json HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {session}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

fn field(name: &str, value: &str) -> String {
    format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}")
}

#[test]
fn every_size_at_the_door_is_a_setting_that_holds_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    client::add_user(folder.path(), "anna", &[]);
    let settings = [
        ("max-head-kb", 8, "head_bytes_max", 8 << 10),
        ("max-headers", 20, "headers_max", 20),
        ("max-target-kb", 2, "target_bytes_max", 2 << 10),
        ("max-json-kb", 2, "json_bytes_max", 2 << 10),
        ("max-form-fields", 10, "form_fields_max", 10),
        ("max-form-name-bytes", 20, "form_name_bytes_max", 20),
        ("max-form-field-kb", 1, "form_value_bytes_max", 1 << 10),
        ("max-form-head-kb", 1, "form_overhead_bytes_max", 1 << 10),
        ("max-connections", 60, "connections_max", 60),
        (
            "max-connections-per-address",
            7,
            "connections_per_address_max",
            7,
        ),
        ("body-rate-kb", 3, "body_bytes_per_second", 3 << 10),
        ("answer-rate-kb", 2, "answer_bytes_per_second", 2 << 10),
    ];
    let flags: Vec<String> = settings
        .iter()
        .flat_map(|(flag, value, ..)| [format!("--{flag}"), value.to_string()])
        .collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let served = client::serve(folder.path(), &flags);
    let document = served.ask("GET", "/api/openapi.json", &[], b"").unwrap();
    let document: Value = serde_json::from_slice(&document.body).unwrap();
    for (flag, _, name, told) in settings {
        assert_eq!(document["x-limits"][name], json!(told), "{flag}");
    }

    let head = |size: usize| {
        let rest = "GET /api/health HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
        let value = "x".repeat(size - rest);
        format!("GET /api/health HTTP/1.1\r\nHost: a\r\nX: {value}\r\n\r\n")
    };
    assert_eq!(answered(&served, head(8 << 10)), 200);
    assert_eq!(answered(&served, head((8 << 10) + 1)), 431);
    let lines = |count: usize| {
        let more = "X: a\r\n".repeat(count - 1);
        format!("GET /api/health HTTP/1.1\r\nHost: a\r\n{more}\r\n")
    };
    assert_eq!(answered(&served, lines(20)), 200);
    assert_eq!(answered(&served, lines(21)), 431);
    let target = |size: usize| {
        let value = "x".repeat(size - "/api/health?".len());
        get(&format!("/api/health?{value}"))
    };
    assert_eq!(answered(&served, target(2 << 10)), 200);
    assert_eq!(answered(&served, target((2 << 10) + 1)), 431);
    let login = |size: usize| {
        let body = json!({ "username": "anna", "password": PASSWORD }).to_string();
        format!(
            "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
             Content-Length: {size}\r\n\r\n{body:<size$}"
        )
    };
    assert_eq!(answered(&served, login(2 << 10)), 200);
    assert_eq!(answered(&served, login((2 << 10) + 1)), 413);

    let session = served.sign_in("anna");
    let sent = |parts: &[String]| answered(&served, form(&session, parts));
    let many = |count: usize| vec![field("note", "x"); count];
    assert_eq!((sent(&many(10)), sent(&many(11))), (201, 400));
    let named = |size: usize| sent(&[field(&"n".repeat(size), "x")]);
    assert_eq!((named(20), named(21)), (201, 400));
    let valued = |size: usize| sent(&[field("note", &"x".repeat(size))]);
    assert_eq!((valued(1 << 10), valued((1 << 10) + 1)), (201, 413));
    // Told to a piece of what is read at a time.
    let headed = |size: usize| {
        sent(&[format!(
            "X-Note: {}\r\n{}",
            "x".repeat(size),
            field("note", "x")
        )])
    };
    assert_eq!((headed(500), headed(256 << 10)), (201, 400));
    served.terminate();
}

#[test]
fn every_time_at_the_door_is_a_setting_that_holds_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let second = Duration::from_secs(1);
    let flags = [
        "--head-timeout",
        "1",
        "--idle-timeout",
        "6",
        "--body-timeout",
        "1",
        "--body-rate-kb",
        "1",
    ];
    let served = client::serve(folder.path(), &flags);
    let began = Instant::now();
    let mut slow = connect(&served);
    slow.send("GET / HT");
    assert_eq!(slow.answer().status, 408);
    assert!(began.elapsed() >= second);
    // Longer than a head may take, shorter than silence may last.
    let mut kept = connect(&served);
    assert_eq!(kept.get("/api/health").status, 200);
    std::thread::sleep(second * 3 / 2);
    assert_eq!(kept.get("/api/health").status, 200);
    let began = Instant::now();
    kept.ends();
    assert!(began.elapsed() >= second);
    // 20 bytes give no time beyond the first second; 4 KiB give four more.
    let login = "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                 Content-Length: 5000\r\n\r\n";
    let mut slow = connect(&served);
    slow.send(login);
    slow.send([b' '; 20]);
    assert_eq!(slow.answer().status, 408);
    let mut steady = connect(&served);
    steady.send(login);
    steady.send([b' '; 4_900]);
    std::thread::sleep(second * 2);
    steady.send([b' '; 100]);
    assert_eq!(steady.answer().code(), "invalid-json");
    served.terminate();
}

/// This computer's address in a network, if it is in one.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn an_address_has_a_quarter_of_all_connections_or_what_is_set() {
    let Some(own) = own_address() else {
        println!("this computer is in no network: nobody can come from an address that counts");
        return;
    };
    for (flags, share) in [
        (&["--max-connections", "20"][..], 5),
        (
            &[
                "--max-connections",
                "20",
                "--max-connections-per-address",
                "8",
            ],
            8,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let served = client::serve_at("0.0.0.0:0", folder.path(), flags);
        let port = served.address.rsplit(':').next().unwrap().to_owned();
        let connect = || {
            let stream = TcpStream::connect((own, port.parse().unwrap())).unwrap();
            stream.set_read_timeout(Some(LONG)).unwrap();
            Client {
                stream,
                here: Vec::new(),
            }
        };
        let mut crowd: Vec<Client> = Vec::new();
        for _ in 0..=share {
            let mut client = connect();
            assert_eq!(client.get("/api/health").status, 200);
            crowd.push(client);
        }
        // The last one took the place of the first, and of nobody else.
        crowd[0].ends();
        for client in &mut crowd[1..] {
            assert_eq!(client.get("/api/health").status, 200);
        }
        served.terminate();
    }
}
