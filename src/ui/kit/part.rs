//! Which part of a long text a field shows. egui lays out the whole text of a field, at some 180 bytes for each letter, and
//! again for each letter that is typed. So a field gets a part of it at most, which moves along when it is scrolled, or when
//! the cursor goes elsewhere.

use std::ops::Range;

use egui::style::ScrollAnimation;
use egui::text::{CCursor, CCursorRange, LayoutJob, LayoutSection};
use egui::text_edit::{TextEditOutput, TextEditState};
use egui::util::undoer::{Settings, Undoer};
use egui::{Context, Event, Galley, Id, ImeEvent, Key, Response, TextEdit, Ui, vec2};

/// A text of more bytes is shown in parts.
const WHOLE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a part; the last one has up to [`STEP_BYTES`] more, or less.
const PART_BYTES: usize = 32 * 1024;
/// By how many bytes a part begins earlier when it moves up.
const STEP_BYTES: usize = PART_BYTES / 4;
/// Points above and below what is seen that a part has, so that it moves before its edge is seen.
const MARGIN: f32 = 300.0;

/// The part of a field's text that is shown.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    /// Its first byte.
    from: usize,
    /// The byte of the text at which the cursor is, while that is outside the part.
    cursor: Option<usize>,
    /// The whole text is selected.
    is_all: bool,
    /// The cursor is to be scrolled into view.
    is_revealed: bool,
}

impl Part {
    fn load(ctx: &Context, id: Id) -> Self {
        ctx.data_mut(|data| data.get_temp(id)).unwrap_or_default()
    }

    fn store(self, ctx: &Context, id: Id) {
        ctx.data_mut(|data| data.insert_temp(id, self));
    }

    /// The bytes that are shown.
    fn range(&self, text: &str) -> Range<usize> {
        if text.len() <= WHOLE_BYTES_MAX {
            return 0..text.len();
        }
        let from = text.floor_char_boundary(self.from.min(text.len() - STEP_BYTES));
        // Little that would be left at the end belongs to it, so that it need not move once more for that.
        let end = from + PART_BYTES;
        from..if end + STEP_BYTES >= text.len() { text.len() } else { text.ceil_char_boundary(end) }
    }
}

const fn is_long(text: &str) -> bool {
    text.len() > WHOLE_BYTES_MAX
}

fn chars(text: &str, range: Range<usize>) -> usize {
    text.get(range).map_or(0, |text| text.chars().count())
}

/// The byte of this character of the part.
fn byte(text: &str, range: &Range<usize>, index: CCursor) -> usize {
    let part = text.get(range.clone()).unwrap_or_default();
    range.start + part.char_indices().nth(index.index.0).map_or(part.len(), |(byte, _)| byte)
}

/// The first byte of a word at or after this one, if there is one before the end of the range.
fn word(text: &str, range: Range<usize>) -> usize {
    let space = text.get(range.clone()).and_then(|text| text.char_indices().find(|it| it.1.is_whitespace()));
    space.map_or(range.start, |(at, space)| range.start + at + space.len_utf8())
}

fn state(ctx: &Context, id: Id) -> TextEditState {
    keep_no_copies(ctx, id);
    TextEditState::load(ctx, id).unwrap_or_default()
}

/// Turns egui's own history off: it would keep a copy of the whole text for every change.
pub(super) fn keep_no_copies(ctx: &Context, id: Id) {
    if TextEditState::load(ctx, id).is_none() {
        let mut state = TextEditState::default();
        state.set_undoer(Undoer::with_settings(Settings { max_undos: 0, ..Settings::default() }));
        state.store(ctx, id);
    }
}

/// Forgets which part a field shows, and where its cursor is.
pub(super) fn forget(ctx: &Context, id: Id) {
    ctx.data_mut(|data| {
        data.remove::<Part>(id);
        data.remove::<TextEditState>(id);
    });
    // That there is such a state tells a field from other widgets.
    keep_no_copies(ctx, id);
}

/// The same for all fields.
pub(super) fn forget_all(ctx: &Context) {
    ctx.data_mut(|data| {
        data.remove_by_type::<Part>();
        data.remove_by_type::<TextEditState>();
    });
}

/// Selects these characters of what a field shows.
pub(super) fn select(ctx: &Context, id: Id, range: Option<Range<usize>>) {
    let mut state = state(ctx, id);
    let range = range.map(|range| CCursorRange::two(CCursor::new(range.start), CCursor::new(range.end)));
    state.cursor.set_char_range(range);
    state.store(ctx, id);
}

/// The bytes of the text that are selected, with the cursor last; none if the field has never had the focus.
fn selection(ctx: &Context, id: Id, text: &str) -> Option<(usize, usize)> {
    let part = Part::load(ctx, id);
    if part.is_all && is_long(text) {
        return Some((0, text.len()));
    }
    if let Some(at) = part.cursor.filter(|_| is_long(text)) {
        return Some((at, at));
    }
    let (range, chosen) = (part.range(text), TextEditState::load(ctx, id)?.cursor.char_range()?);
    Some((byte(text, &range, chosen.secondary), byte(text, &range, chosen.primary)))
}

