//! The JSON document of a sheet, written row by row, so that its size does not matter.

use serde_json::{Value, json};

use super::cells::Values;
use super::{Column, Row, SheetInfo, json, summary};
use crate::error::Result;
use crate::words::Format;

/// What the document says of its file.
#[derive(Debug, Clone)]
pub struct FileFacts {
    pub filename: String,
    pub format: Format,
    pub sha256: String,
    /// RFC 3339; `None` where the file was not uploaded.
    pub uploaded_at: Option<String>,
    pub uploaded_by: Option<String>,
    /// Text files: how the file was decoded and split.
    pub encoding: Option<String>,
    pub delimiter: Option<String>,
}

/// Writes one document: [`Document::begin`], [`Document::row`] for each row, [`Document::end`].
#[derive(Debug)]
pub struct Document {
    objects: Objects,
    /// The rows so far.
    numbers: Vec<u32>,
}

impl Document {
    /// Appends what stands before the rows.
    pub fn begin(sheet: &SheetInfo, out: &mut Vec<u8>) -> Document {
        out.extend_from_slice(b"{\"columns\":[");
        for (at, column) in sheet.columns.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            json::text(out, &column.name);
        }
        out.extend_from_slice(b"],\"data\":[");
        Document {
            objects: Objects::new(&sheet.columns),
            numbers: Vec::new(),
        }
    }

    /// Appends a row.
    ///
    /// # Errors
    /// `Internal` where its cells can't be read, which only a damaged database makes.
    pub fn row(&mut self, number: u32, cells: &str, out: &mut Vec<u8>) -> Result<()> {
        if !self.numbers.is_empty() {
            out.push(b',');
        }
        out.push(b'\n');
        self.numbers.push(number);
        self.objects.append(cells, out)?;
        Ok(())
    }

    /// Appends what stands after the rows. `sheets` are all sheets of the file.
    ///
    /// # Errors
    /// `Internal` where the facts can't be written as JSON.
    pub fn end(
        self,
        file: &FileFacts,
        sheet: &SheetInfo,
        sheets: &[SheetInfo],
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let metadata = json!({
            "filename": file.filename,
            "sheet": sheet.name,
            "sheets": sheets.iter().map(summary::line).collect::<Vec<Value>>(),
            "total_rows": sheet.rows,
            "total_columns": sheet.columns.len(),
            "uploaded_at": file.uploaded_at,
            "uploaded_by": file.uploaded_by,
            "sha256": file.sha256,
            "format": file.format.as_str(),
            "encoding": file.encoding,
            "delimiter": file.delimiter,
            "header_row": sheet.header_row,
            "error_cells": { "count": sheet.error_cells, "cells": sheet.error_cells_first },
            "notices": sheet.notices,
            "row_numbers": [],
        });
        out.extend_from_slice(b"\n],\"metadata\":");
        serde_json::to_writer(&mut *out, &metadata)?;
        // The row numbers come last, so that they need not be made into values first.
        out.truncate(out.len().saturating_sub(2));
        for (at, number) in self.numbers.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            serde_json::to_writer(&mut *out, number)?;
        }
        out.extend_from_slice(b"]}}\n");
        Ok(())
    }
}

/// Writes rows as JSON objects.
#[derive(Debug)]
pub struct Objects {
    /// The place of each column in a row, and its key with quotes and colon, and with a comma
    /// unless it is the first.
    keys: Vec<(usize, Vec<u8>)>,
    /// Bytes of a row besides its values: all keys, the braces, and a `null` for each column.
    bytes: usize,
}

impl Objects {
    pub fn new(columns: &[Column]) -> Objects {
        Objects::of(columns.iter().map(|column| (column.index, &*column.name)))
    }

