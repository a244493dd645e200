//! Broken and hostile files, made here: the reading child must refuse each with the right code, or read
//! it, and do neither by using up the machine.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::self_test::SAMPLE;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::settings;
use crate::sheet::reader::{self, ReadJob};
use crate::sheet::{Event, ReadOptions};
use crate::stop::Stop;
use crate::words::Code;

/// Bounds that the bomb goes over at once.
fn small() -> Limits {
    Limits {
        strings_bytes_max: 16 << 20,
        member_bytes_max: 16 << 20,
        inflated_bytes_max: 16 << 20,
        child_cpu_seconds_max: 20,
        child_wall_seconds_max: 30,
        ..Limits::default()
    }
}

/// What must become of a file.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Rows(usize),
    Refused(Code),
}

/// Reads all; how many, or a sentence on the first that fared otherwise than it should.
pub(super) fn run() -> std::result::Result<usize, String> {
    let files = files().map_err(|error| format!("the test files can't be made ({error})"))?;
    let count = files.len();
    for (what, bytes, wanted) in files {
        match read(&bytes) {
            Ok(fate) if fate == wanted => {}
            Ok(fate) => return Err(format!("{what} should be {wanted:?} and was {fate:?}")),
            Err(error) => return Err(format!("{what} could not be tried ({error})")),
        }
    }
    Ok(count)
}

fn files() -> Result<Vec<(&'static str, Vec<u8>, Fate)>> {
    let cut = SAMPLE.get(..SAMPLE.len() / 2).unwrap_or(SAMPLE).to_vec();
    let stray = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>"#;
    let entities =
        r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>"#;
    Ok(vec![
        (
            "a workbook that was cut off",
            cut,
            Fate::Refused(Code::UnreadableFile),
        ),
        (
            "a PDF called a workbook",
            b"%PDF-1.7 nothing".to_vec(),
            Fate::Refused(Code::UnsupportedFormat),
        ),
        ("an empty file", Vec::new(), Fate::Refused(Code::EmptyFile)),
        (
            "a bomb",
            workbook("", &" ".repeat(64 << 20))?,
            Fate::Refused(Code::TooComplex),
        ),
        (
            "a cell in the last corner",
            workbook("", stray)?,
            Fate::Rows(1),
        ),
        (
            "XML that multiplies itself",
            workbook(entities, stray)?,
            Fate::Refused(Code::UnreadableFile),
        ),
        (
            "semicolons in windows-1252",
            b"Name;Ort\r\nM\xfcller;K\xf6ln\r\n".to_vec(),
            Fate::Rows(1),
        ),
        (
            "a quote that never ends",
            b"a,b\n1,\"2\n3,4\n".to_vec(),
            Fate::Rows(1),
        ),
    ])
}

/// A workbook with one sheet.
fn workbook(before: &str, rows: &str) -> Result<Vec<u8>> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const DOCUMENT: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                r#"<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#
            ),
        ),
        (
            "_rels/.rels",
            format!(
                r#"<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                r#"<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>"#
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                r#"<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{DOCUMENT}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!(
                r#"{before}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>"#
            ),
        ),
    ];
    let failed = |error: zip::result::ZipError| Error::Internal(format!("zip: {error}"));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(name, SimpleFileOptions::default())
            .map_err(failed)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish().map_err(failed)?.into_inner())
}

fn read(bytes: &[u8]) -> Result<Fate> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(bytes)?;
    file.flush()?;
    match count(file.path()) {
        Ok(rows) => Ok(Fate::Rows(rows)),
        Err(Error::Problem(problem)) => Ok(Fate::Refused(problem.code)),
        Err(error) => Err(error),
    }
}

fn count(path: &std::path::Path) -> Result<usize> {
    let job = ReadJob {
        executable: &settings::this_program(),
        path,
        format: None,
        options: &ReadOptions::default(),
        limits: &small(),
    };
    let mut reader = reader::read(&job, &Stop::new())?;
    let mut rows = 0;
    while let Some(events) = reader.next_batch()? {
        rows += events
            .iter()
            .filter(|event| matches!(event, Event::Row(_)))
            .count();
    }
    Ok(rows)
}
