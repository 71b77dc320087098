//! A list of rows of unequal height, anchored at its bottom; only the visible rows are laid out.
//!
//! The heights are kept in a Fenwick tree; those not yet measured are guessed. Rows up to one screen above the view are
//! measured before they are scrolled to. The difference from the guess shifts this frame's drawing, and the scroll
//! offset follows in the next frame, so that nothing jumps however wrong the guesses were.

use super::heights::Heights;
use egui::{Rect, ScrollArea, Sense, Ui, UiBuilder, pos2, vec2};

/// Within this distance of the end, the end counts as in view.
const END_SEEN: f64 = 4.0;
/// Part of the view that Page Up and Page Down scroll.
const PAGE: f32 = 0.9;

/// The list's state between frames: heights, and where the view is to scroll to.
#[derive(Debug, Default)]
pub(crate) struct AnchoredList {
    heights: Heights,
    width: f32,
    /// The total height when the scroll area last saw it: a view that was at that end stays at the end.
    total_shown: f64,
    /// Offset to scroll to in the next frame.
    pending: Option<f32>,
    /// First row in view, and the row after the last.
    seen: Option<(usize, usize)>,
    /// First row in view and how much of it is above the view, unless the end is in view.
    top: Option<(usize, f32)>,
    /// Row to scroll into view, and its position there.
    target: Option<(usize, RowPosition)>,
    /// Pages to scroll in the next frame, down or (negative) up.
    pages: f32,
    /// Offset in the last frame.
    offset: f32,
    /// Which list this is: each has a scroll offset of its own.
    id: u64,
}

/// Where in the view a row is placed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RowPosition {
    /// At the top of the view.
    Top,
    /// At the top of the view, with this much of it above.
    Above(f32),
    /// In the middle of the view; at its top if the row is higher than the view.
    Middle,
    /// At the bottom of the view; at its top if the row is higher than the view.
    View,
}

/// What a list needs to know about its contents.
pub(crate) trait Rows {
    /// The number of rows.
    fn count(&self) -> usize;
    /// The estimated height of a row at this width.
    fn guess(&self, index: usize, width: f32) -> f32;
    /// True if the row can be measured and drawn; the height of any other row stays a guess.
    fn loaded(&self, index: usize) -> bool;
    /// The height of a row at this width.
    fn height(&self, ui: &Ui, index: usize, width: f32) -> f32;
    /// Draws a row; `ui` is as wide and as high as the row.
    fn row(&mut self, ui: &mut Ui, index: usize);
}

/// What was in view in a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// First row in view.
    pub(crate) first: usize,
    /// Row after the last in view.
    pub(crate) end: usize,
    /// The end of the list is in view.
    pub(crate) at_bottom: bool,
}

impl AnchoredList {
    /// The list of this number.
    pub(crate) fn of(id: u64) -> Self {
        Self { id, ..Self::default() }
    }

    /// The row at the top of the view, and how much of it is above; none at the end of the list.
    pub(crate) fn place(&self) -> Option<(usize, f32)> {
        self.top
    }

    /// Marks a row as changed: it is measured again when it comes near the view.
    pub(crate) fn changed(&mut self, index: usize) {
        self.heights.forget(index);
    }

    /// Scrolls a row into view in the next frame.
    pub(crate) fn reveal(&mut self, index: usize, place: RowPosition) {
        self.target = Some((index, place));
    }

    /// Rows were removed, or put back: of each row there is now, the place that it had before. What is in view stays.
    pub(crate) fn rearrange(&mut self, places: &[Option<usize>]) {
        self.heights = self.heights.rearranged(places);
        self.total_shown = self.heights.total();
        self.seen = None;
        match self.top.take() {
            Some((top, part)) => {
                let is_there = |place: &Option<usize>| place.is_some_and(|place| place >= top);
                let index =
                    places.iter().position(is_there).unwrap_or_else(|| places.len().saturating_sub(1));
                let is_same = places.get(index).copied().flatten() == Some(top);
                self.target = Some((index, RowPosition::Above(if is_same { part } else { 0.0 })));
            }
            None => self.pending = Some(f32::INFINITY),
        }
    }

    /// The rows that were in view in the last frame.
    pub(crate) fn in_view(&self) -> std::ops::Range<usize> {
        self.seen.map_or(0..0, |(first, end)| first..end)
    }

