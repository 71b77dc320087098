//! The commands of the window in one table: name, explanation and keys together. Shortcuts, menus, tooltips and the
//! sheet of all shortcuts are made from it. (Ctrl is Cmd on macOS.)

mod menus;

use egui::{Key, KeyboardShortcut, ModifierNames, Modifiers};

pub(crate) use self::menus::{block_item, button_menu, context_menu, menu_item, named_menu_item};
use crate::model::contacts::{Person, address_key};
use crate::model::names::Names;
use crate::ui::text::{TextId, say};

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
    pub(crate) label: TextId,
    /// What it does, where the name does not say it all.
    pub(crate) explanation: Option<TextId>,
    keys: &'static [KeyboardShortcut],
}

const fn entry(
    command: UiCommand,
    label: TextId,
    explanation: Option<TextId>,
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
    entry(
        UiCommand::NewMessage,
        TextId("cmd-new-message"),
        Some(TextId("cmd-new-message-why")),
        &[key(CTRL, Key::N)],
    ),
    entry(UiCommand::Palette, TextId("cmd-palette"), Some(TextId("cmd-palette-why")), &[key(CTRL, Key::K)]),
    entry(UiCommand::FindHere, TextId("cmd-find-here"), None, &[key(CTRL, Key::F)]),
    entry(UiCommand::FindEverywhere, TextId("cmd-find-everywhere"), None, &[key(CTRL.plus(SHIFT), Key::F)]),
    entry(
        UiCommand::GoToDate,
        TextId("cmd-go-to-date"),
        Some(TextId("cmd-go-to-date-why")),
        &[key(CTRL, Key::G)],
    ),
    entry(UiCommand::Export, TextId("cmd-export"), Some(TextId("cmd-export-why")), &[key(CTRL, Key::E)]),
    entry(UiCommand::Emoji, TextId("cmd-emoji"), Some(TextId("cmd-emoji-why")), &[key(CTRL, Key::Period)]),
    entry(UiCommand::Attach, TextId("cmd-attach"), Some(TextId("cmd-attach-why")), &[key(CTRL, Key::O)]),
    entry(UiCommand::Search, TextId("cmd-search"), Some(TextId("cmd-search-why")), &[]),
    entry(UiCommand::ConversationUp, TextId("cmd-up"), None, &[key(ALT, Key::ArrowUp)]),
    entry(UiCommand::ConversationDown, TextId("cmd-down"), None, &[key(ALT, Key::ArrowDown)]),
    entry(UiCommand::UnreadUp, TextId("cmd-unread-up"), None, &[key(ALT.plus(SHIFT), Key::ArrowUp)]),
    entry(UiCommand::UnreadDown, TextId("cmd-unread-down"), None, &[key(ALT.plus(SHIFT), Key::ArrowDown)]),
    entry(
        UiCommand::Delivery,
        TextId("cmd-delivery"),
        Some(TextId("cmd-delivery-why")),
        &[key(CTRL, Key::D)],
    ),
    entry(
        UiCommand::Wire,
        TextId("cmd-wire"),
        Some(TextId("cmd-wire-why")),
        &[key(CTRL.plus(SHIFT), Key::W)],
    ),
    entry(
        UiCommand::ResendToFailed,
        TextId("cmd-resend-failed"),
        Some(TextId("cmd-resend-failed-why")),
        &[key(CTRL.plus(SHIFT), Key::R)],
    ),
    entry(UiCommand::NextFailed, TextId("cmd-next-failed"), None, &[key(Modifiers::NONE, Key::F8)]),
    entry(UiCommand::NextColumn, TextId("cmd-next-column"), None, &[key(Modifiers::NONE, Key::F6)]),
    entry(UiCommand::Larger, TextId("cmd-larger"), None, &[key(CTRL, Key::Plus), key(CTRL, Key::Equals)]),
    entry(UiCommand::Smaller, TextId("cmd-smaller"), None, &[key(CTRL, Key::Minus)]),
    entry(UiCommand::NormalSize, TextId("cmd-normal-size"), None, &[key(CTRL, Key::Num0)]),
    entry(UiCommand::Settings, TextId("cmd-settings"), None, &[key(CTRL, Key::Comma)]),
    entry(UiCommand::OpenProvision, TextId("cmd-open-account"), Some(TextId("cmd-open-account-why")), &[]),
    entry(UiCommand::SignOut, TextId("cmd-sign-out"), Some(TextId("cmd-sign-out-why")), &[]),
    entry(UiCommand::SignIn, TextId("cmd-sign-in"), None, &[]),
    entry(
        UiCommand::ChangePassword,
        TextId("cmd-change-password"),
        Some(TextId("cmd-change-password-why")),
        &[],
    ),
    entry(
        UiCommand::RemoveAccount,
        TextId("cmd-remove-account"),
        Some(TextId("cmd-remove-account-why")),
        &[],
    ),
    entry(UiCommand::Keys, TextId("cmd-keys"), None, &[key(CTRL, Key::Slash)]),
    entry(UiCommand::Quit, TextId("cmd-quit"), None, &[key(CTRL, Key::Q)]),
    // Esc closes popups and fields too, so it is not consumed; see `pressed`.
    entry(UiCommand::Escape, TextId("cmd-escape"), None, &[key(Modifiers::NONE, Key::Escape)]),
    entry(UiCommand::CopyText, TextId("cmd-copy-text"), None, &[]),
    entry(
        UiCommand::CopyWithDelivery,
        TextId("cmd-copy-delivery"),
        Some(TextId("cmd-copy-delivery-why")),
        &[],
    ),
    entry(UiCommand::Quote, TextId("cmd-quote"), Some(TextId("cmd-quote-why")), &[key(CTRL, Key::R)]),
    entry(UiCommand::ReplyToSender, TextId("cmd-reply"), Some(TextId("cmd-reply-why")), &[]),
    entry(UiCommand::Forward, TextId("cmd-forward"), Some(TextId("cmd-forward-why")), &[]),
    entry(UiCommand::SaveFileAs, TextId("cmd-save-as"), Some(TextId("cmd-save-as-why")), &[]),
    entry(UiCommand::Details, TextId("cmd-details"), Some(TextId("cmd-details-why")), &[]),
    entry(UiCommand::SaveRecord, TextId("cmd-record"), Some(TextId("cmd-record-why")), &[]),
    entry(UiCommand::Resend, TextId("cmd-resend"), Some(TextId("cmd-resend-why")), &[]),
    entry(UiCommand::Select, TextId("cmd-select"), Some(TextId("cmd-select-why")), &[]),
    entry(UiCommand::Delete, TextId("cmd-delete"), Some(TextId("cmd-delete-why")), &[]),
    entry(UiCommand::Pin, TextId("cmd-pin"), Some(TextId("cmd-pin-why")), &[]),
    entry(UiCommand::MuteFailures, TextId("cmd-mute-failures"), Some(TextId("cmd-mute-failures-why")), &[]),
    entry(UiCommand::Mute, TextId("cmd-mute"), Some(TextId("cmd-mute-why")), &[]),
    entry(UiCommand::MarkUnread, TextId("cmd-mark-unread"), None, &[]),
    entry(UiCommand::Archive, TextId("cmd-archive"), Some(TextId("cmd-archive-why")), &[]),
    entry(UiCommand::Rename, TextId("cmd-rename"), Some(TextId("cmd-rename-why")), &[]),
    entry(UiCommand::Block, TextId("cmd-block"), Some(TextId("cmd-block-why")), &[]),
    entry(
        UiCommand::CopyAddresses,
        TextId("cmd-copy-addresses"),
        Some(TextId("cmd-copy-addresses-why")),
        &[],
    ),
    entry(
        UiCommand::DeleteConversation,
        TextId("cmd-delete-conversation"),
        Some(TextId("cmd-delete-conversation-why")),
        &[],
    ),
    entry(UiCommand::CopyAddress, TextId("cmd-copy-address"), None, &[]),
    entry(UiCommand::WriteTo, TextId("cmd-write-to"), None, &[]),
    entry(UiCommand::EditContact, TextId("cmd-edit-contact"), None, &[]),
    entry(UiCommand::AddContact, TextId("cmd-add-contact"), None, &[]),
    entry(UiCommand::RemoveContact, TextId("cmd-remove-contact"), None, &[]),
    entry(UiCommand::PutFirst, TextId("cmd-put-first"), Some(TextId("cmd-put-first-why")), &[]),
    entry(UiCommand::RemoveRecipient, TextId("cmd-remove-recipient"), None, &[]),
    entry(UiCommand::EditList, TextId("cmd-edit-list"), None, &[]),
    entry(UiCommand::RemoveList, TextId("cmd-remove-list"), None, &[]),
];

