//! Numbers whose format shows leading zeros are stored as they show, whatever the file's format; where
//! that is not followed, it is told.
//!
//! The fixtures hold the same table: a format code, a number under it, and what is expected. One is
//! openpyxl's, the others are what LibreOffice (xls, ods) and SheetJS (xlsb, XML) made of it.

use std::path::{Path, PathBuf};

use sheetline::sheet::{Cell, ReadOptions};

use crate::reader::{Whole, read_whole};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// The cells that are told to have lost their zeros.
fn told(whole: &Whole) -> Vec<&str> {
    let notices = whole.sheets[0].1.notices.iter();
    notices
        .filter(|notice| notice.code == "zeros-dropped")
        .filter_map(|notice| notice.cell.as_deref())
        .collect()
}

#[test]
fn a_number_is_stored_as_the_text_that_its_format_shows() {
    for name in [
        "zeros.xlsx",
        "zeros.xlsb",
        "zeros.xls",
        "zeros-2003.xls",
        "zeros.ods",
    ] {
        let whole = read_whole(&fixture(name), &ReadOptions::default()).unwrap();
        let (rows, info) = &whole.sheets[0];
        assert_eq!(info.rows, 28, "{name}");
        for row in rows {
            let cells = row.values().unwrap();
            assert_eq!(cells[1], cells[2], "{name}: {:?}", cells[0]);
        }
        // `00.00`, `000,000`, and 7.5 under `00000`.
        assert_eq!(told(&whole), ["B17", "B22", "B29"], "{name}");
    }
}

#[test]
fn xml_spreadsheets_show_zeros_and_elapsed_hours_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xls");
    let style = |id: &str, code: &str| {
        format!(r#"<Style ss:ID="{id}"><NumberFormat ss:Format="{code}"/></Style>"#)
    };
    let styles = [
        style("zip", "00000\\-0000"),
        style("hours", "[h]:mm:ss"),
        style("part", "00.0"),
    ];
    let cell = |style: &str, kind: &str, value: &str| {
        format!(r#"<Cell ss:StyleID="{style}"><Data ss:Type="{kind}">{value}</Data></Cell>"#)
    };
    let header: String = ["Zip", "Hours", "Day", "Long", "Part"]
        .map(|name| cell("x", "String", name))
        .concat();
    let row = [
        cell("zip", "Number", "1234567"),
        cell("hours", "DateTime", "1900-01-01T12:15:00.000"),
        cell("hours", "DateTime", "1899-12-31T01:00:00.000"),
        cell("hours", "DateTime", "1900-03-01T00:00:00.000"),
        cell("part", "Number", "7.5"),
    ];
    let text = format!(
        r#"<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Styles>{}</Styles><Worksheet ss:Name="A"><Table><Row>{header}</Row><Row>{}</Row></Table></Worksheet></Workbook>"#,
        styles.concat(),
        row.concat()
    );
    std::fs::write(&path, text).unwrap();
    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    let cells = whole.sheets[0].0[0].values().unwrap();
    assert_eq!(cells[0], Cell::Text("00123-4567".into()));
    assert_eq!(cells[1], Cell::Duration("PT36H15M".into()));
    assert_eq!(cells[2], Cell::Duration("PT1H".into()));
    assert_eq!(cells[3], Cell::Duration("PT1464H".into()));
    assert_eq!(told(&whole), ["E2"]);
}
