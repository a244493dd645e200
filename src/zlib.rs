//! Bytes that are kept packed in the database, as zlib streams (RFC 1950).

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

/// Packs bytes, quickly.
///
/// # Errors
/// None in practice: what is written to is memory.
pub fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::fast());
    packer.write_all(bytes)?;
    packer.finish()
}

/// The bytes that were packed; there are `size` of them.
///
/// # Errors
/// `UnexpectedEof` where there are fewer, `InvalidData` where it is no such stream: the database is damaged.
pub fn unpack(packed: &[u8], size: u32) -> io::Result<Vec<u8>> {
    // A damaged size asks for no memory that is not there.
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(1 << 20)).unwrap_or(0));
    ZlibDecoder::new(packed)
        .take(u64::from(size))
        .read_to_end(&mut bytes)?;
    if u32::try_from(bytes.len()) == Ok(size) {
        Ok(bytes)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
