//! Drafts: what is being written is kept in the store shortly after it was typed, and comes back at the next start.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use egui::Context;

use super::App;
use super::held::Held;
use super::shell::{Forwarding, MiddleView};
use crate::model::command::{AgentCommand, Command, Draft, DraftFault};
use crate::model::journal::{DraftPlace, DraftRow, PersonRow};
use crate::model::snapshot::Person;
use crate::sip::{ReportMode, ReportOptions};
use crate::time::Timestamp;
use crate::ui::actions::Act;
use crate::ui::compose::composer::Writing;
use crate::ui::compose::recipients::{self, Recipients};
use crate::ui::text::say;

/// How long typing goes on before what was typed is kept.
const KEEP_AFTER_SECS: f64 = 0.5;
/// Most characters of a draft that the list shows.
pub(super) const PREVIEW_CHARS_MAX: usize = 80;

/// What was kept of the drafts.
#[derive(Debug, Default)]
pub(super) struct KeptDrafts {
    /// A hash of each draft as it was last kept.
    kept: BTreeMap<MiddleView, u64>,
    /// When to look for changes, in egui's seconds.
    look_at: Option<f64>,
}

impl App {
    /// Keeps what has changed, a moment after something happened.
    pub(super) fn keep_drafts(&mut self, ctx: &Context) {
        let (now, is_eventful) = ctx.input(|input| (input.time, !input.events.is_empty()));
        if is_eventful || std::mem::take(&mut self.shell.has_new_writing) {
            self.drafts.look_at.get_or_insert(now + KEEP_AFTER_SECS);
        }
        match self.drafts.look_at {
            Some(at) if at <= now => {
                self.drafts.look_at = None;
                self.keep_drafts_now();
            }
            Some(at) => ctx.request_repaint_after(Duration::from_secs_f64(at - now + 0.01)),
            None => {}
        }
    }

