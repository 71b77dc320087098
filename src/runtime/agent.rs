//! A user agent with its sockets and its store: for the engine, `fanfare send` and `fanfare listen`.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use crate::client::{AgentConfig, UserAgent};
use crate::machine::{Hop, Input};
use crate::model::account::{Account, AccountError, Profile};
use crate::model::command::{AgentCommand, Event};
use crate::model::journal::{Rows, Write};
use crate::model::server::Server;
use crate::net::{BindError, Fingerprint, Net, NetSettings, Pin, TlsFiles, local_ip_towards, resolve};
use crate::random::Random;
use crate::runtime::Shell;
use crate::runtime::faults::Fault;
use crate::sip::Transport;
use crate::store::{ClientSchema, OpenError, Store};
use crate::time::Clock;

/// The store's name in the data folder.
pub const STORE_FILE: &str = "messages.sqlite3";

/// How long the start waits to learn where the proxy is.
const FIRST_LOOK_WAIT: Duration = Duration::from_secs(2);

/// A user agent that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A field of the account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The system.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

/// A user agent on the caller's runtime.
#[derive(Debug)]
pub struct Agent {
    shell: Shell<Write>,
    machine: UserAgent,
}

/// A user agent whose store is open: all that can be had without the network.
#[derive(Debug)]
pub struct OpenedAgent {
    profile: Profile,
    settings: NetSettings,
    store: Store<ClientSchema>,
    rows: Rows,
}

impl OpenedAgent {
    /// Checks the account and opens the store. Without `data` the store lives as long as the agent.
    ///
    /// # Errors
    /// What is in its way, in a sentence.
    pub fn open(account: &Account, data: Option<&Path>) -> Result<Self, AgentError> {
        let profile = account.check()?;
        let store = data
            .map_or_else(Store::<ClientSchema>::in_memory, |folder| Store::open(&folder.join(STORE_FILE)))?;
        let mut rows = store.load()?;
        // A device that comes only once is not to be waited for.
        rows.instance = rows.instance.filter(|_| data.is_some());
        let tls = TlsFiles {
            authorities: account.tls_ca.clone(),
            wildcards: !account.tls_strict,
            ..TlsFiles::default()
        };
        let pin = account.trusted.as_ref().and_then(|trusted| {
            let sha256 = Fingerprint(trusted.fingerprint()?);
            Some(Pin { server: trusted.server.clone(), sha256 })
        });
        let settings = NetSettings { tls, dns: account.dns, pin, ..NetSettings::default() };
        Ok(Self { profile, settings, store, rows })
    }

    /// Opens the sockets; that may take a while where the server's name has to be looked up.
    ///
    /// # Errors
    /// What is in its way, in a sentence.
    pub async fn start(self) -> Result<Agent, AgentError> {
        let Self { profile, settings, store, rows } = self;
        let hops = first_look(&profile.server, &settings).await;
        let net = Net::open(&listens(&own_ips(&hops)), &settings).await?;
        let clock = Clock::start();
        let config = AgentConfig { profile, locals: net.locals().to_vec() };
        let machine = UserAgent::new(config, rows, Random::from_os()?, clock.now());
        Ok(Agent { shell: Shell::with_store(net, clock, store)?, machine })
    }
}

impl Agent {
    /// Opens store and sockets. Without `data` the store lives as long as the agent.
    ///
    /// # Errors
    /// What is in its way, in a sentence.
    pub async fn start(account: &Account, data: Option<&Path>) -> Result<Self, AgentError> {
        OpenedAgent::open(account, data)?.start().await
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

    /// True when the proxy is reached from another address by now: the computer came online, or changed networks.
    /// The sockets of this agent are of no use then, and another one has to be started.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        let towards_proxy = self.machine.proxy().map(|hop| local_ip_towards(hop.remote));
        towards_proxy.is_some_and(|towards_proxy| is_elsewhere(self.shell.net().locals(), towards_proxy))
    }

    /// Asks the machine for something. Events come in the order of what happens.
    pub fn command(&mut self, command: AgentCommand, on_event: &mut impl FnMut(Event)) {
        self.shell.give(&mut self.machine, Input::Command(command), on_event);
    }

