//! Choosing an emoji by its name or by its looks.

use std::sync::Arc;

use egui::{
    Align2, Context, Key, Margin, Modifiers, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2,
};
use emojis::Emoji;

use crate::ui::actions::Act;
use crate::ui::compose::emoji::{drawable, fitting};
use crate::ui::kit::edit;
use crate::ui::kit::icons::focus_ring;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::hint;
use crate::ui::text::say;

/// Side of the place of one emoji.
const CELL: f32 = 40.0;
const SIZE: f32 = 24.0;
/// Most rows in view.
const ROWS_IN_VIEW: f32 = 7.0;

/// The emoji to choose from.
#[derive(Debug)]
pub(crate) struct EmojiPicker {
    text: String,
    all: Arc<[&'static Emoji]>,
    /// Used lately, latest first.
    recent: Vec<&'static Emoji>,
    shown: Vec<&'static Emoji>,
    /// The one that Enter chooses.
    index: usize,
    has_moved: bool,
    takes_focus: bool,
}

impl EmojiPicker {
    /// Begins with those used lately.
    pub(crate) fn new(ctx: &Context, recent: &[String]) -> Self {
        let all = drawable(ctx);
        let recent: Vec<_> = recent
            .iter()
            .filter_map(|emoji| emojis::get(emoji))
            .filter(|emoji| all.contains(emoji))
            .collect();
        let (text, shown) = (String::new(), Vec::new());
        let mut this = Self { text, all, recent, shown, index: 0, has_moved: false, takes_focus: true };
        this.look();
        this
    }

    fn look(&mut self) {
        let typed = self.text.trim().trim_matches(':');
        self.shown = fitting(&self.all, typed);
        if typed.is_empty() {
            self.shown.retain(|emoji| !self.recent.contains(emoji));
            self.shown.splice(0..0, self.recent.iter().copied());
        }
        (self.index, self.has_moved) = (0, true);
    }

    /// Moves the choice with the arrows; called before the field is drawn, which would take them. True if Enter chose.
    fn take_keys(&mut self, ui: &Ui, columns: usize) -> bool {
        let (back, on, enter) = ui.input_mut(|input| {
            let mut pressed = |key| input.count_and_consume_key(Modifiers::NONE, key);
            let back = pressed(Key::ArrowLeft) + columns * pressed(Key::ArrowUp);
            let on = pressed(Key::ArrowRight) + columns * pressed(Key::ArrowDown);
            (back, on, pressed(Key::Enter) > 0)
        });
        if back + on > 0 {
            self.index = (self.index + on).saturating_sub(back).min(self.shown.len().saturating_sub(1));
            self.has_moved = true;
        }
        enter
    }
}

fn field_id() -> egui::Id {
    egui::Id::unique("emoji field")
}

/// The contents of the picker; closes by choosing.
pub(crate) fn emoji_ui(ui: &mut Ui, picker: &mut EmojiPicker, acts: &mut Vec<Act>) {
    ui.spacing_mut().item_spacing.y = 6.0;
    let width = ui.available_width();
    let columns = ((width / CELL) as usize).max(1);
    let is_typing = ui.memory(|memory| memory.has_focus(field_id()));
    let entered = is_typing && picker.take_keys(ui, columns);
    let response = edit::text_field(ui, field_id(), &mut picker.text, |text| {
        egui::TextEdit::singleline(text)
            .hint_text(say!("emoji-name"))
            .desired_width(width)
            .align(Align2::LEFT_CENTER)
            .margin(Margin::symmetric(10, 6))
            .min_size(vec2(0.0, 34.0))
    })
    .accessible_name(say!("emoji"));
    if std::mem::take(&mut picker.takes_focus) {
        edit::forget(ui.ctx(), field_id());
        response.request_focus();
    }
    if response.changed() {
        picker.look();
    }
    if picker.shown.is_empty() {
        return hint(ui, say!("emoji-none"));
    }
    let clicked = grid_ui(ui, picker, columns);
    let chosen = clicked.or_else(|| entered.then_some(picker.index));
    if let Some(emoji) = picker.shown.get(picker.index) {
        let code = emoji.shortcode().map(|code| format!(" :{code}:")).unwrap_or_default();
        hint(ui, &format!("{}{code}", emoji.name()));
    }
    if let Some(emoji) = chosen.and_then(|index| picker.shown.get(index)) {
        acts.push(Act::Emoji(emoji.as_str()));
    }
}

/// Draws the rows in view; returns what was clicked.
fn grid_ui(ui: &mut Ui, picker: &mut EmojiPicker, columns: usize) -> Option<usize> {
    let rows = picker.shown.len().div_ceil(columns);
    let free = ui.ctx().content_rect().height() - 190.0;
    let room = free.clamp(2.0 * CELL, ROWS_IN_VIEW * CELL).min(rows as f32 * CELL);
    let mut clicked = None;
    let area = ScrollArea::vertical().id_salt("emoji").max_height(room).min_scrolled_height(room);
    area.auto_shrink([false, true]).show_viewport(ui, |ui, view| {
        let start = ui.max_rect().min;
        let place = |index: usize| {
            let (row, column) = (index / columns, index % columns);
            let corner = pos2(start.x + column as f32 * CELL, start.y + row as f32 * CELL);
            Rect::from_min_size(corner, vec2(CELL, CELL))
        };
        if std::mem::take(&mut picker.has_moved) {
            ui.scroll_to_rect(place(picker.index), None);
        }
        let (first, end) = ((view.top() / CELL) as usize, (view.bottom() / CELL).ceil() as usize);
        let in_view = picker.shown.iter().enumerate().skip(first * columns).take((end - first) * columns);
        for (index, emoji) in in_view {
            let rect = place(index);
            let response = ui.interact(rect, ui.scope_id().with(("emoji", index)), Sense::click());
            let ground = if index == picker.index {
                Some(colors(ui).selected)
            } else {
                response.hovered().then_some(colors(ui).hover)
            };
            if let Some(ground) = ground {
                ui.painter().rect_filled(rect.shrink(1.0), 8.0, ground);
            }
            focus_ring(ui, &response, rect.shrink(1.0), 8.0);
            let font = theme::regular(SIZE);
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, emoji.as_str(), font, colors(ui).text);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, emoji.name()));
            if response.on_hover_text(emoji.name()).clicked() {
                clicked = Some(index);
            }
        }
        let whole = vec2(columns as f32 * CELL, rows as f32 * CELL);
        ui.allocate_rect(Rect::from_min_size(start, whole), Sense::hover());
    });
    clicked
}
