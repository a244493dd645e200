//! Promises of reading xls, on compound files and records that the tests put together.

use sheetline::error::Error;
use sheetline::sheet::ReadOptions;
use sheetline::sheet::sniff::sniff;
use sheetline::words::{Code, Format};

use crate::reader::{Whole, read_whole};

const NONE: u32 = u32::MAX;
const SECTOR_BYTES: usize = 512;

/// An entry of a compound file's directory.
struct Entry {
    name: &'static str,
    /// 1 a storage, 2 a stream, 5 the root.
    kind: u8,
    right: u32,
    first: u32,
    bytes: Vec<u8>,
}

fn storage(name: &'static str, right: u32, first: u32) -> Entry {
    let kind = if name == "Root Entry" { 5 } else { 1 };
    Entry {
        name,
        kind,
        right,
        first,
        bytes: Vec::new(),
    }
}

fn stream(name: &'static str, right: u32, bytes: &[u8]) -> Entry {
    Entry {
        name,
        kind: 2,
        right,
        first: NONE,
        bytes: bytes.to_vec(),
    }
}

/// A compound file of these entries, the first of which is the root.
fn compound(entries: &[Entry]) -> Vec<u8> {
    let directory_sectors = (entries.len() * 128).div_ceil(SECTOR_BYTES);
    // The first sector is the table of followers.
    let mut followers = vec![0xFFFF_FFFD_u32];
    let chain = |followers: &mut Vec<u32>, sectors: usize| {
        let start = u32::try_from(followers.len()).unwrap();
        followers.extend((1..sectors).map(|at| start + u32::try_from(at).unwrap()));
        followers.push(0xFFFF_FFFE);
        start
    };
    let directory_start = chain(&mut followers, directory_sectors);
    let mut directory = Vec::new();
    let mut streams = Vec::new();
    for entry in entries {
        let mut raw = vec![0; 128];
        for (at, unit) in entry.name.encode_utf16().enumerate() {
            raw[2 * at..2 * at + 2].copy_from_slice(&unit.to_le_bytes());
        }
        let name_bytes = u16::try_from(2 * entry.name.len() + 2).unwrap();
        raw[64..66].copy_from_slice(&name_bytes.to_le_bytes());
        raw[66] = entry.kind;
        let start = if entry.bytes.is_empty() {
            NONE - 1
        } else {
            chain(&mut followers, entry.bytes.len().div_ceil(SECTOR_BYTES))
        };
        let size = u32::try_from(entry.bytes.len()).unwrap();
        for (at, number) in [
            (68, NONE),
            (72, entry.right),
            (76, entry.first),
            (116, start),
            (120, size),
        ] {
            raw[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        directory.extend(raw);
        streams.extend(&entry.bytes);
        streams.resize(streams.len().next_multiple_of(SECTOR_BYTES), 0);
    }
    directory.resize(directory_sectors * SECTOR_BYTES, 0);
    let mut file = vec![0; SECTOR_BYTES];
    file[..8].copy_from_slice(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
    for (at, half) in [(24, 0x3E), (26, 3), (28, 0xFFFE), (30, 9), (32, 6)] {
        file[at..at + 2].copy_from_slice(&u16::to_le_bytes(half));
    }
    // No stream is small enough to be among the small ones.
    for (at, number) in [
        (44, 1),
        (48, directory_start),
        (56, 0),
        (60, NONE - 1),
        (68, NONE - 1),
        (76, 0),
    ] {
        file[at..at + 4].copy_from_slice(&u32::to_le_bytes(number));
    }
    file[80..].fill(0xFF);
    let table: Vec<u8> = followers.iter().flat_map(|n| n.to_le_bytes()).collect();
    file.extend(&table);
    file.resize(2 * SECTOR_BYTES, 0xFF);
    file.extend(directory);
    file.extend(streams);
    file
}

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let size = u16::try_from(data.len()).unwrap();
    [&kind.to_le_bytes()[..], &size.to_le_bytes(), data].concat()
}

/// A text in a cell, of Excel 97 or, without `unicode`, of Excel 3 to 95.
fn label(row: u8, column: u8, text: &str, unicode: bool) -> Vec<u8> {
    let size = u8::try_from(text.len()).unwrap();
    let mut data = vec![row, 0, column, 0, 0, 0, size, 0];
    data.extend(unicode.then_some(0));
    data.extend(text.as_bytes());
    record(0x0204, &data)
}

/// A workbook of a sheet for each list of texts, one below the other. `off` is how many bytes before
/// its begin each sheet is said to be.
fn workbook(sheets: &[&[&str]], off: usize) -> Vec<u8> {
    let start = |kind: u8| record(0x0809, &[0, 6, kind, 0, 0, 0, 0, 0]);
    let bodies: Vec<Vec<u8>> = sheets
        .iter()
        .map(|texts| {
            let cells = (0..)
                .zip(*texts)
                .flat_map(|(row, t)| label(row, 0, t, true));
            let cells: Vec<u8> = cells.collect();
            [start(0x10), cells, record(0x000A, &[])].concat()
        })
        .collect();
    // Each entry of the list of sheets is as long as the others.
    let entry = |place: usize, name: u8| {
        let place = u32::try_from(place).unwrap().to_le_bytes();
        record(0x0085, &[&place[..], &[0, 0, 1, 0, name]].concat())
    };
    let globals_bytes = start(5).len() + sheets.len() * entry(0, 0).len() + 4;
    let mut place = globals_bytes;
    let mut stream = start(5);
    for (name, body) in (b'A'..).zip(&bodies) {
        stream.extend(entry(place - off, name));
        place += body.len();
    }
    stream.extend(record(0x000A, &[]));
    stream.extend(bodies.concat());
    stream
}

fn read(bytes: &[u8]) -> Result<Whole, Error> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    read_whole(file.path(), &ReadOptions::default())
}

/// The rows of all sheets.
fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let sheets = read(bytes).unwrap().sheets.into_iter();
    sheets
        .map(|(rows, _)| rows.into_iter().map(|row| row.cells).collect())
        .collect()
}

