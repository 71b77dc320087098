//! The commands of the window in one table: name, explanation and keys together. Shortcuts, menus, tooltips and the
//! sheet of all shortcuts are made from it. (Ctrl is Cmd on macOS.)

mod menus;

use egui::{Key, KeyboardShortcut, ModifierNames, Modifiers};

pub(crate) use self::menus::{block_item, button_menu, context_menu, menu_item, named_menu_item};
use crate::model::contacts::{Person, address_key};
use crate::model::names::Names;

/// Something that the user can ask the window to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UiCommand {
    // Everywhere.
    NewMessage,
    Palette,
    FindHere,
    FindEverywhere,
    GoToDate,
    Export,
    Emoji,
    Attach,
    Search,
    ConversationUp,
    ConversationDown,
    UnreadUp,
    UnreadDown,
    Delivery,
    Wire,
    ResendToFailed,
    NextFailed,
    NextColumn,
    Larger,
    Smaller,
    NormalSize,
    Settings,
    OpenProvision,
    SignOut,
    SignIn,
    ChangePassword,
    RemoveAccount,
    Keys,
    Quit,
    Escape,
    // On a message.
    CopyText,
    CopyWithDelivery,
    Quote,
    ReplyToSender,
    Forward,
    SaveFileAs,
    Details,
    SaveRecord,
    Resend,
    Select,
    Delete,
    // On a conversation.
    Pin,
    Mute,
    MuteFailures,
    MarkUnread,
    Archive,
    Rename,
    Block,
    CopyAddresses,
    DeleteConversation,
    // On a contact.
    CopyAddress,
    WriteTo,
    EditContact,
    AddContact,
    RemoveContact,
    // On a recipient of a new message.
    PutFirst,
    RemoveRecipient,
    // On a saved list.
    EditList,
    RemoveList,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct CommandEntry {
    pub(crate) command: UiCommand,
    /// Its name in menus and on the sheet.
    pub(crate) label: &'static str,
    /// What it does, where the name does not say it all.
    pub(crate) explanation: &'static str,
    keys: &'static [KeyboardShortcut],
}

const fn entry(
    command: UiCommand,
    label: &'static str,
    explanation: &'static str,
    keys: &'static [KeyboardShortcut],
) -> CommandEntry {
    CommandEntry { command, label, explanation, keys }
}

const fn key(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(modifiers, key)
}

const CTRL: Modifiers = Modifiers::COMMAND;
const ALT: Modifiers = Modifiers::ALT;
const SHIFT: Modifiers = Modifiers::SHIFT;

