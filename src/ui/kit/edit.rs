//! Text fields with a history of their own. What is undone belongs to the field with that id, and nothing is lost
//! however fast it was typed: egui's own history records a text only after a second of rest, and keeps whole copies.

use std::collections::VecDeque;
use std::ops::Range;

use egui::{Context, Event, Id, Key, Modifiers, Response, ScrollArea, TextEdit, Ui};

use super::part::{self, keep_no_copies};

/// Most changes that a field can undo.
const CHANGES_MAX: usize = 200;
/// Most bytes of text in a field's history; the oldest changes are dropped first.
const HISTORY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Typing that rests longer than this begins a new change.
const REST_SECS: f64 = 1.0;
/// A deletion of more characters than this is a change of its own.
const RUBBED_OUT_MAX: usize = 8;

/// One change of a text: at this byte, `removed` was replaced by `inserted`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    at: usize,
    removed: String,
    inserted: String,
}

impl Change {
    /// The difference between two texts; none if they are equal.
    fn between(before: &str, after: &str) -> Option<Self> {
        if before == after {
            return None;
        }
        // Byte by byte, because a text may have a megabyte; both texts are the same up to there.
        let at = before.floor_char_boundary(common(before.bytes(), after.bytes()));
        let (left, right) = (before.get(at..)?, after.get(at..)?);
        let same = common(left.bytes().rev(), right.bytes().rev());
        let tail = left.len() - left.ceil_char_boundary(left.len() - same);
        let removed = left.get(..left.len() - tail)?.to_owned();
        let inserted = right.get(..right.len() - tail)?.to_owned();
        Some(Self { at, removed, inserted })
    }

    /// Takes in a change made right after this one, if both count as one to the user: letters of one word, a few
    /// letters rubbed out, or the steps of an input method.
    fn absorb(&mut self, next: &Self, is_composing: bool) -> bool {
        let end = self.at + self.inserted.len();
        if next.removed.is_empty() && self.removed.is_empty() && next.at == end {
            let begins_word = self.inserted.ends_with(char::is_whitespace)
                && !next.inserted.starts_with(char::is_whitespace);
            if !begins_word {
                self.inserted.push_str(&next.inserted);
            }
            return !begins_word;
        }
        let few = next.removed.chars().count() <= RUBBED_OUT_MAX;
        if few && next.inserted.is_empty() && self.inserted.is_empty() {
            if next.at + next.removed.len() == self.at {
                self.removed.insert_str(0, &next.removed);
                self.at = next.at;
                return true;
            }
            if next.at == self.at {
                self.removed.push_str(&next.removed);
                return true;
            }
        }
        let inside = next.at >= self.at && next.at + next.removed.len() <= end;
        if is_composing && inside {
            let from = next.at - self.at;
            let to = from + next.removed.len();
            if self.inserted.get(from..to) == Some(next.removed.as_str()) {
                self.inserted.replace_range(from..to, &next.inserted);
                return true;
            }
        }
        false
    }

    const fn bytes(&self) -> usize {
        self.removed.len() + self.inserted.len()
    }
}

/// How many bytes are the same at the beginning of both.
fn common(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// What can be undone and redone in one field.
#[derive(Clone, Debug, Default)]
struct History {
    past: VecDeque<Change>,
    future: Vec<Change>,
    changed_at: f64,
}

impl History {
    fn note(&mut self, change: Change, at: f64, is_composing: bool) {
        let was_undone = !self.future.is_empty();
        self.future.clear();
        let is_quick = !was_undone && at - self.changed_at < REST_SECS;
        self.changed_at = at;
        let is_absorbed =
            is_quick && self.past.back_mut().is_some_and(|last| last.absorb(&change, is_composing));
        if !is_absorbed {
            self.past.push_back(change);
        }
        let mut bytes: usize = self.past.iter().map(Change::bytes).sum();
        while self.past.len() > CHANGES_MAX || bytes > HISTORY_BYTES_MAX {
            let Some(oldest) = self.past.pop_front() else { return };
            bytes -= oldest.bytes();
        }
    }

    /// Takes the last change back; returns the byte at which the cursor goes.
    fn undo(&mut self, text: &mut String) -> Option<usize> {
        let change = self.past.pop_back()?;
        let cursor = self.replace(text, change.at, &change.inserted, &change.removed)?;
        self.future.push(change);
        Some(cursor)
    }

    /// Makes the change that was undone last again.
    fn redo(&mut self, text: &mut String) -> Option<usize> {
        let change = self.future.pop()?;
        let cursor = self.replace(text, change.at, &change.removed, &change.inserted)?;
        self.past.push_back(change);
        Some(cursor)
    }

    /// If the text is not what the history knows, because the program has changed it, the history is worth nothing.
    fn replace(&mut self, text: &mut String, at: usize, old: &str, new: &str) -> Option<usize> {
        let end = at + old.len();
        if text.get(at..end) != Some(old) {
            *self = Self::default();
            return None;
        }
        text.replace_range(at..end, new);
        Some(at + new.len())
    }
}

/// Draws a text field that remembers what was typed into it.
pub(crate) fn text_field(
    ui: &mut Ui,
    id: Id,
    text: &mut String,
    build: impl for<'t> FnOnce(&'t mut String) -> TextEdit<'t>,
) -> Response {
    remembering(ui, id, text, |ui, text, _| ui.add(build(text).id(id)))
}

