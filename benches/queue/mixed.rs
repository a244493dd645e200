//! How good the told waiting times are: a real server, users who send small and large files of several
//! kinds, and for each job what it was told when it was queued beside what it then took.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{self, Served};
use crate::forms::companies;
use crate::lists::{Texts, as_workbook};
use crate::say;

const USERS: usize = 12;

/// What people send, in rows, and how often of a hundred times: enough that a line forms.
const KINDS: &[(&str, usize, usize)] = &[
    ("small.csv", 24, 30),
    ("list.csv", 10_000, 25),
    ("large.csv", 200_000, 10),
    ("book.xlsx", 5_000, 20),
    ("large.xlsx", 75_000, 15),
];

struct Told {
    kind: &'static str,
    /// Whole seconds, as everything that is told.
    told: f64,
    took: f64,
}

impl Told {
    /// Above 1: it took less than was told.
    fn ratio(&self) -> f64 {
        self.told / self.took.ceil().max(1.0)
    }

    /// Whether it says anything: less than a second is told as one second, which can't be wrong.
    fn is_long(&self) -> bool {
        self.told.max(self.took) > 1.0
    }
}

pub(crate) fn print(quick: bool) {
    for workers in ["1", "3"] {
        let mut told = work(workers, quick);
        let jobs = told.len();
        told.retain(Told::is_long);
        if told.is_empty() {
            say("told waiting time", "no job took longer than a second");
            continue;
        }
        let mut ratios: Vec<f64> = told.iter().map(Told::ratio).collect();
        let within = |ratios: &[f64]| {
            let good = ratios.iter().filter(|r| (0.5..=2.0).contains(*r)).count();
            100.0 * good as f64 / ratios.len().max(1) as f64
        };
        let all = within(&ratios);
        let first: Vec<String> = told
            .iter()
            .take(6)
            .map(|one| format!("{:.0}/{:.1}", one.told, one.took))
            .collect();
        ratios.sort_by(f64::total_cmp);
        let at = |part: usize| ratios[(ratios.len() * part / 100).min(ratios.len() - 1)];
        say(
            &format!("told waiting time, {USERS} users, {workers} workers"),
            &format!(
                "{} of {jobs} jobs took longer than a second: {all:.0} % within a factor of 2; told/took 5 % {:.2}, \
                 median {:.2}, 95 % {:.2}",
                told.len(),
                at(5),
                at(50),
                at(95)
            ),
        );
        for (kind, ..) in KINDS {
            let of_kind: Vec<f64> = told
                .iter()
                .filter(|one| one.kind == *kind)
                .map(Told::ratio)
                .collect();
            say(
                &format!("  {kind}"),
                &format!("{} jobs, {:.0} %", of_kind.len(), within(&of_kind)),
            );
        }
        say("  the first ones, told/took in seconds", &first.join("  "));
    }
}

fn work(workers: &str, quick: bool) -> Vec<Told> {
    let (seconds, part) = if quick { (6, 100) } else { (90, 1) };
    let folder = tempfile::tempdir().unwrap();
    client::serve(folder.path(), &[]).kill();
    for n in 0..USERS {
        client::add_user(folder.path(), &format!("user{n}"), &[]);
    }
    let served = client::serve(folder.path(), &["--workers", workers]);
    let told = Mutex::new(Vec::new());
    let until = Instant::now() + Duration::from_secs(seconds);
    std::thread::scope(|scope| {
        for n in 0..USERS {
            let (served, told) = (&served, &told);
            scope.spawn(move || {
                let session = served.sign_in(&format!("user{n}"));
                let mut dice = Dice(0x9e37_79b9 + n as u64);
                let mut turn = 0;
                while Instant::now() < until {
                    std::thread::sleep(Duration::from_millis(dice.below(3_000)));
                    turn += 1;
                    let one = send(served, &session, &mut dice, &format!("u{n}t{turn}"), part);
                    told.lock().unwrap().push(one);
                }
            });
        }
    });
    let mut told: Vec<(Instant, Told)> = told.into_inner().unwrap();
    told.sort_by_key(|(began, _)| *began);
    told.into_iter().map(|(_, told)| told).collect()
}

/// Sends a file, of so many times fewer rows, and waits for its end; when it was queued, and what was told of it.
fn send(
    served: &Served,
    session: &str,
    dice: &mut Dice,
    seed: &str,
    part: usize,
) -> (Instant, Told) {
    let mut roll = usize::try_from(dice.below(100)).unwrap();
    let (kind, rows, _) = KINDS
        .iter()
        .find(|(_, _, often)| {
            let hit = roll < *often;
            roll = roll.saturating_sub(*often);
            hit
        })
        .unwrap();
    let mut bytes = companies(seed, rows.div_ceil(part));
    if kind.ends_with(".xlsx") {
        bytes = as_workbook(&bytes, Texts::Inline);
    }
    let queued = served
        .upload(session, "upload-and-process", kind, &bytes, None)
        .unwrap()
        .expect(202);
    let began = Instant::now();
    let status = served
        .get(session, "/api/files/processing-status")
        .unwrap()
        .expect(200);
    // Done before it was asked for: that is less than a second, and none was told.
    let told = status["queue_info"]["estimated_wait_seconds"]
        .as_f64()
        .unwrap_or(1.0);
    let job = queued["job_id"].as_i64().unwrap();
    let ended = loop {
        let job = served.get(session, &format!("/api/jobs/{job}")).unwrap();
        let job = job.expect(200)["job"].clone();
        if job["finished"] != Value::Null {
            break job;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(ended["status"], "completed", "{ended}");
    let took = began.elapsed().as_secs_f64();
    (began, Told { kind, told, took })
}

/// xorshift, from a fixed seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
