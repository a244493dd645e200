//! What stands around the cells of an xlsx worksheet: its extent, its merged ranges. Also how a part is taken in
//! pieces, and where a reference points.

use std::io::{BufRead, Cursor, Read};

use memchr::memmem;
use quick_xml::events::Event;

use super::super::assemble::Merge;
use super::damaged;
use super::package::in_part;
use super::xml::{Xml, as_utf8, raw_attribute};
use crate::error::Result;

/// Bytes of a piece, unless a row is longer.
pub(super) const PIECE_BYTES: usize = 256 << 10;

/// Bytes that an end tag may take, its prefix included, where it lies across two pieces.
pub(super) const BORDER_BYTES: usize = 100;

/// Bytes of the shortest row that is worth an estimate.
const ROW_BYTES_MIN: u64 = 16;

/// What has to be known of a sheet before its first row, though the file tells it last.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) merges: Vec<Merge>,
    /// How many rows the sheet says it has.
    pub(super) rows_seem: u64,
}

/// Looks through a worksheet part for what stands around its cells. `size` is the part's.
///
/// # Errors
/// `unreadable-file`.
pub(super) fn look(source: Box<dyn BufRead + '_>, size: u64) -> Result<Facts> {
    let mut source = as_utf8(source)?;
    let mut piece = Vec::with_capacity(2 * PIECE_BYTES);
    let mut facts = Facts::default();
    let finder = memmem::Finder::new("sheetData>");
    let mut first = true;
    loop {
        let read = take(&mut source, &mut piece)?;
        if first {
            facts.rows_seem = dimension(&piece).min(size / ROW_BYTES_MIN);
            first = false;
        }
        if let Some(at) = finder
            .find_iter(&piece)
            .find(|at| ends_an_element(&piece, *at))
        {
            piece.drain(..at);
            let tail = Cursor::new(std::mem::take(&mut piece)).chain(source);
            facts.merges = merges(Xml::new(Box::new(tail))?)?;
            return Ok(facts);
        }
        if read == 0 {
            return Ok(facts);
        }
        // The word may lie across the border of two pieces, with its prefix before it.
        let keep = piece.len().min(BORDER_BYTES);
        piece.drain(..piece.len() - keep);
    }
}

/// Adds up to a piece's length to `piece`; 0 at the end.
pub(super) fn take(source: &mut impl Read, piece: &mut Vec<u8>) -> Result<usize> {
    source
        .take(u64::try_from(PIECE_BYTES).unwrap_or(u64::MAX))
        .read_to_end(piece)
        .map_err(in_part)
}

/// Whether the name at `at` belongs to an end tag, with or without a prefix.
pub(super) fn ends_an_element(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    let prefix = before
        .iter()
        .rev()
        .take_while(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.')
        })
        .count();
    before
        .get(..before.len() - prefix)
        .is_some_and(|rest| rest.ends_with(b"</"))
}

/// The last row of the `dimension` element, which is often wrong and sometimes nonsense.
fn dimension(head: &[u8]) -> u64 {
    let head = head.get(..4_096).unwrap_or(head);
    let text = String::from_utf8_lossy(head);
    text.split_once("dimension ")
        .and_then(|(_, rest)| rest.split_once('>'))
        .and_then(|(raw, _)| raw_attribute(raw, "ref")?.split(':').next_back())
        .and_then(reference)
        .map_or(0, |(row, _)| u64::from(row))
}

/// The merged ranges among what stands behind the cells. It is read to the end, where the
/// package's checksum is compared.
fn merges(mut tail: Xml<'_>) -> Result<Vec<Merge>> {
    let mut merges = Vec::new();
    loop {
        match tail.next()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "mergeCell" => {
                    merges.extend(raw_attribute(start.attributes_raw(), "ref").and_then(merge));
                }
                // A second table of cells would go unread.
                "sheetData" => return Err(damaged()),
                _ => {}
            },
            Event::Eof => return Ok(merges),
            _ => {}
        }
    }
}

fn merge(text: &str) -> Option<Merge> {
    let (first, last) = text.split_once(':')?;
    let (first_row, first_column) = reference(first)?;
    let (last_row, last_column) = reference(last)?;
    (first_row <= last_row && first_column <= last_column).then_some(Merge {
        first_row,
        last_row,
        first_column,
        last_column,
    })
}

/// `B17` → row 17 (1-based), column 1 (0-based).
pub(super) fn reference(text: &str) -> Option<(u32, usize)> {
    let bytes = text.as_bytes();
    let mut column: usize = 0;
    let mut at = 0;
    while let Some(letter) = bytes.get(at).filter(|byte| byte.is_ascii_alphabetic()) {
        column = column
            .checked_mul(26)?
            .checked_add(usize::from(letter.to_ascii_uppercase() - b'A') + 1)?;
        at += 1;
    }
    let mut row: u32 = 0;
    let digits = bytes.get(at..)?;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        row = row.checked_mul(10)?.checked_add(u32::from(digit - b'0'))?;
    }
    (column > 0 && row > 0).then(|| (row, column - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_a_row_and_a_column() {
        assert_eq!(reference("B17"), Some((17, 1)));
        assert_eq!(reference("XFD1048576"), Some((1_048_576, 16_383)));
        assert_eq!(reference("A0"), None);
        assert_eq!(reference("17"), None);
        assert_eq!(reference("A99999999999"), None);
        assert_eq!(reference("A1 "), None);
    }

    #[test]
    fn what_stands_behind_the_cells_is_found() {
        let part = "<x:worksheet><x:dimension ref='A1:C9'/><x:sheetData><x:row/></x:sheetData>\
            <x:mergeCells count='1'><x:mergeCell ref='A1:C2'/></x:mergeCells></x:worksheet>";
        let facts = look(Box::new(part.as_bytes()), 1_000).unwrap();
        assert_eq!(facts.rows_seem, 9);
        assert_eq!(
            facts.merges,
            vec![Merge {
                first_row: 1,
                last_row: 2,
                first_column: 0,
                last_column: 2
            }]
        );
    }
}
