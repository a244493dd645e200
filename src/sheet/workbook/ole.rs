//! OLE compound files ([MS-CFB]): finds a stream and reads it, in one step for each of its sectors
//! whatever the tables say.

use super::super::storages::{self, ENTRY_BYTES};
use super::damaged;
use crate::error::Result;

const SIGNATURE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

/// Sector numbers from here on mean something else.
const REGULAR_END: u32 = 0xFFFF_FFFA;

const MINI_SECTOR_BYTES: usize = 64;

/// A compound file in memory.
pub(super) struct Ole<'f> {
    file: &'f [u8],
    sector_bytes: usize,
    fat: Vec<u32>,
    mini_fat: Vec<u32>,
    /// The stream that holds the small streams.
    mini: Vec<u8>,
    mini_stream_max: u64,
    entries: Vec<Entry>,
}

/// A stream or storage that is the file's own, not one of an object in it.
struct Entry {
    name: String,
    is_stream: bool,
    start: u32,
    bytes: u64,
}

/// Whether this is a compound file.
pub(super) fn is_ole(head: &[u8]) -> bool {
    head.starts_with(SIGNATURE)
}

impl<'f> Ole<'f> {
    /// # Errors
    /// `unreadable-file`.
    pub(super) fn open(file: &'f [u8]) -> Result<Ole<'f>> {
        Self::try_open(file).ok_or_else(damaged)
    }

    fn try_open(file: &'f [u8]) -> Option<Ole<'f>> {
        let u16_at = |at: usize| Some(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?));
        let u32_at = |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?));
        if !is_ole(file) {
            return None;
        }
        let sector_bytes = match u16_at(30)? {
            9 => 512,
            12 => 4_096,
            _ => return None,
        };
        let mut ole = Ole {
            file,
            sector_bytes,
            fat: Vec::new(),
            mini_fat: Vec::new(),
            mini: Vec::new(),
            mini_stream_max: u64::from(u32_at(56)?),
            entries: Vec::new(),
        };
        ole.fat = ole.allocation_table(u32_at(68)?)?;
        let directory = ole.chain(u32_at(48)?, None)?;
        ole.entries = directory
            .chunks_exact(ENTRY_BYTES)
            .zip(storages::inside(&directory))
            .filter(|(_, inside)| !inside)
            .filter_map(|(raw, _)| entry(raw, sector_bytes == 512))
            .collect();
        let mini_fat_start = u32_at(60)?;
        if mini_fat_start < REGULAR_END {
            ole.mini_fat = numbers(&ole.chain(mini_fat_start, None)?);
            let root = directory
                .chunks_exact(ENTRY_BYTES)
                .next()
                .and_then(|raw| entry(raw, sector_bytes == 512))?;
            if root.start < REGULAR_END {
                ole.mini = ole.chain(root.start, None)?;
            }
        }
        Some(ole)
    }

    /// The table of all sectors' followers, from the places that the header and the sectors of
    /// places tell.
    fn allocation_table(&self, first_of_places: u32) -> Option<Vec<u32>> {
        let mut places = numbers(self.file.get(76..512)?);
        let mut next = first_of_places;
        let mut steps = 0;
        while next < REGULAR_END {
            steps += 1;
            if steps > self.sectors() {
                return None;
            }
            let mut more = numbers(self.sector(next)?);
            next = more.pop()?;
            places.append(&mut more);
        }
        let mut table = Vec::new();
        for place in places.into_iter().filter(|place| *place < REGULAR_END) {
            if table.len() > self.sectors().saturating_add(self.sector_bytes) {
                // More followers than sectors: the rest is padding, or a trick.
                break;
            }
            table.extend(numbers(self.sector(place)?));
        }
        Some(table)
    }

    fn sectors(&self) -> usize {
        self.file.len().div_ceil(self.sector_bytes)
    }

    /// A sector; the last one of the file may be short.
    fn sector(&self, number: u32) -> Option<&'f [u8]> {
        let begin = usize::try_from(number)
            .ok()?
            .checked_add(1)?
            .checked_mul(self.sector_bytes)?;
        let end = begin.checked_add(self.sector_bytes)?.min(self.file.len());
        self.file.get(begin..end).filter(|bytes| !bytes.is_empty())
    }

    /// The bytes of a chain of sectors, as many as are wanted or all.
    fn chain(&self, start: u32, wanted: Option<u64>) -> Option<Vec<u8>> {
        let wanted = wanted.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let mut bytes = Vec::new();
        let mut next = start;
        let mut steps = 0;
        while next < REGULAR_END && wanted.is_none_or(|wanted| bytes.len() < wanted) {
            steps += 1;
            if steps > self.sectors() {
                return None;
            }
            bytes.extend_from_slice(self.sector(next)?);
            next = *self.fat.get(usize::try_from(next).ok()?)?;
        }
        cut(bytes, wanted)
    }

    fn mini_chain(&self, start: u32, wanted: u64) -> Option<Vec<u8>> {
        let wanted = usize::try_from(wanted).ok()?;
        let mut bytes = Vec::new();
        let mut next = start;
        let mut steps = 0;
        while next < REGULAR_END && bytes.len() < wanted {
            steps += 1;
            if steps > self.mini_fat.len() {
                return None;
            }
            let number = usize::try_from(next).ok()?;
            let begin = number.checked_mul(MINI_SECTOR_BYTES)?;
            let end = (begin + MINI_SECTOR_BYTES).min(self.mini.len());
            bytes.extend_from_slice(self.mini.get(begin..end)?);
            next = *self.mini_fat.get(number)?;
        }
        cut(bytes, Some(wanted))
    }

    /// Whether there is a stream or storage of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// The stream of that name; `None` where there is none.
    ///
    /// # Errors
    /// `unreadable-file` where its sectors are not all there.
    pub(super) fn stream(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(entry) = self.find(name).filter(|entry| entry.is_stream) else {
            return Ok(None);
        };
        let bytes = if entry.bytes < self.mini_stream_max {
            self.mini_chain(entry.start, entry.bytes)
        } else {
            self.chain(entry.start, Some(entry.bytes))
        };
        bytes.map(Some).ok_or_else(damaged)
    }
}

/// The first `wanted` bytes; `None` where there are fewer.
fn cut(mut bytes: Vec<u8>, wanted: Option<usize>) -> Option<Vec<u8>> {
    if let Some(wanted) = wanted {
        if bytes.len() < wanted {
            return None;
        }
        bytes.truncate(wanted);
    }
    Some(bytes)
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks_exact(4)
        .filter_map(|four| Some(u32::from_le_bytes(four.try_into().ok()?)))
        .collect()
}

fn entry(raw: &[u8], small_sectors: bool) -> Option<Entry> {
    let u32_at = |at: usize| Some(u32::from_le_bytes(raw.get(at..at + 4)?.try_into().ok()?));
    let name_bytes = usize::from(u16::from_le_bytes(raw.get(64..66)?.try_into().ok()?));
    let name = raw.get(..name_bytes.min(64))?;
    let name = encoding_rs::UTF_16LE
        .decode_without_bom_handling(name)
        .0
        .trim_end_matches('\0')
        .to_owned();
    let kind = *raw.get(66)?;
    if kind == 0 {
        return None;
    }
    // With small sectors the upper half of the length is not used and may hold anything.
    let upper = if small_sectors { 0 } else { u32_at(124)? };
    Some(Entry {
        name,
        is_stream: kind == 2,
        start: u32_at(116)?,
        bytes: u64::from(u32_at(120)?) | u64::from(upper) << 32,
    })
}
