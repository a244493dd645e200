//! The front door: what it takes, what it refuses, and that nobody can close it for others. A client
//! of its own, because the point is to send what no client library would.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rouille::{Response, ResponseBody};
use sheetline::error::Error;
use sheetline::http::listener::{self, Address, Bounds, Handler, Incoming};
use sheetline::http::{downloads, problem};

use crate::client;

/// Longer than anything here takes, on any machine.
const LONG: Duration = Duration::from_secs(20);

/// Answers by path, and remembers what it was asked.
struct Rooms {
    asked: Arc<Mutex<Vec<String>>>,
    pieces: Mutex<Option<Receiver<Option<Vec<u8>>>>>,
    gate: Mutex<Option<Receiver<()>>>,
}

impl Handler for Rooms {
    fn handle(&self, incoming: &mut Incoming<'_>) -> Response {
        let request = &incoming.request;
        let (method, url) = (request.method().to_owned(), request.raw_url().to_owned());
        self.asked.lock().unwrap().push(format!("{method} {url}"));
        match url.split('?').next().unwrap_or("") {
            "/echo" => match incoming.body.read_small(1 << 20) {
                Ok(bytes) => Response::from_data("application/octet-stream", bytes),
                Err(error) => problem::reply(error),
            },
            "/count" => match io::copy(&mut incoming.body, &mut io::sink()) {
                Ok(size) => Response::text(size.to_string()),
                Err(error) => problem::reply(Error::from(error)),
            },
            "/small" => match incoming.body.read_small(10) {
                Ok(bytes) => Response::text(bytes.len().to_string()),
                Err(error) => problem::reply(error),
            },
            "/target" => Response::text(format!(
                "{url} {}",
                request.header("Host").unwrap_or("none")
            )),
            "/headers" => Response::text("x")
                .with_additional_header("X-Injected", "a\r\nSet-Cookie: evil=1")
                .with_additional_header("X-Name", "M\u{fc}ller"),
            "/nothing" => Response::empty_204(),
            "/same" => Response::text("body").with_status_code(304),
            "/panic" => panic!("the secret is 42"),
            "/broken" => stream(broken()),
            "/short" => Response {
                data: ResponseBody::from_reader_and_size(&b"1234"[..], 10),
                ..Response::text("")
            },
            "/panics-late" => stream(downloads::stream(|_| panic!("late"))),
            "/big" => Response::from_data("text/plain", vec![b'x'; 64 << 20]),
            "/pieces" => {
                let pieces = self.pieces.lock().unwrap().take().unwrap();
                stream(downloads::stream(move |buffer| {
                    match pieces.recv_timeout(LONG).unwrap() {
                        Some(piece) => buffer.extend_from_slice(&piece),
                        None => return Ok(false),
                    }
                    Ok(true)
                }))
            }
            "/gate" => {
                let gate = self.gate.lock().unwrap().take().unwrap();
                gate.recv_timeout(LONG).unwrap();
                Response::text("through")
            }
            _ => Response::text("hello"),
        }
    }
}

fn stream(data: ResponseBody) -> Response {
    Response {
        data,
        ..Response::text("")
    }
}

fn broken() -> ResponseBody {
    let mut first = true;
    downloads::stream(move |buffer| {
        if std::mem::take(&mut first) {
            buffer.extend_from_slice(b"beginning");
            return Ok(true);
        }
        Err(Error::Internal("the disk is gone".to_owned()))
    })
}

/// A listener on a free port.
struct Door {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    pieces: Sender<Option<Vec<u8>>>,
    gate: Sender<()>,
    shutdown: listener::Shutdown,
    metrics: Arc<sheetline::metrics::Metrics>,
    thread: Option<JoinHandle<()>>,
}

