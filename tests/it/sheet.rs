//! Rows become a sheet: headers, names, values, bounds.

use std::borrow::Cow;

use sheetline::error::Error;
use sheetline::sheet::assemble::{Assembler, Found, Merge, Sheet};
use sheetline::sheet::protocol::{self, Output};
use sheetline::sheet::{Event, Kind, Limits, Row, SheetInfo, Visibility};
use sheetline::words::Code;

/// A sheet that has been put together.
struct Put {
    info: SheetInfo,
    rows: Vec<Row>,
}

impl Put {
    fn names(&self) -> Vec<&str> {
        self.info.columns.iter().map(|c| c.name.as_str()).collect()
    }

    fn codes(&self) -> Vec<&str> {
        self.info.notices.iter().map(|n| n.code.as_str()).collect()
    }

    fn cells(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row.cells.as_str()).collect()
    }
}

fn sheet() -> Sheet {
    Sheet {
        position: 0,
        name: Some("S".to_owned()),
        visibility: Visibility::Visible,
        merges: Vec::new(),
        header_row: None,
        workbook: true,
    }
}

type Cells<'a> = Vec<(usize, Found<'a>)>;

fn assemble(sheet: Sheet, rows: &[(u32, Cells<'_>)], limits: &Limits) -> Result<Put, Error> {
    let mut bytes = Vec::new();
    let mut out = Output::new(&mut bytes, limits);
    let mut assembler = Assembler::new(sheet, &mut out);
    for (number, cells) in rows {
        assembler.row(*number, cells, None)?;
    }
    let info = assembler.finish()?;
    let text = String::from_utf8(bytes).unwrap();
    let mut rows = Vec::new();
    for event in protocol::events(&text)? {
        match event {
            Event::Row(row) => rows.push(row),
            Event::SheetEnd(told) => assert_eq!(*told, info),
            other @ (Event::Sheet(_) | Event::Estimate(_) | Event::Done(_)) => panic!("{other:?}"),
        }
    }
    Ok(Put { info, rows })
}

/// Rows from row 1 on, of texts split at `|`; numbers are numbers.
fn rows<'a>(lines: &[&'a str]) -> Vec<(u32, Cells<'a>)> {
    lines
        .iter()
        .enumerate()
        .map(|(at, line)| (u32::try_from(at).unwrap() + 1, cells(line)))
        .collect()
}

fn cells(line: &str) -> Cells<'_> {
    line.split('|')
        .enumerate()
        .filter(|(_, text)| !text.is_empty())
        .map(|(column, text)| {
            let found = match text.parse::<f64>() {
                Ok(number) => Found::Number(number),
                Err(_) => Found::Text(Cow::Borrowed(text)),
            };
            (column, found)
        })
        .collect()
}

fn put(lines: &[&str]) -> Put {
    assemble(sheet(), &rows(lines), &Limits::default()).unwrap()
}

fn put_merged(lines: &[&str], merges: &[(u32, u32, usize, usize)]) -> Put {
    let merges = merges
        .iter()
        .map(|(first_row, last_row, first_column, last_column)| Merge {
            first_row: *first_row,
            last_row: *last_row,
            first_column: *first_column,
            last_column: *last_column,
        })
        .collect();
    assemble(
        Sheet { merges, ..sheet() },
        &rows(lines),
        &Limits::default(),
    )
    .unwrap()
}

