//! What the program takes: `cargo bench --bench size` prints the bytes of the executable, how much memory server and
//! children have, how large the database is, and how soon the server is ready again, each with its bound
//! in brackets. `-- --million` processes workbooks of 1,000,000 rows as well; `-- --quick` is a short run on small
//! lists. Linux only.
//!
//! The bench's own build is neither optimised at the link nor stripped. The build that is given away is measured with
//! `SHEETLINE_BIN=target/release/sheetline cargo bench --bench size`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench prints its figures and gives up where something fails"
)]

#[path = "../tests/it/client.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod client;
#[path = "../tests/it/forms.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod forms;
#[allow(dead_code, reason = "shared with the other benches")]
mod lists;
#[allow(dead_code, reason = "shared with the other benches")]
mod office;
#[path = "office/program.rs"]
mod program;

use std::path::Path;
use std::time::Duration;

use forms::companies;
use lists::{Texts, as_workbook};
use office::peak::{Most, Watch};
use office::starts::{DATABASE, LOG, after_a_kill, start};
use office::{Office, memory, office_with, spread, watch_to_the_end};

/// A million rows are 120 MB.
const FLAGS: [&str; 2] = ["--max-upload-mb", "500"];

/// How often a list is processed, each time in an office of its own, for what it takes at most.
const ROUNDS: usize = 3;

/// How often the server is started on a large database.
const STARTS: usize = 10;

/// How long after a start its memory is looked at.
const MOMENT: Duration = Duration::from_millis(300);

/// How a list is written.
#[derive(Clone, Copy)]
enum Form {
    Csv,
    Xlsx(Texts),
}

const FORMS: [Form; 3] = [
    Form::Csv,
    Form::Xlsx(Texts::Inline),
    Form::Xlsx(Texts::Shared),
];

fn main() {
    let is = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    // `cargo test --benches` and `--all-targets` start it, too, without this: then there is nothing to do.
    if !is("--bench") {
        return;
    }
    // So many rows, or a hundredth of them in a short run.
    let scaled = |rows: usize| if is("--quick") { rows / 100 } else { rows };
    executable();
    let rounds = if is("--quick") { 1 } else { ROUNDS };
    for form in FORMS {
        peak(form, scaled(200_000), rounds, 60);
    }
    large_office(scaled(1_000_000));
    if is("--million") {
        for form in [Form::Xlsx(Texts::Inline), Form::Xlsx(Texts::Shared)] {
            peak(form, scaled(1_000_000), 1, 150);
        }
    }
}

fn say(work: &str, figure: &str) {
    println!("{work:<66} {figure}");
}

fn executable() {
    let path = program::executable();
    let bytes = std::fs::metadata(&path).unwrap().len();
    say(
        "executable",
        &format!(
            "{:.2} MiB (at most 12): {}",
            bytes as f64 / f64::from(1 << 20),
            path.display()
        ),
    );
}

/// What server and children have in memory at most while such a list is uploaded and processed.
fn peak(form: Form, rows: usize, rounds: usize, most_mib: u32) {
    let list = list(form, rows);
    let peaks = (0..rounds).map(|_| process(&office_with(1, &FLAGS), form, &list, rows));
    say_peak(form, rows, peaks.collect(), most_mib);
}

fn say_peak(form: Form, rows: usize, mut peaks: Vec<Most>, most_mib: u32) {
    let name = match form {
        Form::Csv => "csv",
        Form::Xlsx(Texts::Inline) => "xlsx, inline strings",
        Form::Xlsx(Texts::Shared) => "xlsx, shared strings, all different",
    };
    peaks.sort_by(|a, b| a.together.total_cmp(&b.together));
    let (least, most) = (&peaks[0], &peaks[peaks.len() - 1]);
    let of = match peaks.len() {
        1 => String::new(),
        rounds => format!("; the most of {rounds}, the least {:.0}", least.together),
    };
    say(
        &format!("server and children, {rows} x 6, {name}"),
        &format!(
            "{:.0} MiB (at most {most_mib}) at one time, the largest alone {:.0}{of}",
            most.together, most.largest
        ),
    );
}

/// Uploads and processes a list; what server and children had in memory.
fn process(office: &Office, form: Form, list: &[u8], rows: usize) -> Most {
    let name = match form {
        Form::Csv => "list.csv",
        Form::Xlsx(_) => "list.xlsx",
    };
    let session = &office.sessions[0];
    let watch = Watch::of(office.served.pid());
    office
        .served
        .upload(session, "upload-and-process", name, list, None)
        .unwrap()
        .expect(202);
    let status = watch_to_the_end(&office.served, session);
    assert_eq!(status["counts"]["valid"], rows, "{status}");
    watch.most()
}

/// Companies: a name and two addresses that never repeat, two texts that do, a number.
fn list(form: Form, rows: usize) -> Vec<u8> {
    let csv = companies("firm", rows);
    match form {
        Form::Csv => csv,
        Form::Xlsx(texts) => as_workbook(&csv, texts),
    }
}

/// An office whose list has so many records: what it took to get there, and starts on it.
fn large_office(rows: usize) {
    let list = companies("firm", rows);
    let office = office_with(1, &FLAGS);
    let peak = process(&office, Form::Csv, &list, rows);
    say_peak(Form::Csv, rows, vec![peak], 150);
    let folder = office.folder.path();
    let log = bytes(&folder.join(LOG));
    office.served.kill();
    let after_kill = after_a_kill(folder, &FLAGS);
    // A start and a clean stop bring the log home.
    assert!(start(folder, &FLAGS).0.terminate().0.success());
    let database = bytes(&folder.join(DATABASE)) + bytes(&folder.join(LOG));
    say(
        &format!("database with {rows} records, beside its csv"),
        &format!(
            "{:.2} x (at most 2.5): {:.1} of {:.1} MB; right after the job {:.1} MB of log besides",
            database / list.len() as f64,
            database / 1e6,
            list.len() as f64 / 1e6,
            log / 1e6
        ),
    );
    say(
        &format!("ready with {rows} records, right after `kill -9` behind the job"),
        &format!("{} ms (at most 50)", spread(after_kill)),
    );
    starts(folder, rows);
}

/// Bytes of a file, none where it is missing.
fn bytes(file: &Path) -> f64 {
    std::fs::metadata(file).map_or(0.0, |known| known.len() as f64)
}

/// Starts after a clean stop, and what the server has in memory while nobody asks.
fn starts(folder: &Path, records: usize) {
    let (mut times, mut idle, mut own, mut asked) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let (served, took) = start(folder, &FLAGS);
        times.push(took.as_secs_f64() * 1e3);
        std::thread::sleep(MOMENT);
        idle.push(memory(&served, "VmRSS:"));
        own.push(memory(&served, "RssAnon:"));
        let session = served.sign_in("user0");
        let status = served.get(&session, "/api/files/processing-status");
        status.unwrap().expect(200);
        std::thread::sleep(MOMENT);
        asked.push(memory(&served, "VmRSS:"));
        assert!(served.terminate().0.success());
    }
    say(
        &format!("ready with {records} records, after a clean stop"),
        &format!("{} ms (at most 50)", spread(times)),
    );
    say(
        "memory of the idle server on that database",
        &format!(
            "{} MiB (at most 10): {} its own, the rest pages of the executable and of libraries",
            spread(idle),
            spread(own)
        ),
    );
    say(
        "the same after a sign-in and a status",
        &format!("{} MiB (at most 10)", spread(asked)),
    );
}
