//! The parts of a script in real time, each a task: the built-in proxy, the sender, a person.

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::ORDERS_MAX;
use super::published::Published;
use crate::check::cast::{aliases, proxy_config};
use crate::check::live::LiveError;
use crate::check::read::CheckedScript;
use crate::client::{AgentConfig, UserAgent};
use crate::injection::{Conduct, ProxyAct, ProxyFault};
use crate::machine::Input;
use crate::model::account::{Profile, RegistrationState};
use crate::model::command::{AgentCommand, Event};
use crate::net::{Net, NetSettings};
use crate::person::{PersonCommand, PersonEvent, Script, ScriptedPerson};
use crate::proxy::{Proxy, ProxyCommand, ProxyConfig, ProxyEvent};
use crate::random::Random;
use crate::runtime::Shell;
use crate::runtime::path_faults::{FaultyPath, PathFaults};
use crate::runtime::wire_tap::WireTap;
use crate::sip::Transport;
use crate::store::memory::{ClientMemory, ProxyMemory};
use crate::store::tables::Tables;
use crate::time::Clock;

/// How long a socket that was just closed may keep its port.
const REBIND_WAIT: Duration = Duration::from_millis(20);
const REBINDS_MAX: u32 = 100;

/// What the parts told; copies share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Told(Arc<Mutex<(usize, Vec<String>)>>);

impl Told {
    fn lock(&self) -> MutexGuard<'_, (usize, Vec<String>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many have registered.
    pub(super) fn registered(&self) -> usize {
        self.lock().0
    }

    /// Why drafts were refused since the last call.
    pub(super) fn refused(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().1)
    }
}

/// Opens sockets; those of a part that has just ended may still be open.
async fn open(listens: &[(Transport, SocketAddr)], settings: &NetSettings) -> Result<Net, LiveError> {
    for _ in 0..REBINDS_MAX {
        if let Ok(net) = Net::open(listens, settings).await {
            return Ok(net);
        }
        tokio::time::sleep(REBIND_WAIT).await;
    }
    Ok(Net::open(listens, settings).await?)
}

/// The built-in proxy.
pub(super) struct ProxyPart {
    pub(super) clock: Clock,
    pub(super) tap: WireTap,
    pub(super) faults: PathFaults,
    pub(super) store: Published<ProxyMemory>,
}

type ProxyShell = Shell<crate::proxy::journal::Write, FaultyPath<Net>>;

impl ProxyPart {
    /// Starts it; returns where it is.
    pub(super) async fn start(
        self,
        checked: &CheckedScript,
    ) -> Result<(mpsc::Sender<ProxyFault>, SocketAddr), LiveError> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let net = Net::bind(&[(Transport::Udp, any), (Transport::Tcp, any)]).await?;
        let locals = net.locals().to_vec();
        let address = locals.first().map_or(any, |(_, address)| *address);
        let rows = aliases(checked)?;
        self.store.with(|store| store.changes().change(|outside| outside.aliases = rows));
        let (orders, asked) = mpsc::channel(ORDERS_MAX);
        let config = proxy_config(checked, locals);
        tokio::task::spawn_local(async move {
            if let Err(error) = self.keep(net, config, asked).await {
                tracing::error!(%error, "the proxy has ended");
            }
        });
        Ok((orders, address))
    }

    fn machine(&self, net: Net, config: &ProxyConfig) -> Result<(ProxyShell, Proxy), LiveError> {
        let system = |error: crate::store::OpenError| LiveError::System(std::io::Error::other(error));
        let store = self.store.opened();
        let mut rows = store.recover().map_err(system)?;
        store.each(&mut |stored| rows.add(stored)).map_err(system)?;
        let proxy = Proxy::new(config.clone(), rows, Random::from_os()?, self.clock.now());
        let path = FaultyPath::new(net, self.clock, Some(self.faults.clone()));
        let shell = Shell::with_store(path.watched(Some(self.tap.clone())), self.clock, store);
        Ok((shell.map_err(system)?, proxy))
    }

    /// Runs it, ends it and starts it again, as it is told.
    async fn keep(
        self,
        net: Net,
        config: ProxyConfig,
        mut orders: mpsc::Receiver<ProxyFault>,
    ) -> Result<(), LiveError> {
        let mut next = Some(net);
        loop {
            let net = match next.take() {
                Some(net) => net,
                None => open(&config.listens, &NetSettings::default()).await?,
            };
            let (mut shell, mut proxy) = self.machine(net, &config)?;
            let Some(fault) = self.run(&mut shell, &mut proxy, &mut orders).await else { return Ok(()) };
            if fault.act == ProxyAct::Stop {
                shell.finish(&mut proxy, &mut drop::<ProxyEvent>, || Some(ProxyCommand::Flush)).await.ok();
            }
            drop((shell, proxy));
            let back = async {
                if fault.back.is_zero() { pending().await } else { tokio::time::sleep(fault.back).await }
            };
            tokio::pin!(back);
            loop {
                tokio::select! {
                    () = &mut back => break,
                    order = orders.recv() => match order {
                        Some(fault) if fault.act == ProxyAct::Start => break,
                        Some(_) => {}
                        None => return Ok(()),
                    },
                }
            }
        }
    }

    /// Runs it until it is to end; None if the script is over.
    async fn run(
        &self,
        shell: &mut ProxyShell,
        proxy: &mut Proxy,
        orders: &mut mpsc::Receiver<ProxyFault>,
    ) -> Option<ProxyFault> {
        let mut after_202 = None;
        loop {
            let (mut wanted, mut has_accepted) = (Vec::new(), false);
            let mut on_event = |event: ProxyEvent| {
                has_accepted |= matches!(event, ProxyEvent::Accepted { .. });
                if let ProxyEvent::Wanted { dispatch } = event {
                    wanted.push(dispatch);
                }
            };
            let order = shell.turn(proxy, &mut on_event, orders.recv()).await.ok()?;
            for id in wanted {
                let rows = self.store.with(|store| store.dispatches.get(&id).cloned().map(Box::new));
                shell.give(proxy, Input::Command(ProxyCommand::Read(id, rows)), &mut drop::<ProxyEvent>);
            }
            if has_accepted && after_202.is_some() {
                return after_202;
            }
            match order {
                None => {}
                Some(None) => return None,
                Some(Some(fault)) if fault.after_202 => after_202 = Some(fault),
                Some(Some(fault)) if fault.act != ProxyAct::Start => return Some(fault),
                Some(Some(_)) => {}
            }
        }
    }
}

