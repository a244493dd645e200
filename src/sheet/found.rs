//! What a parser finds in a sheet: the words in which it tells the assembler.

use std::borrow::Cow;

use super::{Kind, Visibility};

/// A cell's value as a parser found it. Empty cells are left out.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    Text(Cow<'a, str>),
    /// A number of a workbook: the 64-bit float that every spreadsheet program reads.
    Number(f64),
    /// A number without the leading zeros that its format shows.
    Bare(f64),
    /// A number of a text file whose text is already the JSON that prints it.
    Json(Cow<'a, str>),
    Bool(bool),
    /// A date, date-time, time or duration, in the text form of [`Kind`].
    Moment(Kind, Cow<'a, str>),
    /// A spreadsheet error, such as `#N/A`.
    Error(Cow<'a, str>),
}

impl Found<'_> {
    /// The same, owned.
    pub(super) fn keep(&self) -> Found<'static> {
        let own = |text: &str| Cow::Owned(text.to_owned());
        match self {
            Found::Text(text) => Found::Text(own(text)),
            Found::Number(number) => Found::Number(*number),
            Found::Bare(number) => Found::Bare(*number),
            Found::Json(text) => Found::Json(own(text)),
            Found::Bool(value) => Found::Bool(*value),
            Found::Moment(kind, text) => Found::Moment(*kind, own(text)),
            Found::Error(text) => Found::Error(own(text)),
        }
    }

    /// Its text, where it has one.
    pub(super) fn text(&self) -> &str {
        match self {
            Found::Text(text) | Found::Json(text) | Found::Moment(_, text) | Found::Error(text) => {
                text
            }
            Found::Number(_) | Found::Bare(_) | Found::Bool(_) => "",
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Found::Text(text) if text.is_empty())
    }
}

/// A range of merged cells: 0-based columns, 1-based rows, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    pub first_row: u32,
    pub last_row: u32,
    pub first_column: usize,
    pub last_column: usize,
}

/// What is known of a sheet before its first row.
#[derive(Debug, Clone)]
pub struct Sheet {
    pub position: u32,
    /// `None` for text files.
    pub name: Option<String>,
    pub visibility: Visibility,
    pub merges: Vec<Merge>,
    /// 1-based header row, where the user said so.
    pub header_row: Option<u32>,
    /// Whether it is a workbook's sheet; the bounds of a text file are others.
    pub workbook: bool,
}
