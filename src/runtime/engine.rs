//! The engine behind the window: one user agent with its store on a thread of its own.
//!
//! In go [`Command`]s, never waiting; out come [`Snapshot`]s, each whole and shared, and [`Notice`]s, each told
//! once. The window is woken when there is something new, at most `limits::SNAPSHOTS_PER_SEC_MAX` times a second;
//! while nothing happens nothing runs.
//!
//! Its parts, each of which uses those listed after it only:

mod work;

mod desk;

mod alarms;

mod composing;

mod keeper;

mod saving;

mod open_thread;

mod reading;

mod out;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use crate::client::account::Account;
use crate::client::command::{Command, Notice};
use crate::client::contacts::AddressBook;
use crate::client::snapshot::Snapshot;
use crate::config::passwords::Keyring;
use crate::limits::COMMANDS_WAITING_MAX;
use crate::runtime::agent::AgentError;
use crate::store::ron_file::RonError;
use crate::time::{Clock, Timestamp};

use self::out::Out;

/// What wakes the window; called from the engine's thread.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// How an engine is started.
pub struct EngineOptions {
    /// Folder of account, contacts and settings; without one they are not kept.
    pub settings: Option<PathBuf>,
    /// Whether the password is in the system's keyring.
    pub keyring: Keyring,
    /// Folder of the messages; without one they live as long as the account is not changed.
    pub data: Option<PathBuf>,
    /// This account in place of the one in the folder.
    pub account: Option<Account>,
    /// These contacts in place of the ones in the folder.
    pub book: Option<AddressBook>,
    /// Everybody but us is simulated.
    pub demo: bool,
    /// Wakes the window.
    pub wake: Wake,
}

impl fmt::Debug for EngineOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineOptions")
            .field("settings", &self.settings)
            .field("data", &self.data)
            .field("demo", &self.demo)
            .finish_non_exhaustive()
    }
}

/// An engine that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A file of the settings folder.
    #[error(transparent)]
    File(#[from] RonError),
    /// The account, its sockets or its store.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The system.
    #[error("cannot start the engine: {0}")]
    System(#[from] std::io::Error),
    /// The thread ended before it had started.
    #[error("the engine ended while it was starting")]
    Ended,
}

/// More commands wait than are taken; the command comes back.
#[derive(Clone, Debug)]
pub struct Full(pub Command);

/// The engine as its owner holds it. When it is dropped the account signs off and the thread ends.
#[derive(Debug)]
pub struct Engine {
    commands: Option<mpsc::Sender<Command>>,
    out: Arc<Out>,
    clock: Clock,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts the engine, and with an account the user agent; the first snapshot is there when this returns.
    ///
    /// # Errors
    /// What is in its way, in a sentence.
    pub fn start(options: EngineOptions) -> Result<Self, EngineError> {
        let (commands, waiting) = mpsc::channel(COMMANDS_WAITING_MAX);
        let out = Arc::new(Out::new(options.wake));
        let (ready, answer) = sync_channel(1);
        let setup = work::Setup {
            settings: options.settings,
            keyring: options.keyring,
            data: options.data,
            account: options.account,
            book: options.book,
            demo: options.demo,
        };
        let shared = Arc::clone(&out);
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || work::run(setup, shared, waiting, &ready))?;
        answer.recv().map_err(|_gone| EngineError::Ended)??;
        Ok(Self { commands: Some(commands), out, clock: Clock::start(), thread: Some(thread) })
    }

    /// Asks for something; never waits. The answer is a later snapshot.
    ///
    /// # Errors
    /// `limits::COMMANDS_WAITING_MAX` wait already, or the engine was told to quit.
    pub fn send(&self, command: Command) -> Result<(), Box<Full>> {
        let Some(commands) = &self.commands else { return Err(Box::new(Full(command))) };
        commands.try_send(command).map_err(|refused| Box::new(Full(refused.into_inner())))
    }

    /// The newest picture of everything.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.out.snapshot()
    }

    /// What happened since the last call.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        self.out.take_notices()
    }

    /// The calendar's present.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now().wall
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A closed queue is the command to quit that never finds the queue full.
        drop(self.commands.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the engine ended by a panic");
        }
    }
}

#[cfg(test)]
mod tests;
