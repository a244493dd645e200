//! A sheet in a list of sheets, and finding it there.

use serde_json::{Value, json};

use super::{SheetInfo, Visibility};
use crate::error::{Error, Result};
use crate::words::Code;

/// `{"name","rows","columns",…}`: what lists and receipts say of a sheet.
pub fn line(sheet: &SheetInfo) -> Value {
    json!({
        "name": sheet.name,
        "rows": sheet.rows,
        "columns": sheet.columns.len(),
        "visibility": sheet.visibility,
        "hidden": sheet.visibility != Visibility::Visible,
        "header_row": sheet.header_row,
    })
}

/// Why a sheet without rows can't be processed: it has nothing, or only headers.
pub fn without_rows(sheet: &SheetInfo) -> String {
    let what = match &sheet.name {
        Some(name) => format!("Sheet \"{name}\""),
        None => "The file".to_owned(),
    };
    let instead = match &sheet.name {
        Some(_) => "Choose another sheet, or add the file that holds the table.",
        None => "Add the file that holds the table.",
    };
    let is_named = |label: &Option<String>| label.as_ref().is_some_and(|l| !l.trim().is_empty());
    match sheet.header_row {
        Some(row) if sheet.columns.iter().any(|column| is_named(&column.label)) => format!(
            "{what} has headers in row {row} but no rows below them. Add rows, or say another row of headers."
        ),
        Some(_) => format!("{what} holds nothing but blank rows. {instead}"),
        None => format!("{what} is empty. {instead}"),
    }
}

/// The sheet of that name; letter case decides only where two names differ in nothing else.
///
/// # Errors
/// `no-such-sheet`, with the names that there are.
pub fn by_name<'a>(sheets: &'a [SheetInfo], wanted: &str) -> Result<&'a SheetInfo> {
    let exact = sheets
        .iter()
        .find(|sheet| sheet.name.as_deref() == Some(wanted));
    let folded = || {
        sheets.iter().find(|sheet| {
            sheet
                .name
                .as_ref()
                .is_some_and(|name| name.to_lowercase() == wanted.to_lowercase())
        })
    };
    exact.or_else(folded).ok_or_else(|| {
        let names: Vec<String> = sheets
            .iter()
            .filter_map(|sheet| sheet.name.as_ref().map(|name| format!("\"{name}\"")))
            .collect();
        Error::problem(
            Code::NoSuchSheet,
            if names.is_empty() {
                "A text file has no sheets by name. Leave the sheet out.".to_owned()
            } else {
                format!(
                    "There is no sheet \"{wanted}\". There is: {}.",
                    names.join(", ")
                )
            },
        )
    })
}
