//! The office's list, asked for the keys of a batch of rows while the next batch is checked.

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, RecvError, SyncSender};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use crate::db::Db;
use crate::error::{Error, Result};
use crate::faults;
use crate::store::records::{ByKey, Listed};

/// How long one view of the list is kept: with each new one SQLite reads the index's pages anew, for the job
/// itself has written meanwhile; and while one is kept, the log can't begin anew.
const VIEW_FOR: Duration = Duration::from_millis(100);

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
                let mut next = asked.recv();
                while let Ok(question) = next {
                    let until = Instant::now() + VIEW_FOR;
                    next = answer_some(db, template, question, until, &asked, &answer);
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

/// Answers a question, and those that come before `until`, on one view of the list. The next question.
fn answer_some(
    db: &Db,
    template: &str,
    first: Vec<i64>,
    until: Instant,
    asked: &Receiver<Vec<i64>>,
    answer: &SyncSender<Result<Candidates>>,
) -> std::result::Result<Vec<i64>, RecvError> {
    let mut question = Some(first);
    let answered = db.read(|c| {
        let mut list = ByKey::new(c, template);
        while let Some(hashes) = question.take() {
            answer
                .send(Ok(look_up(&mut list, hashes)?))
                .map_err(|_| Error::Stopped)?;
            let left = until.saturating_duration_since(Instant::now());
            // One that waits already would be given however late it is.
            if !left.is_zero() {
                question = asked.recv_timeout(left).ok();
            }
        }
        Ok(())
    });
    match answered {
        Ok(()) => asked.recv(),
        Err(error) => {
            // Where nobody takes it, nobody asks any more.
            let _ = answer.send(Err(error));
            Err(RecvError)
        }
    }
}

fn look_up(list: &mut ByKey<'_>, hashes: Vec<i64>) -> Result<Candidates> {
    let some = list.some(hashes)?;
    some.into_iter()
        .map(|hash| Ok((hash, list.find(hash)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_view_of_the_list_ends_in_time_though_the_next_question_waits_already() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("a.db"), Arc::new(SystemClock::new())).unwrap();
        let (questions, asked) = mpsc::sync_channel(2);
        let (answer, answers) = mpsc::sync_channel(3);
        let answer_some =
            |first, until| answer_some(&db, "companies", first, until, &asked, &answer);
        questions.send(vec![2]).unwrap();
        questions.send(vec![3]).unwrap();
        drop(questions);
        let next = answer_some(vec![1], Instant::now());
        assert_eq!(next, Ok(vec![2]));
        assert_eq!(answers.try_iter().count(), 1);
        let next = answer_some(vec![2], Instant::now() + Duration::from_secs(60));
        assert_eq!(next, Err(RecvError));
        assert_eq!(answers.try_iter().count(), 2);
    }
}
