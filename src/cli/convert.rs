//! `convert`: prints the JSON document of a file's sheet, or nothing and the reason.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use sha2::{Digest, Sha256};

use super::limits;
use super::taken::{self, Kept, Taken};
use crate::error::{Error, Result};
use crate::id;
use crate::intake::name;
use crate::settings;
use crate::sheet::document::{Document, FileFacts};
use crate::sheet::reader::ReadJob;
use crate::sheet::{self, ReadOptions, sniff};
use crate::words::{Code, Format};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The file to read
    file: PathBuf,
    /// The sheet to print; without it the first visible one with a row
    #[arg(long)]
    sheet: Option<String>,
    /// The row of the headers, from 1 on; without it they are looked for
    #[arg(long, value_name = "ROW", value_parser = clap::value_parser!(u32).range(1..))]
    header_row: Option<u32>,
    /// Text files: the character between fields, or the word tab
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<String>,
    /// Text files: the encoding, for example windows-1252 or cp850
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    #[command(flatten)]
    limits: limits::Flags,
}

/// What was read is kept in memory up to so many bytes, and then in a temporary file.
const MEMORY_BYTES_MAX: usize = 128 << 20;

/// Bytes of the file that are hashed at a time, and of the document that are written.
const PIECE_BYTES: usize = 256 << 10;

