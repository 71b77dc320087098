//! Where things stand: notices, dialogs, the focus, and the place in a conversation.

use egui::accesskit::Role;
use egui::{Key, Modifiers, PointerButton, Pos2, Rect};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::{AgentCommand, Command, Notice};
use fanfare::model::journal::ConversationId;
use fanfare::model::snapshot::MessageView;
use fanfare::ui::App;

use crate::fake::{Fake, ago, from, person, press, says, type_into};
use crate::gallery::{LARGE, SMALL, busy};

fn open(window: &mut Harness<'static, App>, name: &str) {
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with(name))).click();
    window.run();
}

fn field<'w>(window: &'w Harness<'static, App>, name: &'w str) -> egui_kittest::Node<'w> {
    window.get_by_role_and_label(Role::TextInput, name)
}

/// Where a label with these words is.
fn place_of(window: &Harness<'static, App>, words: &str) -> Rect {
    let mut labels = window.root().children_recursive();
    let found = labels.find(|node| {
        let node = node.accesskit_node();
        node.role() == Role::Label && node.value().is_some_and(|text| text.contains(words))
    });
    found.unwrap_or_else(|| panic!("nobody says {words}")).rect()
}

fn problems(fake: &Fake, words: &[&str]) {
    fake.change(|inner| inner.notices.extend(words.iter().map(|words| Notice::Problem((*words).into()))));
}

const FIRST: &str = "The file could not be saved: it is not there any more.";
const SECOND: &str = "This system's keyring does not answer. Unlock it, or type the password again.";

#[test]
fn two_notices_keep_their_size() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    problems(&fake, &[FIRST, SECOND]);
    window.run();
    let before = (place_of(&window, FIRST), place_of(&window, SECOND));
    (0..30).for_each(|_| window.step());
    assert_eq!((place_of(&window, FIRST), place_of(&window, SECOND)), before);
    let heights = before.0.height() + before.1.height();
    assert!(heights < 120.0 && before.0.bottom() < before.1.top(), "{before:?}");
}

/// Clicks with the pointer, not through the accessibility tree: whatever lies on top gets it.
fn click_at(window: &mut Harness<'static, App>, at: Pos2) {
    window.hover_at(at);
    window.run();
    for pressed in [true, false] {
        let modifiers = Modifiers::NONE;
        window.event(egui::Event::PointerButton {
            pos: at,
            button: PointerButton::Primary,
            pressed,
            modifiers,
        });
    }
    window.run();
}

#[test]
fn notices_cover_nothing_that_is_worked_in_and_let_clicks_through() {
    for size in [LARGE, SMALL] {
        let fake = busy();
        let mut window = fake.window(size);
        press(&mut window, Modifiers::COMMAND, Key::N);
        problems(&fake, &[FIRST, SECOND]);
        window.run();
        for words in [FIRST, SECOND] {
            let toast = place_of(&window, words).expand(8.0);
            for field in ["To", "Message", "Send", "Attach a file"] {
                let worked_in = window.get_by_label(field).rect();
                assert!(!toast.intersects(worked_in), "{size:?}: {words} is over {field}");
            }
        }
        let center = place_of(&window, FIRST).center();
        click_at(&mut window, center);
        let opened = fake.asked().into_iter().any(|command| matches!(command, Command::Open(_)));
        let picked = window.query_by(|node| node.label().is_some_and(|label| label.starts_with("Remove ")));
        assert!(opened || picked.is_some(), "{size:?}: the click reaches the row below");
    }
    for size in [LARGE, SMALL] {
        let fake = busy();
        let mut window = fake.window(size);
        window.get_by_role_and_label(Role::Tab, "Contacts").click();
        window.run();
        window.get_by_label("Add contact").click();
        window.run();
        problems(&fake, &[FIRST]);
        window.run();
        let toast = place_of(&window, FIRST).expand(8.0);
        let buttons = ["Save contact", "Close"].map(|label| window.get_by_label(label).rect());
        let fields = ["Name", "SIP address"].map(|name| field(&window, name).rect());
        for control in buttons.into_iter().chain(fields) {
            assert!(!toast.intersects(control), "{size:?}: over {control}");
        }
        window.get_by_label("Dismiss").click();
        window.run();
        assert!(!says(&window, FIRST));
    }
}

#[test]
fn a_dialog_takes_the_focus_and_keeps_what_was_typed() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    open(&mut window, "Cy Young,");
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    window.get_by_label("Add contact").click();
    window.run();
    assert!(field(&window, "Name").is_focused());
    field(&window, "Name").type_text("Gus");
    window.run();
    click_at(&mut window, Pos2::new(20.0, 700.0));
    assert_eq!(field(&window, "Name").value().as_deref(), Some("Gus"), "a click beside loses nothing");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(says(&window, "Discard what you typed?"));
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(!says(&window, "Discard what you typed?"));
    assert_eq!(field(&window, "Name").value().as_deref(), Some("Gus"));
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.get_by_label("Discard").click();
    window.run();
    assert!(window.query_by_label("Save contact").is_none());
    // Without anything typed, both close it at once.
    for by_key in [true, false] {
        window.get_by_label("Add contact").click();
        window.run();
        if by_key {
            press(&mut window, Modifiers::NONE, Key::Escape);
        } else {
            click_at(&mut window, Pos2::new(20.0, 700.0));
        }
        assert!(window.query_by_label("Save contact").is_none());
    }
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    assert!(window.get_by_label("Close").is_focused(), "what is typed now does not go into the message");
}

