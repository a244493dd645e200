//! Which column of a file belongs to which field of a template. Each column serves one field at
//! most, and each field has one column at most.

mod search;
mod spelling;

use std::collections::HashSet;

use serde_json::{Value as Json, json};

pub use super::choices::Choices;
use super::fold::fold_label;
use super::template::{AUTO, Template};
use crate::error::Result;
use crate::id;
use crate::sheet::{Column, Row, column_letters};
use crate::words::How;
use search::Search;

/// What a set of headers is remembered by: their order, letter case and punctuation don't matter.
pub fn headers_key(columns: &[Column]) -> String {
    let mut labels: Vec<String> = columns
        .iter()
        .filter_map(|column| column.label.as_deref().map(fold_label))
        .collect();
    labels.sort_unstable();
    id::sha256_hex(labels.join("\u{1f}").as_bytes())
}

/// Where each column goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// For each column of the file: the position of its field, and how it came to it.
    pub columns: Vec<(Option<usize>, How)>,
}

impl Mapping {
    /// Finds the field of each column: as people decided, else by its header, else by what stands
    /// in the first rows.
    ///
    /// # Errors
    /// `Internal` where a row is damaged.
    pub fn find(
        template: &Template,
        columns: &[Column],
        choices: &Choices,
        sample: &[Row],
        workbook: bool,
    ) -> Result<Mapping> {
        let mut search = Search::new(template, columns);
        search.by_choice(choices);
        if template.name == AUTO {
            search.by_column();
        }
        search.by_name();
        search.by_alias();
        search.by_spelling();
        search.by_content(sample, workbook)?;
        search.by_place();
        Ok(Mapping {
            columns: search.found,
        })
    }

    /// The column, by its position in the list of columns, that serves a field.
    pub fn column_of(&self, field: usize) -> Option<usize> {
        self.columns
            .iter()
            .position(|(served, _)| *served == Some(field))
    }

    /// For each field, the 0-based sheet column that serves it.
    pub(super) fn places(&self, template: &Template, columns: &[Column]) -> Vec<Option<usize>> {
        let mut places = vec![None; template.fields.len()];
        for (column, (field, _)) in columns.iter().zip(&self.columns) {
            if let Some(place) = field.and_then(|field| places.get_mut(field)) {
                *place = Some(column.index);
            }
        }
        places
    }

    /// Names of the required fields that no column serves.
    pub fn missing_required(&self, template: &Template) -> Vec<String> {
        template
            .fields
            .iter()
            .enumerate()
            .filter(|(at, field)| template.needs_column(field) && self.column_of(*at).is_none())
            .map(|(_, field)| field.name.clone())
            .collect()
    }

    /// As reports and previews show it.
    pub fn to_json(&self, template: &Template, columns: &[Column]) -> Vec<Json> {
        columns
            .iter()
            .zip(&self.columns)
            .map(|(column, (field, how))| {
                let field = field.and_then(|at| template.fields.get(at));
                json!({
                    "column": column.name,
                    "letter": column_letters(column.index),
                    "field": field.map(|field| field.name.as_str()),
                    "how": how.as_str(),
                })
            })
            .collect()
    }
}

