//! `convert`: prints the JSON document of a file's sheet, or nothing and the reason.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use sha2::{Digest, Sha256};

use super::limits;
use crate::error::{Error, Result};
use crate::id;
use crate::intake::name;
use crate::settings;
use crate::sheet::document::{Document, FileFacts};
use crate::sheet::reader::{self, ReadJob};
use crate::sheet::{self, Event, FileInfo, ReadOptions, SheetInfo, sniff};
use crate::stop::Stop;
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
    /// Text files: the encoding, for example windows-1252
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    #[command(flatten)]
    limits: limits::Flags,
}

/// Rows are kept in memory up to so many bytes, and then in a temporary file.
const MEMORY_BYTES_MAX: usize = 16 << 20;

/// Bytes of the document that are written at a time.
const PIECE_BYTES: usize = 256 << 10;

/// How often the progress line changes.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

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
    // A folder opens, and fails at the first byte.
    file.read(&mut [0])
        .map_err(|error| cannot_open(&flags.file, &error))?;
    file.seek(SeekFrom::Start(0))?;
    let format = sniff::sniff(&flags.file, &limits)?;
    let hash = std::thread::spawn(move || sha256(file));
    let executable = settings::this_program();
    let mut reader = reader::read(
        &ReadJob {
            executable: &executable,
            path: &flags.file,
            format: Some(format),
            options: &options,
            limits: &limits,
        },
        &Stop::new(),
    )?;
    let mut progress = Progress::new();
    let taken = take(|| reader.next_batch(), &mut progress);
    progress.end();
    let taken = taken?;
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

/// A file that has been read whole.
struct Taken {
    file: FileInfo,
    sheets: Vec<SheetInfo>,
    /// Where the rows of each sheet begin in `rows`, in the order of `sheets`.
    begins: Vec<u64>,
    /// A row a line: its number, a tab, its cells.
    rows: Spill,
}

/// Takes all events of a reader.
fn take(
    mut next: impl FnMut() -> Result<Option<Vec<Event>>>,
    progress: &mut Progress,
) -> Result<Taken> {
    let mut rows = Spill::default();
    let (mut begins, mut sheets, mut file) = (Vec::new(), Vec::new(), None);
    while let Some(events) = next()? {
        for event in events {
            match event {
                Event::Sheet(_) => begins.push(rows.size),
                Event::Row(row) => {
                    progress.row();
                    rows.line(row.number, &row.cells)?;
                }
                Event::SheetEnd(info) => sheets.push(*info),
                Event::Estimate(rows) => progress.total = Some(rows),
                Event::Done(info) => file = Some(info),
            }
        }
    }
    let file =
        file.ok_or_else(|| Error::Internal("the reader ended without saying so".to_owned()))?;
    Ok(Taken {
        file,
        sheets,
        begins,
        rows,
    })
}

/// Prints the document of the sheet that was asked for.
fn print(taken: Taken, path: &Path, format: Format, sha256: String, out: impl Write) -> Result<()> {
    let at = taken
        .sheets
        .iter()
        .position(|sheet| sheet.position == taken.file.default_sheet)
        .ok_or_else(|| Error::problem(Code::EmptyFile, "No sheet has any data."))?;
    let sheet = taken.sheets.get(at).ok_or_else(no_rows)?;
    let begin = taken.begins.get(at).copied().ok_or_else(no_rows)?;
    let facts = FileFacts {
        filename: name::clean(&path.to_string_lossy()),
        format,
        sha256,
        uploaded_at: None,
        uploaded_by: None,
        encoding: taken.file.encoding.clone(),
        delimiter: taken.file.delimiter.map(String::from),
    };
    let mut out = BufWriter::with_capacity(0, out);
    let mut piece = Vec::with_capacity(PIECE_BYTES + 4_096);
    let mut document = Document::begin(sheet, &mut piece);
    let mut rows = taken.rows.read(begin)?;
    let mut line = String::new();
    for _ in 0..sheet.rows {
        line.clear();
        rows.read_line(&mut line)?;
        let (number, cells) = line
            .trim_end_matches('\n')
            .split_once('\t')
            .ok_or_else(no_rows)?;
        let number = number.parse().map_err(|_| no_rows())?;
        document.row(number, cells, &mut piece)?;
        if piece.len() >= PIECE_BYTES {
            out.write_all(&piece)?;
            piece.clear();
        }
    }
    document.end(&facts, sheet, &taken.sheets, &mut piece)?;
    out.write_all(&piece)?;
    Ok(out.flush()?)
}

