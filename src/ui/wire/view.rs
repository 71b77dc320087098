//! The view for testers: what to show, the list or the ladder, and the chosen message.

use std::collections::BTreeSet;
use std::time::Duration;

use egui::{Panel, RichText, Ui, vec2};

use super::ladder::ladder_ui;
use super::list::list_ui;
use super::passed::Passed;
use super::reading::{Reading, reading_ui};
use crate::inspect::{Direction, Filter, Ladder, ladder};
use crate::runtime::engine::Wire;
use crate::time::Timestamp;
use crate::ui::actions::Act;
use crate::ui::kit::theme;
use crate::ui::kit::widgets::{field, hint, pill, small_button};
use crate::ui::kit::words::Look;

/// While much passes, the view is drawn so often.
const REDRAW: Duration = Duration::from_millis(100);
/// From this width on, the chosen message stands beside the list, else below it.
const BESIDE_FROM: f32 = 640.0;

/// What is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Extent {
    /// The messages of the submission that is chosen in the conversation, as a ladder.
    #[default]
    Chosen,
    /// Everything that passed, as a list.
    All,
}

/// The ladder of a submission, drawn anew only when another message belongs to it.
#[derive(Debug)]
struct Drawn {
    call_id: String,
    /// The first message and how many there are; another submission may have the same Call-ID.
    messages: (Option<usize>, usize),
    ladder: Ladder,
    at: Timestamp,
}

/// The state of the view.
#[derive(Debug)]
pub(crate) struct WireView {
    passed: Passed,
    extent: Extent,
    words: String,
    direction: Option<Direction>,
    /// Nothing new is shown.
    is_paused: bool,
    /// The newest message stays in view.
    follows: bool,
    /// The place of the message that is shown in full.
    chosen: Option<usize>,
    unfolded: BTreeSet<usize>,
    reading: Reading,
    drawn: Option<Drawn>,
    /// It has a window of its own.
    pub(crate) is_window: bool,
}

impl Default for WireView {
    fn default() -> Self {
        Self {
            passed: Passed::default(),
            extent: Extent::default(),
            words: String::new(),
            direction: None,
            is_paused: false,
            follows: true,
            chosen: None,
            unfolded: BTreeSet::new(),
            reading: Reading::default(),
            drawn: None,
            is_window: false,
        }
    }
}

/// What the view needs to know of its surroundings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched<'a> {
    /// Where the messages come from.
    pub(crate) wire: &'a Wire,
    /// The Call-IDs of the message that is chosen in the conversation.
    pub(crate) call_ids: &'a [String],
    /// How times are shown.
    pub(crate) look: &'a Look,
}

impl WireView {
    /// Takes in what is new, and asks to be woken by what comes next.
    fn take(&mut self, ui: &Ui, wire: &Wire) {
        if self.is_paused {
            return;
        }
        let lost = self.passed.lost;
        if self.passed.take(&wire.tap) {
            ui.ctx().request_repaint_after(REDRAW);
        } else {
            wire.tap.wake_once();
        }
        if lost != self.passed.lost {
            // What was dropped has moved all the others.
            self.forget();
        }
    }

    /// The messages have other places now.
    fn forget(&mut self) {
        (self.chosen, self.unfolded, self.drawn) = (None, BTreeSet::new(), None);
        self.reading.forget();
    }

    fn filter(&self) -> Filter {
        Filter { words: self.words.clone(), direction: self.direction, only: None }
    }
}

/// Draws the view.
pub(crate) fn wire_ui(ui: &mut Ui, view: &mut WireView, around: Watched<'_>, acts: &mut Vec<Act>) {
    view.take(ui, around.wire);
    let filter = view.filter();
    view.passed.show(&filter);
    ui.spacing_mut().item_spacing.y = 6.0;
    egui::Frame::NONE.inner_margin(egui::Margin::symmetric(10, 8)).show(ui, |ui| bar_ui(ui, view, around));
    let is_beside = ui.available_width() >= BESIDE_FROM;
    if let Some(place) = view.chosen
        && let Some(traced) = view.passed.get(place)
    {
        let frame = egui::Frame::NONE.inner_margin(egui::Margin::symmetric(10, 8));
        let (width, height) = (ui.available_width(), ui.available_height());
        let panel = if is_beside {
            Panel::right("wire message").default_size(width * 0.46).min_size(240.0)
        } else {
            Panel::bottom("wire message below").default_size(height * 0.45).min_size(120.0)
        };
        panel.resizable(true).frame(frame).show(ui, |ui| {
            reading_ui(ui, &mut view.reading, (place, traced), around.look, acts);
        });
    }
    egui::CentralPanel::default().frame(egui::Frame::NONE).show(ui, |ui| content_ui(ui, view, around));
}

