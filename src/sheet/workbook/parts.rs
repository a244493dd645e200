//! How the parts of an Office package belong together: relationships, and the main part.

use std::collections::HashMap;

use quick_xml::events::Event;

use super::damaged;
use super::package::{Package, relationships_of, resolve};
use super::xml::{Xml, attribute};
use crate::error::Result;

/// A relationship of a part.
#[derive(Debug, Clone)]
pub(super) struct Relationship {
    /// The last word of its type: `worksheet`, `styles`, …; the same in both dialects of OOXML.
    pub(super) kind: String,
    /// The name of the part that it leads to.
    pub(super) target: String,
}

/// The relationships of a part by their ids.
#[derive(Debug, Default)]
pub(super) struct Relationships(HashMap<String, Relationship>);

impl Relationships {
    /// The relationships of `source`; none where the package doesn't say.
    ///
    /// # Errors
    /// `unreadable-file`.
    pub(super) fn read(package: &mut Package, source: &str) -> Result<Relationships> {
        let mut found = HashMap::new();
        let Some(part) = package.part(&relationships_of(source))? else {
            return Ok(Relationships::default());
        };
        let mut xml = Xml::new(part)?;
        loop {
            match xml.next()? {
                Event::Start(start) if start.local_name().as_ref() == "Relationship" => {
                    let outside = attribute(&start, "TargetMode").is_some_and(|m| m == "External");
                    let (Some(id), Some(kind), Some(target)) = (
                        attribute(&start, "Id"),
                        attribute(&start, "Type"),
                        attribute(&start, "Target"),
                    ) else {
                        continue;
                    };
                    if outside {
                        continue;
                    }
                    let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                    let target = resolve(source, &target);
                    found.insert(id.into_owned(), Relationship { kind, target });
                }
                Event::Eof => return Ok(Relationships(found)),
                _ => {}
            }
        }
    }

    pub(super) fn by_id(&self, id: &str) -> Option<&Relationship> {
        self.0.get(id)
    }

    /// The part of that kind, of which there is one.
    pub(super) fn of_kind(&self, kind: &str) -> Option<&str> {
        self.0
            .values()
            .find(|relationship| relationship.kind == kind)
            .map(|relationship| relationship.target.as_str())
    }
}

/// The workbook part, by the package's relationships or else where everybody puts it.
///
/// # Errors
/// `unreadable-file` where there is none.
pub(super) fn main_part(package: &mut Package, usual: &str) -> Result<String> {
    let named = match Relationships::read(package, "") {
        Ok(relationships) => relationships.of_kind("officeDocument").map(str::to_owned),
        Err(_) => None,
    };
    named
        .into_iter()
        .chain([usual.to_owned()])
        .find(|name| package.has(name))
        .ok_or_else(damaged)
}

/// A part that belongs to the workbook: by its relationship, else by its usual name beside it.
/// `None` where the workbook doesn't need one, or names one that is not there.
pub(super) fn beside(
    package: &Package,
    main: &str,
    relationships: &Relationships,
    kind: &str,
    usual: &str,
) -> Option<String> {
    relationships
        .of_kind(kind)
        .map(str::to_owned)
        .into_iter()
        .chain([resolve(main, usual)])
        .find(|name| package.has(name))
}
