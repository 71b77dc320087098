//! A month to pick a day from: the conversation is scrolled to its first message of that day.

use egui::{Align2, Grid, Key, Modifiers, RichText, Role, Sense, Ui, WidgetInfo, vec2};
use jiff::ToSpan;
use jiff::civil::Date;

use super::typed::Typed;
use crate::model::journal::{ConversationId, MessageId};
use crate::ui::actions::Act;
use crate::ui::kit::icons::{Icon, focus_ring, icon_button};
use crate::ui::kit::look;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{hint, primary};
use crate::ui::text::{customs, say};

const CELL: egui::Vec2 = vec2(36.0, 32.0);

/// The calendar while it is open.
#[derive(Debug)]
pub(crate) struct Calendar {
    pub(super) conversation: ConversationId,
    day: Date,
    today: Date,
    /// The search for the newest message before the chosen day.
    pub(super) typed: Typed,
    is_new: bool,
}

impl Calendar {
    /// Opens at this day.
    pub(crate) fn new(conversation: ConversationId, today: Date) -> Self {
        Self { conversation, day: today, today, typed: Typed::default(), is_new: true }
    }

    /// The message to go to: the one after the newest message before that day.
    pub(crate) fn first_after(before: Option<MessageId>, outline: &[MessageId]) -> Option<MessageId> {
        match before {
            Some(before) => outline.iter().find(|id| **id > before).or_else(|| outline.last()).copied(),
            None => outline.first().copied(),
        }
    }

    fn choose(&mut self, day: Date) {
        self.day = day.min(self.today);
    }

    fn look(&mut self) {
        self.typed = Typed::now(format!("before:{}", self.day));
    }

    /// Moves the chosen day with the arrows, and the month with Page Up and Page Down; true if Enter was pressed.
    fn take_keys(&mut self, ui: &Ui) -> bool {
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let steps = [
            (Key::ArrowLeft, (-1).days()),
            (Key::ArrowRight, 1.days()),
            (Key::ArrowUp, (-7).days()),
            (Key::ArrowDown, 7.days()),
            (Key::PageUp, (-1).months()),
            (Key::PageDown, 1.months()),
        ];
        let mut day = self.day;
        for (key, step) in steps {
            if pressed(key) {
                day = day.saturating_add(step);
            }
        }
        let is_entered = pressed(Key::Enter);
        self.choose(day);
        is_entered
    }
}

/// The contents of the calendar.
pub(crate) fn calendar_ui(ui: &mut Ui, calendar: &mut Calendar, acts: &mut Vec<Act>) {
    ui.set_width(7.0 * CELL.x + 8.0);
    let is_entered = calendar.take_keys(ui);
    ui.horizontal(|ui| {
        if icon_button(ui, Icon::Up, say!("month-before")).clicked() {
            calendar.choose(calendar.day.saturating_add((-1).months()));
        }
        if icon_button(ui, Icon::Down, say!("month-after")).clicked() {
            calendar.choose(calendar.day.saturating_add(1.months()));
        }
        let month = look::month(calendar.day);
        ui.label(RichText::new(month).font(theme::strong(15.0)));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if icon_button(ui, Icon::Close, say!("close")).clicked() {
                acts.push(Act::CloseFind);
            }
        });
    });
    let picked = month_ui(ui, calendar);
    hint(ui, say!("calendar-keys"));
    let go = primary(ui, say!("go-to-day"), true);
    if std::mem::take(&mut calendar.is_new) {
        go.request_focus();
    }
    if picked || is_entered || go.clicked() {
        calendar.look();
    }
}

/// The days of the month; true if one was clicked.
fn month_ui(ui: &mut Ui, calendar: &mut Calendar) -> bool {
    let first = calendar.day.first_of_month();
    let skipped = usize::try_from(customs().first_day.until(first.weekday())).unwrap_or(0_usize);
    let count = usize::try_from(first.days_in_month()).unwrap_or(31);
    let mut clicked = None;
    Grid::new("month").spacing(vec2(0.0, 0.0)).min_col_width(CELL.x).show(ui, |ui| {
        for day in customs().first_day.cycle_forward().take(7).map(look::weekday_initials) {
            let (place, _) = ui.allocate_exact_size(vec2(CELL.x, 20.0), Sense::hover());
            let ink = colors(ui).weak;
            ui.painter().text(place.center(), Align2::CENTER_CENTER, day, theme::regular(12.0), ink);
        }
        ui.end_row();
        for cell in 0..skipped + count {
            let number = (cell + 1).checked_sub(skipped).filter(|number| *number > 0);
            let date = number
                .and_then(|number| Date::new(first.year(), first.month(), i8::try_from(number).ok()?).ok());
            match date {
                Some(date) if day_ui(ui, date, calendar) => clicked = Some(date),
                Some(_) => {}
                None => drop(ui.allocate_exact_size(CELL, Sense::hover())),
            }
            if cell % 7 == 6 {
                ui.end_row();
            }
        }
    });
    if let Some(date) = clicked {
        calendar.choose(date);
    }
    clicked.is_some()
}

fn day_ui(ui: &mut Ui, date: Date, calendar: &Calendar) -> bool {
    let is_past = date <= calendar.today;
    let sense = if is_past { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(CELL, sense);
    let (colors, is_chosen) = (colors(ui), date == calendar.day);
    let ground = rect.shrink(2.0);
    if is_chosen {
        ui.painter().rect_filled(ground, 8.0, colors.accent);
    } else if response.hovered() && is_past {
        ui.painter().rect_filled(ground, 8.0, colors.hover);
    }
    let ink = match (is_chosen, is_past) {
        (true, _) => colors.on_accent,
        (false, true) => colors.text,
        (false, false) => colors.line,
    };
    let font = if date == calendar.today { theme::strong(13.5) } else { theme::regular(13.5) };
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, date.day().to_string(), font, ink);
    focus_ring(ui, &response, ground, 8.0);
    let name = look::full_date(date);
    response.widget_info(|| WidgetInfo::selected(Role::Button, is_past, is_chosen, &name));
    response.clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_of_a_day_follows_the_newest_before_it() {
        let outline = [3, 5, 9].map(MessageId);
        let first =
            |before: Option<u64>| Calendar::first_after(before.map(MessageId), &outline).map(|id| id.0);
        assert_eq!((first(None), first(Some(3)), first(Some(4))), (Some(3), Some(5), Some(5)));
        assert_eq!(first(Some(9)), Some(9), "nothing after it: the newest");
        assert_eq!(Calendar::first_after(None, &[]), None);
    }

    #[test]
    fn no_day_to_come_is_chosen() {
        let today = Date::constant(2026, 12, 2);
        let mut calendar = Calendar::new(ConversationId(1), today);
        calendar.choose(today.saturating_add(1.months()));
        assert_eq!(calendar.day, today);
    }
}
