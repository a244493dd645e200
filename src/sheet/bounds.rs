//! The bounds that every sheet is held to, and what is said where one is crossed.

use super::found::{Found, Sheet};
use super::notices::counted;
use super::{Limits, cell_name, column_letters};
use crate::error::{Error, Result};
use crate::words::Code;

/// Whether a cell's text is not too long.
///
/// # Errors
/// `too-complex`.
#[inline]
pub(super) fn size(
    sheet: &Sheet,
    limits: &Limits,
    place: (usize, u32),
    found: &Found<'_>,
) -> Result<()> {
    let text = found.text();
    let (max, unit) = if sheet.workbook {
        (limits.cell_chars_workbook_max, "letters")
    } else {
        (limits.cell_bytes_text_max, "bytes")
    };
    // A text has at most as many UTF-16 units as bytes: counting is rarely needed.
    if text.len() <= max || (sheet.workbook && text.encode_utf16().count() <= max) {
        return Ok(());
    }
    Err(too_long(place, max, unit))
}

#[cold]
pub(super) fn too_long((column, row): (usize, u32), max: usize, unit: &str) -> Error {
    too_complex(&format!(
        "Cell {} holds more than {}. Shorten it.",
        cell_name(column, row),
        counted(max, unit)
    ))
}

/// What comes twice or goes back is damage.
pub(super) fn out_of_order(number: u32) -> Error {
    Error::problem(
        Code::UnreadableFile,
        format!(
            "The file is damaged: row {number} is out of order. Open it in Excel, save it under a new name, and add that."
        ),
    )
}

/// Whether a 0-based column may be used.
///
/// # Errors
/// `too-complex`.
pub(super) fn column(column: usize, columns_max: usize) -> Result<()> {
    if column < columns_max {
        return Ok(());
    }
    Err(too_complex(&format!(
        "The sheet uses column {}; at most {} are read. Delete the unused ones.",
        column_letters(column),
        counted(columns_max, "columns")
    )))
}

/// Whether so many columns that hold something may be stored.
///
/// # Errors
/// `too-complex`.
pub(super) fn stored(columns: usize, columns_max: usize) -> Result<()> {
    if columns <= columns_max {
        return Ok(());
    }
    Err(too_complex(&format!(
        "The sheet uses {}; at most {} are stored. Delete the unused ones.",
        counted(columns, "columns"),
        counted(columns_max, "columns")
    )))
}

/// More cells than a file may have.
#[cold]
pub(super) fn cells(limits: &Limits) -> Error {
    too_complex(&format!(
        "The file has more than {} with a value. Split it.",
        counted(limits.cells_max, "cells")
    ))
}

/// More members than a package may have.
pub(super) fn members(limits: &Limits) -> Error {
    too_complex(&format!(
        "The file is packed from more than {} and was not read. Save it in Excel under a new name, and add that.",
        counted(limits.members_max, "parts")
    ))
}

pub(super) fn too_complex(sentence: &str) -> Error {
    Error::problem(Code::TooComplex, sentence)
}
