//! What a crowd costs that waits for news with `?wait=`: nothing while nothing happens, and how soon all
//! of them know when something does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use crate::client::{self, Served};
use crate::forms::companies;
use crate::say;

const USERS: usize = 20;

pub(crate) fn print(quick: bool) {
    let (clients, idle) = if quick { (40, 2) } else { (500, 10) };
    let folder = tempfile::tempdir().unwrap();
    client::serve(folder.path(), &[]).kill();
    for n in 0..USERS {
        client::add_user(folder.path(), &format!("user{n}"), &[]);
    }
    let served = client::serve(folder.path(), &[]);
    let sessions: Vec<String> = (0..USERS)
        .map(|n| served.sign_in(&format!("user{n}")))
        .collect();
    let all_wait = Barrier::new(clients + 1);
    let mut news: Vec<Instant> = Vec::new();
    let mut sent = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|n| {
                let (served, session, all_wait) = (&served, &sessions[n % USERS], &all_wait);
                scope.spawn(move || {
                    let mut client = Client::new(served, session);
                    let tag = client.ask("", None);
                    client.send("?wait=25", tag.as_deref());
                    all_wait.wait();
                    client.receive();
                    Instant::now()
                })
            })
            .collect();
        all_wait.wait();
        std::thread::sleep(Duration::from_millis(500));
        let before = (processor(&served), reads(&served));
        std::thread::sleep(Duration::from_secs(idle));
        let (cpu, reads) = (processor(&served) - before.0, reads(&served) - before.1);
        say(
            &format!("{clients} clients wait for news, {idle} s without any"),
            &format!("{:.0} ms of processor, {reads} reads of a file", cpu * 1e3),
        );
        // A job of somebody changes the queue for everybody.
        let before = processor(&served);
        served
            .upload(
                &sessions[0],
                "upload-and-process",
                "a.csv",
                &companies("a", 3),
                None,
            )
            .unwrap()
            .expect(202);
        sent = Instant::now();
        news = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        let cpu = processor(&served) - before;
        news.sort();
        let after = |at: usize| news[at].saturating_duration_since(sent).as_secs_f64() * 1e3;
        say(
            "  then a job: when they know",
            &format!(
                "median {:.0} ms, last {:.0} ms after its 202; {:.0} ms of processor in all",
                after(clients / 2),
                after(clients - 1),
                cpu * 1e3
            ),
        );
    });
}

/// A kept connection.
struct Client {
    stream: BufReader<TcpStream>,
    address: String,
    session: String,
}

impl Client {
    fn new(served: &Served, session: &str) -> Client {
        let stream = TcpStream::connect(&served.address).unwrap();
        Client {
            stream: BufReader::new(stream),
            address: served.address.clone(),
            session: session.to_owned(),
        }
    }

    fn send(&mut self, query: &str, tag: Option<&str>) {
        let tag = tag.map_or_else(String::new, |tag| format!("If-None-Match: {tag}\r\n"));
        let head = format!(
            "GET /api/files/processing-status{query} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{tag}\r\n",
            self.address, self.session
        );
        self.stream.get_mut().write_all(head.as_bytes()).unwrap();
    }

    /// The answer's tag.
    fn receive(&mut self) -> Option<String> {
        let (mut tag, mut length, mut line) = (None, 0, String::new());
        loop {
            line.clear();
            let read = self.stream.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the server hung up");
            if line.trim_end().is_empty() {
                break;
            }
            let (name, value) = line.trim_end().split_once(':').unwrap_or(("", ""));
            match name.to_ascii_lowercase().as_str() {
                "etag" => tag = Some(value.trim().to_owned()),
                "content-length" => length = value.trim().parse().unwrap(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        tag
    }

    fn ask(&mut self, query: &str, tag: Option<&str>) -> Option<String> {
        self.send(query, tag);
        self.receive()
    }
}

/// Processor seconds of the server so far.
fn processor(served: &Served) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", served.pid())).unwrap();
    let after = text.rsplit(')').next().unwrap();
    let ticks: u64 = after
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|n| n.parse::<u64>().unwrap())
        .sum();
    ticks as f64 / 100.0
}

/// Reading system calls so far.
fn reads(served: &Served) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/io", served.pid())).unwrap();
    text.lines()
        .find_map(|line| line.strip_prefix("syscr:")?.trim().parse().ok())
        .unwrap()
}
