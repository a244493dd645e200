//! (replaced by the workshop)
use crate::{
    error::Result,
    sheet::{Event, Limits, ReadOptions},
    stop::Stop,
    words::Format,
};
use std::path::Path;
pub struct ReadJob<'a> {
    pub executable: &'a Path,
    pub path: &'a Path,
    pub format: Option<Format>,
    pub options: &'a ReadOptions,
    pub limits: &'a Limits,
}
pub struct Reader;
pub fn read(_job: &ReadJob<'_>, _stop: &Stop) -> Result<Reader> {
    Ok(Reader)
}
impl Reader {
    pub fn next_batch(&mut self) -> Result<Option<Vec<Event>>> {
        Ok(None)
    }
}
