//! The front door: what it takes, what it refuses, and that nobody can close it for others. A client
//! of its own, because the point is to send what no client library would.

mod answers;
mod bodies;
mod crowds;
mod heads;
mod settings;
mod stop;
mod waiting;

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
