//! What is being looked for, and where.

use egui::{Context, Id, Rect};

use super::bar::Bar;
use super::calendar::Calendar;
use super::emoji::EmojiPicker;
use super::everywhere::Everywhere;
use super::palette::Palette;
use crate::model::command::Command;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::search::Found;
use crate::ui::thread::Marked;

/// What stands over the window.
#[derive(Debug)]
pub(crate) enum Overlay {
    /// The search of all messages.
    Everywhere,
    /// The search of people, lists, conversations and commands.
    Palette(Palette),
    /// The day to go to in the open conversation.
    Calendar(Calendar),
    /// The emoji to write.
    Emoji(EmojiPicker),
}

/// What is to be shown after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoundPlace {
    /// This message.
    Hit(MessageId),
    /// The message after the newest one before a day; the first if there is none before it.
    After(Option<MessageId>),
}

impl Overlay {
    /// Where it was drawn in the last frame.
    pub(crate) fn rect(&self, ctx: &Context) -> Option<Rect> {
        ctx.memory(|memory| memory.area_rect(self.id()))
    }

    /// The id of its area.
    pub(crate) fn id(&self) -> Id {
        Id::unique(match self {
            Self::Everywhere => "find everywhere",
            Self::Palette(_) => "palette",
            Self::Calendar(_) => "calendar",
            Self::Emoji(_) => "emoji",
        })
    }
}

/// All searches of the window.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    /// The number of the latest search.
    last: u64,
    /// The search of the open conversation.
    pub(crate) bar: Option<Bar>,
    /// The search of all messages, which is kept while it is closed.
    pub(crate) everywhere: Everywhere,
    pub(crate) overlay: Option<Overlay>,
    /// What had the focus before the search took it.
    pub(crate) focus_before: Option<Id>,
    /// What gets the focus now that the search is closed.
    pub(crate) gives_focus_to: Option<Id>,
}

impl Finder {
    /// The searches that are due; those that the engine does not take are asked again soon.
    pub(crate) fn ask_due(&mut self, now: f64, mut ask: impl FnMut(Command) -> bool) {
        if let Some(bar) = &mut self.bar
            && let Some(command) = bar.typed.take_due(now, &mut self.last, (Some(bar.conversation), None))
            && !ask(command)
        {
            bar.typed.not_taken(now);
        }
        if let Some(Overlay::Calendar(calendar)) = &mut self.overlay
            && let Some(command) =
                calendar.typed.take_due(now, &mut self.last, (Some(calendar.conversation), None))
            && !ask(command)
        {
            calendar.typed.not_taken(now);
        }
        let everywhere = &mut self.everywhere;
        let older_than = everywhere.older_than();
        if let Some(command) = everywhere.typed.take_due(now, &mut self.last, (None, older_than))
            && !ask(command)
        {
            everywhere.typed.not_taken(now);
        }
    }

    /// When the next search is due.
    pub(crate) fn due(&self) -> Option<f64> {
        let bar = self.bar.as_ref().and_then(|bar| bar.typed.due());
        let calendar =
            if let Some(Overlay::Calendar(calendar)) = &self.overlay { calendar.typed.due() } else { None };
        bar.into_iter().chain(calendar).chain(self.everywhere.typed.due()).reduce(f64::min)
    }

    /// Takes in an answer; returns what of the open conversation is to be shown.
    pub(crate) fn take(&mut self, found: Found) -> Option<FoundPlace> {
        if let Some(Overlay::Calendar(calendar)) = &mut self.overlay
            && calendar.typed.is_answer(&found)
        {
            return Some(FoundPlace::After(found.all.first().copied()));
        }
        if self.everywhere.typed.is_answer(&found) {
            self.everywhere.take(found);
            return None;
        }
        let bar = self.bar.as_mut()?;
        if bar.typed.is_answer(&found) { bar.take(found).map(FoundPlace::Hit) } else { None }
    }

    /// What the search of the open conversation marks in it.
    pub(crate) fn marked(&self) -> Marked<'_> {
        match &self.bar {
            Some(bar) => Marked { terms: bar.terms(), hit: bar.hit() },
            None => Marked::default(),
        }
    }

    /// The bar belongs to its conversation: it closes when another one is opened.
    pub(crate) fn heed_place(&mut self, open: Option<ConversationId>) {
        if self.bar.as_ref().is_some_and(|bar| Some(bar.conversation) != open) {
            self.bar = None;
        }
    }
}