impl Door {
    fn open() -> Door {
        Door::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Bounds)) -> Door {
        let mut bounds = Bounds {
            connections_max: 100,
            connections_per_address_max: 25,
            ..Bounds::default()
        };
        change(&mut bounds);
        let metrics = Arc::clone(&bounds.metrics);
        let listener = listener::bind("127.0.0.1:0", bounds).unwrap();
        let (piece_sender, piece_receiver) = mpsc::channel();
        let (gate_sender, gate_receiver) = mpsc::channel();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let rooms = Arc::new(Rooms {
            asked: Arc::clone(&asked),
            pieces: Mutex::new(Some(piece_receiver)),
            gate: Mutex::new(Some(gate_receiver)),
        });
        Door {
            address: match listener.address() {
                Address::Tcp(address) => *address,
                Address::Unix(path) => panic!("{}", path.display()),
            },
            asked,
            pieces: piece_sender,
            gate: gate_sender,
            shutdown: listener.handle(),
            metrics,
            thread: Some(std::thread::spawn(move || listener.run(rooms))),
        }
    }

    fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        Client {
            stream,
            here: Vec::new(),
        }
    }

    /// What comes back for these bytes, until the connection ends.
    fn all(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut client = self.connect();
        // Either fails where the connection was ended before everything was sent.
        let _ = client.stream.write_all(bytes.as_ref());
        let _ = client.stream.shutdown(Shutdown::Write);
        client.rest()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    #[track_caller]
    fn wait_for_open(&self, count: u64) {
        until("connections", || self.metrics.connections_open() == count);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shutdown.begin();
        self.shutdown.wait(Duration::from_secs(5));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }
}

#[track_caller]
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < end, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

struct Client {
    stream: TcpStream,
    here: Vec<u8>,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    fn code(&self) -> String {
        assert_eq!(
            self.header("Content-Type"),
            Some("application/problem+json")
        );
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(body["status"], self.status);
        body["code"].as_str().unwrap().to_owned()
    }
}

