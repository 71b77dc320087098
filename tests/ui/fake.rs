//! A source that remembers what it was asked, and shows what a test puts in; and people and messages to show.

#[path = "fake/obey.rs"]
mod obey;

#[path = "fake/values.rs"]
mod values;

pub(crate) use self::values::{account, ago, book, delivery, from, own, own_of, people, person};

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use self::obey::obey;
use self::values::{head, thread};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::account::{Account, RegistrationState};
use fanfare::model::command::{AgentCommand, Command, Notice};
use fanfare::model::contacts::{AddressBook, Contact, List};
use fanfare::model::deletion::StorageUse;
use fanfare::model::journal::{ConversationId, DeliveryState, DraftRow, MessageId, Way};
use fanfare::model::later::Later;
use fanfare::model::matrix::Matrix;
use fanfare::model::names::Names;
use fanfare::model::record::RecordRequest;
use fanfare::model::snapshot::{
    ConversationHead, DeliveryView, MessageView, Outline, Person, Settings, Snapshot, Tally, Theme, Thread,
};
use fanfare::runtime::engine::Wire;
use fanfare::sip::File;
use fanfare::time::Timestamp;
use fanfare::ui::{App, CommandsFull, Options, Source};
use jiff::tz::TimeZone;

/// Friday, 14 November 2025, 15:00 UTC.
pub(crate) const NOW: u64 = 1_763_132_400_000;

/// What the fake source holds.
#[derive(Default)]
pub(crate) struct Inner {
    pub snapshot: Snapshot,
    shown: Option<Arc<Snapshot>>,
    threads: BTreeMap<ConversationId, Thread>,
    pub commands: Vec<Command>,
    pub drafts: Vec<DraftRow>,
    /// How often the room in use was measured.
    pub measured: usize,
    pub notices: Vec<Notice>,
    /// The time; [`NOW`] if 0.
    pub now: u64,
    /// What passes on the wire.
    pub wire: Option<Wire>,
    /// What is counted of any conversation.
    pub matrix: Option<Arc<Matrix>>,
    /// Wakes the window, as an engine does.
    wake: Option<egui::Context>,
    /// Refuses everything from now on.
    pub full: bool,
    /// Takes commands and does nothing about them yet.
    pub holds_back: bool,
    /// What stands behind the window has ended by a fault.
    pub ended: bool,
    /// The files of messages.
    pub files: BTreeMap<(MessageId, usize), File>,
    /// It cannot be started anew, because of this.
    pub not_again: Option<String>,
}

/// The test's hold on the source.
#[derive(Clone, Default)]
pub(crate) struct Fake(Rc<RefCell<Inner>>);

impl Source for Fake {
    fn snapshot(&self) -> Arc<Snapshot> {
        let mut inner = self.0.borrow_mut();
        let snapshot = inner.snapshot.clone();
        Arc::clone(inner.shown.get_or_insert_with(|| Arc::new(snapshot)))
    }

    fn notices(&self) -> Vec<Notice> {
        std::mem::take(&mut self.0.borrow_mut().notices)
    }

    fn send(&self, command: Command) -> Result<(), CommandsFull> {
        if self.0.borrow().full {
            return Err(CommandsFull);
        }
        if let Command::Agent(AgentCommand::KeepDraft(row)) = command {
            // Sent while one types; only the tests of drafts want to know.
            self.0.borrow_mut().drafts.push(row);
            return Ok(());
        }
        if matches!(command, Command::MeasureStorage) {
            // Asked whenever the settings are open; only the tests of that want to know.
            self.0.borrow_mut().measured += 1;
        } else {
            self.0.borrow_mut().commands.push(command.clone());
        }
        if !self.0.borrow().holds_back {
            self.change(|inner| obey(inner, command));
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        let now = self.0.borrow().now;
        Timestamp::from_millis(if now == 0 { NOW } else { now })
    }

    fn wire(&self) -> Option<Wire> {
        self.0.borrow().wire.clone()
    }

    fn has_ended(&self) -> bool {
        self.0.borrow().ended
    }

    fn start_again(&mut self) -> Result<(), String> {
        let mut inner = self.0.borrow_mut();
        if let Some(why) = inner.not_again.clone() {
            return Err(why);
        }
        inner.ended = false;
        Ok(())
    }
}

impl Fake {
    /// A source with an account and contacts, and nothing written yet.
    pub(crate) fn new() -> Self {
        let fake = Self::default();
        fake.change(|inner| {
            inner.snapshot.account = Some(Arc::new(account()));
            inner.snapshot.registration = RegistrationState::Connected;
            inner.snapshot.settings = Settings { theme: Theme::Light, ..Settings::default() };
            inner.snapshot.book = Arc::new(book());
        });
        fake
    }

