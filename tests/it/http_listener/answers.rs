//! How answers go out, and that a broken one never looks whole.

use super::*;

#[test]
fn a_connection_is_kept_and_its_requests_are_answered_in_order() {
    let door = Door::open();
    let mut client = door.connect();
    for n in 0..3 {
        let answer = client.get(&format!("/target?{n}"));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, format!("/target?{n} a").as_bytes());
        assert!(answer.header("Date").unwrap().ends_with(" GMT"));
        assert_eq!(answer.header("Connection"), None);
    }
    // Pipelined, with a body in the middle, split in an unkind place.
    let three = format!(
        "{}POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello{}",
        get("/target?a"),
        get("/target?b")
    );
    client.send(&three[..60]);
    client.send(&three[60..]);
    assert_eq!(client.answer().body, b"/target?a a");
    assert_eq!(client.answer().body, b"hello");
    assert_eq!(client.answer().body, b"/target?b a");
}

#[test]
fn a_thousand_pipelined_requests_are_answered() {
    let door = Door::open();
    let mut client = door.connect();
    let mut reader = Client {
        stream: client.stream.try_clone().unwrap(),
        here: Vec::new(),
    };
    let sender = std::thread::spawn(move || client.send(get("/hello").repeat(1_000)));
    for _ in 0..1_000 {
        assert_eq!(reader.answer().body, b"hello");
    }
    sender.join().unwrap();
    assert_eq!(door.asked().len(), 1_000);
}

#[test]
fn connection_close_and_http_1_0_end_the_connection_after_the_answer() {
    let door = Door::open();
    let mut client = door.connect();
    client.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: TE, Close\r\n\r\n");
    assert_eq!(client.answer().header("Connection"), Some("close"));
    client.ends();
    let mut client = door.connect();
    client.send("GET /hello HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().body, b"hello");
    client.ends();
    let mut client = door.connect();
    client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(client.answer().header("Connection"), Some("keep-alive"));
    client.send("GET /hello HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().body, b"hello");
    client.ends();
}

#[test]
fn a_head_request_gets_the_length_but_no_body() {
    let door = Door::open();
    let mut client = door.connect();
    client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.head().header("Content-Length"), Some("5"));
    assert_eq!(client.get("/hello").body, b"hello");
}

#[test]
fn statuses_without_a_body_have_none() {
    let door = Door::open();
    let mut client = door.connect();
    for (target, status) in [("/nothing", 204), ("/same", 304)] {
        let answer = client.get(target);
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("Content-Length"), None);
        assert_eq!(answer.header("Transfer-Encoding"), None);
    }
    assert_eq!(client.get("/hello").body, b"hello");
}

#[test]
fn a_streamed_answer_goes_out_piece_by_piece() {
    let door = Door::open();
    let mut client = door.connect();
    client.send(get("/pieces"));
    assert_eq!(client.head().header("Transfer-Encoding"), Some("chunked"));
    for piece in [&b"one"[..], b"two"] {
        // The next one is made only when this one has arrived.
        door.pieces.send(Some(piece.to_vec())).unwrap();
        assert_eq!(client.chunk().unwrap(), piece);
    }
    door.pieces.send(None).unwrap();
    assert_eq!(client.chunk(), None);
    assert_eq!(client.get("/hello").body, b"hello");
}

#[test]
fn a_streamed_answer_to_http_1_0_ends_with_the_connection() {
    let door = Door::open();
    door.pieces.send(Some(b"one".to_vec())).unwrap();
    door.pieces.send(None).unwrap();
    let text = door.all("GET /pieces HTTP/1.0\r\n\r\n");
    assert!(text.ends_with("\r\n\r\none"), "{text}");
    assert!(!text.contains("chunked") && text.contains("Connection: close"));
}

#[test]
fn an_answer_that_breaks_off_is_never_taken_for_whole() {
    let door = Door::open();
    for target in ["/broken", "/panics-late"] {
        let text = door.all(get(target));
        assert!(text.starts_with("HTTP/1.1 200"), "{target}: {text}");
        assert!(!text.contains("\r\n0\r\n"), "{target}: {text}");
    }
    // Where the end of the connection is the end of the answer, it ends in an error.
    let mut client = door.connect();
    client.send("GET /broken HTTP/1.0\r\n\r\n");
    let error = client.stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    // What breaks before anything went out is an error like any other.
    let mut client = door.connect();
    let answer = client.get("/short");
    assert_eq!((answer.status, answer.code().as_str()), (500, "internal"));
    client.ends();
    assert_eq!(door.connect().get("/hello").body, b"hello");
}

#[test]
fn a_panic_is_one_500_with_a_reference_and_nothing_else() {
    let door = Door::open();
    let mut client = door.connect();
    let answer = client.get("/panic");
    assert_eq!((answer.status, answer.code().as_str()), (500, "internal"));
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert!(text.contains("reference") && !text.contains("secret"));
    assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
    client.ends();
    assert_eq!(door.connect().get("/hello").body, b"hello");
}

#[test]
fn headers_of_answers_stay_on_their_lines() {
    let door = Door::open();
    let answer = door.connect().get("/headers");
    assert_eq!(answer.header("X-Injected"), Some("a??Set-Cookie: evil=1"));
    assert_eq!(answer.header("X-Name"), Some("M?ller"));
    assert_eq!(answer.header("Set-Cookie"), None);
}

#[test]
fn a_reader_that_stops_taking_its_answer_is_let_go() {
    let door = Door::with(|bounds| {
        bounds.door.answer_time_grace = Duration::from_millis(200);
        bounds.door.answer_bytes_per_second = 1 << 30;
    });
    let mut client = door.connect();
    client.send(get("/big"));
    assert_eq!(client.head().status, 200);
    door.wait_for_open(0);
    let mut rest = Vec::new();
    let _ = client.stream.read_to_end(&mut rest);
    assert!(rest.len() < 64 << 20);
}