/// What a field for a long text is drawn in: without animation, because turning the wheel ends one, and with it the move
/// of what is seen when the field shows another part.
pub(crate) fn scrolling() -> ScrollArea {
    ScrollArea::vertical().animated(false)
}

/// The same, of several lines, for a text that may be long; drawn in [`scrolling`].
pub(crate) fn long_text_field(
    ui: &mut Ui,
    id: Id,
    text: &mut String,
    build: impl for<'t> FnOnce(&'t mut String) -> TextEdit<'t>,
) -> Response {
    remembering(ui, id, text, |ui, text, is_focused| {
        let is_taken = is_focused && part::take_events(ui, id, text);
        let mut response = part::show(ui, id, text, build);
        if is_taken {
            response.mark_changed();
        }
        response
    })
}

/// Draws a field, and notes what it changes in its text.
fn remembering(
    ui: &mut Ui,
    id: Id,
    text: &mut String,
    draw: impl FnOnce(&mut Ui, &mut String, bool) -> Response,
) -> Response {
    keep_no_copies(ui.ctx(), id);
    let is_focused = ui.memory(|memory| memory.has_focus(id));
    let is_undone = is_focused && take_undo_keys(ui, id, text);
    let before = (is_focused && ui.input(|input| !input.events.is_empty())).then(|| text.clone());
    let mut response = draw(ui, text, is_focused);
    if let Some(change) = before.and_then(|before| Change::between(&before, text)) {
        let (now, is_composing) =
            ui.input(|input| (input.time, input.events.iter().any(|event| matches!(event, Event::Ime(_)))));
        with_history(ui.ctx(), id, |history| history.note(change, now, is_composing));
    }
    if is_undone {
        response.mark_changed();
    }
    response
}

/// Draws a field for a password, masked or not: nothing of it is remembered.
pub(crate) fn secret_text_field(
    ui: &mut Ui,
    id: Id,
    text: &mut String,
    build: impl for<'t> FnOnce(&'t mut String) -> TextEdit<'t>,
) -> Response {
    keep_no_copies(ui.ctx(), id);
    ui.add(build(text).id(id))
}

/// Which dialog is being drawn: it makes the ids of its fields its own.
#[derive(Clone, Copy, Default)]
struct Number(u64);

/// Draws a dialog: nothing typed into an earlier one can be undone into its fields.
pub(crate) fn in_dialog<R>(ctx: &Context, number: u64, contents: impl FnOnce() -> R) -> R {
    let set = |number| ctx.data_mut(|data| *data.get_temp_mut_or_default(Id::NULL) = Number(number));
    set(number);
    let result = contents();
    set(0);
    result
}

/// The id of the field of this name.
pub(crate) fn field_id(ui: &Ui, name: &str) -> Id {
    let Number(number) = ui.data_mut(|data| *data.get_temp_mut_or_default(Id::NULL));
    ui.scope_id().with(("field", name, number))
}

/// Forgets what was typed into a field: its text was sent, or replaced by the program.
pub(crate) fn forget(ctx: &Context, id: Id) {
    ctx.data_mut(|data| data.remove::<History>(id));
    part::forget(ctx, id);
}

/// Forgets what was typed into any field: the window shows another account, whose fields have the same ids.
pub(crate) fn forget_all(ctx: &Context) {
    ctx.data_mut(|data| data.remove_by_type::<History>());
    part::forget_all(ctx);
    ctx.memory_mut(|memory| memory.stop_text_input());
}

/// True if something typed into a field can be undone.
pub(crate) fn can_undo(ctx: &Context, id: Id) -> bool {
    ctx.data(|data| data.get_temp::<History>(id)).is_some_and(|history| !history.past.is_empty())
}

/// Selects the whole text of a field of so many characters, so that typing replaces it.
pub(crate) fn select_all(ctx: &Context, id: Id, length: usize) {
    part::select(ctx, id, Some(0..length));
}

/// The byte of a field's text at which its cursor is; none if it has never had the focus.
pub(crate) fn cursor(ctx: &Context, id: Id, text: &str) -> Option<usize> {
    part::cursor(ctx, id, text)
}

/// Replaces a part of a field's text as if it had been typed: it can be undone, and the cursor goes behind it.
pub(crate) fn replace(ctx: &Context, id: Id, text: &mut String, part: Range<usize>, with: &str) {
    if text.get(part.clone()).is_none() {
        return;
    }
    let (old, end) = (text.clone(), part.start + with.len());
    text.replace_range(part, with);
    if let Some(change) = Change::between(&old, text) {
        // Not as a part of what was typed just before.
        with_history(ctx, id, |history| {
            history.note(change, f64::INFINITY, false);
            history.changed_at = f64::NEG_INFINITY;
        });
    }
    part::set_cursor(ctx, id, text, end);
}

fn with_history<R>(ctx: &Context, id: Id, change: impl FnOnce(&mut History) -> R) -> R {
    ctx.data_mut(|data| change(data.get_temp_mut_or_default::<History>(id)))
}

