//! The bytes of a file: into the database in pieces, and out again.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::faults;
use crate::id::UploadNo;
use crate::intake::spool::Spool;
use crate::store::uploads::{self, CHUNK_BYTES, Chunk};
use crate::words::Format;
use crate::zlib;

/// Pieces per transaction: 1 MiB.
const BATCH_CHUNKS: usize = 4;

/// Pieces of a spooled file, read a batch at a time.
struct Pieces<'a> {
    file: &'a mut File,
    position: u32,
    /// They are packed.
    pack: bool,
}

impl Pieces<'_> {
    /// The next pieces; fewer than [`BATCH_CHUNKS`] where the file ends.
    fn next_batch(&mut self) -> io::Result<Vec<(u32, Chunk)>> {
        faults::file()?;
        let mut batch = Vec::new();
        while batch.len() < BATCH_CHUNKS {
            let mut piece = Vec::with_capacity(CHUNK_BYTES);
            let want = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
            Read::by_ref(self.file).take(want).read_to_end(&mut piece)?;
            if piece.is_empty() {
                break;
            }
            batch.push((self.position, chunk(piece, self.pack)?));
            self.position += 1;
        }
        Ok(batch)
    }
}

/// A piece as it is stored: text takes a quarter of its size packed, workbooks are packed already.
fn chunk(bytes: Vec<u8>, pack: bool) -> io::Result<Chunk> {
    if pack {
        let packed = zlib::pack(&bytes)?;
        if packed.len() < bytes.len() {
            let size = u32::try_from(bytes.len()).ok();
            return Ok(Chunk {
                bytes: packed,
                size,
            });
        }
    }
    Ok(Chunk { bytes, size: None })
}

/// A stored piece as it came.
fn unpacked(chunk: Chunk) -> io::Result<Vec<u8>> {
    let Some(size) = chunk.size else {
        return Ok(chunk.bytes);
    };
    faults::file()?;
    zlib::unpack(&chunk.bytes, size)
}

fn is_packed(format: Format) -> bool {
    match format {
        Format::Xlsx | Format::Xlsm | Format::Xlsb | Format::Ods => true,
        Format::Xls | Format::Csv | Format::Tsv => false,
    }
}

/// Stores the file's bytes. `begin` runs in the first transaction and makes the upload's row; `forget`
/// gets it where a later one fails.
///
/// # Errors
/// What the database or the spool file said.
pub fn store(
    db: &Db,
    spool: &mut Spool,
    format: Format,
    begin: impl FnOnce(&Tx<'_>) -> Result<UploadNo>,
    forget: impl FnOnce(UploadNo),
) -> Result<UploadNo> {
    let mut pieces = Pieces {
        file: spool.rewind()?,
        position: 0,
        pack: !is_packed(format),
    };
    let first = pieces.next_batch()?;
    let no = db.write_ahead(|tx| {
        let no = begin(tx)?;
        insert(tx, no, &first)?;
        Ok(no)
    })?;
    let whole = first.len() < BATCH_CHUNKS;
    drop(first);
    if !whole && let Err(error) = store_rest(db, &mut pieces, no) {
        forget(no);
        return Err(error);
    }
    Ok(no)
}

/// Stores the pieces that are left, of which never more than one batch is in memory.
fn store_rest(db: &Db, pieces: &mut Pieces<'_>, no: UploadNo) -> Result<()> {
    loop {
        let batch = pieces.next_batch()?;
        db.write_ahead(|tx| insert(tx, no, &batch))?;
        if batch.len() < BATCH_CHUNKS {
            return Ok(());
        }
    }
}

fn insert(tx: &Tx<'_>, no: UploadNo, batch: &[(u32, Chunk)]) -> Result<()> {
    for (position, piece) in batch {
        uploads::insert_chunk(tx, no, *position, piece)?;
    }
    Ok(())
}

/// A stored file as a stream; every piece is read in a transaction of its own.
pub struct Original {
    db: Arc<Db>,
    no: UploadNo,
    position: u32,
    /// Bytes of the next piece that are not wanted.
    skip: u64,
    piece: io::Cursor<Vec<u8>>,
}

impl Original {
    pub fn new(db: Arc<Db>, no: UploadNo) -> Original {
        Original {
            db,
            no,
            position: 0,
            skip: 0,
            piece: io::Cursor::new(Vec::new()),
        }
    }

    /// The file from this byte on.
    pub fn from_byte(db: Arc<Db>, no: UploadNo, byte: u64) -> Original {
        let piece = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
        let mut original = Original::new(db, no);
        // Behind every piece where there are more than 2^32 of them.
        original.position = u32::try_from(byte / piece).unwrap_or(u32::MAX);
        original.skip = byte % piece;
        original
    }
}

impl Read for Original {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let next = self
                .db
                .read(|c| uploads::chunk(c, self.no, self.position))
                .map_err(|error| io::Error::other(error.to_string()))?;
            match next {
                Some(chunk) => {
                    self.piece = io::Cursor::new(unpacked(chunk)?);
                    self.piece.set_position(std::mem::take(&mut self.skip));
                    self.position = self.position.saturating_add(1);
                }
                None => return Ok(0),
            }
        }
    }
}

/// Writes a stored file to a spool file, for the reader.
///
/// # Errors
/// What the database or the file system said; `Internal` where bytes are missing.
pub fn fetch(db: &Arc<Db>, no: UploadNo, size: i64, spool: &mut Spool) -> Result<()> {
    io::copy(&mut Original::new(Arc::clone(db), no), spool)?;
    spool.flush()?;
    if i64::try_from(spool.size()) == Ok(size) {
        Ok(())
    } else {
        Err(Error::Internal(format!("upload {} lost bytes", no.0)))
    }
}