/// What to show, and how much there is.
fn bar_ui(ui: &mut Ui, view: &mut WireView, around: Watched<'_>) {
    // A button that does not fit goes to the next line as a whole.
    ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
    ui.horizontal_wrapped(|ui| {
        for (extent, label) in [(Extent::Chosen, "This message"), (Extent::All, "Everything")] {
            if pill(ui, view.extent == extent, label).clicked() {
                view.extent = extent;
            }
        }
        let label = if view.is_paused { "Continue" } else { "Pause" };
        if small_button(ui, label).clicked() {
            view.is_paused = !view.is_paused;
        }
        if small_button(ui, "Clear").clicked() {
            view.passed.clear();
            view.forget();
        }
        if !view.is_window && small_button(ui, "Own window").clicked() {
            view.is_window = true;
        }
    });
    if view.extent == Extent::All {
        field(ui, "Filter", &mut view.words, "a person, a method, 486, 4xx …");
        ui.horizontal_wrapped(|ui| {
            let ways = [
                (None, "Both ways"),
                (Some(Direction::Sent), "Sent"),
                (Some(Direction::Received), "Received"),
            ];
            for (direction, label) in ways {
                if pill(ui, view.direction == direction, label).clicked() {
                    view.direction = direction;
                }
            }
            ui.checkbox(&mut view.follows, "Follow");
        });
        hint(ui, &count(&view.passed));
    }
    ui.style_mut().wrap_mode = None;
    if !around.wire.is_at_proxy {
        hint(ui, "Seen at this computer: what the proxy sends to the recipients does not pass here.");
    }
}

fn count(passed: &Passed) -> String {
    let (shown, all) = (passed.shown().len(), passed.len());
    let lost = match passed.lost {
        0 => String::new(),
        lost => format!(", {lost} older ones dropped"),
    };
    if shown == all { format!("{all} messages{lost}") } else { format!("{shown} of {all} messages{lost}") }
}

fn content_ui(ui: &mut Ui, view: &mut WireView, around: Watched<'_>) {
    let clicked = match view.extent {
        Extent::All => list_ui(ui, &view.passed, view.chosen, view.follows && !view.is_paused, around.look),
        Extent::Chosen => submission_ui(ui, view, around.call_ids),
    };
    if clicked.is_some() {
        // A second click puts the message away.
        view.chosen = if view.chosen == clicked { None } else { clicked };
    }
}

fn submission_ui(ui: &mut Ui, view: &mut WireView, call_ids: &[String]) -> Option<usize> {
    let chosen = view.chosen.and_then(|place| view.passed.of_message(place));
    let Some(submission) = view.passed.submission(call_ids).or(chosen) else {
        empty(ui, call_ids.is_empty());
        return None;
    };
    let messages = (submission.messages.first().map(|(place, _)| *place), submission.messages.len());
    let is_drawn = |drawn: &Drawn| drawn.call_id == submission.call_id && drawn.messages == messages;
    if !view.drawn.as_ref().is_some_and(is_drawn) {
        let (call_id, ladder) = (submission.call_id.clone(), ladder(submission, view.passed.all()));
        view.drawn = Some(Drawn { call_id, messages, ladder, at: submission.at });
    }
    let drawn = view.drawn.as_ref()?;
    let passed = &view.passed;
    let times =
        |place: usize| passed.get(place).map_or(Duration::ZERO, |traced| traced.wire.at.since(drawn.at));
    ladder_ui(ui, &drawn.ladder, &times, view.chosen, &mut view.unfolded)
}

fn empty(ui: &mut Ui, nothing_chosen: bool) {
    egui::Frame::NONE.inner_margin(egui::Margin::symmetric(16, 16)).show(ui, |ui| {
        ui.set_min_size(vec2(ui.available_width(), 40.0));
        ui.label(RichText::new("No messages to show").font(theme::strong(14.0)));
        hint(
            ui,
            if nothing_chosen {
                "Choose a message of yours in the conversation to see what passed for it."
            } else {
                "What passed for this message was not watched, or has been dropped since."
            },
        );
    });
}
