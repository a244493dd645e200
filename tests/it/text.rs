//! Text files: encodings, separators, records, and what of them is a number.

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sheetline::error::Error;
use sheetline::sheet::protocol::{self, Output};
use sheetline::sheet::{Cell, Event, FileInfo, Limits, ReadOptions, Row, SheetInfo, delimited};
use sheetline::words::Code;

/// A text file that has been read.
struct Text {
    info: SheetInfo,
    file: FileInfo,
    rows: Vec<Row>,
}

impl Text {
    fn names(&self) -> Vec<&str> {
        self.info.columns.iter().map(|c| c.name.as_str()).collect()
    }

    fn codes(&self) -> Vec<&str> {
        self.info.notices.iter().map(|n| n.code.as_str()).collect()
    }

    fn cells(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row.cells.as_str()).collect()
    }

    fn numbers(&self) -> Vec<u32> {
        self.rows.iter().map(|row| row.number).collect()
    }

    /// The text of a cell, as it stands in the file.
    fn text(&self, row: u32, column: usize) -> Option<String> {
        if self.info.header_row == Some(row) {
            let column = self.info.columns.iter().find(|c| c.index == column)?;
            return column.label.clone();
        }
        let row = self.rows.iter().find(|r| r.number == row)?;
        match row.values().ok()?.get(column)? {
            Cell::Text(text) => Some(text.to_string()),
            Cell::Number(number) => Some((*number).to_owned()),
            Cell::Empty
            | Cell::Bool(_)
            | Cell::Date(_)
            | Cell::DateTime(_)
            | Cell::Time(_)
            | Cell::Duration(_)
            | Cell::Error => None,
        }
    }
}

fn read_with(bytes: &[u8], options: &ReadOptions, limits: &Limits) -> Result<Text, Error> {
    let mut told = Vec::new();
    let mut out = Output::new(&mut told, limits);
    delimited::read(&mut Cursor::new(bytes), options, &mut out)?;
    let mut rows = Vec::new();
    let (mut info, mut file) = (None, None);
    for event in protocol::events(&String::from_utf8(told).unwrap())? {
        match event {
            Event::Row(row) => rows.push(row),
            Event::SheetEnd(end) => info = Some(*end),
            Event::Done(done) => file = Some(done),
            Event::Sheet(position) => assert_eq!(position, 0),
            Event::Estimate(_) => {}
        }
    }
    Ok(Text {
        info: info.unwrap(),
        file: file.unwrap(),
        rows,
    })
}

fn read(bytes: impl AsRef<[u8]>) -> Text {
    read_with(bytes.as_ref(), &ReadOptions::default(), &Limits::default()).unwrap()
}

#[track_caller]
fn refused(result: Result<Text, Error>) -> Code {
    match result.err() {
        Some(Error::Problem(problem)) => problem.code,
        other => panic!("{other:?}"),
    }
}

fn refusal(bytes: impl AsRef<[u8]>) -> Code {
    refused(read_with(
        bytes.as_ref(),
        &ReadOptions::default(),
        &Limits::default(),
    ))
}

/// A stream of numbers that is the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.roll(from.len())]
    }
}

#[test]
fn signs_without_letters_are_those_of_windows_1252_and_a_guess_is_told() {
    // A guess by letters alone makes of them the Ł of Polish.
    let bytes = b"Name;Price\nA;\x80 5\nB;10 \xb0C\nC;\xa31\n";
    let text = read_with(bytes, &ReadOptions::default(), &Limits::default()).unwrap();
    assert_eq!(text.file.encoding.as_deref(), Some("windows-1252"));
    let cells: Vec<_> = (2..5).map(|row| text.text(row, 1).unwrap()).collect();
    assert_eq!(cells, ["€ 5", "10 °C", "£1"]);
    let notice = &text.info.notices[0];
    assert_eq!(notice.code, "encoding-guessed");
    assert!(
        notice.message.contains("read as windows-1252."),
        "{}",
        notice.message
    );
    assert!(
        notice.message.contains("say the encoding"),
        "{}",
        notice.message
    );
}

