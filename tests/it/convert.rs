//! `sheetline convert`: the document on standard output, or nothing there and one sentence.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn convert(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sheetline"))
        .arg("convert")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn document(arguments: &[&str]) -> Value {
    let output = convert(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said, "", "nobody looks at a progress line here");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The one sentence of a conversion that failed.
#[track_caller]
fn refused(arguments: &[&str]) -> String {
    let output = convert(arguments);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
#[cfg(target_os = "linux")]
fn what_comes_through_a_pipe_is_read_like_a_file() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sheetline"))
        .args(["convert", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut pipe, b"Name,Ort\nMeyer,Ulm\n").unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["data"], json!([{ "Name": "Meyer", "Ort": "Ulm" }]));
    assert_eq!(value["metadata"]["filename"], "stdin");
    // Nothing comes.
    let said = refused(&["/dev/null"]);
    assert!(said.contains("empty-file"), "{said}");
}

#[test]
fn the_document_of_a_file_is_printed() {
    let folder = Folder::new();
    let list = folder.file(
        "Liste 1.csv",
        "Kunden\n\nName;Ort;Nr\nMüller;Köln;007\nMeyer;;12\n",
    );
    let value = document(&[list.to_str().unwrap()]);
    assert_eq!(value["columns"], json!(["Name", "Ort", "Nr"]));
    assert_eq!(
        value["data"],
        json!([
            { "Name": "Müller", "Ort": "Köln", "Nr": "007" },
            { "Name": "Meyer", "Ort": null, "Nr": 12 }
        ])
    );
    let metadata = &value["metadata"];
    assert_eq!(metadata["filename"], "Liste 1.csv");
    assert_eq!(metadata["format"], "csv");
    assert_eq!(metadata["header_row"], 3);
    assert_eq!(metadata["row_numbers"], json!([4, 5]));
    assert_eq!(metadata["notices"][0]["code"], "title-row");
    assert_eq!(
        metadata["sha256"],
        sheetline::id::sha256_hex(&std::fs::read(&list).unwrap())
    );
}

#[test]
fn what_is_said_of_the_file_holds() {
    let folder = Folder::new();
    let list = folder.file("a.csv", b"a,b;c\n1,2;3\n\xa3\xf3d\xbc,4;5\n");
    let path = list.to_str().unwrap();
    let value = document(&[
        path,
        "--delimiter",
        ";",
        "--header-row",
        "2",
        "--encoding",
        "iso-8859-2",
    ]);
    assert_eq!(value["columns"], json!(["1,2", "3"]));
    assert_eq!(value["data"][0]["1,2"], "Łódź,4");
    assert!(refused(&[path, "--encoding", "klingon"]).contains("(bad-request)"));
    for delimiter in ["ab", "", "\n"] {
        let said = refused(&[path, "--delimiter", delimiter]);
        assert!(
            said.contains("(bad-request)") && said.contains("tab"),
            "{said}"
        );
    }
    let tabs = folder.file("t.csv", b"a,b\tc\n1,2\t3\n");
    let value = document(&[tabs.to_str().unwrap(), "--delimiter", "\t"]);
    assert_eq!(value["columns"], json!(["a,b", "c"]));
    assert!(refused(&[path, "--header-row", "4294967295"]).contains("(bad-request)"));
    assert!(refused(&[path, "--sheet", "S"]).contains("(no-such-sheet)"));
    assert!(refused(&[path, "--max-rows-text", "1"]).contains("(too-complex)"));
}

#[test]
fn on_failure_nothing_is_printed_but_the_reason() {
    let folder = Folder::new();
    for (name, bytes, code) in [
        ("empty.csv", &b""[..], "(empty-file)"),
        ("head.csv", b"a,b,c\n", "(empty-file)"),
        ("x.pdf", b"%PDF-1.4", "(unsupported-format)"),
        ("cut.xlsx", b"PK\x03\x04", "(unreadable-file)"),
        (
            "late.csv",
            &[b"a,b\n1,2\n".repeat(50_000), b"\0\0\0,".repeat(50_000)].concat(),
            "(unsupported-format)",
        ),
    ] {
        let path = folder.file(name, bytes);
        let said = refused(&[path.to_str().unwrap()]);
        assert!(said.trim_end().ends_with(code), "{said}");
    }
    for (name, bytes, flags, words) in [
        (
            "blank.csv",
            &b"\n\n \n"[..],
            &[][..],
            "nothing but blank rows",
        ),
        ("none.csv", b"\n\n\n", &[], "is empty"),
        (
            "cells.csv",
            b"a,b\n1,2\n",
            &["--max-cells", "1"],
            "more than 1 cell with",
        ),
        (
            "rows.csv",
            b"a,b\n1,2\n1,2\n",
            &["--max-rows-text", "1"],
            "more than 1 row.",
        ),
    ] {
        let path = folder.file(name, bytes);
        let said = refused(&[&[path.to_str().unwrap()], flags].concat());
        assert!(said.contains(words), "{name}: {said}");
    }
    // What is too little to read anything is refused before anything is read.
    for (flag, value, words) in [
        ("--read-memory-mb", "63", "from 64 to"),
        ("--read-seconds", "0", "from 1 to 86400"),
    ] {
        let output = convert(&["a.csv", flag, value]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    }
    let nowhere = folder.0.path().join("nowhere.csv");
    assert!(refused(&[nowhere.to_str().unwrap()]).contains("(not-found)"));
    assert!(refused(&[folder.0.path().to_str().unwrap()]).contains("is a folder"));
}

#[test]
fn a_large_file_goes_through_a_pipe_that_closes_early() {
    use std::io::Read;
    let folder = Folder::new();
    let list = folder.file(
        "big.csv",
        format!(
            "a,b\n{}",
            "1,some text that fills the pipe\n".repeat(60_000)
        ),
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_sheetline"))
        .arg("convert")
        .arg(&list)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut some = [0; 1_000];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
