//! From a file's rows to clean records: template, mapping, types, constraints, duplicates, report.
//! Pure: it knows no database and no HTTP.
//!
//! ```text
//! template ─┐                       ┌─ normalize ─ types ─ constraints ─┐
//! mapping  ─┴─ Checker: a row ──────┤                                   ├─ Checked ─ settle ─ Settled
//!                                   └─ keys (seen in the file) ─────────┘      ↑
//!                                                             records of the office's list
//! ```

mod checker;
mod choices;
mod constraints;
mod content;
mod decimal;
pub mod defuse;
mod duration;
mod example;
mod fold;
mod form;
mod formats;
mod guess;
mod infer;
mod keys;
mod line;
pub mod mapping;
pub mod messages;
mod moment;
mod normalize;
mod order;
mod pattern;
pub mod problem;
mod profile;
pub mod report;
mod sample;
mod seen;
pub mod template;
mod types;
mod value;

pub use checker::{Checked, Checker, Collision, Outcome, Settled, SourceFacts};
pub use content::SAMPLE_ROWS;
pub use duration::length as duration_length;
pub use infer::Inference;
pub use keys::{Key, RecordKey, key_form, key_label, record_label};
pub use mapping::{Choices, Mapping};
pub use order::{DateOrders, of_rows as date_orders};
pub use report::{Report, Stats};
pub use template::Template;