/// The byte of a field's text at which its cursor is; none if it has never had the focus.
pub(super) fn cursor(ctx: &Context, id: Id, text: &str) -> Option<usize> {
    selection(ctx, id, text).map(|(_, cursor)| cursor)
}

/// Puts the cursor at this byte of the text, and shows the part around it.
pub(super) fn set_cursor(ctx: &Context, id: Id, text: &str, at: usize) {
    let at = text.floor_char_boundary(at);
    let mut part = Part { cursor: None, is_all: false, is_revealed: true, ..Part::load(ctx, id) };
    let shown = part.range(text);
    let is_inside = (shown.start == 0 || at >= shown.start + STEP_BYTES)
        && (shown.end == text.len() || at + STEP_BYTES <= shown.end);
    if is_long(text) && !is_inside {
        let from = text.floor_char_boundary(at.saturating_sub(PART_BYTES / 2));
        part.from = if from == 0 { 0 } else { word(text, from..at) };
    }
    let chars = chars(text, part.range(text).start..at);
    part.store(ctx, id);
    select(ctx, id, Some(chars..chars));
}

/// Does what concerns more of a long text than the part that is shown, before egui sees it; true if it changed the text.
pub(super) fn take_events(ui: &Ui, id: Id, text: &mut String) -> bool {
    let pasted = |event: &Event| if let Event::Paste(pasted) = event { pasted.len() } else { 0 };
    let more: usize = ui.input(|input| input.events.iter().map(pasted).sum());
    if text.len() + more <= WHOLE_BYTES_MAX {
        return false;
    }
    let before = text.len();
    let events = ui.input_mut(|input| std::mem::take(&mut input.events));
    let left = events.into_iter().filter(|event| !take(ui.ctx(), id, text, event)).collect();
    ui.input_mut(|input| input.events = left);
    text.len() != before
}

/// True if nothing is left to do for egui.
#[expect(clippy::wildcard_enum_match_arm, reason = "egui does the rest")]
fn take(ctx: &Context, id: Id, text: &mut String, event: &Event) -> bool {
    let part = Part::load(ctx, id);
    match event {
        Event::Paste(pasted) => replace_selection(ctx, id, text, pasted),
        Event::Copy if part.is_all => ctx.copy_text(text.clone()),
        Event::Cut if part.is_all => {
            ctx.copy_text(text.clone());
            replace_selection(ctx, id, text, "");
        }
        Event::Key { key: Key::A, pressed: true, modifiers, .. } if modifiers.command && is_long(text) => {
            Part { is_all: true, ..part }.store(ctx, id);
        }
        Event::Key { key: key @ (Key::Home | Key::End), pressed: true, modifiers, .. }
            if modifiers.command && !modifiers.shift && is_long(text) =>
        {
            set_cursor(ctx, id, text, if *key == Key::Home { 0 } else { text.len() });
        }
        Event::Key { key: Key::Backspace | Key::Delete, pressed: true, .. } if part.is_all => {
            replace_selection(ctx, id, text, "");
        }
        _ => {
            if writes(event) && part.is_all {
                replace_selection(ctx, id, text, "");
            } else if (writes(event) || moves(event))
                && (part.is_all || part.cursor.is_some())
                && let Some(at) = cursor(ctx, id, text)
            {
                set_cursor(ctx, id, text, at);
            }
            return false;
        }
    }
    true
}

/// Puts text in place of what is selected, at the end if the field has never had the focus.
fn replace_selection(ctx: &Context, id: Id, text: &mut String, with: &str) {
    let (one, other) = selection(ctx, id, text).unwrap_or((text.len(), text.len()));
    let start = one.min(other);
    text.replace_range(start..one.max(other), with);
    set_cursor(ctx, id, text, start + with.len());
}

fn writes(event: &Event) -> bool {
    if let Event::Text(text) | Event::Ime(ImeEvent::Commit(text) | ImeEvent::Preedit { text, .. }) = event {
        return !text.is_empty();
    }
    matches!(event, Event::Key { key: Key::Enter, pressed: true, modifiers, .. } if !modifiers.command)
}

fn moves(event: &Event) -> bool {
    matches!(event, Event::Key { key, pressed: true, modifiers, .. } if !modifiers.command && *key != Key::Escape)
}

