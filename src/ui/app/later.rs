//! Messages that are sent at a time that the user chose.

use std::time::Duration;

use egui::{Align, Context, Layout, Ui};

use super::App;
use super::shell::MiddleView;
use crate::model::command::{AgentCommand, Command, Draft};
use crate::model::contacts::address_key;
use crate::model::journal::PersonRow;
use crate::model::later::Later;
use crate::model::snapshot::Person;
use crate::time::Timestamp;
use crate::ui::actions::{Act, WaitingAct, When};
use crate::ui::compose::composer;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{line_ui, small_button};
use crate::ui::kit::words::Look;
use crate::ui::panels::dialogs::Dialog;
use crate::ui::panels::later::LaterForm;
use crate::ui::text::say;

/// Less of a text says nothing.
const TEXT_WIDTH_MIN: f32 = 40.0;

impl App {
    /// Does what the user wants with a message that waits.
    pub(super) fn waiting(&mut self, ctx: &Context, act: WaitingAct) {
        match act {
            WaitingAct::TakeBack(number) => self.take_back(ctx, number),
            WaitingAct::SendNow(number) => self.send_now(number),
            WaitingAct::SendLater(draft, when) => match time_of(when, &self.look) {
                Some(due) => self.send_later(ctx, *draft, due),
                None => {
                    let form = LaterForm::of_written(*draft, &self.look);
                    self.shell.show(Dialog::Later(Box::new(form)));
                }
            },
            WaitingAct::AskWhen(number) => {
                if let Some(later) = self.snapshot.later.iter().find(|later| later.number == number) {
                    let form = LaterForm::of_waiting(number, later.due, &self.look);
                    self.shell.show(Dialog::Later(Box::new(form)));
                }
            }
            WaitingAct::PutOff(number, due) => {
                self.ask(Command::Agent(AgentCommand::PutOff { number, due }));
                self.write_next(ctx);
            }
            WaitingAct::TakeLaterBack(number) => self.take_later_back(ctx, number),
        }
    }

    fn send_later(&mut self, ctx: &Context, draft: Draft, due: Timestamp) {
        let place = self.shell.place;
        if self.ask(Command::Agent(AgentCommand::SendLater { draft, due })) {
            self.shell.has_new_writing = true;
            self.clear_draft(ctx, place);
            self.write_next(ctx);
        }
    }

    /// The next message can be typed at once, as soon as a dialog or a menu has closed.
    fn write_next(&mut self, ctx: &Context) {
        self.shell.finder.gives_focus_to = Some(composer::field_id(self.shell.open()));
        ctx.request_repaint();
    }

    /// Puts a message that waits for its time back into the composer of its conversation.
    fn take_later_back(&mut self, ctx: &Context, number: u32) {
        let later = self.snapshot.later.iter().find(|later| later.number == number).cloned();
        let Some(later) = later else { return };
        if self.ask(Command::Agent(AgentCommand::TakeLaterBack { number })) {
            later.draft.files.iter().for_each(|file| self.pictures.preview(file));
            let place = self.place_of(&later.draft);
            self.restore(later.draft, place);
            match place {
                MiddleView::Conversation(id) => self.open(id),
                MiddleView::New | MiddleView::Nothing => self.shell.place = place,
            }
            self.write_on(ctx, place);
        }
    }

    /// A message was sent after its time, because the program did not run.
    pub(super) fn sent_late(&mut self, due: Timestamp, to: &[PersonRow]) {
        let names: Vec<String> = to.iter().map(|row| self.snapshot.names.person(row).name).collect();
        let when = self.look.later(due);
        let words = match names.as_slice() {
            [] => say!("sent-late", when = when),
            [one] => say!("sent-late-to", name = one, when = when),
            [first, rest @ ..] => {
                say!("sent-late-to-more", name = first, more = rest.len(), when = when)
            }
        };
        self.shell.toasts.push(words);
    }
}

/// None if the user is to be asked.
fn time_of(when: When, look: &Look) -> Option<Timestamp> {
    match when {
        When::InAnHour => Some(look.now.plus(Duration::from_secs(3600))),
        When::Tomorrow => Some(look.tomorrow_at(9)),
        When::Monday => Some(look.monday_at(9)),
        When::At(at) => Some(at),
        When::Ask => None,
    }
}

/// The messages to these people that wait for their time.
pub(super) fn later_rows<'a>(all: &'a [Later], people: &[Person], hidden: bool) -> Vec<&'a Later> {
    if all.is_empty() {
        return Vec::new();
    }
    let sorted = |mut keys: Vec<String>| {
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    let here = sorted(people.iter().map(|person| address_key(&person.address)).collect());
    let is_here = |later: &&Later| {
        let to = later.draft.to.iter().map(|row| address_key(&row.address)).collect();
        sorted(to) == here && (here.len() < 2 || later.draft.hidden == hidden)
    };
    all.iter().filter(is_here).collect()
}

/// Draws them, each with its time and what can be done with it.
pub(super) fn later_ui(ui: &mut Ui, rows: &[&Later], look: &Look, acts: &mut Vec<Act>) {
    for later in rows {
        ui.horizontal(|ui| {
            ui.set_min_height(theme::CONTROL_HEIGHT);
            let words = say!("sends-to", count = later.draft.to.len(), when = look.later_short(later.due));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if small_button(ui, say!("take-back")).clicked() {
                    acts.push(Act::Waiting(WaitingAct::TakeLaterBack(later.number)));
                }
                if small_button(ui, say!("change-time")).clicked() {
                    acts.push(Act::Waiting(WaitingAct::AskWhen(later.number)));
                }
                if small_button(ui, say!("send-now")).clicked() {
                    acts.push(Act::Waiting(WaitingAct::PutOff(later.number, look.now)));
                }
                time_and_text(ui, later, &words);
            });
        });
    }
}

/// What is left beside the buttons: first the time, then as much of the text as fits.
fn time_and_text(ui: &mut Ui, later: &Later, words: &str) {
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        let (ink, weak) = (colors(ui).text, colors(ui).weak);
        line_ui(ui, words, theme::strong(12.5), ink);
        if ui.available_width() > TEXT_WIDTH_MIN {
            let text = later.draft.text.replace('\n', " ");
            let text = if text.is_empty() { say!("a-file") } else { &text };
            line_ui(ui, text, theme::regular(12.5), weak);
        }
    });
}
