//! A picture of a message, as large as the window.

use egui::{Align, Context, Key, Layout, Modal, Modifiers, Rect, vec2};

use super::album::{Album, PictureId, PictureShown};
use super::files::paint_picture;
use crate::model::command::Command;
use crate::model::snapshot::Thread;
use crate::ui::actions::{Act, PictureAct};
use crate::ui::commands::UiCommand;
use crate::ui::kit::icons::{Icon, icon_button};
use crate::ui::kit::picture::is_picture;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{hide_tooltip, one_line, put, small_button, words_ui};
use crate::ui::text::say;

/// Between the edge of the window and the picture's frame, and within that.
const MARGIN: f32 = 16.0;
const PADDING: i8 = 12;

/// Draws the picture that is enlarged, if one is: Esc closes it, Left and Right go to the pictures before and after it.
pub(crate) fn enlarged_ui(ctx: &Context, album: &mut Album, thread: Option<&Thread>, acts: &mut Vec<Act>) {
    let Some(large) = &mut album.large else { return };
    let (id, name, is_new) = (large.id, large.name.clone(), std::mem::take(&mut large.is_new));
    if is_new {
        hide_tooltip(ctx);
    }
    let dark = ctx.global_style().visuals.dark_mode;
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(egui::Margin::same(PADDING));
    let whole = ctx.content_rect().size() - vec2(MARGIN, MARGIN) * 2.0 - vec2(2.0, 2.0) * f32::from(PADDING);
    let modal = Modal::new(egui::Id::unique("enlarged")).frame(frame).backdrop_color(theme::veil(dark));
    let album = &*album;
    let shown = modal.show(ctx, |ui| {
        ui.set_width(whole.x);
        let close = ui.horizontal(|ui| {
            let ink = ui.visuals().text_color();
            words_ui(ui, &name, theme::strong(14.0), ink);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let close = icon_button(ui, Icon::Close, say!("close"));
                if small_button(ui, UiCommand::SaveFileAs.label()).clicked() {
                    acts.push(Act::Picture(PictureAct::SaveAs(id, name.clone())));
                }
                if small_button(ui, say!("save")).clicked() {
                    acts.push(Act::Ask(Command::SaveFile { message: id.0, file: id.1, to: None }));
                }
                close
            })
            .inner
        });
        let close = close.inner;
        if is_new {
            close.request_focus();
        }
        let room = vec2(whole.x, (whole.y - ui.min_rect().height() - ui.spacing().item_spacing.y).max(40.0));
        let (place, _) = ui.allocate_exact_size(room, egui::Sense::hover());
        picture_ui(ui, album, id, place);
        close.clicked()
    });
    if shown.should_close() || shown.inner {
        acts.push(Act::Picture(PictureAct::Close));
    }
    let step = ctx.input_mut(|input| {
        let mut pressed = |key| input.consume_key(Modifiers::NONE, key);
        (pressed(Key::ArrowLeft), pressed(Key::ArrowRight))
    });
    if let Some((id, name)) = neighbour(thread, id, step) {
        acts.push(Act::Picture(PictureAct::Enlarge(id, name)));
    }
}

/// The picture; until it is there, the small one in its place.
fn picture_ui(ui: &egui::Ui, album: &Album, id: PictureId, place: Rect) {
    let small = match album.shown(id) {
        PictureShown::Ready(texture, size) => Some((texture, size)),
        PictureShown::Waiting(_) | PictureShown::Failed => None,
    };
    let large = album.large.as_ref().and_then(|large| large.picture.as_ref());
    let (texture, size) = match (large, small) {
        (Some(large), _) => (large, large.size_vec2()),
        (None, Some(small)) => small,
        (None, None) => {
            let words = one_line(ui, say!("opening"), theme::regular(14.0), colors(ui).weak, place.width());
            return put(ui.painter(), place.center() - words.size() / 2.0, words);
        }
    };
    let scale = (place.size() / size).min_elem().min(1.0);
    paint_picture(ui, texture, Rect::from_center_size(place.center(), size * scale), 0);
}

/// The picture before or after this one, among the messages that are loaded.
fn neighbour(thread: Option<&Thread>, id: PictureId, step: (bool, bool)) -> Option<(PictureId, String)> {
    let messages = &thread?.messages;
    let mut pictures = messages.iter().flat_map(|message| {
        let files = message.files.iter().enumerate().filter(|(_, file)| is_picture(&file.media_type));
        files.map(|(index, file)| ((message.id, index), &file.name))
    });
    let found = match step {
        (true, _) => pictures.take_while(|(other, _)| *other != id).last(),
        (false, true) => pictures.by_ref().find(|(other, _)| *other == id).and_then(|_| pictures.next()),
        (false, false) => None,
    };
    found.map(|(id, name)| (id, name.clone()))
}
