//! Rows of which most cells are empty cost what they hold, and come back as they were.

use std::io::Cursor;

use calamine::{Data, Reader};
use serde_json::{Value, json};
use sheetline::sheet::{Limits, ReadOptions};

use crate::client::sheetline;
use crate::office::Office;
use crate::reader::{read_within, xlsx};

/// A workbook with a number in A and a text in XFC of so many rows, and one row of a date in XFC alone.
fn far(folder: &std::path::Path, rows: u32) -> std::path::PathBuf {
    let text = |cell: &str, text: &str| {
        format!(r#"<c r="{cell}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    };
    let mut sheet = format!(
        r#"<worksheet><sheetData><row r="1">{}{}</row>"#,
        text("A1", "n"),
        text("B1", "b")
    );
    for row in 2..rows + 2 {
        let far = text(&format!("XFC{row}"), "far");
        sheet += &format!(r#"<row r="{row}"><c r="A{row}"><v>{row}</v></c>{far}</row>"#);
    }
    let last = rows + 2;
    sheet += &format!(r#"<row r="{last}"><c r="XFC{last}" t="d"><v>2024-10-06</v></c></row>"#);
    sheet += "</sheetData></worksheet>";
    let path = folder.join("far.xlsx");
    xlsx(&path, &sheet);
    path
}

#[test]
fn rows_with_a_far_cell_cost_what_they_hold_and_come_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = far(folder.path(), 6_000);
    let converted = sheetline(folder.path())
        .args(["convert", "far.xlsx"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&converted.stderr).into_owned();
    assert!(converted.status.success(), "{told}");
    let converted: Value = serde_json::from_slice(&converted.stdout).unwrap();
    assert_eq!(converted["columns"], json!(["n", "b", "column_16383"]));
    let data = converted["data"].as_array().unwrap();
    assert_eq!(data.len(), 6_001);
    assert_eq!(data[0], json!({"n": 2, "b": null, "column_16383": "far"}));
    let date = json!({"n": null, "b": null, "column_16383": "2024-10-06"});
    assert_eq!(data[6_000], date);

    let office = Office::new();
    let anna = office.member("anna");
    let bytes = std::fs::read(path).unwrap();
    let fields = [("template", "auto")];
    let stored = anna
        .upload("upload-and-process", "far.xlsx", &bytes, &fields)
        .expect(202);
    office.work_all();
    let (file, job) = (
        stored["file_upload_id"].as_str().unwrap(),
        &stored["job_id"],
    );
    let bytes_of_a_row = "SELECT sum(size) / sum(row_count) FROM upload_row_packs";
    assert!(office.number(bytes_of_a_row) < 80);
    let document = anna.get(&format!("/api/files/{file}/json")).expect(200);
    assert_eq!(document["data"], converted["data"]);
    let records = anna
        .get(&format!("/api/jobs/{job}/records.json"))
        .expect(200);
    assert_eq!(&records["records"], &converted["data"]);
    let annotated = anna.get(&format!("/api/jobs/{job}/annotated.xlsx")).bytes;
    let mut book = calamine::Xlsx::new(Cursor::new(annotated)).unwrap();
    let name = book.sheet_names()[0].clone();
    let mut cells = book.worksheet_cells_reader(&name).unwrap();
    let mut far = 0;
    while let Some(cell) = cells.next_cell().unwrap() {
        let value: Data = cell.get_value().clone().into();
        far += u32::from(cell.get_position().1 == 16_382 && value == Data::String("far".into()));
    }
    assert_eq!(far, 6_000);
}

#[test]
fn names_that_stand_in_every_row_count_as_what_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.csv");
    let limits = |output_bytes_max| Limits {
        output_bytes_max,
        ..Limits::default()
    };
    let read = |limits: &Limits| {
        let read = read_within(&path, &ReadOptions::default(), limits);
        read.map(|whole| whole.sheets[0].0.len())
    };
    let long = "x".repeat(299);
    let names: Vec<String> = (0..8).map(|number| format!("{number}{long}")).collect();
    let names = names.join(",");
    std::fs::write(&path, format!("a,{names}\n{}", "1\n".repeat(10_000))).unwrap();
    // `{"a":1,"0xx…":null,…}` without the value, and `[1]` as it is stored.
    let bytes = 10_000 * (2 + 4 + 8 * (1 + 303 + 4) + 3);
    assert_eq!(read(&limits(bytes)).unwrap(), 10_000);
    let refused = read(&limits(bytes - 1)).unwrap_err().to_string();
    assert!(refused.contains("headers stand in every row"), "{refused}");
    // What is in no proportion to the file is refused; a table whose names are longer than its values
    // is not, whatever the bound.
    let name = "x".repeat(50);
    std::fs::write(&path, format!("a,{name}\n{}", "1,2\n".repeat(10_000))).unwrap();
    assert_eq!(read(&limits(60_000)).unwrap(), 10_000);
}
