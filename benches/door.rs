//! The front door under siege: `cargo bench --bench door`. Against the real executable on a free port
//! of this computer, with a database in a temporary folder, for 30 seconds and all at once:
//!
//! - 500 connections that send their head a byte a second,
//! - 200 signed-in uploads that send their body a byte a second,
//! - 2,000 connections that asked once and are silent since,
//! - clients that forge a length of 100 GB, send 1 MiB heads, 10,000 headers and addresses of 5 MB.
//!
//! Whoever is let go comes back at once. Meanwhile an office works: the status is asked for on a kept
//! connection every 10 ms, somebody signs in, somebody uploads. Prints each figure beside its bound
//! and ends with 1 where one is broken. Needs about 6,000 open files.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and gives up where something fails"
)]

#[path = "../tests/it/client.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod client;
#[path = "../tests/it/forms.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod forms;
#[path = "office/program.rs"]
mod program;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use client::Served;

const SIEGE: Duration = Duration::from_secs(30);
const SLOW_HEADS: usize = 500;
const SLOW_BODIES: usize = 200;
const SILENT: usize = 2_000;

fn main() -> ExitCode {
    // `cargo test --benches` and `--all-targets` start it, too, without this: then there is nothing to do.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    // A short run only sees to it that the bench still works.
    let quick = std::env::args().any(|argument| argument == "--quick");
    let siege = if quick { Duration::from_secs(2) } else { SIEGE };
    let files = rlimit::increase_nofile_limit(10_000).unwrap();
    assert!(files >= 6_000, "only {files} files may be open");
    let folder = tempfile::tempdir().unwrap();
    client::serve(folder.path(), &[]).kill();
    for name in ["besieger", "alice", "bob"] {
        client::add_user(folder.path(), name, &[]);
    }
    let served = client::serve(folder.path(), &[]);
    let mut fine = Figures(true);
    let calm = work(&served, Duration::from_secs(5), &AtomicUsize::new(0));
    let before = State::of(&served);
    println!(
        "before: {} threads, {} MiB, status p99 {:?}",
        before.threads, before.mib, calm.status_p99
    );

    let over = AtomicBool::new(false);
    let inside = AtomicUsize::new(0);
    let back = AtomicUsize::new(0);
    let (busy, peak) = std::thread::scope(|scope| {
        for attack in [slow_heads, slow_bodies, silent, floods] {
            let (served, over, inside, back) = (&served, &over, &inside, &back);
            scope.spawn(move || attack(served, over, inside, back));
        }
        client::wait_until(|| {
            (inside.load(Ordering::SeqCst) >= SLOW_HEADS + SLOW_BODIES + SILENT).then_some(())
        });
        println!(
            "the siege has begun: {} connections",
            inside.load(Ordering::SeqCst)
        );
        let busy = work(&served, siege, &inside);
        let peak = State::of(&served);
        over.store(true, Ordering::SeqCst);
        (busy, peak)
    });
    println!(
        "besiegers let go and back again: {}",
        back.load(Ordering::SeqCst)
    );
    fine.at_most("status, p99 in ms", ms(busy.status_p99), 250);
    fine.at_most("status, slowest in ms", ms(busy.status_max), 2_000);
    fine.at_most("sign-in, slowest in ms", ms(busy.sign_in_max), 5_000);
    fine.at_most("upload, slowest in ms", ms(busy.upload_max), 10_000);
    fine.at_most("requests of the office that failed", busy.failed, 0);
    fine.at_least("requests of the office", busy.asked, 500);
    fine.at_least("besiegers inside at the least", busy.inside_min, 2_600);
    fine.at_most("threads under siege", peak.threads, 4_096);
    fine.at_most("memory under siege in MiB", peak.mib, 256);

    let began = Instant::now();
    let after = client::wait_until(|| {
        let now = State::of(&served);
        (now.threads <= before.threads + 2).then_some(now)
    });
    fine.at_most(
        "until the threads are gone, in ms",
        ms(began.elapsed()),
        5_000,
    );
    fine.at_most(
        "memory afterwards over before in MiB",
        after.mib.saturating_sub(before.mib),
        96,
    );
    // Readers of the database stay open: at most 32, with two files each.
    fine.at_most(
        "files left open",
        after.files.saturating_sub(before.files),
        72,
    );
    let (status, took) = served.terminate();
    fine.at_least("a clean end", usize::from(status.success()), 1);
    fine.at_most("until the end, in ms", ms(took), 5_000);
    if fine.0 || quick {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Whether all figures kept their bounds so far.
struct Figures(bool);

impl Figures {
    fn at_most(&mut self, what: &str, figure: usize, bound: usize) {
        self.print(what, figure, "at most", bound, figure <= bound);
    }

    fn at_least(&mut self, what: &str, figure: usize, bound: usize) {
        self.print(what, figure, "at least", bound, figure >= bound);
    }

    fn print(&mut self, what: &str, figure: usize, side: &str, bound: usize, holds: bool) {
        self.0 &= holds;
        let mark = if holds { "" } else { "   BROKEN" };
        println!("{what:<44} {figure:>8}   {side} {bound}{mark}");
    }
}

fn ms(time: Duration) -> usize {
    usize::try_from(time.as_millis()).unwrap()
}

/// What the server process uses.
struct State {
    threads: usize,
    mib: usize,
    files: usize,
}

impl State {
    fn of(served: &Served) -> State {
        let text = std::fs::read_to_string(format!("/proc/{}/status", served.pid())).unwrap();
        let number = |name: &str| -> usize {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        State {
            threads: number("Threads:"),
            mib: number("VmRSS:") / 1_024,
            files: std::fs::read_dir(format!("/proc/{}/fd", served.pid()))
                .unwrap()
                .count(),
        }
    }
}

/// What the office felt.
struct Felt {
    status_p99: Duration,
    status_max: Duration,
    sign_in_max: Duration,
    upload_max: Duration,
    asked: usize,
    failed: usize,
    inside_min: usize,
}

/// An office at work for a while.
fn work(served: &Served, time: Duration, inside: &AtomicUsize) -> Felt {
    let session = served.sign_in("alice");
    let end = Instant::now() + time;
    let failed = AtomicUsize::new(0);
    let ask = |what: &str, done: &mut dyn FnMut() -> std::io::Result<u16>, wanted: u16| {
        let began = Instant::now();
        match done() {
            Ok(status) if status == wanted => {}
            other => {
                println!("{what}: {other:?}");
                failed.fetch_add(1, Ordering::SeqCst);
            }
        }
        began.elapsed()
    };
    let mut inside_min = usize::MAX;
    let (mut statuses, sign_ins, uploads) = std::thread::scope(|scope| {
        let sign_ins = scope.spawn(|| {
            let mut times = Vec::new();
            let body = format!(
                "{{\"username\":\"bob\",\"password\":\"{}\"}}",
                forms::PASSWORD
            );
            while Instant::now() < end {
                let mut done = || {
                    let headers = [("Content-Type", "application/json")];
                    Ok(served
                        .ask("POST", "/api/auth/login", &headers, body.as_bytes())?
                        .status)
                };
                times.push(ask("sign-in", &mut done, 200));
                std::thread::sleep(Duration::from_secs(1));
            }
            times
        });
        let uploads = scope.spawn(|| {
            let mut times = Vec::new();
            let file = forms::companies("siege", 1_000);
            while Instant::now() < end {
                let mut done = || {
                    Ok(served
                        .upload(&session, "upload-json", "a.csv", &file, None)?
                        .status)
                };
                times.push(ask("upload", &mut done, 201));
                std::thread::sleep(Duration::from_secs(2));
            }
            times
        });
        let mut kept = Kept::new(served, &session);
        let mut times = Vec::new();
        while Instant::now() < end {
            times.push(ask("status", &mut || kept.ask(), 200));
            inside_min = inside_min.min(inside.load(Ordering::SeqCst));
            std::thread::sleep(Duration::from_millis(10));
        }
        (times, sign_ins.join().unwrap(), uploads.join().unwrap())
    });
    statuses.sort();
    Felt {
        status_p99: statuses[statuses.len() * 99 / 100],
        status_max: *statuses.last().unwrap(),
        sign_in_max: sign_ins.iter().copied().max().unwrap(),
        upload_max: uploads.iter().copied().max().unwrap(),
        asked: statuses.len() + sign_ins.len() + uploads.len(),
        failed: failed.into_inner(),
        inside_min,
    }
}

/// A kept connection that asks for the status.
struct Kept {
    stream: TcpStream,
    request: String,
}

impl Kept {
    fn new(served: &Served, session: &str) -> Kept {
        let stream = TcpStream::connect(&served.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Kept {
            stream,
            request: format!(
                "GET /api/files/processing-status HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {session}\r\n\r\n"
            ),
        }
    }

    fn ask(&mut self) -> std::io::Result<u16> {
        self.stream.write_all(self.request.as_bytes())?;
        let mut bytes = Vec::new();
        let mut buffer = [0; 4_096];
        loop {
            let size = self.stream.read(&mut buffer)?;
            if size == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            bytes.extend_from_slice(&buffer[..size]);
            let text = String::from_utf8_lossy(&bytes);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "))
                .unwrap()
                .parse()
                .unwrap();
            if body.len() >= length {
                return Ok(head.split(' ').nth(1).unwrap().parse().unwrap());
            }
        }
    }
}

/// Keeps `count` connections that began with `start` and go on a byte a second, where there is one.
fn besiege(
    served: &Served,
    over: &AtomicBool,
    inside: &AtomicUsize,
    back: &AtomicUsize,
    count: usize,
    start: &str,
    byte: Option<u8>,
) {
    let connect = || {
        let mut stream = TcpStream::connect(&served.address).unwrap();
        // Where it is turned away it comes back in the next round.
        let _ = stream.write_all(start.as_bytes());
        stream.set_nonblocking(true).unwrap();
        stream
    };
    let mut all: Vec<TcpStream> = (0..count)
        .map(|_| {
            let stream = connect();
            inside.fetch_add(1, Ordering::SeqCst);
            stream
        })
        .collect();
    let mut buffer = [0; 4_096];
    while !over.load(Ordering::SeqCst) {
        for stream in &mut all {
            let ended = loop {
                match stream.read(&mut buffer) {
                    Ok(0) => break true,
                    Ok(_) => {}
                    Err(error) => break error.kind() != ErrorKind::WouldBlock,
                }
            };
            if ended || byte.is_some_and(|byte| stream.write_all(&[byte]).is_err()) {
                inside.fetch_sub(1, Ordering::SeqCst);
                back.fetch_add(1, Ordering::SeqCst);
                *stream = connect();
                inside.fetch_add(1, Ordering::SeqCst);
            }
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn slow_heads(served: &Served, over: &AtomicBool, inside: &AtomicUsize, back: &AtomicUsize) {
    let start = "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ";
    besiege(served, over, inside, back, SLOW_HEADS, start, Some(b'x'));
}

fn slow_bodies(served: &Served, over: &AtomicBool, inside: &AtomicUsize, back: &AtomicUsize) {
    let session = served.sign_in("besieger");
    let start = format!(
        "POST /api/files/upload-json HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {session}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 10000000\r\n\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n"
    );
    besiege(served, over, inside, back, SLOW_BODIES, &start, Some(b'x'));
}

fn silent(served: &Served, over: &AtomicBool, inside: &AtomicUsize, back: &AtomicUsize) {
    let start = "GET /api/health HTTP/1.1\r\nHost: a\r\n\r\n";
    besiege(served, over, inside, back, SILENT, start, None);
}

/// One after the other, without a rest.
fn floods(served: &Served, over: &AtomicBool, _: &AtomicUsize, _: &AtomicUsize) {
    let head = "GET / HTTP/1.1\r\nHost: a\r\n";
    let forms = [
        "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000000\r\n\r\n"
            .to_owned(),
        format!("{head}X: {}\r\n\r\n", "x".repeat(1 << 20)),
        format!("{head}{}\r\n", "X: a\r\n".repeat(10_000)),
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(5_000_000)),
    ];
    let mut answer = Vec::new();
    while !over.load(Ordering::SeqCst) {
        for form in &forms {
            let mut stream = TcpStream::connect(&served.address).unwrap();
            // It is refused before it has been sent.
            let _ = stream.write_all(form.as_bytes());
            answer.clear();
            let _ = (&stream).take(4_096).read_to_end(&mut answer);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
