//! One message: its bubble, the recipients' ticks beside it, and the line with its delivery state.

use egui::{
    Align, Id, Key, Layout, Modifiers, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::album::Album;
use super::files::{BELOW_TEXT, files_size, files_ui, with_pictures};
use super::links::{Laid, laid_out, links_ui, text_ui};
use super::menu::message_menu;
use super::ticks::{TICK_WIDTH, ticks, ticks_size};
use crate::model::command::{AgentCommand, Command};
use crate::model::names::Names;
use crate::model::search::Term;
use crate::model::snapshot::{MessageView, Outline};
use crate::ui::actions::Act;
use crate::ui::kit::icons::{paint_state, state_color};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{
    mend_button, name_color, one_line, paint_avatar, put, small_button, within, wrapped,
};
use crate::ui::kit::words::{self, Look};
use crate::ui::text::say;

/// With up to this many recipients, each has a tick beside the message; with more, only the fraction is shown.
const TICKS_MAX: usize = 6;
const PADDING_X: f32 = 12.0;
const PADDING_Y: f32 = 8.0;
const SIDE: f32 = 16.0;
const AVATAR: f32 = 28.0;
const LINE_HEIGHT: f32 = 20.0;
const BUTTONS_HEIGHT: f32 = 32.0;
const SEPARATOR_HEIGHT: f32 = 36.0;
const NAME_HEIGHT: f32 = 20.0;

/// What a row shows besides its message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// The message.
    pub(crate) message: &'a MessageView,
    /// The message before it, if loaded.
    pub(crate) before: Option<&'a MessageView>,
    /// It is the first message of the conversation.
    pub(crate) is_first: bool,
    /// The separator `New` is above it.
    pub(crate) is_first_new: bool,
    /// Its details are in the delivery column.
    pub(crate) is_selected: bool,
    /// What a search marks in it.
    pub(crate) terms: &'a [Term],
    /// It is selected, with others, to be copied, forwarded or deleted.
    pub(crate) is_picked: bool,
    /// Some are.
    pub(crate) is_picking: bool,
    /// A search stands at it.
    pub(crate) is_hit: bool,
    /// The conversation has more than one other person.
    pub(crate) is_group: bool,
    /// Who is a contact.
    pub(crate) names: &'a Names,
    /// The pictures in the messages.
    pub(crate) album: &'a Album,
}

impl Row<'_> {
    fn begins_day(&self, look: &Look) -> bool {
        match self.before {
            Some(before) => look.date(before.at) != look.date(self.message.at),
            None => self.is_first,
        }
    }

    /// True if it directly follows one by the same sender within five minutes.
    fn continues(&self, look: &Look) -> bool {
        let Some(before) = self.before else {
            return false;
        };
        let same = before.from.as_ref().map(|person| &person.address)
            == self.message.from.as_ref().map(|person| &person.address);
        same && !self.begins_day(look)
            && !self.is_first_new
            && self.message.at.since(before.at).as_secs() < 300
    }

    fn shows_name(&self, look: &Look) -> bool {
        self.is_group && self.message.from.is_some() && !self.continues(look)
    }

    fn shows_ticks(&self) -> bool {
        self.message.from.is_none() && (2..=TICKS_MAX).contains(&self.message.deliveries.len())
    }

    fn resendable(&self) -> u32 {
        self.message.tally.resendable()
    }
}

/// The id that holds the keyboard focus for a message.
pub(crate) fn focus_id(message: &MessageView) -> Id {
    Id::unique(("message", message.id.0))
}

/// The estimated height of a row, without its text.
pub(crate) fn guess(outline: &Outline, width: f32) -> f32 {
    let wrap = text_width_max(width, outline.recipients > 0);
    let lines = outline.newlines as f32 + (outline.chars as f32 * 7.2 / wrap).ceil().max(1.0);
    lines * 18.0 + 2.0 * PADDING_Y + LINE_HEIGHT + 8.0
}

/// The height of a row.
pub(crate) fn height(ui: &Ui, row: &Row<'_>, look: &Look, width: f32) -> f32 {
    Plan::of(ui, row, look, width).height
}

