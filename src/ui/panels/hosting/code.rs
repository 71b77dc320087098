//! A QR code, black on white in every theme, so that every camera reads it.

use crate::ui::text::say;
use egui::{Color32, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use qrcode::{Color, QrCode};

/// Side of the code on the screen, with its white edge.
const SIDE: f32 = 168.0;
/// The edge, in modules (ISO/IEC 18004 wants four).
const QUIET: usize = 4;

/// A code, kept as long as its text is the same.
pub(super) struct Code {
    text: String,
    /// None if the text is too long for any code.
    code: Option<QrCode>,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text has a password in it.
        f.debug_struct("Code").finish_non_exhaustive()
    }
}

/// Draws the code of a text.
pub(super) fn code_ui(ui: &mut Ui, kept: &mut Option<Code>, text: &str) {
    if kept.as_ref().is_none_or(|kept| kept.text != text) {
        *kept = Some(Code { text: text.to_owned(), code: QrCode::new(text).ok() });
    }
    let Some(code) = kept.as_ref().and_then(|kept| kept.code.as_ref()) else { return };
    let (rect, response) = ui.allocate_exact_size(vec2(SIDE, SIDE), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, say!("qr-code")));
    let painter = ui.painter();
    painter.rect_filled(rect, 4.0, Color32::WHITE);
    let width = code.width();
    let module = SIDE / (width + 2 * QUIET) as f32;
    let at = |place: usize| (place + QUIET) as f32 * module;
    for (index, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let corner = rect.min + vec2(at(index % width), at(index / width));
            // Neighbours overlap a little, so that no light line is between them.
            let end = corner + vec2(module + 0.3, module + 0.3);
            painter.rect_filled(Rect::from_min_max(pos2(corner.x, corner.y), end), 0.0, Color32::BLACK);
        }
    }
}
