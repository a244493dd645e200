//! Rows of files that jobs read: many in a piece, and yet whoever asks gets any page of them.

use sheetline::id::UploadNo;
use sheetline::sheet::Row;
use sheetline::store::rows;

use crate::forms::companies;
use crate::office::Office;

/// Rows of which the pieces can't hold the same number: every hundredth is long.
fn list() -> Vec<u8> {
    let long = "x".repeat(9_000);
    let mut text = companies("p", 700);
    for row in 0..30 {
        let line = format!("{long} {row},https://www.linkedin.com/company/long-{row},,,,\n");
        text.extend_from_slice(line.as_bytes());
    }
    text.extend_from_slice(&companies("q", 300)[69..]);
    text
}

#[test]
fn every_page_of_packed_rows_is_what_it_would_be_of_single_ones() {
    let office = Office::new();
    let anna = office.member("anna");
    anna.queue("list.csv", &list());
    office.work_all();
    let page = |after: u32, limit: u32| -> Vec<Row> {
        let db = &office.app.db;
        db.read(|c| rows::page(c, UploadNo(1), 0, after, limit))
            .unwrap()
    };
    let all = page(0, u32::MAX);
    let numbers: Vec<u32> = all.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (2..1_032).collect::<Vec<u32>>());
    let pieces = office.number("SELECT count(*) FROM upload_row_packs");
    assert!((5..20).contains(&pieces), "{pieces}");
    assert_eq!(office.number("SELECT count(*) FROM upload_rows"), 0);
    for after in [0, 1, 2, 256, 257, 258, 700, 731, 1_030, 1_031, 2_000] {
        for limit in [1, 2, 255, 256, 257, 1_000, 5_000] {
            let wanted: Vec<&Row> = all
                .iter()
                .filter(|row| row.number > after)
                .take(usize::try_from(limit).unwrap())
                .collect();
            let found = page(after, limit);
            assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{after} {limit}");
        }
    }
}

#[test]
fn packed_rows_go_with_their_file() {
    let mut office = Office::new();
    let anna = office.member("anna");
    let job = anna.queue("list.csv", &list());
    office.work_all();
    let file = anna.job(job)["file_upload_id"].as_str().unwrap().to_owned();
    let document = anna.get(&format!("/api/files/{file}/json")).expect(200);
    assert_eq!(document["data"].as_array().unwrap().len(), 1_030);
    assert!(office.number("SELECT count(*) FROM upload_row_packs") > 0);
    let url = format!("/api/files/{file}");
    anna.send("DELETE", &url, &serde_json::Value::Null)
        .expect(200);
    office.sweep();
    assert_eq!(office.number("SELECT count(*) FROM upload_row_packs"), 0);
}