/// Draws a row into `ui`, whose height must be that of [`height`].
pub(crate) fn message_ui(ui: &mut Ui, row: &Row<'_>, look: &Look, acts: &mut Vec<Act>) {
    let plan = Plan::of(ui, row, look, ui.max_rect().width());
    let mut y = ui.max_rect().top();
    if row.begins_day(look) {
        separator(ui, y, &look.day(row.message.at), colors(ui).weak);
        y += SEPARATOR_HEIGHT;
    }
    if row.is_first_new {
        separator(ui, y, say!("separator-new"), colors(ui).accent);
        y += SEPARATOR_HEIGHT;
    }
    y += plan.gap;
    if row.message.from.is_none() {
        own(ui, row, &plan, y, look, acts);
    } else {
        foreign(ui, row, &plan, y, look, acts);
    }
}

/// The dimensions of a row, shared by measuring and drawing.
struct Plan {
    text: Laid,
    gap: f32,
    bubble: egui::Vec2,
    height: f32,
}

impl Plan {
    fn of(ui: &Ui, row: &Row<'_>, look: &Look, width: f32) -> Self {
        let mine = row.message.from.is_none();
        let width_max = text_width_max(width, mine);
        let text = body(ui, row, width_max);
        let size = text.galley.size();
        let files = files_size(row.message, row.album, width_max);
        let above = match (row.message.text.is_empty(), files.y > 0.0) {
            (true, true) => 0.0,
            (false, true) => size.y + BELOW_TEXT,
            (_, false) => size.y,
        };
        let inner = vec2(size.x.max(files.x), above + files.y);
        let bubble = inner + vec2(2.0 * PADDING_X, 2.0 * PADDING_Y);
        let gap = match (row.continues(look), mine) {
            (true, false) => 4.0,
            (true, true) => 8.0,
            (false, _) => 14.0,
        };
        let separators = u8::from(row.begins_day(look)) + u8::from(row.is_first_new);
        let name = if row.shows_name(look) { NAME_HEIGHT } else { 0.0 };
        let beside = if row.shows_ticks() { ticks_size(row.message.deliveries.len()).y } else { 0.0 };
        let buttons = if mine && row.resendable() > 0 { BUTTONS_HEIGHT } else { 0.0 };
        let height = f32::from(separators) * SEPARATOR_HEIGHT
            + gap
            + name
            + bubble.y.max(beside)
            + LINE_HEIGHT
            + buttons;
        Self { text, gap, bubble, height: height.ceil() }
    }
}

fn text_width_max(width: f32, mine: bool) -> f32 {
    let beside = if mine { 3.0 * TICK_WIDTH + 24.0 } else { AVATAR + 8.0 };
    let room = width - 2.0 * SIDE - 2.0 * PADDING_X;
    (room - beside).clamp(120.0, 520.0).min(room.max(40.0))
}

fn body(ui: &Ui, row: &Row<'_>, width: f32) -> Laid {
    let message = row.message;
    let colors = colors(ui);
    if message.text.is_empty() && message.files.is_empty() {
        let galley = wrapped(ui, say!("no-text"), theme::regular(14.0), colors.weak, width);
        return Laid::plain(galley);
    }
    laid_out(ui, (&message.text, row.terms), theme::regular(14.0), colors.text, width)
}

fn separator(ui: &Ui, y: f32, text: &str, color: egui::Color32) {
    let rect =
        Rect::from_min_size(pos2(ui.max_rect().left(), y), vec2(ui.max_rect().width(), SEPARATOR_HEIGHT));
    let galley = one_line(ui, text, theme::strong(12.0), color, rect.width());
    let half = galley.size().x / 2.0 + 12.0;
    let stroke = Stroke::new(1.0, if color == colors(ui).weak { colors(ui).line } else { color });
    let center = rect.center();
    ui.painter().hline(rect.left() + SIDE..=center.x - half, center.y, stroke);
    ui.painter().hline(center.x + half..=rect.right() - SIDE, center.y, stroke);
    put(ui.painter(), center - galley.size() / 2.0, galley);
}

