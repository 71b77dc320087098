//! A trace as it is looked at: what is filtered, which message is shown in full, which ladder is drawn.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use egui::{ComboBox, Panel, Role, Ui, WidgetInfo};

use super::ladder::ladder_ui;
use super::passed::Passed;
use super::reading::{Reading, reading_ui};
use crate::inspect::{Direction, Filter, Ladder, Submission, WireMessage, ladder};
use crate::time::Timestamp;
use crate::ui::actions::Act;
use crate::ui::kit::widgets::{field, hint, pill};
use crate::ui::kit::words::{self, Look};
use crate::ui::text::say;

/// From this width on, the chosen message stands beside the list, else below it.
const BESIDE_FROM: f32 = 640.0;

/// The ladder of a submission, drawn anew only when another message belongs to it.
#[derive(Debug)]
struct Drawn {
    call_id: String,
    /// The first message and how many there are; another submission may have the same Call-ID.
    messages: (Option<usize>, usize),
    ladder: Ladder,
    at: Timestamp,
}

/// A trace, and what is shown of it.
#[derive(Debug, Default)]
pub(super) struct Sight {
    pub(super) passed: Passed,
    words: String,
    direction: Option<Direction>,
    /// Only messages from or to this address.
    person: Option<String>,
    /// The place of the message that is shown in full.
    pub(super) chosen: Option<usize>,
    unfolded: BTreeSet<usize>,
    reading: Reading,
    drawn: Option<Drawn>,
}

/// Which submission of a trace is meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meant<'a> {
    /// The latest one with one of these Call-IDs, else the one that the chosen message belongs to.
    CallIds(&'a [String]),
    /// By its place among all.
    Place(usize),
}

impl Sight {
    /// Of all messages of a trace.
    pub(super) fn of(passed: Passed) -> Self {
        Self { passed, ..Self::default() }
    }

    /// Forgets what was read of messages that are gone.
    pub(super) fn forget_dropped(&mut self) {
        if self.chosen.is_some_and(|place| self.passed.get(place).is_none()) {
            self.chosen = None;
        }
        self.unfolded.retain(|place| self.passed.get(*place).is_some());
        self.drawn = None;
    }

    /// Applies the filter to what has passed since, and to all if it has changed.
    pub(super) fn filter(&mut self) {
        let filter = Filter::of(&self.words, self.direction, self.person.as_deref());
        self.passed.show(&filter);
    }

    fn submission(&self, meant: Meant<'_>) -> Option<Cow<'_, Submission>> {
        match meant {
            Meant::CallIds(call_ids) => {
                let chosen = || self.passed.of_message(self.chosen?).map(Cow::Borrowed);
                self.passed.submission(call_ids).or_else(chosen)
            }
            Meant::Place(place) => self.passed.submissions().get(place).map(Cow::Borrowed),
        }
    }

    /// The messages of a submission, or all that are shown, for a capture.
    pub(super) fn messages(&self, of: Option<Meant<'_>>) -> Vec<WireMessage> {
        let wire = |place: usize| self.passed.get(place).map(|traced| traced.wire.clone());
        match of {
            Some(meant) => {
                let submission = self.submission(meant);
                let places = submission.iter().flat_map(|one| &one.messages);
                places.filter_map(|(place, _)| wire(*place)).collect()
            }
            None => self.passed.shown().iter().filter_map(|place| wire(*place)).collect(),
        }
    }

    /// The ladder of a submission: as it was drawn, or anew if it is another one or has more messages.
    fn drawn_from(&self, drawn: Option<Drawn>, meant: Meant<'_>) -> Option<Drawn> {
        let submission = self.submission(meant)?;
        let messages = (submission.messages.first().map(|(place, _)| *place), submission.messages.len());
        let is_it = |drawn: &Drawn| drawn.call_id == submission.call_id && drawn.messages == messages;
        drawn.filter(is_it).or_else(|| {
            let ladder = ladder(&submission, |place| self.passed.get(place));
            let (call_id, at) = (submission.call_id.clone(), submission.at);
            Some(Drawn { call_id, messages, ladder, at })
        })
    }

    /// A click chooses a message, a second one puts it away.
    pub(super) fn clicked(&mut self, place: Option<usize>) {
        if place.is_some() {
            self.chosen = if self.chosen == place { None } else { place };
        }
    }
}

/// The filter: words, a way, a person; `more` is drawn beside the ways.
pub(super) fn filter_ui(ui: &mut Ui, sight: &mut Sight, has_ways: bool, more: impl FnOnce(&mut Ui)) {
    field(ui, say!("filter"), &mut sight.words, say!("filter-hint"));
    ui.horizontal_wrapped(|ui| {
        let ways = [
            (None, say!("both-ways")),
            (Some(Direction::Sent), say!("sent")),
            (Some(Direction::Received), say!("received")),
        ];
        for (direction, label) in ways.into_iter().filter(|_| has_ways) {
            if pill(ui, sight.direction == direction, label).clicked() {
                sight.direction = direction;
            }
        }
        person_ui(ui, sight);
        more(ui);
    });
    hint(ui, &count(&sight.passed));
}

/// Whose messages are shown.
fn person_ui(ui: &mut Ui, sight: &mut Sight) {
    let (passed, person) = (&sight.passed, &mut sight.person);
    let shown = person.as_deref().map_or_else(|| say!("anybody").to_owned(), words::address);
    let list = ComboBox::from_id_salt("wire person").selected_text(shown).width(140.0).truncate();
    let list = list.show_ui(ui, |ui| {
        ui.selectable_value(person, None, say!("anybody"));
        for known in passed.people() {
            ui.selectable_value(person, Some(known.to_owned()), words::address(known));
        }
    });
    list.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, say!("person")));
}

fn count(passed: &Passed) -> String {
    let (shown, all) = (passed.shown().len(), passed.len());
    let mut words = if shown == all {
        say!("messages-all", all = all)
    } else {
        say!("messages-of", shown = shown, all = all)
    };
    if passed.lost > 0 {
        words.push_str(", ");
        words.push_str(&say!("older-dropped", count = passed.lost));
    }
    words
}

/// The chosen message in full, beside what comes after it or below that.
pub(super) fn chosen_ui(ui: &mut Ui, sight: &mut Sight, look: &Look, acts: &mut Vec<Act>) {
    let Some(place) = sight.chosen else { return };
    let Some(traced) = sight.passed.get(place) else { return };
    let frame = egui::Frame::NONE.inner_margin(egui::Margin::symmetric(10, 8));
    let (width, height) = (ui.available_width(), ui.available_height());
    let panel = if width >= BESIDE_FROM {
        Panel::right("wire message").default_size(width * 0.46).min_size(240.0)
    } else {
        Panel::bottom("wire message below").default_size(height * 0.45).min_size(120.0)
    };
    panel.resizable(true).frame(frame).show(ui, |ui| {
        reading_ui(ui, &mut sight.reading, (place, traced), look, acts);
    });
}

/// The ladder of a submission; false if there is none.
pub(super) fn submission_ui(ui: &mut Ui, sight: &mut Sight, meant: Meant<'_>) -> bool {
    let drawn = sight.drawn.take();
    sight.drawn = sight.drawn_from(drawn, meant);
    let passed = &sight.passed;
    let Some(drawn) = &sight.drawn else { return false };
    let times =
        |place: usize| passed.get(place).map_or(Duration::ZERO, |traced| traced.wire.at.since(drawn.at));
    let clicked = ladder_ui(ui, &drawn.ladder, &times, sight.chosen, &mut sight.unfolded);
    sight.clicked(clicked);
    true
}
