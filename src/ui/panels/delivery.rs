//! The delivery column for one message: per recipient, whether it arrived, why not, and what to do.

mod mends;

use std::sync::Arc;

use egui::{Align, Galley, Layout, Rect, RichText, ScrollArea, Sense, Stroke, Ui, UiBuilder, pos2, vec2};

use self::mends::{Mend, deed, mends, resend, text_alone};
use crate::model::command::{AgentCommand, Command};
use crate::model::journal::{DeliveryState, Way};
use crate::model::snapshot::{DeliveryView, MessageView};
use crate::ui::actions::{Act, TestingAct};
use crate::ui::commands::UiCommand;
use crate::ui::kit::icons::{Icon, icon_button, paint_state, state_color};
use crate::ui::kit::theme::{self, CONTROL_HEIGHT, HEADER_HEIGHT, colors};
use crate::ui::kit::widgets::{
    hint, mend_button, one_line, paint_simulated, put, small_button, tab, within, wrapped,
};
use crate::ui::kit::words::{self, Look};
use crate::ui::text::{TextId, say};

const SIDE: f32 = 16.0;
const ICON: f32 = 16.0;
const ROW_TOP: f32 = 6.0;

/// The groups, worst first, and the states in each.
const GROUPS: [(TextId, &[DeliveryState]); 7] = [
    (TextId("group-not-delivered"), &[DeliveryState::Failed]),
    (TextId("group-no-report"), &[DeliveryState::NoReport]),
    (
        TextId("group-waiting"),
        &[DeliveryState::Queued, DeliveryState::Sending, DeliveryState::Accepted, DeliveryState::Deferred],
    ),
    (TextId("group-not-sent"), &[DeliveryState::Cancelled]),
    (TextId("group-passed-on"), &[DeliveryState::PassedOn]),
    (TextId("group-delivered"), &[DeliveryState::Delivered]),
    (TextId("group-read"), &[DeliveryState::Read]),
];

/// What the right column shows; all but the first are for testers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RightTab {
    /// Who got the message.
    #[default]
    Delivery,
    /// What passed on the wire.
    Wire,
    /// What became of the last messages.
    Matrix,
    /// Scripts of expectations, and what came of them.
    Checks,
}

/// The column's title and its close button. For testers it has tabs, and `shown` says which one is shown.
pub(crate) fn title_ui(ui: &mut Ui, shown: Option<&mut RightTab>, acts: &mut Vec<Act>) {
    let rect = ui.allocate_space(vec2(ui.available_width(), HEADER_HEIGHT)).1;
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, colors(ui).line));
    let inner = rect.shrink2(vec2(SIDE, 0.0));
    within(ui, inner, Layout::right_to_left(Align::Center), |ui| {
        if icon_button(ui, Icon::Close, say!("close-delivery")).clicked() {
            acts.push(Act::ToggleDelivery);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let Some(shown) = shown else {
                ui.label(RichText::new(say!("tab-delivery")).font(theme::strong(15.0)));
                return;
            };
            let tabs = [
                (RightTab::Delivery, say!("tab-delivery"), 62.0),
                (RightTab::Wire, say!("tab-wire"), 42.0),
                (RightTab::Matrix, say!("tab-matrix"), 54.0),
                (RightTab::Checks, say!("tab-checks"), 56.0),
            ];
            for (one, label, width) in tabs {
                if tab(ui, *shown == one, label, width).clicked() {
                    *shown = one;
                }
            }
        });
    });
}

/// The delivery state of a message, recipient by recipient.
pub(crate) fn delivery_ui(ui: &mut Ui, message: Option<&Arc<MessageView>>, look: &Look, acts: &mut Vec<Act>) {
    let Some(message) = message.filter(|message| message.from.is_none()) else {
        return nothing(ui, message);
    };
    let frame = egui::Frame::NONE.inner_margin(egui::Margin { left: 16, right: 16, top: 12, bottom: 4 });
    frame.show(ui, |ui| summary(ui, message, look, acts));
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let heights = LineHeights::of(ui);
        for (title, states) in GROUPS {
            let people: Vec<&DeliveryView> =
                message.deliveries.iter().filter(|delivery| states.contains(&delivery.state)).collect();
            if !people.is_empty() {
                heading(ui, title.say(), people.len());
            }
            for delivery in people {
                let rect = ui.allocate_space(vec2(ui.available_width(), heights.row(ui, delivery, look))).1;
                // With 500 recipients, only the visible rows are laid out and drawn.
                if ui.is_rect_visible(rect) {
                    let mut row = row(ui, rect, delivery, look);
                    person_ui(&mut row, message, delivery, look, acts);
                }
            }
        }
        ui.add_space(12.0);
    });
}

fn nothing(ui: &mut Ui, message: Option<&Arc<MessageView>>) {
    let sentence = if message.is_some() { say!("delivery-of-others") } else { say!("delivery-of-none") };
    egui::Frame::NONE.inner_margin(egui::Margin::symmetric(16, 16)).show(ui, |ui| hint(ui, sentence));
}

