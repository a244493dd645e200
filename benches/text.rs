//! Reading text files beside their bound: `cargo bench --bench text`. Each figure stands beside the
//! time in which the csv crate merely counts the same records, measured in the same run.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench prints its figures and gives up where something fails"
)]

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sheetline::sheet::protocol::Output;
use sheetline::sheet::{Limits, ReadOptions, delimited};

/// How many times as long as the csv crate's counting loop a conversion may take.
const BOUND: f64 = 4.0;

/// Runs of which the fastest counts.
const RUNS: usize = 7;

fn main() {
    // `cargo test --benches` asks with --test: then there is nothing to do.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A short run that only sees to it that the bench still works.
    let part = if std::env::args().any(|argument| argument == "--quick") {
        100
    } else {
        1
    };
    let (many, most) = (100_000 / part, 500_000 / part);
    println!("csv, 6 columns                       ms    x counting loop (bound {BOUND})");
    for (name, rows, text) in [
        ("100,000 companies", many, companies(',', many)),
        ("100,000 companies, quoted", many, quoted(many)),
        ("100,000 rows of numbers", many, numbers(many)),
        ("100,000 rows of 17 digits", many, digits(many as u64)),
        ("500,000 companies", most, companies(',', most)),
        ("100,000 of many scripts", many, scripts(many)),
        ("500,000 of many scripts", most, scripts(most)),
    ] {
        let path = folder.path().join("list.csv");
        std::fs::write(&path, text).unwrap();
        measure(name, rows, &path);
    }
    let path = folder.path().join("small.csv");
    std::fs::write(&path, companies(',', 100)).unwrap();
    let small = fastest(|| convert(&path));
    println!("convert of 10 KB: {:.1} ms (bound 15)", ms(small));
}

fn measure(name: &str, rows: usize, path: &Path) {
    let count = fastest(|| {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let mut record = csv::ByteRecord::new();
        let mut count = 0_usize;
        while reader.read_byte_record(&mut record).unwrap() {
            count += 1;
        }
        assert_eq!(count, rows);
    });
    let read = fastest(|| {
        let limits = Limits::default();
        let mut sink = io::sink();
        let mut out = Output::new(&mut sink, &limits);
        let mut file = File::open(path).unwrap();
        delimited::read(&mut file, &ReadOptions::default(), &mut out).unwrap();
    });
    let whole = fastest(|| convert(path));
    println!("{name}");
    println!("  counting loop of the csv crate {:>7.1}", ms(count));
    for (what, took) in [
        ("rows, in process", read),
        ("convert, the whole command", whole),
    ] {
        println!(
            "  {what:<30} {:>7.1}  {:.1}",
            ms(took),
            ms(took) / ms(count)
        );
    }
}

/// The command as a person runs it.
fn convert(path: &Path) {
    let status = Command::new(env!("CARGO_BIN_EXE_sheetline"))
        .arg("convert")
        .arg(path)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

fn fastest(mut run: impl FnMut()) -> Duration {
    (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed()
        })
        .min()
        .unwrap()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn companies(separator: char, rows: usize) -> Vec<u8> {
    let mut text = "Company Name,LinkedIn_URL,Website_URL,Company_Size,Industry,Revenue\n"
        .replace(',', &separator.to_string());
    for n in 0..rows {
        let _ = writeln!(
            text,
            "Firm {n} GmbH{separator}https://www.linkedin.com/company/firm-{n}{separator}\
             https://firm-{n}.example{separator}11-50{separator}Software{separator}{n}"
        );
    }
    text.into_bytes()
}

fn quoted(rows: usize) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(Vec::new());
    for record in csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(companies(',', rows).as_slice())
        .records()
    {
        writer.write_record(&record.unwrap()).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Companies as the world has them: names in several scripts, one field in eight in quotes, some with
/// quotes inside, some empty; 140 bytes a row.
fn scripts(rows: usize) -> Vec<u8> {
    const FIRST: [&str; 16] = [
        "Acme",
        "Northern",
        "Köln",
        "Großhaus",
        "O'Neil",
        "Smith & Sons",
        "Été",
        "東京",
        "北京",
        "서울",
        "Москва",
        "דלתא",
        "شركة",
        "Quick \"Q\"",
        "Rocket 🚀",
        "Vertex",
    ];
    const SECOND: [&str; 12] = [
        "Systems",
        "Foods",
        "Logistics",
        "Energy",
        "Partners",
        "Robotics",
        "商事",
        "Technik",
        "Génie",
        "Consulting, Inc.",
        "Works",
        "Bank",
    ];
    const LEGAL: [&str; 6] = ["Inc.", "GmbH", "S.p.A.", "株式会社", "ООО", "Pty Ltd"];
    const SIZES: [&str; 6] = [
        "1-10",
        "11-50",
        "201-500",
        "501-1,000",
        "1,001-5,000",
        "10,001+",
    ];
    const INDUSTRIES: [&str; 9] = [
        "Software Development",
        "Hospitals & Health Care",
        "Construction",
        "Transportation, Logistics",
        "Non-profit \"NGO\"",
        "Bau & Gewerbe",
        "Santé",
        "小売",
        "العقارات",
    ];
    let mut state = 7_u64;
    let mut below = move |most: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % most
    };
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer
        .write_record([
            "Company Name",
            "LinkedIn_URL",
            "Website_URL",
            "Company_Size",
            "Industry",
            "Revenue",
        ])
        .unwrap();
    for n in 0..rows {
        let mut row = [
            format!(
                "{} {} {} {n}",
                FIRST[below(FIRST.len())],
                SECOND[below(SECOND.len())],
                LEGAL[below(LEGAL.len())]
            ),
            format!("https://www.linkedin.com/company/c{n:07}"),
            format!("https://c{n:07}.example.com/?a=1&b={}", n % 97),
            SIZES[below(SIZES.len())].to_owned(),
            INDUSTRIES[below(INDUSTRIES.len())].to_owned(),
            format!("€{}.{}M", below(1_000), below(10)),
        ];
        if below(5) == 0 {
            row[1 + below(5)].clear();
        }
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

fn numbers(rows: usize) -> Vec<u8> {
    let mut out = Vec::new();
    writeln!(out, "a,b,c,d,e,f").unwrap();
    for n in 0..rows {
        let x = n as f64;
        writeln!(
            out,
            "{n},{},{},{:.3},00{n},{}",
            x / 7.0,
            x * 1.5,
            x / 3.0,
            n * n
        )
        .unwrap();
    }
    out
}

fn digits(rows: u64) -> Vec<u8> {
    let mut out = Vec::new();
    writeln!(out, "a,b,c,d,e,f").unwrap();
    for n in 0..rows {
        let number = 12_345_678_901_234_567 + n * 7_919;
        let row: Vec<String> = (0..6)
            .map(|at| (number + at * 1_000_003).to_string())
            .collect();
        writeln!(out, "{}", row.join(",")).unwrap();
    }
    out
}