impl Client {
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Bytes up to and with `end`.
    fn up_to(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self.here.windows(end.len()).position(|w| w == end) {
                return self.here.drain(..at + end.len()).collect();
            }
            self.more();
        }
    }

    fn more(&mut self) {
        let mut buffer = [0; 4096];
        let size = self.stream.read(&mut buffer).unwrap();
        assert!(
            size > 0,
            "the connection ended after {:?}",
            String::from_utf8_lossy(&self.here)
        );
        self.here.extend_from_slice(&buffer[..size]);
    }

    fn exactly(&mut self, size: usize) -> Vec<u8> {
        while self.here.len() < size {
            self.more();
        }
        self.here.drain(..size).collect()
    }

    fn head(&mut self) -> Answer {
        let head = String::from_utf8(self.up_to(b"\r\n\r\n")).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head,
            body: Vec::new(),
        }
    }

    /// One answer, of known or unknown length.
    fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        if let Some(size) = answer.header("Content-Length") {
            let size = size.parse().unwrap();
            answer.body = self.exactly(size);
        } else if answer.header("Transfer-Encoding").is_some() {
            while let Some(piece) = self.chunk() {
                answer.body.extend_from_slice(&piece);
            }
        }
        answer
    }

    fn chunk(&mut self) -> Option<Vec<u8>> {
        let line = String::from_utf8(self.up_to(b"\r\n")).unwrap();
        let size = usize::from_str_radix(line.trim_end(), 16).unwrap();
        let piece = self.exactly(size);
        assert_eq!(self.exactly(2), b"\r\n");
        (size > 0).then_some(piece)
    }

    fn get(&mut self, target: &str) -> Answer {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        self.answer()
    }

    /// Everything until the connection ends, orderly or not.
    fn rest(&mut self) -> String {
        let mut rest = std::mem::take(&mut self.here);
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(size) => rest.extend_from_slice(&buffer[..size]),
                Err(error) => {
                    assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "it stayed open");
                    break;
                }
            }
        }
        String::from_utf8_lossy(&rest).into_owned()
    }

    #[track_caller]
    fn ends(&mut self) {
        assert_eq!(self.rest(), "");
    }
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn statuses(text: &str) -> Vec<&str> {
    text.split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| &answer[..3])
        .collect()
}

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
fn an_absolute_target_names_the_host_itself() {
    let door = Door::open();
    let mut client = door.connect();
    client.send("GET http://Other:81/target?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().body, b"/target?x=1 Other:81");
    client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    assert_eq!(door.asked()[1], "OPTIONS *");
}

/// Heads that two programs could read differently, or that nobody sends in good faith. Each is one
/// refusal, and what follows it is never a request.
const AMBIGUOUS: &[(&str, &str)] = &[
    (
        "Content-Length and Transfer-Encoding",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    ),
    (
        "Transfer-Encoding and Content-Length",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ),
    ("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"),
    (
        "the same length twice",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
    ),
    ("a list of lengths", "Content-Length: 5, 5\r\n"),
    ("a signed length", "Content-Length: +5\r\n"),
    ("a negative length", "Content-Length: -5\r\n"),
    ("a length in hex", "Content-Length: 0x5\r\n"),
    ("a length with a fraction", "Content-Length: 5.0\r\n"),
    ("a length with a blank inside", "Content-Length: 5 5\r\n"),
    ("an empty length", "Content-Length:\r\n"),
    ("a length in words", "Content-Length: five\r\n"),
    (
        "a length over 64 bits",
        "Content-Length: 18446744073709551616\r\n",
    ),
    ("a length in quotes", "Content-Length: \"5\"\r\n"),
    ("another coding", "Transfer-Encoding: gzip\r\n"),
    ("two codings", "Transfer-Encoding: gzip, chunked\r\n"),
    (
        "chunked twice",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ),
    (
        "chunked in a list",
        "Transfer-Encoding: chunked, chunked\r\n",
    ),
    (
        "chunked and identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    ),
    ("a misspelt coding", "Transfer-Encoding: xchunked\r\n"),
    (
        "chunked with a parameter",
        "Transfer-Encoding: chunked;q=1\r\n",
    ),
    ("an empty coding", "Transfer-Encoding:\r\n"),
    (
        "a vertical tab after chunked",
        "Transfer-Encoding: chunked\x0b\r\n",
    ),
    ("a blank before the colon", "Content-Length : 5\r\n"),
    ("a tab before the colon", "Transfer-Encoding\t: chunked\r\n"),
    ("a folded line", "X: a\r\n Content-Length: 5\r\n"),
    ("a folded coding", "Transfer-Encoding:\r\n chunked\r\n"),
    ("a blank before the first name", " Content-Length: 5\r\n"),
    ("a lone CR", "X: a\rContent-Length: 5\r\n"),
    ("a lone LF", "X: a\nContent-Length: 5\r\n"),
    ("NUL in a value", "X: a\0b\r\n"),
    ("NUL in a name", "X\0: a\r\n"),
    ("no colon", "Content-Length 5\r\n"),
    ("no name", ": 5\r\n"),
    ("a second host", "Host: b\r\n"),
];

#[test]
fn no_ambiguous_head_lets_a_second_request_in() {
    let door = Door::open();
    for (what, lines) in AMBIGUOUS {
        let request = format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\n{lines}\r\n0\r\n\r\n{}",
            get("/smuggled")
        );
        let text = door.all(&request);
        assert_eq!(statuses(&text), ["400"], "{what}: {text}");
        assert!(text.contains("\r\nConnection: close\r\n"), "{what}");
        assert!(text.contains("application/problem+json"), "{what}");
        assert!(
            text.contains("\r\nX-Content-Type-Options: nosniff"),
            "{what}"
        );
    }
    assert_eq!(door.asked(), Vec::<String>::new());
}

#[test]
fn a_first_line_that_is_not_right_is_refused() {
    let door = Door::open();
    for first in [
        "GET / HTTP/1.2",
        "GET / HTTP/2.0",
        "GET / HTTP/0.9",
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET\t/ HTTP/1.1",
        "get",
        "GET /a b HTTP/1.1",
        "GET /a\u{1}b HTTP/1.1",
        "GET /ü HTTP/1.1",
        "GET /%zz HTTP/1.1",
        "GET /%2 HTTP/1.1",
        "GET /%FF HTTP/1.1",
        "GET /?a=% HTTP/1.1",
        "GET /#a HTTP/1.1",
        "GET a HTTP/1.1",
        "GET * HTTP/1.1",
        "GET ftp://a/ HTTP/1.1",
        "GET http:///a HTTP/1.1",
        "GET http://u@h/ HTTP/1.1",
        "CONNECT a:443 HTTP/1.1",
        "G@T / HTTP/1.1",
        "PRI * HTTP/2.0",
        "GET / http/1.1",
        "\u{16}\u{3}\u{1}",
        "{\"a\":1}",
    ] {
        let text = door.all(format!("{first}\r\nHost: a\r\n\r\n"));
        assert_eq!(statuses(&text), ["400"], "{}: {text}", first.escape_debug());
    }
    assert_eq!(statuses(&door.all("GET / HTTP/1.1\r\n\r\n")), ["400"]);
    assert_eq!(statuses(&door.all("GET / HTTP/1.1\nHost: a\n\n")), ["400"]);
    for host in ["", "a b", "a,b", "a/b", "u@a", "ü"] {
        let text = door.all(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(statuses(&text), ["400"], "{host}");
    }
    assert_eq!(door.asked(), Vec::<String>::new());
    // Empty lines before a request, and a host in any usual form, are no fault.
    for fine in [
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhOsT:\ta \r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ] {
        assert_eq!(statuses(&door.all(fine)), ["200"], "{fine}");
    }
}

#[test]
fn a_head_of_the_largest_size_passes_and_one_byte_more_does_not() {
    let door = Door::with(|bounds| bounds.door.head_bytes_max = 2_000);
    let head = |size: usize| {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        format!("{start}{}\r\n\r\n", "x".repeat(size - start.len() - 4))
    };
    let mut client = door.connect();
    client.send(head(2_000));
    assert_eq!(client.answer().status, 200);
    client.send(head(2_001));
    let answer = client.answer();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (431, "head-too-large")
    );
    client.ends();
    // Without an end, and with empty lines before it.
    assert_eq!(
        statuses(&door.all("GET / HTTP/1.1\r\nX: ".to_owned() + &"x".repeat(3_000))),
        ["431"]
    );
    assert_eq!(
        statuses(&door.all("\r\n".repeat(500) + &head(1_000))),
        ["200"]
    );
    assert_eq!(
        statuses(&door.all("\r\n".repeat(501) + &head(1_000))),
        ["431"]
    );
}

#[test]
fn headers_and_targets_have_limits_on_both_sides() {
    let door = Door::open();
    let lines = |count: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: a\r\n".repeat(count - 1)
        )
    };
    assert_eq!(statuses(&door.all(lines(100))), ["200"]);
    assert_eq!(statuses(&door.all(lines(101))), ["431"]);
    let target = |size: usize| get(&format!("/{}", "a".repeat(size - 1)));
    assert_eq!(statuses(&door.all(target(16 << 10))), ["200"]);
    assert_eq!(statuses(&door.all(target((16 << 10) + 1))), ["431"]);
}

