//! The directory of a zip file: which kind of package it is, by the names of its members and by
//! the one that tells content types.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;

use super::super::encoding::fill;
use super::super::{Limits, bounds};
use super::{damaged, le16, le32, unsupported};
use crate::error::Result;
use crate::words::Format;

/// The end of the directory lies within so many bytes from the end of the file: 22 and a comment.
const END_BYTES: u64 = 22 + 65_535;

/// Bytes of a directory; 2,000 members need a tenth of it.
const DIRECTORY_BYTES_MAX: u64 = 4 << 20;

/// Bytes of a part that is looked at, unpacked.
const PART_BYTES_MAX: u64 = 1 << 20;

struct Member {
    /// In lower case, with forward slashes.
    name: String,
    /// 0: stored, 8: deflated.
    method: u16,
    packed: u64,
    /// Where its header is.
    offset: u64,
}

/// The format of the package in `file`, which is `bytes` long.
pub(super) fn look(file: &mut File, bytes: u64, limits: &Limits) -> Result<Format> {
    let members = directory(file, bytes, limits)?;
    let member = |name: &str| members.iter().find(|member| member.name == name);
    if let Some(kind) = member("mimetype") {
        let kind = text(&part(file, kind)?);
        if let Some(kind) = kind
            .trim()
            .strip_prefix("application/vnd.oasis.opendocument.")
        {
            return open_document(kind);
        }
    }
    if let Some(types) = member("[content_types].xml")
        && let Some(format) = by_content_types(&text(&part(file, types).unwrap_or_default()))?
    {
        return Ok(format);
    }
    if let Some(format) = by_names(&members) {
        return Ok(format);
    }
    let any = |start: &str| members.iter().any(|member| member.name.starts_with(start));
    if any("word/") {
        Err(unsupported("a Word document"))
    } else if any("ppt/") {
        Err(unsupported("a PowerPoint presentation"))
    } else if any("index/document.iwa") || any("index.zip") {
        Err(unsupported(
            "an Apple Numbers or Pages file; export it as Excel",
        ))
    } else if any("visio/") {
        Err(unsupported("a Visio drawing"))
    } else if any("xl/") {
        Err(damaged())
    } else if any("[content_types].xml") || any("_rels/") {
        Err(unsupported("another program's document"))
    } else {
        Err(unsupported("a zip archive"))
    }
}

/// The format of an OpenDocument file, by the end of its media type.
pub(super) fn open_document(kind: &str) -> Result<Format> {
    match kind {
        "spreadsheet" | "spreadsheet-template" => Ok(Format::Ods),
        "text" | "text-template" => Err(unsupported("a text document (OpenDocument)")),
        "presentation" => Err(unsupported("a presentation (OpenDocument)")),
        _ => Err(unsupported("another kind of OpenDocument file")),
    }
}

fn by_content_types(types: &str) -> Result<Option<Format>> {
    let types = types.to_lowercase();
    // What is said of a part by its name counts before what is said of file name extensions.
    let (named, rest): (Vec<&str>, Vec<&str>) = types.split('<').partition(|element| {
        element
            .split_once(' ')
            .is_some_and(|(tag, _)| tag.ends_with("override"))
    });
    for elements in [named, rest] {
        for (kind, format) in [
            ("ms-excel.sheet.binary.macroenabled.main", Format::Xlsb),
            ("ms-excel.sheet.macroenabled.main", Format::Xlsm),
            ("ms-excel.template.macroenabled.main", Format::Xlsm),
            ("ms-excel.addin.macroenabled.main", Format::Xlsm),
            ("spreadsheetml.sheet.main", Format::Xlsx),
            ("spreadsheetml.template.main", Format::Xlsx),
        ] {
            if elements.iter().any(|element| element.contains(kind)) {
                return Ok(Some(format));
            }
        }
        for (kind, what) in [
            ("wordprocessingml.document.main", "a Word document"),
            (
                "presentationml.presentation.main",
                "a PowerPoint presentation",
            ),
        ] {
            if elements.iter().any(|element| element.contains(kind)) {
                return Err(unsupported(what));
            }
        }
    }
    Ok(None)
}

fn by_names(members: &[Member]) -> Option<Format> {
    let has = |name: &str| members.iter().any(|member| member.name == name);
    if has("xl/workbook.bin") {
        Some(Format::Xlsb)
    } else if has("xl/workbook.xml") && has("xl/vbaproject.bin") {
        Some(Format::Xlsm)
    } else if has("xl/workbook.xml") {
        Some(Format::Xlsx)
    } else if has("content.xml") {
        // Without a mimetype member; the reader sees whether it is a spreadsheet.
        Some(Format::Ods)
    } else {
        None
    }
}

/// The members of the archive, as its directory tells.
fn directory(file: &mut File, bytes: u64, limits: &Limits) -> Result<Vec<Member>> {
    let tail = read_at(file, bytes.saturating_sub(END_BYTES), END_BYTES)?;
    let end = tail
        .windows(4)
        .rposition(|window| window == b"PK\x05\x06")
        .and_then(|at| tail.get(at..at + 22))
        .ok_or_else(damaged)?;
    let count = usize::from(le16(end, 10));
    let size = u64::from(le32(end, 12));
    let offset = u64::from(le32(end, 16));
    if count > limits.members_max || size > DIRECTORY_BYTES_MAX {
        return Err(bounds::members(limits));
    }
    let listing = read_at(file, offset, size)?;
    let mut members = Vec::new();
    let mut rest = listing.as_slice();
    while rest.starts_with(b"PK\x01\x02") && members.len() < limits.members_max {
        let lengths = [28, 30, 32].map(|at| usize::from(le16(rest, at)));
        let name = rest.get(46..46 + lengths[0]).ok_or_else(damaged)?;
        members.push(Member {
            name: String::from_utf8_lossy(name)
                .replace('\\', "/")
                .trim_start_matches('/')
                .to_lowercase(),
            method: le16(rest, 10),
            packed: u64::from(le32(rest, 20)),
            offset: u64::from(le32(rest, 42)),
        });
        rest = rest
            .get(46 + lengths.iter().sum::<usize>()..)
            .unwrap_or(&[]);
    }
    if members.is_empty() && count > 0 {
        return Err(damaged());
    }
    Ok(members)
}

/// The beginning of a part, unpacked.
fn part(file: &mut File, member: &Member) -> Result<Vec<u8>> {
    let header = read_at(file, member.offset, 30)?;
    if !header.starts_with(b"PK\x03\x04") {
        return Err(damaged());
    }
    let skip = 30 + u64::from(le16(&header, 26)) + u64::from(le16(&header, 28));
    let packed = read_at(
        file,
        member.offset.saturating_add(skip),
        member.packed.min(PART_BYTES_MAX),
    )?;
    if member.method == 0 {
        return Ok(packed);
    }
    let mut out = Vec::new();
    // What comes out before an error is as good as all of it for a look.
    let _ = DeflateDecoder::new(packed.as_slice())
        .take(PART_BYTES_MAX)
        .read_to_end(&mut out);
    Ok(out)
}

/// A part's letters; zeros are dropped, so that UTF-16 can be searched as well.
fn text(bytes: &[u8]) -> String {
    let bytes: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn read_at(file: &mut File, offset: u64, size_max: u64) -> Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0; usize::try_from(size_max).unwrap_or(0)];
    let size = fill(file, &mut bytes)?;
    bytes.truncate(size);
    Ok(bytes)
}
