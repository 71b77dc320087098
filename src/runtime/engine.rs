//! The engine behind the window: one user agent with its store, on its own thread.
//!
//! [`Command`]s go in without waiting. Out come [`Snapshot`]s, each complete and shared, and [`Notice`]s, each given
//! once. The window is woken when there is something new, at most `limits::SNAPSHOTS_PER_SEC_MAX` times a second; while
//! nothing happens, nothing runs.
//!
//! Its parts, each of which uses only those listed after it:

mod work;

mod snapshot_builder;

mod alarms;

mod composing;

mod keeper;

mod contact_files;

mod captures;

mod recording;

mod counting;

mod saving;

mod searching;

mod deleting;

mod open_thread;

mod reading;

mod out;

use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::config::client::InUse;
use crate::config::passwords::Keyring;
use crate::limits::{COMMANDS_WAITING_MAX, STOP_WAIT, UNREGISTER_WAIT};
use crate::model::account::Account;
use crate::model::command::{Command, Notice};
use crate::model::contacts::AddressBook;
use crate::model::snapshot::Snapshot;
use crate::runtime::agent::AgentError;
use crate::store::ron_file::RonError;
use crate::time::{Clock, Timestamp};

pub use self::captures::open_capture;
pub use crate::runtime::capture::pcapng;
pub use crate::runtime::faults::contained;
pub use crate::runtime::wire_tap::{Unseen, WireEntry, WireTap};

use self::out::{Life, Out};

/// How often to check whether an engine that was asked to quit has ended.
const QUIT_LOOK: Duration = Duration::from_millis(20);
const QUIT_LOOKS: u128 = (UNREGISTER_WAIT.as_millis() + STOP_WAIT.as_millis()) / QUIT_LOOK.as_millis();

/// Wakes the window; called from the engine's thread.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// The same, shared so that a restarted thread can use it too.
type SharedWake = Arc<dyn Fn() + Send + Sync>;

/// How an engine is started.
pub struct EngineOptions {
    /// Folder of account, contacts and settings; if none, they are not saved.
    pub settings: Option<PathBuf>,
    /// Whether the password is in the system's keyring.
    pub keyring: Keyring,
    /// Folder of the messages; if none, they last until the account is changed.
    pub data: Option<PathBuf>,
    /// Used instead of the account in the folder.
    pub account: Option<Account>,
    /// Used instead of the contacts in the folder.
    pub book: Option<AddressBook>,
    /// Everybody but us is simulated.
    pub demo: bool,
    /// What passes at the proxy in this process, if there is one; otherwise the window can watch the client alone.
    pub wire: Option<WireTap>,
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

/// Why an engine cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Reading or writing a file of the settings folder.
    #[error(transparent)]
    File(#[from] RonError),
    /// Another process uses the settings folder.
    #[error(transparent)]
    InUse(#[from] InUse),
    /// The account, its sockets or its store.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The operating system.
    #[error("cannot start the engine: {0}")]
    System(#[from] std::io::Error),
    /// The thread ended before it was ready.
    #[error("the engine ended while it was starting")]
    Ended,
}

/// Asks an engine to quit, from any thread, and waits until it has.
#[derive(Clone, Debug, Default)]
pub struct Quitter {
    /// The current thread.
    current: Arc<Mutex<Option<Current>>>,
}

/// The command queue of a thread, and its shared output, which tells when it has ended.
type Current = (mpsc::WeakSender<Command>, Arc<Out>);

impl Quitter {
    /// True once the engine has ended as asked; false if it takes longer than the engine waits to sign off at the
    /// server.
    #[must_use]
    pub fn quit(&self) -> bool {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((commands, out)) = current else { return true };
        if let Some(commands) = commands.upgrade() {
            commands.blocking_send(Command::Quit).ok();
        }
        for _ in 0..QUIT_LOOKS {
            if out.has_ended() {
                return true;
            }
            std::thread::sleep(QUIT_LOOK);
        }
        false
    }
}

/// The messages on the wire.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Where they are read.
    pub tap: WireTap,
    /// Whether those to the recipients are among them.
    pub legs: Legs,
}

/// Which of the messages that a proxy sends on to recipients are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legs {
    /// All: what is shown is what passes at the proxy.
    All,
    /// Those of this account: the server that is hosted here tells them.
    Own,
    /// None: they do not pass at this computer.
    Unseen,
}

/// The function that an engine's thread runs.
type ThreadLife =
    fn(work::Setup, Arc<Out>, mpsc::Receiver<Command>, &std::sync::mpsc::SyncSender<Result<(), EngineError>>);

/// The command queue is full; the command is returned.
#[derive(Clone, Debug)]
pub struct QueueFull(pub Command);

/// The owner's handle of an engine. Dropping it signs the account off and ends the thread.
#[derive(Debug)]
pub struct Engine {
    commands: Option<mpsc::Sender<Command>>,
    out: Arc<Out>,
    clock: Clock,
    thread: Option<JoinHandle<()>>,
    /// What a new thread is started with if this one ends because of a fault.
    setup: work::Setup,
    wake: Waking,
    quitter: Quitter,
}

/// What wakes the window, kept for a new thread.
struct Waking(SharedWake);

impl fmt::Debug for Waking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waking").finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts the engine, and the user agent if there is an account; the first snapshot exists when this returns.
    ///
    /// # Errors
    /// Why it cannot start, as a sentence.
    pub fn start(options: EngineOptions) -> Result<Self, EngineError> {
        let wake: SharedWake = options.wake.into();
        let setup = work::Setup {
            settings: options.settings,
            keyring: options.keyring,
            data: options.data,
            account: options.account,
            book: options.book,
            demo: options.demo,
            wire: Wire {
                legs: if options.wire.is_some() { Legs::All } else { Legs::Unseen },
                tap: options.wire.unwrap_or_else(|| WireTap::waking(Arc::clone(&wake))),
            },
        };
        Self::run((setup, wake, Quitter::default()), work::run)
    }