/// What the sender is told.
#[derive(Debug)]
pub(super) enum SenderOrder {
    Command(AgentCommand),
    Crash,
    Start,
}

/// The sender.
pub(super) struct SenderPart {
    pub(super) clock: Clock,
    pub(super) tap: WireTap,
    pub(super) told: Told,
    pub(super) store: Published<ClientMemory>,
    pub(super) profile: Profile,
    pub(super) settings: NetSettings,
}

impl SenderPart {
    pub(super) async fn start(self, own_ip: IpAddr) -> Result<mpsc::Sender<SenderOrder>, LiveError> {
        let any = SocketAddr::new(own_ip, 0);
        let net = Net::open(&[(Transport::Udp, any), (Transport::Tcp, any)], &self.settings).await?;
        let (orders, asked) = mpsc::channel(ORDERS_MAX);
        tokio::task::spawn_local(async move {
            if let Err(error) = self.keep(net, asked).await {
                tracing::error!(%error, "the sender has ended");
            }
        });
        Ok(orders)
    }

    async fn keep(self, net: Net, mut orders: mpsc::Receiver<SenderOrder>) -> Result<(), LiveError> {
        let locals = net.locals().to_vec();
        let (mut next, mut has_registered) = (Some(net), false);
        loop {
            let net = match next.take() {
                Some(net) => net,
                None => open(&locals, &self.settings).await?,
            };
            let system = |error: crate::store::OpenError| LiveError::System(std::io::Error::other(error));
            let store = self.store.opened();
            let config = AgentConfig { profile: self.profile.clone(), locals: locals.clone() };
            let rows = store.recover().map_err(system)?;
            let mut machine = UserAgent::new(config, rows, Random::from_os()?, self.clock.now());
            let mut shell = Shell::with_store(net, self.clock, store).map_err(system)?;
            shell.watch(Some(self.tap.clone()));
            let mut on_event = |event: Event| self.hear(event, &mut has_registered);
            shell.give(&mut machine, Input::Command(AgentCommand::Connect), &mut on_event);
            loop {
                match shell.turn(&mut machine, &mut on_event, orders.recv()).await {
                    Ok(None | Some(Some(SenderOrder::Start))) => {}
                    Ok(Some(Some(SenderOrder::Command(command)))) => {
                        shell.give(&mut machine, Input::Command(command), &mut on_event);
                    }
                    Ok(Some(Some(SenderOrder::Crash))) => break,
                    Ok(Some(None)) | Err(_) => return Ok(()),
                }
            }
            drop((shell, machine));
            loop {
                match orders.recv().await {
                    Some(SenderOrder::Start) => break,
                    Some(SenderOrder::Command(_) | SenderOrder::Crash) => {}
                    None => return Ok(()),
                }
            }
        }
    }

    /// Tells whoever plays the script that the sender has registered, once, and what could not be sent.
    fn hear(&self, event: Event, has_registered: &mut bool) {
        let is_registered = matches!(
            event,
            Event::Registration(
                RegistrationState::Connected | RegistrationState::NoFanOut | RegistrationState::ByList
            )
        );
        if is_registered && !std::mem::replace(has_registered, true) {
            self.told.lock().0 += 1;
        }
        if let Event::NotSent { why, .. } = event {
            self.told.lock().1.push(why);
        }
    }
}

/// A simulated person.
pub(super) struct PersonPart {
    pub(super) clock: Clock,
    pub(super) tap: WireTap,
    pub(super) told: Told,
    pub(super) script: Script,
}

impl PersonPart {
    /// Starts it; returns where it is.
    pub(super) async fn start(
        self,
        own_ip: IpAddr,
        proxy: SocketAddr,
    ) -> Result<(mpsc::Sender<Conduct>, SocketAddr), LiveError> {
        let net = Net::bind(&[(Transport::Udp, SocketAddr::new(own_ip, 0))]).await?;
        let place = net.locals().first().map_or(proxy, |(_, address)| *address);
        let (orders, mut asked) = mpsc::channel(ORDERS_MAX);
        let mut person = ScriptedPerson::new(self.script, place, proxy, Random::from_os()?, self.clock.now());
        let mut shell = Shell::without_store(net, self.clock);
        shell.watch(Some(self.tap));
        tokio::task::spawn_local(async move {
            let mut has_registered = false;
            let mut on_event = |event: PersonEvent| {
                if event == PersonEvent::Registered && !std::mem::replace(&mut has_registered, true) {
                    self.told.lock().0 += 1;
                }
            };
            while let Ok(order) = shell.turn(&mut person, &mut on_event, asked.recv()).await {
                match order {
                    None => {}
                    Some(Some(conduct)) => {
                        let command = Input::Command(PersonCommand::Behave(conduct));
                        shell.give(&mut person, command, &mut on_event);
                    }
                    Some(None) => return,
                }
            }
        });
        Ok((orders, place))
    }
}
