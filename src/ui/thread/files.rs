//! The attachments of a message: pictures, and for each file its name, its kind and size, and a button to save it.

use egui::{
    Align, Color32, Id, Image, Layout, Rect, Response, Role, Sense, TextureHandle, Ui, Vec2, WidgetInfo,
    pos2, vec2,
};

use super::album::{Album, INLINE, PictureId, PictureShown};
use crate::model::command::Command;
use crate::model::snapshot::MessageView;
use crate::model::text::FileShown;
use crate::ui::actions::{Act, PictureAct};
use crate::ui::kit::icons::focus_ring;
use crate::ui::kit::picture::is_picture;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{one_line, put, small_button, within};
use crate::ui::kit::words;
use crate::ui::text::say;

const FILE_WIDTH: f32 = 280.0;
const FILE_HEIGHT: f32 = 40.0;
/// Width of the `Save` button.
const SAVE_WIDTH: f32 = 64.0;
/// The room of a picture of which nothing is known yet.
const UNKNOWN: Vec2 = vec2(200.0, 120.0);
/// The least room of a picture, so that it can be clicked.
const LEAST: f32 = 24.0;
/// Between the text and the attachments.
pub(super) const BELOW_TEXT: f32 = 6.0;
/// Below a picture, to the line with its name.
const BELOW: f32 = 4.0;
const CORNER: u8 = 6;

/// The space that the attachments of a message take.
pub(crate) fn files_size(message: &MessageView, album: &Album, width: f32) -> Vec2 {
    let sizes = message.files.iter().enumerate().map(|(index, file)| {
        let picture = picture_size(album, (message.id, index), file, width);
        let height = picture.map_or(0.0, |size| size.y + BELOW);
        vec2(picture.map_or(0.0, |size| size.x).max(FILE_WIDTH.min(width)), height + FILE_HEIGHT)
    });
    sizes.fold(Vec2::ZERO, |all, size| vec2(all.x.max(size.x), all.y + size.y))
}

/// The size at which a picture is drawn; none if the file is not shown as one.
fn picture_size(album: &Album, id: PictureId, file: &FileShown, width: f32) -> Option<Vec2> {
    if !is_picture(&file.media_type) {
        return None;
    }
    let size = match album.shown(id) {
        PictureShown::Ready(_, size) => Some(size),
        PictureShown::Waiting(size) => size,
        PictureShown::Failed => return None,
    };
    let most = vec2(INLINE.x.min(width), INLINE.y);
    let size = size.map_or_else(|| UNKNOWN.min(most), |size| size * (most / size).min_elem().min(1.0));
    Some(size.max(vec2(LEAST, LEAST)).round())
}

/// The attachments at the bottom of the bubble. None is opened automatically; pictures are decoded by us alone.
/// Returns where a click belongs to a picture.
pub(crate) fn files_ui(
    ui: &mut Ui,
    message: &MessageView,
    album: &Album,
    inner: Rect,
    acts: &mut Vec<Act>,
) -> Option<Response> {
    let mut pictures: Option<Response> = None;
    let mut top = inner.bottom() - files_size(message, album, inner.width()).y;
    for (index, file) in message.files.iter().enumerate() {
        let id = (message.id, index);
        if let Some(size) = picture_size(album, id, file, inner.width()) {
            let place = Rect::from_min_size(pos2(inner.left(), top), size);
            if let Some(picture) = picture_ui(ui, (message, index), album, place, acts) {
                pictures = Some(match pictures {
                    Some(others) => others.union(picture),
                    None => picture,
                });
            }
            top += size.y + BELOW;
        }
        let place = Rect::from_min_size(pos2(inner.left(), top), vec2(inner.width(), FILE_HEIGHT));
        file_ui(ui, id, file, place, acts);
        top += FILE_HEIGHT;
    }
    pictures
}

fn file_ui(ui: &mut Ui, (message, index): PictureId, file: &FileShown, place: Rect, acts: &mut Vec<Act>) {
    let colors = colors(ui);
    let width = place.width() - SAVE_WIDTH;
    let name = one_line(ui, &file.name, theme::strong(13.0), colors.text, width);
    let kind = format!("{} · {}", file.media_type, words::size(file.bytes));
    let kind = one_line(ui, &kind, theme::regular(12.0), colors.weak, width);
    let second = place.top() + 3.0 + name.size().y;
    put(ui.painter(), pos2(place.left(), place.top() + 3.0), name);
    put(ui.painter(), pos2(place.left(), second), kind);
    within(ui, place, Layout::right_to_left(Align::Center), |ui| {
        if small_button(ui, say!("save")).on_hover_text(say!("save-file", name = file.name)).clicked() {
            acts.push(Act::Ask(Command::SaveFile { message, file: index, to: None }));
        }
    });
}

/// A picture; a click enlarges it. It is asked for once it is in view.
fn picture_ui(
    ui: &Ui,
    (message, index): (&MessageView, usize),
    album: &Album,
    place: Rect,
    acts: &mut Vec<Act>,
) -> Option<Response> {
    let id = (message.id, index);
    let name = message.files.get(index).map(|file| file.name.as_str()).unwrap_or_default();
    if let PictureShown::Ready(texture, size) = album.shown(id) {
        let scale = (place.size() / size).min_elem().min(1.0);
        paint_picture(ui, texture, Rect::from_center_size(place.center(), size * scale), CORNER);
        let response = ui.interact(place, Id::unique(("picture", message.id.0, index)), Sense::click());
        focus_ring(ui, &response, place, f32::from(CORNER));
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, say!("enlarge", name = name)));
        let response = response.on_hover_cursor(egui::CursorIcon::ZoomIn);
        if response.clicked() {
            acts.push(Act::Picture(PictureAct::Enlarge(id, name.to_owned())));
        }
        return Some(response);
    }
    ui.painter().rect_filled(place, CORNER, colors(ui).hover);
    if ui.is_rect_visible(place) && album.wants(id) {
        acts.push(Act::Picture(PictureAct::Show(id)));
    }
    None
}

/// Paints a picture into this place, which has its proportions.
pub(super) fn paint_picture(ui: &Ui, texture: &TextureHandle, place: Rect, corner: u8) {
    Image::from_texture((texture.id(), texture.size_vec2()))
        .corner_radius(corner)
        .tint(Color32::WHITE)
        .paint_at(ui, place);
}

/// The menu of a message opens on its pictures too.
pub(super) fn with_pictures(response: Response, pictures: Option<Response>) -> Response {
    match pictures {
        Some(pictures) => response.union(pictures),
        None => response,
    }
}