#[test]
fn text_stays_text_and_only_plain_numbers_are_numbers() {
    let text = read(
        "id,zip,n,price,e,big\nA,007,12,1.50,1e5,12345678901234567890\nB,01067,-3,2.5,+49,1\n",
    );
    assert_eq!(
        text.cells(),
        [
            r#"["A","007",12,"1.50","1e5","12345678901234567890"]"#,
            r#"["B","01067",-3,2.5,"+49",1]"#
        ]
    );
    assert!(
        text.rows
            .iter()
            .all(|row| row.kinds.is_none() && row.width.is_none())
    );
}

#[test]
fn rows_are_numbered_as_a_person_counts_them() {
    for end in ["\n", "\r\n", "\r"] {
        let lines = [
            "",
            "name,city",
            "",
            "\"a",
            "b\",Rome",
            "",
            "",
            ",",
            "c,Ulm",
            "",
        ];
        let text = read(lines.join(end));
        assert_eq!(text.info.header_row, Some(2), "{end:?}");
        // Row 4 is quoted over two lines; 5 and 6 are blank, 7 is empty fields.
        assert_eq!(text.numbers(), [4, 8], "{end:?}");
        assert_eq!(text.text(4, 0).unwrap(), format!("a{end}b"));
    }
    let mixed = read("a,b\r\n1,2\n\r3,4\r\r\n5,6");
    assert_eq!(mixed.numbers(), [2, 4, 6]);
}

#[test]
fn ragged_rows_are_kept_whole_and_told() {
    let text = read("a,b,c\n1,2,3\n4,5\n6,7,8,9\n10\n");
    assert_eq!(text.cells(), ["[1,2,3]", "[4,5]", "[6,7,8,9]", "[10]"]);
    let widths: Vec<Option<u32>> = text.rows.iter().map(|row| row.width).collect();
    assert_eq!(widths, [None, Some(2), Some(4), Some(1)]);
    assert_eq!(text.names(), ["a", "b", "c", "column_4"]);
    assert_eq!(
        text.codes(),
        ["ragged-row", "ragged-row", "ragged-row", "blank-label"]
    );
    assert_eq!(text.info.notices[0].cell.as_deref(), Some("C3"));
}

#[test]
fn a_header_narrower_than_its_records_stays_the_header() {
    let text = read("Name,Tags\nA,red,green,blue,black\nB,one,two,three,four\nC,p,q,r,s\n");
    assert_eq!(text.info.header_row, Some(1));
    assert_eq!(text.rows.len(), 3);
    assert_eq!(text.names()[..2], ["Name", "Tags"]);
    let text = read("Name,Site\nAcme,https://x.example,note one,note two,x,y\n");
    assert_eq!(text.numbers(), [2]);
    // A title that is filled up, or reads like one.
    for text in [
        "Customers,Germany,,,\nName,City,Size,Kind,Note\nAcme,Bonn,big,x,a\nBolt,Ulm,small,y,b\n",
        "List,May 2026\nName,City,Size,Kind,Note\nAcme,Bonn,big,x,a\nBolt,Ulm,small,y,b\n",
    ] {
        assert_eq!(read(text).info.header_row, Some(2), "{text}");
    }
}