/// Runs the command.
///
/// # Errors
/// Where the file can't be read; nothing has been printed then.
pub(super) fn run(flags: &Flags) -> Result<ExitCode> {
    let limits = flags.limits.limits();
    let options = ReadOptions {
        sheet: flags.sheet.clone(),
        header_row: flags.header_row,
        delimiter: flags
            .delimiter
            .as_deref()
            .map(sheet::delimiter)
            .transpose()?,
        encoding: flags.encoding.clone(),
    };
    let mut file = File::open(&flags.file).map_err(|error| cannot_open(&flags.file, &error))?;
    let kept = keep(&flags.file, &mut file, limits.inflated_bytes_max)
        .map_err(|error| cannot_open(&flags.file, &error))?;
    let path = kept
        .as_ref()
        .map_or(flags.file.as_path(), |kept| kept.path());
    let file = match &kept {
        Some(kept) => kept.reopen()?,
        None => file,
    };
    let format = sniff::sniff(path, &limits)?;
    let hash = std::thread::spawn(move || sha256(file));
    let executable = settings::this_program();
    let job = ReadJob {
        executable: &executable,
        path,
        format: Some(format),
        options: &options,
        limits: &limits,
    };
    let taken = taken::read(&job, Kept::new(MEMORY_BYTES_MAX, std::env::temp_dir()))?;
    let hash = hash.join();
    let sha256 = hash.map_err(|_| Error::Internal("the hash failed".to_owned()))??;
    let out = io::stdout().lock();
    match print(taken, &flags.file, format, sha256, out) {
        // Whoever reads has enough.
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What comes through a pipe (`convert /dev/stdin`) can be read but once, and by this process alone: it is kept
/// in a temporary file first, as far as any file may go. `None`: it is a file.
fn keep(
    path: &Path,
    file: &mut File,
    bytes_max: u64,
) -> io::Result<Option<tempfile::NamedTempFile>> {
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let is_device = ["/dev", "/proc"]
        .iter()
        .any(|place| path.starts_with(place));
    if file.metadata()?.is_file() && !is_device {
        return Ok(None);
    }
    let mut kept = tempfile::NamedTempFile::new()?;
    io::copy(&mut file.take(bytes_max.saturating_add(1)), &mut kept)?;
    kept.flush()?;
    Ok(Some(kept))
}

/// Prints the document of the sheet that was asked for.
fn print(
    mut taken: Taken,
    path: &Path,
    format: Format,
    sha256: String,
    mut out: impl Write,
) -> Result<()> {
    let wanted = taken.file.default_sheet;
    let mut sheets = taken.sheets.iter();
    let info = sheets
        .find(|info| info.position == wanted)
        .ok_or_else(|| Error::problem(Code::EmptyFile, sheet::NOTHING))?;
    let facts = FileFacts {
        filename: name::clean(&path.to_string_lossy()),
        format,
        sha256,
        uploaded_at: None,
        uploaded_by: None,
        encoding: taken.file.encoding,
        delimiter: taken.file.delimiter.map(String::from),
    };
    let mut buffer = Vec::with_capacity(2 * PIECE_BYTES);
    let mut document = Document::begin(info, &mut buffer);
    taken.lines.each_row(wanted, |row, _| {
        document.row(row.number, row.cells, &mut buffer)?;
        if buffer.len() >= PIECE_BYTES {
            out.write_all(&buffer).map_err(super::out::unwritable)?;
            buffer.clear();
        }
        Ok(())
    })?;
    document.end(&facts, info, &taken.sheets, &mut buffer)?;
    out.write_all(&buffer)
        .and_then(|()| out.flush())
        .map_err(super::out::unwritable)
}

fn sha256(mut file: File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let size = file.read(&mut piece)?;
        if size == 0 {
            return Ok(id::hex(&hash.finalize()));
        }
        hash.update(piece.get(..size).unwrap_or(&[]));
    }
}

fn cannot_open(path: &Path, error: &io::Error) -> Error {
    let name = path.display();
    let (code, detail) = if error.kind() == io::ErrorKind::NotFound {
        (Code::NotFound, format!("There is no file {name}."))
    } else if error.kind() == io::ErrorKind::IsADirectory {
        let detail = format!("{name} is a folder. Name the file itself.");
        (Code::UnsupportedFormat, detail)
    } else {
        let error = super::plain(&Error::Io(io::Error::other(error.to_string())));
        let detail = format!("{name} can't be read: {error}.");
        (Code::UnreadableFile, detail)
    };
    Error::problem(code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::protocol::Output;
    use crate::sheet::{Limits, delimited};
    use serde_json::{Value, json};

    /// What a reader would tell of this text.
    fn told(text: &str) -> String {
        let limits = Limits::default();
        let mut told = Vec::new();
        let mut out = Output::new(&mut told, &limits);
        let mut file = io::Cursor::new(text.as_bytes());
        delimited::read(&mut file, &ReadOptions::default(), &mut out).unwrap();
        String::from_utf8(told).unwrap()
    }

    fn taken(told: &str) -> Result<Taken> {
        let lines: Vec<&str> = told.split_inclusive('\n').collect();
        let mut batches = lines.chunks(100).map(<[&str]>::concat);
        let kept = Kept::new(16 << 20, std::env::temp_dir());
        Taken::of(|| Ok(batches.next()), kept)
    }

    fn printed(taken: Taken) -> Value {
        let mut out = Vec::new();
        print(
            taken,
            Path::new("some/where/list.csv"),
            Format::Csv,
            "ab".to_owned(),
            &mut out,
        )
        .unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn the_document_of_a_text_file_is_printed() {
        let value = printed(taken(&told("Name;Size\nAcme;12\n\nBolt;007\n")).unwrap());
        assert_eq!(value["columns"], json!(["Name", "Size"]));
        assert_eq!(
            value["data"],
            json!([{ "Name": "Acme", "Size": 12 }, { "Name": "Bolt", "Size": "007" }])
        );
        assert_eq!(value["metadata"]["filename"], "list.csv");
        assert_eq!(value["metadata"]["row_numbers"], json!([2, 4]));
        assert_eq!(value["metadata"]["delimiter"], ";");
        assert_eq!(value["metadata"]["uploaded_at"], Value::Null);
    }

    #[test]
    fn rows_of_other_sheets_and_more_rows_than_memory_holds_are_no_trouble() {
        let long = "x".repeat(40_000);
        let text = format!("a,b\n{}", format!("1,{long}\n").repeat(600));
        let all = told(&text);
        // Another sheet behind it, which is not asked for.
        let (sheet, done) = all.split_at(all.rfind('D').unwrap());
        let other = sheet.replacen("S0\n", "S1\n", 1);
        let other = other.replacen("\"position\":0", "\"position\":1", 1);
        let taken = taken(&format!("{sheet}{other}{done}")).unwrap();
        assert!(taken.lines.file.is_some());
        let value = printed(taken);
        assert_eq!(value["data"].as_array().unwrap().len(), 600);
        assert_eq!(value["data"][599]["b"], long);
    }

    #[test]
    fn columns_that_come_late_are_in_every_row() {
        let text = format!("a,,a\n{}1,,3,4\n5,6\n", "1,,3\n".repeat(100));
        let value = printed(taken(&told(&text)).unwrap());
        assert_eq!(
            value["columns"],
            json!(["a", "column_2", "a_2", "column_4"])
        );
        let data = value["data"].as_array().unwrap();
        let row = |values: [Value; 4]| {
            let [a, b, c, d] = values;
            json!({ "a": a, "column_2": b, "a_2": c, "column_4": d })
        };
        let null = || Value::Null;
        assert_eq!(data.len(), 102);
        assert_eq!(data[0], row([json!(1), null(), json!(3), null()]));
        assert_eq!(data[100], row([json!(1), null(), json!(3), json!(4)]));
        assert_eq!(data[101], row([json!(5), json!(6), null(), null()]));
    }

    #[test]
    fn a_file_that_was_not_read_to_its_end_prints_nothing() {
        let all = told("a,b\n1,2\n");
        let (sheet, _) = all.split_at(all.rfind('D').unwrap());
        assert!(taken(sheet).is_err());
    }
}
