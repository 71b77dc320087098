//! The engine's thread: passes commands to the part that handles them, in a loop until it is told to quit.

mod accounts;

mod network;

mod stored;

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::config::client::ClientFiles;
use crate::config::passwords::{Keyring, Passwords};
use crate::limits::{KEEPING_WAITING_MAX, KEYRING_WAIT, UNREGISTER_WAIT};
use crate::model::account::{Account, RegistrationState};
use crate::model::command::{AgentCommand, Command, Event, Notice, WindowEvent};
use crate::model::contacts::AddressBook;
use crate::model::deletion::Deletion;
use crate::model::snapshot::PasswordPlace;
use crate::runtime::agent::{Agent, AgentError, OpenedAgent, STORE_FILE};
use crate::runtime::faults::Fault;
use crate::runtime::wire_tap::WireTap;
use crate::store::history::search::LatestSearch;
use crate::store::history::{History, ReadError};
use crate::store::lock_file::LockFile;
use crate::store::own_backup::OwnBackup;
use crate::time::Clock;

use super::deleting::Deleting;
use super::keeper::{Keeper, Kept, PasswordNews};
use super::out::Out;
use super::reading::ReadResult;
use super::saving::save_made;
use super::snapshot_builder::SnapshotBuilder;
use super::{EngineError, Legs, Wire, contact_files};

/// What the thread starts with.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) settings: Option<PathBuf>,
    pub(super) keyring: Keyring,
    pub(super) data: Option<PathBuf>,
    pub(super) account: Option<Account>,
    pub(super) book: Option<AddressBook>,
    pub(super) demo: bool,
    /// Where what passes is stored.
    pub(super) wire: Wire,
}

/// Queries go one at a time, but one for a previous account may still be answered.
const ANSWERS_WAITING_MAX: usize = 4;
/// How much longer to wait for the sign-off than the machine itself does.
const LEAVE_GRACE: Duration = Duration::from_millis(500);

/// The whole run of the thread.
pub(super) fn run(
    setup: Setup,
    out: Arc<Out>,
    commands: mpsc::Receiver<Command>,
    ready: &SyncSender<Result<(), EngineError>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // If the starter is gone, nobody is waiting.
            ready.send(Err(error.into())).ok();
            return;
        }
    };
    runtime.block_on(async {
        match Work::open(setup, out, commands) {
            Ok((mut work, opened)) => {
                work.publish();
                // The window opens now, without waiting for the network or a keyring.
                ready.send(Ok(())).ok();
                if let Some(opened) = opened {
                    work.start(opened).await;
                }
                if let Err(fault) = work.go_round().await {
                    // The window notices that the thread ended although nobody asked it to.
                    tracing::error!("{fault}");
                }
            }
            Err(error) => {
                ready.send(Err(error)).ok();
            }
        }
    });
    // A name lookup may hang in the system; shutdown does not wait for it.
    runtime.shutdown_background();
}

/// A machine and the reader of its history; the reader is dropped first, as it reads the machine's store.
#[derive(Debug)]
struct Running {
    history: Option<History>,
    agent: Agent,
}

struct Work {
    clock: Clock,
    keeper: Keeper,
    settings: Option<PathBuf>,
    data: Option<PathBuf>,
    backup: Option<Arc<OwnBackup>>,
    builder: SnapshotBuilder,
    running: Option<Running>,
    /// The password was typed, but no server has accepted it yet: it is saved once one has.
    has_new_password: bool,
    /// The account waits for its password until this time.
    awaits_password: Option<Instant>,
    searches: Arc<LatestSearch>,
    deleting: Deleting,
    /// What was being written has been told, and the store is being checked.
    has_looked_at_the_store: bool,
    /// Where the client's messages are stored in testing mode; None if the proxy in this process stores them.
    wire: Option<WireTap>,
    tap: WireTap,
    commands: mpsc::Receiver<Command>,
    answers: mpsc::Receiver<Result<ReadResult, ReadError>>,
    passwords: mpsc::Receiver<PasswordNews>,
    /// Keeps other processes from changing the files of the settings folder.
    _reserved: Option<LockFile>,
}

/// What ended the loop's wait, besides the machine.
enum Happened {
    Command(Command),
    Answer(Result<ReadResult, ReadError>),
    Password(PasswordNews),
    DeletionPlanned(Result<Vec<Deletion>, ReadError>),
    Time,
    Quit,
}

/// Whether the loop continues.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Next,
    Last,
}

