//! Short notices inside the window: what went wrong, and what happened meanwhile. They stand where nothing is being
//! worked on, above everything else, and the pointer reaches through them, except for their buttons.

use std::sync::Arc;

use egui::{Area, Galley, Id, Label, Order, Rect, Stroke, Ui, UiBuilder, pos2, vec2};

use super::announcer::say_changes;
use super::icons::{Icon, icon_button};
use super::theme::{self, CONTROL_HEIGHT, colors};
use super::widgets::{small_button, wrapped};
use crate::ui::text::say;

/// Most notices shown at a time; older ones are removed.
const TOASTS_MAX: usize = 4;
/// How long a notice stays, in seconds.
const STAYS_SECS: f64 = 12.0;
/// Widest notice.
const WIDTH_MAX: f32 = 420.0;
/// The least room that a notice can be read in.
const WIDTH_MIN: f32 = 200.0;
/// Between notices, and around them.
const GAP: f32 = 8.0;
const PADDING: f32 = 12.0;

/// The notices on the screen; each may have a button for an action of type `A`.
#[derive(Debug)]
pub(crate) struct Toasts<A>(Vec<Toast<A>>);

impl<A> Default for Toasts<A> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[derive(Debug)]
struct Toast<A> {
    words: String,
    /// What its button says and does.
    offer: Option<(&'static str, A)>,
    /// How long it stays, in seconds.
    stays: f64,
    /// When it disappears, in egui's seconds; unknown until it was shown.
    until: Option<f64>,
}

impl<A> Toasts<A> {
    /// Shows a notice; the same text is shown only once.
    pub(crate) fn push(&mut self, words: String) {
        self.put(Toast { words, offer: None, stays: STAYS_SECS, until: None });
    }

    /// Shows a notice with a button.
    pub(crate) fn offer(&mut self, words: String, label: &'static str, action: A) {
        self.offer_for(STAYS_SECS, words, label, action);
    }

    /// The same for so many seconds.
    pub(crate) fn offer_for(&mut self, stays: f64, words: String, label: &'static str, action: A) {
        self.put(Toast { words, offer: Some((label, action)), stays, until: None });
    }

    /// Removes the notice with these words: its offer does not hold any more.
    pub(crate) fn withdraw(&mut self, words: &str) {
        self.0.retain(|toast| toast.words != words);
    }

    fn put(&mut self, toast: Toast<A>) {
        self.0.retain(|known| known.words != toast.words);
        self.0.push(toast);
        let over = self.0.len().saturating_sub(TOASTS_MAX);
        self.0.drain(..over);
    }

    /// Removes the newest notice; false if there is none.
    pub(crate) fn dismiss(&mut self) -> bool {
        self.0.pop().is_some()
    }

    /// Draws the notices at the bottom of the first of these places in which all of them fit, the newest lowest, and
    /// schedules a repaint for when the first one expires. Where none fits, they wait. Returns the action of a button
    /// that was pressed.
    pub(crate) fn show(&mut self, ctx: &egui::Context, places: &[Rect]) -> Option<A> {
        let now = ctx.input(|input| input.time);
        self.0.retain(|toast| toast.until.is_none_or(|until| until > now));
        if self.0.is_empty() {
            return None;
        }
        let mut pressed = None;
        let area = Area::new(Id::unique("toasts")).order(Order::Tooltip).interactable(false);
        area.fixed_pos(ctx.content_rect().min).show(ctx, |ui| {
            let found = places.iter().find_map(|place| self.fit(ui, *place));
            let Some((place, sheets)) = found else { return };
            for toast in &mut self.0 {
                toast.until.get_or_insert(now + toast.stays);
            }
            let mut bottom = place.bottom() - GAP;
            for (index, sheet) in sheets.iter().enumerate().rev() {
                let rect = Rect::from_min_max(
                    pos2(place.left() + GAP, bottom - sheet.height),
                    pos2(place.left() + GAP + sheet.width, bottom),
                );
                bottom = rect.top() - GAP;
                let offer = self.0.get(index).and_then(|toast| toast.offer.as_ref()).map(|(label, _)| *label);
                let answer = toast_ui(ui, rect, sheet, offer, index);
                if answer != ToastClick::None {
                    pressed = Some((index, answer));
                }
            }
        });
        if let Some(next) = self.0.iter().filter_map(|toast| toast.until).reduce(f64::min) {
            ctx.request_repaint_after(std::time::Duration::from_secs_f64((next - now).max(0.01)));
        }
        let (index, answer) = pressed?;
        let toast = self.0.remove(index);
        toast.offer.filter(|_| answer == ToastClick::Offer).map(|(_, action)| action)
    }

