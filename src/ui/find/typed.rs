//! A search as it is being typed: asked a moment after the last letter, and only the answer to the latest counts.

use crate::model::command::Command;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::search::{Found, Search};

/// How long typing rests before what was typed is looked for, in seconds.
const WAIT_SECS: f64 = 0.12;

/// What is typed into a search field, and what was asked of it.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    pub(crate) text: String,
    /// When it is looked for, in egui's seconds.
    due: Option<f64>,
    /// The number of the latest search, until it is answered.
    asked: Option<u64>,
}

impl Typed {
    /// This text, to be looked for at once.
    pub(crate) const fn now(text: String) -> Self {
        Self { text, due: Some(0.0), asked: None }
    }

    /// The text was changed: answers to what was asked before do not count any more.
    pub(crate) fn changed(&mut self, now: f64) {
        self.asked = None;
        self.due = (!self.is_empty()).then_some(now + WAIT_SECS);
    }

    /// Looks for it again, although the text is the same.
    pub(crate) fn again(&mut self) {
        if !self.is_empty() {
            self.due.get_or_insert(0.0);
        }
    }

    /// Nothing is typed.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// It was typed, and there is no answer yet.
    pub(crate) const fn is_awaited(&self) -> bool {
        self.due.is_some() || self.asked.is_some()
    }

    /// When it is looked for.
    pub(crate) const fn due(&self) -> Option<f64> {
        self.due
    }

    /// The search, once it is due; `last` is the number of the search before.
    pub(crate) fn take_due(
        &mut self,
        now: f64,
        last: &mut u64,
        (within, older_than): (Option<ConversationId>, Option<MessageId>),
    ) -> Option<Command> {
        self.due.take_if(|due| *due <= now)?;
        *last += 1;
        self.asked = Some(*last);
        Some(Command::Search(Search { id: *last, text: self.text.clone(), within, older_than }))
    }

    /// The engine took nothing: it is asked again soon.
    pub(crate) fn not_taken(&mut self, now: f64) {
        self.asked = None;
        self.due = Some(now + WAIT_SECS);
    }

    /// Whether this answers the latest search.
    pub(crate) fn is_answer(&mut self, found: &Found) -> bool {
        self.asked.take_if(|asked| *asked == found.search.id).is_some()
    }
}
