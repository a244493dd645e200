//! The bytes of a file, in pieces.

use rusqlite::{Connection, OptionalExtension, params};

use crate::db::Tx;
use crate::error::Result;
use crate::id::UploadNo;

/// Bytes of one piece of a file.
pub const CHUNK_BYTES: usize = 256 << 10;

/// A piece of a file, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub bytes: Vec<u8>,
    /// Bytes that they are a zlib stream of; `None`: they are as they came.
    pub size: Option<u32>,
}

/// Puts a piece of the file in.
///
/// # Errors
/// `Database`.
pub fn insert_chunk(tx: &Tx<'_>, no: UploadNo, position: u32, chunk: &Chunk) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO upload_chunks (upload_no, position, bytes, size) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![no.0, position, chunk.bytes, chunk.size])?;
    Ok(())
}

/// The piece at `position`, `None` after the last one.
///
/// # Errors
/// `Database`.
pub fn chunk(connection: &Connection, no: UploadNo, position: u32) -> Result<Option<Chunk>> {
    Ok(connection
        .prepare_cached(
            "SELECT bytes, size FROM upload_chunks WHERE upload_no = ?1 AND position = ?2",
        )?
        .query_row(params![no.0, position], |row| {
            Ok(Chunk {
                bytes: row.get(0)?,
                size: row.get(1)?,
            })
        })
        .optional()?)
}
