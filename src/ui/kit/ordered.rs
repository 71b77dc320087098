//! Lays out text with words from right to left: in the pieces that [`super::bidi`] has put in order.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use egui::text::{ByteIndex, LayoutJob, LayoutSection, TextFormat, TextWrapping};
use egui::{Galley, Rect, Ui, pos2};

use super::bidi::{self, OrderedLine, Piece};
use crate::limits::{LINE_CHARS_MAX, ORDERED_BYTES_MAX, ORDERS_REMEMBERED_MAX};

/// Text in the order in which it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ordered {
    job: LayoutJob,
    /// Where the pieces of what is isolated stand, such as links: which it is, its line, and from where to where.
    places: Vec<(usize, usize, Range<f32>)>,
}

impl Ordered {
    /// Lays it out.
    pub(crate) fn galley(&self, ui: &Ui) -> Arc<Galley> {
        ui.painter().layout_job(self.job.clone())
    }

    /// Where what was isolated stands in it.
    pub(crate) fn places(&self, galley: &Galley) -> Vec<(usize, Rect)> {
        let rect = |(index, line, x): &(usize, usize, Range<f32>)| {
            let row = galley.rows.get(*line)?.rect();
            Some((*index, Rect::from_min_max(pos2(x.start, row.top()), pos2(x.end, row.bottom()))))
        };
        self.places.iter().filter_map(rect).collect()
    }
}

/// What is remembered, with the frame in which it was used last.
type Remembered = BTreeMap<u64, (Arc<Ordered>, u64)>;

/// The text of a job, on lines that are no wider than its wrapping says; none if nothing in it is written from right to
/// left. What is isolated, such as a link, keeps its own order.
pub(crate) fn ordered(ui: &Ui, job: &LayoutJob, isolated: &[Range<usize>]) -> Option<Arc<Ordered>> {
    if job.text.len() > ORDERED_BYTES_MAX || !bidi::has_rtl(&job.text) {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    (job, ui.ctx().pixels_per_point().to_bits()).hash(&mut hasher);
    let (key, frame) = (hasher.finish(), ui.ctx().cumulative_frame_nr());
    let id = egui::Id::unique("texts in order");
    let known = ui.data_mut(|data| {
        let all: &mut Remembered = data.get_temp_mut_or_default(id);
        all.get_mut(&key).map(|(it, used)| {
            *used = frame;
            Arc::clone(it)
        })
    });
    Some(known.unwrap_or_else(|| {
        let made = Arc::new(in_order(ui, job, isolated));
        ui.data_mut(|data| {
            let all: &mut Remembered = data.get_temp_mut_or_default(id);
            if all.len() >= ORDERS_REMEMBERED_MAX {
                all.retain(|_, (_, used)| *used + 1 >= frame);
            }
            if all.len() >= ORDERS_REMEMBERED_MAX {
                all.clear();
            }
            all.insert(key, (Arc::clone(&made), frame));
        });
        made
    }))
}

fn in_order(ui: &Ui, job: &LayoutJob, isolated: &[Range<usize>]) -> Ordered {
    let mut cuts: Vec<usize> = job.sections.iter().map(|section| section.byte_range.start.0).collect();
    cuts.extend(isolated.iter().flat_map(|range| [range.start, range.end]));
    cuts.sort_unstable();
    let width = job.wrap.max_width;
    let lines = bidi::lines(&job.text, (isolated, &cuts), width, |part| {
        wide(ui, job, &[Piece { place: part, mirrored: None }])
    });
    let mut made = Ordered::default();
    let mut begins = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            let format = job.sections.first().map(|section| section.format.clone()).unwrap_or_default();
            push(&mut made.job, "\n", format);
        }
        begins.push(made.job.sections.len());
        line.pieces.iter().for_each(|piece| append(&mut made.job, job, piece));
        made.places.extend(places(ui, job, isolated, (at, line)));
    }
    let rows = made_rows(ui, &made.job);
    align(&mut made, &lines, &begins, &rows);
    made
}

fn made_rows(ui: &Ui, job: &LayoutJob) -> Vec<f32> {
    ui.painter().layout_job(job.clone()).rows.iter().map(|placed| placed.row.size.x).collect()
}

/// Moves the lines that begin at the right to there: as far as the widest line reaches.
fn align(made: &mut Ordered, lines: &[OrderedLine], begins: &[usize], rows: &[f32]) {
    let widest = rows.iter().copied().fold(0.0, f32::max);
    let mut moved = vec![0.0; lines.len()];
    for (((line, begin), row), by) in lines.iter().zip(begins).zip(rows).zip(&mut moved) {
        if line.is_rtl
            && let Some(first) = made.job.sections.get_mut(*begin)
        {
            // Whole points: what is a fraction wider than the widest line would wrap nowhere, but blur.
            *by = (widest - row).floor().max(0.0);
            first.leading_space = *by;
        }
    }
    for (_, line, x) in &mut made.places {
        let by = moved.get(*line).copied().unwrap_or_default();
        *x = x.start + by..x.end + by;
    }
}

/// Where what is isolated stands in a line.
fn places(
    ui: &Ui,
    job: &LayoutJob,
    isolated: &[Range<usize>],
    (at, line): (usize, &OrderedLine),
) -> Vec<(usize, usize, Range<f32>)> {
    if isolated.is_empty() {
        return Vec::new();
    }
    let mut x = 0.0;
    let place = |piece: &Piece| {
        let start = x;
        x += wide(ui, job, std::slice::from_ref(piece));
        let index = isolated.partition_point(|range| range.end <= piece.place.start);
        isolated.get(index).filter(|range| range.start < piece.place.end)?;
        Some((index, at, start..x))
    };
    line.pieces.iter().filter_map(place).collect()
}

