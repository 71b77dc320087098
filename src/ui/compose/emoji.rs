//! Emoji by name: those that the fonts can draw, and the completion of `:smile:` while it is typed.

use std::sync::Arc;

use egui::{Context, Event, FocusDirection, Id, Key, Modifiers, Ui};
use emojis::Emoji;

use crate::ui::kit::edit;
use crate::ui::kit::theme;
use crate::ui::kit::widgets::pill;

/// Suggestions shown while a name is typed.
const SUGGESTIONS_MAX: usize = 5;
/// Letters of a name before anything is suggested.
const LETTERS_MIN: usize = 2;
/// Letters of the longest name that is looked up.
const LETTERS_MAX: usize = 40;

/// The emoji of one character that the fonts can draw, in the order of Unicode.
pub(crate) fn drawable(ctx: &Context) -> Arc<[&'static Emoji]> {
    let id = Id::unique("drawable emoji");
    if let Some(known) = ctx.data(|data| data.get_temp::<Arc<[&'static Emoji]>>(id)) {
        return known;
    }
    let font = theme::regular(14.0);
    let found: Arc<[&'static Emoji]> = ctx.fonts_mut(|fonts| {
        let can_draw =
            |emoji: &&'static Emoji| alone(emoji.as_str()).is_some_and(|it| fonts.has_glyph(&font, it));
        emojis::iter().filter(can_draw).collect()
    });
    ctx.data_mut(|data| data.insert_temp(id, Arc::clone(&found)));
    found
}

/// Its character, if it is one, with or without the selector that asks for a picture.
fn alone(emoji: &str) -> Option<char> {
    let mut letters = emoji.chars().filter(|letter| *letter != '\u{FE0F}');
    letters.next().filter(|_| letters.next().is_none())
}

/// The emoji that fit what was typed, best first; all if nothing was.
pub(crate) fn fitting(all: &[&'static Emoji], typed: &str) -> Vec<&'static Emoji> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let far = |emoji: &Emoji| words.iter().map(|word| distance(emoji, word)).sum::<Option<usize>>();
    let mut found: Vec<(usize, usize, &'static Emoji)> =
        all.iter().enumerate().filter_map(|(place, emoji)| Some((far(emoji)?, place, *emoji))).collect();
    found.sort_unstable_by_key(|(far, place, _)| (*far, *place));
    found.into_iter().map(|(_, _, emoji)| emoji).collect()
}

/// What is farther than this is found in the middle of a name.
const MIDDLE: usize = 200;

/// How far its names are from what was typed: of names that begin so, the shortest is nearest. None if that is in none of
/// them.
fn distance(emoji: &Emoji, word: &str) -> Option<usize> {
    let begun = emoji.shortcodes().filter(|code| code.starts_with(word)).map(str::len).min();
    let name = emoji.name().to_lowercase();
    let mut words = name.split(|letter: char| !letter.is_alphanumeric());
    match begun {
        Some(length) if length == word.len() => Some(0),
        Some(length) => Some(length),
        None if words.any(|it| it.starts_with(word)) => Some(MIDDLE - 1),
        None => emoji.shortcodes().any(|code| code.contains(word)).then_some(MIDDLE),
    }
}

/// The name being typed before the cursor: the byte of its colon, and its letters.
fn begun(text: &str, cursor: usize) -> Option<(usize, &str)> {
    let before = text.get(..cursor)?;
    let colon = before.rfind(':')?;
    let name = before.get(colon + 1..)?;
    let is_letter = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '_' | '+' | '-')
    };
    let is_name = !name.is_empty() && name.len() <= LETTERS_MAX && name.chars().all(is_letter);
    // Not in an address or a time.
    let is_alone = !before.get(..colon)?.ends_with(|letter: char| letter.is_alphanumeric() || letter == ':');
    (is_name && is_alone).then_some((colon, name))
}

/// The emoji whose name has been closed by a colon right before the cursor.
fn closed(text: &str, cursor: usize) -> Option<(usize, &'static Emoji)> {
    let end = cursor.checked_sub(1).filter(|end| text.get(*end..cursor) == Some(":"))?;
    let (start, name) = begun(text, end)?;
    Some((start, emojis::get_by_shortcode(name)?))
}

/// Puts an emoji in the place of its name when the name was closed by a colon in this frame; called after the field was
/// drawn.
pub(super) fn replace_closed(ui: &Ui, field: Id, text: &mut String) -> bool {
    // Whoever types fast, or on a slow computer, has typed more after the colon.
    let typed = ui.input(|input| typed_after_colon(&input.events));
    let Some(cursor) = typed.and_then(|_| edit::cursor(ui.ctx(), field, text)) else { return false };
    let Some(end) = typed.and_then(|typed| cursor.checked_sub(typed)) else { return false };
    let Some((start, emoji)) = closed(text, end) else { return false };
    let can_draw = drawable(ui.ctx()).contains(&emoji);
    if let Some(rest) = text.get(end..cursor).filter(|_| can_draw) {
        let instead = format!("{}{rest}", emoji.as_str());
        edit::replace(ui.ctx(), field, text, start..cursor, &instead);
    }
    can_draw
}

