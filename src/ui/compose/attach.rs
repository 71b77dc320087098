//! Attachments of a message being written: chips above its text, the file dialog, and files dropped on the window.

use std::path::{Path, PathBuf};

use egui::{Align2, Color32, Rect, Role, Sense, TextureHandle, Ui, WidgetInfo, pos2, vec2};

use super::pictures::Previews;
use crate::sip::File;
use crate::ui::kit::icons::{Icon, focus_ring, paint_icon};
use crate::ui::kit::theme::{self, CONTROL_HEIGHT, colors};
use crate::ui::kit::widgets::{field, hint, one_line, primary, problem_line, put};
use crate::ui::kit::words;
use crate::ui::text::say;

/// Maximum width of a file name in its chip.
const NAME_WIDTH: f32 = 200.0;
/// Side of the preview of a picture.
const PREVIEW: f32 = 56.0;

/// A chip for each attachment; a click removes it.
pub(crate) fn files_ui(ui: &mut Ui, files: &mut Vec<File>, previews: &Previews) {
    if files.is_empty() {
        return;
    }
    let mut removed = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
        for (index, file) in files.iter().enumerate() {
            if chip_ui(ui, file, previews.of(file)) {
                removed = Some(index);
            }
        }
    });
    if let Some(index) = removed {
        files.remove(index);
    }
    ui.add_space(4.0);
}

fn chip_ui(ui: &mut Ui, file: &File, preview: Option<&TextureHandle>) -> bool {
    let colors = colors(ui);
    let name = one_line(ui, file.called(), theme::regular(13.5), colors.text, NAME_WIDTH);
    let size = one_line(ui, &words::size(file.bytes.len()), theme::regular(12.0), colors.weak, NAME_WIDTH);
    let (height, left) = match preview {
        Some(_) => (PREVIEW + 8.0, PREVIEW + 16.0),
        None => (CONTROL_HEIGHT, 12.0),
    };
    let width = left + name.size().x + size.size().x + 34.0;
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::click());
    ui.painter().rect_filled(rect, 8.0, colors.selected);
    if let Some(preview) = preview {
        let place = Rect::from_center_size(
            rect.left_center() + vec2(PREVIEW / 2.0 + 6.0, 0.0),
            preview.size_vec2() * (PREVIEW / preview.size_vec2().max_elem().max(1.0)),
        );
        let all = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        ui.painter().image(preview.id(), place, all, Color32::WHITE);
    }
    put(ui.painter(), rect.left_center() + vec2(left, -name.size().y / 2.0), name.clone());
    put(ui.painter(), rect.left_center() + vec2(left + 6.0 + name.size().x, -size.size().y / 2.0), size);
    let cross = Rect::from_center_size(rect.right_center() - vec2(15.0, 0.0), vec2(12.0, 12.0));
    paint_icon(ui.painter(), cross, Icon::Close, if response.hovered() { colors.text } else { colors.weak });
    focus_ring(ui, &response, rect, 8.0);
    let told = say!("remove-name", name = file.called());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &told));
    response.on_hover_text(say!("click-to-remove")).clicked()
}

/// The path of a file to attach, as it is typed. The dialog stays until the file was read.
#[derive(Debug, Default)]
pub(crate) struct AttachForm {
    path: String,
    /// The file that is being read.
    reading: Option<PathBuf>,
    /// Why the last one could not be read.
    problem: Option<String>,
}

impl AttachForm {
    /// Something was typed.
    pub(crate) fn is_changed(&self) -> bool {
        !self.path.trim().is_empty()
    }

    /// This file is being read.
    pub(crate) fn awaits(&self, path: &Path) -> bool {
        self.reading.as_deref() == Some(path)
    }

    /// The file could not be read.
    pub(crate) fn failed(&mut self, why: String) {
        self.reading = None;
        self.problem = Some(why);
    }
}

/// Asks for the path of a file to attach; returns it once confirmed with Enter or the button.
pub(crate) fn attach_ui(ui: &mut Ui, form: &mut AttachForm, entered: bool) -> Option<PathBuf> {
    ui.spacing_mut().item_spacing.y = 8.0;
    let typed = field(ui, say!("file-path"), &mut form.path, "~/Pictures/cat.png");
    typed.request_focus();
    if typed.changed() {
        (form.reading, form.problem) = (None, None);
    }
    problem_line(ui, form.problem.as_deref());
    hint(ui, say!("drop-too"));
    let is_ready = form.is_changed() && form.reading.is_none();
    ui.add_space(4.0);
    let is_confirmed = primary(ui, say!("attach"), is_ready).clicked() || (entered && is_ready);
    if is_confirmed {
        form.reading = Some(at_home(form.path.trim()));
        form.problem = None;
    }
    form.reading.clone().filter(|_| is_confirmed)
}

/// Asks for the path of a capture; returns it once confirmed.
pub(crate) fn capture_ui(ui: &mut Ui, path: &mut String, entered: bool) -> Option<PathBuf> {
    ui.spacing_mut().item_spacing.y = 8.0;
    field(ui, say!("capture"), path, "~/trace.pcapng").request_focus();
    hint(ui, say!("capture-what"));
    let is_filled = !path.trim().is_empty();
    ui.add_space(4.0);
    let is_confirmed = primary(ui, say!("open"), is_filled).clicked() || (entered && is_filled);
    is_confirmed.then(|| at_home(path.trim()))
}

/// Expands `~` to the user's home folder, as a shell does.
pub(crate) fn at_home(path: &str) -> PathBuf {
    let home = directories::BaseDirs::new();
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.home_dir().join(rest),
        (Some(_) | None, _) => PathBuf::from(path),
    }
}

/// The files that were dropped on the window in this frame.
pub(crate) fn dropped(ctx: &egui::Context) -> Vec<PathBuf> {
    ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect())
}

/// Says what a drop would do while files are dragged over the window.
pub(crate) fn hover_ui(ctx: &egui::Context, takes: bool) {
    let count = ctx.input(|input| input.raw.hovered_files.len());
    if count == 0 {
        return;
    }
    let words = match (takes, count) {
        (false, _) => say!("open-to-attach"),
        (true, 1) => say!("drop-file"),
        (true, _) => say!("drop-files"),
    };
    let painter = ctx.layer_painter(egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop")));
    let room = ctx.content_rect();
    painter.rect_filled(room, 0.0, theme::veil(ctx.global_style().visuals.dark_mode));
    painter.text(room.center(), Align2::CENTER_CENTER, words, theme::strong(20.0), Color32::WHITE);
}
