//! A user agent with its sockets and its store: for the engine, `fanfare send` and `fanfare listen`.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;

use crate::client::account::{Account, AccountError};
use crate::client::command::{AgentCommand, Event};
use crate::client::journal::Write;
use crate::client::{AgentConfig, UserAgent};
use crate::machine::{Hop, Input};
use crate::net::{BindError, Net, local_ip_towards};
use crate::random::Random;
use crate::runtime::Shell;
use crate::sip::Transport;
use crate::store::{ClientSchema, OpenError, Store};
use crate::time::Clock;

/// The store's name in the data folder.
pub const STORE_FILE: &str = "messages.sqlite3";

/// A user agent that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A field of the account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// No way to the proxy.
    #[error("there is no route to the proxy {0}")]
    NoRoute(SocketAddr),
    /// A socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The system.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
}

/// A user agent on the caller's runtime.
#[derive(Debug)]
pub struct Agent {
    shell: Shell<Write>,
    machine: UserAgent,
}

impl Agent {
    /// Opens store and sockets. Without `data` the store lives as long as the agent.
    ///
    /// # Errors
    /// What is in its way, in a sentence.
    pub async fn start(account: &Account, data: Option<&Path>) -> Result<Self, AgentError> {
        let profile = account.check()?;
        let store = data
            .map_or_else(Store::<ClientSchema>::in_memory, |folder| Store::open(&folder.join(STORE_FILE)))?;
        let rows = store.load()?;
        let net = Net::bind(&listens(profile.proxy)?).await?;
        let clock = Clock::start();
        let config = AgentConfig { profile, locals: net.locals().to_vec() };
        let machine = UserAgent::new(config, rows, Random::from_os()?, clock.now());
        Ok(Self { shell: Shell::with_store(net, clock, store)?, machine })
    }

    /// The machine, to look at.
    #[must_use]
    pub const fn machine(&self) -> &UserAgent {
        &self.machine
    }

    /// The machine, to tell it the names of people.
    pub const fn machine_mut(&mut self) -> &mut UserAgent {
        &mut self.machine
    }

    /// What stands around the machine.
    #[must_use]
    pub const fn shell(&self) -> &Shell<Write> {
        &self.shell
    }

    /// Asks the machine for something. Events come in the order of what happens.
    pub fn command(&mut self, command: AgentCommand, on_event: &mut impl FnMut(Event)) {
        self.shell.give(&mut self.machine, Input::Command(command), on_event);
    }

    /// Waits for the next thing to happen, or for `other`; see [`Shell::turn`].
    pub async fn turn<T>(
        &mut self,
        on_event: &mut impl FnMut(Event),
        other: impl Future<Output = T>,
    ) -> Option<T> {
        self.shell.turn(&mut self.machine, on_event, other).await
    }
}

/// Sockets on the address of ours that the proxy can reach; UDP and TCP on the same free port.
fn listens(proxy: Hop) -> Result<[(Transport, SocketAddr); 2], AgentError> {
    let ip = local_ip_towards(proxy.remote).map_err(|_unreachable| AgentError::NoRoute(proxy.remote))?;
    let any_port = SocketAddr::new(ip, 0);
    Ok([(Transport::Udp, any_port), (Transport::Tcp, any_port)])
}
