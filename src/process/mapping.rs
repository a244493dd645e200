//! Which column of a file belongs to which field of a template. Each column serves one field at
//! most, and each field has one column at most.

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use super::choices;
pub use super::choices::Choices;
use super::content;
use super::fold::{fold_label, fold_labels};
use super::template::Template;
use super::types::FieldType;
use crate::error::Result;
use crate::id;
use crate::sheet::{Column, Row, column_letters};
use crate::words::How;

/// How alike a close spelling must be, and by how much it must lead the next field.
const FUZZY_LEAST: f64 = 0.90;
const FUZZY_LEAD: f64 = 0.05;
/// Names longer than this are not compared letter by letter.
const FUZZY_CHARS_MAX: usize = 100;
/// Comparisons of spellings in one file; a sheet of thousands of strange columns isn't worth more.
const FUZZY_WORK_MAX: usize = 500_000;

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

struct Search<'a> {
    template: &'a Template,
    columns: &'a [Column],
    /// Each column's header, folded; empty where it is blank.
    folded: Vec<String>,
    found: Vec<(Option<usize>, How)>,
    served: Vec<bool>,
    /// Columns that people keep out of every field.
    closed: Vec<bool>,
}

impl<'a> Search<'a> {
    fn new(template: &'a Template, columns: &'a [Column]) -> Search<'a> {
        Search {
            template,
            columns,
            folded: fold_labels(columns),
            found: vec![(None, How::None); columns.len()],
            served: vec![false; template.fields.len()],
            closed: vec![false; columns.len()],
        }
    }

    /// Whether a column still looks for its field.
    fn is_open(&self, column: usize) -> bool {
        matches!(self.found.get(column), Some((None, _))) && self.closed.get(column) == Some(&false)
    }

    fn by_choice(&mut self, choices: &Choices) {
        for choice in &choices.0 {
            let column = choices::column_of(&choice.column, self.columns, &self.folded);
            let Some(column) = column.filter(|column| self.is_open(*column)) else {
                continue;
            };
            let field = choice.field.as_ref().map(|field| {
                let mut fields = self.template.fields.iter();
                fields.position(|known| known.name == *field)
            });
            match field {
                // The template has changed since: let the header speak.
                Some(None) => {}
                Some(Some(field)) if self.served.get(field) == Some(&false) => {
                    self.take(column, field, choice.how);
                }
                Some(Some(_)) => {}
                None => {
                    if let (Some(closed), Some(found)) =
                        (self.closed.get_mut(column), self.found.get_mut(column))
                    {
                        *closed = true;
                        *found = (None, choice.how);
                    }
                }
            }
        }
    }

    fn by_content(&mut self, sample: &[Row], workbook: bool) -> Result<()> {
        let found = content::find(self.template, self.columns, sample, workbook, |at| {
            self.is_open(at)
        })?;
        for (column, field) in found {
            if self.served.get(field) == Some(&false) {
                self.take(column, field, How::Content);
            }
        }
        Ok(())
    }

    fn take(&mut self, column: usize, field: usize, how: How) {
        if let (Some(found), Some(served)) =
            (self.found.get_mut(column), self.served.get_mut(field))
        {
            *found = (Some(field), how);
            *served = true;
        }
    }

    /// Gives each column without a field the first one not served yet that has its name.
    fn each(&mut self, how: How, names: &Names, name: impl Fn(&Column, &str) -> Option<String>) {
        for (at, column) in self.columns.iter().enumerate() {
            if !self.is_open(at) {
                continue;
            }
            let folded = self.folded.get(at).map_or("", String::as_str);
            let field = name(column, folded)
                .filter(|name| !name.is_empty())
                .and_then(|name| names.get(&name))
                .and_then(|fields| {
                    fields
                        .iter()
                        .find(|field| self.served.get(**field) == Some(&false))
                });
            if let Some(field) = field.copied() {
                self.take(at, field, how);
            }
        }
    }

    fn by_name(&mut self) {
        let fields = self.template.fields.iter().enumerate();
        let exact =
            names(fields.clone().flat_map(|(at, field)| {
                [(at, field.name.clone()), (at, field.label().to_owned())]
            }));
        self.each(How::Exact, &exact, |column, _| column.label.clone());
        let folded = names(fields.flat_map(|(at, field)| {
            [
                (at, fold_label(&field.name)),
                (at, fold_label(field.label())),
            ]
        }));
        self.each(How::Exact, &folded, |_, folded| Some(folded.to_owned()));
    }

    fn by_alias(&mut self) {
        let aliases = self.folded_aliases();
        let aliases = names(
            aliases
                .into_iter()
                .enumerate()
                .flat_map(|(at, list)| list.into_iter().map(move |alias| (at, alias))),
        );
        self.each(How::Alias, &aliases, |_, folded| Some(folded.to_owned()));
    }

    fn folded_aliases(&self) -> Vec<Vec<String>> {
        self.template
            .fields
            .iter()
            .map(|field| {
                field
                    .aliases
                    .iter()
                    .map(|alias| fold_label(alias))
                    .collect()
            })
            .collect()
    }

    /// The most alike pairs first; a field that is served already still counts as a rival.
    fn by_spelling(&mut self) {
        let names: Vec<Vec<String>> = self
            .folded_aliases()
            .into_iter()
            .zip(&self.template.fields)
            .map(|(mut names, field)| {
                names.push(fold_label(&field.name));
                names.push(fold_label(field.label()));
                names.retain(|name| name.len() >= 3 && name.chars().count() <= FUZZY_CHARS_MAX);
                names
            })
            .collect();
        let per_column: usize = names.iter().map(Vec::len).sum();
        let mut work = 0;
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (at, folded) in self.folded.iter().enumerate() {
            if !self.is_open(at) || folded.len() < 3 || folded.chars().count() > FUZZY_CHARS_MAX {
                continue;
            }
            work += per_column;
            if work > FUZZY_WORK_MAX {
                break;
            }
            if let Some((score, field)) = closest(folded, &names) {
                pairs.push((score, at, field));
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, column, field) in pairs {
            if self.served.get(field) == Some(&false) {
                self.take(column, field, How::Fuzzy);
            }
        }
    }

    /// A column without a name of its own (blank, or used before) takes the field at its place, if
    /// that takes any value, where the file is plainly made for the template: as many columns as
    /// fields, every named one at the place of its field. Not for templates with aliases: those go
    /// by names alone.
    fn by_place(&mut self) {
        let by_names = self.template.fields.iter().any(|f| !f.aliases.is_empty());
        // What lies right of the last header are cells too many, not columns.
        let last = self
            .columns
            .iter()
            .rposition(|column| column.label.is_some());
        let width = last.map_or(0, |at| at + 1);
        let in_order = self
            .found
            .iter()
            .take(width)
            .enumerate()
            .all(|(at, (field, _))| {
                *field == Some(at) || (field.is_none() && !has_own_name(self.columns, at))
            });
        let any = self.found.iter().any(|(field, _)| field.is_some());
        if by_names || !in_order || !any || width != self.template.fields.len() {
            return;
        }
        for at in 0..width {
            let (Some(field), Some(false)) = (self.template.fields.get(at), self.served.get(at))
            else {
                continue;
            };
            let takes_all = matches!(field.kind, FieldType::Any) && !field.constraints.required;
            if takes_all && self.is_open(at) && !has_own_name(self.columns, at) {
                self.take(at, at, How::Position);
            }
        }
    }
}

