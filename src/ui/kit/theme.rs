//! Colors, spacing and fonts; no other file of the window defines a color.

use std::path::Path;
use std::sync::Arc;

use egui::{Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke, TextStyle, Ui};

use super::emoji_font::take_out;
use super::missing;
use super::system_fonts::SystemFonts;
use crate::model::snapshot::{Settings, Theme};

/// Width of the conversation list.
pub(crate) const LEFT_WIDTH: f32 = 280.0;
/// Width of the delivery column.
pub(crate) const RIGHT_WIDTH: f32 = 300.0;
/// The least width of the conversation while the right column is dragged wider.
pub(crate) const MIDDLE_WIDTH_MIN: f32 = 280.0;
/// Width of the right column while it shows the wire, unless its edge is dragged.
pub(crate) const WIRE_WIDTH: f32 = 400.0;
/// Below this width the delivery column is a drawer.
pub(crate) const DRAWER_BELOW: f32 = 900.0;
/// Below this width there is one column, with Back.
pub(crate) const ONE_COLUMN_BELOW: f32 = 700.0;
/// Height of the bar at the top of each column.
pub(crate) const HEADER_HEIGHT: f32 = 56.0;
/// Minimum height of a control.
pub(crate) const CONTROL_HEIGHT: f32 = 28.0;
/// Corner radius of cards, fields and buttons.
pub(crate) const RADIUS: u8 = 8;

/// A color scheme.
#[derive(Debug)]
pub(crate) struct Colors {
    /// Background of the conversation list.
    pub(crate) side: Color32,
    /// Background of the conversation and of dialogs.
    pub(crate) middle: Color32,
    /// Background of fields and secondary buttons.
    pub(crate) field: Color32,
    /// What the pointer is over.
    pub(crate) hover: Color32,
    /// The selected row.
    pub(crate) selected: Color32,
    /// Behind text that is selected; the text itself is in the accent then.
    selected_text: Color32,
    /// Separator lines.
    pub(crate) line: Color32,
    /// Borders of fields, with enough contrast to be recognized (WCAG 1.4.11).
    pub(crate) border: Color32,
    /// Text.
    pub(crate) text: Color32,
    /// Times, addresses, hints; also states that need no action.
    pub(crate) weak: Color32,
    /// Main buttons, focus ring, links.
    pub(crate) accent: Color32,
    /// Main buttons under the pointer.
    pub(crate) accent_hover: Color32,
    /// Text on the accent.
    pub(crate) on_accent: Color32,
    /// Our own bubbles.
    pub(crate) mine: Color32,
    /// The bubbles of others.
    pub(crate) theirs: Color32,
    /// Background of what a search has found.
    pub(crate) mark: Color32,
    /// Not delivered.
    pub(crate) red: Color32,
    /// Background of red text.
    pub(crate) red_soft: Color32,
    /// No report, deferred.
    pub(crate) amber: Color32,
    /// Background of amber text.
    pub(crate) amber_soft: Color32,
    /// Delivered.
    pub(crate) green: Color32,
    /// Background of green text.
    pub(crate) green_soft: Color32,
    /// Backgrounds of the circles with initials.
    pub(crate) avatars: [Color32; 8],
    /// The initials on them.
    pub(crate) on_avatar: Color32,
    /// The layer that dims the window behind dialogs.
    pub(crate) veil: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    let [_, red, green, blue] = hex.to_be_bytes();
    Color32::from_rgb(red, green, blue)
}

static LIGHT: Colors = Colors {
    side: rgb(0x00F4_F5F8),
    middle: rgb(0x00FF_FFFF),
    field: rgb(0x00FF_FFFF),
    hover: rgb(0x00E9_EBF0),
    selected: rgb(0x00DD_E5FB),
    selected_text: rgb(0x00CB_DBFF),
    line: rgb(0x00E1_E4EA),
    border: rgb(0x0085_8E9B),
    text: rgb(0x0017_1A1F),
    weak: rgb(0x005B_6470),
    accent: rgb(0x002B_55D0),
    accent_hover: rgb(0x0021_45AE),
    on_accent: rgb(0x00FF_FFFF),
    mine: rgb(0x00E0_E9FF),
    theirs: rgb(0x00EF_F1F4),
    mark: rgb(0x00FF_E07A),
    red: rgb(0x00B3_261E),
    red_soft: rgb(0x00FC_EBE9),
    amber: rgb(0x007A_4B00),
    amber_soft: rgb(0x00FB_F1DC),
    green: rgb(0x001B_6E32),
    green_soft: rgb(0x00E5_F4E9),
    avatars: [
        rgb(0x0033_5FC0),
        rgb(0x0087_3F9B),
        rgb(0x001F_7371),
        rgb(0x00A1_4A24),
        rgb(0x0041_6B25),
        rgb(0x00A8_3A5B),
        rgb(0x005A_54B8),
        rgb(0x006B_5A1E),
    ],
    on_avatar: rgb(0x00FF_FFFF),
    veil: Color32::from_black_alpha(90),
};