/// The commands that need no target, for the palette.
pub(crate) fn everywhere() -> impl Iterator<Item = UiCommand> {
    let commands =
        TABLE.iter().map(|entry| entry.command).take_while(|command| *command != UiCommand::CopyText);
    commands.filter(|command| !matches!(command, UiCommand::Palette | UiCommand::Escape))
}

/// What else the keys and the pointer do; it belongs to the place that has the focus.
const GESTURES: &[(TextId, TextId)] = &[
    (TextId("keys-enter"), TextId("keys-enter-why")),
    (TextId("keys-up-down"), TextId("keys-up-down-why")),
    (TextId("keys-page"), TextId("keys-page-why")),
    (TextId("keys-home"), TextId("keys-home-why")),
    (TextId("keys-undo"), TextId("keys-undo-why")),
    (TextId("keys-undo-else"), TextId("keys-undo-else-why")),
    (TextId("keys-menu"), TextId("keys-menu-why")),
    (TextId("keys-select"), TextId("keys-select-why")),
    (TextId("keys-delete"), TextId("keys-delete-why")),
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
        self.entry().map_or("", |entry| entry.label.say())
    }

    /// Its first shortcut, as shown to the user; empty if it has none.
    pub(crate) fn shortcut(self) -> String {
        self.entry().and_then(|entry| entry.keys.first()).map(shown).unwrap_or_default()
    }

    /// The tooltip of a button for it: what it does, and its shortcut.
    pub(crate) fn tooltip(self) -> String {
        let words = self.entry().map_or("", |entry| entry.explanation.unwrap_or(entry.label).say());
        let shortcut = self.shortcut();
        if shortcut.is_empty() { words.to_owned() } else { format!("{words} ({shortcut})") }
    }
}

