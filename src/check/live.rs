//! A script in real time: people and a sender over real sockets, and the built-in proxy or one elsewhere.

mod parts;
mod published;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::LocalSet;

use self::parts::{PersonPart, ProxyPart, SenderOrder, SenderPart};
use self::published::Published;
use super::cast::{account, person_script};
use super::read::CheckedScript;
use super::stage::{Seen, Stage, Unplayable, messages};
use crate::injection::{Conduct, Injection, ProxyFault};
use crate::inspect::{Direction, WireMessage};
use crate::limits::SCRIPT_WIRE_MAX;
use crate::model::account::{Account, AccountError};
use crate::model::command::AgentCommand;
use crate::net::{BindError, NetSettings, TlsFiles, local_ip_towards, resolve};
use crate::random::Random;
use crate::runtime::path_faults::PathFaults;
use crate::runtime::wire_tap::WireTap;
use crate::store::memory::{ClientMemory, ProxyMemory};
use crate::time::{Clock, Skew, Timestamp};

/// Orders that wait for a part.
pub(super) const ORDERS_MAX: usize = 64;
/// Everybody has to have registered within that time.
const REGISTRATION_WAIT: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Why a script cannot be played in real time.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The script wants what cannot be.
    #[error(transparent)]
    Unplayable(#[from] Unplayable),
    /// The account is wrong.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// No socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The operating system.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
    /// The name of the proxy leads nowhere.
    #[error("the proxy {0} was not found")]
    NotFound(String),
    /// Somebody could not register.
    #[error("not everybody could register within {} s: {registered} of {wanted} did", REGISTRATION_WAIT.as_secs())]
    NotRegistered {
        /// How many did.
        registered: usize,
        /// How many should have.
        wanted: usize,
    },
}

/// Which proxy is used.
#[derive(Debug)]
pub enum Target {
    /// One that is started for the script.
    BuiltIn,
    /// One that runs, by the sender's account there.
    Elsewhere(Box<Account>),
}

/// The built-in proxy, and where its faults are caused.
struct BuiltIn {
    faults: mpsc::Sender<ProxyFault>,
    path: PathFaults,
    store: Published<ProxyMemory>,
    skew: Skew,
}

impl BuiltIn {
    /// Starts it; returns where it listens, too.
    async fn start(checked: &CheckedScript, tap: WireTap) -> Result<(Self, SocketAddr), LiveError> {
        let (path, store) = (PathFaults::new(Random::from_os()?), Published::default());
        let (clock, skew) = Clock::with_skew();
        let part = ProxyPart { clock, tap, faults: path.clone(), store: store.clone() };
        let (faults, address) = part.start(checked).await?;
        Ok((Self { faults, path, store, skew }, address))
    }
}

/// See the top of this file. Fields drop in order: the tasks first.
pub(super) struct Live {
    tasks: LocalSet,
    runtime: tokio::runtime::Runtime,
    clock: Clock,
    tap: WireTap,
    next: u64,
    wire: Vec<WireMessage>,
    /// None for a proxy elsewhere.
    built_in: Option<BuiltIn>,
    proxy: SocketAddr,
    sender: mpsc::Sender<SenderOrder>,
    rows: Published<ClientMemory>,
    told: parts::Told,
    refused: Vec<String>,
    names: Vec<(String, String)>,
    people: Vec<Option<mpsc::Sender<Conduct>>>,
    places: Vec<Option<SocketAddr>>,
}