/// The width of pieces that stand side by side.
fn wide(ui: &Ui, job: &LayoutJob, pieces: &[Piece]) -> f32 {
    let mut alone = LayoutJob::default();
    pieces.iter().for_each(|piece| append(&mut alone, job, piece));
    let galley = ui.painter().layout_job(alone);
    galley.rows.first().map_or(0.0, |placed| placed.row.size.x)
}

/// Appends a piece, in its look.
fn append(to: &mut LayoutJob, job: &LayoutJob, piece: &Piece) {
    let first = job.sections.partition_point(|section| section.byte_range.end.0 <= piece.place.start);
    for section in
        job.sections.iter().skip(first).take_while(|section| section.byte_range.start.0 < piece.place.end)
    {
        let start = section.byte_range.start.0.max(piece.place.start);
        let end = section.byte_range.end.0.min(piece.place.end);
        let mut mirrored = [0; 4];
        let text = match piece.mirrored {
            Some(letter) => &*letter.encode_utf8(&mut mirrored),
            None => job.text.get(start..end).unwrap_or_default(),
        };
        push(to, text, section.format.clone());
    }
}

/// Appends text in a section of its own, which is shaped by itself; egui's own way makes one of two that look the same.
fn push(to: &mut LayoutJob, text: &str, format: TextFormat) {
    let start = ByteIndex(to.text.len());
    to.text.push_str(text);
    let byte_range = start..ByteIndex(to.text.len());
    to.sections.push(LayoutSection { leading_space: 0.0, byte_range, format });
}

/// One line in order, cut with … at `width`; none if nothing in it is written from right to left.
pub(super) fn one_line(ui: &Ui, text: &str, format: &TextFormat, width: f32) -> Option<Arc<Galley>> {
    if !bidi::has_rtl(text) {
        return None;
    }
    let end = text.char_indices().nth(LINE_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    // As egui does with lines that are cut: no second one.
    let text = text.get(..end).unwrap_or_default().replace('\n', " ");
    let set = |text: &str| {
        let job = LayoutJob::single_section(text.to_owned(), format.clone());
        let mut line = LayoutJob { wrap: TextWrapping::no_max_width(), ..LayoutJob::default() };
        bidi::one_line(text).pieces.iter().for_each(|piece| append(&mut line, &job, piece));
        ui.painter().layout_job(line)
    };
    let whole = set(&text);
    if whole.size().x <= width {
        return Some(whole);
    }
    let cuts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let cut = |at: &usize| set(&format!("{}…", text.get(..*at).unwrap_or_default().trim_end()));
    let fits = cuts.partition_point(|at| cut(at).size().x <= width);
    Some(cuts.get(fits.saturating_sub(1)).map_or(whole, cut))
}

#[cfg(test)]
mod tests {
    use egui::{Color32, FontId};

    use super::*;

    /// What a frame of a window says.
    fn in_a_frame<T>(ctx: &egui::Context, mut say: impl FnMut(&Ui) -> T) -> T {
        let mut said = None;
        let mut output = ctx.run_ui(egui::RawInput::default(), |ui| said = Some(say(ui)));
        output.textures_delta.clear();
        said.unwrap()
    }

    fn plain() -> TextFormat {
        TextFormat::simple(FontId::proportional(14.0), Color32::BLACK)
    }

    #[test]
    fn what_is_remembered_has_an_end_and_so_has_a_line() {
        let ctx = egui::Context::default();
        let remembered = |ui: &Ui| {
            let id = egui::Id::unique("texts in order");
            ui.data(|data| data.get_temp::<Remembered>(id).unwrap_or_default().len())
        };
        for frame in 0..4 {
            let most = in_a_frame(&ctx, |ui| {
                let texts = (0..150).map(|number| format!("שלום {frame} {number}"));
                for text in texts {
                    let job = LayoutJob::single_section(text, plain());
                    assert!(ordered(ui, &job, &[]).is_some());
                }
                remembered(ui)
            });
            assert!((1..=ORDERS_REMEMBERED_MAX).contains(&most), "{most}");
        }
        in_a_frame(&ctx, |ui| {
            let line = one_line(ui, &"שa ".repeat(100_000), &plain(), f32::INFINITY).unwrap();
            assert!(line.job.text.chars().count() <= LINE_CHARS_MAX);
            let long = LayoutJob::single_section("ש".repeat(ORDERED_BYTES_MAX / 2 + 1), plain());
            assert!(ordered(ui, &long, &[]).is_none(), "it stands as it was written");
        });
    }

    #[test]
    fn a_paragraph_from_right_to_left_begins_at_the_right_and_a_long_line_is_cut_at_its_end() {
        let ctx = egui::Context::default();
        in_a_frame(&ctx, |ui| {
            let job = LayoutJob::single_section("שלום\nHello to everybody here".to_owned(), plain());
            let galley = ordered(ui, &job, &[]).unwrap().galley(ui);
            let ends = galley.rows[0].row.glyphs.iter().map(|glyph| glyph.pos.x + glyph.advance_width);
            let right = ends.fold(0.0, f32::max);
            assert!((right - galley.rows[1].row.size.x).abs() < 2.0, "{right}");
            let line = one_line(ui, &"שלום עולם ".repeat(9), &plain(), 100.0).unwrap();
            assert!(line.size().x <= 100.0 && line.job.text.starts_with('…'), "{:?}", line.job.text);
        });
    }
}