/// The fields that have a name, in the template's order.
type Names = HashMap<String, Vec<usize>>;

fn names(pairs: impl Iterator<Item = (usize, String)>) -> Names {
    let mut names = Names::new();
    for (field, name) in pairs {
        names.entry(name).or_default().push(field);
    }
    names
}

/// Whether a column has a header that no column before it has.
pub fn has_own_name(columns: &[Column], at: usize) -> bool {
    match columns.get(at).and_then(|column| column.label.as_deref()) {
        None => false,
        Some(label) => !columns
            .iter()
            .take(at)
            .any(|before| before.label.as_deref() == Some(label)),
    }
}

/// The field whose name is most like `folded`, if it is like enough and no other is nearly as like.
fn closest(folded: &str, names: &[Vec<String>]) -> Option<(f64, usize)> {
    let mut best = (0.0, 0);
    let mut next = 0.0;
    for (at, names) in names.iter().enumerate() {
        let score = names
            .iter()
            .map(|name| likeness(folded, name))
            .fold(0.0, f64::max);
        if score > best.0 {
            next = best.0;
            best = (score, at);
        } else if score > next {
            next = score;
        }
    }
    (best.0 >= FUZZY_LEAST && best.0 - next >= FUZZY_LEAD).then_some(best)
}

/// How alike two spellings are, from 0 to 1. Jaro-Winkler alone thinks much of a common beginning:
/// "Revenue per Share" is no misspelt "Revenue". So no more than one letter in five may differ.
fn likeness(a: &str, b: &str) -> f64 {
    let longer = a.chars().count().max(b.chars().count());
    if strsim::osa_distance(a, b) > (longer / 5).max(1) {
        return 0.0;
    }
    strsim::jaro_winkler(a, b)
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
