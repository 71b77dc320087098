//! Messages that are sent at a time that the user chose: kept in the store until then, and sent at the next start if the
//! program did not run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::agent::core::{Action, Core};
use crate::limits::{LATER_LOOK, LATER_MAX, LATER_WITHIN, MESSAGE_BYTES_MAX};
use crate::machine::TimerReason;
use crate::model::command::{Draft, Event, WindowEvent};
use crate::model::journal::{DraftPlace, DraftRow, Write};
use crate::model::later::Later;
use crate::sip::{ReportMode, ReportOptions};
use crate::time::{Now, Timestamp};

/// How long a message waits after the disk did not take it.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// A message that is sent so much after its time is late.
const LATE_AFTER: Duration = Duration::from_secs(60);

/// The messages that wait for their time.
#[derive(Debug, Default)]
pub(super) struct LaterMessages {
    all: BTreeMap<u32, DraftRow>,
    /// Those of them whose batch is not yet committed: they are neither shown nor sent.
    unkept: BTreeSet<u32>,
    /// Handed over to be sent, in a batch that is not yet committed.
    leaving: Vec<(u32, DraftRow)>,
    last: u32,
    /// When the first one is due.
    due: Option<Instant>,
}

impl LaterMessages {
    /// Restores them from the store.
    pub(super) fn recover(rows: &[DraftRow], now: Now) -> Self {
        let numbered = |row: &DraftRow| match row.place {
            DraftPlace::Later(number) => Some((number, row.clone())),
            DraftPlace::NewMessage | DraftPlace::In(_) => None,
        };
        let all: BTreeMap<u32, DraftRow> = rows.iter().filter_map(numbered).collect();
        let last = all.last_key_value().map_or(0, |(number, _)| *number);
        let mut this = Self { all, last, ..Self::default() };
        this.set_due(now);
        this
    }

    /// All of them, the first to be sent first.
    pub(super) fn all(&self) -> Vec<Later> {
        let later =
            |(number, row): (&u32, &DraftRow)| Later { number: *number, due: row.at, draft: draft(row) };
        let is_kept = |(number, _): &(&u32, &DraftRow)| !self.unkept.contains(number);
        let mut all: Vec<Later> = self.all.iter().filter(is_kept).map(later).collect();
        all.sort_by_key(|later| (later.due, later.number));
        all
    }

    /// Keeps a message until its time.
    pub(super) fn keep(&mut self, core: &mut Core, draft: Draft, due: Timestamp, now: Now) {
        let bytes: usize = draft.files.iter().map(|file| file.bytes.len()).sum();
        let why = if self.all.len() >= LATER_MAX {
            Some(format!("{LATER_MAX} messages wait for their time already."))
        } else if draft.to.is_empty() {
            Some("Pick somebody to send this to.".to_owned())
        } else if bytes + draft.text.len() > MESSAGE_BYTES_MAX {
            Some("This message is too long to be sent.".to_owned())
        } else {
            None
        };
        if let Some(why) = why {
            return core.tell(Event::NotSent { draft, why });
        }
        self.last += 1;
        let (place, due) = (DraftPlace::Later(self.last), due.min(now.wall.plus(LATER_WITHIN)));
        let Draft { to: people, text, files, hidden, .. } = draft;
        self.put(core, DraftRow { place, at: due, text, people, hidden, files }, now);
    }

    /// Gives a message another time.
    pub(super) fn put_off(&mut self, core: &mut Core, number: u32, due: Timestamp, now: Now) {
        if let Some(row) = self.all.remove(&number) {
            self.put(core, DraftRow { at: due.min(now.wall.plus(LATER_WITHIN)), ..row }, now);
        }
    }

    fn put(&mut self, core: &mut Core, row: DraftRow, now: Now) {
        let DraftPlace::Later(number) = row.place else { return };
        core.write(Write::Draft { row: row.clone(), has_new_files: true });
        core.promise(Action::LaterKept(number));
        self.all.insert(number, row);
        self.unkept.insert(number);
        self.set_due(now);
    }

    /// One is stored.
    pub(super) fn kept(&mut self, core: &mut Core, number: u32, now: Now) {
        self.unkept.remove(&number);
        self.set_due(now);
        core.tell(Event::Window(WindowEvent::LaterChanged));
    }

    /// The disk did not take one: its text goes back to the composer.
    pub(super) fn unsaved(&mut self, core: &mut Core, number: u32, now: Now) {
        self.unkept.remove(&number);
        if let Some(row) = self.all.remove(&number) {
            let why = "It could not be written to the disk. Is the disk full?".to_owned();
            core.tell(Event::NotSent { draft: draft(&row), why });
        }
        self.set_due(now);
    }

    /// The user has taken a message back.
    pub(super) fn take_back(&mut self, core: &mut Core, number: u32, now: Now) {
        if let Some(row) = self.all.remove(&number) {
            core.write(Write::ForgetDraft(row.place));
            core.promise(Action::Tell(Event::Window(WindowEvent::LaterChanged)));
        }
        self.set_due(now);
    }

    /// Takes out one whose time has come; its row goes with the batch in which the message is written.
    pub(super) fn take_due(&mut self, core: &mut Core, now: Now) -> Option<(u32, Draft)> {
        self.set_due(now);
        let is_due = |(number, row): &(&u32, &DraftRow)| row.at <= now.wall && !self.unkept.contains(number);
        let (number, _) = self.all.iter().filter(is_due).min_by_key(|(_, row)| row.at)?;
        let number = *number;
        let row = self.all.remove(&number)?;
        core.write(Write::ForgetDraft(row.place));
        if now.wall.since(row.at) >= LATE_AFTER {
            core.promise(Action::Tell(Event::Window(WindowEvent::SentLate {
                due: row.at,
                to: row.people.clone(),
            })));
        }
        let draft = draft(&row);
        self.leaving.push((number, row));
        self.set_due(now);
        Some((number, draft))
    }

    /// One has become a message.
    pub(super) fn sent(&mut self, core: &mut Core, number: u32) {
        self.leaving.retain(|(leaving, _)| *leaving != number);
        core.tell(Event::Window(WindowEvent::LaterChanged));
    }

    /// The disk refused it: it waits a little longer, and the composer does not get it.
    pub(super) fn not_sent(&mut self, number: u32, now: Now) {
        let Some(place) = self.leaving.iter().position(|(leaving, _)| *leaving == number) else { return };
        let (number, row) = self.leaving.remove(place);
        self.all.insert(number, row);
        self.due = Some(now.mono + AGAIN_AFTER);
    }

    /// Whether a message that the disk refused is one of these.
    pub(super) fn has_back(&self, lost: &Draft) -> bool {
        self.leaving.iter().any(|(_, row)| row.text == lost.text && row.files == lost.files)
    }

    fn set_due(&mut self, now: Now) {
        let kept = self.all.iter().filter(|(number, _)| !self.unkept.contains(number));
        let first = kept.map(|(_, row)| row.at).min();
        self.due = first.map(|due| now.mono_at(due.min(now.wall.plus(LATER_LOOK))));
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        self.due.map(|due| (due, TimerReason::LaterMessage))
    }
}

fn draft(row: &DraftRow) -> Draft {
    Draft {
        to: row.people.clone(),
        text: row.text.clone(),
        files: row.files.clone(),
        hidden: row.hidden,
        report: ReportOptions { mode: ReportMode::Each, detail: true, id: None },
    }
}
