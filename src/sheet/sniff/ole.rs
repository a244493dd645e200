//! The directory of an OLE compound file: whose document it is, by the names of its streams.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use super::super::encoding::fill;
use super::super::storages::{self, ENTRY_BYTES};
use super::{damaged, le16, le32, password, unsupported};
use crate::error::Result;
use crate::words::Format;

/// Sectors of a directory that are looked at; a workbook with pictures has a few.
const SECTORS_MAX: usize = 256;

/// The format of the compound file that begins with `head`.
pub(super) fn look(file: &mut File, head: &[u8]) -> Result<Format> {
    let names = names(file, head)?;
    let has = |wanted: &str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    if has("EncryptedPackage") {
        return Err(password());
    }
    if has("Workbook") || has("Book") {
        return Ok(Format::Xls);
    }
    Err(if has("WordDocument") {
        unsupported("a Word document")
    } else if has("PowerPoint Document") {
        unsupported("a PowerPoint presentation")
    } else if names
        .iter()
        .any(|name| name.starts_with("__properties_version"))
    {
        unsupported("an Outlook message")
    } else if names
        .iter()
        .any(|name| name.starts_with('!') || name.starts_with('\u{4840}'))
    {
        unsupported("a program's installer")
    } else if names.is_empty() {
        damaged()
    } else {
        unsupported("another program's document")
    })
}

/// The names in the directory, as far as its chain of sectors can be followed; without those of
/// objects in the file.
fn names(file: &mut File, head: &[u8]) -> Result<Vec<String>> {
    let sector_bytes = match le16(head, 30) {
        9 => 512,
        12 => 4_096,
        _ => return Err(damaged()),
    };
    let mut directory = Vec::new();
    let mut sector = le32(head, 48);
    for _ in 0..SECTORS_MAX {
        // Everything above is an end mark or no sector.
        if sector >= 0xffff_fffa {
            break;
        }
        directory.append(&mut read(file, sector, sector_bytes)?);
        let Some(next) = next(file, head, sector, sector_bytes)? else {
            break;
        };
        if next == sector {
            return Err(damaged());
        }
        sector = next;
    }
    let own = directory
        .chunks_exact(ENTRY_BYTES)
        .zip(storages::inside(&directory))
        .filter(|(_, inside)| !inside);
    Ok(own.filter_map(|(entry, _)| name(entry)).collect())
}

fn name(entry: &[u8]) -> Option<String> {
    let size = usize::from(le16(entry, 64)).min(64);
    let units: Vec<u16> = entry
        .chunks_exact(2)
        .take((size / 2).saturating_sub(1))
        .map(|pair| le16(pair, 0))
        .collect();
    (!units.is_empty()).then(|| String::from_utf16_lossy(&units))
}

/// The sector after `sector`, from the allocation tables that the header lists.
fn next(file: &mut File, head: &[u8], sector: u32, sector_bytes: u16) -> Result<Option<u32>> {
    let per_table = u32::from(sector_bytes) / 4;
    let table = usize::try_from(sector / per_table).unwrap_or(usize::MAX);
    if table >= 109 {
        return Ok(None);
    }
    let place = le32(head, 76 + table * 4);
    if place >= 0xffff_fffa {
        return Ok(None);
    }
    let bytes = read(file, place, sector_bytes)?;
    let at = usize::try_from(sector % per_table).unwrap_or(0) * 4;
    Ok(bytes.get(at..at + 4).map(|_| le32(&bytes, at)))
}

/// A sector's bytes; fewer where the file ends.
fn read(file: &mut File, sector: u32, sector_bytes: u16) -> Result<Vec<u8>> {
    let offset = (u64::from(sector) + 1) * u64::from(sector_bytes);
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0; usize::from(sector_bytes)];
    let size = fill(file, &mut bytes)?;
    bytes.truncate(size);
    Ok(bytes)
}
