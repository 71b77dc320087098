//! `fanfare demo`: an embedded proxy on loopback and scripted people over real sockets, labelled as simulated.
//!
//! The proxy, the engine and the network protocol are the real ones; only the people are scripted ([`crate::person`]).

mod headless;
mod people;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tempfile::TempDir;

use crate::injection::{self, FaultBoard, Injection};
use crate::model::account::Account;
use crate::model::contacts::AddressBook;
use crate::net::{BindError, NetSettings};
use crate::proxy::ProxyConfig;
use crate::random::Random;
use crate::runtime::agent::AgentError;
use crate::runtime::path_faults::PathFaults;
use crate::runtime::server::{Server, ServerError};
use crate::runtime::wire_tap::WireTap;
use crate::sip::{self, Transport};
use crate::time::Clock;
use crate::transaction::Timers;

use self::people::{Director, People};

/// A domain that can never belong to anybody (RFC 2606).
const DOMAIN: &str = "demo.example";
/// Short, so that the silent person's outcome is known within 64 T1 = 6.4 s.
const T1: Duration = Duration::from_millis(100);
/// The first message, ready to send.
pub const FIRST_MESSAGE: &str = "Lunch at noon? Tell me if you can come.";

/// Runs the demo as text, with these faults.
///
/// # Errors
/// Why it cannot run, as a sentence.
pub fn run_headless(faults: &[String]) -> Result<ExitCode, DemoError> {
    headless::run(&DemoRun::set(None, faults)?)
}

/// Why the demo cannot run.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No temporary folder for its messages.
    #[error("no temporary folder can be made: {0}")]
    Folder(#[source] std::io::Error),
    /// Starting the embedded proxy.
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
    proxy: SocketAddr,
    faults: FaultBoard,
    _server: Server,
    folder: TempDir,
}

impl DemoRun {
    /// Starts the proxy, makes the people register, and waits until they have; `wire` shows what passes at the proxy. The faults
    /// are on from the beginning; those of the path once everybody has registered.
    ///
    /// # Errors
    /// Why it cannot start, as a sentence.
    pub fn set(wire: Option<WireTap>, faults: &[String]) -> Result<Self, DemoError> {
        let folder = tempfile::Builder::new().prefix("fanfare-demo-").tempdir().map_err(DemoError::Folder)?;
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let listens = vec![(Transport::Udp, any_port), (Transport::Tcp, any_port)];
        let mut config = ProxyConfig::new(vec![DOMAIN.to_owned()], listens);
        config.timers = Timers::new(T1);
        let path = PathFaults::new(Random::from_os()?);
        let data = Some(folder.path().join("proxy"));
        let server = Server::open_to_faults(config, data, NetSettings::default(), wire, Some(path.clone()))?;
        let proxy = server.locals().first().map(|(_, address)| *address).ok_or(DemoError::NoSocket)?;
        let mut wanted = Vec::new();
        for text in faults {
            let read = injection::read(text).map_err(|wrong| DemoError::Injection(wrong.to_string()))?;
            wanted.extend(read);
        }
        let people = People::start(proxy, &wanted)?;
        let board = board(path, people.director());
        for text in faults {
            board.set(text).map_err(DemoError::Injection)?;
        }
        Ok(Self { people, proxy, faults: board, _server: server, folder })
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
            proxy: format!("udp:{}", self.proxy),
            t1_ms: u64::try_from(T1.as_millis()).unwrap_or(100),
            ..Account::default()
        }
    }

    /// The simulated people, as contacts.
    #[must_use]
    pub fn book(&self) -> AddressBook {
        AddressBook { contacts: self.people.contacts(), lists: Vec::new() }
    }

    /// The folder of the writer's messages and settings, which exists as long as the demo runs.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("james")
    }
}

/// Carries out the faults of the demo: those of its people, and those of the path to its proxy.
fn board(path: PathFaults, director: Director) -> FaultBoard {
    let clock = Clock::start();
    FaultBoard::new(move |fault| match fault {
        Injection::Person { name, conduct } => director.direct(name, *conduct),
        Injection::Path { of, fault } => {
            path.set(*of, *fault, clock.now().mono);
            Ok(())
        }
        Injection::Proxy(_) | Injection::Disk { .. } | Injection::Clock { .. } => Err(format!(
            "{fault} cannot happen in the demo, only in a script (fanfare check); here are faults of people and of the path"
        )),
    })
}