#[test]
fn huge_heads_cost_nothing_but_their_sender() {
    let door = Door::open();
    let mut healthy = door.connect();
    for head in [
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
            "x".repeat(1 << 20)
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: a\r\n".repeat(10_000)
        ),
        get(&format!("/{}", "a".repeat(5_000_000))),
    ] {
        let mut client = door.connect();
        // The answer may come before everything is sent.
        let _ = client.stream.write_all(head.as_bytes());
        assert_eq!(statuses(&client.rest()), ["431"]);
        assert_eq!(healthy.get("/hello").status, 200);
    }
}

#[test]
fn a_slow_head_is_overdue_as_a_whole() {
    let door = Door::with(|bounds| bounds.door.head_time_max = Duration::from_millis(300));
    let mut client = door.connect();
    let began = Instant::now();
    client.send("GET / HTTP/1.1\r\n");
    // Each byte is in time, the whole is not.
    let mut writer = client.stream.try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        while writer.write_all(b"X: a\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let answer = client.answer();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (408, "request-timeout")
    );
    assert!(began.elapsed() >= Duration::from_millis(300));
    client.stream.shutdown(Shutdown::Both).unwrap();
    dripping.join().unwrap();
    // Whoever says nothing is told nothing.
    door.connect().ends();
}

#[test]
fn a_kept_connection_may_be_silent_for_a_while_and_then_ends() {
    let door = Door::with(|bounds| {
        bounds.door.head_time_max = Duration::from_millis(200);
        bounds.door.idle_time_max = Duration::from_millis(900);
    });
    let mut client = door.connect();
    assert_eq!(client.get("/hello").status, 200);
    // Longer than a head may take, shorter than silence may last.
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(client.get("/hello").status, 200);
    let began = Instant::now();
    client.ends();
    assert!(began.elapsed() >= Duration::from_millis(800));
    // From its first byte on, a second head has the time of a head.
    let mut client = door.connect();
    assert_eq!(client.get("/hello").status, 200);
    client.send("GET");
    let began = Instant::now();
    assert_eq!(client.answer().status, 408);
    assert!(began.elapsed() < Duration::from_millis(800));
}

