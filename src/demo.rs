//! `fanfare demo`: a proxy on loopback and scripted people over real sockets, labelled as simulated.
//!
//! The proxy, the engine and the network protocol are the real ones; only the people are scripted ([`crate::person`]). The
//! proxy is in a process of its own, so that it can be killed.

// In this order, a part uses only those after it.
mod headless;

mod people;

mod proxy_host;

mod proxy_process;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tempfile::TempDir;

use crate::config::passwords::Keyring;
use crate::injection::{self, FaultBoard, Injection};
use crate::model::account::Account;
use crate::model::contacts::{AddressBook, Contact};
use crate::model::snapshot::Person;
use crate::net::BindError;
use crate::random::Random;
use crate::runtime::agent::AgentError;
use crate::runtime::engine::{Engine, EngineError, EngineOptions, Wake};
use crate::runtime::path_faults::PathFaults;
use crate::runtime::server::ServerError;
use crate::runtime::wire_tap::WireTap;
use crate::sip;
use crate::time::Clock;

use self::people::{Director, People};
use self::proxy_host::{ProxyHost, ProxyOrders};
pub use self::proxy_process::run_proxy;

/// A domain that can never belong to anybody (RFC 2606).
const DOMAIN: &str = "demo.example";
/// Short, so that the silent person's outcome is known within 64 T1 = 6.4 s.
const T1: Duration = Duration::from_millis(100);
/// The first message, ready to send.
pub const FIRST_MESSAGE: &str = "Lunch at noon? Tell me if you can come.";

/// Runs the demo as text, with these faults. `program` is this program.
///
/// # Errors
/// Why it cannot run, as a sentence.
pub fn run_headless(program: &Path, faults: &[String]) -> Result<ExitCode, DemoError> {
    headless::run(&DemoRun::set(program, None, faults)?)
}

/// Why the demo cannot run.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No temporary folder for its messages.
    #[error("no temporary folder can be made: {0}")]
    Folder(#[source] std::io::Error),
    /// Starting the proxy.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// Starting the writer's user agent.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// Opening the socket of a simulated person.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// An invalid address of a simulated person.
    #[error("an address of the demo cannot be read: {0}")]
    Address(#[from] sip::Error),
    /// The proxy has no socket.
    #[error("the demo has no socket")]
    NoSocket,
    /// Somebody has started the proxy of the demo by hand.
    #[error("fanfare demo starts this by itself")]
    NotByHand,
    /// The simulated people could not register at the proxy.
    #[error("the simulated people cannot register")]
    NotRegistered,
    /// A fault that was asked for cannot happen.
    #[error("{0}")]
    Injection(String),
    /// The last report did not come.
    #[error("the report did not come in time")]
    NoReport,
    /// A part of the program has ended.
    #[error(transparent)]
    Fault(#[from] crate::runtime::faults::Fault),
    /// The operating system.
    #[error("cannot start the demo: {0}")]
    System(#[from] std::io::Error),
}

/// The running demo, without the person who writes. Fields drop in order: the people leave first.
#[derive(Debug)]
pub struct DemoRun {
    people: People,
    proxy: ProxyHost,
    faults: FaultBoard,
    folder: TempDir,
}

impl DemoRun {
    /// Starts the proxy, makes the people register, and waits until they have; `wire` shows what passes at the proxy. The faults
    /// are on from the beginning; all but those of people once everybody has registered. `program` is this program, which runs
    /// the proxy in another process.
    ///
    /// # Errors
    /// Why it cannot start, as a sentence.
    pub fn set(program: &Path, wire: Option<WireTap>, faults: &[String]) -> Result<Self, DemoError> {
        let folder = tempfile::Builder::new().prefix("fanfare-demo-").tempdir().map_err(DemoError::Folder)?;
        let proxy = ProxyHost::start(program.to_owned(), folder.path().join("proxy"), wire)?;
        let mut wanted = Vec::new();
        for text in faults {
            let read = injection::read(text).map_err(|wrong| DemoError::Injection(wrong.to_string()))?;
            wanted.extend(read);
        }
        let people = People::start(proxy.address(), &wanted)?;
        let board = board(proxy.orders(), people.director())?;
        for text in faults {
            board.set(text).map_err(DemoError::Injection)?;
        }
        proxy.settle();
        Ok(Self { people, proxy, faults: board, folder })
    }

    /// The faults that are on, to show and to change them.
    #[must_use]
    pub fn faults(&self) -> FaultBoard {
        self.faults.clone()
    }

    /// The writer's account.
    #[must_use]
    pub fn account(&self) -> Account {
        Account {
            address: people::writer(),
            name: "James".to_owned(),
            proxy: format!("udp:{}", self.proxy.address()),
            t1_ms: u64::try_from(T1.as_millis()).unwrap_or(100),
            ..Account::default()
        }
    }

    /// The simulated people, as contacts.
    #[must_use]
    pub fn book(&self) -> AddressBook {
        AddressBook { contacts: self.people.contacts(), lists: Vec::new(), ..AddressBook::default() }
    }

    /// Starts the engine of the writer's window; `wire` shows what passes at the proxy.
    ///
    /// # Errors
    /// Why it cannot start, as a sentence.
    pub fn engine(&self, wire: WireTap, wake: Wake) -> Result<Engine, EngineError> {
        Engine::start(EngineOptions {
            settings: Some(self.folder()),
            keyring: Keyring::Unused,
            data: Some(self.folder()),
            account: Some(self.account()),
            book: Some(self.book()),
            demo: true,
            wire: Some(wire),
            wake,
        })
    }

    /// The simulated people, as recipients.
    #[must_use]
    pub fn everybody(&self) -> Vec<Person> {
        let person = |contact: Contact| Person {
            address: contact.address,
            name: contact.name,
            simulated: contact.simulated,
        };
        self.people.contacts().into_iter().map(person).collect()
    }

    /// The folder of the writer's messages and settings, which exists as long as the demo runs.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("james")
    }
}

/// Carries out the faults of the demo: those of its people here, all others where its proxy is.
fn board(proxy: ProxyOrders, director: Director) -> Result<FaultBoard, DemoError> {
    let (clock, condition) = (Clock::start(), proxy.condition());
    // Nothing passes here: it tells which faults have ended by themselves.
    let path = PathFaults::new(Random::from_os()?);
    let twin = path.clone();
    let carry_out = move |fault: &Injection| match fault {
        Injection::Person { name, conduct } => director.direct(name, *conduct),
        Injection::Path { of, fault: what } => {
            path.set(*of, *what, clock.now().mono);
            proxy.give(fault)
        }
        Injection::Proxy(_) | Injection::Disk { .. } | Injection::Clock { .. } => proxy.give(fault),
    };
    let is_over = move |fault: &Injection| match fault {
        Injection::Path { of, .. } => twin.is_over(*of, clock.now().mono),
        Injection::Proxy(_) => condition.is_usual(),
        Injection::Person { .. } | Injection::Disk { .. } | Injection::Clock { .. } => false,
    };
    Ok(FaultBoard::new(carry_out).ending(is_over))
}