    /// Keeps what has changed.
    pub(super) fn keep_drafts_now(&mut self) {
        let written = self.shell.writing.keys().chain(self.shell.held.iter().map(|held| &held.place));
        let mut places: Vec<MiddleView> = written.chain(self.drafts.kept.keys()).copied().collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            let Some(row) = self.draft_row(place) else { continue };
            let print = fingerprint(&row);
            let before = self.drafts.kept.get(&place).copied();
            if before == Some(print) || (before.is_none() && row.is_empty()) {
                continue;
            }
            let is_empty = row.is_empty();
            self.show_draft(&row);
            if self.source.send(Command::Agent(AgentCommand::KeepDraft(row))).is_err() {
                // The engine is busy: the next look finds the same change.
                continue;
            }
            if is_empty {
                self.drafts.kept.remove(&place);
            } else {
                self.drafts.kept.insert(place, print);
            }
        }
    }

    /// What is written in this place; what waits after `Send` is part of it until it has left.
    fn draft_row(&self, place: MiddleView) -> Option<DraftRow> {
        let kept_place = match place {
            MiddleView::Nothing => return None,
            MiddleView::New => DraftPlace::NewMessage,
            MiddleView::Conversation(id) => DraftPlace::In(id),
        };
        let nothing = Writing::default();
        let writing = self.shell.writing.get(&place).unwrap_or(&nothing);
        let held: Vec<&Held> = self.shell.held.iter().filter(|held| held.place == place).collect();
        let texts = held.iter().map(|held| held.draft.text.as_str()).chain([writing.text.as_str()]);
        let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
        let files = held.iter().flat_map(|held| &held.draft.files).chain(&writing.files);
        let is_new = place == MiddleView::New;
        let people = match held.first() {
            Some(held) if is_new && writing.to.len() == 0 => held.draft.to.clone(),
            _ if is_new => writing.to.rows(),
            Some(_) | None => Vec::new(),
        };
        Some(DraftRow {
            place: kept_place,
            at: Timestamp::default(),
            text: texts.join("\n"),
            people,
            hidden: is_new && writing.hidden,
            files: files.cloned().collect(),
        })
    }

    /// Marks a conversation in the list by its draft.
    fn show_draft(&mut self, row: &DraftRow) {
        if let DraftPlace::In(id) = row.place {
            let text: String = row.text.chars().take(PREVIEW_CHARS_MAX).collect();
            let text =
                if text.is_empty() && !row.files.is_empty() { say!("a-file").to_owned() } else { text };
            if text.is_empty() {
                self.shell.left.drafts.remove(&id);
            } else {
                self.shell.left.drafts.insert(id, text.replace('\n', " "));
            }
        }
    }

    /// What was being written when the program ended. What has been written since stays.
    pub(super) fn take_drafts(&mut self, rows: Vec<DraftRow>) {
        for row in rows {
            let place = match row.place {
                DraftPlace::NewMessage => MiddleView::New,
                DraftPlace::In(id) => MiddleView::Conversation(id),
                // It is not being written.
                DraftPlace::Later(_) => continue,
            };
            let is_written = self
                .shell
                .writing
                .get(&place)
                .is_some_and(|it| !it.text.is_empty() || !it.files.is_empty() || it.to.len() > 0);
            if is_written {
                continue;
            }
            self.drafts.kept.insert(place, fingerprint(&row));
            self.show_draft(&row);
            row.files.iter().for_each(|file| self.pictures.preview(file));
            let to = Recipients::of(row.people.into_iter().map(person).collect());
            let writing = Writing { text: row.text, files: row.files, to, hidden: row.hidden };
            self.shell.writing.insert(place, writing);
        }
    }

    /// Throws the new message away, and offers to bring it back.
    pub(super) fn discard_new(&mut self, ctx: &Context) {
        let Some(writing) = self.shell.writing.get(&MiddleView::New) else { return };
        let report = ReportOptions { mode: ReportMode::Each, detail: true, id: None };
        let Writing { text, files, hidden, .. } = writing.clone();
        let draft = Draft { to: writing.to.rows(), text, files, hidden, report };
        self.clear_draft(ctx, MiddleView::New);
        self.shell.has_new_writing = true;
        self.shell.toasts.offer(say!("draft-discarded").to_owned(), say!("undo"), Act::TakeUp(draft));
        ctx.memory_mut(|memory| memory.request_focus(recipients::field_id()));
    }

    /// Brings back the new message that was thrown away.
    pub(super) fn take_up(&mut self, ctx: &Context, draft: Draft) {
        self.restore(draft, MiddleView::New);
        self.write(ctx, Vec::new());
    }

    /// Leaves a forwarded message to which nothing was added: it was opened by mistake, and what had been written there
    /// before comes back. False if there is none.
    pub(super) fn leave_forward(&mut self, ctx: &Context) -> bool {
        let writing = self.shell.writing.get(&MiddleView::New);
        let is_left = |it: &mut Forwarding| {
            writing.is_some_and(|writing| writing.text == it.text && writing.to.typing.is_empty())
        };
        if self.shell.place != MiddleView::New {
            return false;
        }
        let Some(forwarding) = self.shell.forwarding.take_if(is_left) else { return false };
        self.clear_draft(ctx, MiddleView::New);
        if let Some(before) = forwarding.before {
            self.shell.writing.insert(MiddleView::New, before);
        }
        self.shell.has_new_writing = true;
        match forwarding.from {
            MiddleView::Conversation(id) => self.open(id),
            MiddleView::Nothing | MiddleView::New => self.back(),
        }
        true
    }

    /// What is being written is on the screen only.
    pub(super) fn draft_not_kept(&mut self, why: DraftFault) {
        let why = match why {
            DraftFault::TooLarge => say!("draft-too-large"),
            DraftFault::TooMany => say!("draft-too-many"),
            DraftFault::NotStored => say!("draft-not-stored"),
        };
        self.shell.toasts.push(say!("draft-not-kept", why = why));
    }
}

fn person(row: PersonRow) -> Person {
    let name = if row.name.is_empty() { row.address.clone() } else { row.name };
    Person { address: row.address, name, simulated: false }
}

/// Differs if the draft does. Files are told apart by where their bytes are, which are shared and not copied.
fn fingerprint(row: &DraftRow) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&row.text, row.hidden).hash(&mut hasher);
    row.people.iter().for_each(|person| person.address.hash(&mut hasher));
    row.files.iter().for_each(|file| file.bytes.as_ptr().addr().hash(&mut hasher));
    hasher.finish()
}