#[test]
fn a_body_comes_in_by_length_or_in_chunks() {
    let door = Door::open();
    let mut client = door.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(client.answer().body, b"abc");
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nab");
    client.send("c\r\n00A\r\n0123456789\r\n0\r\nT: x\r\n\r\n");
    assert_eq!(client.answer().body, b"abc0123456789");
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.answer().body, b"");
    assert_eq!(client.get("/hello").body, b"hello");
}

#[test]
fn a_body_that_is_cut_off_or_framed_wrongly_is_refused() {
    let door = Door::open();
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (body, what) in [
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc".to_owned(),
            "short",
        ),
        (format!("{chunked}3\r\nabc\r\n"), "without the last chunk"),
        (
            format!("{chunked}3\r\nabc\r\n0\r\n"),
            "without the last line",
        ),
        (
            format!("{chunked}3\r\nabcd\r\n0\r\n\r\n{}", get("/smuggled")),
            "longer than it says",
        ),
        (
            format!("{chunked}3\nabc\r\n0\r\n\r\n{}", get("/smuggled")),
            "a lone LF",
        ),
        (format!("{chunked}fffffffffffffffff\r\nabc"), "a huge size"),
        (
            format!("{chunked}1;{}\r\na\r\n0\r\n\r\n", "x".repeat(100_000)),
            "a flood of extension",
        ),
        (
            format!("{chunked}0\r\n{}\r\n", "a: b\r\n".repeat(10_000)),
            "a flood of trailers",
        ),
    ] {
        let text = door.all(body);
        assert_eq!(statuses(&text), ["400"], "{what}: {text}");
        assert!(text.contains("Connection: close"), "{what}");
    }
    assert!(!door.asked().iter().any(|asked| asked.contains("smuggled")));
}

#[test]
fn a_slow_body_is_overdue_as_a_whole_and_a_steady_one_is_not() {
    let door = Door::with(|bounds| {
        bounds.door.body_time_grace = Duration::from_millis(300);
        bounds.door.body_bytes_per_second = 1_000;
    });
    let mut client = door.connect();
    client.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    let began = Instant::now();
    let mut writer = client.stream.try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        while writer.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let answer = client.answer();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (408, "request-timeout")
    );
    assert!(began.elapsed() >= Duration::from_millis(300));
    client.stream.shutdown(Shutdown::Both).unwrap();
    dripping.join().unwrap();
    // Longer than the grace, but with enough bytes for it.
    let mut client = door.connect();
    client.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3001\r\n\r\n");
    client.send([b'x'; 3_000]);
    std::thread::sleep(Duration::from_millis(600));
    client.send("x");
    assert_eq!(client.answer().body, b"3001");
}