static DARK: Colors = Colors {
    side: rgb(0x0015_181D),
    middle: rgb(0x001B_1F25),
    field: rgb(0x0023_2830),
    hover: rgb(0x0026_2C34),
    selected: rgb(0x0027_3654),
    selected_text: rgb(0x0006_0F28),
    line: rgb(0x002C_323B),
    border: rgb(0x006F_7986),
    text: rgb(0x00E9_ECF0),
    weak: rgb(0x00A7_B0BC),
    accent: rgb(0x007F_A3FF),
    accent_hover: rgb(0x009D_B8FF),
    on_accent: rgb(0x000E_1A36),
    mine: rgb(0x0026_3B66),
    theirs: rgb(0x0029_2F38),
    mark: rgb(0x0066_5000),
    red: rgb(0x00FF_8A80),
    red_soft: rgb(0x0044_2423),
    amber: rgb(0x00F2_B84B),
    amber_soft: rgb(0x0040_3219),
    green: rgb(0x006F_D08C),
    green_soft: rgb(0x001E_3A28),
    avatars: [
        rgb(0x003F_63B0),
        rgb(0x007F_4A92),
        rgb(0x002C_7371),
        rgb(0x0092_5032),
        rgb(0x004B_6E34),
        rgb(0x0097_4560),
        rgb(0x005D_58A8),
        rgb(0x006C_5E2E),
    ],
    on_avatar: rgb(0x00FF_FFFF),
    veil: Color32::from_black_alpha(140),
};

/// The colors in use.
pub(crate) fn colors(ui: &Ui) -> &'static Colors {
    of(ui.visuals().dark_mode)
}

const fn of(dark: bool) -> &'static Colors {
    if dark { &DARK } else { &LIGHT }
}

/// Ordinary text.
pub(crate) fn regular(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Emphasized text.
pub(crate) fn strong(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("strong".into()))
}

/// Asks this system for the characters that our fonts lack. The tests do without: their pictures are the same everywhere.
pub(crate) fn use_system_fonts(ctx: &egui::Context) {
    ctx.add_font_provider(Arc::new(SystemFonts::new()));
}

/// Installs the fonts and both styles, once at the start.
pub(crate) fn install(ctx: &egui::Context) {
    let mut fonts = fonts();
    let emoji = take_out(&mut fonts);
    ctx.set_fonts(fonts);
    ctx.add_font_provider(emoji);
    ctx.add_glyph_rasterizer(missing::boxes());
    ctx.options_mut(|options| {
        options.zoom_with_keyboard = false;
        options.quit_shortcuts.clear();
        options.fallback_theme = if desktop_is_dark() { egui::Theme::Dark } else { egui::Theme::Light };
    });
    ctx.style_mut_of(egui::Theme::Light, |style| dress(style, &LIGHT));
    ctx.style_mut_of(egui::Theme::Dark, |style| dress(style, &DARK));
}

/// Applies theme and scale from the settings; cheap if they have not changed.
pub(crate) fn apply(ctx: &egui::Context, settings: &Settings) {
    let theme = match settings.theme {
        Theme::System => egui::ThemePreference::System,
        Theme::Light => egui::ThemePreference::Light,
        Theme::Dark => egui::ThemePreference::Dark,
    };
    if ctx.options(|options| options.theme_preference) != theme {
        ctx.set_theme(theme);
    }
    let scale = settings.scale.clamp(0.75, 3.0);
    if (ctx.zoom_factor() - scale).abs() > 0.001 {
        ctx.set_zoom_factor(scale);
    }
}

