//! The search of the open conversation, above its messages: how many were found, which of them is shown, and the way
//! from one to the next.

use std::sync::Arc;

use egui::{Align, Frame, Key, Layout, Margin, Modifiers, RichText, Stroke, Ui, vec2};

use super::typed::Typed;
use crate::limits::SEARCH_IDS_MAX;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::search::{Found, Term};
use crate::ui::actions::{Act, HitStep};
use crate::ui::commands::UiCommand;
use crate::ui::kit::edit;
use crate::ui::kit::icons::{Icon, icon_button};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::words;
use crate::ui::text::{number, say};

/// Width of the count and the buttons.
const BESIDE: f32 = 250.0;

/// The search of one conversation.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) conversation: ConversationId,
    pub(crate) typed: Typed,
    hits: Option<Hits>,
    /// It has not been drawn yet: it takes the focus, unless a message was gone to.
    takes_focus: bool,
    /// The hit to begin with.
    first: Option<MessageId>,
    /// How many messages the conversation had when it was searched.
    length: usize,
}

/// What was found in a conversation.
#[derive(Debug)]
struct Hits {
    terms: Arc<[Term]>,
    /// Newest first.
    all: Vec<MessageId>,
    /// The one that is shown.
    at: usize,
    problems: Vec<String>,
    unindexed: u64,
}

impl Bar {
    /// An empty one.
    pub(crate) fn new(conversation: ConversationId) -> Self {
        let typed = Typed::default();
        Self { conversation, typed, hits: None, takes_focus: true, first: None, length: 0 }
    }

    /// One that looks for this text and begins with this message.
    pub(crate) fn at(conversation: ConversationId, text: String, message: MessageId) -> Self {
        let typed = Typed::now(text);
        Self { typed, takes_focus: false, first: Some(message), ..Self::new(conversation) }
    }

    /// Takes the focus, as if it had just been opened.
    pub(crate) const fn take_focus(&mut self) {
        self.takes_focus = true;
    }

    /// Takes in what was found; returns the message to show.
    pub(super) fn take(&mut self, found: Found) -> Option<MessageId> {
        let before = self.first.take().or_else(|| self.hit());
        let all = found.all;
        // Newest first: the same one as before, or the next older one.
        let at = before.and_then(|id| all.iter().position(|hit| *hit <= id)).unwrap_or(0);
        let problems = found.problems.iter().map(ToString::to_string).collect();
        self.hits = Some(Hits { terms: found.terms, all, at, problems, unindexed: found.unindexed });
        self.hit().filter(|hit| Some(*hit) != before)
    }

    /// The hit that is shown.
    pub(crate) fn hit(&self) -> Option<MessageId> {
        self.hits.as_ref().and_then(|hits| hits.all.get(hits.at)).copied()
    }

    /// What is marked in the messages.
    pub(crate) fn terms(&self) -> &[Term] {
        self.hits.as_ref().map_or(&[], |hits| &hits.terms)
    }

    /// Goes to the next hit, from the last one to the first; returns it.
    pub(crate) fn step(&mut self, step: HitStep) -> Option<MessageId> {
        let hits = self.hits.as_mut()?;
        let count = hits.all.len();
        let forward = match step {
            HitStep::Older => 1,
            HitStep::Newer => count.saturating_sub(1),
        };
        hits.at = (hits.at + forward).checked_rem(count)?;
        self.hit()
    }

    /// The conversation has so many messages now: new ones are searched too.
    pub(crate) fn heed_length(&mut self, length: usize) {
        if self.length != length && self.length != 0 {
            self.typed.again();
        }
        self.length = length;
    }

    /// `3 of 17`.
    fn count(&self) -> String {
        match &self.hits {
            None => String::new(),
            Some(_) if self.typed.is_empty() => String::new(),
            Some(hits) if hits.all.is_empty() => say!("no-results").to_owned(),
            Some(hits) => {
                let more = if hits.all.len() >= SEARCH_IDS_MAX { "+" } else { "" };
                say!("hit-of", at = hits.at + 1, all = format!("{}{more}", number(hits.all.len() as u64)))
            }
        }
    }
}

/// The id of its field.
pub(crate) fn field_id() -> egui::Id {
    egui::Id::unique("find here")
}

/// Draws the bar.
pub(crate) fn bar_ui(ui: &mut Ui, bar: &mut Bar, acts: &mut Vec<Act>) {
    // It stands right below the header.
    ui.add_space(-ui.spacing().item_spacing.y);
    let frame = Frame::NONE.fill(colors(ui).side).inner_margin(Margin::symmetric(16, 6));
    let shown = frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
        ui.horizontal(|ui| {
            field_ui(ui, bar, acts);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| buttons_ui(ui, bar, acts));
        });
        let hits = bar.hits.as_ref();
        for problem in hits.map(|hits| hits.problems.as_slice()).unwrap_or_default() {
            let words = words::sentence(problem);
            ui.label(RichText::new(words).size(12.5).color(colors(ui).amber));
        }
        if let Some(words) = hits.and_then(|hits| unindexed(hits.unindexed)) {
            ui.label(RichText::new(words).size(12.5).color(colors(ui).weak));
        }
    });
    let rect = shown.response.rect;
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, colors(ui).line));
}