/// Every command of the window.
pub(crate) const TABLE: &[CommandEntry] = &[
    entry(UiCommand::NewMessage, "New message", "Pick people, write once", &[key(CTRL, Key::N)]),
    entry(
        UiCommand::Palette,
        "Go to…",
        "A person, list, conversation or command, by a part of its name",
        &[key(CTRL, Key::K)],
    ),
    entry(UiCommand::FindHere, "Search in this conversation", "", &[key(CTRL, Key::F)]),
    entry(UiCommand::FindEverywhere, "Search all messages", "", &[key(CTRL.plus(SHIFT), Key::F)]),
    entry(
        UiCommand::GoToDate,
        "Go to a date…",
        "Show the first message of a day in this conversation",
        &[key(CTRL, Key::G)],
    ),
    entry(
        UiCommand::Export,
        "Export conversation…",
        "To a page, a text, a table or JSON, by the ending of the name",
        &[key(CTRL, Key::E)],
    ),
    entry(UiCommand::Emoji, "Insert an emoji", "Or type its name: :smile:", &[key(CTRL, Key::Period)]),
    entry(UiCommand::Attach, "Attach files…", "To the message being written", &[key(CTRL, Key::O)]),
    entry(UiCommand::Search, "Search people", "Find a conversation or a contact", &[]),
    entry(UiCommand::ConversationUp, "Previous conversation", "", &[key(ALT, Key::ArrowUp)]),
    entry(UiCommand::ConversationDown, "Next conversation", "", &[key(ALT, Key::ArrowDown)]),
    entry(UiCommand::UnreadUp, "Previous unread conversation", "", &[key(ALT.plus(SHIFT), Key::ArrowUp)]),
    entry(UiCommand::UnreadDown, "Next unread conversation", "", &[key(ALT.plus(SHIFT), Key::ArrowDown)]),
    entry(UiCommand::Delivery, "Delivery column", "Show or hide who got the message", &[key(CTRL, Key::D)]),
    entry(
        UiCommand::Wire,
        "Wire",
        "Watch the messages on the wire, in testing mode and in the demo",
        &[key(CTRL.plus(SHIFT), Key::W)],
    ),
    entry(
        UiCommand::ResendToFailed,
        "Resend to those who were not reached",
        "One new message to them alone",
        &[key(CTRL.plus(SHIFT), Key::R)],
    ),
    entry(UiCommand::NextFailed, "Next message that was not delivered", "", &[key(Modifiers::NONE, Key::F8)]),
    entry(UiCommand::NextColumn, "Next column", "", &[key(Modifiers::NONE, Key::F6)]),
    entry(UiCommand::Larger, "Larger", "", &[key(CTRL, Key::Plus), key(CTRL, Key::Equals)]),
    entry(UiCommand::Smaller, "Smaller", "", &[key(CTRL, Key::Minus)]),
    entry(UiCommand::NormalSize, "Normal size", "", &[key(CTRL, Key::Num0)]),
    entry(UiCommand::Settings, "Settings", "", &[key(CTRL, Key::Comma)]),
    entry(UiCommand::OpenProvision, "Open an account file…", "One that your operator handed out", &[]),
    entry(UiCommand::SignOut, "Sign out", "Until you sign in again; nothing reaches you here", &[]),
    entry(UiCommand::SignIn, "Sign in", "", &[]),
    entry(UiCommand::ChangePassword, "Change password…", "The one that is kept on this computer", &[]),
    entry(UiCommand::RemoveAccount, "Remove account…", "From this computer, with its messages", &[]),
    entry(UiCommand::Keys, "All shortcuts", "", &[key(CTRL, Key::Slash)]),
    entry(UiCommand::Quit, "Quit", "", &[key(CTRL, Key::Q)]),
    // Esc closes popups and fields too, so it is not consumed; see `pressed`.
    entry(UiCommand::Escape, "Close the open dialog or panel", "", &[key(Modifiers::NONE, Key::Escape)]),
    entry(UiCommand::CopyText, "Copy text", "", &[]),
    entry(UiCommand::CopyWithDelivery, "Copy with delivery", "The text, and who got it and who did not", &[]),
    entry(
        UiCommand::Quote,
        "Quote",
        "Reply to everybody here, with this message quoted",
        &[key(CTRL, Key::R)],
    ),
    entry(UiCommand::ReplyToSender, "Reply to sender only", "The others here do not get the reply", &[]),
    entry(UiCommand::Forward, "Forward", "Send this to other people", &[]),
    entry(UiCommand::SaveFileAs, "Save as…", "Choose the folder and the name", &[]),
    entry(UiCommand::Details, "Details", "Who got it and when", &[]),
    entry(
        UiCommand::SaveRecord,
        "Save delivery record…",
        "Every attempt, every person, and what was reported",
        &[],
    ),
    entry(UiCommand::Resend, "Resend", "To those who were not reached", &[]),
    entry(UiCommand::Select, "Select", "To copy, forward or delete several together", &[]),
    entry(UiCommand::Delete, "Delete", "On this computer only; the others keep it", &[]),
    entry(UiCommand::Pin, "Pin", "Keep it at the top of the list", &[]),
    entry(UiCommand::MuteFailures, "Mute failures too", "No notifications at all", &[]),
    entry(UiCommand::Mute, "Mute", "No notifications of its messages, only of failures", &[]),
    entry(UiCommand::MarkUnread, "Mark as unread", "", &[]),
    entry(UiCommand::Archive, "Archive", "Put it away until something new comes", &[]),
    entry(UiCommand::Rename, "Rename…", "For you alone", &[]),
    entry(UiCommand::Block, "Block", "What this person writes is refused", &[]),
    entry(UiCommand::CopyAddresses, "Copy addresses", "Of everybody in this conversation", &[]),
    entry(
        UiCommand::DeleteConversation,
        "Delete conversation",
        "On this computer only; the others keep theirs",
        &[],
    ),
    entry(UiCommand::CopyAddress, "Copy address", "", &[]),
    entry(UiCommand::WriteTo, "Write a message", "", &[]),
    entry(UiCommand::EditContact, "Edit contact", "", &[]),
    entry(UiCommand::AddContact, "Add to contacts", "", &[]),
    entry(UiCommand::RemoveContact, "Remove contact", "", &[]),
    entry(UiCommand::PutFirst, "Put first", "Into the field To; the others are in Secondary-To", &[]),
    entry(UiCommand::RemoveRecipient, "Remove", "", &[]),
    entry(UiCommand::EditList, "Edit list", "", &[]),
    entry(UiCommand::RemoveList, "Remove list", "", &[]),
];

/// The commands that need no target, for the palette.
pub(crate) fn everywhere() -> impl Iterator<Item = UiCommand> {
    let commands =
        TABLE.iter().map(|entry| entry.command).take_while(|command| *command != UiCommand::CopyText);
    commands.filter(|command| !matches!(command, UiCommand::Palette | UiCommand::Escape))
}

/// What else the keys and the pointer do; it belongs to the place that has the focus.
const GESTURES: &[(&str, &str)] = &[
    ("Enter, Shift+Enter", "Send, new line (can be swapped in the settings)"),
    ("Up, Down", "Previous, next message"),
    ("Page Up, Page Down", "Scroll the messages"),
    ("Home, End", "First, newest message"),
    ("Ctrl+Z, Ctrl+Shift+Z", "Undo, redo in a text field"),
    ("Ctrl+Z elsewhere", "Bring back what was just deleted"),
    ("Right click, Shift+F10", "Menu of a message, a conversation or a contact"),
    ("Ctrl+click, Shift+click", "Select several messages"),
    ("Delete", "Delete the message that has the focus"),
];