fn own(ui: &mut Ui, row: &Row<'_>, plan: &Plan, y: f32, look: &Look, acts: &mut Vec<Act>) {
    let right = ui.max_rect().right() - SIDE;
    let bubble = Rect::from_min_size(pos2(right - plan.bubble.x, y), plan.bubble);
    let response = frame(ui, row, bubble, colors(ui).mine);
    let (label, pictures) = text(ui, row, plan, bubble, acts);
    if !pick(ui, row, &response.union(label.clone()), acts) && response.clicked() {
        acts.push(Act::Details(row.message.id));
    }
    let response = with_pictures(response.union(label), pictures);
    message_menu(&response, (row.message, row.is_group, row.names), look, acts);
    let mut bottom = bubble.bottom();
    if row.shows_ticks() {
        let size = ticks_size(row.message.deliveries.len());
        let place = Rect::from_min_size(pos2(bubble.left() - 8.0 - size.x, y), size);
        ticks(ui, place, &row.message.deliveries, look);
        bottom = bottom.max(place.bottom());
    }
    status_line(ui, row, pos2(right, bottom), look, acts);
}

/// Time, icon and fraction, plus the buttons if somebody was not reached.
fn status_line(ui: &mut Ui, row: &Row<'_>, right_top: egui::Pos2, look: &Look, acts: &mut Vec<Act>) {
    let left = ui.max_rect().left() + SIDE;
    let rect = Rect::from_min_max(pos2(left, right_top.y), pos2(right_top.x, right_top.y + LINE_HEIGHT));
    let state = row.message.tally.leading();
    let colors = colors(ui);
    let color = state_color(state, colors);
    let words = words::message_line(row.message);
    let line = one_line(ui, &words, theme::regular(12.0), color, rect.width() - 90.0);
    let time = one_line(ui, &look.clock(row.message.at), theme::regular(12.0), colors.weak, 80.0);
    let start = rect.right() - line.size().x - 20.0 - time.size().x - 8.0;
    let area = Rect::from_min_max(pos2(start - 4.0, rect.top()), rect.max + vec2(4.0, 0.0));
    let response = ui.interact(area, focus_id(row.message).with("line"), Sense::click());
    let ink = if response.hovered() { colors.text } else { color };
    let line_at = pos2(rect.right() - line.size().x, rect.center().y - line.size().y / 2.0);
    let icon = Rect::from_min_size(pos2(line_at.x - 18.0, rect.center().y - 7.0), vec2(14.0, 14.0));
    put(ui.painter(), pos2(start, rect.center().y - time.size().y / 2.0), time);
    paint_state(ui.painter(), icon, state, color, colors.middle);
    ui.painter().galley_with_override_text_color(line_at, line, ink);
    crate::ui::kit::icons::focus_ring(ui, &response, area, 4.0);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    if response.on_hover_text(say!("see-who-got-it")).clicked() {
        acts.push(Act::Details(row.message.id));
    }
    if row.resendable() > 0 {
        let buttons = Rect::from_min_max(
            pos2(left, rect.bottom() + 2.0),
            pos2(right_top.x, rect.bottom() + BUTTONS_HEIGHT),
        );
        mend_buttons(ui, row, buttons, acts);
    }
}

fn mend_buttons(ui: &mut Ui, row: &Row<'_>, rect: Rect, acts: &mut Vec<Act>) {
    let layout = Layout::right_to_left(Align::Center);
    within(ui, rect, layout, |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        if small_button(ui, say!("details")).clicked() {
            acts.push(Act::Details(row.message.id));
        }
        let alone = row.message.deliveries.len() == 1;
        let label =
            if alone { say!("resend").to_owned() } else { say!("resend-to", count = row.resendable()) };
        if mend_button(ui, &label).clicked() {
            let resend = AgentCommand::Resend { message: row.message.id, only: None };
            acts.push(Act::Ask(Command::Agent(resend)));
        }
    });
}

