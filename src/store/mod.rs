//! The shelf: one file per table; nothing else writes to it. Every function runs inside somebody's
//! transaction and asks no clock.

pub mod audit;
pub mod fields;
pub mod filing;
pub mod idempotency;
mod in_list;
pub mod jobs;
pub mod list_keys;
mod many;
pub mod mappings;
pub mod packs;
pub mod pauses;
pub mod records;
pub mod rows;
pub mod sessions;
pub mod soundness;
pub mod templates;
pub mod throttle;
pub mod tokens;
pub mod undoing;
pub mod uploads;
pub mod users;
