//! A source that remembers what it was asked, and shows what a test puts in; and people and messages to show.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

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

/// What an engine would do at once.
fn obey(inner: &mut Inner, command: Command) {
    match command {
        Command::Open(id) => inner.snapshot.thread = inner.threads.get(&id).cloned().map(Arc::new),
        Command::Close => inner.snapshot.thread = None,
        Command::PutSettings(settings) => inner.snapshot.settings = settings,
        Command::PutAccount(account) => inner.snapshot.account = Some(Arc::new(account)),
        Command::PutContact(contact) => change_book(inner, |book| book.put(contact)),
        Command::RemoveContact { address } => change_book(inner, |book| book.remove(&address)),
        Command::AddContacts { contacts, lists } => change_book(inner, |book| {
            book.add(contacts, lists);
        }),
        Command::PutList(list) => change_book(inner, |book| book.put_list(list)),
        Command::RemoveList { name } => change_book(inner, |book| book.remove_list(&name)),
        Command::Agent(command) => obey_agent(inner, command),
        other @ (Command::ReadContacts(_)
        | Command::ExportContacts
        | Command::Attach(_)
        | Command::ReadFile { .. }
        | Command::SaveRecord(_)
        | Command::Save(_)
        | Command::CountOutcomes(_)
        | Command::MeasureStorage) => {
            if let Some(notice) = notice_of(inner, other) {
                inner.notices.push(notice);
            }
        }
        Command::ShowAround { .. }
        | Command::SaveFile { .. }
        | Command::Search(_)
        | Command::Delete(_)
        | Command::Quit => {}
    }
}

fn obey_agent(inner: &mut Inner, command: AgentCommand) {
    match command {
        AgentCommand::Seen { conversation } => {
            let mut heads = inner.snapshot.conversations.to_vec();
            for head in heads.iter_mut().filter(|head| head.id == conversation) {
                (head.unread, head.failed_unseen) = (0, 0);
            }
            inner.snapshot.conversations = heads.into();
        }
        AgentCommand::SeenUpTo { conversation, unread, .. } => {
            let mut heads = inner.snapshot.conversations.to_vec();
            heads.iter_mut().filter(|head| head.id == conversation).for_each(|head| head.unread = unread);
            inner.snapshot.conversations = heads.into();
        }
        AgentCommand::SendLater { draft, due } => change_later(inner, |later| {
            let number = later.last().map_or(1, |last| last.number + 1);
            later.push(Later { number, due, draft });
        }),
        AgentCommand::PutOff { number, due } => change_later(inner, |later| {
            later.iter_mut().filter(|later| later.number == number).for_each(|later| later.due = due);
        }),
        AgentCommand::TakeLaterBack { number } => {
            change_later(inner, |later| later.retain(|later| later.number != number));
        }
        AgentCommand::Send(_)
        | AgentCommand::Resend { .. }
        | AgentCommand::ResendTo { .. }
        | AgentCommand::Withdraw { .. }
        | AgentCommand::KeepDraft(_)
        | AgentCommand::Typing { .. }
        | AgentCommand::Delete(_)
        | AgentCommand::Connect
        | AgentCommand::Disconnect => {}
    }
}

/// What the engine would tell after such a command.
fn notice_of(inner: &Inner, command: Command) -> Option<Notice> {
    match command {
        Command::ReadContacts(path) => {
            let file = std::fs::read(&path).map(Into::into).map_err(|error| format!("{error}."));
            Some(Notice::ContactsRead { file })
        }
        Command::ExportContacts => Some(Notice::Saved("/downloads/contacts.vcf".into())),
        Command::MeasureStorage => {
            let oldest = Some(ago(60 * 24 * 400));
            let found = StorageUse {
                bytes: 34_000_000,
                messages: 12_345,
                with_files: 120,
                file_bytes: 30_000_000,
                oldest,
            };
            Some(Notice::Storage(found))
        }
        Command::Attach(path) if path.ends_with("nothing") => {
            let why = format!("{} cannot be read: there is no such file.", path.display());
            Some(Notice::NotAttached { path, why, is_too_large: false })
        }
        Command::Attach(path) if std::fs::metadata(&path).is_ok_and(|data| data.len() > 1024 * 1024) => {
            let why = "It is too large.".to_owned();
            Some(Notice::NotAttached { path, why, is_too_large: true })
        }
        Command::ReadFile { message, file } => {
            let content = inner.files.get(&(message, file)).cloned();
            Some(Notice::FileRead { message, file, content })
        }
        Command::Attach(path) => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let file = File { name, media_type: "image/png".into(), bytes: vec![7; 12_345].into() };
            Some(Notice::Attached { path, file })
        }
        Command::Save(file) => {
            let path = format!("/downloads/{}", file.name.unwrap_or_default());
            Some(Notice::Saved(path.into()))
        }
        Command::CountOutcomes(id) => inner.matrix.clone().map(|matrix| Notice::Matrix(id, matrix)),
        Command::SaveRecord(RecordRequest { message, format, .. }) => {
            let path = format!("/downloads/delivery-record-{}.{}", message.0, format.ending());
            Some(Notice::Saved(path.into()))
        }
        Command::Agent(_)
        | Command::Open(_)
        | Command::ShowAround { .. }
        | Command::Close
        | Command::PutContact(_)
        | Command::AddContacts { .. }
        | Command::RemoveContact { .. }
        | Command::PutList(_)
        | Command::RemoveList { .. }
        | Command::PutAccount(_)
        | Command::PutSettings(_)
        | Command::SaveFile { .. }
        | Command::Search(_)
        | Command::Delete(_)
        | Command::Quit => None,
    }
}

