//! What the user deletes: hidden at once, and deleted for good when it can no longer be brought back.

use std::sync::Arc;
use std::time::Duration;

use egui::{Context, Key, Modifiers};

use super::App;
use crate::model::command::Command;
use crate::model::deletion::Doomed;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::snapshot::{ConversationHead, Outline, Snapshot, Thread};
use crate::model::text::{Shown, preview};
use crate::ui::actions::Act;
use crate::ui::compose::composer;
use crate::ui::kit::words;
use crate::ui::text::say;

/// For so long the user can change his mind, in seconds.
const UNDO_SECS: f64 = 10.0;
/// When the engine takes nothing it is asked again after this time, in seconds.
const AGAIN_SECS: f64 = 1.0;

/// A deletion that the user has asked for.
#[derive(Debug)]
struct Pending {
    number: u64,
    what: Doomed,
    /// When the engine is told, in egui's seconds; none once it was.
    due: Option<f64>,
    /// The notice with the way back.
    words: String,
}

impl Pending {
    fn hides(&self, of: ConversationId, message: MessageId) -> bool {
        match &self.what {
            Doomed::Messages { conversation, messages } => *conversation == of && messages.contains(&message),
            Doomed::Conversation { conversation, up_to } => *conversation == of && message <= *up_to,
            Doomed::OlderThan(_) => false,
        }
    }

    /// Whether what the engine was told to delete is still shown.
    fn is_in(&self, snapshot: &Snapshot) -> bool {
        match &self.what {
            Doomed::Messages { conversation, .. } => snapshot.thread.as_ref().is_some_and(|thread| {
                let is_hidden = |line: &Outline| self.hides(thread.conversation, line.id);
                thread.conversation == *conversation && thread.outline.iter().any(is_hidden)
            }),
            Doomed::Conversation { .. } => {
                snapshot.conversations.iter().any(|head| self.hides(head.id, head.newest))
            }
            Doomed::OlderThan(_) => false,
        }
    }
}

/// All deletions that are not carried out yet.
#[derive(Debug, Default)]
pub(super) struct Deletions {
    pending: Vec<Pending>,
    count: u64,
    has_changed: bool,
}

impl Deletions {
    /// Whether something was hidden or brought back since the last call.
    pub(super) const fn take_change(&mut self) -> bool {
        std::mem::replace(&mut self.has_changed, false)
    }

    /// The snapshot without what is hidden.
    pub(super) fn without_hidden(&mut self, snapshot: Arc<Snapshot>) -> Arc<Snapshot> {
        self.pending.retain(|pending| pending.due.is_some() || pending.is_in(&snapshot));
        if self.pending.is_empty() {
            return snapshot;
        }
        let hidden = |of: ConversationId, message: MessageId| {
            self.pending.iter().any(|pending| pending.hides(of, message))
        };
        let mut shown = Snapshot::clone(&snapshot);
        let open = snapshot.thread.as_deref();
        let filtered = open.map(|thread| without(thread, |id| hidden(thread.conversation, id)));
        let of_thread = |head: &ConversationHead| filtered.as_ref().filter(|it| it.conversation == head.id);
        let heads = snapshot.conversations.iter().filter_map(|head| {
            match (hidden(head.id, head.newest), of_thread(head)) {
                (true, Some(thread)) => before(head, thread),
                // Which message comes before it is known only where it is open.
                (true, None) if self.hides_all_of(head.id) => None,
                (true, None) | (false, _) => Some(head.clone()),
            }
        });
        shown.conversations = heads.collect();
        shown.thread = filtered.map(Arc::new);
        Arc::new(shown)
    }

    /// When the last deletion that can still be undone was asked for, in egui's seconds.
    pub(super) fn last_at(&self) -> Option<f64> {
        self.pending.iter().rev().find_map(|pending| pending.due).map(|due| due - UNDO_SECS)
    }

    fn hides_all_of(&self, id: ConversationId) -> bool {
        let is_whole = |pending: &Pending| matches!(&pending.what, Doomed::Conversation { conversation, .. } if *conversation == id);
        self.pending.iter().any(is_whole)
    }

    /// Takes the messages out of an earlier deletion in the same conversation that can still be undone.
    fn merge(&mut self, what: &mut Doomed) -> Option<String> {
        let Doomed::Messages { conversation, messages } = what else { return None };
        let is_same = |pending: &Pending| {
            let of = |doomed: &Doomed| {
                if let Doomed::Messages { conversation, .. } = doomed { Some(*conversation) } else { None }
            };
            pending.due.is_some() && of(&pending.what) == Some(*conversation)
        };
        let earlier = self.pending.iter().position(is_same).map(|place| self.pending.remove(place))?;
        if let Doomed::Messages { messages: more, .. } = earlier.what {
            messages.extend(more);
            messages.sort_unstable();
            messages.dedup();
        }
        Some(earlier.words)
    }
}

