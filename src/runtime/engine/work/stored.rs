//! What is done with the stored messages besides showing them: files saved, searches, drafts, and a check of the file.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Round, Work};
use crate::limits::STOP_WAIT;
use crate::model::command::{AgentCommand, Notice};
use crate::model::deletion::{Deletion, Doomed, StorageUse};
use crate::model::journal::{ConversationId, MessageId};
use crate::model::record::RecordRequest;
use crate::model::search::Search;
use crate::runtime::agent::{Agent, STORE_FILE};
use crate::runtime::attachment::{self, AttachError};
use crate::runtime::engine::counting::count_outcomes;
use crate::runtime::engine::out::Out;
use crate::runtime::engine::recording::{WantedRecord, save_record};
use crate::runtime::engine::saving::{hand_over, save};
use crate::runtime::engine::searching::search;
use crate::store::check::damage_of;
use crate::store::history::{History, ReadError, Reader};
use crate::store::own_backup::{self, OwnBackup};
use crate::time::Timestamp;

impl Work {
    pub(super) fn save_file(&mut self, message: MessageId, file: usize, to: Option<PathBuf>) {
        if !self.history().is_some_and(|history| save(history, (message, file), to, self.builder.out())) {
            self.builder.tell(Notice::Problem("The file could not be saved. Please try again.".to_owned()));
        }
    }

    pub(super) fn save_record(&mut self, request: RecordRequest) {
        let tap = request.with_capture.then(|| self.tap.clone());
        let (names, now) = (Arc::clone(self.builder.names()), self.clock.now().wall);
        let wanted = WantedRecord { request, tap, names, now };
        if !self.history().is_some_and(|history| save_record(history, wanted, self.builder.out())) {
            let words = "The delivery record could not be saved. Please try again.";
            self.builder.tell(Notice::Problem(words.to_owned()));
        }
    }

    /// Reads a file of a message for the window.
    pub(super) fn read_file(&mut self, message: MessageId, file: usize) {
        if !self.history().is_some_and(|history| hand_over(history, (message, file), self.builder.out())) {
            self.builder.tell(Notice::FileRead { message, file, content: None });
        }
    }

    /// Reads a file on its own thread: the disk may be slow or remote.
    pub(super) fn attach(&self, path: PathBuf) {
        let out = Arc::clone(self.builder.out());
        tokio::task::spawn_blocking(move || {
            out.tell(match attachment::read(&path) {
                Ok(file) => Notice::Attached { path, file },
                Err(error) => {
                    let is_too_large = matches!(error, AttachError::TooLarge { .. });
                    Notice::NotAttached { path, why: format!("{error}."), is_too_large }
                }
            });
        });
    }

    pub(super) fn search(&mut self, asked: Search) {
        let names = Arc::clone(self.builder.names());
        let is_asked = self
            .history()
            .is_some_and(|history| search(history, asked, names, &self.searches, self.builder.out()));
        if !is_asked {
            self.builder.tell(Notice::Problem("The search failed. Please try again.".to_owned()));
        }
    }

    pub(super) fn count_outcomes(&mut self, conversation: ConversationId) {
        let names = Arc::clone(self.builder.names());
        let out = self.builder.out();
        if !self.history().is_some_and(|history| count_outcomes(history, conversation, names, out)) {
            // The window asks again; without an answer it would wait.
            self.builder.tell(Notice::Matrix(conversation, Arc::default()));
        }
    }

    /// Begins to delete messages.
    pub(super) fn delete(&mut self, doomed: Doomed) {
        let history = self.running.as_ref().and_then(|running| running.history.as_ref());
        let backup = self.backup.clone();
        if !history.is_some_and(|history| self.deleting.begin(history, doomed, backup)) {
            self.builder.tell(Notice::NotDeleted);
        }
    }

    /// What is to be deleted is known.
    pub(super) fn planned(&mut self, plan: Result<Vec<Deletion>, ReadError>) -> Round {
        match plan {
            Ok(steps) => self.deleting.take(steps),
            Err(error) => {
                tracing::warn!(%error, "messages cannot be deleted");
                self.builder.tell(Notice::NotDeleted);
            }
        }
        Round::Next
    }

    pub(super) fn delete_next(&mut self) {
        if let Some(step) = self.deleting.next() {
            self.ask_agent(AgentCommand::Delete(step));
        }
    }

    /// The engine ends: what the user has deleted is deleted.
    pub(super) async fn delete_the_rest(&mut self) {
        let end = tokio::time::Instant::now() + STOP_WAIT;
        loop {
            let (steps, is_planning) = self.deleting.rest();
            steps.into_iter().for_each(|step| self.ask_agent(AgentCommand::Delete(step)));
            if !is_planning {
                return;
            }
            match tokio::time::timeout_at(end, self.deleting.planned()).await {
                Ok(plan) => {
                    self.planned(plan);
                }
                Err(_elapsed) => return tracing::warn!("the history does not say what is to be deleted"),
            }
        }
    }

    /// Finds out how much room the messages take.
    pub(super) fn measure(&self) {
        let (out, file) =
            (Arc::clone(self.builder.out()), self.data.as_ref().map(|data| data.join(STORE_FILE)));
        let measure = move |reader: &(dyn Reader + 'static)| {
            if let Ok(found) = reader.storage_use() {
                let beside = file.as_deref().map_or(0, own_backup::bytes_beside);
                out.tell(Notice::Storage(StorageUse { bytes: found.bytes + beside, ..found }));
            }
        };
        // While the reader is busy the figures stay as they are.
        let _is_asked = self.history().is_some_and(|history| history.ask(measure));
    }

    /// Tells what was being written when the program ended, and has the file checked and copied; once for each run.
    pub(super) fn begin_with_the_store(&mut self, agent: &Agent) {
        if std::mem::replace(&mut self.has_looked_at_the_store, true) {
            return;
        }
        let drafts = agent.machine().drafts();
        if !drafts.is_empty() {
            self.builder.tell(Notice::Drafts(drafts));
        }
        if let (Some(data), Some(backup)) = (&self.data, &self.backup) {
            let (file, now) = (data.join(STORE_FILE), self.clock.now().wall);
            check(file, (Arc::clone(backup), now), Arc::clone(self.builder.out()));
        }
    }

    fn history(&self) -> Option<&History> {
        self.running.as_ref().and_then(|running| running.history.as_ref())
    }
}

/// Checks the file on a thread of its own, because a large one takes a while. A sound one is copied.
fn check(path: PathBuf, (backup, now): (Arc<OwnBackup>, Timestamp), out: Arc<Out>) {
    let work = move || {
        let faults = match damage_of(&path) {
            Ok(faults) if faults.is_empty() => {
                if let Err(error) = backup.renew(now) {
                    tracing::warn!(%error, "no backup of the messages is made");
                }
                return;
            }
            Ok(faults) => faults,
            Err(error) => vec![error.to_string()],
        };
        if let Err(error) = own_backup::note_damage(&path) {
            tracing::warn!(%error, "the next start will not say that the messages are damaged");
        }
        out.tell(Notice::StoreDamaged { path, faults });
    };
    if let Err(error) = std::thread::Builder::new().name("store-check".to_owned()).spawn(work) {
        tracing::warn!(%error, "the store cannot be checked");
    }
}
