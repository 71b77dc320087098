//! The engine's thread: hands commands to where they belong, and goes round until it is told to quit.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::client::account::{Account, RegistrationState};
use crate::client::command::{AgentCommand, Command, Event, Notice};
use crate::client::contacts::AddressBook;
use crate::client::journal::MessageId;
use crate::client::names::Names;
use crate::client::snapshot::PasswordPlace;
use crate::config::client::ClientFiles;
use crate::config::passwords::{Keyring, Passwords};
use crate::limits::UNREGISTER_WAIT;
use crate::runtime::agent::{Agent, AgentError};
use crate::runtime::attachment;
use crate::store::history::{History, ReadError};
use crate::store::ron_file::RonError;
use crate::time::Clock;

use super::EngineError;
use super::desk::Desk;
use super::out::Out;
use super::reading::Answer;
use super::saving::save;

/// What the thread starts from.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) settings: Option<PathBuf>,
    pub(super) keyring: Keyring,
    pub(super) data: Option<PathBuf>,
    pub(super) account: Option<Account>,
    pub(super) book: Option<AddressBook>,
    pub(super) demo: bool,
}

/// One question is under way at a time, and one of an account before may still be answered.
const ANSWERS_WAITING_MAX: usize = 4;
/// How much longer than the machine itself the end waits for the machine to sign off.
const LEAVE_GRACE: Duration = Duration::from_millis(500);

/// The thread's whole life.
pub(super) fn run(
    setup: Setup,
    out: Arc<Out>,
    commands: mpsc::Receiver<Command>,
    ready: &SyncSender<Result<(), EngineError>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nobody waits when the starter is gone.
            ready.send(Err(error.into())).ok();
            return;
        }
    };
    runtime.block_on(async {
        match Work::start(setup, out, commands).await {
            Ok(work) => {
                ready.send(Ok(())).ok();
                work.go_round().await;
            }
            Err(error) => {
                ready.send(Err(error)).ok();
            }
        }
    });
    // A look-up of a name may hang in the system; the end does not wait for it.
    runtime.shutdown_background();
}

/// A machine and the reader of its history; the reader goes first, since it reads the machine's store.
#[derive(Debug)]
struct Running {
    history: Option<History>,
    agent: Agent,
}

struct Work {
    clock: Clock,
    files: ClientFiles,
    passwords: Passwords,
    data: Option<PathBuf>,
    desk: Desk,
    running: Option<Running>,
    commands: mpsc::Receiver<Command>,
    answers: mpsc::Receiver<Result<Answer, ReadError>>,
}

/// What the loop waited for besides the machine.
enum Happened {
    Command(Command),
    Answer(Result<Answer, ReadError>),
    Time,
    Quit,
}

/// Whether the loop goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Next,
    Last,
}

impl Work {
    async fn start(
        setup: Setup,
        out: Arc<Out>,
        commands: mpsc::Receiver<Command>,
    ) -> Result<Self, EngineError> {
        let passwords = Passwords::new(setup.settings.clone(), setup.keyring);
        let files = ClientFiles::new(setup.settings);
        let loaded = files.load()?;
        let (sender, answers) = mpsc::channel(ANSWERS_WAITING_MAX);
        let mut desk = Desk::new(out, sender, setup.demo);
        for problem in loaded.problems {
            desk.tell(Notice::Problem(problem));
        }
        desk.book = Arc::new(setup.book.unwrap_or(loaded.book));
        desk.settings = loaded.settings;
        let clock = Clock::start();
        let mut work =
            Self { clock, files, passwords, data: setup.data, desk, running: None, commands, answers };
        if let Some(account) = setup.account {
            work.begin(account).await?;
        } else if let Some(mut account) = loaded.account {
            (account.sign_in.password, work.desk.password) = work.passwords.load(&account)?;
            work.begin(account).await?;
        }
        work.publish();
        Ok(work)
    }