fn summary(ui: &mut Ui, message: &MessageView, look: &Look, acts: &mut Vec<Act>) {
    ui.spacing_mut().item_spacing.y = 8.0;
    let state = message.tally.leading();
    let color = state_color(state, colors(ui));
    ui.label(RichText::new(words::message_line(message)).font(theme::strong(14.0)).color(color));
    segments(ui, message);
    let attempts = if message.attempts > 1 {
        format!(" · {}", say!("attempt-beside", number = message.attempts))
    } else {
        String::new()
    };
    hint(ui, &format!("{}, {}{attempts}", look.day(message.at), look.clock_secs(message.at)));
    if message.way == Way::OneByOne && message.tally.total > 1 {
        hint(ui, say!("one-by-one"));
    }
    if message.way == Way::ByList && message.tally.passed_on > 0 {
        hint(ui, say!("by-list"));
    }
    let (failed, resendable) = (message.tally.failed, message.tally.resendable());
    let label = if resendable == failed {
        say!("resend-to-failed", count = failed)
    } else {
        say!("resend-to-unconfirmed", count = resendable)
    };
    ui.horizontal_wrapped(|ui| {
        if resendable > 0 && mend_button(ui, &label).clicked() {
            acts.push(resend(message.id, None));
        }
        if small_button(ui, say!("export")).on_hover_text(UiCommand::SaveRecord.label()).clicked() {
            acts.push(Act::Testing(TestingAct::SaveRecord(message.id)));
        }
    });
    if message.tally.queued == message.tally.total
        && message.tally.total > 0
        && small_button(ui, say!("cancel-sending")).clicked()
    {
        acts.push(Act::Ask(Command::Agent(AgentCommand::Withdraw { message: message.id })));
    }
}

/// A bar with one segment per state, each in proportion to its number of people.
fn segments(ui: &mut Ui, message: &MessageView) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), Sense::hover());
    let total = message.deliveries.len().max(1) as f32;
    let mut left = rect.left();
    let mut told = Vec::new();
    for (title, states) in GROUPS.iter().rev() {
        let count = message.deliveries.iter().filter(|delivery| states.contains(&delivery.state)).count();
        if count == 0 {
            continue;
        }
        told.push(format!("{count} {}", words::lower_first(title.say())));
        let width = rect.width() * count as f32 / total;
        let part = Rect::from_min_size(pos2(left, rect.top()), vec2((width - 2.0).max(2.0), rect.height()));
        let state = states.first().copied().unwrap_or(DeliveryState::Queued);
        ui.painter().rect_filled(part, 3.0, state_color(state, colors(ui)));
        left += width;
    }
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, told.join(", ")));
    response.on_hover_text(told.join(", "));
}

fn heading(ui: &mut Ui, title: &str, count: usize) {
    let rect = ui.allocate_space(vec2(ui.available_width(), 32.0)).1;
    let galley =
        one_line(ui, &format!("{title}  {count}"), theme::strong(12.0), colors(ui).weak, rect.width());
    put(ui.painter(), pos2(rect.left() + SIDE, rect.bottom() - galley.size().y - 6.0), galley);
}

/// Where the texts of a row begin.
const TEXT_LEFT: f32 = SIDE + ICON + 10.0;

/// The heights of lines that do not wrap: with them, a row that is not in view need not be laid out.
struct LineHeights {
    name: f32,
    small: f32,
}

impl LineHeights {
    fn of(ui: &Ui) -> Self {
        let height = |font| one_line(ui, "x", font, colors(ui).text, f32::INFINITY).size().y;
        Self { name: height(theme::strong(13.5)), small: height(theme::regular(12.0)) }
    }

    /// The height of a row, as [`Lines`] lays it out.
    fn row(&self, ui: &Ui, delivery: &DeliveryView, look: &Look) -> f32 {
        let state = state_words(ui, delivery, look, ui.available_width() - TEXT_LEFT - SIDE);
        let has_address = words::address(&delivery.person.address) != delivery.person.name;
        let small = u8::from(has_address) + u8::from(verbatim(delivery).is_some());
        let text = state.size().y + 2.0 + f32::from(small) * (self.small + 2.0);
        let buttons = if mends(delivery).next().is_some() { CONTROL_HEIGHT + 6.0 } else { 0.0 };
        (ROW_TOP + self.name + 2.0 + text + buttons + 8.0).ceil()
    }
}

/// The state in words, or the reason; the only text of a row that may wrap.
fn state_words(ui: &Ui, delivery: &DeliveryView, look: &Look, width: f32) -> Arc<Galley> {
    let ink = state_color(delivery.state, colors(ui));
    wrapped(ui, &words::state(delivery, look), theme::regular(12.5), ink, width)
}

/// The laid-out texts of one recipient's row.
struct Lines {
    name: Arc<Galley>,
    /// Address; reason or state; status code and phrase.
    below: Vec<Arc<Galley>>,
    /// When the state became known, and how long it took; on the right.
    when: Option<Arc<Galley>>,
    buttons: bool,
}

