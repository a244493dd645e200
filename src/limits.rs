//! The bounds of reading a file, each with its unit; every one is a setting.

use serde::{Deserialize, Serialize};

/// The bounds of reading (details 11 of the contract); over one of them a file is `too-complex`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub rows_text_max: u64,
    pub rows_workbook_max: u64,
    /// The last column that may hold a value, counted from A.
    pub columns_max: usize,
    /// Columns that hold a value or a header, and so are stored.
    pub columns_stored_max: usize,
    pub cells_max: u64,
    /// Characters (UTF-16 units, as spreadsheets count) in a cell of a workbook.
    pub cell_chars_workbook_max: usize,
    /// Bytes of UTF-8 in a field of a text file.
    pub cell_bytes_text_max: usize,
    /// Bytes of memory for the shared strings of a workbook: their text, and four for each.
    pub strings_bytes_max: usize,
    /// Bytes of one member of a zip, inflated.
    pub member_bytes_max: u64,
    /// Bytes of all members of a zip together, inflated.
    pub inflated_bytes_max: u64,
    /// Bytes of row text that come out.
    pub output_bytes_max: u64,
    pub members_max: usize,
    /// Worksheets of a workbook.
    pub sheets_max: usize,
    /// Address space of the child process, bytes.
    pub child_memory_bytes_max: u64,
    /// Processor seconds of the child process.
    pub child_cpu_seconds_max: u64,
    /// Wall seconds of the child process.
    pub child_wall_seconds_max: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            rows_text_max: 2_000_000,
            rows_workbook_max: 1_048_576,
            columns_max: 16_384,
            columns_stored_max: 16_384,
            cells_max: 20_000_000,
            cell_chars_workbook_max: 32_767,
            cell_bytes_text_max: 1 << 20,
            strings_bytes_max: 256 << 20,
            member_bytes_max: 1 << 30,
            inflated_bytes_max: 1 << 30,
            output_bytes_max: 400_000_000,
            members_max: 2_000,
            sheets_max: 2_000,
            child_memory_bytes_max: 1 << 30,
            child_cpu_seconds_max: 120,
            child_wall_seconds_max: 300,
        }
    }
}
