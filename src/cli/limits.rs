//! The bounds of reading a file, as flags of every command that reads one.

use clap::Args;

use super::values::whole;
use crate::sheet::Limits;

/// Over one of these a file is `too-complex`.
#[derive(Debug, Clone, Args)]
#[group(skip)] // several of these stand in one command, and clap wants their names to differ
pub(super) struct Flags {
    /// Rows of a text file
    #[arg(
        long,
        env = "SHEETLINE_MAX_ROWS_TEXT",
        default_value_t = 2_000_000,
        value_name = "N",
        value_parser = whole::<u64>(1..=1_000_000_000)
    )]
    max_rows_text: u64,
    /// Rows of a workbook's sheet
    #[arg(
        long,
        env = "SHEETLINE_MAX_ROWS",
        default_value_t = 1_048_576,
        value_name = "N",
        value_parser = whole::<u64>(1..=1_048_576)
    )]
    max_rows: u64,
    /// The last column that may hold a value, counted from A
    #[arg(
        long,
        env = "SHEETLINE_MAX_COLUMNS",
        default_value_t = 16_384,
        value_name = "N",
        value_parser = whole::<usize>(1..=16_384)
    )]
    max_columns: usize,
    /// Columns that hold a value or a header; 1000 is more than most offices have
    #[arg(
        long,
        env = "SHEETLINE_MAX_STORED_COLUMNS",
        default_value_t = 16_384,
        value_name = "N",
        value_parser = whole::<usize>(1..=16_384)
    )]
    max_stored_columns: usize,
    /// Cells in all
    #[arg(
        long,
        env = "SHEETLINE_MAX_CELLS",
        default_value_t = 20_000_000,
        value_name = "N",
        value_parser = whole::<u64>(1..=10_000_000_000)
    )]
    max_cells: u64,
    /// Letters of a workbook's cell
    #[arg(
        long,
        env = "SHEETLINE_MAX_CELL_LETTERS",
        default_value_t = 32_767,
        value_name = "N",
        value_parser = whole::<usize>(1..=1_048_576)
    )]
    max_cell_letters: usize,
    /// KiB of a text file's field
    #[arg(
        long,
        env = "SHEETLINE_MAX_FIELD_KB",
        default_value_t = 1_024,
        value_name = "N",
        value_parser = whole::<usize>(1..=1_048_576)
    )]
    max_field_kb: usize,
    /// MiB of memory for a workbook's shared strings
    #[arg(
        long,
        env = "SHEETLINE_MAX_STRINGS_MB",
        default_value_t = 256,
        value_name = "N",
        value_parser = whole::<usize>(1..=65_536)
    )]
    max_strings_mb: usize,
    /// MiB of one member of a packed workbook, unpacked
    #[arg(
        long,
        env = "SHEETLINE_MAX_MEMBER_MB",
        default_value_t = 1_024,
        value_name = "N",
        value_parser = whole::<u64>(1..=1_048_576)
    )]
    max_member_mb: u64,
    /// MiB of a workbook, unpacked
    #[arg(
        long,
        env = "SHEETLINE_MAX_INFLATED_MB",
        default_value_t = 1_024,
        value_name = "N",
        value_parser = whole::<u64>(1..=1_048_576)
    )]
    max_inflated_mb: u64,
    /// MB of text that a file may become
    #[arg(
        long,
        env = "SHEETLINE_MAX_OUTPUT_MB",
        default_value_t = 400,
        value_name = "N",
        value_parser = whole::<u64>(1..=1_048_576)
    )]
    max_output_mb: u64,
    /// Members of a packed workbook
    #[arg(
        long,
        env = "SHEETLINE_MAX_MEMBERS",
        default_value_t = 2_000,
        value_name = "N",
        value_parser = whole::<usize>(1..=1_000_000)
    )]
    max_members: usize,
    /// Worksheets of a workbook
    #[arg(
        long,
        env = "SHEETLINE_MAX_SHEETS",
        default_value_t = 2_000,
        value_name = "N",
        value_parser = whole::<usize>(1..=1_000_000)
    )]
    max_sheets: usize,
    /// MiB of memory for reading one file, 64 at least
    #[arg(
        long,
        env = "SHEETLINE_READ_MEMORY_MB",
        default_value_t = 1_024,
        value_name = "N",
        value_parser = whole::<u64>(MEMORY_MB_MIN..=1_048_576)
    )]
    read_memory_mb: u64,
    /// Processor seconds for reading one file
    #[arg(
        long,
        env = "SHEETLINE_READ_SECONDS",
        default_value_t = 120,
        value_name = "N",
        value_parser = whole::<u64>(1..=86_400)
    )]
    read_seconds: u64,
}

/// With less than this not even a small file can be read.
const MEMORY_MB_MIN: u64 = 64;

impl Flags {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            rows_text_max: self.max_rows_text,
            rows_workbook_max: self.max_rows,
            columns_max: self.max_columns,
            columns_stored_max: self.max_stored_columns,
            cells_max: self.max_cells,
            cell_chars_workbook_max: self.max_cell_letters,
            cell_bytes_text_max: self.max_field_kb.saturating_mul(1_024),
            strings_bytes_max: self.max_strings_mb.saturating_mul(1 << 20),
            member_bytes_max: self.max_member_mb.saturating_mul(1 << 20),
            inflated_bytes_max: self.max_inflated_mb.saturating_mul(1 << 20),
            output_bytes_max: self.max_output_mb.saturating_mul(1_000_000),
            members_max: self.max_members,
            sheets_max: self.max_sheets,
            child_memory_bytes_max: self.read_memory_mb.saturating_mul(1 << 20),
            child_cpu_seconds_max: self.read_seconds,
            child_wall_seconds_max: self.read_seconds.saturating_mul(5).div_ceil(2),
        }
    }
}
