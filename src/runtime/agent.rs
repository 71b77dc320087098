//! A user agent with its sockets and its store; used by the engine, `fanfare send` and `fanfare listen`.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{AgentConfig, UserAgent};
use crate::machine::{Hop, Input, Machine};
use crate::model::account::{Account, AccountError, Profile};
use crate::model::command::{AgentCommand, Event};
use crate::model::journal::{Rows, Write};
use crate::model::server::Server;
use crate::net::{
    BindError, Fingerprint, Net, NetSettings, Pin, TlsFiles, TypedServer, interface_ips, local_ip_towards,
    resolve,
};
use crate::random::Random;
use crate::runtime::Shell;
use crate::runtime::faults::Fault;
use crate::runtime::network::Network;
use crate::runtime::wire_tap::WireTap;
use crate::sip::Transport;
use crate::store::{ClientSchema, OpenError, Store};
use crate::time::Clock;

/// The store's name in the data folder.
pub const STORE_FILE: &str = "messages.sqlite3";

/// How long the start waits for the proxy's address to be looked up.
const FIRST_LOOK_WAIT: Duration = Duration::from_secs(2);

/// Why a user agent cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// An invalid field of the account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Opening a socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Opening the store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The operating system.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

/// A user agent running on the caller's tokio runtime, over its sockets or over a layer around them.
#[derive(Debug)]
pub struct Agent<N = Net> {
    shell: Shell<Write, N>,
    machine: UserAgent,
}

/// A user agent with its store open: all that needs no network.
#[derive(Debug)]
pub struct OpenedAgent {
    profile: Profile,
    settings: NetSettings,
    store: Store<ClientSchema>,
    rows: Rows,
}

impl OpenedAgent {
    /// Checks the account and opens the store. Without `data` the store lasts as long as the agent.
    ///
    /// # Errors
    /// Why it cannot be opened, as a sentence.
    pub fn open(account: &Account, data: Option<&Path>) -> Result<Self, AgentError> {
        let profile = account.check()?;
        let store = data
            .map_or_else(Store::<ClientSchema>::in_memory, |folder| Store::open(&folder.join(STORE_FILE)))?;
        let mut rows = store.load()?;
        // Without a store the device never comes back, so the server must not keep messages for its instance id.
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
        let Server { uri, domain } = &profile.server;
        let typed = uri.ip().map(|address| TypedServer { domain: Arc::clone(domain), address });
        let settings = NetSettings { tls, dns: account.dns, pin, typed, ..NetSettings::default() };
        Ok(Self { profile, settings, store, rows })
    }

    /// Opens the sockets; that may take a while if the server's name has to be looked up.
    ///
    /// # Errors
    /// Why it cannot be started, as a sentence.
    pub async fn start(self) -> Result<Agent, AgentError> {
        Box::pin(self.start_behind(|net, _clock| net)).await
    }

    /// The same, with a layer between the user agent and its sockets.
    ///
    /// # Errors
    /// Why it cannot be started, as a sentence.
    pub async fn start_behind<N: Network>(
        self,
        layer: impl FnOnce(Net, Clock) -> N,
    ) -> Result<Agent<N>, AgentError> {
        let Self { profile, settings, store, rows } = self;
        let hops = first_look(&profile.server, &settings).await;
        let net = Net::open(&listens(&own_ips(&hops)), &settings).await?;
        let clock = Clock::start();
        let config = AgentConfig { profile, locals: net.locals().to_vec() };
        let mut machine = UserAgent::new(config, rows, Random::from_os()?, clock.now());
        machine.handle(Input::Interfaces(interface_ips().into()), clock.now());
        Ok(Agent { shell: Shell::with_store(layer(net, clock), clock, store)?, machine })
    }
}

impl Agent {
    /// Opens the store and the sockets. Without `data` the store lasts as long as the agent.
    ///
    /// # Errors
    /// Why it cannot be started, as a sentence.
    pub async fn start(account: &Account, data: Option<&Path>) -> Result<Self, AgentError> {
        OpenedAgent::open(account, data)?.start().await
    }

    /// True if the proxy is now reached from another local address: the computer came online, or changed networks. This
    /// agent's sockets are then useless, and another agent must be started.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        let towards_proxy = self.machine.proxy().map(|hop| local_ip_towards(hop.remote));
        towards_proxy.is_some_and(|towards_proxy| is_elsewhere(self.shell.net().locals(), towards_proxy))
    }
}

impl<N: Network> Agent<N> {
    /// The machine, for reading.
    #[must_use]
    pub const fn machine(&self) -> &UserAgent {
        &self.machine
    }

    /// The machine, for setting people's names.
    pub const fn machine_mut(&mut self) -> &mut UserAgent {
        &mut self.machine
    }

    /// The machine's network, disk and clock.
    #[must_use]
    pub const fn shell(&self) -> &Shell<Write, N> {
        &self.shell
    }

    /// Shows every message that passes from now on; with None, none any more.
    pub fn watch(&mut self, wire: Option<WireTap>) {
        self.shell.watch(wire);
    }

    /// Hands a command to the machine. Events come in the order in which things happen.
    pub fn command(&mut self, command: AgentCommand, on_event: &mut impl FnMut(Event)) {
        self.shell.give(&mut self.machine, Input::Command(command), on_event);
    }

    /// Waits for the next event, or for `other`; see [`Shell::turn`].
    ///
    /// # Errors
    /// A thread or task that this agent depends on has ended: it can do no more.
    pub async fn turn<T>(
        &mut self,
        on_event: &mut impl FnMut(Event),
        other: impl Future<Output = T>,
    ) -> Result<Option<T>, Fault> {
        self.shell.turn(&mut self.machine, on_event, other).await
    }

    /// Shuts down: takes in what has arrived, and stores what the machine knows; see [`Shell::finish`].
    ///
    /// # Errors
    /// The thread that writes the store has ended.
    pub async fn finish(&mut self, on_event: &mut impl FnMut(Event)) -> Result<(), Fault> {
        // The client writes at once what it learns, so it needs no flush command.
        self.shell.finish(&mut self.machine, on_event, || None).await
    }
}

/// The proxy's addresses as far as they are known at once; the machine looks up the name itself later.
async fn first_look(server: &Server, settings: &NetSettings) -> Vec<Hop> {
    if let Some(hop) = server.hop() {
        return vec![hop];
    }
    let look = resolve(&server.uri, settings);
    tokio::time::timeout(FIRST_LOOK_WAIT, look).await.unwrap_or_default()
}

/// Sockets on our addresses that can reach the proxy; UDP and TCP on the same free port.
fn listens(ips: &[IpAddr]) -> Vec<(Transport, SocketAddr)> {
    let of_ip =
        |ip: &IpAddr| [Transport::Udp, Transport::Tcp].map(|transport| (transport, SocketAddr::new(*ip, 0)));
    ips.iter().flat_map(of_ip).collect()
}

/// The local addresses to use, one for each address family of the proxy.
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

/// The local address to use. Without a route to the proxy (a laptop that is not online yet) it is loopback, so that
/// stored messages can be read; see [`Agent::has_moved`].
fn own_ip(proxy: Hop, towards_proxy: io::Result<IpAddr>) -> IpAddr {
    towards_proxy.unwrap_or_else(|_unreachable| match proxy.remote {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    })
}

/// True if the route to the proxy starts at an address that none of these sockets is bound to.
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
