//! The lists that benches read and check, all of them alike from run to run.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use rust_xlsxwriter::{Format, Workbook};

pub(crate) mod bounds;
pub(crate) mod stored;

pub(crate) const HEADERS: [&str; 6] = [
    "Company Name",
    "LinkedIn_URL",
    "Website_URL",
    "Company_Size",
    "Industry",
    "Revenue",
];

/// A plain list: ASCII, nothing in quotes, 100 bytes a row.
pub(crate) fn plain(rows: usize) -> Vec<u8> {
    let mut text = HEADERS.join(",");
    text.push('\n');
    for n in 0..rows {
        let _ = writeln!(
            text,
            "Firm {n} GmbH,https://www.linkedin.com/company/firm-{n},https://firm-{n}.example,11-50,Software,{n}"
        );
    }
    text.into_bytes()
}

/// The plain list with each field in quotes.
pub(crate) fn quoted(rows: usize) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(Vec::new());
    for record in csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(plain(rows).as_slice())
        .records()
    {
        writer.write_record(&record.unwrap()).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Rows of numbers, most of them short.
pub(crate) fn numbers(rows: usize) -> Vec<u8> {
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

/// Rows of numbers of 17 digits, more than a float tells apart.
pub(crate) fn digits(rows: usize) -> Vec<u8> {
    let mut out = Vec::new();
    writeln!(out, "a,b,c,d,e,f").unwrap();
    for n in 0..rows {
        let number = 12_345_678_901_234_567 + n as u64 * 7_919;
        let row: Vec<String> = (0..6)
            .map(|at| (number + at * 1_000_003).to_string())
            .collect();
        writeln!(out, "{}", row.join(",")).unwrap();
    }
    out
}

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

/// Companies as the world has them: names in several scripts, one field in eight in quotes, some with
/// quotes inside, some empty; 140 bytes a row as csv. Name, addresses and most other texts never repeat.
fn rows_of_many_scripts(rows: usize) -> impl Iterator<Item = [String; 6]> {
    let mut state = 7_u64;
    let mut below = move |most: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % most
    };
    (0..rows).map(move |n| {
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
        row
    })
}

/// What is wrong in a list that people send: one name in fifty is missing, one LinkedIn_URL in fifty is
/// none and one in a hundred stands twice, one Website_URL in fifty is without its scheme.
fn spoil(rows: impl Iterator<Item = [String; 6]>) -> impl Iterator<Item = [String; 6]> {
    let mut before = String::new();
    rows.enumerate().map(move |(n, mut row)| {
        if n % 50 == 7 {
            row[0].clear();
        }
        if n % 50 == 21 {
            "not known".clone_into(&mut row[1]);
        }
        if n % 100 == 13 {
            row[1].clone_from(&before);
        }
        if n % 50 == 9 {
            row[2] = row[2].replace("https://", "");
        }
        before.clone_from(&row[1]);
        row
    })
}

fn csv_of(rows: impl Iterator<Item = [String; 6]>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(HEADERS).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

/// A list in many scripts, 140 bytes a row.
pub(crate) fn scripts(rows: usize) -> Vec<u8> {
    csv_of(rows_of_many_scripts(rows))
}

/// The list in many scripts with what is wrong in lists that people send, as csv and as a workbook.
pub(crate) fn spoiled(rows: usize, csv: &Path, workbook: &Path) {
    std::fs::write(csv, csv_of(spoil(rows_of_many_scripts(rows)))).unwrap();
    save(workbook, spoil(rows_of_many_scripts(rows)));
}

/// The list in many scripts as a workbook: most of its texts, which are in the table of shared ones as
/// Excel writes them, never repeat.
pub(crate) fn workbook_of_many_texts(path: &Path, rows: usize) {
    save(path, rows_of_many_scripts(rows));
}

/// Row by row, so that the sheet of a million rows is not kept.
fn save(path: &Path, rows: impl Iterator<Item = [String; 6]>) {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet_with_low_memory().unwrap();
    sheet.write_row(0, 0, HEADERS).unwrap();
    for (number, row) in (1..).zip(rows) {
        for (column, text) in (0..).zip(row) {
            if !text.is_empty() {
                sheet.write_string(number, column, text).unwrap();
            }
        }
    }
    book.save(path).unwrap();
}

/// Where a workbook has its texts.
#[derive(Clone, Copy)]
pub(crate) enum Texts {
    /// In their cells.
    Inline,
    /// In a table of their own, as Excel writes them.
    Shared,
}

/// A plain csv as a workbook, its numbers as numbers.
pub(crate) fn as_workbook(csv: &[u8], texts: Texts) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = match texts {
        // Rows go to a file at once, so that their texts can't be gathered in a table.
        Texts::Inline => book.add_worksheet_with_constant_memory().unwrap(),
        Texts::Shared => book.add_worksheet(),
    };
    for (row, line) in (0..).zip(std::str::from_utf8(csv).unwrap().lines()) {
        for (column, value) in (0..).zip(line.split(',')) {
            match value.parse::<f64>() {
                Ok(number) => sheet.write_number(row, column, number).unwrap(),
                Err(_) => sheet.write_string(row, column, value).unwrap(),
            };
        }
    }
    book.save_to_buffer().unwrap()
}

/// A company list as a workbook, 50 bytes a row: texts that repeat, texts that don't, numbers and dates.
pub(crate) fn workbook(path: &Path, rows: usize) {
    let date = Format::new().set_num_format("yyyy-mm-dd");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let names = ["Name", "URL", "Size", "Industry", "Revenue", "Since"];
    sheet.write_row(0, 0, names).unwrap();
    for row in 1..=u32::try_from(rows).unwrap() {
        sheet.write(row, 0, format!("Company {row}")).unwrap();
        let url = format!("https://www.linkedin.com/company/c-{row}");
        sheet.write(row, 1, url).unwrap();
        sheet
            .write(row, 2, ["1-10", "11-50", "51-200"][row as usize % 3])
            .unwrap();
        sheet
            .write(row, 3, ["Food", "Software", "Steel"][row as usize % 3])
            .unwrap();
        sheet.write(row, 4, f64::from(row) * 12.5).unwrap();
        sheet
            .write_with_format(row, 5, 40_000 + row % 5_000, &date)
            .unwrap();
    }
    book.save(path).unwrap();
}
