//! The rows of files that were uploaded to be processed: many in a piece, packed. A job reads them from
//! the first to the last, and whoever asks for them later mostly does so too.

use std::borrow::Cow;
use std::fmt::Write as _;

use rusqlite::{Connection, params};
use serde_json::value::RawValue;

use super::rows::PAGE_BYTES;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UploadNo;
use crate::sheet::Row;
use crate::zlib;

/// Rows of a piece, and bytes of text after which it ends: whoever wants one row unpacks all of them.
pub const ROWS: usize = 256;
const TEXT_BYTES: usize = 64 << 10;

/// A row in a piece: number, cells, kinds, width.
type Line<'a> = (u32, &'a RawValue, Option<String>, Option<u32>);

/// Some rows of one sheet that follow each other.
#[derive(Debug)]
pub struct Pack {
    last_row: u32,
    row_count: u32,
    /// A zlib stream, or the text itself where that is as short.
    rows: Vec<u8>,
    /// Bytes of the text in it.
    size: u32,
}

/// Packs rows of one sheet.
///
/// # Errors
/// None in practice.
pub fn of(rows: &[Row]) -> Result<Vec<Pack>> {
    let mut packs = Vec::with_capacity(rows.len() / ROWS + 1);
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let mut bytes = first.cells.len();
        let fitting = rest.iter().take(ROWS).skip(1).take_while(|row| {
            bytes += row.cells.len();
            bytes <= TEXT_BYTES
        });
        let (piece, others) = rest.split_at(1 + fitting.count());
        packs.push(pack(piece)?);
        rest = others;
    }
    Ok(packs)
}

fn pack(rows: &[Row]) -> Result<Pack> {
    let mut text = String::with_capacity(TEXT_BYTES + TEXT_BYTES / 4);
    for row in rows {
        let begin = if text.is_empty() { "[[" } else { ",[" };
        text.push_str(begin);
        push_number(&mut text, row.number);
        text.push(',');
        text.push_str(&row.cells);
        text.push(',');
        match &row.kinds {
            // Letters, which mean themselves in JSON.
            Some(kinds) => {
                text.push('"');
                text.push_str(kinds);
                text.push('"');
            }
            None => text.push_str("null"),
        }
        text.push(',');
        match row.width {
            Some(width) => push_number(&mut text, width),
            None => text.push_str("null"),
        }
        text.push(']');
    }
    text.push(']');
    let size = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let packed = zlib::pack(text.as_bytes())?;
    // `sqlar_uncompress` takes for the text itself what is as long.
    let is_shorter = packed.len() < text.len();
    Ok(Pack {
        last_row: rows.last().map_or(0, |row| row.number),
        row_count: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        rows: if is_shorter {
            packed
        } else {
            text.into_bytes()
        },
        size,
    })
}

/// The text of a piece.
fn text(rows: &[u8], size: u32) -> Result<Cow<'_, [u8]>> {
    if u32::try_from(rows.len()) == Ok(size) {
        return Ok(Cow::Borrowed(rows));
    }
    Ok(Cow::Owned(zlib::unpack(rows, size)?))
}

fn push_number(text: &mut String, number: u32) {
    // To a String, this can't fail.
    let _ = write!(text, "{number}");
}

/// Puts pieces of one sheet in.
///
/// # Errors
/// `Database`.
pub fn insert(tx: &Tx<'_>, no: UploadNo, sheet: u32, packs: &[Pack]) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO upload_row_packs (upload_no, sheet, last_row, row_count, rows, size)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for pack in packs {
        statement.execute(params![
            no.0,
            sheet,
            pack.last_row,
            pack.row_count,
            pack.rows,
            pack.size
        ])?;
    }
    Ok(())
}

/// As [`super::rows::page`], of a sheet whose rows are packed; nothing where they aren't.
pub(super) fn page(
    connection: &Connection,
    no: UploadNo,
    sheet: u32,
    after: u32,
    limit: usize,
) -> Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(
        "SELECT rows, size FROM upload_row_packs
         WHERE upload_no = ?1 AND sheet = ?2 AND last_row > ?3 ORDER BY last_row",
    )?;
    let mut found = statement.query(params![no.0, sheet, after])?;
    let mut page = Page {
        after,
        limit,
        bytes: 0,
        rows: Vec::new(),
    };
    while !page.is_full()
        && let Some(piece) = found.next()?
    {
        let packed = piece.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        page.add(&text(packed, piece.get(1)?)?)?;
    }
    Ok(page.rows)
}