impl UiCommand {
    /// Somebody who is a contact is not added again, but can be edited.
    pub(crate) fn for_contact(person: &Person, names: &Names) -> Self {
        if names.knows(&address_key(&person.address)) { Self::EditContact } else { Self::AddContact }
    }

    fn entry(self) -> Option<&'static CommandEntry> {
        TABLE.iter().find(|entry| entry.command == self)
    }

    /// Its name.
    pub(crate) fn label(self) -> &'static str {
        self.entry().map_or("", |entry| entry.label)
    }

    /// Its first shortcut, as shown to the user; empty if it has none.
    pub(crate) fn shortcut(self) -> String {
        self.entry().and_then(|entry| entry.keys.first()).map(shown).unwrap_or_default()
    }

    /// The tooltip of a button for it: what it does, and its shortcut.
    pub(crate) fn tooltip(self) -> String {
        let words = self
            .entry()
            .map_or("", |entry| if entry.explanation.is_empty() { entry.label } else { entry.explanation });
        let shortcut = self.shortcut();
        if shortcut.is_empty() { words.to_owned() } else { format!("{words} ({shortcut})") }
    }
}

/// `Ctrl+N`.
fn shown(shortcut: &KeyboardShortcut) -> String {
    let key = [(Key::Comma, ","), (Key::Slash, "/"), (Key::Equals, "="), (Key::Period, ".")];
    let key = key.iter().find(|(key, _)| *key == shortcut.logical_key);
    let key = key.map_or_else(|| shortcut.logical_key.name(), |(_, shown)| shown);
    let modifiers = ModifierNames::NAMES.format(&shortcut.modifiers, cfg!(target_os = "macos"));
    if modifiers.is_empty() { key.to_owned() } else { format!("{modifiers}+{key}") }
}

/// The sheet of all shortcuts: keys, and what they do.
pub(crate) fn sheet() -> Vec<(String, &'static str)> {
    let gestures = GESTURES.iter().map(|(keys, words)| ((*keys).to_owned(), *words));
    let commands = TABLE.iter().filter(|entry| !entry.keys.is_empty()).map(|entry| {
        let keys: Vec<String> = entry.keys.iter().map(shown).collect();
        (keys.join(", "), entry.label)
    });
    commands.chain(gestures).collect()
}

/// The commands whose shortcuts were pressed in this frame; these are consumed from the input.
pub(crate) fn pressed(ctx: &egui::Context) -> Vec<UiCommand> {
    ctx.input_mut(|input| {
        if !input.events.iter().any(|event| matches!(event, egui::Event::Key { pressed: true, .. })) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (shortcut, command) in shortcuts() {
            let is_pressed = if command == UiCommand::Escape {
                input.key_pressed(shortcut.logical_key)
            } else {
                input.consume_shortcut(&shortcut)
            };
            if is_pressed {
                found.push(command);
            }
        }
        found
    })
}

/// All shortcuts; those with more modifiers first, because egui's logical matching ignores additional modifiers.
fn shortcuts() -> Vec<(KeyboardShortcut, UiCommand)> {
    let all = TABLE.iter().flat_map(|entry| entry.keys.iter().map(|shortcut| (*shortcut, entry.command)));
    let mut shortcuts: Vec<_> = all.collect();
    let count = |modifiers: Modifiers| {
        [modifiers.alt, modifiers.shift, modifiers.ctrl || modifiers.command]
            .into_iter()
            .filter(|it| *it)
            .count()
    };
    shortcuts.sort_by_key(|(shortcut, _)| std::cmp::Reverse(count(shortcut.modifiers)));
    shortcuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_shift_is_not_the_key_without() {
        let shortcuts = shortcuts();
        for (place, (shortcut, _)) in shortcuts.iter().enumerate() {
            for (earlier, _) in shortcuts.iter().take(place) {
                assert!(shortcut != earlier, "{shortcut:?} stands twice");
                assert!(
                    shortcut.logical_key != earlier.logical_key
                        || !shortcut.modifiers.matches_logically(earlier.modifiers),
                    "{shortcut:?} would be taken by an earlier line"
                );
            }
        }
    }

    #[test]
    fn every_command_has_one_line_and_the_sheet_has_all_keys() {
        for (place, entry) in TABLE.iter().enumerate() {
            assert!(!entry.label.is_empty());
            assert!(TABLE.iter().take(place).all(|earlier| earlier.command != entry.command));
        }
        let sheet = sheet();
        let has =
            |keys: &str, words: &str| sheet.iter().any(|line| (line.0.as_str(), line.1) == (keys, words));
        assert!(has("Ctrl+N", "New message") && has("Ctrl+Plus, Ctrl+=", "Larger"), "{sheet:?}");
        assert!(
            has("Alt+Shift+Up", "Previous unread conversation")
                && has("F8", "Next message that was not delivered"),
            "{sheet:?}"
        );
        assert_eq!(UiCommand::Quote.tooltip(), "Reply to everybody here, with this message quoted (Ctrl+R)");
        assert_eq!(UiCommand::Details.tooltip(), "Who got it and when");
    }
}
