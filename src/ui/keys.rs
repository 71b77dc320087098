//! The keys of the window (Cmd on macOS).

use eframe::egui;
use egui::{Key, KeyboardShortcut, Modifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    NewMessage,
    Search,
    ConversationUp,
    ConversationDown,
    UnreadUp,
    UnreadDown,
    Delivery,
    ResendToFailed,
    NextFailed,
    NextColumn,
    Larger,
    Smaller,
    NormalSize,
    Settings,
    Keys,
    Quit,
    Escape,
}

/// The keys as they are shown.
pub(crate) const TABLE: &[(&str, &str)] = &[
    ("Ctrl+N", "New message"),
    ("Ctrl+K", "Search people"),
    ("Enter, Shift+Enter", "Send, new line (can be swapped in the settings)"),
    ("Alt+Up, Alt+Down", "Previous, next conversation"),
    ("Alt+Shift+Up, Alt+Shift+Down", "Previous, next unread conversation"),
    ("Up, Down", "Previous, next message"),
    ("Ctrl+D", "Delivery column"),
    ("Ctrl+Shift+R", "Resend to those who were not reached"),
    ("F8", "Next message that was not delivered"),
    ("F6", "Next column"),
    ("Ctrl+Plus, Ctrl+Minus, Ctrl+0", "Larger, smaller, normal size"),
    ("Ctrl+,", "Settings"),
    ("Ctrl+/", "All shortcuts"),
    ("Esc", "Close the open dialog or panel"),
    ("Ctrl+Q", "Quit"),
];

/// Those with more modifiers come first: egui matches them logically.
const SHORTCUTS: &[(Modifiers, Key, Wish)] = &[
    (Modifiers::ALT.plus(Modifiers::SHIFT), Key::ArrowUp, Wish::UnreadUp),
    (Modifiers::ALT.plus(Modifiers::SHIFT), Key::ArrowDown, Wish::UnreadDown),
    (Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::R, Wish::ResendToFailed),
    (Modifiers::ALT, Key::ArrowUp, Wish::ConversationUp),
    (Modifiers::ALT, Key::ArrowDown, Wish::ConversationDown),
    (Modifiers::COMMAND, Key::N, Wish::NewMessage),
    (Modifiers::COMMAND, Key::K, Wish::Search),
    (Modifiers::COMMAND, Key::D, Wish::Delivery),
    (Modifiers::COMMAND, Key::Plus, Wish::Larger),
    (Modifiers::COMMAND, Key::Equals, Wish::Larger),
    (Modifiers::COMMAND, Key::Minus, Wish::Smaller),
    (Modifiers::COMMAND, Key::Num0, Wish::NormalSize),
    (Modifiers::COMMAND, Key::Comma, Wish::Settings),
    (Modifiers::COMMAND, Key::Slash, Wish::Keys),
    (Modifiers::COMMAND, Key::Q, Wish::Quit),
    (Modifiers::NONE, Key::F8, Wish::NextFailed),
    (Modifiers::NONE, Key::F6, Wish::NextColumn),
];

/// The keys pressed in this frame; they are taken out of the input.
pub(crate) fn wishes(ctx: &egui::Context) -> Vec<Wish> {
    let mut wishes: Vec<Wish> = ctx.input_mut(|input| {
        let pressed = |(modifiers, key, wish): &(Modifiers, Key, Wish)| {
            input.consume_shortcut(&KeyboardShortcut::new(*modifiers, *key)).then_some(*wish)
        };
        SHORTCUTS.iter().filter_map(pressed).collect()
    });
    // Esc is not taken out: popups and fields close by it too.
    if ctx.input(|input| input.key_pressed(Key::Escape)) {
        wishes.push(Wish::Escape);
    }
    wishes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_shift_is_not_the_key_without() {
        for (place, (modifiers, key, _)) in SHORTCUTS.iter().enumerate() {
            for (earlier, other, _) in SHORTCUTS.iter().take(place) {
                assert!(key != other || earlier != modifiers, "{key:?} stands twice");
                assert!(
                    key != other || !modifiers.matches_logically(*earlier),
                    "{key:?} would be taken by an earlier line"
                );
            }
        }
    }
}
