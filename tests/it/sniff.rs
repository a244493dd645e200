//! A file is what its content says, whatever its name is.

use std::io::Write;
use std::path::Path;

use serde_json::Value;
use sheetline::error::Error;
use sheetline::sheet::Limits;
use sheetline::sheet::sniff::{self, Content};
use sheetline::words::{Code, Format};

fn look(bytes: &[u8]) -> Result<Format, Error> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    sniff::sniff(file.path(), &Limits::default())
}

#[track_caller]
fn refused(bytes: &[u8]) -> (Code, String) {
    match look(bytes) {
        Err(Error::Problem(problem)) => (problem.code, problem.detail),
        other => panic!("{other:?}"),
    }
}

fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in members {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn types(kind: &str) -> Vec<u8> {
    zip(&[
        (
            "[Content_Types].xml",
            &format!("<Types><Override ContentType=\"application/{kind}+xml\"/></Types>"),
        ),
        ("xl/workbook.xml", "<workbook/>"),
    ])
}

#[test]
fn packages_are_told_by_their_content_types() {
    for (kind, format) in [
        (
            "vnd.openxmlformats-officedocument.spreadsheetml.sheet.main",
            Format::Xlsx,
        ),
        (
            "vnd.openxmlformats-officedocument.spreadsheetml.template.main",
            Format::Xlsx,
        ),
        ("vnd.ms-excel.sheet.macroEnabled.main", Format::Xlsm),
        ("vnd.ms-excel.sheet.binary.macroEnabled.main", Format::Xlsb),
    ] {
        assert_eq!(look(&types(kind)).unwrap(), format);
    }
    let ods = [
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", "<a/>"),
    ];
    assert_eq!(look(&zip(&ods)).unwrap(), Format::Ods);
    assert_eq!(look(&zip(&[("content.xml", "<a/>")])).unwrap(), Format::Ods);
    assert_eq!(
        look(&zip(&[("xl\\workbook.bin", "")])).unwrap(),
        Format::Xlsb
    );
}

#[test]
fn what_is_no_spreadsheet_is_called_by_its_name() {
    let word = "vnd.openxmlformats-officedocument.wordprocessingml.document.main";
    for (bytes, name) in [
        (b"%PDF-1.7\n%\xe2\xe3".to_vec(), "a PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0".to_vec(), "a picture"),
        (b"\x1f\x8b\x08\0".to_vec(), "gzip"),
        (b"7z\xbc\xaf\x27\x1c\0".to_vec(), "7z"),
        (types(word), "a Word document"),
        (zip(&[("a.txt", "x")]), "a zip archive"),
        (
            zip(&[("mimetype", "application/vnd.oasis.opendocument.text")]),
            "a text document",
        ),
        (b"[{\"a\": 1}]".to_vec(), "JSON"),
        (b"<?xml version=\"1.0\"?><a/>".to_vec(), "XML"),
        (
            b"<?xml version=\"1.0\"?>\n<!-- news --><rss><title>News</title><table/></rss>".to_vec(),
            "XML",
        ),
        (
            b"<?xml version=\"1.0\"?><office:document xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
              office:mimetype=\"application/vnd.oasis.opendocument.text\">"
                .to_vec(),
            "a text document",
        ),
        (b"\xef\xbb\xbf%PDF-1.3\n%\xc4".to_vec(), "a PDF"),
        (
            zip(&[("[Content_Types].xml", ""), ("visio/document.xml", "")]),
            "a Visio drawing",
        ),
        (
            zip(&[("[Content_Types].xml", ""), ("FixedDocSeq.fdseq", "")]),
            "another program's document",
        ),
        (b"MZ\x90\0\x03".to_vec(), "a program"),
    ] {
        let (code, detail) = refused(&bytes);
        assert_eq!(code, Code::UnsupportedFormat, "{detail}");
        assert!(detail.contains(name), "{detail}");
        assert!(detail.starts_with("The file must be xlsx"), "{detail}");
    }
    assert_eq!(
        refused(b"\0\x01\x02\x03\xff\xfe\0\0").0,
        Code::UnsupportedFormat
    );
    assert_eq!(refused(b"").0, Code::EmptyFile);
    assert_eq!(refused(b"PK\x03\x04").0, Code::UnreadableFile);
    assert_eq!(
        refused(&zip(&[("[Content_Types].xml", ""), ("xl/a.xml", "")])).0,
        Code::UnreadableFile
    );
}

#[test]
fn exchange_files_of_old_programs_say_how_to_save_them() {
    for (text, name) in [
        (
            "ID;PCALCOOO32\r\nB;Y2;X1;D0 0 1 0\r\nC;X1;Y1;K\"Name\"\r\nE\r\n",
            "a SYLK file",
        ),
        (
            "ID;PWXL;N;E\nP;P#,##0;;[Red]-0\nP;FArial;M200\nF;P0;DG0G8\nC;Y1;X1;K7\nE\n",
            "a SYLK file",
        ),
        ("ID;PCALCOOO32\rE\r", "a SYLK file"),
        (
            "TABLE\r\n0,1\r\n\"Intro\"\r\nVECTORS\r\n0,2\r\n\"\"\r\n",
            "a DIF file",
        ),
    ] {
        let (code, detail) = refused(text.as_bytes());
        assert_eq!(code, Code::UnsupportedFormat, "{text}");
        assert!(detail.contains(name), "{detail}");
        assert!(detail.contains("save it as .xlsx"), "{detail}");
    }
    for list in [
        "ID;Preis\nC;Kabel\nC;Xaver\n",
        "ID;PLZ\n7;01067\n",
        "ID;P\nB;2\nF;x\n",
        "ID;PWXL\n1;2\n",
        "TABLE,n\n0,1\n",
        "TABLE\n0,1\nVECTORS\n",
    ] {
        assert_eq!(look(list.as_bytes()).unwrap(), Format::Csv, "{list}");
    }
}

#[test]
fn pages_say_how_to_save_them_and_old_xml_is_a_workbook() {
    let archive = b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n";
    let (code, detail) = refused(archive);
    assert_eq!(code, Code::UnreadableFile);
    assert!(detail.contains("save it as .xlsx"), "{detail}");
    // Whether there is a table in them is seen when they are read.
    for bytes in [
        &b"\n<html><table><tr><td>1"[..],
        b"<!DOCTYPE HTML PUBLIC>\n<html>",
        b"\xef\xbb\xbf<meta charset=utf-8><table>",
        b"<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC><html><table>",
        b"<?xml version=\"1.0\"?><?mso-application?><!-- x --><html xmlns:v='y'><table>",
        b"<!-- list --><center><table>",
    ] {
        assert_eq!(look(bytes).unwrap(), Format::Xls);
    }
    let old =
        b"<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">";
    assert_eq!(look(old).unwrap(), Format::Xls);
}

#[test]
fn text_is_csv_or_tsv_by_what_separates_it() {
    assert_eq!(look(b"a,b\n1,2\n").unwrap(), Format::Csv);
    assert_eq!(look(b"a;b\n1;2\n").unwrap(), Format::Csv);
    assert_eq!(look(b"a\tb\n1\t2\n").unwrap(), Format::Tsv);
    assert_eq!(look(b"one column\nonly\n").unwrap(), Format::Csv);
    assert_eq!(look(b"<name>,b\n1,2\n").unwrap(), Format::Csv);
    assert_eq!(look(b"MZ,b\n1,2\n").unwrap(), Format::Csv);
    assert_eq!(look(b"BM;[x]\n{1};2\n").unwrap(), Format::Csv);
    let utf16: Vec<u8> = "a\tb\n1\t2\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(look(&utf16).unwrap(), Format::Tsv);
}

#[test]
fn a_directory_over_the_bounds_is_not_read() {
    let limits = Limits {
        members_max: 2,
        ..Limits::default()
    };
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&zip(&[("content.xml", ""), ("b", "")]))
        .unwrap();
    assert!(sniff::sniff(file.path(), &limits).is_ok());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&zip(&[("content.xml", ""), ("b", ""), ("c", "")]))
        .unwrap();
    match sniff::sniff(file.path(), &limits) {
        Err(Error::Problem(problem)) => assert_eq!(problem.code, Code::TooComplex),
        other => panic!("{other:?}"),
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn every_file_of_the_corpus_is_recognised() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let Ok(manifest) = std::fs::read(folder.join("manifest.json")) else {
        eprintln!("skipped: the corpus is not here");
        return;
    };
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let mut wrong = Vec::new();
    for entry in manifest.as_array().unwrap() {
        let name = entry["file"].as_str().unwrap();
        let found = sniff::content(&folder.join(name), &Limits::default());
        let right = match (&found, entry["format"].as_str()) {
            (Ok(Content::Html), Some("html"))
            | (Ok(Content::SpreadsheetMl), Some("xml2003"))
            | (Ok(Content::FlatOds), Some("fods")) => true,
            (Ok(Content::Is(format)), Some(wanted)) => {
                format.as_str() == wanted
                    || entry["csv"]["delimiter"] == "\t" && *format == Format::Tsv
            }
            // Damage may show only while the file is read.
            (Ok(Content::Is(_)), None) => {
                entry["kind"] != "not_a_spreadsheet"
                    || entry["lenient"] == true
                    || name.ends_with("body.ods")
            }
            (Err(Error::Problem(problem)), None) => matches!(
                (entry["kind"].as_str().unwrap(), problem.code),
                ("not_a_spreadsheet", Code::UnsupportedFormat)
                    | ("corrupt", Code::UnreadableFile)
                    | ("password", Code::PasswordProtected)
                    | ("empty", Code::EmptyFile)
            ),
            _ => false,
        };
        if !right {
            wrong.push(format!("{name}: {found:?}, not {}", entry["format"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