impl Work {
    /// Opens all that needs neither the network nor the keyring; if there is an account, also returns its machine with
    /// the store open.
    fn open(
        setup: Setup,
        out: Arc<Out>,
        commands: mpsc::Receiver<Command>,
    ) -> Result<(Self, Option<OpenedAgent>), EngineError> {
        let wanted = Passwords::new(setup.settings.clone(), setup.keyring);
        let files = ClientFiles::new(setup.settings.clone());
        let reserved = files.reserve()?;
        let loaded = files.load()?;
        let (sender, answers) = mpsc::channel(ANSWERS_WAITING_MAX);
        let (news, passwords) = mpsc::channel(KEEPING_WAITING_MAX);
        let keeper = Keeper::start(files, wanted, news, Arc::clone(&out))?;
        let mut builder = SnapshotBuilder::new(out, sender, setup.demo);
        loaded.problems.into_iter().for_each(|problem| builder.tell(Notice::Problem(problem)));
        builder.set_book(setup.book.unwrap_or(loaded.book));
        builder.settings = loaded.settings;
        let is_given = setup.account.is_some();
        let account = setup.account.or(loaded.account);
        let data = setup.data;
        let opened =
            account.as_ref().map(|account| OpenedAgent::open(account, data.as_deref())).transpose()?;
        let mut work = Self {
            clock: Clock::start(),
            keeper,
            backup: data.as_ref().map(|data| Arc::new(OwnBackup::of(data.join(STORE_FILE)))),
            settings: setup.settings,
            data,
            builder,
            running: None,
            has_new_password: false,
            awaits_password: None,
            searches: Arc::default(),
            deleting: Deleting::new(),
            has_looked_at_the_store: false,
            wire: (setup.wire.legs != Legs::All).then(|| setup.wire.tap.clone()),
            tap: setup.wire.tap,
            commands,
            answers,
            passwords,
            _reserved: reserved,
        };
        if let Some(account) = account {
            if !is_given {
                work.keeper.load_password(&account);
                work.awaits_password = Some(work.clock.now().mono + KEYRING_WAIT);
                work.builder.password = PasswordPlace::Coming;
            }
            work.builder.account = Some(Arc::new(account));
        }
        Ok((work, opened))
    }

    /// Starts the machine of the account that existed at the start.
    async fn start(&mut self, opened: OpenedAgent) {
        if let Err(error) = self.begin(opened).await {
            self.not_started(&error);
        }
        self.publish();
    }

    async fn go_round(mut self) -> Result<(), Fault> {
        loop {
            let (happened, events) = self.wait().await?;
            let offline =
                |event: &Event| matches!(event, Event::Registration(RegistrationState::Offline { .. }));
            let looks_around = events.iter().any(offline);
            self.hear(events);
            if looks_around {
                self.follow_the_network().await;
            }
            let round = match happened {
                Some(Happened::Command(command)) => self.obey(command).await,
                Some(Happened::Answer(answer)) => self.answered(answer),
                Some(Happened::Password(news)) => self.heard_of_password(news),
                Some(Happened::DeletionPlanned(plan)) => self.planned(plan),
                Some(Happened::Time) | None => Round::Next,
                Some(Happened::Quit) => Round::Last,
            };
            self.delete_next();
            if round == Round::Last {
                self.delete_the_rest().await;
                self.leave().await;
                self.keeper.finish().await;
                return Ok(());
            }
            let now = self.clock.now();
            self.wait_for_password_no_longer(now.mono);
            self.builder.ask(self.running.as_ref().and_then(|running| running.history.as_ref()), now);
            self.publish();
        }
    }

    /// Waits until the machine, the screen, the history or a timer has something to do.
    async fn wait(&mut self) -> Result<(Option<Happened>, Vec<Event>), Fault> {
        let mut events = Vec::new();
        let (commands, answers, passwords) = (&mut self.commands, &mut self.answers, &mut self.passwords);
        let deleting = &mut self.deleting;
        let deadline = self.builder.deadline().into_iter().chain(self.awaits_password).min();
        let time = wait_until(&self.clock, deadline);
        let other = async {
            tokio::select! {
                command = commands.recv() => command.map_or(Happened::Quit, Happened::Command),
                Some(answer) = answers.recv() => Happened::Answer(answer),
                Some(news) = passwords.recv() => Happened::Password(news),
                plan = deleting.planned() => Happened::DeletionPlanned(plan),
                () = time => Happened::Time,
            }
        };
        let happened = match &mut self.running {
            Some(running) => running.agent.turn(&mut |event| events.push(event), other).await?,
            None => Some(other.await),
        };
        Ok((happened, events))
    }

    fn hear(&mut self, events: Vec<Event>) {
        let now = self.clock.now();
        for event in events {
            if let Event::Registration(state) = &event {
                self.registration_changed(state);
            }
            if let Event::Window(WindowEvent::Deleted { is_done, .. }) = event {
                self.deleting.ended(is_done);
            }
            self.builder.hear(event, now);
        }
    }