/// For each column, whether it has a header that no column before it has.
pub fn own_names(columns: &[Column]) -> Vec<bool> {
    let mut seen = HashSet::new();
    columns
        .iter()
        .map(|column| {
            column
                .label
                .as_deref()
                .is_some_and(|label| seen.insert(label))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(labels: &[&str]) -> Vec<Column> {
        labels
            .iter()
            .enumerate()
            .map(|(index, label)| Column {
                index,
                name: if label.is_empty() {
                    format!("column_{}", index + 1)
                } else {
                    (*label).to_owned()
                },
                label: (!label.is_empty()).then(|| (*label).to_owned()),
            })
            .collect()
    }

    fn companies() -> Template {
        let schema = Template::built_in_schema("companies").unwrap();
        Template::parse("companies", 0, schema).unwrap()
    }

    fn found(labels: &[&str]) -> Vec<(Option<String>, &'static str)> {
        let template = companies();
        named(&template, labels)
            .columns
            .iter()
            .map(|(field, how)| {
                (
                    field.map(|at| template.fields[at].name.clone()),
                    how.as_str(),
                )
            })
            .collect()
    }

    fn named(template: &Template, labels: &[&str]) -> Mapping {
        Mapping::find(template, &columns(labels), &Choices::default(), &[], false).unwrap()
    }

    fn one(label: &str) -> (Option<String>, &'static str) {
        found(&[label]).remove(0)
    }

    #[test]
    fn names_are_found_whatever_their_case_and_punctuation() {
        for label in [
            "LinkedIn_URL",
            "linkedin url",
            "LINKEDIN-URL",
            "linkedin_url",
            " Linkedin Url:",
        ] {
            assert_eq!(
                one(label),
                (Some("linkedin_url".to_owned()), "exact"),
                "{label}"
            );
        }
        assert_eq!(one("Cómpany Name").1, "exact");
    }

    #[test]
    fn known_names_are_aliases() {
        for (label, field) in [
            ("Firma", "company_name"),
            ("No. of employees", "company_size"),
            ("Umsatz", "revenue"),
            ("UNTERNEHMENSGROESSE", "company_size"),
            ("Größe", "company_size"),
            ("Homepage", "website_url"),
        ] {
            let (found, how) = one(label);
            if label == "UNTERNEHMENSGROESSE" {
                assert_eq!((found.as_deref(), how), (Some(field), "fuzzy"), "{label}");
            } else {
                assert_eq!((found.as_deref(), how), (Some(field), "alias"), "{label}");
            }
        }
    }

    #[test]
    fn close_spellings_are_found_and_ties_are_not() {
        assert_eq!(
            one("Compny Name"),
            (Some("company_name".to_owned()), "fuzzy")
        );
        assert_eq!(one("Reveneu"), (Some("revenue".to_owned()), "fuzzy"));
        for label in ["Notes", "E-Mail", "Phone", "Contact", "Comp", "id"] {
            assert_eq!(one(label), (None, "none"), "{label}");
        }
    }

    #[test]
    fn each_column_serves_one_field_and_each_field_has_one_column() {
        let found = found(&["Company", "Company Name", "Website", "URL", "Company Name"]);
        let fields: Vec<Option<&str>> = found.iter().map(|(field, _)| field.as_deref()).collect();
        assert_eq!(
            fields,
            vec![None, Some("company_name"), Some("website_url"), None, None]
        );
    }

    #[test]
    fn columns_without_names_may_take_a_field_that_takes_all() {
        let schema = r#"{"fields":[{"name":"id","type":"integer"},{"name":"x"},{"name":"y"}]}"#;
        let template = Template::parse("t", 1, schema).unwrap();
        let mapping = named(&template, &["id", "", "id"]);
        assert_eq!(mapping.columns[1], (Some(1), How::Position));
        assert_eq!(mapping.columns[2], (Some(2), How::Position));
        let moved = named(&template, &["", "id"]);
        assert_eq!(moved.columns[0], (None, How::None));
    }

    fn cells(rows: &[&str]) -> Vec<Row> {
        rows.iter()
            .enumerate()
            .map(|(at, cells)| Row {
                number: u32::try_from(at + 2).unwrap(),
                cells: (*cells).to_owned(),
                kinds: None,
                width: None,
            })
            .collect()
    }

    #[test]
    fn what_people_decided_comes_first() {
        let template = companies();
        let columns = columns(&["Company Name", "Notes", "Website", "LinkedIn"]);
        let given = Choices::parse(Some(r#"{"notes": "company_name", "Website": null}"#)).unwrap();
        let remembered =
            Choices::remembered(r#"{"Company Name": "company_name", "LinkedIn": "linkedin_url"}"#);
        let choices = given.before(remembered);
        let found = Mapping::find(&template, &columns, &choices, &[], false).unwrap();
        assert_eq!(
            found.columns,
            vec![
                (None, How::None),
                (Some(0), How::Given),
                (None, How::Given),
                (Some(1), How::Remembered),
            ]
        );
        assert!(Choices::parse(Some("[]")).is_err());
        assert!(Choices::parse(Some(r#"{"a": 1}"#)).is_err());
        let strange = Choices::parse(Some(r#"{"a": "b"}"#)).unwrap();
        assert!(strange.check(&template).is_err());
    }

    #[test]
    fn a_column_is_known_by_what_only_one_field_takes() {
        let schema = r#"{"fields":[
            {"name":"mail","type":"string","format":"email"},
            {"name":"on","type":"date"},
            {"name":"state","type":"string","constraints":{"enum":["open","shut"]}},
            {"name":"text","type":"string"}]}"#;
        let template = Template::parse("t", 1, schema).unwrap();
        let columns = columns(&["A", "B", "C", "D"]);
        let rows = cells(&[
            r#"["a@b.de","2024-01-02","open","x"]"#,
            r#"["c@d.de","2024-01-03","shut","open"]"#,
            r#"["e@f.de",null,"open","y"]"#,
            r#"["g@h.de","2024-01-05","open","z"]"#,
        ]);
        let found = Mapping::find(&template, &columns, &Choices::default(), &rows, false).unwrap();
        assert_eq!(
            found.columns,
            vec![
                (Some(0), How::Content),
                (Some(1), How::Content),
                (Some(2), How::Content),
                (None, How::None),
            ]
        );
        // Two columns of addresses: neither is known.
        let twice = cells(&[
            r#"["a@b.de","a@b.de"]"#,
            r#"["c@d.de","c@d.de"]"#,
            r#"["e@f.de","e@f.de"]"#,
        ]);
        let found = Mapping::find(&template, &columns, &Choices::default(), &twice, false).unwrap();
        assert_eq!(found.columns[0], (None, How::None));
    }

    #[test]
    fn headers_are_remembered_whatever_their_order_and_case() {
        let one = headers_key(&columns(&["Name", "E-Mail"]));
        assert_eq!(one, headers_key(&columns(&["e mail", "NAME"])));
        assert_ne!(one, headers_key(&columns(&["Name", "E-Mail", "Phone"])));
    }
}
