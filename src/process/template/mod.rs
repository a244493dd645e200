//! Templates: a Table Schema (Data Package standard, versions 1 and 2) with `aliases` and
//! `normalize`, read once and then trusted.

mod parse;

use std::sync::Arc;

use super::constraints::Constraints;
use super::normalize::Step;
use super::types::FieldType;
use crate::error::Result;

/// The name that stands for a schema inferred from the file itself.
pub const AUTO: &str = "auto";

/// Letters of a field's name or title.
pub(in crate::process) const NAME_CHARS_MAX: usize = 255;

/// The built-in template, as a Table Schema.
const COMPANIES: &str = include_str!("companies.json");

/// What a file is checked against.
#[derive(Debug, Clone)]
pub struct Template {
    pub name: String,
    /// 0 for a built-in or inferred one.
    pub version: i64,
    pub fields: Vec<Field>,
    /// Positions of the fields of the primary key; empty where there is none.
    pub primary_key: Vec<usize>,
    /// Positions of the fields of each unique key.
    pub unique_keys: Vec<Vec<usize>>,
    pub fields_match: Option<FieldsMatch>,
}

/// A field of a template.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub example: Option<String>,
    /// Other header names for it.
    pub aliases: Vec<String>,
    /// Applied to text before it is checked.
    pub normalize: Vec<Step>,
    pub kind: FieldType,
    pub constraints: Constraints,
    /// Texts that stand for no value.
    pub missing: Arc<[String]>,
}

impl Field {
    /// What people call it.
    pub fn label(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    /// A field that takes whatever comes.
    pub fn any(name: &str) -> Field {
        Field {
            name: name.to_owned(),
            title: None,
            description: None,
            example: None,
            aliases: Vec::new(),
            normalize: Vec::new(),
            kind: FieldType::Any,
            constraints: Constraints::default(),
            missing: Arc::from([String::new()]),
        }
    }
}

/// How the columns of a file must answer to the fields (version 2 of the standard).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldsMatch {
    /// The same, in the same order.
    Exact,
    /// The same, in any order.
    Equal,
    /// The file has all fields, and maybe more.
    Subset,
    /// The file has some of the fields and nothing else.
    Superset,
    /// The file has at least one of the fields.
    Partial,
}

impl FieldsMatch {
    pub fn parse(text: &str) -> Option<FieldsMatch> {
        match text {
            "exact" => Some(FieldsMatch::Exact),
            "equal" => Some(FieldsMatch::Equal),
            "subset" => Some(FieldsMatch::Subset),
            "superset" => Some(FieldsMatch::Superset),
            "partial" => Some(FieldsMatch::Partial),
            _ => None,
        }
    }
}

impl Template {
    pub fn built_in_names() -> &'static [&'static str] {
        &["companies"]
    }

    /// The Table Schema of a built-in template.
    pub fn built_in_schema(name: &str) -> Option<&'static str> {
        match name {
            "companies" => Some(COMPANIES),
            _ => None,
        }
    }

    /// Whether a file without a column for this field can't be checked.
    pub fn needs_column(&self, field: &Field) -> bool {
        match self.fields_match {
            Some(FieldsMatch::Exact | FieldsMatch::Equal | FieldsMatch::Subset) => true,
            Some(FieldsMatch::Superset | FieldsMatch::Partial) | None => field.constraints.required,
        }
    }

    /// Reads a Table Schema.
    ///
    /// # Errors
    /// `invalid-template`, with the member `errors` that says what is wrong and where.
    pub fn parse(name: &str, version: i64, schema: &str) -> Result<Template> {
        parse::template(name, version, schema)
    }
}