#[test]
fn a_workbook_is_read_and_not_a_sheet_that_lies_in_it_as_an_object() {
    let own = workbook(&[&["Name", "Acme"]], 0);
    let other = workbook(&[&["Amount", "Bolt"]], 0);
    // Directories are in no order: the object's stream may come before the file's own.
    let file = compound(&[
        storage("Root Entry", NONE, 1),
        storage("MBD00002B54", 3, 2),
        stream("Workbook", NONE, &other),
        stream("Workbook", NONE, &own),
    ]);
    assert_eq!(rows(&file), [[r#"["Acme"]"#]]);
    // Excel 95 calls its stream by another name.
    let file = compound(&[
        storage("Root Entry", NONE, 1),
        storage("MBD00002B54", 3, 2),
        stream("Workbook", NONE, &other),
        stream("Book", NONE, &own),
    ]);
    assert_eq!(rows(&file), [[r#"["Acme"]"#]]);
}

#[test]
fn a_letter_with_a_sheet_in_it_is_no_workbook_and_one_with_a_secret_in_it_no_secret() {
    let sheet = workbook(&[&["Amount", "Bolt"]], 0);
    let letter = compound(&[
        storage("Root Entry", NONE, 1),
        storage("ObjectPool", 3, 2),
        stream("Workbook", NONE, &sheet),
        stream("WordDocument", NONE, b"Dear Ann"),
    ]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), letter).unwrap();
    match sniff(file.path(), &sheetline::sheet::Limits::default()) {
        Err(Error::Problem(problem)) => {
            assert_eq!(problem.code, Code::UnsupportedFormat);
            assert!(problem.detail.contains("a Word document"), "{problem:?}");
        }
        other => panic!("{other:?}"),
    }
    let book = compound(&[
        storage("Root Entry", NONE, 1),
        storage("MBD00002B54", 3, 2),
        stream("EncryptedPackage", NONE, b"?"),
        stream("Workbook", NONE, &sheet),
    ]);
    std::fs::write(file.path(), &book).unwrap();
    let format = sniff(file.path(), &sheetline::sheet::Limits::default());
    assert_eq!(format.ok(), Some(Format::Xls));
    assert_eq!(rows(&book), [[r#"["Bolt"]"#]]);
}

#[test]
fn worksheets_that_are_not_where_the_list_says_are_taken_in_their_order() {
    let sheets: [&[&str]; 2] = [&["Name", "Acme"], &["Amount", "Bolt", "Cord"]];
    let expected = [
        vec![r#"["Acme"]"#.to_owned()],
        vec![r#"["Bolt"]"#.to_owned(), r#"["Cord"]"#.to_owned()],
    ];
    let file = |stream: &[u8]| {
        compound(&[
            storage("Root Entry", NONE, 1),
            self::stream("Workbook", NONE, stream),
        ])
    };
    assert_eq!(rows(&file(&workbook(&sheets, 0))), expected);
    assert_eq!(rows(&file(&workbook(&sheets, 20))), expected);
    // Where one is missing, the order tells nothing.
    let mut short = workbook(&sheets, 20);
    let last = label(1, 0, "Bolt", true).len() + label(2, 0, "Cord", true).len();
    short.truncate(short.len() - last - label(0, 0, "Amount", true).len() - 4 - 12);
    assert!(read(&file(&short)).is_err());
}

#[test]
fn without_a_code_page_the_font_of_excel_95_tells_the_letters() {
    let font = |charset: u8| {
        let data = [
            160, 0, 0, 0, 255, 127, 144, 1, 0, 0, 0, 2, charset, 0, 1, b'A',
        ];
        record(0x0031, &data)
    };
    let sheet = [
        record(0x0809, &[0, 5, 0x10, 0, 0, 0, 0, 0]),
        label(0, 0, "Name", false),
        record(0x0204, &[1, 0, 0, 0, 0, 0, 3, 0, 0xC4, 0xEE, 0xEC]),
        record(0x000A, &[]),
    ]
    .concat();
    let read = |globals: &[u8]| {
        let place = 12 + globals.len() + 12 + 4;
        let place = u32::try_from(place).unwrap().to_le_bytes();
        let stream = [
            &record(0x0809, &[0, 5, 5, 0, 0, 0, 0, 0])[..],
            globals,
            &record(0x0085, &[&place[..], &[0, 0, 1, b'A']].concat()),
            &record(0x000A, &[]),
            &sheet,
        ]
        .concat();
        rows(&compound(&[
            storage("Root Entry", NONE, 1),
            self::stream("Book", NONE, &stream),
        ]))
    };
    assert_eq!(read(&font(204)), [[r#"["Дом"]"#]]);
    assert_eq!(read(&font(0)), [[r#"["Äîì"]"#]]);
    // The first font counts, and a code page before any.
    assert_eq!(read(&[font(0), font(204)].concat()), [[r#"["Äîì"]"#]]);
    let page = record(0x0042, &[0xE4, 0x04]);
    assert_eq!(read(&[page, font(204)].concat()), [[r#"["Äîì"]"#]]);
}

#[test]
fn records_of_later_versions_are_read_in_a_file_of_excel_2() {
    let file = [
        record(0x0009, &[2, 0, 0x10, 0]),
        record(0x0004, &[0, 0, 0, 0, 0, 0, 0, 4, b'N', b'a', b'm', b'e']),
        label(1, 0, "Acme", false),
        record(
            0x0203,
            &[&[2, 0, 0, 0, 0, 0][..], &1.5_f64.to_le_bytes()].concat(),
        ),
        record(0x000A, &[]),
    ]
    .concat();
    assert_eq!(rows(&file), [[r#"["Acme"]"#, "[1.5]"]]);
}