/// The color that dims the window behind a dialog.
pub(crate) const fn veil(dark: bool) -> Color32 {
    of(dark).veil
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let files: [(&str, &'static [u8]); 2] = [
        ("Inter", include_bytes!("../../../assets/fonts/Inter-Regular.otf")),
        ("Inter SemiBold", include_bytes!("../../../assets/fonts/Inter-SemiBold.otf")),
    ];
    for (name, bytes) in files {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let rest = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    for (family, name) in
        [(FontFamily::Proportional, "Inter"), (FontFamily::Name("strong".into()), "Inter SemiBold")]
    {
        let names = std::iter::once(name.to_owned()).chain(rest.iter().cloned()).collect();
        fonts.families.insert(family, names);
    }
    fonts
}

fn dress(style: &mut egui::Style, colors: &Colors) {
    style.text_styles = [
        (TextStyle::Small, regular(12.0)),
        (TextStyle::Body, regular(14.0)),
        (TextStyle::Button, regular(13.5)),
        (TextStyle::Heading, strong(17.0)),
        (TextStyle::Monospace, FontId::new(12.5, FontFamily::Monospace)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = egui::vec2(8.0, 8.0);
    spacing.button_padding = egui::vec2(12.0, 5.0);
    spacing.interact_size = egui::vec2(CONTROL_HEIGHT, CONTROL_HEIGHT);
    spacing.icon_width = 18.0;
    spacing.icon_width_inner = 11.0;
    spacing.icon_spacing = 8.0;
    spacing.window_margin = egui::Margin::same(20);
    spacing.menu_margin = egui::Margin::same(4);
    // No bounce at the end of a scroll area: it would keep the window repainting.
    spacing.scroll.kinetic.rubber_band = false;
    spacing.scroll.bar_width = 8.0;
    spacing.scroll.floating_width = 4.0;
    // No blinking caret: it would wake the program twice a second.
    style.visuals.text_cursor.blink = false;
    style.visuals.text_cursor.stroke = Stroke::new(1.5, colors.accent);
    style.interaction.tooltip_delay = 0.4;
    // No animations: the window needs no further frames once something has changed.
    style.animation_time = 0.0;
    paint_visuals(&mut style.visuals, colors);
    paint_widgets(&mut style.visuals.widgets, colors);
}

fn paint_visuals(visuals: &mut egui::Visuals, colors: &Colors) {
    visuals.panel_fill = colors.middle;
    visuals.window_fill = colors.middle;
    visuals.window_stroke = Stroke::new(1.0, colors.line);
    visuals.window_corner_radius = CornerRadius::same(12);
    visuals.menu_corner_radius = CornerRadius::same(RADIUS);
    visuals.extreme_bg_color = colors.field;
    visuals.text_edit_bg_color = Some(colors.field);
    visuals.faint_bg_color = colors.hover;
    visuals.code_bg_color = colors.hover;
    visuals.hyperlink_color = colors.accent;
    visuals.warn_fg_color = colors.amber;
    visuals.error_fg_color = colors.red;
    visuals.weak_text_color = Some(colors.weak);
    visuals.selection.bg_fill = colors.selected_text;
    visuals.selection.stroke = Stroke::new(2.0, colors.accent);
    visuals.slider_trailing_fill = true;
    visuals.handle_shape = egui::style::HandleShape::Circle;
    visuals.disabled_alpha = 0.55;
}

fn paint_widgets(widgets: &mut egui::style::Widgets, colors: &Colors) {
    let radius = CornerRadius::same(RADIUS);
    let look = |fill: Color32, stroke: Stroke, text: Color32| egui::style::WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: stroke,
        corner_radius: radius,
        fg_stroke: Stroke::new(1.5, text),
        expansion: 0.0,
    };
    widgets.noninteractive = look(colors.middle, Stroke::new(1.0, colors.line), colors.text);
    widgets.noninteractive.fg_stroke.width = 1.0;
    widgets.inactive = look(colors.field, Stroke::new(1.0, colors.border), colors.text);
    widgets.hovered = look(colors.hover, Stroke::new(1.0, colors.border), colors.text);
    // egui uses this look for focus and for press: the focus ring must be visible.
    widgets.active = look(colors.hover, Stroke::new(2.0, colors.accent), colors.text);
    widgets.open = look(colors.hover, Stroke::new(1.0, colors.accent), colors.text);
}

/// Under X11 the window system does not say whether the desktop is dark; GTK's settings do.
fn desktop_is_dark() -> bool {
    if let Some(name) = std::env::var_os("GTK_THEME") {
        return name.to_string_lossy().to_lowercase().contains("dark");
    }
    let Some(base) = directories::BaseDirs::new() else {
        return false;
    };
    ["gtk-4.0", "gtk-3.0"]
        .iter()
        .any(|folder| gtk_prefers_dark(&base.config_dir().join(folder).join("settings.ini")))
}

fn gtk_prefers_dark(file: &Path) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| text.lines().any(line_says_dark))
}

fn line_says_dark(line: &str) -> bool {
    let Some((key, value)) = line.split_once('=') else {
        return false;
    };
    match key.trim() {
        "gtk-application-prefer-dark-theme" => matches!(value.trim(), "1" | "true"),
        "gtk-theme-name" => value.to_lowercase().contains("dark"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, WCAG 2.1.
    fn luminance(color: Color32) -> f32 {
        let linear = |channel: u8| {
            let value = f32::from(channel) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(color.r()) + 0.7152 * linear(color.g()) + 0.0722 * linear(color.b())
    }

    fn contrast(one: Color32, other: Color32) -> f32 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_every_ground() {
        for colors in [&LIGHT, &DARK] {
            let grounds =
                [colors.side, colors.middle, colors.hover, colors.selected, colors.mine, colors.theirs];
            for ground in grounds {
                for ink in [colors.text, colors.weak, colors.red, colors.amber, colors.green] {
                    assert!(contrast(ink, ground) >= 4.5, "{ink:?} on {ground:?}: {}", contrast(ink, ground));
                }
            }
            assert!(contrast(colors.on_accent, colors.accent) >= 4.5);
            assert!(contrast(colors.accent, colors.selected_text) >= 4.5);
            for ground in [colors.mine, colors.theirs, colors.field, colors.middle] {
                assert!(
                    contrast(colors.selected_text, ground) > 1.13,
                    "what is selected is seen on {ground:?}"
                );
            }
            assert!(contrast(colors.text, colors.mark) >= 4.5);
            assert!(contrast(colors.red, colors.red_soft) >= 4.5);
            assert!(contrast(colors.amber, colors.amber_soft) >= 4.5);
            assert!(contrast(colors.green, colors.green_soft) >= 4.5);
            assert!(contrast(colors.border, colors.field) >= 3.0);
            for ground in colors.avatars {
                assert!(contrast(colors.on_avatar, ground) >= 4.5, "initials on {ground:?}");
            }
        }
    }

    /// The characters of a text for which nothing is drawn.
    fn undrawn(text: &str) -> Vec<char> {
        let ctx = egui::Context::default();
        install(&ctx);
        let mut undrawn = Vec::new();
        // What is installed is in use from the next frame on.
        for _ in 0..2 {
            let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
                let galley = ui.painter().layout_no_wrap(text.to_owned(), regular(14.0), Color32::BLACK);
                let glyphs = galley.rows.iter().flat_map(|row| row.glyphs.iter());
                undrawn = glyphs.filter(|it| it.uv_rect.is_nothing()).map(|it| it.chr).collect();
            });
            output.textures_delta.clear();
        }
        undrawn
    }

    #[test]
    fn what_no_font_has_is_drawn_as_a_box_and_what_has_no_shape_is_not() {
        assert_eq!(undrawn("Ann \u{6f22}\u{5b57} \u{1f9ff}\u{1fae8}\u{0e01}"), [' ', ' ']);
        for letter in ['\n', '\t', ' ', '\u{200d}', '\u{fe0f}', '\u{202e}', '\u{2009}'] {
            assert!(!missing::is_seen(letter), "{letter:?}");
        }
    }

    #[test]
    fn gtk_settings_tell_a_dark_desktop() {
        assert!(line_says_dark("gtk-application-prefer-dark-theme = 1"));
        assert!(line_says_dark("gtk-theme-name=Adwaita-dark"));
        assert!(!line_says_dark("gtk-application-prefer-dark-theme=false"));
        assert!(!line_says_dark("# gtk"));
    }
}