impl Lines {
    fn of(ui: &Ui, delivery: &DeliveryView, look: &Look, width: f32) -> Self {
        let colors = colors(ui);
        let tag = if delivery.person.simulated { 70.0 } else { 0.0 };
        let when =
            when(delivery, look).map(|when| one_line(ui, &when, theme::regular(12.0), colors.weak, width));
        let beside = when.as_ref().map_or(0.0, |galley| galley.size().x + 8.0);
        let name = one_line(ui, &delivery.person.name, theme::strong(13.5), colors.text, width - tag);
        let mut below = Vec::new();
        let address = words::address(&delivery.person.address);
        if address != delivery.person.name {
            below.push(one_line(ui, &address, theme::regular(12.0), colors.weak, width - beside));
        }
        below.push(state_words(ui, delivery, look, width));
        if let Some(line) = verbatim(delivery) {
            below.push(one_line(ui, &line, theme::regular(12.0), colors.weak, width));
        }
        Self { name, below, when, buttons: mends(delivery).next().is_some() }
    }
}

/// The status code and phrase as received.
fn verbatim(delivery: &DeliveryView) -> Option<String> {
    match delivery.state {
        DeliveryState::Failed | DeliveryState::PassedOn => words::code(delivery),
        DeliveryState::Delivered | DeliveryState::Read if delivery.attempt > 1 => {
            Some(say!("on-attempt", number = delivery.attempt))
        }
        DeliveryState::Delivered
        | DeliveryState::Read
        | DeliveryState::Queued
        | DeliveryState::Sending
        | DeliveryState::Accepted
        | DeliveryState::NoReport
        | DeliveryState::Deferred
        | DeliveryState::Cancelled => None,
    }
}

/// When the state became known, and how long it took; a delivered one already says so in its state text.
fn when(delivery: &DeliveryView, look: &Look) -> Option<String> {
    if !matches!(delivery.state, DeliveryState::Failed | DeliveryState::PassedOn) {
        return None;
    }
    let after = delivery.after.map(|after| format!(" · {}", words::latency(after))).unwrap_or_default();
    Some(format!("{}{after}", look.clock_secs(delivery.at)))
}

/// The place of one recipient's row.
fn row(ui: &mut Ui, rect: Rect, delivery: &DeliveryView, look: &Look) -> Ui {
    let builder = UiBuilder::new()
        .max_rect(rect)
        .id_salt(("person", &delivery.person.address))
        .accessibility_role(egui::Role::ListItem)
        .accessibility_label(format!("{}, {}", delivery.person.name, words::state(delivery, look)));
    ui.new_child(builder)
}

fn person_ui(row: &mut Ui, message: &MessageView, delivery: &DeliveryView, look: &Look, acts: &mut Vec<Act>) {
    let rect = row.max_rect();
    let lines = Lines::of(row, delivery, look, rect.width() - TEXT_LEFT - SIDE);
    let buttons_top = paint_lines(row, rect, delivery, &lines);
    if lines.buttons {
        let place = Rect::from_min_size(
            pos2(rect.left() + TEXT_LEFT, buttons_top),
            vec2(rect.width() - TEXT_LEFT, CONTROL_HEIGHT),
        );
        mend_row(row, place, message, delivery, acts);
    }
}

/// Paints a row's icon and texts; returns where its buttons begin.
fn paint_lines(ui: &mut Ui, rect: Rect, delivery: &DeliveryView, lines: &Lines) -> f32 {
    let colors = colors(ui);
    let color = state_color(delivery.state, colors);
    let icon = Rect::from_min_size(rect.min + vec2(SIDE, ROW_TOP + 1.0), vec2(ICON, ICON));
    paint_state(ui.painter(), icon, delivery.state, color, colors.side);
    let left = rect.left() + TEXT_LEFT;
    let mut y = rect.top() + ROW_TOP;
    put(ui.painter(), pos2(left, y), Arc::clone(&lines.name));
    if delivery.person.simulated {
        paint_simulated(ui, pos2(left + lines.name.size().x + 8.0, y + lines.name.size().y / 2.0));
    }
    y += lines.name.size().y + 2.0;
    if let Some(when) = &lines.when {
        let place = Rect::from_min_size(pos2(rect.right() - SIDE - when.size().x, y), when.size());
        ui.put(place, egui::Label::new(Arc::clone(when)).selectable(true));
    }
    for galley in &lines.below {
        let place = Rect::from_min_size(pos2(left, y), galley.size());
        ui.put(place, egui::Label::new(Arc::clone(galley)).selectable(true));
        y += galley.size().y + 2.0;
    }
    y + 4.0
}

fn mend_row(ui: &mut Ui, place: Rect, message: &MessageView, delivery: &DeliveryView, acts: &mut Vec<Act>) {
    within(ui, place, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let alone = text_alone(message, delivery).then_some((say!("send-text-alone"), Mend::SendText));
        for (label, mend) in alone.into_iter().chain(mends(delivery)) {
            // Without a tooltip, which would cover the buttons of the row below.
            if small_button(ui, label).clicked() {
                acts.push(deed(mend, message, delivery));
            }
        }
    });
}