#[test]
fn typing_where_no_field_has_the_focus_goes_into_the_message() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    open(&mut window, "Cy Young,");
    window.get_by_label("Message from Cy Young").focus();
    window.run();
    window.event(egui::Event::Text("H".into()));
    window.run();
    window.event(egui::Event::Text("i".into()));
    window.run();
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("Hi"));
    // Not while a search is typed.
    type_into(&mut window, "Search", "ben");
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("Hi"));
}

/// A conversation with Ann with this many messages of hers, all unread but the first three.
fn many(fake: &Fake, count: u64) {
    let ann = person("Ann Lee");
    let messages: Vec<MessageView> =
        (1..=count).map(|id| from(id, ago(count - id), &ann, &format!("Message number {id}."))).collect();
    fake.converse(1, &[ann], messages, u32::try_from(count - 3).unwrap());
    fake.unread_from(1, 4);
}

fn seen(fake: &Fake) -> Vec<Command> {
    let is_seen = |command: &Command| {
        matches!(command, Command::Agent(AgentCommand::Seen { .. } | AgentCommand::SeenUpTo { .. }))
    };
    fake.asked().into_iter().filter(is_seen).collect()
}

#[test]
fn a_conversation_with_much_unread_opens_at_the_new_line_and_counts_as_read_only_what_was_seen() {
    for count in [40, 204] {
        let fake = busy();
        many(&fake, count);
        let mut window = fake.window(LARGE);
        open(&mut window, "Ann Lee, Message number");
        (0..10).for_each(|_| window.step());
        assert!(says(&window, "Message number 4."), "{count}: the first unread one is in view");
        assert!(!says(&window, &format!("Message number {count}.")), "and not the last");
        let told = seen(&fake);
        let [Command::Agent(AgentCommand::SeenUpTo { conversation: ConversationId(1), message, unread })] =
            told.as_slice()
        else {
            panic!("{count}: {told:?}")
        };
        assert!((4..30).contains(&message.0), "{message:?}");
        assert_eq!(u64::from(*unread), count - message.0);
        window.get_by(|node| node.label().is_some_and(|label| label.starts_with("Go to the newest"))).click();
        window.run();
        let told = seen(&fake);
        assert!(matches!(told.last(), Some(Command::Agent(AgentCommand::Seen { .. }))), "{told:?}");
    }
}

#[test]
fn each_conversation_keeps_its_place() {
    let fake = busy();
    many(&fake, 60);
    let mut window = fake.window(LARGE);
    open(&mut window, "Ann Lee, Message number");
    window.run();
    // Beyond the line `New`, which is not there the second time.
    press(&mut window, Modifiers::NONE, Key::PageDown);
    (0..4).for_each(|_| window.step());
    let shown = |window: &Harness<'static, App>| {
        (1..=60).find(|number| says(window, &format!("Message number {number}."))).unwrap_or(0)
    };
    let first = shown(&window);
    assert!((8..40).contains(&first), "{first}");
    let last_word = format!("Message number {}.", first + 3);
    let top = |window: &Harness<'static, App>| place_of(window, &last_word).top();
    let before = top(&window);
    open(&mut window, "Cy Young,");
    assert!(says(&window, "See you on Monday then."));
    // Nothing is unread any more, so the conversation opens where it was left.
    fake.unread_from(1, 10_000);
    open(&mut window, "Ann Lee, Message number");
    window.run();
    assert!((top(&window) - before).abs() < 2.0, "{before} became {}", top(&window));
}

#[test]
fn a_list_or_a_contact_that_was_removed_comes_back_by_undo() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    window.get_by_label("Edit list Night shift").click();
    window.run();
    window.get_by_label("Remove").click();
    window.run();
    assert!(window.query_by_label("List Night shift").is_none());
    window.get_by_label("Undo").click();
    window.run();
    window.get_by_label("List Night shift");
    window.get_by_label("Edit Ann Lee").click();
    window.run();
    window.get_by_label("Remove").click();
    window.run();
    assert!(says(&window, "Ann Lee is no longer a contact."));
    window.get_by_label("Undo").click();
    window.run();
    window.get_by_label("Edit Ann Lee");
}

#[test]
fn a_list_that_was_changed_is_as_it_was_by_undo() {
    let fake = busy();
    let before = fanfare::ui::Source::snapshot(&fake).book.lists.clone();
    let mut window = fake.window(LARGE);
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    window.get_by_label("Edit list Night shift").click();
    window.run();
    type_into(&mut window, "List name", " 2");
    window.get_by_label("Remove Cy Young").click();
    window.run();
    window.get_by_label("Save list").click();
    window.run();
    window.get_by_label("List Night shift 2");
    assert!(says(&window, "The list Night shift 2 was changed."));
    window.get_by_label("Undo").click();
    window.run();
    window.get_by_label("List Night shift");
    assert_eq!(fanfare::ui::Source::snapshot(&fake).book.lists, before);
}

#[test]
fn the_message_field_has_the_focus_once_the_conversation_is_loaded() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    fake.change(|inner| inner.holds_back = true);
    open(&mut window, "Cy Young,");
    (0..3).for_each(|_| window.step());
    assert!(window.query_by_label("Send to 1").is_none(), "it is not loaded yet");
    fake.change(|inner| inner.holds_back = false);
    let opened = fake.asked();
    opened.into_iter().for_each(|command| fanfare::ui::Source::send(&fake, command).unwrap());
    window.run();
    assert!(window.get_by_label("Message").is_focused());
}
