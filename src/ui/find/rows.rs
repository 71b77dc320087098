//! Rows of equal height below a field: one is chosen with Up and Down while the field has the focus, and by a click.

use egui::{Id, Key, Modifiers, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::ui::kit::icons::focus_ring;
use crate::ui::kit::theme::colors;

/// Which row is chosen.
#[derive(Debug, Default)]
pub(super) struct ChosenRow {
    pub(super) index: usize,
    has_moved: bool,
}

/// What the keys asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pressed {
    Nothing,
    Enter,
}

impl ChosenRow {
    /// Moves the choice with Up, Down, Page Up and Page Down; called before the field is drawn, which would take them.
    pub(super) fn take_keys(&mut self, ui: &Ui, field: Id, (count, page): (usize, usize)) -> Pressed {
        if !ui.memory(|memory| memory.has_focus(field)) {
            return Pressed::Nothing;
        }
        let (up, down, enter) = ui.input_mut(|input| {
            let mut pressed = |key| input.count_and_consume_key(Modifiers::NONE, key);
            let up = pressed(Key::ArrowUp) + page * pressed(Key::PageUp);
            let down = pressed(Key::ArrowDown) + page * pressed(Key::PageDown);
            (up, down, pressed(Key::Enter) > 0)
        });
        let last = count.saturating_sub(1);
        if up + down > 0 {
            self.index = (self.index + down).saturating_sub(up).min(last);
            self.has_moved = true;
        }
        if enter && count > 0 { Pressed::Enter } else { Pressed::Nothing }
    }

    /// Chooses the first row again.
    pub(super) const fn reset(&mut self) {
        *self = Self { index: 0, has_moved: true };
    }
}

/// Draws the rows in view; `row` paints one and returns its name. Returns the row that was clicked.
pub(super) fn rows_ui(
    ui: &mut Ui,
    choice: &mut ChosenRow,
    (count, height, room): (usize, f32, f32),
    mut row: impl FnMut(&Ui, usize, Rect) -> String,
) -> Option<usize> {
    choice.index = choice.index.min(count.saturating_sub(1));
    let mut clicked = None;
    ui.spacing_mut().item_spacing.y = 0.0;
    // What was there before may have been lower: otherwise the rows would have to do with its height.
    let least = room.min(count as f32 * height);
    let area = ScrollArea::vertical().id_salt("rows").max_height(room).min_scrolled_height(least);
    area.auto_shrink([false, true]).show_viewport(ui, |ui, view| {
        let top = ui.max_rect().top();
        let whole = Rect::from_min_size(ui.max_rect().min, vec2(ui.available_width(), count as f32 * height));
        let place = |index: usize| {
            let corner = pos2(whole.left(), top + index as f32 * height);
            Rect::from_min_size(corner, vec2(whole.width(), height))
        };
        if std::mem::take(&mut choice.has_moved) {
            ui.scroll_to_rect(place(choice.index), None);
        }
        let (first, end) = ((view.top() / height) as usize, (view.bottom() / height).ceil() as usize);
        for index in first..end.min(count) {
            let rect = place(index);
            let response = ui.interact(rect, ui.scope_id().with(("row", index)), Sense::click());
            let ground = if index == choice.index {
                Some(colors(ui).selected)
            } else {
                response.hovered().then_some(colors(ui).hover)
            };
            if let Some(ground) = ground {
                ui.painter().rect_filled(rect.shrink2(vec2(0.0, 1.0)), 8.0, ground);
            }
            focus_ring(ui, &response, rect.shrink2(vec2(0.0, 1.0)), 8.0);
            let name = row(ui, index, rect);
            let is_chosen = index == choice.index;
            response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, is_chosen, &name));
            if response.clicked() {
                choice.index = index;
                clicked = Some(index);
            }
        }
        ui.allocate_rect(whole, Sense::hover());
    });
    clicked
}
