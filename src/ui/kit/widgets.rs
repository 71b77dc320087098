//! Small elements that several views draw: circles with initials, pills, buttons, tags, clipped text.

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align2, Button, Color32, CornerRadius, FontId, Galley, Id, Key, Label, Layout, Modifiers, Painter, Pos2,
    Rect, Response, RichText, Role, Sense, Stroke, Style, TextFormat, TextWrapMode, Ui, UiBuilder,
    WidgetInfo, pos2, vec2,
};

use super::edit;
use super::icons::{Icon, focus_ring, icon_button, paint_icon};
use super::ordered::{self, ordered};
use super::theme::{self, CONTROL_HEIGHT, RADIUS, colors};
use super::words;
use crate::model::snapshot::Person;
use crate::ui::text::say;

/// Paints the circle of a person or a group; screen readers skip it.
pub(crate) fn paint_avatar(ui: &Ui, center: Pos2, side: f32, people: &[Person]) {
    let painter = ui.painter();
    let ground = avatar_color(ui, people);
    painter.circle_filled(center, side / 2.0, ground);
    let ink = colors(ui).on_avatar;
    match people {
        [only] => {
            let letters = words::initials(&only.name);
            painter.text(center, Align2::CENTER_CENTER, letters, theme::strong(side * 0.38), ink);
        }
        _ => {
            let rect = Rect::from_center_size(center, vec2(side * 0.5, side * 0.5));
            paint_icon(painter, rect, Icon::People, ink);
        }
    }
}

/// Always the same color for the same people.
fn avatar_color(ui: &Ui, people: &[Person]) -> Color32 {
    let palette = &colors(ui).avatars;
    let mixed = people
        .iter()
        .flat_map(|person| person.address.bytes())
        .fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let index = usize::try_from(mixed % 8).unwrap_or(0);
    palette.get(index).copied().unwrap_or_else(|| colors(ui).accent)
}

/// The color of a person's name in a group.
pub(crate) fn name_color(ui: &Ui, person: &Person) -> Color32 {
    let color = avatar_color(ui, std::slice::from_ref(person));
    if ui.visuals().dark_mode { color.lerp_to_gamma(Color32::WHITE, 0.5) } else { color }
}

/// The main button of a view; each view has one.
pub(crate) fn primary(ui: &mut Ui, text: &str, enabled: bool) -> Response {
    let colors = colors(ui);
    let label = RichText::new(text).font(theme::strong(13.5)).color(colors.on_accent);
    ui.scope(|ui| {
        let widgets = &mut ui.visuals_mut().widgets;
        widgets.inactive.weak_bg_fill = colors.accent;
        widgets.inactive.bg_stroke = Stroke::NONE;
        widgets.hovered.weak_bg_fill = colors.accent_hover;
        widgets.hovered.bg_stroke = Stroke::NONE;
        widgets.active.weak_bg_fill = colors.accent_hover;
        widgets.active.bg_stroke = Stroke::new(2.0, colors.text);
        ui.add_enabled(
            enabled,
            Button::new(label).min_size(vec2(0.0, ui.available_height().clamp(32.0, 36.0))),
        )
    })
    .inner
}

/// A small button inside a message or a row.
pub(crate) fn small_button(ui: &mut Ui, text: &str) -> Response {
    // Where there is no room beside others, it begins a line of its own.
    let button = Button::new(RichText::new(text).size(12.5)).wrap_mode(TextWrapMode::Extend);
    let button = button.min_size(vec2(0.0, CONTROL_HEIGHT));
    dressed(ui, |style| style.spacing.button_padding = vec2(10.0, 3.0), |ui| ui.add(button))
}

/// Adds a widget in a style of its own. In a scope of its own it would not begin a new line where a line is full.
fn dressed(ui: &mut Ui, dress: impl FnOnce(&mut Style), add: impl FnOnce(&mut Ui) -> Response) -> Response {
    let before = Arc::clone(ui.style());
    dress(ui.style_mut());
    let response = add(ui);
    ui.set_style(before);
    response
}