#[test]
fn a_body_that_nobody_reads_ends_the_connection_after_the_answer() {
    let door = Door::with(|bounds| bounds.door.drain_time_max = Duration::from_secs(5));
    let mut client = door.connect();
    client.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.body, b"hello");
    assert_eq!(answer.header("Connection"), Some("close"));
    // What was on its way is thrown away, never read as a request.
    client.send(get("/smuggled"));
    client.stream.shutdown(Shutdown::Write).unwrap();
    client.ends();
    assert_eq!(door.asked(), ["POST /hello"]);
    // A small one that is here already is no reason to part.
    let mut client = door.connect();
    client.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(client.answer().header("Connection"), None);
    client.send(
        "POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    );
    assert_eq!(client.answer().header("Connection"), None);
    assert_eq!(client.get("/hello").status, 200);
}

#[test]
fn a_forged_length_costs_no_memory_and_no_wait() {
    let door = Door::open();
    let mut client = door.connect();
    client.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000000\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.code().as_str()), (413, "too-large"));
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["limit"], 10);
}

#[test]
fn a_small_body_has_a_limit_on_both_sides() {
    let door = Door::open();
    let chunked = |size: usize| {
        format!(
            "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n{}\r\n0\r\n\r\n",
            "x".repeat(size)
        )
    };
    let sized = |size: usize| {
        format!(
            "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n{}",
            "x".repeat(size)
        )
    };
    for request in [&chunked as &dyn Fn(usize) -> String, &sized] {
        assert_eq!(statuses(&door.all(request(10))), ["200"]);
        assert_eq!(statuses(&door.all(request(11))), ["413"]);
    }
}

#[test]
fn continue_is_said_only_where_the_body_is_wanted() {
    let door = Door::open();
    let mut client = door.connect();
    let head = |path: &str, size: u64| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: {size}\r\n\r\n"
        )
    };
    client.send(head("/echo", 3));
    assert_eq!(client.head().head, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    assert_eq!(client.answer().body, b"abc");
    client.send(head("/small", 1_000));
    let answer = client.answer();
    assert_eq!(answer.status, 413);
    assert_eq!(answer.header("Connection"), Some("close"));
    client.stream.shutdown(Shutdown::Write).unwrap();
    client.ends();
}

#[test]
fn whoever_waits_longest_without_a_head_gives_way() {
    let door = Door::with(|bounds| bounds.connections_max = 3);
    let mut oldest = door.connect();
    oldest.send("GET / HT");
    door.wait_for_open(1);
    // Waits since its last answer: the longest but one.
    let mut kept = door.connect();
    assert_eq!(kept.get("/hello").status, 200);
    let mut third = door.connect();
    assert_eq!(third.get("/hello").status, 200);
    let mut fourth = door.connect();
    assert_eq!(fourth.get("/hello").status, 200);
    oldest.ends();
    assert_eq!(third.get("/hello").status, 200);
    assert_eq!(kept.get("/hello").status, 200);
}