    /// Waits for the next thing to happen, or for `other`; see [`Shell::turn`].
    ///
    /// # Errors
    /// A thread or a task that this agent rests on has ended: nothing happens any more.
    pub async fn turn<T>(
        &mut self,
        on_event: &mut impl FnMut(Event),
        other: impl Future<Output = T>,
    ) -> Result<Option<T>, Fault> {
        self.shell.turn(&mut self.machine, on_event, other).await
    }

    /// The end: what has arrived is taken in, and what the machine knows is on the disk; see [`Shell::finish`].
    ///
    /// # Errors
    /// The thread that writes the store has ended.
    pub async fn finish(&mut self, on_event: &mut impl FnMut(Event)) -> Result<(), Fault> {
        // The client writes what it learns at once, so there is nothing to ask it for.
        self.shell.finish(&mut self.machine, on_event, || None).await
    }
}

/// Where the proxy is, as far as that can be said at once; the machine looks a name up for itself later.
async fn first_look(server: &Server, settings: &NetSettings) -> Vec<Hop> {
    if let Some(hop) = server.hop() {
        return vec![hop];
    }
    let look = resolve(&server.uri, settings);
    tokio::time::timeout(FIRST_LOOK_WAIT, look).await.unwrap_or_default()
}

/// Sockets on the addresses of ours that the proxy can reach; UDP and TCP on the same free port.
fn listens(ips: &[IpAddr]) -> Vec<(Transport, SocketAddr)> {
    let of_ip =
        |ip: &IpAddr| [Transport::Udp, Transport::Tcp].map(|transport| (transport, SocketAddr::new(*ip, 0)));
    ips.iter().flat_map(of_ip).collect()
}

/// The addresses of ours to use, one of each family in which the proxy has one.
fn own_ips(hops: &[Hop]) -> Vec<IpAddr> {
    let mut ips: Vec<IpAddr> = Vec::new();
    for hop in hops {
        let ip = own_ip(*hop, local_ip_towards(hop.remote));
        if ips.iter().all(|known| known.is_ipv4() != ip.is_ipv4()) {
            ips.push(ip);
        }
    }
    if ips.is_empty() {
        ips.push(Ipv4Addr::LOCALHOST.into());
    }
    ips
}

/// The address of ours to use. Without a way to the proxy (a laptop that is not online yet) it is loopback, so that
/// what was written before can be read; see [`Agent::has_moved`].
fn own_ip(proxy: Hop, towards_proxy: io::Result<IpAddr>) -> IpAddr {
    towards_proxy.unwrap_or_else(|_unreachable| match proxy.remote {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    })
}

/// Whether there is a way to the proxy that starts from none of these sockets.
fn is_elsewhere(locals: &[(Transport, SocketAddr)], towards_proxy: io::Result<IpAddr>) -> bool {
    towards_proxy.is_ok_and(|ip| locals.iter().all(|(_, local)| local.ip() != ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(remote: &str) -> Hop {
        Hop { transport: Transport::Udp, remote: remote.parse().unwrap() }
    }

    fn no_way() -> io::Result<IpAddr> {
        Err(io::ErrorKind::NetworkUnreachable.into())
    }

    #[test]
    fn without_a_way_to_the_proxy_the_agent_starts_all_the_same_and_moves_once_there_is_one() {
        let own: IpAddr = "192.0.2.9".parse().unwrap();
        assert_eq!(own_ip(hop("192.0.2.1:5060"), Ok(own)), own);
        let loopback = own_ip(hop("192.0.2.1:5060"), no_way());
        assert_eq!(loopback.to_string(), "127.0.0.1");
        assert_eq!(own_ip(hop("[2001:db8::1]:5060"), no_way()).to_string(), "::1");
        let locals = listens(&[loopback]);
        assert!(!is_elsewhere(&locals, no_way()));
        assert!(!is_elsewhere(&locals, Ok(loopback)));
        assert!(is_elsewhere(&locals, Ok(own)));
    }
}