    /// Scrolls a row into view if it is outside; otherwise nothing moves.
    pub(crate) fn reveal_if_hidden(&mut self, index: usize) {
        let hidden = self.seen.is_none_or(|(first, end)| index <= first || index + 1 >= end);
        if hidden {
            let above = self.seen.is_some_and(|(first, _)| index <= first);
            self.target = Some((index, if above { RowPosition::Top } else { RowPosition::View }));
        }
    }

    /// Scrolls a row into the middle of the view unless all of it is in view.
    pub(crate) fn reveal_inside(&mut self, index: usize) {
        let is_inside =
            self.target.is_none() && self.seen.is_some_and(|(first, end)| index > first && index + 1 < end);
        if !is_inside {
            self.target = Some((index, RowPosition::Middle));
        }
    }

    /// Scrolls so many pages in the next frame; a little of the page before stays in view.
    pub(crate) const fn turn_page(&mut self, pages: f32) {
        self.pages = pages;
    }

    /// Scrolls to the end in the next frame and stays there.
    pub(crate) fn go_to_bottom(&mut self) {
        self.target = None;
        self.pending = Some(f32::INFINITY);
    }

    /// Draws the visible rows.
    pub(crate) fn show(&mut self, ui: &mut Ui, rows: &mut dyn Rows) -> Seen {
        let height = ui.available_height();
        if self.target.is_some() && self.heights.len() == 0 {
            // Otherwise a conversation would show its end for a moment before it is scrolled to where it opens.
            self.adopt(rows, ui.available_width());
            self.total_shown = self.heights.total();
        }
        if let Some((index, place)) = self.target.filter(|(index, _)| *index < self.heights.len()) {
            if !rows.loaded(index) && is_scrolled(ui) {
                self.target = None;
            } else {
                self.measure_for(ui, (index, place), height, rows);
            }
        }
        let offset = self.target_offset(ui, rows).or_else(|| self.turned_offset(height));
        let mut area = ScrollArea::vertical()
            .id_salt(self.id)
            .auto_shrink(false)
            .stick_to_bottom(offset.is_none() && self.target.is_none());
        if let Some(offset) = offset.or_else(|| self.pending.take()) {
            let end = (self.heights.total() as f32 - height).max(0.0);
            area = area.vertical_scroll_offset(offset.min(end));
        }
        let out = area.show_viewport(ui, |ui, view| self.lay_out(ui, view, rows));
        let (mut seen, correction) = out.inner;
        if let Some((index, _)) = self.target {
            // The row to be shown is not there yet: what is shown meanwhile does not count as seen.
            seen.at_bottom = false;
            if index >= self.heights.len() {
                ui.ctx().request_repaint();
            }
        }
        self.seen = Some((seen.first, seen.end));
        self.offset = out.state.unclamped_offset().y + correction;
        if correction.abs() > 0.01 {
            self.pending = Some(out.state.unclamped_offset().y + correction);
            ui.ctx().request_repaint();
        }
        seen
    }

    fn turned_offset(&mut self, height: f32) -> Option<f32> {
        let pages = std::mem::take(&mut self.pages);
        (pages != 0.0).then(|| (self.offset + pages * height * PAGE).max(0.0))
    }

    /// Measures what decides where a row stands in the view: a place within it, or how many rows above it fit, means
    /// nothing while the heights are guesses.
    fn measure_for(&mut self, ui: &Ui, (index, place): (usize, RowPosition), height: f32, rows: &dyn Rows) {
        let mut filled = 0.0;
        for row in (0..=index).rev() {
            self.measure(ui, row, rows);
            filled += self.heights.get(row);
            let is_alone = matches!(place, RowPosition::Top | RowPosition::Above(_));
            if is_alone || filled > height {
                return;
            }
        }
    }

    fn target_offset(&mut self, ui: &Ui, rows: &dyn Rows) -> Option<f32> {
        let (index, place) = self.target?;
        if index >= self.heights.len() {
            return None;
        }
        // Until the row is loaded the view stays around where it is thought to be.
        if rows.loaded(index) {
            self.target = None;
            ui.ctx().request_repaint();
        }
        let (top, bottom) = (self.heights.above(index) as f32, self.heights.above(index + 1) as f32);
        match place {
            RowPosition::Top => Some(top),
            RowPosition::Above(part) => Some(top + part.min(bottom - top)),
            RowPosition::View | RowPosition::Middle if bottom - top > ui.available_height() => Some(top),
            RowPosition::Middle => Some((top.midpoint(bottom) - ui.available_height() / 2.0).max(0.0)),
            RowPosition::View => Some((bottom - ui.available_height()).max(0.0)),
        }
    }