/// A small button that repairs a failure, such as Resend.
pub(crate) fn mend_button(ui: &mut Ui, text: &str) -> Response {
    let colors = colors(ui);
    let dress = |style: &mut Style| {
        style.spacing.button_padding = vec2(10.0, 3.0);
        let widgets = &mut style.visuals.widgets;
        widgets.inactive.weak_bg_fill = colors.red_soft;
        widgets.inactive.bg_stroke = Stroke::new(1.0, colors.red);
    };
    let label = RichText::new(text).font(theme::strong(12.5)).color(colors.red);
    dressed(ui, dress, |ui| ui.add(Button::new(label).min_size(vec2(0.0, CONTROL_HEIGHT))))
}

/// Hides the tooltip of what the pointer rests on, because something comes over it: a tooltip stays while the pointer
/// rests, so until it moves, the pointer is nowhere.
pub(crate) fn hide_tooltip(ctx: &egui::Context) {
    ctx.input_mut(|input| input.pointer = egui::PointerState::default());
    ctx.request_repaint();
}

/// A round button: one of several choices in a row.
pub(crate) fn pill(ui: &mut Ui, selected: bool, text: &str) -> Response {
    let colors = colors(ui);
    let (ground, ink) =
        if selected { (colors.accent, colors.on_accent) } else { (colors.hover, colors.text) };
    let dress = |style: &mut Style| {
        style.spacing.button_padding = vec2(12.0, 4.0);
        let widgets = &mut style.visuals.widgets;
        for look in [&mut widgets.inactive, &mut widgets.hovered] {
            look.weak_bg_fill = ground;
            look.bg_stroke = Stroke::NONE;
        }
        widgets.active.weak_bg_fill = ground;
        if selected {
            widgets.active.bg_stroke = Stroke::new(2.0, colors.text);
        }
    };
    let label = RichText::new(text).size(12.5).color(ink);
    let button = Button::new(label).min_size(vec2(0.0, CONTROL_HEIGHT)).corner_radius(CornerRadius::same(14));
    let response = dressed(ui, dress, |ui| ui.add(button));
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, selected, text));
    response
}

/// A tab: text above a line.
pub(crate) fn tab(ui: &mut Ui, selected: bool, text: &str, width: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(width, 32.0), Sense::click());
    let colors = colors(ui);
    let (font, ink) =
        if selected { (theme::strong(13.5), colors.text) } else { (theme::regular(13.5), colors.weak) };
    if response.hovered() && !selected {
        ui.painter().rect_filled(rect, 6.0, colors.hover);
    }
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, font, ink);
    if selected {
        let line = Rect::from_min_max(
            pos2(rect.left() + 8.0, rect.bottom() - 2.0),
            rect.right_bottom() - vec2(8.0, 0.0),
        );
        ui.painter().rect_filled(line, 1.0, colors.accent);
    }
    focus_ring(ui, &response, rect, 6.0);
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, selected, text));
    response
}

/// Paints the tag `simulated` beside the people of the demo; returns its width.
pub(crate) fn paint_simulated(ui: &Ui, left_center: Pos2) -> f32 {
    let galley = one_line(ui, say!("simulated-tag"), theme::regular(11.0), colors(ui).weak, f32::INFINITY);
    let size = galley.size() + vec2(10.0, 2.0);
    paint_tag(ui, Rect::from_min_size(left_center - vec2(0.0, size.y / 2.0), size), galley);
    size.x
}

fn paint_tag(ui: &Ui, rect: Rect, galley: Arc<Galley>) {
    let stroke = Stroke::new(1.0, colors(ui).line);
    ui.painter().rect(rect, 4.0, colors(ui).middle, stroke, egui::StrokeKind::Inside);
    let at = rect.center() - galley.size() / 2.0;
    ui.painter().galley(at, galley, Color32::PLACEHOLDER);
}

/// Lays out `contents` in `rect` without regard to the cursor of `ui`, and leaves the cursor unchanged.
pub(crate) fn within<R>(ui: &mut Ui, rect: Rect, layout: Layout, contents: impl FnOnce(&mut Ui) -> R) -> R {
    contents(&mut ui.new_child(UiBuilder::new().max_rect(rect).layout(layout)))
}