    fn run(
        (setup, wake, quitter): (work::Setup, SharedWake, Quitter),
        life: ThreadLife,
    ) -> Result<Self, EngineError> {
        let (commands, waiting) = mpsc::channel(COMMANDS_WAITING_MAX);
        let out = Arc::new(Out::new(Arc::clone(&wake)));
        let (ready, answer) = sync_channel(1);
        let (shared, given) = (Arc::clone(&out), setup.clone());
        let thread = std::thread::Builder::new().name("engine".to_owned()).spawn(move || {
            let _told_at_the_end = Life(Arc::clone(&shared));
            life(given, shared, waiting, &ready);
        })?;
        answer.recv().map_err(|_gone| EngineError::Ended)??;
        let (clock, wake) = (Clock::start(), Waking(wake));
        *quitter.current.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((commands.downgrade(), Arc::clone(&out)));
        Ok(Self { commands: Some(commands), out, clock, thread: Some(thread), setup, wake, quitter })
    }

    /// True if the thread has ended, because of a fault of ours or a request to quit: nothing is sent or received.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.out.has_ended()
    }

    /// Starts a new thread in place of one that has ended, on the same store. Commands that the old one had not taken
    /// are lost.
    ///
    /// # Errors
    /// Why it cannot start, as a sentence; the ended thread stays in place.
    pub fn start_again(&mut self) -> Result<(), EngineError> {
        // The old thread must release the store first.
        drop(self.commands.take());
        if let Some(thread) = self.thread.take() {
            // It reported the reason itself when it ended.
            drop(thread.join());
        }
        let start = (self.setup.clone(), Arc::clone(&self.wake.0), self.quitter.clone());
        *self = Self::run(start, work::run)?;
        Ok(())
    }

    /// A handle to make it quit from another thread.
    #[must_use]
    pub fn quitter(&self) -> Quitter {
        self.quitter.clone()
    }

    /// Sends a command without waiting. Its effect appears in a later snapshot.
    ///
    /// # Errors
    /// `limits::COMMANDS_WAITING_MAX` commands are waiting already, or the engine was told to quit.
    pub fn send(&self, command: Command) -> Result<(), Box<QueueFull>> {
        let Some(commands) = &self.commands else { return Err(Box::new(QueueFull(command))) };
        commands.try_send(command).map_err(|refused| Box::new(QueueFull(refused.into_inner())))
    }

    /// The latest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.out.snapshot()
    }

    /// Notices since the last call.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        self.out.take_notices()
    }

    /// The messages on the wire; there are none while testing mode is off, unless a proxy in this process is watched.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.setup.wire.clone()
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now().wall
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Closing the queue works as the quit command, which this way cannot fail on a full queue.
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
