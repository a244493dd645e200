//! xlsx and xlsm: the workbook part, and its worksheets one after the other.

use std::path::Path;

use quick_xml::events::{BytesStart, Event};

use super::super::Visibility;
use super::book::{Book, Listed, no_part_twice};
use super::damaged;
use super::package::Package;
use super::parts::{Relationships, beside, main_part};
use super::strings::Strings;
use super::styles::Styles;
use super::xlsx_cells::Cells;
use super::xlsx_facts::look;
use super::xml::{Xml, attribute, is_true, raw_attribute};
use crate::error::Result;

/// Reads all worksheets.
///
/// # Errors
/// As [`super::read`].
pub(super) fn read(path: &Path, book: &mut Book<'_, '_>) -> Result<()> {
    let mut package = Package::open(path, book.limits())?;
    let main = main_part(&mut package, "xl/workbook.xml")?;
    let relationships = Relationships::read(&mut package, &main)?;
    let mut workbook = Workbook::read(&mut package, &main, &relationships)?;
    book.leave_out(std::mem::take(&mut workbook.others));
    no_part_twice(workbook.sheets.iter().map(|(_, part)| part.to_lowercase()))?;
    let part = |package: &Package, kind, usual| beside(package, &main, &relationships, kind, usual);
    let strings = match part(&package, "sharedStrings", "sharedStrings.xml") {
        Some(name) => Strings::read(open(&mut package, &name)?, book.limits())?,
        None => Strings::default(),
    };
    let styles = match part(&package, "styles", "styles.xml") {
        Some(name) => Styles::read(open(&mut package, &name)?)?,
        // Without the number formats that it names, dates would pass as numbers.
        None if relationships.of_kind("styles").is_some() => return Err(damaged()),
        None => Styles::default(),
    };
    package.beside(strings.bytes());
    book.list(
        workbook
            .sheets
            .iter()
            .map(|sheet| sheet.0.clone())
            .collect(),
    )?;
    for (_, part) in &workbook.sheets {
        let size = package.size(part);
        let facts = look(package.part_again(part)?.ok_or_else(damaged)?, size)?;
        book.sheet(facts.merges, facts.rows_seem, |rows| {
            let source = package.part_again(part)?.ok_or_else(damaged)?;
            Cells::new(&strings, &styles, workbook.date1904).read(source, rows)
        })?;
        package.forget();
    }
    Ok(())
}

fn open<'p>(package: &'p mut Package, name: &str) -> Result<Xml<'p>> {
    Xml::new(package.part(name)?.ok_or_else(damaged)?)
}

/// What the workbook part says.
#[derive(Debug, Default)]
struct Workbook {
    /// The worksheets and the names of their parts.
    sheets: Vec<(Listed, String)>,
    /// The names of other sheets.
    others: Vec<String>,
    date1904: bool,
}

impl Workbook {
    fn read(package: &mut Package, main: &str, relationships: &Relationships) -> Result<Workbook> {
        let mut workbook = Workbook::default();
        let mut xml = open(package, main)?;
        let mut closed = false;
        loop {
            match xml.next()? {
                Event::Start(start) => match start.local_name().as_ref() {
                    "sheet" => match worksheet(&start, relationships)? {
                        Some((listed, Some(part))) => workbook.sheets.push((listed, part)),
                        Some((listed, None)) => workbook.others.push(listed.name),
                        None => {}
                    },
                    "workbookPr" => {
                        if let Some(value) = raw_attribute(start.attributes_raw(), "date1904") {
                            workbook.date1904 = is_true(value);
                        }
                    }
                    _ => {}
                },
                Event::End(end) if end.local_name().as_ref() == "workbook" => closed = true,
                Event::Eof if closed => return Ok(workbook),
                Event::Eof => return Err(damaged()),
                _ => {}
            }
        }
    }
}

/// A sheet of the list, and the name of its part where it is a worksheet, no chart, dialog or macro.
fn worksheet(
    sheet: &BytesStart<'_>,
    relationships: &Relationships,
) -> Result<Option<(Listed, Option<String>)>> {
    let raw = sheet.attributes_raw();
    let Some(id) = raw_attribute(raw, "id").filter(|id| !id.is_empty()) else {
        // A name without a part: there is nothing that could be read.
        return Ok(None);
    };
    let relationship = relationships.by_id(id).ok_or_else(damaged)?;
    let visibility = match raw_attribute(raw, "state") {
        Some("hidden") => Visibility::Hidden,
        Some("veryHidden") => Visibility::VeryHidden,
        Some(_) | None => Visibility::Visible,
    };
    let name = attribute(sheet, "name").unwrap_or_default().into_owned();
    let is_worksheet = relationship.kind == "worksheet";
    Ok(Some((
        Listed { name, visibility },
        is_worksheet.then(|| relationship.target.clone()),
    )))
}