fn foreign(ui: &mut Ui, row: &Row<'_>, plan: &Plan, y: f32, look: &Look, acts: &mut Vec<Act>) {
    let Some(from) = &row.message.from else {
        return;
    };
    let left = ui.max_rect().left() + SIDE;
    let text_left = left + AVATAR + 8.0;
    let mut top = y;
    if row.shows_name(look) {
        let galley = one_line(
            ui,
            &from.told_apart(),
            theme::strong(12.5),
            name_color(ui, from),
            ui.max_rect().right() - SIDE - text_left,
        );
        put(ui.painter(), pos2(text_left + 2.0, top), galley);
        top += NAME_HEIGHT;
    }
    if !row.continues(look) {
        paint_avatar(
            ui,
            pos2(left + AVATAR / 2.0, top + AVATAR / 2.0 + 2.0),
            AVATAR,
            std::slice::from_ref(from),
        );
    }
    let bubble = Rect::from_min_size(pos2(text_left, top), plan.bubble);
    let response = frame(ui, row, bubble, colors(ui).theirs);
    let (label, pictures) = text(ui, row, plan, bubble, acts);
    let response = response.union(label);
    pick(ui, row, &response, acts);
    let response = with_pictures(response, pictures);
    message_menu(&response, (row.message, row.is_group, row.names), look, acts);
    let sent = row
        .message
        .sent_at
        .map(|at| format!(" {}", say!("sent-when", day = look.short(at), time = look.clock(at))))
        .unwrap_or_default();
    let time = one_line(
        ui,
        &format!("{}{sent}", look.clock(row.message.at)),
        theme::regular(12.0),
        colors(ui).weak,
        ui.max_rect().width(),
    );
    let end = text_left + 2.0 + time.size().x;
    put(ui.painter(), pos2(text_left + 2.0, bubble.bottom() + (LINE_HEIGHT - time.size().y) / 2.0), time);
    if !row.message.verified {
        not_verified(ui, row, pos2(end + 8.0, bubble.bottom()));
    }
}

/// Marks a message that came directly from its sender: nobody has verified the name above it.
fn not_verified(ui: &Ui, row: &Row<'_>, at: egui::Pos2) {
    let words = one_line(ui, say!("not-verified"), theme::strong(12.0), colors(ui).amber, 120.0);
    let place = Rect::from_min_size(at, vec2(words.size().x, LINE_HEIGHT));
    put(ui.painter(), pos2(at.x, place.center().y - words.size().y / 2.0), words);
    let response = ui.interact(place, focus_id(row.message).with("not verified"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, say!("not-verified")));
    response.on_hover_text(say!("not-verified-why"));
}

/// Selects a message or no longer by a click with Ctrl or Shift, or by any click while some are selected; deletes it by
/// the key. True if it was clicked so.
fn pick(ui: &Ui, row: &Row<'_>, response: &Response, acts: &mut Vec<Act>) -> bool {
    let id = row.message.id;
    if response.has_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Delete)) {
        acts.push(Act::DeleteMessage(id));
    }
    let held = ui.input(|input| input.modifiers);
    let is_picked = response.clicked() && (row.is_picking || held.command || held.shift);
    if is_picked {
        acts.push(Act::Pick(id, held.shift));
    }
    is_picked
}

/// The bubble's background; it can take the keyboard focus and then shows the ring.
fn frame(ui: &Ui, row: &Row<'_>, rect: Rect, ground: egui::Color32) -> Response {
    let response = ui.interact(rect, focus_id(row.message), Sense::click());
    if response.has_focus() {
        // Up and Down move between messages; otherwise egui would use them to move between widgets.
        let filter = egui::EventFilter { vertical_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    }
    let stroke = if response.has_focus() {
        Stroke::new(2.0, colors(ui).accent)
    } else if row.is_picked {
        Stroke::new(3.0, colors(ui).accent)
    } else if row.is_hit {
        Stroke::new(2.0, colors(ui).amber)
    } else if row.is_selected {
        Stroke::new(1.0, colors(ui).accent)
    } else {
        Stroke::NONE
    };
    ui.painter().rect(rect, 12.0, ground, stroke, egui::StrokeKind::Outside);
    response.widget_info(|| {
        let name = words::message_name(row.message);
        if row.is_picking {
            return WidgetInfo::selected(Role::ListItem, true, row.is_picked, name);
        }
        WidgetInfo::labeled(Role::ListItem, true, name)
    });
    response
}

/// The text is a label, so that it can be selected and copied; its links are placed on top, and pictures below it.
fn text(
    ui: &mut Ui,
    row: &Row<'_>,
    plan: &Plan,
    bubble: Rect,
    acts: &mut Vec<Act>,
) -> (Response, Option<Response>) {
    let place = bubble.shrink2(vec2(PADDING_X, PADDING_Y));
    // Sized to the text: otherwise the label would be centered in a bubble that attachments make larger.
    let place = Rect::from_min_size(place.min, plan.text.galley.size());
    let label = text_ui(ui, (&row.message.text, &plan.text), place, focus_id(row.message));
    links_ui(ui, (&row.message.text, &plan.text), place.min, focus_id(row.message), acts);
    let pictures = files_ui(ui, row.message, row.album, bubble.shrink2(vec2(PADDING_X, PADDING_Y)), acts);
    (label, pictures)
}