#[test]
fn where_everybody_is_served_the_next_one_gets_503_at_once() {
    let door = Door::with(|bounds| bounds.connections_max = 1);
    let mut served = door.connect();
    served.send(get("/gate"));
    until("the request", || !door.asked().is_empty());
    let mut second = door.connect();
    second.send(get("/hello"));
    let answer = second.answer();
    assert_eq!((answer.status, answer.code().as_str()), (503, "busy"));
    assert_eq!(answer.header("Retry-After"), Some("2"));
    second.ends();
    door.gate.send(()).unwrap();
    assert_eq!(served.answer().body, b"through");
    assert_eq!(door.metrics.connections_refused(), 1);
    drop(served);
    door.wait_for_open(0);
    assert_eq!(door.connect().get("/hello").status, 200);
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

#[test]
fn a_stop_ends_silent_connections_and_lets_the_others_finish() {
    let door = Door::open();
    let mut silent = door.connect();
    assert_eq!(silent.get("/hello").status, 200);
    let mut half = door.connect();
    half.send("GET / HTTP");
    let mut served = door.connect();
    served.send(get("/gate"));
    until("the request", || door.asked().len() == 2);
    door.wait_for_open(3);
    door.shutdown.begin();
    silent.ends();
    half.rest();
    door.wait_for_open(1);
    door.gate.send(()).unwrap();
    assert_eq!(served.answer().body, b"through");
}

#[test]
fn a_request_in_flight_is_answered_during_a_stop() {
    let door = Door::open();
    let mut served = door.connect();
    served.send(get("/gate"));
    until("the request", || !door.asked().is_empty());
    door.shutdown.begin();
    door.gate.send(()).unwrap();
    let answer = served.answer();
    assert_eq!(answer.body, b"through");
    assert_eq!(answer.header("Connection"), Some("close"));
    served.ends();
    assert!(door.shutdown.wait(LONG));
    until("the door to be shut", || {
        TcpStream::connect(door.address).is_err()
    });
}

#[test]
fn a_stop_waits_no_longer_than_it_may() {
    let door = Door::open();
    let mut served = door.connect();
    served.send(get("/gate"));
    until("the request", || !door.asked().is_empty());
    door.shutdown.begin();
    let began = Instant::now();
    assert!(!door.shutdown.wait(Duration::from_millis(100)));
    assert!(began.elapsed() >= Duration::from_millis(100));
    // The connection was cut off.
    served.ends();
    door.gate.send(()).unwrap();
}

#[test]
fn connections_that_end_badly_leave_nothing_behind() {
    let door = Door::open();
    for n in 0..30 {
        let mut client = door.connect();
        match n % 3 {
            0 => client.send("GET / HT"),
            1 => client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"),
            _ => client.send(get("/big")),
        }
        // Closing on unread bytes sends a reset where there are any.
    }
    door.wait_for_open(0);
    assert_eq!(door.connect().get("/hello").body, b"hello");
}

#[test]
fn a_crowd_at_a_small_door_leaves_it_as_it_was() {
    let door = Door::with(|bounds| bounds.connections_max = 4);
    let (answered, refused) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = (0, 0);
                    for _ in 0..40 {
                        match statuses(&door.all(get("/hello")))[..] {
                            ["200"] => seen.0 += 1,
                            // Turned away, or ended before its head was whole.
                            ["503"] | [] => seen.1 += 1,
                            ref other => panic!("{other:?}"),
                        }
                    }
                    seen
                })
            })
            .collect();
        clients.into_iter().fold((0, 0), |sum, client| {
            let seen = client.join().unwrap();
            (sum.0 + seen.0, sum.1 + seen.1)
        })
    });
    assert_eq!(answered + refused, 16 * 40);
    assert!(answered > 0);
    door.wait_for_open(0);
    for _ in 0..10 {
        assert_eq!(door.connect().get("/hello").body, b"hello");
    }
}

#[test]
fn neither_a_slow_upload_nor_a_waiting_client_holds_up_the_end_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    client::serve(folder.path(), &[]).kill();
    client::add_user(folder.path(), "anna", &[]);
    let served = client::serve(folder.path(), &[]);
    let session = served.sign_in("anna");
    let connect = || {
        let stream = TcpStream::connect(&served.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        Client {
            stream,
            here: Vec::new(),
        }
    };
    let line = format!("Host: a\r\nAuthorization: Bearer {session}\r\n");
    let mut slow = connect();
    slow.send(format!(
        "POST /api/files/upload-json HTTP/1.1\r\n{line}Expect: 100-continue\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n"
    ));
    // Now it is being received.
    assert_eq!(slow.head().status, 100);
    let mut waiting = connect();
    let status = "GET /api/files/processing-status";
    waiting.send(format!("{status} HTTP/1.1\r\n{line}\r\n"));
    let etag = waiting.answer().header("ETag").unwrap().to_owned();
    waiting.send(format!(
        "{status}?wait=25 HTTP/1.1\r\n{line}If-None-Match: {etag}\r\n\r\n{}",
        get("/api/health")
    ));
    // The answer is held back, so nothing comes yet.
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    let (ended, took) = served.terminate();
    assert!(ended.success() && took < Duration::from_secs(5), "{took:?}");
    assert_eq!(waiting.head().status, 304);
    assert!(began.elapsed() < Duration::from_secs(5));
    // What had come in is gone, at the next start at the latest.
    client::serve(folder.path(), &[]).kill();
    let spool = folder.path().join("office.db-spool");
    assert_eq!(std::fs::read_dir(spool).unwrap().count(), 0);
}