    /// Lays out all notices for a place; none if they do not fit there.
    fn fit(&self, ui: &Ui, place: Rect) -> Option<(Rect, Vec<Sheet>)> {
        let width = (place.width() - 2.0 * GAP).min(WIDTH_MAX);
        if width < WIDTH_MIN {
            return None;
        }
        let text_width = width - PADDING - CONTROL_HEIGHT - 12.0;
        let sheets: Vec<Sheet> = self
            .0
            .iter()
            .map(|toast| {
                let text = wrapped(ui, &toast.words, theme::regular(13.5), colors(ui).text, text_width);
                let button = if toast.offer.is_some() { CONTROL_HEIGHT + 6.0 } else { 0.0 };
                let height = (text.size().y + 2.0 * 8.0).max(CONTROL_HEIGHT + 8.0) + button;
                Sheet { text, width, height }
            })
            .collect();
        let height: f32 = sheets.iter().map(|sheet| sheet.height + GAP).sum();
        (height + GAP <= place.height()).then_some((place, sheets))
    }
}

/// A notice as laid out.
struct Sheet {
    text: Arc<Galley>,
    width: f32,
    height: f32,
}

/// What was pressed on a notice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ToastClick {
    None,
    Dismissed,
    Offer,
}

fn toast_ui(ui: &mut Ui, rect: Rect, sheet: &Sheet, offer: Option<&'static str>, index: usize) -> ToastClick {
    let colors = colors(ui);
    let shadow = egui::Shadow { offset: [0, 4], blur: 16, spread: 0, color: colors.veil.gamma_multiply(0.5) };
    ui.painter().add(shadow.as_shape(rect, 10));
    let stroke = Stroke::new(1.0, colors.border);
    ui.painter().rect(rect, 10.0, colors.field, stroke, egui::StrokeKind::Inside);
    let text = Rect::from_min_size(rect.min + vec2(PADDING, 8.0), sheet.text.size());
    // Named by its words, so that a notice that moves down is not said again.
    let builder = UiBuilder::new().id_salt(sheet.text.text()).max_rect(text);
    let words = ui.new_child(builder).add(Label::new(Arc::clone(&sheet.text)).selectable(false));
    say_changes(ui.ctx(), words.id);
    let mut answer = ToastClick::None;
    let corner = rect.right_top() + vec2(-CONTROL_HEIGHT - 4.0, 4.0);
    over(ui, ("dismiss", index), corner, |ui| {
        if icon_button(ui, Icon::Close, say!("dismiss")).clicked() {
            answer = ToastClick::Dismissed;
        }
    });
    if let Some(label) = offer {
        let corner = pos2(rect.left() + PADDING, rect.bottom() - CONTROL_HEIGHT - 8.0);
        over(ui, ("offer", index), corner, |ui| {
            if small_button(ui, label).clicked() {
                answer = ToastClick::Offer;
            }
        });
    }
    answer
}

/// A button of a notice, in an area of its own, so that it alone takes the pointer.
fn over(ui: &Ui, name: (&'static str, usize), at: egui::Pos2, contents: impl FnOnce(&mut Ui)) {
    Area::new(Id::unique(("toast", name))).order(Order::Tooltip).fixed_pos(at).show(ui.ctx(), contents);
}