    fn lay_out(&mut self, ui: &mut Ui, view: Rect, rows: &mut dyn Rows) -> (Seen, f32) {
        let width = ui.available_width();
        let held = self.hold_place(view, width);
        self.adopt(rows, width);
        if rows.count() == 0 {
            return (Seen { at_bottom: true, ..Seen::default() }, 0.0);
        }
        if held == HeldRow::Bottom {
            self.measure_end(ui, view.height(), rows);
        }
        let shift = held.offset(&self.heights, view) - view.top();
        let view = view.translate(vec2(0.0, shift));
        let grown = self.measure_above(ui, view, rows);
        let seen = self.draw(ui, view.translate(vec2(0.0, grown)), grown + shift, rows);
        self.total_shown = self.heights.total();
        let all = vec2(width, (self.total_shown as f32).max(view.height()));
        ui.allocate_rect(Rect::from_min_size(ui.max_rect().min, all), Sense::hover());
        (seen, grown + shift)
    }

    /// What must stay in place on the screen, whatever changes in this frame.
    fn hold_place(&self, view: Rect, width: f32) -> HeldRow {
        if f64::from(view.bottom()) >= self.total_shown - rounding(self.total_shown) {
            return HeldRow::Bottom;
        }
        if (self.width - width).abs() <= 0.5 {
            return HeldRow::Offset;
        }
        // A new width turns every height back into a guess, so offsets mean nothing: the row on top is kept.
        let row = self.heights.at(f64::from(view.top()));
        let height = self.heights.get(row).max(1.0);
        HeldRow::Row { row, part: (f64::from(view.top()) - self.heights.above(row)) as f32 / height }
    }

    fn adopt(&mut self, rows: &dyn Rows, width: f32) {
        let known = self.heights.len();
        if (self.width - width).abs() > 0.5 || rows.count() < known {
            self.width = width;
            self.heights = Heights::guessed((0..rows.count()).map(|index| rows.guess(index, width)));
        } else {
            (known..rows.count()).for_each(|index| self.heights.push(rows.guess(index, width)));
        }
    }

    /// Measures as many of the last rows as fill the view.
    fn measure_end(&mut self, ui: &Ui, view_height: f32, rows: &dyn Rows) {
        let mut filled = 0.0;
        for index in (0..rows.count()).rev() {
            self.measure(ui, index, rows);
            filled += self.heights.get(index);
            if filled > view_height {
                return;
            }
        }
    }

    /// Measures the rows from the view's top edge up to one screen above it; returns how much taller they became.
    fn measure_above(&mut self, ui: &Ui, view: Rect, rows: &dyn Rows) -> f32 {
        let mut index = self.heights.at(f64::from(view.top()));
        let mut top = self.heights.above(index);
        let mut grown = 0.0;
        loop {
            // A row that begins inside the view is measured where it is drawn.
            if top < f64::from(view.top()) - 0.5 && !self.heights.is_measured(index) {
                grown += self.measure(ui, index, rows);
            }
            if index == 0 || top <= f64::from(view.top() - view.height()) {
                return grown;
            }
            index -= 1;
            top -= f64::from(self.heights.get(index));
        }
    }

    /// Draws what is in `view`, moved up by `correction`, so that nothing moves on the screen.
    fn draw(&mut self, ui: &mut Ui, view: Rect, correction: f32, rows: &mut dyn Rows) -> Seen {
        // A short conversation is placed at the bottom of the view.
        let pad = (f64::from(view.height()) - self.heights.total()).max(0.0) as f32;
        let origin = ui.max_rect().top() + pad - correction;
        let first = self.heights.at(f64::from(view.top()));
        let mut index = first;
        let mut y = self.heights.above(first) as f32;
        while index < rows.count() && y < view.bottom() {
            self.measure(ui, index, rows);
            let height = self.heights.get(index);
            if rows.loaded(index) {
                let rect =
                    Rect::from_min_size(pos2(ui.max_rect().left(), origin + y), vec2(self.width, height));
                rows.row(&mut ui.new_child(UiBuilder::new().max_rect(rect).id_salt(index)), index);
            }
            y += height;
            index += 1;
        }
        let at_bottom = f64::from(view.bottom()) >= self.heights.total() - END_SEEN;
        let above = f64::from(view.top()) - self.heights.above(first);
        self.top = (!at_bottom).then_some((first, above as f32));
        Seen { first, end: index, at_bottom }
    }