    fn answered(&mut self, answer: Result<ReadResult, ReadError>) -> Round {
        // Otherwise the answer is about a previous account's store, whose reader is gone.
        if self.running.is_some() {
            self.builder.answered(answer);
        }
        Round::Next
    }

    fn publish(&mut self) {
        let machine = self.running.as_ref().map(|running| running.agent.machine());
        self.builder.publish(machine, self.clock.now().mono);
    }

    async fn obey(&mut self, command: Command) -> Round {
        self.builder.hurry();
        match command {
            Command::Agent(command) => self.ask_for_user(command),
            Command::Open(conversation) => self.builder.open(conversation),
            Command::ShowAround { index } => self.builder.show_around(index),
            Command::Close => self.builder.close(),
            Command::PutContact(contact) => self.change_book(|book| book.put(contact)),
            Command::ReadContacts(path) => contact_files::read(path, self.builder.out()),
            Command::ExportContacts => contact_files::export(self.builder.book().clone(), self.builder.out()),
            Command::AddContacts { contacts, lists } => {
                self.change_book(|book| {
                    book.add(contacts, lists);
                });
            }
            Command::RemoveContact { address } => self.change_book(|book| book.remove(&address)),
            Command::Block { address, is_blocked } => self.change_book(|it| it.block(&address, is_blocked)),
            Command::PutList(list) => self.change_book(|book| book.put_list(list)),
            Command::RemoveList { name } => self.change_book(|book| book.remove_list(&name)),
            Command::PutAccount(account) => self.put_account(account).await,
            Command::SignOut => self.sign_out(),
            Command::RemoveAccount => self.remove_account().await,
            Command::ReadProvision(path) => self.read_provision(path),
            Command::PutSettings(settings) => self.put_settings(settings),
            Command::Attach(path) => self.attach(path),
            Command::SaveFile { message, file, to } => self.save_file(message, file, to),
            Command::ReadFile { message, file } => self.read_file(message, file),
            Command::SaveRecord(request) => self.save_record(request),
            Command::Save(file) => save_made(file, self.builder.out()),
            Command::CountOutcomes(conversation) => self.count_outcomes(conversation),
            Command::Search(asked) => self.search(asked),
            Command::Delete(doomed) => self.delete(doomed),
            Command::MeasureStorage => self.measure(),
            Command::Quit => return Round::Last,
        }
        Round::Next
    }

    fn ask_agent(&mut self, command: AgentCommand) {
        let Some(running) = &mut self.running else {
            if let AgentCommand::Send(draft) = command {
                let why = "No account is set up. Nothing was sent.".to_owned();
                self.builder.tell(Notice::NotSent { draft, why });
            }
            return;
        };
        let mut events = Vec::new();
        running.agent.command(command, &mut |event| events.push(event));
        self.hear(events);
    }

    fn change_book(&mut self, change: impl FnOnce(&mut AddressBook)) {
        let mut book = self.builder.book().clone();
        change(&mut book);
        let book = self.builder.set_book(book);
        self.keeper.keep(Kept::Book(book));
        if let Some(running) = &mut self.running {
            running.agent.machine_mut().set_names(Arc::clone(self.builder.names()));
        }
        self.builder.names_changed();
    }

    /// Starts the account's machine on the open store, and connects as soon as its password is available.
    async fn begin(&mut self, opened: OpenedAgent) -> Result<(), AgentError> {
        self.builder.agent_changed();
        let mut agent = opened.start().await?;
        agent.machine_mut().set_names(Arc::clone(self.builder.names()));
        let history = agent.shell().writer().map(|writer| writer.history()).transpose()?;
        self.begin_with_the_store(&agent);
        self.running = Some(Running { history, agent });
        self.watch();
        if self.awaits_password.is_none() {
            self.connect();
        }
        Ok(())
    }

    /// Signs off and drops the machine after its pending writes are stored.
    async fn leave(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        let left = Cell::new(false);
        // What arrives meanwhile is in the store, and the next machine shows it.
        let mut on_event = |event| left.set(left.get() || event == Event::Disconnected);
        running.agent.command(AgentCommand::Disconnect, &mut on_event);
        let end = self.clock.now().mono + UNREGISTER_WAIT + LEAVE_GRACE;
        while !left.get() {
            let time = wait_until(&self.clock, Some(end));
            match running.agent.turn(&mut on_event, time).await {
                Ok(None) => {}
                Ok(Some(())) => break,
                Err(fault) => return tracing::error!("{fault}"),
            }
        }
        if let Err(fault) = running.agent.finish(&mut on_event).await {
            tracing::error!("{fault}");
        }
    }
}

/// Waits until this time; forever if there is none.
async fn wait_until(clock: &Clock, deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(clock.until(deadline)).await,
        None => std::future::pending().await,
    }
}