impl Live {
    /// Sets the stage: everybody is started and has registered.
    pub(super) fn new(checked: &CheckedScript, target: Target) -> Result<Self, LiveError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let tasks = LocalSet::new();
        let (clock, tap, told) = (Clock::start(), WireTap::new(), parts::Told::default());
        let (built_in, account) = match target {
            Target::BuiltIn => {
                let started = tasks.block_on(&runtime, BuiltIn::start(checked, tap.clone()))?;
                let account = account(checked, format!("udp:{}", started.1));
                (Some(started), account)
            }
            Target::Elsewhere(account) => (None, *account),
        };
        let profile = account.check()?;
        let settings = settings(&account);
        let proxy = match &built_in {
            Some((_, address)) => *address,
            None => {
                let hops = runtime.block_on(resolve(&profile.server.uri, &settings));
                let hop = profile.server.hop().or_else(|| hops.first().copied());
                hop.ok_or_else(|| LiveError::NotFound(account.proxy.clone()))?.remote
            }
        };
        let own_ip = local_ip_towards(proxy)?;
        let rows = Published::default();
        let part = SenderPart {
            clock,
            tap: tap.clone(),
            told: told.clone(),
            store: rows.clone(),
            profile,
            settings,
        };
        let sender = tasks.block_on(&runtime, part.start(own_ip))?;
        let mut live = Self {
            runtime,
            tasks,
            clock,
            tap,
            next: 0,
            wire: Vec::new(),
            built_in: built_in.map(|(proxy, _)| proxy),
            proxy,
            sender,
            rows,
            told,
            refused: Vec::new(),
            names: Vec::new(),
            people: Vec::new(),
            places: Vec::new(),
        };
        live.start_people(checked, own_ip)?;
        live.wait_for_registrations(checked)?;
        Ok(live)
    }

    fn start_people(&mut self, checked: &CheckedScript, own_ip: IpAddr) -> Result<(), LiveError> {
        for person in &checked.people {
            let user = person.address.user().unwrap_or_default().to_owned();
            self.names.push((person.name.clone(), user));
            let Some(conduct) = person.conduct else {
                self.people.push(None);
                self.places.push(None);
                continue;
            };
            let script = person_script(person, conduct);
            let part =
                PersonPart { clock: self.clock, tap: self.tap.clone(), told: self.told.clone(), script };
            let (orders, place) = self.tasks.block_on(&self.runtime, part.start(own_ip, self.proxy))?;
            self.people.push(Some(orders));
            self.places.push(Some(place));
        }
        Ok(())
    }

    fn wait_for_registrations(&mut self, checked: &CheckedScript) -> Result<(), LiveError> {
        let comes = |conduct: &Conduct| *conduct != Conduct::Offline;
        let people = checked.people.iter().filter_map(|person| person.conduct.as_ref());
        let wanted = people.filter(|conduct| comes(conduct)).count() + 1;
        let end = self.clock.now().mono + REGISTRATION_WAIT;
        while self.told.registered() < wanted {
            if self.clock.now().mono >= end {
                return Err(LiveError::NotRegistered { registered: self.told.registered(), wanted });
            }
            self.run_for(LOOK_EVERY);
        }
        Ok(())
    }

    /// Takes what passed: what one of us sent, and what a proxy elsewhere sent to one of us.
    fn drain(&mut self) {
        let unseen = self.tap.since(self.next);
        self.next = unseen.next;
        for entry in unseen.entries {
            let is_from_elsewhere = self.built_in.is_none() && entry.flow.remote == self.proxy;
            let counts = entry.direction == Direction::Sent || is_from_elsewhere;
            if counts && self.wire.len() < SCRIPT_WIRE_MAX {
                let mut message = entry.message();
                if let Some(proxy) = self.built_in.as_ref().filter(|_| message.from == self.proxy) {
                    // Seen by the proxy's clock; the script is on nobody's.
                    message.at = proxy.skew.system_time(message.at);
                }
                self.wire.push(message);
            }
        }
        self.refused.extend(self.told.refused());
    }

    fn built_in(&self, fault: &Injection) -> Result<&BuiltIn, Unplayable> {
        self.built_in.as_ref().ok_or_else(|| {
            let what = format!("{fault} is a fault of the built-in proxy, and this one is elsewhere");
            Unplayable(what)
        })
    }
}

impl Stage for Live {
    fn command(&mut self, command: AgentCommand) {
        drop(self.sender.try_send(SenderOrder::Command(command)));
        self.run_for(Duration::ZERO);
    }

    fn inject(&mut self, fault: &Injection) -> Result<(), Unplayable> {
        match fault {
            Injection::Person { name, conduct } => {
                let is_it = |(known, user): &(String, String)| {
                    known.eq_ignore_ascii_case(name) || user.eq_ignore_ascii_case(name)
                };
                let place = self.names.iter().position(is_it);
                if let Some(orders) = place.and_then(|place| self.people.get(place)?.as_ref()) {
                    orders.try_send(*conduct).ok();
                }
            }
            Injection::Path { of, fault: what } => {
                self.built_in(fault)?.path.set(*of, *what, self.clock.now().mono);
            }
            Injection::Proxy(what) => self.built_in(fault)?.faults.try_send(*what).ok().unwrap_or_default(),
            Injection::Disk { is_full } => self.built_in(fault)?.store.set_full(*is_full),
            Injection::Clock { ahead_ms } => self.built_in(fault)?.skew.set(*ahead_ms),
        }
        self.run_for(Duration::ZERO);
        Ok(())
    }

    fn crash_sender(&mut self) {
        drop(self.sender.try_send(SenderOrder::Crash));
        self.run_for(Duration::ZERO);
    }

    fn start_sender(&mut self) {
        drop(self.sender.try_send(SenderOrder::Start));
        self.run_for(Duration::ZERO);
    }

    fn run_for(&mut self, time: Duration) {
        // The timer is made within the runtime, which is not entered here.
        self.tasks.block_on(&self.runtime, async { tokio::time::sleep(time).await });
        self.drain();
    }

    fn now(&self) -> Timestamp {
        self.clock.now().wall
    }

    fn seen(&self) -> Seen<'_> {
        Seen {
            wire: &self.wire,
            messages: self.rows.with(messages),
            refused: &self.refused,
            people: &self.places,
            proxy: self.proxy,
        }
    }
}

/// The network settings of an account.
fn settings(account: &Account) -> NetSettings {
    let tls = TlsFiles {
        authorities: account.tls_ca.clone(),
        wildcards: !account.tls_strict,
        ..TlsFiles::default()
    };
    NetSettings { tls, dns: account.dns, ..NetSettings::default() }
}