/// Draws the field with the part of its text that is shown.
pub(super) fn show(
    ui: &mut Ui,
    id: Id,
    text: &mut String,
    build: impl for<'t> FnOnce(&'t mut String) -> TextEdit<'t>,
) -> Response {
    let ctx = ui.ctx().clone();
    if !is_long(text) {
        let output = build(text).id(id).show(ui);
        reveal(ui, id, &output);
        return output.response.response;
    }
    if ui.memory(|memory| memory.has_focus(id)) && cursor(&ctx, id, text).is_none() {
        set_cursor(&ctx, id, text, text.len());
    }
    let range = Part::load(&ctx, id).range(text);
    if Part::load(&ctx, id).is_all {
        select(&ctx, id, Some(0..chars(text, range.clone())));
    }
    let mut shown = text.get(range.clone()).unwrap_or_default().to_owned();
    let output = build(&mut shown).id(id).show(ui);
    if output.response.is_pointer_button_down_on() {
        let part = Part { cursor: None, is_all: false, ..Part::load(&ctx, id) };
        part.store(&ctx, id);
    }
    let is_revealed = reveal(ui, id, &output);
    let range = if text.get(range.clone()) == Some(shown.as_str()) {
        range
    } else {
        text.replace_range(range.clone(), &shown);
        range.start..range.start + shown.len()
    };
    if is_long(text) {
        // What is seen is elsewhere in the next frame, if the cursor was revealed in this one.
        if !is_revealed {
            follow(ui, id, text, range, &output);
        }
    } else if let Some(chosen) = output.state.cursor.char_range() {
        let at = byte(text, &range, chosen.primary);
        set_cursor(&ctx, id, text, at);
    }
    output.response.response
}

/// Scrolls to the cursor, if it was put where it is by the program; true if so.
fn reveal(ui: &Ui, id: Id, output: &TextEditOutput) -> bool {
    let part = Part::load(ui.ctx(), id);
    if part.is_revealed
        && let Some(chosen) = output.state.cursor.char_range()
    {
        Part { is_revealed: false, ..part }.store(ui.ctx(), id);
        let place = output.galley.pos_from_cursor(chosen.primary).translate(output.galley_pos.to_vec2());
        ui.scroll_to_rect(place, None);
        ui.ctx().request_repaint();
        return true;
    }
    false
}

/// Moves the part, if what is seen comes near to its edge. What is seen stays where it is.
fn follow(ui: &Ui, id: Id, text: &str, range: Range<usize>, output: &TextEditOutput) {
    let ctx = ui.ctx();
    let part = Part::load(ctx, id);
    let chosen = output.state.cursor.char_range();
    if !part.is_all && part.cursor.is_none() && chosen.is_some_and(|chosen| !chosen.is_empty()) {
        // What is selected does not leave the part.
        return;
    }
    let galley = &output.galley;
    let above = ui.clip_rect().top() - output.galley_pos.y;
    let below = output.galley_pos.y + galley.rect.height() - ui.clip_rect().bottom();
    let moved = if above < MARGIN && range.start > 0 {
        earlier(ui, text, range.start, galley)
    } else if below < MARGIN && range.end < text.len() {
        later(text, &range, galley, above / 2.0)
    } else {
        None
    };
    let Some((from, height)) = moved else { return };
    let cursor = part.cursor.or_else(|| chosen.map(|chosen| byte(text, &range, chosen.primary)));
    let mut part = Part { from, ..part };
    let shown = part.range(text);
    part.cursor = cursor.filter(|at| !shown.contains(at));
    part.store(ctx, id);
    select(
        ctx,
        id,
        cursor.map(|at| at.clamp(shown.start, shown.end)).map(|at| {
            let chars = chars(text, shown.start..at);
            chars..chars
        }),
    );
    ui.scroll_with_delta_animation(vec2(0.0, height), ScrollAnimation::none());
    ctx.request_repaint();
}

/// Where a part that begins earlier begins, and how many points what was its first line goes down, as a negative number.
fn earlier(ui: &Ui, text: &str, start: usize, galley: &Galley) -> Option<(usize, f32)> {
    let from = text.floor_char_boundary(start.saturating_sub(STEP_BYTES));
    let from = if from == 0 { 0 } else { word(text, from..start) };
    if from >= start {
        return None;
    }
    let shown = Part { from, ..Part::default() }.range(text);
    let section = galley.job.sections.first()?;
    let part = text.get(shown.clone())?.to_owned();
    let sections = vec![LayoutSection { byte_range: 0.into()..part.len().into(), ..section.clone() }];
    let job = LayoutJob { text: part, sections, ..LayoutJob::clone(&galley.job) };
    let laid_out = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let first = laid_out.pos_from_cursor(CCursor::new(chars(text, shown.start..start)));
    Some((from, -first.min.y))
}

/// Where a part that begins later begins: at the line that is `down` points below its first one.
fn later(text: &str, range: &Range<usize>, galley: &Galley, down: f32) -> Option<(usize, f32)> {
    let mut chars = 0;
    for row in &galley.rows {
        if row.pos.y >= down {
            let from = byte(text, range, CCursor::new(chars));
            return (from > range.start).then_some((from, row.pos.y));
        }
        chars += row.char_count_including_newline().0;
    }
    None
}
