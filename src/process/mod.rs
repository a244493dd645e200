//! (replaced by the process room)
pub mod template;
use crate::error::Result;
use crate::sheet::{Column, Row};
pub use template::Template;
pub struct SourceFacts {
    pub columns: Vec<Column>,
    pub header_row: u32,
    pub workbook: bool,
    pub mapping: Option<()>,
}
pub struct Key {
    pub number: usize,
    pub hash: i64,
}
pub struct Checked {
    pub keys: Vec<Key>,
}
pub struct Collision {
    pub record_id: i64,
    pub file: String,
    pub row: u32,
}
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum Outcome {
    Valid,
    Updated,
    Duplicate,
    Invalid,
}
pub struct Settled {
    pub row: u32,
    pub outcome: Outcome,
    pub data: String,
    pub changes: Option<String>,
    pub problems: String,
    pub keys: Vec<Key>,
}
#[derive(serde::Serialize)]
pub struct Report;
pub struct Stats {
    pub rows: i64,
    pub valid: i64,
    pub invalid: i64,
    pub duplicates: i64,
    pub updated: i64,
}
pub struct Checker;
impl Checker {
    pub fn new(_t: &Template, _f: SourceFacts) -> Checker {
        Checker
    }
    pub fn missing_required(&self) -> Vec<String> {
        vec![]
    }
    pub fn observe(&mut self, _r: &Row) -> Result<()> {
        Ok(())
    }
    pub fn check(&mut self, _r: &Row) -> Result<Checked> {
        Ok(Checked { keys: vec![] })
    }
    pub fn settle(&mut self, _c: Checked, _k: Option<Collision>, _u: bool) -> Settled {
        Settled {
            row: 0,
            outcome: Outcome::Valid,
            data: String::new(),
            changes: None,
            problems: String::new(),
            keys: vec![],
        }
    }
    pub fn report(&self, _s: f64) -> Report {
        Report
    }
    pub fn counts(&self) -> Stats {
        Stats {
            rows: 0,
            valid: 0,
            invalid: 0,
            duplicates: 0,
            updated: 0,
        }
    }
}
pub struct Inference;
impl Inference {
    pub fn new(_c: &[Column]) -> Inference {
        Inference
    }
    pub fn observe(&mut self, _r: &Row) -> Result<()> {
        Ok(())
    }
    pub fn template(self) -> Template {
        Template
    }
}