/// That not every message can be found yet.
pub(super) fn unindexed(count: u64) -> Option<String> {
    (count > 0).then(|| say!("unindexed", count = count))
}

fn field_ui(ui: &mut Ui, bar: &mut Bar, acts: &mut Vec<Act>) {
    let id = field_id();
    if std::mem::take(&mut bar.takes_focus) {
        ui.memory_mut(|memory| memory.request_focus(id));
    }
    if ui.memory(|memory| memory.has_focus(id)) {
        // The longer shortcut first: egui ignores additional modifiers.
        let (newer, older) = ui.input_mut(|input| {
            let newer = input.consume_key(Modifiers::SHIFT, Key::Enter);
            (newer, !newer && input.consume_key(Modifiers::NONE, Key::Enter))
        });
        if newer || older {
            acts.push(Act::StepHit(if newer { HitStep::Newer } else { HitStep::Older }));
        }
    }
    let width = (ui.available_width() - BESIDE).max(120.0);
    let response = edit::text_field(ui, id, &mut bar.typed.text, |text| {
        egui::TextEdit::singleline(text)
            .hint_text(say!("find-here"))
            .desired_width(width)
            .align(egui::Align2::LEFT_CENTER)
            .margin(Margin::symmetric(10, 5))
            .min_size(vec2(0.0, 30.0))
    })
    .accessible_name(say!("find-here"));
    if response.changed() {
        bar.typed.changed(ui.input(|input| input.time));
        if bar.typed.is_empty() {
            bar.hits = None;
        }
    }
}

fn buttons_ui(ui: &mut Ui, bar: &mut Bar, acts: &mut Vec<Act>) {
    if icon_button(ui, Icon::Close, say!("close-search")).clicked() {
        acts.push(Act::CloseFind);
    }
    let has_hits = bar.hit().is_some();
    ui.add_enabled_ui(has_hits, |ui| {
        for (icon, label, step) in [
            (Icon::Down, say!("newer-result"), HitStep::Newer),
            (Icon::Up, say!("older-result"), HitStep::Older),
        ] {
            if icon_button(ui, icon, label).clicked() {
                acts.push(Act::StepHit(step));
                // So that Enter goes on.
                bar.takes_focus = true;
            }
        }
    });
    if icon_button(ui, Icon::Calendar, UiCommand::GoToDate.label())
        .on_hover_text(UiCommand::GoToDate.tooltip())
        .clicked()
    {
        acts.push(Act::GoToDate);
    }
    ui.label(RichText::new(bar.count()).font(theme::regular(12.5)).color(colors(ui).weak));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::search::{Query, Search};

    fn found(bar: &mut Bar, all: &[u64]) -> Option<MessageId> {
        let search = Search { id: 1, text: "tea".into(), within: Some(bar.conversation), older_than: None };
        let all = all.iter().map(|id| MessageId(*id)).collect();
        let terms = Query::parse("tea").terms.into();
        let (hits, problems) = (Vec::new(), Vec::new());
        bar.take(Found { search, terms, hits, all, has_more: false, unindexed: 0, problems })
    }

    #[test]
    fn it_goes_from_the_newest_to_the_oldest_and_round() {
        let mut bar = Bar::new(ConversationId(1));
        bar.typed.text = "tea".into();
        assert_eq!((found(&mut bar, &[9, 5, 2]), bar.count().as_str()), (Some(MessageId(9)), "1 of 3"));
        assert_eq!(bar.step(HitStep::Older), Some(MessageId(5)));
        // A new message has it too: the one that is shown stays.
        assert_eq!((found(&mut bar, &[11, 9, 5, 2]), bar.count().as_str()), (None, "3 of 4"));
        assert_eq!(bar.step(HitStep::Older), Some(MessageId(2)));
        assert_eq!(
            (bar.step(HitStep::Older), bar.step(HitStep::Newer)),
            (Some(MessageId(11)), Some(MessageId(2)))
        );
        // The one that was shown is gone.
        assert_eq!(found(&mut bar, &[11, 9]), Some(MessageId(11)));
        assert_eq!(
            (found(&mut bar, &[]), bar.step(HitStep::Older), bar.count().as_str()),
            (None, None, "No results")
        );
        let mut bar = Bar::at(ConversationId(1), "tea".into(), MessageId(5));
        assert_eq!((found(&mut bar, &[9, 5]), bar.count().as_str()), (None, "2 of 2"), "it is shown already");
    }
}
