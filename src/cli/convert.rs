//! `convert`: prints the JSON document of a file's sheet, or nothing and the reason.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Seek, SeekFrom, Write};
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
use crate::sheet::protocol::{self, RowLine};
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
    let mut reader = reader::read_lines(
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
    /// The reader's lines, as they came: taken apart only where they are printed.
    rows: Spill,
}

/// Takes all lines of a reader.
fn take(
    mut next: impl FnMut() -> Result<Option<String>>,
    progress: &mut Progress,
) -> Result<Taken> {
    let mut rows = Spill::default();
    let (mut begins, mut sheets, mut file) = (Vec::new(), Vec::new(), None);
    while let Some(text) = next()? {
        let mut at = rows.size;
        for line in protocol::lines(&text) {
            at += u64::try_from(line.len() + 1).unwrap_or(0);
            if line.starts_with('R') {
                progress.row();
                continue;
            }
            match protocol::parse(line)? {
                Event::Sheet(_) => begins.push(at),
                Event::Row(_) => {}
                Event::SheetEnd(info) => sheets.push(*info),
                Event::Estimate(rows) => progress.total = Some(rows),
                Event::Done(info) => file = Some(info),
            }
        }
        rows.add(&text)?;
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
    let mut left = sheet.rows;
    while left > 0 {
        for row in protocol::lines(rows.next()?).filter_map(RowLine::parse) {
            if left == 0 {
                break;
            }
            left -= 1;
            document.row(row.number, row.cells, &mut piece)?;
            if piece.len() >= PIECE_BYTES {
                out.write_all(&piece)?;
                piece.clear();
            }
        }
    }
    document.end(&facts, sheet, &taken.sheets, &mut piece)?;
    out.write_all(&piece)?;
    Ok(out.flush()?)
}

fn no_rows() -> Error {
    Error::Internal("rows that were kept are not there".to_owned())
}

/// Lines that wait until the file is known to be whole: in memory, then in a file without a name.
#[derive(Default)]
struct Spill {
    memory: String,
    file: Option<File>,
    /// Bytes in all.
    size: u64,
}

impl Spill {
    fn add(&mut self, text: &str) -> Result<()> {
        self.memory.push_str(text);
        self.size += u64::try_from(text.len()).unwrap_or(0);
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
        file.write_all(self.memory.as_bytes())?;
        self.memory.clear();
        Ok(())
    }

    /// The lines from byte `begin` on.
    fn read(mut self, begin: u64) -> Result<Kept> {
        if self.file.is_some() {
            self.write_out()?;
        }
        match self.file {
            None => Ok(Kept::Memory(
                self.memory,
                usize::try_from(begin).map_err(|_| no_rows())?,
            )),
            Some(mut file) => {
                file.seek(SeekFrom::Start(begin))?;
                Ok(Kept::File(file, Vec::new(), 0))
            }
        }
    }
}

/// Lines that were kept.
enum Kept {
    /// All of them, and where the next one begins.
    Memory(String, usize),
    /// The file, what was read of it, and how much of that was handed on.
    File(File, Vec<u8>, usize),
}

impl Kept {
    /// The next whole lines, of which there must be some.
    fn next(&mut self) -> Result<&str> {
        match self {
            Kept::Memory(text, begin) => {
                let begin = std::mem::replace(begin, text.len());
                text.get(begin..)
                    .filter(|text| !text.is_empty())
                    .ok_or_else(no_rows)
            }
            Kept::File(file, bytes, done) => {
                bytes.drain(..std::mem::take(done));
                let more = u64::try_from(PIECE_BYTES).unwrap_or(u64::MAX);
                while !bytes.contains(&b'\n') {
                    if file.take(more).read_to_end(bytes)? == 0 {
                        return Err(no_rows());
                    }
                }
                *done = memchr::memrchr(b'\n', bytes).map_or(0, |last| last + 1);
                let whole = bytes.get(..*done).unwrap_or(&[]);
                std::str::from_utf8(whole).map_err(|_| no_rows())
            }
        }
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
        // The same sheet once more behind it, which is not asked for.
        let (sheet, done) = all.split_at(all.rfind('D').unwrap());
        let taken = taken(&format!("{sheet}{sheet}{done}")).unwrap();
        assert!(taken.rows.file.is_some());
        let value = printed(taken);
        assert_eq!(value["data"].as_array().unwrap().len(), 600);
        assert_eq!(value["data"][599]["b"], long);
    }

    #[test]
    fn a_file_that_was_not_read_to_its_end_prints_nothing() {
        let all = told("a,b\n1,2\n");
        let (sheet, _) = all.split_at(all.rfind('D').unwrap());
        assert!(taken(sheet).is_err());
    }
}