/// A conversation without its hidden messages.
fn without(thread: &Thread, hidden: impl Fn(MessageId) -> bool) -> Thread {
    let shown = |line: &&Outline| !hidden(line.id);
    Thread {
        outline: thread.outline.iter().filter(shown).copied().collect(),
        first: thread.outline.iter().take(thread.first).filter(shown).count(),
        messages: thread.messages.iter().filter(|message| !hidden(message.id)).cloned().collect(),
        unread_from: thread.unread_from.filter(|id| !hidden(*id)),
        ..thread.clone()
    }
}

/// The entry of a conversation whose last messages are hidden; none if all are.
fn before(head: &ConversationHead, thread: &Thread) -> Option<ConversationHead> {
    let last = thread.messages.last()?;
    let shown = Shown { text: last.text.clone(), files: last.files.clone() };
    Some(ConversationHead {
        newest: last.id,
        preview: preview(&shown).into(),
        at: last.at,
        last: last.from.is_none().then_some(last.tally),
        verified: last.verified,
        ..head.clone()
    })
}

impl App {
    /// Hides what is to be deleted, and offers to bring it back.
    pub(super) fn delete(&mut self, ctx: &Context, mut what: Doomed) {
        if let Some(words) = self.deletions.merge(&mut what) {
            self.shell.toasts.withdraw(&words);
        }
        let words = match &what {
            Doomed::Messages { messages, .. } => match messages.len() {
                0 => return,
                many => say!("messages-deleted", count = many),
            },
            Doomed::Conversation { conversation, .. } => {
                if self.shell.open() == Some(*conversation) {
                    self.back();
                }
                let name = self.name_of(*conversation);
                say!("conversation-deleted", name = name)
            }
            // The user was asked before, and cannot change his mind.
            Doomed::OlderThan(_) => {
                self.ask(Command::Delete(what));
                return;
            }
        };
        self.deletions.count += 1;
        let number = self.deletions.count;
        self.shell.toasts.offer_for(UNDO_SECS, words.clone(), say!("undo"), Act::Undelete(number));
        let due = Some(ctx.input(|input| input.time) + UNDO_SECS);
        self.deletions.pending.push(Pending { number, what, due, words });
        self.deletions.has_changed = true;
        self.shell.thread.unpick();
    }

    /// Hides a message of the open conversation, or all selected ones if it is one of them.
    pub(super) fn delete_message(&mut self, ctx: &Context, message: MessageId) {
        if let Some(doomed) = self.shell.thread.doomed(message) {
            self.delete(ctx, doomed);
        }
    }

    /// Selects no messages any more.
    pub(super) fn unpick(&mut self) {
        self.shell.thread.unpick();
    }

    fn name_of(&self, id: ConversationId) -> String {
        let head = self.snapshot.conversations.iter().find(|head| head.id == id);
        let given = self.shell.left.marks.get(id).name.clone();
        match head {
            Some(head) if given.is_empty() => words::people(&head.people, 3),
            Some(_) | None => given,
        }
    }

    /// Brings back what was deleted a moment ago.
    pub(super) fn undelete(&mut self, number: u64) {
        self.deletions.pending.retain(|pending| pending.number != number || pending.due.is_none());
        self.deletions.has_changed = true;
    }

    /// Ctrl+Z brings back what was deleted last, unless it belongs to a text field with something in it.
    pub(super) fn undelete_by_key(&mut self, ctx: &Context) {
        let last = self.deletions.pending.iter().rev().find(|pending| pending.due.is_some());
        let Some((number, words)) = last.map(|last| (last.number, last.words.clone())) else { return };
        let field = composer::field_id(self.shell.open());
        let is_empty = self.shell.writing.get(&self.shell.place).is_none_or(|it| it.text.is_empty());
        let is_composer = ctx.memory(|memory| memory.has_focus(field));
        if ctx.text_edit_focused() && !(is_composer && is_empty) {
            return;
        }
        if ctx.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Z)) {
            self.shell.toasts.withdraw(&words);
            self.undelete(number);
            ctx.request_repaint();
        }
    }

    /// Deletes for good what can no longer be brought back.
    pub(super) fn delete_due(&mut self, ctx: &Context) {
        let now = ctx.input(|input| input.time);
        for pending in &mut self.deletions.pending {
            if pending.due.is_none_or(|due| due > now) {
                continue;
            }
            if self.source.send(Command::Delete(pending.what.clone())).is_ok() {
                pending.due = None;
                self.shell.toasts.withdraw(&pending.words);
            } else {
                pending.due = Some(now + AGAIN_SECS);
            }
        }
        if let Some(next) = self.deletions.pending.iter().filter_map(|pending| pending.due).reduce(f64::min) {
            ctx.request_repaint_after(Duration::from_secs_f64((next - now).max(0.0) + 0.01));
        }
    }

    /// The window closes: what is hidden is deleted.
    pub(super) fn delete_all_now(&mut self) {
        for pending in self.deletions.pending.drain(..).filter(|pending| pending.due.is_some()) {
            let _busy = self.source.send(Command::Delete(pending.what)).is_err();
        }
    }

    /// The engine could not delete something: it is shown again.
    pub(super) fn not_deleted(&mut self) {
        self.deletions.pending.retain(|pending| pending.due.is_some());
        self.deletions.has_changed = true;
        self.shell.toasts.push(say!("not-deleted").to_owned());
    }
}