    /// From the place of each column in a row, ascending, and its name.
    pub fn of<'c>(columns: impl Iterator<Item = (usize, &'c str)>) -> Objects {
        let key = |(at, (index, name)): (usize, (usize, &str))| {
            let mut key = Vec::new();
            if at > 0 {
                key.push(b',');
            }
            json::text(&mut key, name);
            key.push(b':');
            (index, key)
        };
        let keys: Vec<(usize, Vec<u8>)> = columns.enumerate().map(key).collect();
        let bytes = keys.iter().map(|(_, key)| key.len() + 4).sum::<usize>() + 2;
        Objects { keys, bytes }
    }

    /// Bytes of a row in which every cell is empty.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends a row as one JSON object, without a line break in it. False where the row has a value
    /// in another column, which is left out.
    ///
    /// # Errors
    /// As [`Document::row`].
    pub fn append(&self, cells: &str, out: &mut Vec<u8>) -> Result<bool> {
        let mut values = Values::new(cells)?;
        let mut value = values.next()?;
        let mut whole = true;
        out.reserve(self.bytes + cells.len());
        out.push(b'{');
        for (index, key) in &self.keys {
            out.extend_from_slice(key);
            while let Some((column, json)) = value
                && column < *index
            {
                whole &= json == "null";
                value = values.next()?;
            }
            if let Some((column, json)) = value
                && column == *index
            {
                out.extend_from_slice(json.as_bytes());
                value = values.next()?;
            } else {
                out.extend_from_slice(b"null");
            }
        }
        out.push(b'}');
        Ok(whole && value.is_none())
    }

    /// Appends a row of the sheet as a line.
    ///
    /// # Errors
    /// As [`Document::row`].
    pub fn line(&self, row: &Row, out: &mut Vec<u8>) -> Result<()> {
        self.append(&row.cells, out)?;
        out.push(b'\n');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::{Notice, Visibility};

    fn sheet() -> SheetInfo {
        let column = |index, name: &str| Column {
            index,
            name: name.to_owned(),
            label: None,
        };
        SheetInfo {
            position: 0,
            name: Some("S".to_owned()),
            visibility: Visibility::Visible,
            header_row: Some(2),
            columns: vec![column(0, "a \"x\""), column(2, "b"), column(3, "c")],
            rows: 2,
            error_cells: 1,
            error_cells_first: vec!["C3".to_owned()],
            notices: vec![Notice {
                code: "title-row".to_owned(),
                cell: Some("A1".to_owned()),
                message: "Left out.".to_owned(),
            }],
            above: Vec::new(),
        }
    }

    #[test]
    fn a_document_is_the_json_that_the_contract_shows() {
        let sheet = sheet();
        let mut out = Vec::new();
        let mut document = Document::begin(&sheet, &mut out);
        document
            .row(3, r#"["q\\\"],[",1,null,true]"#, &mut out)
            .unwrap();
        document.row(7, r#"["",2]"#, &mut out).unwrap();
        let file = FileFacts {
            filename: "f.xlsx".to_owned(),
            format: Format::Xlsx,
            sha256: "ab".to_owned(),
            uploaded_at: None,
            uploaded_by: Some("anna".to_owned()),
            encoding: None,
            delimiter: None,
        };
        document
            .end(&file, &sheet, std::slice::from_ref(&sheet), &mut out)
            .unwrap();
        let value: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["columns"], json!(["a \"x\"", "b", "c"]));
        assert_eq!(
            value["data"],
            json!([
                { "a \"x\"": "q\\\"],[", "b": null, "c": true },
                { "a \"x\"": "", "b": null, "c": null }
            ])
        );
        let metadata = &value["metadata"];
        assert_eq!(metadata["row_numbers"], json!([3, 7]));
        assert_eq!(metadata["total_rows"], 2);
        assert_eq!(metadata["total_columns"], 3);
        assert_eq!(metadata["header_row"], 2);
        assert_eq!(
            metadata["error_cells"],
            json!({ "count": 1, "cells": ["C3"] })
        );
        assert_eq!(metadata["notices"][0]["code"], "title-row");
        assert_eq!(metadata["sheets"][0]["name"], "S");
    }

    #[test]
    fn a_sheet_without_rows_is_a_document_too() {
        let sheet = sheet();
        let mut out = Vec::new();
        let document = Document::begin(&sheet, &mut out);
        let file = FileFacts {
            filename: String::new(),
            format: Format::Csv,
            sha256: String::new(),
            uploaded_at: None,
            uploaded_by: None,
            encoding: None,
            delimiter: None,
        };
        document.end(&file, &sheet, &[], &mut out).unwrap();
        let value: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["data"], json!([]));
        assert_eq!(value["metadata"]["row_numbers"], json!([]));
    }

    #[test]
    fn damaged_rows_are_told_apart() {
        let objects = Objects::new(&sheet().columns);
        for cells in ["", "[", "1,2", "[\"a", "[\"a\"b]", "[\"a\\\"]"] {
            assert!(objects.append(cells, &mut Vec::new()).is_err(), "{cells}");
        }
        let mut out = Vec::new();
        objects.append("[]", &mut out).unwrap();
        assert!(serde_json::from_slice::<Value>(&out).is_ok());
    }
}
