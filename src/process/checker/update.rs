//! A row that gives its values to a record of the office's list: the record as it will be, and the keys
//! that it has then.

use serde_json::{Map, Value as Json};

use super::{Checked, Checker, Outcome, Settled};
use crate::error::Result;
use crate::process::keys::{Keys, RecordKey};
use crate::process::messages;
use crate::process::problem::Problem;
use crate::process::template::Template;
use crate::words::Fault;

impl Checker {
    /// Makes of a row that updates the record `old`, `{"field": value}`, the whole record: with the new values
    /// of the columns that the file has, and the keys that it has then. Where the record has them already, the
    /// row is told as unchanged.
    ///
    /// # Errors
    /// `Internal` where one of them is damaged.
    pub fn merge(&mut self, old: &str, row: &mut Settled) -> Result<()> {
        let old: Map<String, Json> = serde_json::from_str(old)?;
        let data = self.with_news(&old, &row.data)?;
        if data == old {
            row.outcome = Outcome::Unchanged;
            self.stats.unchanged += 1;
            return Ok(());
        }
        let whole = serde_json::to_string(&data)?;
        // Keys of columns that the file lacks are those of the record as it was.
        row.keys = self.record_keys(&whole)?;
        // A record of another version of the template may have other members.
        row.data = if data.keys().eq(&self.members) {
            serde_json::to_string(&data.values().collect::<Vec<_>>())?
        } else {
            whole
        };
        Ok(())
    }

    /// The values of a row that was checked, with their names.
    pub(super) fn named(&self, data: &str) -> Result<Map<String, Json>> {
        let values: Vec<Json> = serde_json::from_str(data)?;
        Ok(self.members.iter().cloned().zip(values).collect())
    }

    fn with_news(&self, old: &Map<String, Json>, news: &str) -> Result<Map<String, Json>> {
        let mut data = old.clone();
        for (at, (name, value)) in self.named(news)?.into_iter().enumerate() {
            let of_field = at < self.template.fields.len();
            if !of_field || self.has(at) || !data.contains_key(&name) {
                data.insert(name, value);
            }
        }
        Ok(data)
    }

    /// Whether the file has a column for this field.
    fn has(&self, field: usize) -> bool {
        self.places.get(field).is_some_and(Option::is_some)
    }

    /// The keys that the record `old` has once the row has updated it, and that the row alone has not, for
    /// its file lacks columns of theirs.
    ///
    /// # Errors
    /// `Internal` where the record is damaged.
    pub fn keys_by_update(&self, old: &str, row: &Checked) -> Result<Vec<RecordKey>> {
        let all = self.template.unique_keys.iter().flatten();
        if all
            .chain(&self.template.primary_key)
            .all(|at| self.has(*at))
        {
            return Ok(Vec::new());
        }
        let data = self.with_news(&serde_json::from_str(old)?, &row.data)?;
        let mut keys = Keys::of_record(&self.template, &serde_json::to_string(&data)?)?;
        keys.retain(|key| !key.fields.iter().all(|at| self.has(*at)));
        Ok(keys)
    }

    /// The template as it is applied.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Whether a stored record has a key of another.
    ///
    /// # Errors
    /// `Internal` where the record is damaged.
    pub fn record_has(&self, key: &RecordKey, data: &str) -> Result<bool> {
        let keys = Keys::of_record(&self.template, data)?;
        Ok(keys.contains(key))
    }

    /// Notes keys that a record gets by this row. The row has a problem where another record got one of
    /// them by a row before.
    pub fn note_update(&mut self, row: &mut Checked, keys: &[RecordKey]) {
        for key in keys {
            if let Some(earlier) = self.by_update.note(key.seen, row.row) {
                let message = format!(
                    "Row {earlier} has given another record the same {} already.",
                    messages::listed(&key.labels(&self.template))
                );
                let number = row.row;
                row.problems.add(Fault::DuplicateRecord, || {
                    Problem::of_row(Fault::DuplicateRecord, number, message)
                });
                return;
            }
        }
    }

    /// The hashes by which a record is found again.
    ///
    /// # Errors
    /// `Internal` where it is damaged.
    pub fn record_keys(&self, data: &str) -> Result<Vec<i64>> {
        let keys = Keys::of_record(&self.template, data)?;
        Ok(keys.iter().map(|key| key.hash).collect())
    }
}