fn no_rows() -> Error {
    Error::Internal("rows that were kept are not there".to_owned())
}

/// Rows that wait until the file is known to be whole: in memory, then in a file without a name.
#[derive(Default)]
struct Spill {
    memory: Vec<u8>,
    file: Option<File>,
    /// Bytes in all.
    size: u64,
}

impl Spill {
    fn line(&mut self, number: u32, cells: &str) -> Result<()> {
        let before = self.memory.len();
        serde_json::to_writer(&mut self.memory, &number)?;
        self.memory.push(b'\t');
        self.memory.extend_from_slice(cells.as_bytes());
        self.memory.push(b'\n');
        self.size += u64::try_from(self.memory.len() - before).unwrap_or(0);
        if self.memory.len() >= MEMORY_BYTES_MAX {
            self.write_out()?;
        }
        Ok(())
    }

    fn write_out(&mut self) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        Ok(())
    }

    /// The lines from byte `begin` on.
    fn read(mut self, begin: u64) -> Result<Box<dyn BufRead>> {
        if self.file.is_some() {
            self.write_out()?;
        }
        Ok(match self.file {
            Some(mut file) => {
                file.seek(SeekFrom::Start(begin))?;
                Box::new(BufReader::with_capacity(PIECE_BYTES, file))
            }
            None => {
                let mut memory = io::Cursor::new(self.memory);
                memory.set_position(begin);
                Box::new(memory)
            }
        })
    }
}

/// A line on the terminal that says how far reading is; nothing where nobody looks.
struct Progress {
    rows: u64,
    total: Option<u64>,
    /// `None`: standard error is no terminal.
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    fn new() -> Progress {
        Progress {
            rows: 0,
            total: None,
            next: io::stderr()
                .is_terminal()
                .then(|| Instant::now() + PROGRESS_EVERY),
            shown: false,
        }
    }

    fn row(&mut self) {
        self.rows += 1;
        // Asking for the time at each row would cost more than reading it.
        if !self.rows.is_multiple_of(1_024) {
            return;
        }
        let now = Instant::now();
        if let Some(next) = &mut self.next
            && now >= *next
        {
            *next = now + PROGRESS_EVERY;
            self.shown = true;
            match self.total.filter(|total| *total >= self.rows) {
                Some(total) => eprint!("\rReading: {} of about {total} rows ", self.rows),
                None => eprint!("\rReading: {} rows ", self.rows),
            }
        }
    }

    fn end(&self) {
        if self.shown {
            // Back to the line's start, and the line erased.
            eprint!("\r\x1b[K");
        }
    }
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
        let detail = format!("{name} can't be opened: {error}.");
        (Code::UnreadableFile, detail)
    };
    Error::problem(code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::protocol::{self, Output};
    use crate::sheet::{Limits, delimited};
    use serde_json::{Value, json};

    /// What a reader would tell of this text.
    fn events(text: &str) -> Vec<Event> {
        let limits = Limits::default();
        let mut told = Vec::new();
        let mut out = Output::new(&mut told, &limits);
        let mut file = io::Cursor::new(text.as_bytes());
        delimited::read(&mut file, &ReadOptions::default(), &mut out).unwrap();
        let told = String::from_utf8(told).unwrap();
        told.lines()
            .map(|line| protocol::parse(line).unwrap())
            .collect()
    }

    fn taken(events: Vec<Event>) -> Result<Taken> {
        let mut batches = vec![events].into_iter();
        take(|| Ok(batches.next()), &mut Progress::new())
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
        let value = printed(taken(events("Name;Size\nAcme;12\n\nBolt;007\n")).unwrap());
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
        let mut all = events(&text);
        // The same sheet once more behind it, which is not asked for.
        let again: Vec<Event> = all[..all.len() - 1].to_vec();
        let done = all.pop().unwrap();
        all.extend(again);
        all.push(done);
        let taken = taken(all).unwrap();
        assert!(taken.rows.file.is_some());
        let value = printed(taken);
        assert_eq!(value["data"].as_array().unwrap().len(), 600);
        assert_eq!(value["data"][599]["b"], long);
    }

    #[test]
    fn a_file_that_was_not_read_to_its_end_prints_nothing() {
        let mut all = events("a,b\n1,2\n");
        all.pop();
        assert!(taken(all).is_err());
    }
}