/// Text on one line, cut with … at `width`.
pub(crate) fn one_line(ui: &Ui, text: &str, font: FontId, color: Color32, width: f32) -> Arc<Galley> {
    let format = TextFormat::simple(font, color);
    if let Some(galley) = ordered::one_line(ui, text, &format, width) {
        return galley;
    }
    let mut job = LayoutJob::single_section(text.to_owned(), format);
    job.wrap = TextWrapping::truncate_at_width(width);
    ui.painter().layout_job(job)
}

/// Text on as many lines as it needs.
pub(crate) fn wrapped(ui: &Ui, text: &str, font: FontId, color: Color32, width: f32) -> Arc<Galley> {
    let job = LayoutJob::simple(text.to_owned(), font, color, width);
    ordered(ui, &job, &[]).map_or_else(|| ui.painter().layout_job(job), |ordered| ordered.galley(ui))
}

/// Paints a galley with its top left corner at `at`.
pub(crate) fn put(painter: &Painter, at: Pos2, galley: Arc<Galley>) {
    painter.galley(at, galley, Color32::PLACEHOLDER);
}

/// A one-line text field, as high as a button, below its label.
pub(crate) fn field(ui: &mut Ui, name: &str, text: &mut String, hint: &str) -> Response {
    let (caption, id) = caption(ui, name);
    let width = ui.available_width();
    let response = edit::text_field(ui, id, text, |text| one_line_edit(text, hint, width));
    keep_at_enter(ui, response).labelled_by(caption)
}

/// The name above a field; returns its id, and the id of the field below.
fn caption(ui: &mut Ui, name: &str) -> (Id, Id) {
    let caption = ui.label(RichText::new(name).font(theme::strong(12.5)).color(colors(ui).text));
    ui.add_space(-4.0);
    (caption.id, edit::field_id(ui, name))
}

fn one_line_edit<'t>(text: &'t mut String, hint: &str, width: f32) -> egui::TextEdit<'t> {
    egui::TextEdit::singleline(text)
        .hint_text(hint.to_owned())
        .desired_width(width)
        .align(Align2::LEFT_CENTER)
        .margin(egui::Margin::symmetric(10, 6))
        .min_size(vec2(0.0, 32.0))
}

/// The same, with the text masked until the user wants to see it.
pub(crate) fn secret_field(ui: &mut Ui, name: &str, text: &mut String, hint: &str) -> Response {
    let (caption, id) = caption(ui, name);
    let (width, shown) = (ui.available_width(), id.with("shown"));
    let is_shown: bool = ui.data(|data| data.get_temp(shown)).unwrap_or_default();
    let margin = egui::Margin { right: 38, ..egui::Margin::symmetric(10, 6) };
    let response = edit::secret_text_field(ui, id, text, |text| {
        one_line_edit(text, hint, width).margin(margin).password(!is_shown)
    });
    let response = keep_at_enter(ui, response).labelled_by(caption);
    // The button stands in the field, at its end.
    let place = pos2(response.rect.right() - 19.0, response.rect.center().y);
    let (icon, label) =
        if is_shown { (Icon::Hidden, say!("hide-password")) } else { (Icon::Eye, say!("show-password")) };
    let place = Rect::from_center_size(place, vec2(28.0, 28.0));
    if within(ui, place, Layout::left_to_right(egui::Align::Center), |ui| icon_button(ui, icon, label))
        .clicked()
    {
        ui.data_mut(|data| data.insert_temp(shown, !is_shown));
    }
    response
}

/// Two fields, side by side or stacked; true if one of them was changed.
pub(crate) fn pair(
    ui: &mut Ui,
    is_beside: bool,
    first: impl FnOnce(&mut Ui) -> Response,
    second: impl FnOnce(&mut Ui) -> Response,
) -> bool {
    let (first, second) = if is_beside {
        ui.columns_const(|[left, right]| (first(left), second(right)))
    } else {
        (first(ui), second(ui))
    };
    first.changed() || second.changed()
}

