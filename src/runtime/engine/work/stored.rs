//! What is done with the stored messages besides showing them: files saved, searches, drafts, and a check of the file.

use std::path::PathBuf;
use std::sync::Arc;

use super::Work;
use crate::model::command::Notice;
use crate::model::journal::MessageId;
use crate::model::search::Search;
use crate::runtime::agent::{Agent, STORE_FILE};
use crate::runtime::engine::out::Out;
use crate::runtime::engine::saving::save;
use crate::runtime::engine::searching::search;
use crate::store::check::damage_of;
use crate::store::history::History;

impl Work {
    pub(super) fn save_file(&mut self, message: MessageId, file: usize) {
        if !self.history().is_some_and(|history| save(history, message, file, self.desk.out())) {
            self.desk.tell(Notice::Problem("The file could not be saved. Please try again.".to_owned()));
        }
    }

    pub(super) fn search(&mut self, asked: Search) {
        let names = Arc::clone(self.desk.names());
        let is_asked = self
            .history()
            .is_some_and(|history| search(history, asked, names, &self.searches, self.desk.out()));
        if !is_asked {
            self.desk.tell(Notice::Problem("The search failed. Please try again.".to_owned()));
        }
    }

    /// Tells what was being written when the program ended, and has the file checked; once for each run.
    pub(super) fn begin_with_the_store(&mut self, agent: &Agent) {
        if std::mem::replace(&mut self.has_looked_at_the_store, true) {
            return;
        }
        let drafts = agent.machine().drafts();
        if !drafts.is_empty() {
            self.desk.tell(Notice::Drafts(drafts));
        }
        if let Some(data) = &self.data {
            check(data.join(STORE_FILE), Arc::clone(self.desk.out()));
        }
    }

    fn history(&self) -> Option<&History> {
        self.running.as_ref().and_then(|running| running.history.as_ref())
    }
}

/// Checks the file on a thread of its own, because a large one takes a while.
fn check(path: PathBuf, out: Arc<Out>) {
    let work = move || match damage_of(&path) {
        Ok(faults) if faults.is_empty() => {}
        Ok(faults) => out.tell(Notice::StoreDamaged { path, faults }),
        Err(error) => out.tell(Notice::StoreDamaged { path, faults: vec![error.to_string()] }),
    };
    if let Err(error) = std::thread::Builder::new().name("store-check".to_owned()).spawn(work) {
        tracing::warn!(%error, "the store cannot be checked");
    }
}
