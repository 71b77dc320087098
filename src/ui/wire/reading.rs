//! One message in full: as it passed, or as our reader and rsip read it, side by side.

use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat};
use egui::{FontFamily, FontId, RichText, ScrollArea, Ui, vec2};

use crate::inspect::{ComparedLine, Comparison, Traced, compare};
use crate::limits::TRACE_SHOWN_BYTES_MAX;
use crate::terminal;
use crate::ui::actions::Act;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{banner, hint, pill, small_button};
use crate::ui::kit::words::Look;
use crate::ui::text::say;

/// Room for the names of fields beside the two readings.
const NAMES: f32 = 92.0;
/// Between the columns of the two readings.
const GAP: f32 = 12.0;

/// How a message is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// As it passed, without its secrets.
    #[default]
    Text,
    /// Field by field, by both readers.
    Fields,
}

/// What was read of the message that is shown: not made anew in each frame.
#[derive(Debug, Default)]
pub(super) struct Reading {
    shown: Form,
    /// Of this message.
    of: Option<usize>,
    comparison: Option<Comparison>,
    text: Arc<str>,
}

impl Reading {
    fn take(&mut self, place: usize, traced: &Traced) {
        if self.of == Some(place) {
            return;
        }
        let bytes = &traced.wire.bytes;
        let shown = bytes.get(..TRACE_SHOWN_BYTES_MAX).unwrap_or(bytes);
        let mut text = visible(&String::from_utf8_lossy(shown).replace("\r\n", "\n"));
        if shown.len() < bytes.len() {
            text.push_str(&format!("\n{}", say!("more-bytes", count = bytes.len() - shown.len())));
        }
        (self.of, self.text, self.comparison) = (Some(place), text.into(), Some(compare(traced)));
    }
}

/// Draws the message at this place.
pub(super) fn reading_ui(
    ui: &mut Ui,
    reading: &mut Reading,
    (place, traced): (usize, &Traced),
    look: &Look,
    acts: &mut Vec<Act>,
) {
    reading.take(place, traced);
    let wire = &traced.wire;
    ui.horizontal_wrapped(|ui| {
        for (shown, label) in [(Form::Text, say!("form-text")), (Form::Fields, say!("form-fields"))] {
            if pill(ui, reading.shown == shown, label).clicked() {
                reading.shown = shown;
            }
        }
        if small_button(ui, say!("copy-message")).clicked() {
            acts.push(Act::Copy(reading.text.to_string()));
        }
    });
    let (at, transport) = (look.clock_millis(wire.at), wire.transport);
    hint(
        ui,
        &say!(
            "wire-facts",
            at = at,
            transport = transport,
            from = wire.from,
            to = wire.to,
            count = wire.bytes.len()
        ),
    );
    if let Some(mark) = wire.mark {
        ui.colored_label(colors(ui).red, say!("what-fault-did", what = mark));
    }
    let comparison = reading.comparison.as_ref().filter(|_| reading.shown == Form::Fields);
    // Both readings fit into the width; lines of the text stay whole.
    let area = if comparison.is_some() { ScrollArea::vertical() } else { ScrollArea::both() };
    area.id_salt("wire message").auto_shrink(false).show(ui, |ui| match comparison {
        Some(comparison) => fields_ui(ui, comparison),
        None => {
            let job = highlighted(ui, &reading.text);
            ui.add(egui::Label::new(job).selectable(true).extend());
        }
    });
}

/// The text with what cannot be seen shown as codes, line by line.
fn visible(text: &str) -> String {
    text.split('\n').map(terminal::shown).collect::<Vec<_>>().join("\n")
}

/// The start line and the names of the fields stand out.
fn highlighted(ui: &Ui, text: &str) -> LayoutJob {
    let font = FontId::new(12.0, FontFamily::Monospace);
    let ink = |color| TextFormat::simple(font.clone(), color);
    let colors = colors(ui);
    let mut job = LayoutJob::default();
    let (head, body) = text.split_once("\n\n").map_or((text, None), |(head, body)| (head, Some(body)));
    for (number, line) in head.split('\n').enumerate() {
        if number > 0 {
            job.append("\n", 0.0, ink(colors.text));
        }
        match line.split_once(':') {
            Some((name, value)) if number > 0 && !line.starts_with([' ', '\t']) => {
                job.append(name, 0.0, ink(colors.accent));
                job.append(":", 0.0, ink(colors.weak));
                job.append(value, 0.0, ink(colors.text));
            }
            _ if number == 0 => job.append(line, 0.0, ink(colors.green)),
            _ => job.append(line, 0.0, ink(colors.text)),
        }
    }
    if let Some(body) = body {
        job.append("\n\n", 0.0, ink(colors.text));
        job.append(body, 0.0, ink(colors.text));
    }
    job
}

/// Both readings, line by line, side by side also where there is little room; where they are not the same, both are marked.
fn fields_ui(ui: &mut Ui, comparison: &Comparison) {
    let colors = colors(ui);
    let errors = [("Fanfare", &comparison.our_error), ("rsip", &comparison.their_error)];
    for (who, error) in errors {
        if let Some(error) = error {
            banner(ui, &say!("reader-cannot-read", reader = who, why = error), colors.red, colors.red_soft);
        }
    }
    if !comparison.differs() {
        hint(ui, say!("readers-agree"));
    }
    let most = ((ui.available_width() - NAMES - 2.0 * GAP) / 2.0).max(NAMES);
    egui::Grid::new("both readings")
        .num_columns(3)
        .max_col_width(most)
        .spacing(vec2(GAP, 4.0))
        .min_row_height(20.0)
        .striped(true)
        .show(ui, |ui| {
            for title in [say!("field-title"), "Fanfare", "rsip"] {
                ui.label(RichText::new(title).font(theme::strong(12.5)));
            }
            ui.end_row();
            for line in &comparison.lines {
                line_ui(ui, line);
            }
        });
}

fn line_ui(ui: &mut Ui, line: &ComparedLine) {
    let colors = colors(ui);
    let (ink, ground) = if line.differs() {
        (colors.red, colors.red_soft)
    } else {
        (colors.text, egui::Color32::TRANSPARENT)
    };
    ui.label(RichText::new(&line.name).size(12.5).color(colors.accent));
    for value in [&line.ours, &line.theirs] {
        let value = value.as_deref().unwrap_or("–");
        let value = visible(value);
        ui.label(RichText::new(value).size(12.5).color(ink).background_color(ground));
    }
    ui.end_row();
}