    /// Changes what is shown.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.0.borrow_mut();
        change(&mut inner);
        inner.snapshot.names = Arc::new(Names::of(&inner.snapshot.book));
        inner.shown = None;
        if let Some(ctx) = &inner.wake {
            ctx.request_repaint();
        }
    }

    /// A conversation with these messages, newest last, on top of the list.
    pub(crate) fn converse(&self, id: u64, people: &[Person], messages: Vec<MessageView>, unread: u32) {
        self.change(|inner| {
            let thread = thread(id, people, messages);
            let head = head(&thread, unread);
            let others = inner.snapshot.conversations.iter().filter(|other| other.id != head.id).cloned();
            inner.snapshot.conversations = std::iter::once(head.clone()).chain(others).collect();
            if inner.snapshot.thread.as_ref().is_some_and(|open| open.conversation == head.id) {
                inner.snapshot.thread = Some(Arc::new(thread.clone()));
            }
            inner.threads.insert(head.id, thread);
        });
    }

    /// The entries of the list.
    pub(crate) fn snapshot_now(&self) -> Arc<[ConversationHead]> {
        Arc::clone(&self.0.borrow().snapshot.conversations)
    }

    /// All messages, newest first.
    pub(crate) fn messages(&self) -> Vec<(ConversationId, Arc<MessageView>)> {
        let inner = self.0.borrow();
        let of = |thread: &Thread| {
            let id = thread.conversation;
            thread.messages.iter().map(|message| (id, Arc::clone(message))).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = inner.threads.values().flat_map(of).collect();
        all.sort_by_key(|(_, message)| std::cmp::Reverse(message.id));
        all
    }

    /// In this conversation, the last so many messages of others are unread.
    pub(crate) fn unread_from(&self, id: u64, message: u64) {
        self.change(|inner| {
            if let Some(thread) = inner.threads.get_mut(&ConversationId(id)) {
                thread.unread_from = Some(MessageId(message));
            }
        });
    }

    /// The drafts that were to be kept since the last call.
    pub(crate) fn kept(&self) -> Vec<DraftRow> {
        std::mem::take(&mut self.0.borrow_mut().drafts)
    }

    /// What was asked since the last call, besides to keep drafts.
    pub(crate) fn asked(&self) -> Vec<Command> {
        std::mem::take(&mut self.0.borrow_mut().commands)
    }

    /// The window over this source.
    pub(crate) fn window(&self, size: [f32; 2]) -> Harness<'static, App> {
        let options = Options { zone: Some(TimeZone::UTC), ..Options::default() };
        self.window_with(size, options)
    }

    /// The window, started in a certain way.
    pub(crate) fn window_with(&self, size: [f32; 2], options: Options) -> Harness<'static, App> {
        let source = self.clone();
        let mut harness =
            Harness::builder().with_size(size).with_max_steps(12).build_eframe(move |creation| {
                source.0.borrow_mut().wake = Some(creation.egui_ctx.clone());
                App::new(&creation.egui_ctx, Box::new(source), options)
            });
        harness.run();
        harness
    }
}

/// Puts the caret into a field and types.
pub(crate) fn type_into(harness: &mut Harness<'static, App>, field: &str, text: &str) {
    harness.get_by_role_and_label(field_role(field), field).focus();
    harness.run();
    harness.get_by_role_and_label(field_role(field), field).type_text(text);
    harness.run();
}

/// Shows the fields of the first screen that few people need.
pub(crate) fn open_advanced(harness: &mut Harness<'static, App>) {
    harness.get_by_role_and_label(Role::DisclosureTriangle, "Advanced").click();
    harness.run();
}

fn field_role(field: &str) -> Role {
    match field {
        "Message" => Role::MultilineTextInput,
        "Password" => Role::PasswordInput,
        _ => Role::TextInput,
    }
}

/// A label with these words is on the screen.
pub(crate) fn says(harness: &Harness<'static, App>, words: &str) -> bool {
    let mut labels =
        harness.root().children_recursive().filter(|node| node.accesskit_node().role() == Role::Label);
    labels.any(|node| node.accesskit_node().value().is_some_and(|text| text.contains(words)))
}

/// Presses a key and lets the window settle.
pub(crate) fn press(harness: &mut Harness<'static, App>, modifiers: egui::Modifiers, key: egui::Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run();
}