    async fn go_round(mut self) {
        loop {
            let (happened, events) = self.wait().await;
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
                Some(Happened::Time) | None => Round::Next,
                Some(Happened::Quit) => Round::Last,
            };
            if round == Round::Last {
                return self.leave().await;
            }
            let now = self.clock.now();
            self.desk.ask(self.running.as_ref().and_then(|running| running.history.as_ref()), now);
            self.publish();
        }
    }

    /// Waits until the machine, the screen, the history or a time has something to do.
    async fn wait(&mut self) -> (Option<Happened>, Vec<Event>) {
        let mut events = Vec::new();
        let (commands, answers) = (&mut self.commands, &mut self.answers);
        let time = wait_until(&self.clock, self.desk.deadline());
        let other = async {
            tokio::select! {
                command = commands.recv() => command.map_or(Happened::Quit, Happened::Command),
                Some(answer) = answers.recv() => Happened::Answer(answer),
                () = time => Happened::Time,
            }
        };
        let happened = match &mut self.running {
            Some(running) => running.agent.turn(&mut |event| events.push(event), other).await,
            None => Some(other.await),
        };
        (happened, events)
    }

    fn hear(&mut self, events: Vec<Event>) {
        let now = self.clock.now();
        let nobody = Names::default();
        let names = self.running.as_ref().map_or(&nobody, |running| running.agent.machine().names());
        for event in events {
            self.desk.hear(event, names, now);
        }
    }

    fn answered(&mut self, answer: Result<Answer, ReadError>) -> Round {
        // An answer about the store of an account before: its reader is gone.
        if let Some(running) = &self.running {
            self.desk.answered(answer, running.agent.machine().names());
        }
        Round::Next
    }

    fn publish(&mut self) {
        let machine = self.running.as_ref().map(|running| running.agent.machine());
        self.desk.publish(machine, self.clock.now().mono);
    }

    async fn obey(&mut self, command: Command) -> Round {
        match command {
            Command::Agent(command) => self.ask_agent(command),
            Command::Open(conversation) => self.desk.open(conversation),
            Command::ShowAround { index } => self.desk.show_around(index),
            Command::Close => self.desk.close(),
            Command::PutContact(contact) => self.change_book(|book| book.put(contact)),
            Command::RemoveContact { address } => self.change_book(|book| book.remove(&address)),
            Command::PutList(list) => self.change_book(|book| book.put_list(list)),
            Command::RemoveList { name } => self.change_book(|book| book.remove_list(&name)),
            Command::PutAccount(account) => self.put_account(account).await,
            Command::PutSettings(settings) => {
                self.desk.settings = settings;
                self.desk.touch();
                self.note(self.files.keep_settings(&self.desk.settings));
            }
            Command::Attach(path) => self.attach(path),
            Command::SaveFile { message, file } => self.save_file(message, file),
            Command::Quit => return Round::Last,
        }
        Round::Next
    }

    fn ask_agent(&mut self, command: AgentCommand) {
        let Some(running) = &mut self.running else {
            if let AgentCommand::Send(draft) = command {
                let why = "No account is set up. Nothing was sent.".to_owned();
                self.desk.tell(Notice::NotSent { draft, why });
            }
            return;
        };
        let mut events = Vec::new();
        running.agent.command(command, &mut |event| events.push(event));
        self.hear(events);
    }

    /// Reads a file on a thread of its own: a disk may be slow, or far away.
    fn attach(&self, path: PathBuf) {
        let out = Arc::clone(self.desk.out());
        tokio::task::spawn_blocking(move || {
            out.tell(match attachment::read(&path) {
                Ok(file) => Notice::Attached { path, file },
                Err(error) => Notice::Problem(format!("{error}.")),
            });
        });
    }

    fn save_file(&self, message: MessageId, file: usize) {
        let history = self.running.as_ref().and_then(|running| running.history.as_ref());
        if !history.is_some_and(|history| save(history, message, file, self.desk.out())) {
            self.desk.tell(Notice::Problem("The file could not be saved. Please try again.".to_owned()));
        }
    }

    /// Writing a small file takes as long as the disk's sync: rare, and short against every timer of ours.
    fn change_book(&mut self, change: impl FnOnce(&mut AddressBook)) {
        change(Arc::make_mut(&mut self.desk.book));
        self.note(self.files.keep_book(&self.desk.book));
        if let Some(running) = &mut self.running {
            running.agent.machine_mut().set_names(&self.desk.book);
        }
        self.desk.names_changed();
    }

    /// What cannot be kept is said; it holds until the end of the program all the same.
    fn note(&self, kept: Result<(), RonError>) {
        if let Err(error) = kept {
            self.desk.tell(Notice::Problem(format!("{error}.")));
        }
    }

    async fn put_account(&mut self, account: Account) {
        if let Err(error) = account.check() {
            return self.desk.tell(Notice::Problem(format!("{error}.")));
        }
        self.note(self.files.keep_account(&account));
        self.keep_password(&account);
        self.leave().await;
        if let Err(error) = self.begin(account).await {
            self.desk.tell(Notice::Problem(format!("{error}.")));
        }
    }

    fn keep_password(&mut self, account: &Account) {
        match self.passwords.keep(account) {
            Ok(place) => {
                if self.passwords.wants_keyring() && place != self.desk.password {
                    self.tell_of_the_file(&place);
                }
                self.desk.password = place;
            }
            Err(error) => self.note(Err(error)),
        }
    }

    /// A plain file is told of once, when it is made in place of a keyring.
    fn tell_of_the_file(&self, place: &PasswordPlace) {
        if let (PasswordPlace::File(_), Some(words)) = (place, place.in_words()) {
            self.desk.tell(Notice::Problem(format!("This system has no keyring. {words}")));
        }
    }

    /// Starts the machine of an account on the store that is there, and connects.
    async fn begin(&mut self, account: Account) -> Result<(), AgentError> {
        self.desk.agent_changed();
        self.desk.account = Some(Arc::new(account.clone()));
        let mut agent = Agent::start(&account, self.data.as_deref()).await?;
        agent.machine_mut().set_names(&self.desk.book);
        let history = agent.shell().writer().map(|writer| writer.history()).transpose()?;
        self.running = Some(Running { history, agent });
        self.ask_agent(AgentCommand::Connect);
        Ok(())
    }

    /// The proxy does not answer: if that is because we are in another network now, starts from there.
    async fn follow_the_network(&mut self) {
        if !self.running.as_ref().is_some_and(|running| running.agent.has_moved()) {
            return;
        }
        // The old address can sign nothing off.
        self.running = None;
        if let Some(account) = self.desk.account.clone()
            && let Err(error) = self.begin(Account::clone(&account)).await
        {
            self.desk.tell(Notice::Problem(format!("{error}.")));
        }
    }

    /// Signs off and lets the machine go; what it has to write is written.
    async fn leave(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        let left = Cell::new(false);
        // What comes in meanwhile is in the store, and shown by the machine that follows.
        let mut on_event = |event| left.set(left.get() || event == Event::Disconnected);
        running.agent.command(AgentCommand::Disconnect, &mut on_event);
        let end = self.clock.now().mono + UNREGISTER_WAIT + LEAVE_GRACE;
        while !left.get() {
            let time = wait_until(&self.clock, Some(end));
            if running.agent.turn(&mut on_event, time).await.is_some() {
                return;
            }
        }
    }
}

/// Ends at the instant; never, without one.
async fn wait_until(clock: &Clock, deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(clock.until(deadline)).await,
        None => std::future::pending().await,
    }
}