/// Carries out Ctrl+Z, Ctrl+Shift+Z and Ctrl+Y; true if the text has changed.
fn take_undo_keys(ui: &Ui, id: Id, text: &mut String) -> bool {
    let mut cursor = None;
    loop {
        // The longer shortcut first: egui ignores additional modifiers.
        let (is_redo, is_undo) = ui.input_mut(|input| {
            let is_redo = input.consume_key(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z)
                || input.consume_key(Modifiers::COMMAND, Key::Y);
            (is_redo, !is_redo && input.consume_key(Modifiers::COMMAND, Key::Z))
        });
        if !is_redo && !is_undo {
            break;
        }
        let moved = with_history(
            ui.ctx(),
            id,
            |history| {
                if is_redo { history.redo(text) } else { history.undo(text) }
            },
        );
        cursor = moved.or(cursor);
    }
    let Some(at) = cursor else { return false };
    part::set_cursor(ui.ctx(), id, text, at);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes the steps from text to text, each so many seconds after the one before.
    fn noted(steps: &[(f64, &str)]) -> (History, String) {
        let (mut history, mut text, mut now) = (History::default(), String::new(), 100.0);
        for (after, next) in steps {
            now += after;
            history.note(Change::between(&text, next).unwrap(), now, false);
            text = (*next).to_owned();
        }
        (history, text)
    }

    fn undone(history: &mut History, text: &mut String) -> Vec<String> {
        std::iter::from_fn(|| history.undo(text).map(|_| text.clone())).collect()
    }

    #[test]
    fn what_was_typed_fast_comes_back_after_everything_was_deleted() {
        let (mut history, mut text) = noted(&[(0.1, "h"), (0.1, "he"), (0.1, "hello"), (0.1, "")]);
        assert_eq!(undone(&mut history, &mut text), ["hello", ""]);
        assert_eq!((history.redo(&mut text), text.as_str()), (Some(5), "hello"));
        assert_eq!((history.redo(&mut text), text.as_str()), (Some(0), ""));
        assert_eq!(history.redo(&mut text), None);
    }

    #[test]
    fn a_difference_never_cuts_a_letter() {
        // The two bytes of é and è begin alike, those of é and ũ end alike.
        for (before, after) in [("aé", "aè"), ("éa", "\u{169}a"), ("é", "éé"), ("日本", "日"), ("", "日")]
        {
            let change = Change::between(before, after).unwrap();
            let mut text = before.to_owned();
            text.replace_range(change.at..change.at + change.removed.len(), &change.inserted);
            assert_eq!(text, after);
        }
    }

    #[test]
    fn words_pauses_and_rubbed_out_letters_are_undone_one_by_one() {
        let (mut history, mut text) =
            noted(&[(0.1, "one"), (0.1, "one "), (0.1, "one t"), (0.1, "one two"), (2.0, "one twos")]);
        assert_eq!(undone(&mut history, &mut text), ["one two", "one ", ""]);
        let (mut history, mut text) = noted(&[(0.1, "größer"), (0.1, "größe"), (0.1, "größ"), (0.1, "grö")]);
        assert_eq!(undone(&mut history, &mut text), ["größer", ""]);
        let (mut history, mut text) = noted(&[(0.1, "abcdef"), (0.1, "bcdef"), (0.1, "cdef")]);
        assert_eq!(undone(&mut history, &mut text), ["abcdef", ""]);
    }

    #[test]
    fn a_new_change_ends_the_redo_and_a_foreign_text_the_history() {
        let (mut history, mut text) = noted(&[(0.1, "one"), (2.0, "one two")]);
        assert!(history.undo(&mut text).is_some());
        history.note(Change::between("one", "one!").unwrap(), 200.0, false);
        assert_eq!(history.redo(&mut "one!".to_owned()), None);
        let mut foreign = "é".to_owned();
        assert_eq!((history.undo(&mut foreign), foreign.as_str()), (None, "é"));
        assert!(history.past.is_empty());
    }

    #[test]
    fn the_steps_of_an_input_method_are_one_change() {
        let mut history = History::default();
        for (before, after) in [("", "n"), ("n", "に"), ("に", "日")] {
            history.note(Change::between(before, after).unwrap(), 1.0, true);
        }
        let mut text = "日".to_owned();
        assert_eq!(undone(&mut history, &mut text), [""]);
    }

    #[test]
    fn a_history_has_an_end() {
        let mut history = History::default();
        for step in 0..CHANGES_MAX + 9 {
            let change = Change { at: 0, removed: String::new(), inserted: "x".to_owned() };
            history.note(change, 10.0 * step as f64, false);
        }
        assert_eq!(history.past.len(), CHANGES_MAX);
        let large = || Change { at: 0, removed: String::new(), inserted: "y".repeat(HISTORY_BYTES_MAX / 2) };
        (0..5).for_each(|step| history.note(large(), 1e6 + 10.0 * f64::from(step), false));
        assert_eq!(history.past.iter().map(Change::bytes).sum::<usize>(), HISTORY_BYTES_MAX);
    }
}
