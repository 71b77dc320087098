//! The window's keyboard shortcuts (with Cmd on macOS).

use egui::{Key, KeyboardShortcut, Modifiers};

/// What a key press asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyCommand {
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

/// The shortcuts as shown to the user.
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

/// Shortcuts with more modifiers come first, because egui's logical matching ignores extra modifiers.
const SHORTCUTS: &[(Modifiers, Key, KeyCommand)] = &[
    (Modifiers::ALT.plus(Modifiers::SHIFT), Key::ArrowUp, KeyCommand::UnreadUp),
    (Modifiers::ALT.plus(Modifiers::SHIFT), Key::ArrowDown, KeyCommand::UnreadDown),
    (Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::R, KeyCommand::ResendToFailed),
    (Modifiers::ALT, Key::ArrowUp, KeyCommand::ConversationUp),
    (Modifiers::ALT, Key::ArrowDown, KeyCommand::ConversationDown),
    (Modifiers::COMMAND, Key::N, KeyCommand::NewMessage),
    (Modifiers::COMMAND, Key::K, KeyCommand::Search),
    (Modifiers::COMMAND, Key::D, KeyCommand::Delivery),
    (Modifiers::COMMAND, Key::Plus, KeyCommand::Larger),
    (Modifiers::COMMAND, Key::Equals, KeyCommand::Larger),
    (Modifiers::COMMAND, Key::Minus, KeyCommand::Smaller),
    (Modifiers::COMMAND, Key::Num0, KeyCommand::NormalSize),
    (Modifiers::COMMAND, Key::Comma, KeyCommand::Settings),
    (Modifiers::COMMAND, Key::Slash, KeyCommand::Keys),
    (Modifiers::COMMAND, Key::Q, KeyCommand::Quit),
    (Modifiers::NONE, Key::F8, KeyCommand::NextFailed),
    (Modifiers::NONE, Key::F6, KeyCommand::NextColumn),
];

/// The shortcuts pressed in this frame; they are consumed from the input.
pub(crate) fn wishes(ctx: &egui::Context) -> Vec<KeyCommand> {
    let mut wishes: Vec<KeyCommand> = ctx.input_mut(|input| {
        let pressed = |(modifiers, key, wish): &(Modifiers, Key, KeyCommand)| {
            input.consume_shortcut(&KeyboardShortcut::new(*modifiers, *key)).then_some(*wish)
        };
        SHORTCUTS.iter().filter_map(pressed).collect()
    });
    // Esc is not consumed: it also closes popups and fields.
    if ctx.input(|input| input.key_pressed(Key::Escape)) {
        wishes.push(KeyCommand::Escape);
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