    fn measure(&mut self, ui: &Ui, index: usize, rows: &dyn Rows) -> f32 {
        if rows.loaded(index) { self.heights.set(index, rows.height(ui, index, self.width)) } else { 0.0 }
    }
}

/// Whether the user scrolls or drags in this frame.
fn is_scrolled(ui: &Ui) -> bool {
    ui.input(|input| input.smooth_scroll_delta().y != 0.0 || input.pointer.any_down())
}

/// The scroll area keeps offsets in single precision: this is the largest error of an offset at the end. A larger
/// tolerance would make a slow scroll stick to the end.
fn rounding(total: f64) -> f64 {
    0.5 + total * f64::from(f32::EPSILON) * 2.0
}

/// What stays in place on the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
enum HeldRow {
    /// The end of the list.
    Bottom,
    /// The distance from the beginning of the list.
    Offset,
    /// The row at the view's top edge, and how much of it is above the edge.
    Row { row: usize, part: f32 },
}

impl HeldRow {
    fn offset(self, heights: &Heights, view: Rect) -> f32 {
        match self {
            Self::Bottom => (heights.total() as f32 - view.height()).max(0.0),
            Self::Offset => view.top(),
            Self::Row { row, part } => (heights.above(row) as f32 + part * heights.get(row)).max(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows whose true height is known and far from the guess.
    struct Fake {
        heights: Vec<f32>,
        tops: Vec<(usize, f32)>,
        /// Rows before this one are not loaded.
        first: usize,
    }

    impl Fake {
        fn new(count: usize) -> Self {
            Self {
                heights: (0..count).map(|index| 20.0 + (index * 37 % 90) as f32).collect(),
                tops: Vec::new(),
                first: 0,
            }
        }
    }

    impl Rows for Fake {
        fn count(&self) -> usize {
            self.heights.len()
        }
        fn guess(&self, _index: usize, width: f32) -> f32 {
            20_000.0 / width
        }
        fn loaded(&self, index: usize) -> bool {
            index >= self.first
        }
        fn height(&self, _ui: &Ui, index: usize, _width: f32) -> f32 {
            self.heights[index]
        }
        fn row(&mut self, ui: &mut Ui, index: usize) {
            assert_eq!(ui.max_rect().height(), self.heights[index]);
            self.tops.push((index, ui.max_rect().top()));
        }
    }

    /// Draws one frame of a window 400 wide and 300 high; returns what was seen and where each row was drawn.
    fn frame(ctx: &egui::Context, list: &mut AnchoredList, rows: &mut Fake, wheel: f32, width: f32) -> Seen {
        let mut input = egui::RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(400.0, 300.0))),
            events: vec![egui::Event::PointerMoved(pos2(100.0, 100.0))],
            ..Default::default()
        };
        if wheel != 0.0 {
            input.events.push(egui::Event::MouseWheel {
                unit: egui::MouseWheelUnit::Point,
                source: egui::MouseWheelSource::Trackpad,
                delta: vec2(0.0, wheel),
                phase: egui::TouchPhase::Move,
                modifiers: egui::Modifiers::NONE,
            });
        }
        rows.tops.clear();
        let mut seen = Seen::default();
        let output = ctx.run_ui(input, |ui| {
            rows.tops.clear();
            let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(width, 300.0));
            ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| seen = list.show(ui, rows));
        });
        output.drop_without_applying_deltas();
        seen
    }

    fn settled(ctx: &egui::Context, list: &mut AnchoredList, rows: &mut Fake, width: f32) -> Seen {
        (0..8).map(|_| frame(ctx, list, rows, 0.0, width)).last().unwrap()
    }

    #[test]
    fn it_opens_at_the_end_and_stays_there() {
        let (ctx, mut list, mut rows) = (egui::Context::default(), AnchoredList::default(), Fake::new(1000));
        let seen = settled(&ctx, &mut list, &mut rows, 400.0);
        assert_eq!((seen.end, seen.at_bottom), (1000, true));
        rows.heights.push(44.0);
        let seen = frame(&ctx, &mut list, &mut rows, 0.0, 400.0);
        assert_eq!((seen.end, seen.at_bottom), (1001, true), "a new row is seen in the very frame");
    }

    #[test]
    fn scrolling_up_never_jumps() {
        let (ctx, mut list, mut rows) = (egui::Context::default(), AnchoredList::default(), Fake::new(1000));
        settled(&ctx, &mut list, &mut rows, 400.0);
        let mut before = rows.tops.clone();
        let mut moved = 0;
        for _ in 0..400 {
            frame(&ctx, &mut list, &mut rows, 33.0, 400.0);
            let steps: Vec<f32> = rows
                .tops
                .iter()
                .filter_map(|(row, top)| before.iter().find(|(old, _)| old == row).map(|(_, was)| top - was))
                .collect();
            assert!(!rows.tops.is_empty(), "no frame is blank");
            let spread = steps.iter().fold(0.0_f32, |most, step| most.max((step - steps[0]).abs()));
            assert!(spread < 1.0, "rows kept their distances: {steps:?}");
            assert!(steps.iter().all(|step| (-0.5..=70.0).contains(step)), "{steps:?}");
            moved += usize::from(steps.iter().any(|step| *step > 1.0));
            before.clone_from(&rows.tops);
        }
        assert!(moved > 300, "it did scroll: {moved}");
    }

    #[test]
    fn a_new_width_keeps_the_bottom_or_the_row_at_the_top() {
        let (ctx, mut list, mut rows) = (egui::Context::default(), AnchoredList::default(), Fake::new(1000));
        settled(&ctx, &mut list, &mut rows, 400.0);
        assert!(
            frame(&ctx, &mut list, &mut rows, 0.0, 320.0).end == 1000,
            "the last row is seen in the very frame"
        );
        assert!(settled(&ctx, &mut list, &mut rows, 320.0).at_bottom);
        list.reveal(400, RowPosition::Top);
        let first = settled(&ctx, &mut list, &mut rows, 320.0).first;
        assert_eq!(first, 400);
        frame(&ctx, &mut list, &mut rows, 0.0, 250.0);
        assert!(!rows.tops.is_empty());
        assert_eq!(settled(&ctx, &mut list, &mut rows, 250.0).first, 400);
    }

    #[test]
    fn a_row_that_is_loaded_later_comes_to_the_middle_of_the_view() {
        let (ctx, mut list, mut rows) = (egui::Context::default(), AnchoredList::default(), Fake::new(1000));
        rows.first = 700;
        settled(&ctx, &mut list, &mut rows, 400.0);
        list.reveal_inside(200);
        let seen = settled(&ctx, &mut list, &mut rows, 400.0);
        assert!(seen.first <= 200 && seen.end > 200 && !seen.at_bottom, "{seen:?}");
        rows.first = 100;
        settled(&ctx, &mut list, &mut rows, 400.0);
        let middle = |rows: &Fake| {
            let top = rows.tops.iter().find(|(row, _)| *row == 200).unwrap().1;
            top + rows.heights[200] / 2.0
        };
        assert!((middle(&rows) - 150.0).abs() < 2.0, "{}", middle(&rows));
        // What is in view already stays where it is.
        list.reveal_inside(201);
        let before = rows.tops.clone();
        settled(&ctx, &mut list, &mut rows, 400.0);
        assert_eq!(rows.tops, before);
        // Whoever scrolls meanwhile is not pulled back.
        rows.first = 700;
        list.reveal_inside(50);
        frame(&ctx, &mut list, &mut rows, 33.0, 400.0);
        rows.first = 0;
        let seen = settled(&ctx, &mut list, &mut rows, 400.0);
        assert!(seen.first > 100, "{seen:?}");
    }

    #[test]
    fn an_empty_list_is_at_its_bottom() {
        let (ctx, mut list, mut rows) = (egui::Context::default(), AnchoredList::default(), Fake::new(0));
        assert!(frame(&ctx, &mut list, &mut rows, 0.0, 400.0).at_bottom);
        rows.heights.push(30.0);
        assert_eq!(settled(&ctx, &mut list, &mut rows, 400.0).end, 1);
        assert_eq!(rows.tops, [(0, 300.0 - rows.heights[0])], "a short list stands at the foot");
    }

    #[test]
    fn sums_find_their_rows() {
        let mut heights = Heights::guessed([10.0, 20.0, 30.0].into_iter());
        heights.push(40.0);
        heights.push(5.0);
        assert_eq!((heights.above(3), heights.total()), (60.0, 105.0));
        heights.set(1, 25.0);
        assert_eq!(
            (heights.above(2), heights.at(34.9), heights.at(35.0), heights.at(9000.0)),
            (35.0, 1, 2, 4)
        );
    }
}
