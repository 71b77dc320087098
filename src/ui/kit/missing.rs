//! A box for each character that no font has: the fonts of the window draw nothing for it, and a message of nothing but
//! emoji would look empty.

use egui::{
    Color32, ColorImage, GlyphBitmap, GlyphRasterizer, GlyphRasterizerRequest, RasterizedGlyph, vec2,
};

/// Draws the boxes; asked only for what neither the fonts of the window nor those of the system have.
pub(super) fn boxes() -> GlyphRasterizer {
    GlyphRasterizer::new("fanfare::missing", |request: &GlyphRasterizerRequest<'_>| {
        let is_seen = request.cluster.chars().next().is_some_and(is_seen);
        is_seen.then(|| hollow(request.font_size_px))
    })
}

/// False for what has no shape of its own: spaces, controls, joiners, marks of direction and variation.
pub(super) fn is_seen(letter: char) -> bool {
    let is_shapeless = matches!(letter, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
    !is_shapeless && !letter.is_control() && !letter.is_whitespace()
}

/// A hollow box on the base line, as wide as a letter.
fn hollow(font_size: f32) -> RasterizedGlyph {
    let pixels = |part: f32| (part * font_size).round().max(3.0) as usize;
    let (width, height) = (pixels(0.55), pixels(0.72));
    let line = (font_size / 14.0).round().max(1.0) as usize;
    let is_edge = |at: usize, length: usize| at < line || at + line >= length;
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let color =
        |(x, y)| if is_edge(x, width) || is_edge(y, height) { Color32::WHITE } else { Color32::TRANSPARENT };
    let image = ColorImage::new([width, height], places.map(color).collect());
    let beside = (0.1 * font_size).round();
    RasterizedGlyph {
        bitmap: GlyphBitmap { image, offset_px: vec2(beside, -(height as f32)), is_color: false },
        advance_px: width as f32 + 2.0 * beside,
    }
}
