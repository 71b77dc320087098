//! At which time a message is to be sent.

use egui::Ui;
use jiff::civil::{Date, DateTime, Time};

use super::people::FormOutcome;
use crate::limits::LATER_WITHIN;
use crate::model::command::Draft;
use crate::time::Timestamp;
use crate::ui::actions::{Act, WaitingAct, When};
use crate::ui::kit::widgets::{entered, field, hint, primary, problem_line};
use crate::ui::kit::words::Look;
use crate::ui::text::say;

/// The form of a day and a time.
#[derive(Debug)]
pub(crate) struct LaterForm {
    what: LaterFormFor,
    date: String,
    time: String,
    problem: Option<String>,
    is_changed: bool,
}

/// What is wrong with what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct WrongTime {
    why: &'static str,
    /// It is the day.
    is_day: bool,
}

/// What is to be sent then.
#[derive(Debug)]
enum LaterFormFor {
    /// A message that was just written.
    Written(Box<Draft>),
    /// One that waits for another time.
    Waiting(u32),
}

impl LaterForm {
    /// For a message that was just written.
    pub(crate) fn of_written(draft: Draft, look: &Look) -> Self {
        Self::new(LaterFormFor::Written(Box::new(draft)), look.tomorrow_at(9), look)
    }

    /// For one that waits for this time.
    pub(crate) fn of_waiting(number: u32, due: Timestamp, look: &Look) -> Self {
        Self::new(LaterFormFor::Waiting(number), due, look)
    }

    fn new(what: LaterFormFor, due: Timestamp, look: &Look) -> Self {
        let (date, time) = (look.date(due).to_string(), look.clock(due));
        Self { what, date, time, problem: None, is_changed: false }
    }

    /// Something was typed that is not taken over.
    pub(crate) const fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// The time that was typed, or what is wrong with it.
    fn checked(&self, look: &Look) -> Result<Timestamp, WrongTime> {
        let wrong = |is_day: bool, why: &'static str| WrongTime { why, is_day };
        let date: Date = self.date.trim().parse().map_err(|_unread| wrong(true, say!("later-day-like")))?;
        let time = Time::strptime("%H:%M", self.time.trim());
        let time = time.map_err(|_unread| wrong(false, say!("later-time-like")))?;
        let at = look.at(DateTime::from_parts(date, time));
        if at <= look.now {
            // The day may still be right.
            return Err(wrong(date != look.date(look.now), say!("later-past")));
        }
        if at.since(look.now) > LATER_WITHIN {
            return Err(wrong(true, say!("later-too-far")));
        }
        Ok(at)
    }
}

/// Draws the form; `is_new` in the first frame, in which the day takes the focus.
pub(crate) fn later_ui(
    ui: &mut Ui,
    form: &mut LaterForm,
    is_new: bool,
    look: &Look,
    acts: &mut Vec<Act>,
) -> FormOutcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    let date = field(ui, say!("day"), &mut form.date, "2026-12-24");
    let time = field(ui, say!("time"), &mut form.time, "18:30");
    if is_new {
        date.request_focus();
    }
    if date.changed() || time.changed() {
        (form.problem, form.is_changed) = (None, true);
    }
    problem_line(ui, form.problem.as_deref());
    match form.checked(look) {
        Ok(at) => hint(ui, &say!("later-when", when = look.later(at))),
        Err(_) => hint(ui, say!("later-own-time")),
    }
    let is_entered = entered(ui);
    ui.add_space(4.0);
    if !primary(ui, say!("schedule"), true).clicked() && !is_entered {
        return FormOutcome::Open;
    }
    match form.checked(look) {
        Ok(at) => {
            acts.push(Act::Waiting(match &form.what {
                LaterFormFor::Written(draft) => WaitingAct::SendLater(Box::clone(draft), When::At(at)),
                LaterFormFor::Waiting(number) => WaitingAct::PutOff(*number, at),
            }));
            FormOutcome::Closed
        }
        Err(wrong) => {
            form.problem = Some(wrong.why.to_owned());
            let field = if wrong.is_day { date } else { time };
            field.request_focus();
            FormOutcome::Open
        }
    }
}
