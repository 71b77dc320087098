//! What is being written: kept in the store as it grows, so that a crash loses at most the last moment of it.

use std::collections::BTreeMap;

use super::agent::core::{Action, Core};
use crate::limits::{CONVERSATIONS_MAX, MESSAGE_BYTES_MAX};
use crate::model::command::{Draft, DraftFault, Event, WindowEvent};
use crate::model::journal::{ConversationId, DraftPlace, DraftRow, Write};
use crate::time::Now;

/// Everything that is being written.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    all: BTreeMap<DraftPlace, DraftRow>,
}

impl Drafts {
    /// Restores them from the store.
    pub(super) fn recover(rows: Vec<DraftRow>) -> Self {
        let is_written = |row: &DraftRow| !matches!(row.place, DraftPlace::Later(_));
        Self { all: rows.into_iter().filter(is_written).map(|row| (row.place, row)).collect() }
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<DraftRow> {
        self.all.values().cloned().collect()
    }

    /// Keeps one as it is now; an unchanged one is not written again.
    pub(super) fn keep(&mut self, core: &mut Core, mut row: DraftRow, now: Now) {
        row.at = now.wall;
        let place = row.place;
        if row.is_empty() {
            return self.forget(core, place);
        }
        let known = self.all.get(&place);
        if known.is_some_and(|known| DraftRow { at: row.at, ..known.clone() } == row) {
            return;
        }
        if let Err(why) = self.check(&row) {
            return core.tell(Event::Window(WindowEvent::DraftNotKept { place, why }));
        }
        let has_new_files = known.is_none_or(|known| known.files != row.files);
        core.write(Write::Draft { row: row.clone(), has_new_files });
        core.promise(Action::DraftKept(place));
        self.all.insert(place, row);
    }

    fn check(&self, row: &DraftRow) -> Result<(), DraftFault> {
        let files: usize = row.files.iter().map(|file| file.bytes.len()).sum();
        if files + row.text.len() > MESSAGE_BYTES_MAX {
            return Err(DraftFault::TooLarge);
        }
        // One in each conversation, and a new message.
        let is_new = !self.all.contains_key(&row.place);
        if is_new && self.all.len() > CONVERSATIONS_MAX { Err(DraftFault::TooMany) } else { Ok(()) }
    }

    /// A message was written into this turn's batch: its draft goes in the same one, so that a crash leaves either.
    pub(super) fn sent(&mut self, core: &mut Core, conversation: ConversationId, draft: &Draft) {
        for place in [DraftPlace::In(conversation), DraftPlace::NewMessage] {
            let is_it = |row: &DraftRow| row.text == draft.text && row.files == draft.files;
            if self.all.get(&place).is_some_and(is_it) {
                return self.forget(core, place);
            }
        }
    }

    /// A message is kept until its time, in this turn's batch.
    pub(super) fn sent_later(&mut self, core: &mut Core, draft: &Draft) {
        let is_it = |row: &&DraftRow| row.text == draft.text && row.files == draft.files;
        if let Some(place) = self.all.values().find(is_it).map(|row| row.place) {
            self.forget(core, place);
        }
    }

    fn forget(&mut self, core: &mut Core, place: DraftPlace) {
        if self.all.remove(&place).is_some() {
            core.write(Write::ForgetDraft(place));
        }
    }

    /// The disk refused one: it is written with the next change, whatever that is.
    pub(super) fn unsaved(&mut self, core: &mut Core, place: DraftPlace) {
        self.all.remove(&place);
        core.tell(Event::Window(WindowEvent::DraftNotKept { place, why: DraftFault::NotStored }));
    }
}