/// As [`super::rows::these`], of a sheet whose rows are packed; nothing where they aren't.
pub(super) fn these(
    connection: &Connection,
    no: UploadNo,
    sheet: u32,
    numbers: &[u32],
) -> Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(
        "SELECT rows, size, last_row FROM upload_row_packs
         WHERE upload_no = ?1 AND sheet = ?2 AND last_row >= ?3 ORDER BY last_row LIMIT 1",
    )?;
    let mut rows = Vec::with_capacity(numbers.len());
    let mut rest = numbers;
    while let Some(first) = rest.first() {
        let mut found = statement.query(params![no.0, sheet, first])?;
        let Some(piece) = found.next()? else { break };
        let packed = piece.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let text = text(packed, piece.get(1)?)?;
        let last: u32 = piece.get(2)?;
        let (wanted, others) = rest.split_at(rest.partition_point(|number| *number <= last));
        let lines: Vec<Line<'_>> = serde_json::from_slice(&text)?;
        let lines = lines.into_iter();
        rows.extend(
            lines
                .filter(|(number, ..)| wanted.binary_search(number).is_ok())
                .map(row),
        );
        rest = others;
    }
    Ok(rows)
}

fn row((number, cells, kinds, width): Line<'_>) -> Row {
    Row {
        number,
        cells: cells.get().to_owned(),
        kinds,
        width,
    }
}

/// Rows as they are unpacked.
struct Page {
    after: u32,
    limit: usize,
    /// Of text.
    bytes: usize,
    rows: Vec<Row>,
}

impl Page {
    fn is_full(&self) -> bool {
        self.rows.len() >= self.limit || self.bytes >= PAGE_BYTES
    }

    /// Adds the rows of a piece that belong to the page.
    fn add(&mut self, text: &[u8]) -> Result<()> {
        let lines: Vec<Line<'_>> = serde_json::from_slice(text)?;
        for line in lines {
            if line.0 <= self.after {
                continue;
            }
            if self.is_full() {
                break;
            }
            self.bytes += line.1.get().len();
            self.rows.push(row(line));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(number: u32, cells: &str) -> Row {
        Row {
            number,
            cells: cells.to_owned(),
            kinds: None,
            width: None,
        }
    }

    /// What a piece holds, as it is read.
    fn unpacked(pack: &Pack) -> Vec<Row> {
        let mut page = Page {
            after: 0,
            limit: usize::MAX,
            bytes: 0,
            rows: Vec::new(),
        };
        page.add(&text(&pack.rows, pack.size).unwrap()).unwrap();
        page.rows
    }

    #[test]
    fn rows_come_out_as_they_went_in() {
        let rows = [
            plain(
                2,
                r#"["007","a \"b\" \\ \n 東京 \u0001",1.50,1e5,null,true]"#,
            ),
            plain(3, r#"{"0":1,"16383":12345678901234567890}"#),
            Row {
                kinds: Some("..dDtpe".to_owned()),
                width: Some(7),
                ..plain(1_048_576, "[]")
            },
        ];
        let packs = of(&rows).unwrap();
        assert_eq!(packs.len(), 1);
        assert_eq!(packs[0].last_row, 1_048_576);
        assert_eq!(packs[0].row_count, 3);
        assert_eq!(unpacked(&packs[0]), rows);
    }

    /// SQLite's shell unpacks a piece unless it is as long as its text.
    #[test]
    fn a_piece_that_is_as_long_as_its_text_is_that_text() {
        let mut state = 1_u64;
        let mut plain_ones = 0;
        for length in 1..400 {
            let cell: String = (0..length)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    char::from(b'A' + u8::try_from((state >> 33) % 50).unwrap())
                })
                .filter(|c| *c != '\\')
                .collect();
            let row = plain(2, &format!("[\"{cell}\"]"));
            let pack = pack(std::slice::from_ref(&row)).unwrap();
            if pack.rows.len() == pack.size as usize {
                plain_ones += 1;
                assert!(pack.rows.starts_with(b"[["), "{length}");
            }
            assert_eq!(unpacked(&pack), [row]);
        }
        assert!(plain_ones > 0);
    }

    #[test]
    fn a_piece_ends_after_so_many_rows_or_so_much_text() {
        let rows: Vec<Row> = (2..602).map(|number| plain(number, "[1]")).collect();
        let sizes: Vec<u32> = of(&rows).unwrap().iter().map(|p| p.row_count).collect();
        assert_eq!(sizes, [256, 256, 88]);
        let long = format!("[\"{}\"]", "x".repeat(TEXT_BYTES / 2));
        let rows = [
            plain(2, &long),
            plain(3, &long),
            plain(4, "[1]"),
            plain(5, &long),
        ];
        let packs = of(&rows).unwrap();
        let sizes: Vec<u32> = packs.iter().map(|p| p.row_count).collect();
        assert_eq!(sizes, [1, 2, 1]);
        let all: Vec<Row> = packs.iter().flat_map(unpacked).collect();
        assert_eq!(all, rows);
        assert!(of(&[]).unwrap().is_empty());
    }
}