#[track_caller]
fn code(result: Result<Put, Error>) -> Code {
    match result.err() {
        Some(Error::Problem(problem)) => problem.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn titles_and_blank_rows_above_the_header_are_skipped_and_told() {
    let put = put(&[
        "Customer list",
        "",
        "As of|31.10.2026",
        "",
        "Name|City|Size|Since",
        "Acme|Berlin|12|2001",
        "",
        "Bolt|Rome|7|1999",
    ]);
    assert_eq!(put.info.header_row, Some(5));
    assert_eq!(put.names(), ["Name", "City", "Size", "Since"]);
    assert_eq!(put.codes(), ["title-row", "title-row"]);
    assert_eq!(put.info.notices[0].cell.as_deref(), Some("A1"));
    assert!(put.info.notices[0].message.contains("Customer list"));
    assert_eq!(
        put.rows.iter().map(|r| r.number).collect::<Vec<_>>(),
        [6, 8]
    );
    assert_eq!(put.info.rows, 2);
}

#[test]
fn the_first_row_is_the_header_where_nothing_says_otherwise() {
    for lines in [
        &["1|2|3", "4|5|6", "7|8|9"][..],
        &["Name", "Acme", "Bolt"],
        &["a|a|a", "x|y|z"],
        &["Name|City", "Acme|Berlin"],
        &["1|2", "a|b", "c|d"],
        &["Company|Mail", "Acme|a@acme.example", "Bolt|b@bolt.example"],
        &["Title", "1|2|3", "4|5|6"],
    ] {
        let put = put(lines);
        assert_eq!(put.info.header_row, Some(1), "{lines:?}");
        assert_eq!(put.info.rows, u64::try_from(lines.len() - 1).unwrap());
    }
}

#[test]
fn rows_above_the_header_are_kept_within_bounds() {
    let above = |lines: &[&str], given: Option<u32>| {
        let sheet = Sheet {
            header_row: given,
            ..sheet()
        };
        let info = assemble(sheet, &rows(lines), &Limits::default())
            .unwrap()
            .info;
        let cut = info.notices.iter().any(|n| n.code == "title-rows-cut");
        let kept: Vec<(u32, String)> = info
            .above
            .iter()
            .map(|t| (t.row, t.cells.clone()))
            .collect();
        (kept, cut)
    };
    let (kept, cut) = above(
        &["List||7", "", "Name|City|Size", "Acme|Rome|5", "B|C|6"],
        None,
    );
    assert_eq!(kept, [(1, r#"["List",null,7]"#.to_owned())]);
    assert!(!cut);
    // The upper line of a header too.
    let put = put_merged(
        &["||Address||", "Name|Size|Street|City|Mail", "Acme|3|x|y|z"],
        &[(1, 1, 2, 3)],
    );
    assert_eq!(put.info.above[0].cells, r#"[null,null,"Address"]"#);

    let mut lines = vec!["Title"; 30];
    lines.extend(["Name|City", "Acme|Rome"]);
    let (kept, cut) = above(&lines, Some(31));
    assert_eq!((kept.len(), cut), (30, false));
    lines.insert(0, "Title");
    let (kept, cut) = above(&lines, Some(32));
    assert_eq!((kept.len(), cut), (30, true));

    let long = "x".repeat(32_767);
    let (kept, cut) = above(&[&long, &long, "Name|City|Size", "A|B|5"], Some(3));
    assert_eq!((kept.len(), cut), (2, false));
    let (kept, cut) = above(&[&long, &long, "yyy", "Name|City|Size", "A|B|5"], Some(4));
    assert_eq!((kept.len(), cut), (2, true));
}

#[test]
fn a_header_is_found_below_titles_of_several_cells() {
    for (row, lines) in [
        (
            3,
            &[
                "Company list|as of May",
                "",
                "Company Name|LinkedIn_URL|Founded",
                "A|https://l.example/a|2020",
                "B|https://l.example/b|2021",
            ][..],
        ),
        (
            4,
            &[
                "From|2026-01-01",
                "To|2026-05-01",
                "",
                "Name|City|Sum",
                "A|B|5",
                "C|D|6",
            ],
        ),
        (
            5,
            &[
                "Company list|as of May",
                "Date|2026-05-01",
                "Version|3",
                "",
                "Name|City|Since",
                "A|B|2020-01-01",
                "C||2021-01-01",
                "D|E|",
            ],
        ),
        (
            3,
            &[
                "Confidential|Internal|Draft|v2",
                "",
                "Name|Link|Site|Size|Branch|Revenue",
                "A|https://l.example/a|https://a.example|5|Tech|500",
                "B|https://l.example/b|https://b.example|6|Tech|600",
            ],
        ),
        // Facts as wide as two thirds of the table, with numbers in them.
        (
            4,
            &[
                "Acme Ltd",
                "Report no|4711",
                "",
                "Name|Zip|Qty",
                "A|10115|5",
                "B|20095|6",
            ],
        ),
        (
            4,
            &[
                "Acme Ltd",
                "Rows|8|Date|45000",
                "",
                "Name|Link|Site|Size|Branch|Revenue",
                "A|https://l.example/a|https://a.example|5|Tech|500",
                "B|https://l.example/b|https://b.example|6|Tech|600",
            ],
        ),
        // No header at all: two blocks of rows.
        (1, &["A|5", "B|6", "", "C|7", "D|8"]),
        // Nothing but words, and nothing but the title's width and a blank row to go by.
        (
            3,
            &[
                "Company list|as of May",
                "",
                "Name|City|Note",
                "A|B|x",
                "C|D|y",
            ],
        ),
        // No blank row, but a name above values.
        (
            2,
            &[
                "Company list|as of May",
                "Name|Link|Founded",
                "A|https://l.example/a|2020",
                "B|https://l.example/b|2021",
            ],
        ),
        // A column that is rarely filled.
        (
            3,
            &[
                "Company list|as of May",
                "",
                "Name|Size|Note",
                "A|5",
                "B|6",
                "C|7|late",
            ],
        ),
        // As wide as the table, but not what labels look like.
        (
            3,
            &["Company list|as of May", "", "Name|Size", "A|5", "B|6"],
        ),
        (3, &["Stand|Mai 2026", "", "Name|Size", "A|5", "B|6"]),
        // As wide as the table, but facts.
        (
            4,
            &[
                "From|2026-01-01",
                "To|2026-05-01",
                "",
                "Name|Sum",
                "A|5",
                "B|6",
            ],
        ),
    ] {
        assert_eq!(put(lines).info.header_row, Some(row), "{lines:?}");
    }
}

#[test]
fn labels_above_records_that_fill_few_columns_win_over_a_title() {
    for (row, lines) in [
        (
            3,
            &[
                "Inventory|North|Oct 2024",
                "",
                "Article|Kind|Place|Target|Actual|Note",
                "1001|table|A1",
                "1002|chair|A2",
                "1003|bed|A2",
            ][..],
        ),
        (
            2,
            &["Members|Course 5", "No|Name|Signature", "1|A", "2|B", "3|C"],
        ),
        (
            3,
            &[
                "Report|Clients",
                "Filter|all",
                "Account|Name|Firm|Short|Title|Street|Zip",
                "1|A",
                "2|B",
                "3|C",
            ],
        ),
        (
            5,
            &[
                "Firm|Acme",
                "Client|4711",
                "Year|2024",
                "",
                "Account|Name|Debit|Credit",
                "1000|cash",
                "1200|bank",
            ],
        ),
        // Facts as wide as the table, without a blank row.
        (
            3,
            &[
                "Statement|DE02120300|EUR",
                "Balance|1234.5|H",
                "Date|Text|Sum",
                "2024-01-01|rent|-5",
                "2024-01-02|wage|6",
            ],
        ),
        (
            2,
            &[
                "From:|01.01.2024|To:|31.12.2024",
                "Article|Kind|Price|Count",
                "1|table|12.5|3",
                "2|chair|10|1",
            ],
        ),
        // The technical line of a DATEV export.
        (
            2,
            &[
                "EXTF|700|21|Buchungsstapel|13|20240130140440439||RE",
                "Umsatz|Kennzeichen|WKZ|Kurs|Konto|Gegenkonto|Leerfeld|Leerfeld|Beleg",
                "24,95|H|||48400|0840",
                "5,00|S|||48400|0840",
                "6,00|S|||48400|0840",
            ],
        ),
        // Records, and a first one that says more than the others.
        (1, &["Name|Size", "", "Bolt|n/a|late", "Acme|5", "Cold|7"]),
        (1, &["Name|Size", "Bolt|n/a|late", "Acme|5", "Cold|7"]),
        (1, &["Name|Size", "Acme|5", "", "Bolt|n/a|late", "Cold|7"]),
    ] {
        assert_eq!(put(lines).info.header_row, Some(row), "{lines:?}");
    }
}

#[test]
fn the_label_of_a_list_of_one_column_is_found_below_a_title_or_it_is_told() {
    for (row, lines) in [
        (3, &["Clients 2024", "", "E-Mail", "a@x.de", "b@x.de"][..]),
        (
            4,
            &["Newsletter", "Export of 1 Oct", "", "E-Mail", "a@x.de"],
        ),
        (3, &["Clients", "", "No", "1", "2", "3"]),
        (1, &["E-Mail", "", "a@x.de", "b@x.de", "c@x.de"]),
        (1, &["E-Mail", "a@x.de", "", "n/a", "c@x.de"]),
        (1, &["Name", "Ann", "Bob"]),
    ] {
        let put = put(lines);
        assert_eq!(put.info.header_row, Some(row), "{lines:?}");
        assert!(!put.codes().contains(&"header-guessed"), "{lines:?}");
    }
    let words = put(&["List", "", "Name", "A", "B", "C"]);
    assert_eq!(words.info.header_row, Some(1));
    assert_eq!(words.codes(), ["header-guessed"]);
    let facts = put(&[
        "Export|2024-01-01|v2|5",
        "Article|Kind|Price|Count",
        "1|table|12.5|3",
        "2|chair|10|1",
    ]);
    assert_eq!(facts.info.header_row, Some(1));
    assert_eq!(facts.codes(), ["header-guessed"]);
}

#[test]
fn a_first_row_that_is_the_header_stays_it() {
    for lines in [
        // Blank rows inside the data.
        &["Name|City|Size", "", "Acme|Rome|5", "", "Bolt|Ulm|6"][..],
        &["Name|City", "", "Acme|Rome", "", "Bolt|Ulm"],
        &["Name|Size", "Acme|5", "", "Bolt|n/a", "Cold|7", "Dome|8"],
        &["Name|Size", "", "Acme|n/a", "Bolt|6", "Cold|7"],
        &["Name|Number of staff", "", "Acme|n/a", "Bolt|6", "Cold|?"],
        &["Name|Number of staff", "Acme|5", "", "Bolt|n/a", "Cold|7"],
        // A column without a label, the first of its rows all words.
        &[
            "Name|Size",
            "Acme|5",
            "",
            "Bolt|unknown|late",
            "Cold|7|x",
            "Dome|8|y",
        ],
        &["Name|City", "Acme|Rome|n/a", "Bolt|Ulm|5", "Cold|Kiel|6"],
        &["Name|City", "Acme|Rome", "", "Bolt|Ulm|note", "Cold|Kiel"],
        // A line that explains the labels.
        &[
            "Name|Link|Size",
            "(text)|(link)|(n)",
            "Acme|https://a.example|5",
        ],
        // Half empty rows.
        &[
            "Name|City|Size|Note",
            "Acme|Rome",
            "Bolt|Ulm",
            "Cold|Kiel|x|y",
        ],
        // Lists without any header.
        &["Acme|Rome", "Bolt|Ulm", "", "Cold|Kiel"],
        &["Acme|Rome", "Bolt|Ulm|x", "", "Cold|Kiel", "Dome|Bonn|y"],
        &["Acme|5", "Bolt|6", "", "Cold|n/a", "Dome|8"],
    ] {
        assert_eq!(put(lines).info.header_row, Some(1), "{lines:?}");
    }
}

#[test]
fn years_and_dates_over_other_values_are_headers() {
    let years = put(&[
        "GDP",
        "",
        "Country|2019|2020|2021",
        "DE|1.5|2.5|3.5",
        "FR|1|2|3",
    ]);
    assert_eq!(years.names(), ["Country", "2019", "2020", "2021"]);
    let day = |text: &'static str| Found::Moment(Kind::Date, Cow::Borrowed(text));
    let rows = vec![
        (1, vec![(0, Found::Text("Plan".into()))]),
        (
            2,
            vec![
                (0, Found::Text("Team".into())),
                (1, day("2024-01-01")),
                (2, day("2024-02-01")),
            ],
        ),
        (
            3,
            vec![
                (0, Found::Text("A".into())),
                (1, Found::Number(3.0)),
                (2, Found::Number(4.0)),
            ],
        ),
    ];
    let dates = assemble(sheet(), &rows, &Limits::default()).unwrap();
    assert_eq!(dates.names(), ["Team", "2024-01-01", "2024-02-01"]);
}

#[test]
fn cells_are_positional_and_say_what_they_were() {
    let rows = vec![
        (1, cells("a|b|c|d|e|f|g")),
        (
            4,
            vec![
                (1, Found::Text("007\t\"x\"\n".into())),
                (2, Found::Number(12.0)),
                (3, Found::Moment(Kind::Date, "2024-10-06".into())),
                (5, Found::Bool(true)),
                (6, Found::Error("#N/A".into())),
                (7, Found::Text("".into())),
            ],
        ),
        (
            5,
            vec![(0, Found::Number(f64::NAN)), (2, Found::Number(0.1))],
        ),
    ];
    let put = assemble(sheet(), &rows, &Limits::default()).unwrap();
    assert_eq!(
        put.cells(),
        [
            r#"[null,"007\t\"x\"\n",12,"2024-10-06",null,true,null]"#,
            "[null,null,0.1]"
        ]
    );
    assert_eq!(put.rows[0].kinds.as_deref(), Some("...d..e"));
    assert_eq!(put.rows[1].kinds, None);
    assert_eq!(put.info.error_cells, 1);
    assert_eq!(put.info.error_cells_first, ["G4"]);
    assert_eq!(put.codes(), ["not-a-number"]);
    assert_eq!(put.info.columns.len(), 7);
}

#[test]
fn an_error_in_the_header_is_counted_and_names_no_column() {
    let error = Found::Error(Cow::Borrowed("#REF!"));
    let mut lines = rows(&["Name|?|Size", "Acme|Berlin|12"]);
    lines[0].1[1].1 = error;
    let put = assemble(sheet(), &lines, &Limits::default()).unwrap();
    assert_eq!(put.names(), ["Name", "column_2", "Size"]);
    assert_eq!(put.info.error_cells, 1);
    assert_eq!(put.info.error_cells_first, ["B1"]);
    assert_eq!(put.codes(), ["blank-label"]);
}

#[test]
fn only_rows_of_spaces_are_said_to_be_some() {
    let mut lines = rows(&["Name|City", "?|", "?|", " |?", " | ", "Acme|Berlin"]);
    lines[1].1[0].1 = Found::Error(Cow::Borrowed("#N/A"));
    lines[2].1[0].1 = Found::Number(f64::NAN);
    lines[3].1[1].1 = Found::Error(Cow::Borrowed("#N/A"));
    let put = assemble(sheet(), &lines, &Limits::default()).unwrap();
    let told = put.info.notices.iter().filter(|n| n.code == "spaces-only");
    let cells: Vec<_> = told.map(|n| n.cell.as_deref()).collect();
    assert_eq!(cells, [Some("A5")]);
}

#[test]
fn columns_without_name_or_value_are_dropped_and_others_are_named() {
    let put = put(&["Name||City| |Name|", "Acme||Berlin|x|b||9"]);
    assert_eq!(
        put.names(),
        ["Name", "City", "column_4", "Name_2", "column_7"]
    );
    let indices: Vec<usize> = put.info.columns.iter().map(|c| c.index).collect();
    assert_eq!(indices, [0, 2, 3, 4, 6]);
    assert_eq!(
        put.codes(),
        ["blank-label", "duplicate-label", "blank-label"]
    );
    assert_eq!(put.info.notices[0].cell.as_deref(), Some("D1"));
}

#[test]
fn group_headers_are_joined_with_the_ones_below() {
    // Name is merged over both lines, Address and Contact over two columns each.
    let put = put_merged(
        &[
            "Report",
            "Name|Address||Contact|",
            "|Street|City|Phone|Mail",
            "Acme|Long Street 1|Berlin|123|x",
        ],
        &[(1, 1, 0, 4), (2, 3, 0, 0), (2, 2, 1, 2), (2, 2, 3, 4)],
    );
    assert_eq!(put.info.header_row, Some(3));
    assert_eq!(
        put.names(),
        [
            "Name",
            "Address Street",
            "Address City",
            "Contact Phone",
            "Contact Mail"
        ]
    );
    assert_eq!(put.info.rows, 1);
    assert_eq!(put.codes(), ["title-row", "header-joined"]);

    // A group above a header that is whole.
    let put = put_merged(
        &["||Address||", "Name|Size|Street|City|Mail", "Acme|3|x|y|z"],
        &[(1, 1, 2, 3)],
    );
    assert_eq!(
        put.names(),
        ["Name", "Size", "Address Street", "Address City", "Mail"]
    );
}

#[test]
fn a_group_header_between_columns_of_one_line_is_joined_and_a_title_is_not() {
    // Only Address is merged; Name and Total have nothing below them in the second line.
    let rows = [
        "Name|Address||Total",
        "|Street|City|",
        "Acme|Long Street 1|Berlin|1",
        "Bolt|Via Appia|Rome|2",
    ];
    let put = put_merged(&rows, &[(1, 1, 1, 2)]);
    assert_eq!(
        put.names(),
        ["Name", "Address Street", "Address City", "Total"]
    );
    assert_eq!((put.info.header_row, put.info.rows), (Some(2), 2));
    assert_eq!(put.codes(), ["header-joined"]);
    // The second line is the only one, and so a row.
    let put = put_merged(&rows[..2], &[(1, 1, 1, 2)]);
    assert_eq!(put.info.rows, 1);
    // A title over the columns of the list, with a note beside it.
    let put = put_merged(
        &[
            "Customers|||2026",
            "Name|Street|City|",
            "Acme|x|y|",
            "Bolt|x|y|",
        ],
        &[(1, 1, 0, 2)],
    );
    assert_eq!(put.names(), ["Name", "Street", "City"]);
    // A title that begins right of the first column.
    let put = put_merged(
        &["|Customers|||", "|Name|Street|City|Mail", "1|Acme|x|y|z"],
        &[(1, 1, 1, 4)],
    );
    assert_eq!(put.names(), ["column_1", "Name", "Street", "City", "Mail"]);
    // A row whose merged cell stands above two texts, below a header that is whole.
    let put = put_merged(
        &[
            "Name|Street|City|Total",
            "Acme|Long||1",
            "|x|y|",
            "Bolt|x|y|2",
        ],
        &[(2, 2, 1, 2)],
    );
    assert_eq!(put.names(), ["Name", "Street", "City", "Total"]);
    assert_eq!(put.info.rows, 3);
}

#[test]
fn merged_titles_and_sloppy_merges_are_no_group_headers() {
    let title = put_merged(
        &["Customers||||", "Name|Size|Street|City", "Acme|3|x|y"],
        &[(1, 1, 0, 3)],
    );
    assert_eq!(title.names(), ["Name", "Size", "Street", "City"]);
    assert_eq!(title.info.header_row, Some(2));
    // A title over all columns that does not stand alone in its row.
    let title = put_merged(
        &["Customers||||2024", "Name|Size|Street|City|", "Acme|3|x|y|"],
        &[(1, 1, 0, 3)],
    );
    assert_eq!(title.names(), ["Name", "Size", "Street", "City"]);
    let sloppy = put_merged(
        &["Name|City||Mail", "Acme|Berlin||a", "Bolt|Rome||b"],
        &[(1, 1, 1, 2), (2, 2, 1, 2), (3, 3, 1, 2)],
    );
    assert_eq!(sloppy.names(), ["Name", "City", "Mail"]);
    assert_eq!(sloppy.info.rows, 2);
}

#[test]
fn a_second_line_below_one_merged_group_is_part_of_the_header() {
    let lines = ["Client||Total", "First|Last|EUR", "Ann|Bee|2", "Cal|Dee|4"];
    let put = put_merged(&lines, &[(1, 1, 0, 1)]);
    assert_eq!(put.names(), ["Client First", "Client Last", "Total EUR"]);
    assert_eq!(put.info.header_row, Some(2));
    // Without values below it, it may be a record.
    let lines = [
        "Client||Total",
        "First|Last|EUR",
        "Ann|Bee|two",
        "Cal|Dee|four",
    ];
    let put = put_merged(&lines, &[(1, 1, 0, 1)]);
    assert_eq!(put.info.header_row, Some(1));
}

#[test]
fn a_header_cell_that_reaches_down_beside_the_records_takes_none_of_them() {
    let lines = [
        "Customers|||",
        "2021|Name|Dept|Age",
        "|Jack|IT|24",
        "|Leo|IT|40",
        "|Mike|HR|19",
    ];
    let put = put_merged(&lines, &[(1, 1, 0, 3), (2, 5, 0, 0)]);
    assert_eq!(put.names(), ["2021", "Name", "Dept", "Age"]);
    assert_eq!((put.info.header_row, put.info.rows), (Some(2), 3));
    // Years below a label are labels of their own.
    let lines = ["Name|Revenue|", "|2023|2024", "Acme|5|6", "Bolt|7|8"];
    let put = put_merged(&lines, &[(1, 2, 0, 0), (1, 1, 1, 2)]);
    assert_eq!(put.names(), ["Name", "Revenue 2023", "Revenue 2024"]);
}

#[test]
fn a_count_of_the_columns_above_the_header_is_none() {
    let put = put(&["1|2|3", "Name|Zip|City", "Ann|b1|Bonn", "Bob|b2|Ulm"]);
    assert_eq!(put.info.header_row, Some(2));
    assert_eq!(put.names(), ["Name", "Zip", "City"]);
}

#[test]
fn a_header_that_would_leave_no_row_is_none() {
    let narrow = put(&["Name|Mail", "Ann|mail|call|x|y|z"]);
    assert_eq!(narrow.info.header_row, Some(1));
    assert_eq!(narrow.info.rows, 1);
    // What reads like a title, or stands apart, is none.
    for lines in [
        &["Company list|as of May", "Name|City|Size|Since|Sum"][..],
        &["Client|Acme", "", "Name|City|Size|Since|Sum"],
    ] {
        assert_eq!(put(lines).info.rows, 0, "{lines:?}");
    }
}

#[test]
fn a_narrow_header_stays_it_where_a_value_stands_below_a_label() {
    let header = |lines: &[&str]| put(lines).info.header_row;
    let narrow = [
        "Name|Mail",
        "Ann|ann@x.example|call back|tomorrow|please",
        "Bob|bob@x.example|n|m|o",
    ];
    assert_eq!(header(&narrow), Some(1));
    // Words above words are a title, as far as anybody can tell; so is a title above numbers.
    let title = [
        "Customers|Germany",
        "Name|City|Size|Kind|Note",
        "Acme|Bonn|big|x|a",
        "Bolt|Ulm|big|y|b",
    ];
    assert_eq!(header(&title), Some(2));
    let years = [
        "Sales|Germany",
        "Region|2023|2024|2025",
        "North|1|2|3",
        "South|4|5|6",
    ];
    assert_eq!(header(&years), Some(2));
}

#[test]
fn a_header_without_proof_is_told() {
    let guessed = |lines: &[&str]| {
        let put = put(lines);
        let told = put.info.notices.into_iter();
        told.filter(|n| n.code == "header-guessed")
            .map(|n| n.cell)
            .collect::<Vec<_>>()
    };
    let cell = |name: &str| vec![Some(name.to_owned())];
    assert_eq!(guessed(&["1|2|3", "4|5|6", "7|8|9"]), cell("A1"));
    assert_eq!(
        guessed(&["Acme|Bonn|a@x.de", "Beta|Ulm|b@x.de"]),
        cell("C1")
    );
    assert_eq!(guessed(&["Note", "Ann|1|2", "Bob|3|4"]), cell("A1"));
    // A table above another one is no title.
    let two = [
        "Name|Mail",
        "Ann|a",
        "Bob|b",
        "",
        "Site|Kind|Size|Sum",
        "w|i|5|6",
        "w|i|7|8",
    ];
    assert_eq!(guessed(&two), cell("A5"));
    assert_eq!(guessed(&["Name|City", "Acme|Bonn"]), []);
    let title = [
        "Customers",
        "As of|2026-05-04",
        "",
        "Name|City|Size",
        "Acme|Bonn|12",
    ];
    assert_eq!(guessed(&title), []);
}

#[test]
fn a_cell_merged_down_is_filled_into_rows_that_have_values() {
    let put = put_merged(
        &[
            "Region|City|Size",
            "North|Kiel|1",
            "|Husum|2",
            "",
            "|Emden|3",
            "South|Ulm|4",
        ],
        &[(2, 5, 0, 0), (2, 2, 1, 2)],
    );
    assert_eq!(
        put.cells(),
        [
            r#"["North","Kiel",1]"#,
            r#"["North","Husum",2]"#,
            r#"["North","Emden",3]"#,
            r#"["South","Ulm",4]"#
        ]
    );
    assert_eq!(put.codes(), ["merged-filled"]);
    assert_eq!(put.info.notices[0].cell.as_deref(), Some("A2"));
}

#[test]
fn a_merge_over_a_million_rows_makes_no_rows() {
    let put = put_merged(
        &["Region|City", "North|Kiel", "|Husum"],
        &[(2, 1_048_576, 0, 0), (2, 1_048_576, 1, 16_383)],
    );
    assert_eq!(put.info.rows, 2);
}

#[test]
fn a_header_row_that_is_given_is_the_header() {
    let given = |row, lines: &[&str]| {
        let sheet = Sheet {
            header_row: Some(row),
            ..sheet()
        };
        assemble(sheet, &rows(lines), &Limits::default())
    };
    let lines = ["Title", "A|B", "C|D", "1|2", "", "3|4"];
    let put = given(3, &lines).unwrap();
    assert_eq!(put.names(), ["C", "D"]);
    assert_eq!(put.codes(), ["title-row", "title-row"]);
    assert_eq!(put.info.rows, 2);
    // A blank row as the header: all names are made.
    let put = given(5, &lines).unwrap();
    assert_eq!(put.names(), ["column_1", "column_2"]);
    assert_eq!((put.info.header_row, put.info.rows), (Some(5), 1));
    // The last row, and beyond it.
    let put = given(6, &lines).unwrap();
    assert_eq!((put.names(), put.info.rows), (vec!["3", "4"], 0));
    assert_eq!(code(given(7, &lines)), Code::BadRequest);
    assert_eq!(code(given(u32::MAX, &lines)), Code::BadRequest);
    let empty = given(7, &[]).unwrap();
    assert_eq!((empty.info.header_row, empty.info.rows), (None, 0));
}

#[test]
fn each_bound_holds_on_both_sides() {
    let limits = Limits {
        rows_workbook_max: 2,
        columns_max: 3,
        cell_chars_workbook_max: 4,
        ..Limits::default()
    };
    let ok = |lines: &[&str]| assemble(sheet(), &rows(lines), &limits);
    assert_eq!(ok(&["a|b|c", "1|2|3", "4|5|6"]).unwrap().info.rows, 2);
    assert_eq!(
        code(ok(&["a|b|c", "1|2|3", "4|5|6", "7"])),
        Code::TooComplex
    );
    assert_eq!(code(ok(&["a|b|c", "1|2|3|4"])), Code::TooComplex);
    assert_eq!(code(ok(&["a|b|c|d", "1"])), Code::TooComplex);
    // Four UTF-16 units, eight bytes; then five units.
    assert!(ok(&["a", "ääää", "😀😀"]).is_ok());
    assert_eq!(code(ok(&["a", "äääää"])), Code::TooComplex);
    assert_eq!(code(ok(&["a", "😀😀a"])), Code::TooComplex);
    assert_eq!(code(ok(&["abcde", "x"])), Code::TooComplex);
    let beyond = vec![(1, cells("a")), (1_048_577, cells("1"))];
    assert_eq!(code(assemble(sheet(), &beyond, &limits)), Code::TooComplex);
}

#[test]
fn rows_and_columns_out_of_order_are_damage() {
    let twice = vec![(1, cells("a|b")), (2, cells("1|2")), (2, cells("3|4"))];
    assert_eq!(
        code(assemble(sheet(), &twice, &Limits::default())),
        Code::UnreadableFile
    );
    let mixed = vec![(1, vec![(1, Found::Bool(true)), (0, Found::Bool(false))])];
    assert_eq!(
        code(assemble(sheet(), &mixed, &Limits::default())),
        Code::UnreadableFile
    );
}

#[test]
fn a_header_with_a_thousand_equal_names_keeps_its_columns_apart() {
    let header: Cells<'_> = (0..1_000)
        .map(|c| (c, Found::Text("Note".into())))
        .collect();
    let row: Cells<'_> = (0..1_000).map(|c| (c, Found::Text("x y".into()))).collect();
    let put = assemble(sheet(), &[(1, header), (2, row)], &Limits::default()).unwrap();
    assert_eq!(put.info.header_row, Some(1));
    assert_eq!(put.info.columns[999].name, "Note_1000");
    assert_eq!(put.info.notices.len(), 101);
    assert_eq!(put.info.notices[100].message, "And 899 more like it.");
}