#[test]
fn a_list_of_one_column_keeps_its_label_and_its_commas() {
    for (text, wanted) in [
        (
            "Adresse\nWeg 1, 01234 Ulm\nGasse 2, 50667 Köln\n",
            [r#"["Weg 1, 01234 Ulm"]"#, r#"["Gasse 2, 50667 Köln"]"#],
        ),
        ("Preis\n1,50\n2,75\n", [r#"["1,50"]"#, r#"["2,75"]"#]),
    ] {
        let put = read(text);
        assert_eq!(put.names(), [text.split('\n').next().unwrap()]);
        assert_eq!(put.cells(), wanted);
        assert_eq!(put.codes(), [""; 0]);
    }
    // A title above a table with spaces behind its commas: values show it, or whoever knows says the row.
    let told = |put: &Text| put.codes().contains(&"header-guessed");
    let put = read("Our customers\nName, Mail\nAnn, a@x.de\nBob, b@x.de\n");
    assert_eq!(put.names(), ["Name", "Mail"]);
    assert!(!told(&put));
    let text = "Our customers\nName, City\nAnn, Bonn\nBob, Ulm\n";
    let put = read(text);
    assert_eq!(put.names(), ["Our customers"]);
    assert!(told(&put));
    let options = ReadOptions {
        header_row: Some(2),
        ..ReadOptions::default()
    };
    let put = read_with(text.as_bytes(), &options, &Limits::default()).unwrap();
    assert_eq!(put.names(), ["Name", "City"]);
    // A list of one column below a title keeps its commas.
    let text = "All of them\nName\nMa, Ha\nMb, Hb\n";
    let put = read_with(text.as_bytes(), &options, &Limits::default()).unwrap();
    assert_eq!(put.names(), ["Name"]);
}

#[test]
fn letters_that_mean_nothing_are_told_with_their_cell() {
    let cells = |bytes: &[u8]| {
        let told = read(bytes).info.notices.into_iter();
        told.filter(|n| n.code == "undecodable")
            .map(|n| n.cell)
            .collect::<Vec<_>>()
    };
    // Bytes that no Western table has, in words that DOS and the Macintosh don't have either.
    let odd = b"Name,Ort\nM\x81ller,\xc6b\xb2o\nG\xe4rtner,Gr\x81ne Au\n";
    assert_eq!(cells(odd), [Some("A2".to_owned()), Some("B3".to_owned())]);
    let utf8 = "Größe;Ort;Straße\nMüller;Köln;Weiße Gasse\n".repeat(20);
    let bad = [utf8.as_bytes(), b"x;b\xffd;y\n"].concat();
    assert_eq!(cells(&bad), [Some("B41".to_owned())]);
    assert_eq!(cells(b"a,b\n1,\0\n"), [Some("B2".to_owned())]);
    let zero = [b"Name;City\n".repeat(20), b"A\0nn;Ulm\n".to_vec()].concat();
    assert_eq!(cells(&zero), [Some("A21".to_owned())]);
    assert_eq!(cells("Name;City\nA\u{fffd}nn;\u{81}\n".as_bytes()), []);
}

#[test]
fn a_sep_line_is_honoured_and_left_out() {
    let text = read("sep=;\r\nA;B\r\n2,5;3\r\n");
    assert_eq!(text.names(), ["A", "B"]);
    assert_eq!((text.info.header_row, text.numbers()), (Some(2), vec![3]));
    assert_eq!(text.file.delimiter, Some(';'));
    assert_eq!(text.codes(), ["sep-line"]);
    assert_eq!(refusal("sep=;"), Code::EmptyFile);
    assert_eq!(refusal("sep=;\n"), Code::EmptyFile);
    assert_eq!(read("\u{feff}sep=|\na,b|c\n1|2").names(), ["a,b", "c"]);
}

#[test]
fn what_the_user_says_of_a_file_holds() {
    let with = |options: ReadOptions, bytes: &[u8]| read_with(bytes, &options, &Limits::default());
    let semicolon = ReadOptions {
        delimiter: Some(';'),
        ..ReadOptions::default()
    };
    assert_eq!(
        with(semicolon, b"a,b;c\n1,2;3\n").unwrap().names(),
        ["a,b", "c"]
    );
    let latin2 = ReadOptions {
        encoding: Some("ISO-8859-2".to_owned()),
        ..ReadOptions::default()
    };
    let text = with(latin2, b"a,b\n\xa3\xf3d\xbc,1\n").unwrap();
    assert_eq!(text.text(2, 0).unwrap(), "Łódź");
    assert_eq!(text.file.encoding.as_deref(), Some("ISO-8859-2"));
    let header = ReadOptions {
        header_row: Some(2),
        ..ReadOptions::default()
    };
    assert_eq!(
        with(header, b"a,b\nc,d\n1,2\n").unwrap().names(),
        ["c", "d"]
    );
    for (options, code) in [
        (
            ReadOptions {
                encoding: Some("klingon".to_owned()),
                ..ReadOptions::default()
            },
            Code::BadRequest,
        ),
        (
            ReadOptions {
                delimiter: Some('"'),
                ..ReadOptions::default()
            },
            Code::BadRequest,
        ),
        (
            ReadOptions {
                delimiter: Some('\n'),
                ..ReadOptions::default()
            },
            Code::BadRequest,
        ),
        (
            ReadOptions {
                delimiter: Some('é'),
                ..ReadOptions::default()
            },
            Code::BadRequest,
        ),
        (
            ReadOptions {
                header_row: Some(u32::MAX),
                ..ReadOptions::default()
            },
            Code::BadRequest,
        ),
        (
            ReadOptions {
                header_row: Some(3),
                ..ReadOptions::default()
            },
            Code::BadRequest,
        ),
        (
            ReadOptions {
                sheet: Some("Sheet1".to_owned()),
                ..ReadOptions::default()
            },
            Code::NoSuchSheet,
        ),
    ] {
        assert_eq!(refused(with(options, b"a,b\n1,2\n")), code);
    }
}

#[test]
fn files_without_rows_or_text_are_refused() {
    assert_eq!(refusal(""), Code::EmptyFile);
    assert_eq!(refusal("\n\r\n ,\n".replace(' ', "")), Code::EmptyFile);
    assert_eq!(refusal("a,b,c\n"), Code::EmptyFile);
    assert_eq!(refusal("a,b,c\n,,\n\n"), Code::EmptyFile);
    assert_eq!(refusal(b"a\0\0\0,b\n1,2\nx,y\n"), Code::UnsupportedFormat);
}

#[test]
fn bounds_of_text_hold_on_both_sides() {
    let limits = Limits {
        rows_text_max: 2,
        columns_max: 3,
        cell_bytes_text_max: 100_000,
        cells_max: 5,
        ..Limits::default()
    };
    let read = |text: &str| read_with(text.as_bytes(), &ReadOptions::default(), &limits);
    assert_eq!(read("a,b\n1,2\n3,4\n").unwrap().info.rows, 2);
    assert_eq!(refused(read("a,b\n1,2\n3,4\n5,6\n")), Code::TooComplex);
    assert!(read("a,b,c,,\n1,2,3,,\n").is_ok());
    assert_eq!(refused(read("a,b,c\n1,2,3,4\n")), Code::TooComplex);
    assert!(read("a,b,c\n1,2,3\n4,5\n").is_ok());
    assert_eq!(refused(read("a,b,c\n1,2,3\n4,5,6\n")), Code::TooComplex);
    assert!(read(&format!("a\n{}\n", "x".repeat(100_000))).is_ok());
    assert_eq!(
        refused(read(&format!("a\n{}\n", "x".repeat(100_001)))),
        Code::TooComplex
    );
    // Neither an endless field nor a quote that is never closed is read to its end.
    assert_eq!(refused(read(&"x".repeat(3_000_000))), Code::TooComplex);
    assert_eq!(
        refused(read(&format!("a,b\n\"{}", "x,y\n".repeat(1_000_000)))),
        Code::TooComplex
    );
    assert_eq!(refused(read(&"\"".repeat(3_000_000))), Code::TooComplex);
    assert_eq!(refused(read(&",".repeat(3_000_000))), Code::TooComplex);
}

#[test]
fn a_row_of_spaces_is_kept_and_told() {
    let text = read("a,b,c\n1,2,3\n ,\u{a0}, \t\n,,\n , ,x\n");
    let spaces = "[\" \",\"\u{a0}\",\" \\t\"]";
    assert_eq!(text.cells(), ["[1,2,3]", spaces, r#"[" "," ","x"]"#]);
    assert_eq!(text.numbers(), [2, 3, 5]);
    assert_eq!(text.codes(), ["spaces-only"]);
    assert_eq!(text.info.notices[0].cell.as_deref(), Some("A3"));
    let text = read("a,b,c\n1,2,3\n,, \n");
    assert_eq!(text.info.notices[0].cell.as_deref(), Some("C3"));
}

/// Words that people of a country have in their lists, and what they were encoded in before UTF-8.
const LISTS: [(&str, &str); 13] = [
    (
        "windows-1252",
        "Müller Köln Straße Größe Übung Jürgen Schröder Düsseldorf Ägidius",
    ),
    (
        "windows-1252",
        "Hélène Béziers Orléans Français Noël Été Forêt Gaël Régis Île-de-Ré",
    ),
    (
        "windows-1252",
        "España Muñoz Málaga Cádiz Peña Núñez León Córdoba Jaén Ibáñez",
    ),
    (
        "windows-1252",
        "Malmö Örebro Skåne Växjö Åre Göteborg Västerås Jönköping Håkan",
    ),
    (
        "windows-1250",
        "Łódź Kraków Wrocław Gdańsk Poznań Święty Żółć Częstochowa Bąk",
    ),
    (
        "windows-1250",
        "Plzeň Dvořák Černý Škoda Děčín Žižkov Příbram Růžička Ústí",
    ),
    (
        "windows-1250",
        "Győr Szőke Kovács Székesfehérvár Nyíregyháza Fűtő Pécs Erdős",
    ),
    (
        "iso-8859-2",
        "Łódź Kraków Wrocław Gdańsk Poznań Święty Żółć Częstochowa Bąk",
    ),
    (
        "windows-1251",
        "Москва Иванов Ярославль Санкт-Петербург Петрова Казань Новгород",
    ),
    (
        "windows-1253",
        "Αθήνα Θεσσαλονίκη Γιώργος Πάτρα Παπαδόπουλος Ηράκλειο Λάρισα",
    ),
    (
        "windows-1254",
        "İstanbul Şişli Muğla Çağrı Eskişehir Öztürk Ağrı Beyoğlu Işık",
    ),
    (
        "shift_jis",
        "株式会社 東京都 大阪府 トヨタ自動車 日産自動車 横浜市 名古屋市 さくら",
    ),
    (
        "gb18030",
        "公司 深圳 华为技术有限公司 阿里巴巴集团 杭州 北京市 上海市 有限责任",
    ),
];

#[test]
fn files_of_dos_are_read_where_they_are_told_apart_or_it_is_said() {
    let list = b"Name,Stra\xe1e,Ort,Gr\x94\xe1e\nM\x81ller,H\x94henweg 3,K\x94ln,5\n\
        G\x84rtner,\x9abelstra\xe1e 9,Gr\x81ne Au,12\n";
    let text = read(list);
    assert_eq!(text.file.encoding.as_deref(), Some("cp850"));
    assert_eq!(text.names(), ["Name", "Straße", "Ort", "Größe"]);
    assert_eq!(text.text(3, 1).as_deref(), Some("Übelstraße 9"));
    assert_eq!(text.codes(), ["encoding-guessed"]);
    for (label, wanted) in [
        ("cp437", "Γú"),
        ("IBM850", "Ôú"),
        ("852", "Ôú"),
        ("cp865", "Γú"),
        ("cp866", "тг"),
    ] {
        let options = ReadOptions {
            encoding: Some(label.to_owned()),
            ..ReadOptions::default()
        };
        let text = read_with(b"a,b\n\xe2\xa3,1\n", &options, &Limits::default()).unwrap();
        assert_eq!(text.text(2, 0).as_deref(), Some(wanted), "{label}");
        assert!(text.codes().is_empty(), "{label}");
    }
    // What can't be told apart for certain is an example in the sentence.
    let text = read(b"Land,Nr\nEspa\xa4a,1\n");
    let message = &text.info.notices[0].message;
    assert!(message.ends_with("for example cp850."), "{message}");
}

#[test]
fn a_list_with_acutes_is_none_of_the_baltic() {
    for (bytes, wanted) in [
        (&b"Nr;Name\n1;B\xe9ja\xefa\n"[..], "Béjaïa"),
        (
            b"Nr;Name\n1;J\xe2nis B\xe7rzi\xf2\xf0\n2;Liep\xe2ja\n3;R\xeega\n4;V\xe2rpa\n5;Caf\xe9\n",
            "Jānis Bērziņš",
        ),
        (b"Nr;Name\n1;Panev\xeb\xfeys\n2;Caf\xe9\n", "Panevėžys"),
    ] {
        let text = read(bytes);
        let found = text.rows.iter().any(|row| row.cells.contains(wanted));
        assert!(found, "{:?} {:?}", text.cells(), text.file.encoding);
    }
}

#[test]
fn lists_in_encodings_of_old_are_read_as_they_were_written() {
    for (label, words) in LISTS {
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
        let words: Vec<&str> = words.split(' ').collect();
        let mut list = String::from("Nr;Name;Ort\n");
        for (n, word) in words.iter().enumerate() {
            let other = words[(n + 3) % words.len()];
            let _ = writeln!(list, "{n};{word};{other}");
        }
        let (bytes, _, unmappable) = encoding.encode(&list);
        assert!(!unmappable, "{label}");
        let text = read(&bytes);
        for (row, word) in (2..).zip(words) {
            assert_eq!(text.text(row, 1).as_deref(), Some(word), "{label}");
        }
        assert_eq!(text.codes(), ["encoding-guessed"], "{label}");
    }
}

#[test]
fn a_quote_that_is_never_closed_is_told() {
    let text = read("a,b\n1,2\n3,\"four\n5,6\n");
    assert_eq!(text.cells(), ["[1,2]", r#"[3,"four\n5,6\n"]"#]);
    assert_eq!(text.codes(), ["unclosed-quote"]);
    assert_eq!(text.info.notices[0].cell.as_deref(), Some("A3"));
    assert!(read("a,b\n1,\"2\"").codes().is_empty());
    assert!(read("a,b\n1,\"2\"\"\"").codes().is_empty());
}

#[test]
fn a_quote_that_takes_in_other_rows_says_how_many() {
    let text = read("No;Name;City\n1;A;B\n2;\"Zoll;x\n3;C;D\n4;E;F\n5;\"Foo;y\n6;G;H\n");
    assert_eq!(text.codes(), ["odd-quote"]);
    let told = &text.info.notices[0].message;
    assert!(told.contains("3 lines below it are part of it"), "{told}");
}

#[test]
fn a_control_character_or_an_end_before_the_last_line_end_refuses_no_short_file() {
    let end = read("Name;City\r\nA;B\r\n\u{1a}\r\n");
    assert_eq!(end.cells(), [r#"["A","B"]"#]);
    let one = read("Name;City\nA\u{2};B\n");
    assert_eq!(one.cells(), [r#"["A\u0002","B"]"#]);
    assert_eq!(refusal("A\u{2};\u{3}\nB\n"), Code::UnsupportedFormat);
}

#[test]
fn quotes_inside_that_mean_nothing_are_told_with_their_cell() {
    let text = read("a,b\n\"x\"y,1\nz,\"he said \"hi\"\"\n\"fine \"\"q\"\"\",5\" disk\n");
    assert_eq!(
        text.cells(),
        [
            r#"["xy",1]"#,
            r#"["z","he said hi\"\""]"#,
            r#"["fine \"q\"","5\" disk"]"#
        ]
    );
    let told: Vec<_> = text
        .info
        .notices
        .iter()
        .map(|n| (&*n.code, n.cell.as_deref()))
        .collect();
    assert_eq!(told, [("odd-quote", Some("A2")), ("odd-quote", Some("B3"))]);
}

#[test]
fn a_header_that_may_be_another_is_told() {
    let guessed = |text: &str| {
        let text = read(text);
        let mut told = text.info.notices.iter();
        (
            text.info.header_row,
            told.find(|n| n.code == "header-guessed")
                .and_then(|n| n.cell.clone()),
        )
    };
    // No headers at all: the words come again below.
    let none = "Ann,Bonn\nBob,Ulm\nCal,Bonn\nDan,Jena\n";
    assert_eq!(guessed(none), (Some(1), Some("B1".to_owned())));
    // Facts of mere words above a table as wide.
    let facts =
        "Client,Acme Ltd\nContact,Ann Bee\n\nArticle,Supplier\nBolt,Beta\nNut,Gamma\nScrew,Delta\n";
    assert_eq!(guessed(facts), (Some(1), Some("A1".to_owned())));
    let plain = "Name,City\nBob,Ulm\nCal,Bonn\n\nDan,Jena\n";
    assert_eq!(guessed(plain), (Some(1), None));
}

#[test]
fn headers_with_spaces_and_line_breaks_are_told() {
    let text = read("Name,\" Size\nin m\",City \nA,1,X\nB,2,Y\n");
    assert_eq!(text.names(), ["Name", "Size in m", "City"]);
    let told: Vec<_> = text
        .info
        .notices
        .iter()
        .map(|n| (&*n.code, n.cell.as_deref()))
        .collect();
    assert_eq!(
        told,
        [("label-spaces", Some("B1")), ("label-spaces", Some("C1"))]
    );
}

#[test]
fn whatever_the_csv_crate_writes_comes_back_cell_by_cell() {
    let pieces = [
        "", "a", "Ä", "ß", "日本", "😀", "\"", ",", ";", "\t", "|", "\n", "\r\n", "\r", " ", "0",
        "7", "42", "-1", "1.5", ".", "e", "+", "null", "true", "=1+1", "\u{feff}", "\u{85}",
        "\u{2028}", "\\", "\\n", "'", "\u{7f}",
    ];
    let mut dice = Dice(2_024);
    for round in 0..400 {
        let columns = 1 + dice.roll(6);
        let rows = 1 + dice.roll(60);
        let delimiter = [b',', b';', b'\t', b'|'][dice.roll(4)];
        let terminator = [
            csv::Terminator::CRLF,
            csv::Terminator::Any(b'\n'),
            csv::Terminator::Any(b'\r'),
        ][dice.roll(3)];
        let mut table: Vec<Vec<String>> = vec![(0..columns).map(|c| format!("h{c}")).collect()];
        for _ in 0..rows {
            table.push(
                (0..columns)
                    .map(|_| (0..dice.roll(4)).map(|_| dice.pick(&pieces)).collect())
                    .collect(),
            );
        }
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(terminator)
            .quote_style([csv::QuoteStyle::Necessary, csv::QuoteStyle::Always][dice.roll(2)])
            .from_writer(Vec::new());
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let bytes = match dice.roll(4) {
            0 => format!("\u{feff}{text}").into_bytes(),
            1 => format!("\u{feff}{text}")
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
            2 => format!("\u{feff}{text}")
                .encode_utf16()
                .flat_map(u16::to_be_bytes)
                .collect(),
            _ => text.into_bytes(),
        };
        // The separator is given: random text may look more even with another one.
        let options = ReadOptions {
            delimiter: Some(char::from(delimiter)),
            header_row: Some(1),
            ..ReadOptions::default()
        };
        let wanted: Vec<(u32, &Vec<String>)> = (1..)
            .zip(&table)
            .skip(1)
            .filter(|(_, row)| row.iter().any(|field| !field.is_empty()))
            .collect();
        let read = read_with(&bytes, &options, &Limits::default());
        if wanted.is_empty() {
            assert_eq!(refused(read), Code::EmptyFile);
            continue;
        }
        let read = read.unwrap();
        assert_eq!(read.rows.len(), wanted.len(), "round {round}");
        for ((number, fields), row) in wanted.iter().zip(&read.rows) {
            assert_eq!(row.number, *number, "round {round}");
            for (column, field) in fields.iter().enumerate() {
                let found = read.text(*number, column).unwrap_or_default();
                assert_eq!(&found, field, "round {round} row {number} column {column}");
            }
        }
    }
}

#[test]
fn a_header_is_found_under_titles_of_any_kind() {
    let mut dice = Dice(7);
    let titles = [
        "Customer list",
        "as of 31.10.2026",
        "Confidential, do not share",
        "https://example.com/list",
        "2026",
    ];
    let words = [
        "Name", "City", "E-mail", "Phone", "Size", "Country", "Since", "Revenue", "Note",
    ];
    for round in 0..500 {
        let above = dice.roll(5);
        let columns = 3 + dice.roll(6);
        let mut text = String::new();
        for _ in 0..above {
            let title = dice.pick(&titles);
            if dice.roll(3) == 0 {
                text.push('\n');
            } else {
                let _ = writeln!(text, "\"{title}\"");
            }
        }
        let header: Vec<&str> = words.iter().take(columns).copied().collect();
        let _ = writeln!(text, "{}", header.join(";"));
        for n in 0..1 + dice.roll(40) {
            let mut row: Vec<String> = vec![format!("Firm {n}")];
            for column in 1..columns {
                row.push(match (column + dice.roll(2)) % 4 {
                    _ if dice.roll(6) == 0 => String::new(),
                    0 => "Köln, am Rhein".to_owned(),
                    1 => format!("a{n}@example.com"),
                    2 => format!("{n},50"),
                    _ => format!("{n}"),
                });
            }
            let _ = writeln!(text, "{}", row.join(";"));
        }
        let read = read(&text);
        assert_eq!(read.names(), header, "round {round}\n{text}");
        assert_eq!(read.file.delimiter, Some(';'), "round {round}\n{text}");
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if folder.join("manifest.json").exists() {
        return Some(folder);
    }
    eprintln!("skipped: the corpus is not here");
    None
}

#[test]
fn mutilated_files_are_read_or_refused_and_never_end_the_program() {
    let Some(folder) = corpus() else { return };
    let limits = Limits {
        cell_bytes_text_max: 4_096,
        columns_max: 200,
        ..Limits::default()
    };
    let pieces: [&[u8]; 12] = [
        b"\"",
        b"\"\"",
        b"\0",
        b"\r",
        b"\n",
        b"\t",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xc3",
        b"\xd8\x00",
        b"sep=;\n",
        b"\x1b$B",
    ];
    let mut dice = Dice(11);
    let (mut read, mut refused) = (0, 0);
    for kind in ["csv", "tsv"] {
        for entry in std::fs::read_dir(folder.join("files").join(kind)).unwrap() {
            let whole = std::fs::read(entry.unwrap().path()).unwrap();
            for _ in 0..12 {
                let mut bytes = whole[..dice.roll(whole.len()) + 1].to_vec();
                bytes.truncate(20_000);
                for _ in 0..dice.roll(6) {
                    let at = dice.roll(bytes.len());
                    match dice.roll(3) {
                        0 => bytes[at] = u8::try_from(dice.roll(256)).unwrap(),
                        1 => drop(bytes.splice(at..at, dice.pick(&pieces).iter().copied())),
                        _ => drop(bytes.drain(at..(at + dice.roll(50)).min(bytes.len()))),
                    }
                    if bytes.is_empty() {
                        bytes.push(b'x');
                    }
                }
                match read_with(&bytes, &ReadOptions::default(), &limits) {
                    Ok(_) => read += 1,
                    Err(Error::Problem(_)) => refused += 1,
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }
    assert!(read > 100 && refused > 10, "{read} {refused}");
}

#[test]
fn the_text_files_of_the_corpus_are_read_cell_by_cell() {
    let Some(folder) = corpus() else { return };
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let mut files = 0;
    for entry in manifest.as_array().unwrap() {
        if !matches!(entry["format"].as_str(), Some("csv" | "tsv")) {
            continue;
        }
        let name = entry["file"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(name)).unwrap();
        files += 1;
        // Over the contract's bound on columns.
        if name.ends_with("wide_20000_columns.csv") {
            assert_eq!(refusal(&bytes), Code::TooComplex);
            continue;
        }
        // Too few letters to guess their encoding from: here the user has to say it.
        let encoding = name
            .ends_with("russian.2.csv")
            .then(|| "windows-1251".to_owned());
        let options = ReadOptions {
            encoding,
            ..ReadOptions::default()
        };
        let text = match read_with(&bytes, &options, &Limits::default()) {
            Ok(text) => text,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        if text.file.delimiter.map(String::from).as_deref() != entry["csv"]["delimiter"].as_str() {
            wrong.push(format!("{name}: separated by {:?}", text.file.delimiter));
        }
        let header_row = text.info.header_row.unwrap();
        for cell in entry["sheets"][0]["cells"].as_array().unwrap() {
            let row = u32::try_from(cell[0].as_u64().unwrap()).unwrap() + 1;
            let column = usize::try_from(cell[1].as_u64().unwrap()).unwrap();
            let value = cell[3].as_str().unwrap_or("");
            if row < header_row || value.is_empty() {
                continue;
            }
            let found = text
                .text(row, column)
                .unwrap_or_default()
                .replace("\r\n", "\n")
                .replace('\r', "\n");
            let same = if cell[4]["cut"].is_null() {
                found == value.replace("\r\n", "\n").replace('\r', "\n")
            } else {
                found.starts_with(&value.replace("\r\n", "\n"))
            };
            if !same {
                wrong.push(format!("{name} {row}/{column}: {found:?}, not {value:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files > 20);
}
