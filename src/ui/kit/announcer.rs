//! What a screen reader says without being asked: a node that nobody sees, whose words are read aloud when they change (a live
//! region).

use std::collections::VecDeque;

use egui::accesskit::{Live, Role};
use egui::{Context, Id, accesskit_root_id};

use crate::model::journal::MessageId;

/// Most announcements that wait for the next frame; over it, the oldest are left out.
const WAITING_MAX: usize = 8;
/// Most characters of one announcement: a long message is read in its conversation.
const CHARS_MAX: usize = 300;

/// Tells screen readers what has happened.
#[derive(Debug, Default)]
pub(crate) struct Announcer {
    waiting: VecDeque<String>,
    /// What is said now.
    said: String,
    /// Which of two nodes says it: they take turns, so that the same words can be said twice.
    turn: usize,
    /// The message of ours whose end was said last.
    ended: Option<MessageId>,
}

impl Announcer {
    /// Says this in the next frame.
    pub(crate) fn say(&mut self, words: &str) {
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(words.chars().take(CHARS_MAX).collect());
    }

    /// Says once how this message of ours ended.
    pub(crate) fn say_end(&mut self, message: MessageId, words: &str) {
        if self.ended.replace(message) != Some(message) {
            self.say(words);
        }
    }

    /// Puts what there is to say into the accessibility tree of this frame, and the title of the window, by which a screen reader
    /// names it.
    pub(crate) fn show(&mut self, ctx: &Context, title: &str) {
        if !self.waiting.is_empty() {
            self.said = self.waiting.drain(..).collect::<Vec<_>>().join("\n");
            self.turn = 1 - self.turn;
        }
        ctx.accesskit_node_builder(accesskit_root_id(), |node| node.set_label(title));
        // An empty one would be said too.
        if !self.said.is_empty() {
            ctx.accesskit_node_builder(Id::unique(("announcer", self.turn)), |node| {
                node.set_role(Role::Status);
                node.set_live(Live::Polite);
                node.set_label(self.said.as_str());
            });
        }
    }
}

/// Has a screen reader say the words of this widget when it appears or changes.
pub(crate) fn say_changes(ctx: &Context, widget: Id) {
    ctx.accesskit_node_builder(widget, |node| node.set_live(Live::Polite));
}
