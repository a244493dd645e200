//! The zip package of a workbook: checked before anything is unpacked, its parts found by name,
//! each unpacked as a bounded stream.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::super::Limits;
use super::super::bounds::{members, too_complex};
use super::{damaged, password};
use crate::error::{Error, Result};

/// A part up to this size is unpacked once and kept, so that it can be looked at twice.
const KEPT_BYTES_MAX: u64 = 8 << 20;

/// Bytes of what is kept and of the shared strings together.
const MEMORY_BYTES_MAX: u64 = 256 << 20;

/// Bytes that are unpacked at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// An open package.
pub(super) struct Package {
    zip: ZipArchive<BufReader<File>>,
    /// Index of a part by its name.
    names: HashMap<String, usize>,
    /// Index of a part by its name in lower case: the names of parts differ by case in some files.
    folded: HashMap<String, usize>,
    kept: Option<(usize, Vec<u8>)>,
    kept_bytes_max: u64,
}

impl Package {
    /// Opens the package and checks its directory.
    ///
    /// # Errors
    /// `unreadable-file`; `too-complex` where it would unpack to more than the bounds allow;
    /// `password-protected` where a member is encrypted.
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Package> {
        let file = File::open(path)?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|_| damaged())?;
        if zip.len() > limits.members_max {
            return Err(members(limits));
        }
        let mut names = HashMap::with_capacity(zip.len());
        let mut folded = HashMap::with_capacity(zip.len());
        let mut total: u64 = 0;
        for index in 0..zip.len() {
            let entry = zip.by_index_data(index).map_err(|_| damaged())?;
            if entry.encrypted() {
                return Err(password());
            }
            if entry.size() > limits.member_bytes_max {
                return Err(too_complex(&format!(
                    "A part of the file unpacks to more than {} and was not read. Copy the table to a new file, and add that.",
                    size(limits.member_bytes_max)
                )));
            }
            total = total.saturating_add(entry.size());
            let name = String::from_utf8_lossy(entry.name_raw()).replace('\\', "/");
            let name = name.trim_start_matches('/').to_owned();
            folded.entry(name.to_lowercase()).or_insert(index);
            names.entry(name).or_insert(index);
        }
        if total > limits.inflated_bytes_max {
            return Err(too_complex(&format!(
                "The file unpacks to more than {} and was not read. Copy the table to a new file, and add that.",
                size(limits.inflated_bytes_max)
            )));
        }
        Ok(Package {
            zip,
            names,
            folded,
            kept: None,
            kept_bytes_max: KEPT_BYTES_MAX,
        })
    }

    /// Keeps less where the shared strings take so many bytes.
    pub(super) fn beside(&mut self, strings: usize) {
        let strings = u64::try_from(strings).unwrap_or(u64::MAX);
        self.kept_bytes_max = KEPT_BYTES_MAX.min(MEMORY_BYTES_MAX.saturating_sub(strings));
    }

    fn index(&self, name: &str) -> Option<usize> {
        let name = name.trim_start_matches('/');
        self.names
            .get(name)
            .or_else(|| self.folded.get(&name.to_lowercase()))
            .copied()
    }

    /// Whether the package has a part of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.index(name).is_some()
    }

    /// Bytes of a part, unpacked; 0 where there is none.
    pub(super) fn size(&self, name: &str) -> u64 {
        self.index(name)
            .and_then(|index| self.zip.by_index_data(index).ok())
            .map_or(0, |entry| entry.size())
    }

    /// A part as a stream; `None` where there is none. The stream ends with an error where the
    /// part is longer than the directory said.
    ///
    /// # Errors
    /// `unreadable-file`.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<Box<dyn BufRead + '_>>> {
        let Some(index) = self.index(name) else {
            return Ok(None);
        };
        self.kept = None;
        Ok(Some(self.stream(index)?))
    }

    /// Like [`Package::part`], for a part that will be looked at twice: kept unless it is large.
    ///
    /// # Errors
    /// `unreadable-file`.
    pub(super) fn part_again(&mut self, name: &str) -> Result<Option<Box<dyn BufRead + '_>>> {
        let Some(index) = self.index(name) else {
            return Ok(None);
        };
        if self.size(name) > self.kept_bytes_max {
            return Ok(Some(self.stream(index)?));
        }
        if self.kept.as_ref().is_none_or(|(kept, _)| *kept != index) {
            self.kept = None;
            let mut member = self.zip.by_index(index).map_err(|_| damaged())?;
            let size = usize::try_from(member.size()).map_err(|_| damaged())?;
            let mut bytes = Vec::with_capacity(size);
            member.read_to_end(&mut bytes).map_err(in_part)?;
            drop(member);
            self.kept = Some((index, bytes));
        }
        match &self.kept {
            Some((_, bytes)) => Ok(Some(Box::new(&bytes[..]))),
            None => Ok(None),
        }
    }

    /// Lets go of what [`Package::part_again`] kept.
    pub(super) fn forget(&mut self) {
        self.kept = None;
    }

    fn stream(&mut self, index: usize) -> Result<Box<dyn BufRead + '_>> {
        let member = self.zip.by_index(index).map_err(|_| damaged())?;
        Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, member)))
    }
}

fn size(bytes: u64) -> String {
    if bytes >= 1 << 30 && bytes.is_multiple_of(1 << 30) {
        format!("{} GB", bytes >> 30)
    } else {
        format!("{} MB", bytes >> 20)
    }
}

/// The target of a relationship, as the name of a part. `source` is the part that it belongs to.
pub(super) fn resolve(source: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let mut steps: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        let mut steps: Vec<&str> = source.split('/').collect();
        steps.pop();
        steps
    };
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            _ => steps.push(step),
        }
    }
    steps.join("/")
}

/// Where the relationships of a part are kept.
pub(super) fn relationships_of(part: &str) -> String {
    match part.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/_rels/{name}.rels"),
        None => format!("_rels/{part}.rels"),
    }
}

/// Whether an error of a stream means that the file contradicts itself; it always does, because
/// the file itself lies on a disk that works.
pub(super) fn in_part(error: io::Error) -> Error {
    match error.kind() {
        // That is not the file's fault, and the parent has a sentence for it.
        io::ErrorKind::OutOfMemory => Error::Io(error),
        _ => damaged(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_relative_to_their_source_or_absolute() {
        assert_eq!(
            resolve("xl/workbook.xml", "worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml"
        );
        assert_eq!(
            resolve("xl/workbook.xml", "/xl/worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml"
        );
        assert_eq!(resolve("xl/workbook.xml", "../x/s.xml"), "x/s.xml");
        assert_eq!(resolve("", "xl\\workbook.xml"), "xl/workbook.xml");
        assert_eq!(
            relationships_of("xl/workbook.xml"),
            "xl/_rels/workbook.xml.rels"
        );
        assert_eq!(relationships_of("wb.xml"), "_rels/wb.xml.rels");
    }
}
