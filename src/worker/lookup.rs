//! The office's list, asked for the keys of a batch of rows while the next batch is checked.

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, Scope};

use crate::db::Db;
use crate::error::{Error, Result};
use crate::faults;
use crate::store::records::{ByKey, Listed};

/// Records of the list by the hash of a key. A hash only promises: the record's own values decide.
pub(super) type Candidates = HashMap<i64, Vec<Listed>>;

/// Questions are answered in their order.
pub(super) struct Lookup {
    questions: SyncSender<Vec<i64>>,
    answers: Receiver<Result<Candidates>>,
}

impl Lookup {
    /// # Errors
    /// `Io` where the system has no thread for it.
    pub(super) fn begin<'s>(
        scope: &'s Scope<'s, '_>,
        db: &'s Db,
        template: &'s str,
    ) -> Result<Lookup> {
        faults::file()?;
        // One batch is looked up while one is checked.
        let (questions, asked) = mpsc::sync_channel::<Vec<i64>>(1);
        let (answer, answers) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("lookup".to_owned())
            .spawn_scoped(scope, move || {
                for hashes in asked {
                    // Each time on a view of its own: while one is kept, the log can't begin anew.
                    let found = db.read(|c| look_up(&mut ByKey::new(c, template), hashes));
                    if answer.send(found).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Lookup { questions, answers })
    }

    /// # Errors
    /// `Stopped` where nobody answers any more.
    pub(super) fn ask(&self, hashes: Vec<i64>) -> Result<()> {
        self.questions.send(hashes).map_err(|_| Error::Stopped)
    }

    /// The answer to the oldest question that has none yet.
    ///
    /// # Errors
    /// `Database`; `Stopped` where nobody answers any more.
    pub(super) fn answer(&self) -> Result<Candidates> {
        self.answers.recv().map_err(|_| Error::Stopped)?
    }
}

fn look_up(list: &mut ByKey<'_>, hashes: Vec<i64>) -> Result<Candidates> {
    let some = list.some(hashes)?;
    some.into_iter()
        .map(|hash| Ok((hash, list.find(hash)?)))
        .collect()
}