fn change_later(inner: &mut Inner, change: impl FnOnce(&mut Vec<Later>)) {
    let mut later = inner.snapshot.later.to_vec();
    change(&mut later);
    inner.snapshot.later = later.into();
}

fn change_book(inner: &mut Inner, change: impl FnOnce(&mut AddressBook)) {
    let mut book = (*inner.snapshot.book).clone();
    change(&mut book);
    inner.snapshot.book = Arc::new(book);
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

pub(crate) fn account() -> Account {
    Account {
        address: "sip:james@example.com".into(),
        name: "James Holt".into(),
        proxy: "udp:192.0.2.1:5060".into(),
        expires_secs: Some(604_800),
        ..Account::default()
    }
}

pub(crate) fn person(name: &str) -> Person {
    let user = name.to_lowercase().replace(' ', ".");
    Person { address: format!("sip:{user}@example.com"), name: name.into(), simulated: false }
}

pub(crate) fn people(names: &[&str]) -> Vec<Person> {
    names.iter().map(|name| person(name)).collect()
}

pub(crate) fn book() -> AddressBook {
    let contact = |name: &str| Contact { address: person(name).address, name: name.into(), simulated: false };
    AddressBook {
        contacts: ["Ann Lee", "Ben Okafor", "Cy Young", "Dana Weiss", "Eli Brandt", "Fay Moreau"]
            .map(contact)
            .to_vec(),
        lists: vec![List {
            name: "Night shift".into(),
            members: people(&["Ann Lee", "Ben Okafor", "Cy Young"]).into_iter().map(|p| p.address).collect(),
        }],
    }
}

/// So many minutes ago.
pub(crate) fn ago(minutes: u64) -> Timestamp {
    Timestamp::from_millis(NOW - minutes * 60_000)
}

/// How one recipient stands.
pub(crate) fn delivery(person: &Person, state: DeliveryState, at: Timestamp) -> DeliveryView {
    let (status, phrase) = match state {
        DeliveryState::Failed => (Some(480), "Temporarily Unavailable"),
        DeliveryState::PassedOn => (Some(202), "Accepted"),
        DeliveryState::Delivered | DeliveryState::Read => (Some(200), "OK"),
        DeliveryState::Queued
        | DeliveryState::Sending
        | DeliveryState::Accepted
        | DeliveryState::NoReport
        | DeliveryState::Deferred
        | DeliveryState::Cancelled => (None, ""),
    };
    let known = matches!(
        state,
        DeliveryState::Delivered | DeliveryState::Read | DeliveryState::Failed | DeliveryState::PassedOn
    );
    DeliveryView {
        person: person.clone(),
        state,
        status,
        phrase: phrase.into(),
        at: at.plus(Duration::from_millis(7_400)),
        after: known.then(|| Duration::from_millis(430)),
        attempt: 1,
    }
}

/// A message of ours, with a state per person.
pub(crate) fn own(id: u64, at: Timestamp, text: &str, states: &[(&Person, DeliveryState)]) -> MessageView {
    let deliveries: Vec<DeliveryView> =
        states.iter().map(|(person, state)| delivery(person, *state, at)).collect();
    own_of(id, at, text, deliveries)
}

pub(crate) fn own_of(id: u64, at: Timestamp, text: &str, deliveries: Vec<DeliveryView>) -> MessageView {
    MessageView {
        verified: true,
        id: MessageId(id),
        at,
        sent_at: None,
        from: None,
        text: text.into(),
        files: Vec::new(),
        attempts: deliveries.iter().map(|delivery| delivery.attempt).max().unwrap_or(1),
        call_ids: vec![format!("call-{id}@192.0.2.1")],
        way: Way::FanOut,
        tally: Tally::of(deliveries.iter().map(|delivery| delivery.state)),
        deliveries,
    }
}

/// A message of somebody else.
pub(crate) fn from(id: u64, at: Timestamp, person: &Person, text: &str) -> MessageView {
    MessageView {
        verified: true,
        id: MessageId(id),
        at,
        sent_at: None,
        from: Some(person.clone()),
        text: text.into(),
        files: Vec::new(),
        attempts: 0,
        call_ids: Vec::new(),
        way: Way::FanOut,
        deliveries: Vec::new(),
        tally: Tally::default(),
    }
}

fn thread(id: u64, people: &[Person], messages: Vec<MessageView>) -> Thread {
    let outline = messages.iter().map(|message| Outline {
        id: message.id,
        chars: message.text.chars().count() as u32,
        newlines: message.text.matches('\n').count() as u32,
        recipients: message.deliveries.len() as u32,
    });
    Thread {
        conversation: ConversationId(id),
        people: people.to_vec().into(),
        hidden: false,
        outline: outline.collect(),
        first: 0,
        messages: messages.into_iter().map(Arc::new).collect(),
        unread_from: None,
    }
}

fn head(thread: &Thread, unread: u32) -> ConversationHead {
    let last = thread.messages.last();
    ConversationHead {
        id: thread.conversation,
        newest: last.map_or(MessageId(0), |message| message.id),
        people: Arc::clone(&thread.people),
        hidden: thread.hidden,
        preview: last.map(|message| message.text.replace('\n', " ")).unwrap_or_default(),
        at: last.map_or(Timestamp::from_millis(NOW), |message| message.at),
        last: last.filter(|message| message.from.is_none()).map(|message| message.tally),
        verified: last.is_none_or(|message| message.verified),
        unread,
        failed: thread.messages.iter().map(|message| message.tally.failed).sum(),
        failed_unseen: 0,
    }
}

/// Puts the caret into a field and types.
pub(crate) fn type_into(harness: &mut Harness<'static, App>, field: &str, text: &str) {
    harness.get_by_role_and_label(field_role(field), field).focus();
    harness.run();
    harness.get_by_role_and_label(field_role(field), field).type_text(text);
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