/// `Ctrl+N`.
fn shown(shortcut: &KeyboardShortcut) -> String {
    let key = [(Key::Comma, ","), (Key::Slash, "/"), (Key::Equals, "="), (Key::Period, ".")];
    let key = key.iter().find(|(key, _)| *key == shortcut.logical_key);
    let key = key.map_or_else(|| key_name(shortcut.logical_key), |(_, shown)| shown);
    let names = ModifierNames {
        ctrl: say!("key-ctrl"),
        shift: say!("key-shift"),
        alt: say!("key-alt"),
        ..ModifierNames::NAMES
    };
    let modifiers = names.format(&shortcut.modifiers, cfg!(target_os = "macos"));
    if modifiers.is_empty() { key.to_owned() } else { format!("{modifiers}+{key}") }
}

/// What is printed on a key.
fn key_name(key: Key) -> &'static str {
    let names = [
        (Key::ArrowUp, TextId("key-up")),
        (Key::ArrowDown, TextId("key-down")),
        (Key::Plus, TextId("key-plus")),
        (Key::Minus, TextId("key-minus")),
        (Key::Escape, TextId("key-escape")),
    ];
    names.iter().find(|(known, _)| *known == key).map_or_else(|| key.name(), |(_, name)| name.say())
}

/// The sheet of all shortcuts: keys, and what they do.
pub(crate) fn sheet() -> Vec<(String, &'static str)> {
    let gestures = GESTURES.iter().map(|(keys, words)| (keys.say().to_owned(), words.say()));
    let commands = TABLE.iter().filter(|entry| !entry.keys.is_empty()).map(|entry| {
        let keys: Vec<String> = entry.keys.iter().map(shown).collect();
        (keys.join(", "), entry.label.say())
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
            assert!(!entry.label.say().is_empty());
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