/// Enter does not end the writing in this field: what is typed next belongs here too, if the field is still there, and must
/// not go into a message.
fn keep_at_enter(ui: &Ui, response: Response) -> Response {
    if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
        response.request_focus();
    }
    response
}

/// True if Enter was pressed in this field.
pub(crate) fn entered_in(ui: &Ui, field: &Response) -> bool {
    field.has_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

/// True if Enter was pressed.
pub(crate) fn entered(ui: &Ui) -> bool {
    ui.input(|input| input.key_pressed(Key::Enter) && input.modifiers == Modifiers::NONE)
}

/// Scrolls to the widget that just got the keyboard focus; called at the end of a scroll area's contents.
pub(crate) fn keep_focus_in_view(ui: &Ui) {
    let focused = ui.memory(egui::Memory::focused).and_then(|id| ui.ctx().read_response(id));
    let reached = focused.filter(|response| response.gained_focus() && response.layer_id == ui.layer_id());
    if let Some(response) = reached.filter(|response| ui.min_rect().contains_rect(response.rect)) {
        ui.scroll_to_rect(response.rect.expand(8.0), None);
    }
}

/// A sentence in weak color.
pub(crate) fn hint(ui: &mut Ui, text: &str) {
    let weak = colors(ui).weak;
    words_ui(ui, text, theme::regular(12.5), weak);
}

/// Words in which there may be names of other people, on as many lines as they need. A screen reader gets them as they are
/// written, in whatever order they stand.
pub(crate) fn words_ui(ui: &mut Ui, text: &str, font: FontId, color: Color32) -> Response {
    let label = RichText::new(text).font(font.clone()).color(color);
    let job = LayoutJob::simple(text.to_owned(), font, color, ui.available_width());
    let Some(ordered) = ordered(ui, &job, &[]) else { return ui.label(label) };
    let response = ui.add(Label::new(ordered.galley(ui)).selectable(false));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    response
}

/// A line of other people's words, cut with … where the room ends; the same for a screen reader.
pub(crate) fn line_ui(ui: &mut Ui, text: &str, font: FontId, color: Color32) -> Response {
    let line = one_line(ui, text, font, color, ui.available_width());
    let response = ui.add(Label::new(line).selectable(false));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    response
}

/// What is wrong with the field above, in red. Its line is there when nothing is, so that nothing moves.
pub(crate) fn problem_line(ui: &mut Ui, problem: Option<&str>) {
    let ink = colors(ui).red;
    match problem {
        Some(problem) => {
            ui.label(RichText::new(problem).size(12.5).color(ink));
        }
        None => {
            let height = one_line(ui, "x", theme::regular(12.5), ink, f32::INFINITY).size().y;
            ui.allocate_space(vec2(ui.available_width(), height));
        }
    }
}

/// A sentence on a colored background: what went wrong, and what to do.
pub(crate) fn banner(ui: &mut Ui, text: &str, ink: Color32, ground: Color32) {
    egui::Frame::NONE.fill(ground).corner_radius(RADIUS).inner_margin(egui::Margin::symmetric(12, 8)).show(
        ui,
        |ui| {
            ui.set_width(ui.available_width());
            words_ui(ui, text, theme::regular(14.0), ink);
        },
    );
}

/// Paints the unread count: a round number in the accent color.
pub(crate) fn paint_badge(ui: &Ui, right_center: Pos2, count: u32) -> f32 {
    let text = if count > 99 { "99+".to_owned() } else { count.to_string() };
    let galley = one_line(ui, &text, theme::strong(11.0), colors(ui).on_accent, f32::INFINITY);
    let size = vec2((galley.size().x + 12.0).max(20.0), 20.0);
    let rect = Rect::from_min_size(right_center - vec2(size.x, size.y / 2.0), size);
    ui.painter().rect_filled(rect, 10.0, colors(ui).accent);
    put(ui.painter(), rect.center() - galley.size() / 2.0, galley);
    size.x
}