#[test]
fn a_low_limit_of_open_files_is_kept_below_and_nobody_is_locked_out() {
    let folder = tempfile::tempdir().unwrap();
    // Room for (320 - 256) / 2 = 32 connections.
    let server = "ulimit -n 320; exec \"$0\" serve --listen 127.0.0.1:0";
    let mut child = std::process::Command::new("sh")
        .args(["-c", server, env!("CARGO_BIN_EXE_sheetline")])
        .env("SHEETLINE_DB", folder.path().join("office.db"))
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let printed = io::BufReader::new(child.stdout.take().unwrap());
    let address = io::BufRead::lines(printed)
        .map(Result::unwrap)
        .find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned))
        .unwrap();
    let connect = || {
        let stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        Client {
            stream,
            here: Vec::new(),
        }
    };
    // Silent ones, three times as many as there is room for.
    let crowd: Vec<Client> = (0..100).map(|_| connect()).collect();
    for _ in 0..10 {
        assert_eq!(connect().get("/api/health").status, 200);
    }
    drop(crowd);
    assert_eq!(connect().get("/api/health").status, 200);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_proxy_connects_by_a_unix_socket() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::{UnixListener, UnixStream};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let address = format!("unix:{}", path.display());
    // What a process that died has left behind.
    drop(UnixListener::bind(&path).unwrap());
    let bounds = Bounds {
        connections_max: 10,
        connections_per_address_max: 1,
        ..Bounds::default()
    };
    let listener = listener::bind(&address, bounds.clone()).unwrap();
    assert_eq!(listener.address().to_string(), address);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let shutdown = listener.handle();
    struct Peer;
    impl Handler for Peer {
        fn handle(&self, incoming: &mut Incoming<'_>) -> Response {
            Response::text(incoming.peer.ip().to_string())
        }
    }
    let thread = std::thread::spawn(move || listener.run(Arc::new(Peer)));
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = UnixStream::connect(&path).unwrap();
        client.write_all(get("/").as_bytes()).unwrap();
        let mut answer = [0; 4_096];
        let size = client.read(&mut answer).unwrap();
        assert!(answer[..size].ends_with(b"\r\n\r\n127.0.0.1"));
        clients.push(client);
    }
    // Somebody listens there: nobody else may.
    assert!(listener::bind(&address, bounds).is_err());
    shutdown.begin();
    assert!(shutdown.wait(LONG));
    thread.join().unwrap();
    assert!(!path.exists());
}

#[test]
fn ipv6_is_spoken_too() {
    // Some computers have none.
    let Ok(listener) = listener::bind("[::1]:0", Bounds::default()) else {
        return;
    };
    let Address::Tcp(address) = listener.address().clone() else {
        panic!("no TCP");
    };
    let shutdown = listener.handle();
    struct Peer;
    impl Handler for Peer {
        fn handle(&self, incoming: &mut Incoming<'_>) -> Response {
            Response::text(incoming.peer.ip().to_string())
        }
    }
    let thread = std::thread::spawn(move || listener.run(Arc::new(Peer)));
    let mut client = Client {
        stream: TcpStream::connect(address).unwrap(),
        here: Vec::new(),
    };
    assert_eq!(client.get("/").body, b"::1");
    shutdown.begin();
    thread.join().unwrap();
}
