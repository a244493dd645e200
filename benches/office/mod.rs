//! An office for the benches: the real executable on a free port of this computer with a database in a
//! temporary folder, people who are signed in, and what it costs the machine.

#[allow(dead_code, reason = "shared with the other benches")]
pub(crate) mod peak;
#[allow(dead_code, reason = "shared with the other benches")]
pub(crate) mod starts;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::{self, PATIENCE, Served};

pub(crate) struct Office {
    pub(crate) served: Served,
    pub(crate) sessions: Vec<String>,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn office(users: usize) -> Office {
    office_with(users, &[])
}

/// An office whose server was started with `flags`.
pub(crate) fn office_with(users: usize, flags: &[&str]) -> Office {
    let folder = tempfile::tempdir().unwrap();
    client::serve(folder.path(), &[]).kill();
    for n in 0..users {
        client::add_user(folder.path(), &format!("user{n}"), &[]);
    }
    let served = client::serve(folder.path(), flags);
    let sessions = (0..users)
        .map(|n| served.sign_in(&format!("user{n}")))
        .collect();
    Office {
        served,
        sessions,
        folder,
    }
}

/// Megabytes of a line of /proc/PID/status.
pub(crate) fn memory(served: &Served, line: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", served.pid())).unwrap();
    let kb: f64 = text
        .lines()
        .find_map(|l| {
            l.strip_prefix(line)?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap();
    kb / 1024.0
}

/// Processor seconds of the server and of the children that it has waited for.
pub(crate) fn processor(served: &Served) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", served.pid())).unwrap();
    let after = text.rsplit(')').next().unwrap();
    let ticks: u64 = after
        .split_whitespace()
        .skip(11)
        .take(4)
        .map(|n| n.parse::<u64>().unwrap())
        .sum();
    ticks as f64 / 100.0
}

/// A kept connection that asks for the status again and again; bare servers may be asked as well.
struct Asker {
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
    sent: Instant,
}

impl Asker {
    fn new(address: &str, session: &str) -> Asker {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Asker {
            stream: BufReader::new(stream),
            request: format!(
                "GET /api/files/processing-status HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {session}\r\n\r\n"
            )
            .into_bytes(),
            sent: Instant::now(),
        }
    }

    fn send(&mut self) {
        self.sent = Instant::now();
        self.stream.get_mut().write_all(&self.request).unwrap();
    }

    /// How long the answer took.
    fn receive(&mut self) -> Duration {
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.stream.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the server hung up");
            if line == "\r\n" {
                break;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(text) = lower.strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        self.sent.elapsed()
    }
}

/// Asks from so many threads over so many connections each, with that pause after each answer, until
/// `until`, and once at least; all times, sorted. A thread asks over all its connections, then takes all answers.
pub(crate) fn ask_all(
    address: &str,
    sessions: &[String],
    threads: usize,
    connections: usize,
    pause: Duration,
    until: &(impl Fn() -> bool + Sync + ?Sized),
) -> Vec<Duration> {
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let mut askers: Vec<Asker> = (0..connections)
                        .map(|n| {
                            let at = (thread * connections + n) % sessions.len();
                            Asker::new(address, &sessions[at])
                        })
                        .collect();
                    let mut times = Vec::new();
                    loop {
                        askers.iter_mut().for_each(Asker::send);
                        times.extend(askers.iter_mut().map(Asker::receive));
                        if until() {
                            return times;
                        }
                        std::thread::sleep(pause);
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    times.sort();
    times
}

/// All times in which 16 clients (8 connections of each of two threads) get the status in so long.
pub(crate) fn ask_from_16(address: &str, sessions: &[String], long: Duration) -> Vec<Duration> {
    let began = Instant::now();
    let until = || began.elapsed() >= long;
    ask_all(address, sessions, 2, 8, Duration::ZERO, &until)
}

/// The middle one.
pub(crate) fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The middle one, with the least and the most.
pub(crate) fn spread(figures: Vec<f64>) -> String {
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let most = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.1} ({least:.1}-{most:.1})", middle(figures))
}

/// Waits for the end of the person's job as the page does: each question is answered when something has
/// changed. The status as it is then.
pub(crate) fn watch_to_the_end(served: &Served, session: &str) -> serde_json::Value {
    let mut seen = String::new();
    loop {
        let mut stream = TcpStream::connect(&served.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "GET /api/files/processing-status?wait=25 HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {session}\r\n\
             {seen}Connection: close\r\n\r\n",
            served.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        if head.starts_with("HTTP/1.1 304") {
            continue;
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        let etag = head.lines().find_map(|line| line.strip_prefix("ETag: "));
        seen = format!("If-None-Match: {}\r\n", etag.unwrap());
        let answer: serde_json::Value = serde_json::from_str(body).unwrap();
        let status = &answer["processing_status"];
        if !matches!(status["status"].as_str(), Some("pending" | "processing")) {
            return status.clone();
        }
    }
}