/// How many bytes were typed after the last colon of these events; none if there is none.
fn typed_after_colon(events: &[Event]) -> Option<usize> {
    let typed = events.iter().rev();
    let typed =
        typed.filter_map(|event| if let Event::Text(typed) = event { Some(typed.as_str()) } else { None });
    let mut after = 0;
    for typed in typed {
        if let Some(colon) = typed.rfind(':') {
            return Some(after + typed.len() - colon - 1);
        }
        after += typed.len();
    }
    None
}

/// Which suggestion is marked, and for what was typed.
#[derive(Clone, Default)]
struct MarkedName {
    typed: String,
    index: usize,
}

/// Suggests emoji for the name being typed; Up and Down choose, Tab and Enter take one. Called before the field is drawn,
/// which would take the keys. True if the text was changed.
pub(super) fn suggest_ui(ui: &mut Ui, field: Id, text: &mut String) -> bool {
    let ctx = ui.ctx().clone();
    if !ui.memory(|memory| memory.has_focus(field)) {
        return false;
    }
    let Some(cursor) = edit::cursor(&ctx, field, text) else { return false };
    let Some((start, name)) = begun(text, cursor).filter(|(_, name)| name.len() >= LETTERS_MIN) else {
        return false;
    };
    let mut found = fitting(&drawable(&ctx), name);
    found.retain(|emoji| distance(emoji, name).is_some_and(|far| far < MIDDLE));
    found.truncate(SUGGESTIONS_MAX);
    if found.is_empty() {
        return false;
    }
    let id = field.with("emoji");
    let mut marked: MarkedName = ctx.data(|data| data.get_temp(id)).unwrap_or_default();
    if marked.typed != name {
        marked = MarkedName { typed: name.to_owned(), index: 0 };
    }
    let (up, down, taken, tab) = ui.input_mut(|input| {
        let mut pressed = |key| input.count_and_consume_key(Modifiers::NONE, key);
        let (up, down, tab) = (pressed(Key::ArrowUp), pressed(Key::ArrowDown), pressed(Key::Tab) > 0);
        (up, down, pressed(Key::Enter) > 0 || tab, tab)
    });
    if tab {
        // Else it would go to the next widget.
        ui.memory_mut(|memory| {
            memory.move_focus(FocusDirection::None);
            memory.request_focus(field);
        });
    }
    marked.index = (marked.index + down).saturating_sub(up).min(found.len() - 1);
    let clicked = ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let mut clicked = None;
        for (index, emoji) in found.iter().enumerate() {
            let label = format!("{} :{}:", emoji.as_str(), emoji.shortcode().unwrap_or_default());
            if pill(ui, index == marked.index, &label).clicked() {
                clicked = Some(index);
            }
        }
        clicked
    });
    let chosen = clicked.inner.or_else(|| taken.then_some(marked.index));
    ctx.data_mut(|data| data.insert_temp(id, marked));
    let Some(emoji) = chosen.and_then(|index| found.get(index)) else { return false };
    edit::replace(&ctx, field, text, start..cursor, emoji.as_str());
    ui.memory_mut(|memory| memory.request_focus(field));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_with_a_colon_that_stands_alone() {
        let begun = |text: &'static str| begun(text, text.len());
        assert_eq!(begun("see you :smi"), Some((8, "smi")));
        assert_eq!(begun(":+1"), Some((0, "+1")));
        for text in ["sip:ann", "at 12:30", "http://x", ":Smile", "::smile", ": smile", "smile", ":"] {
            assert_eq!(begun(text), None, "{text}");
        }
        let closed = |text: &'static str| closed(text, text.len()).map(|(at, emoji)| (at, emoji.as_str()));
        assert_eq!(closed("ok :+1:"), Some((3, "👍")));
        assert_eq!((closed(":no_such_emoji:"), closed("smile:"), closed("é:")), (None, None, None));
    }

    #[test]
    fn what_was_typed_after_the_colon_is_counted() {
        let typed = |texts: &[&str]| {
            let events: Vec<Event> = texts.iter().map(|text| Event::Text((*text).to_owned())).collect();
            typed_after_colon(&events)
        };
        assert_eq!((typed(&["e", ":"]), typed(&["e", ":", " ", "é"])), (Some(0), Some(3)));
        assert_eq!((typed(&["smile: this", "!"]), typed(&["e"]), typed(&[])), (Some(6), None, None));
    }

    #[test]
    fn names_are_found_by_their_beginning_first() {
        let all: Vec<_> = emojis::iter().filter(|emoji| alone(emoji.as_str()).is_some()).collect();
        let first = |typed: &str| fitting(&all, typed).first().map(|emoji| emoji.as_str());
        assert_eq!(
            (first("smile"), first("thumbs up"), first("heart")),
            (Some("😄"), Some("👍"), Some("❤️"))
        );
        assert_eq!(first("nothing of that name"), None);
        assert_eq!(fitting(&all, "").len(), all.len());
        assert!(all.len() > 1000, "{}", all.len());
        assert_eq!((alone("❤️"), alone("👩‍🚒"), alone("🇩🇪")), (Some('❤'), None, None));
    }
}
