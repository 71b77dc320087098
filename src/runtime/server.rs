//! A proxy on its own thread: for `fanfare proxy` and for the demo.

mod events;
mod surroundings;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use self::events::log;
use self::surroundings::{ProxyShell, shell};
pub use self::surroundings::{ServerFaults, Surroundings};
use crate::limits::DISPATCHES_WANTED_MAX;
use crate::machine::Input;
use crate::net::{BindError, Net, NetSettings, TlsFileError, interface_ips, local_ip_towards};
use crate::proxy::journal::{DispatchId, DispatchRows};
use crate::proxy::{Auth, Proxy, ProxyCommand, ProxyConfig, ProxyEvent};
use crate::random::Random;
use crate::runtime::faults::Fault;
use crate::runtime::outside_watch::OutsideWatch;
use crate::runtime::wire_tap::WireTap;
use crate::sip::Transport;
use crate::store::outside::Watch;
use crate::store::served::note_served;
use crate::store::tables::{Outside, Tables};
use crate::store::{OpenError, ProxySchema, Store};
use crate::time::Clock;

/// The store's name in the data folder.
const STORE_FILE: &str = "proxy.sqlite3";
const NO_USERS: &str = "nobody could sign in, because with authentication the users are kept in the store: give its folder with --data";

/// The path of the proxy's store in this data folder.
#[must_use]
pub fn store_in(folder: &Path) -> PathBuf {
    folder.join(STORE_FILE)
}

/// Why a proxy cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It would be reachable from other computers without authenticating anybody.
    #[error(
        "cannot listen on {0}: without authentication a proxy listens on loopback addresses only (127.0.0.1, [::1]); \
         turn authentication on with --auth on"
    )]
    NotLoopback(SocketAddr),
    /// Nothing to listen on, or no domain to serve.
    #[error("{0}")]
    Incomplete(&'static str),
    /// Opening a socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Opening the store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The operating system.
    #[error("cannot start the proxy: {0}")]
    System(#[from] io::Error),
    /// The thread ended before it was ready.
    #[error("the proxy ended while it was starting")]
    Ended,
}

/// Handle of a running proxy, which ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    locals: Vec<(Transport, SocketAddr)>,
    asks: Option<mpsc::Sender<Ask>>,
    /// The thread holds the other end, so this closes when the thread ends.
    life: mpsc::Receiver<Never>,
    thread: Option<JoinHandle<()>>,
}

/// A request to a running proxy. It shuts down when all senders are gone.
#[derive(Debug)]
enum Ask {
    /// Apply newer settings and read the TLS files again; the answer is the result for those files.
    Reload(Box<ProxyConfig>, oneshot::Sender<Result<(), TlsFileError>>),
}

/// Asks a running proxy to apply newer settings; holding one does not keep the proxy running.
#[derive(Clone, Debug)]
pub struct Reloader(mpsc::WeakSender<Ask>);

impl Reloader {
    /// Sends the settings and waits until they apply. `None` if the proxy is shutting down.
    ///
    /// # Errors
    /// A TLS file cannot be used; the certificates read before stay in use.
    pub async fn reload(&self, config: ProxyConfig) -> Option<Result<(), TlsFileError>> {
        let (done, answer) = oneshot::channel();
        self.0.upgrade()?.send(Ask::Reload(Box::new(config), done)).await.ok()?;
        answer.await.ok()
    }
}

/// Nothing is ever sent on this channel; it only closes when the thread ends.
#[derive(Debug)]
enum Never {}

impl Server {
    /// Starts a proxy; it is ready when this returns. `config.listens` may have port 0. Without `data` its store lasts
    /// as long as the proxy.
    ///
    /// # Errors
    /// Why it cannot be started, as a sentence.
    pub fn start(config: ProxyConfig, data: Option<PathBuf>) -> Result<Self, ServerError> {
        Self::open(config, data, NetSettings::default(), None)
    }

    /// The same, with TLS certificates; `wire` shows every message that passes.
    ///
    /// # Errors
    /// Why it cannot be started, as a sentence.
    pub fn open(
        config: ProxyConfig,
        data: Option<PathBuf>,
        settings: NetSettings,
        wire: Option<WireTap>,
    ) -> Result<Self, ServerError> {
        Self::open_to_faults(config, data, settings, wire, None)
    }

    /// The same, with a path, a disk and a clock whose faults a tester sets.
    ///
    /// # Errors
    /// Why it cannot be started, as a sentence.
    pub fn open_to_faults(
        config: ProxyConfig,
        data: Option<PathBuf>,
        settings: NetSettings,
        wire: Option<WireTap>,
        faults: Option<ServerFaults>,
    ) -> Result<Self, ServerError> {
        check(&config)?;
        if config.auth != Auth::Off && data.is_none() {
            return Err(ServerError::Incomplete(NO_USERS));
        }
        Self::on_thread(move |ready, stopped| {
            let start = start(config, data.as_deref(), &settings, (wire, faults));
            if let Err((ready, error)) = run(start, ready, stopped) {
                // If the starter is gone, nobody is waiting.
                ready.send(Err(error)).ok();
            }
        })
    }

    fn on_thread(
        work: impl FnOnce(Ready, mpsc::Receiver<Ask>) + Send + 'static,
    ) -> Result<Self, ServerError> {
        let (ready, answer) = oneshot::channel();
        let (asks, asked) = mpsc::channel(1);
        let (alive, life) = mpsc::channel(1);
        let thread = std::thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            // Dropped on a panic too.
            let _alive = alive;
            work(ready, asked);
        })?;
        let locals = answer.blocking_recv().map_err(|_gone| ServerError::Ended)??;
        Ok(Self { locals, asks: Some(asks), life, thread: Some(thread) })
    }

    /// A handle to apply newer settings; none once the proxy was told to shut down.
    #[must_use]
    pub fn reloader(&self) -> Option<Reloader> {
        self.asks.as_ref().map(|asks| Reloader(asks.downgrade()))
    }

    /// The addresses it listens on, with the actual ports, in the order requested.
    #[must_use]
    pub fn locals(&self) -> &[(Transport, SocketAddr)] {
        &self.locals
    }

    /// Waits until it ends by itself, which happens only through a fault of ours: a panic of its thread, or the end of
    /// a thread or task it depends on.
    pub async fn ended(&mut self) {
        // Nothing is ever sent: this returns when the channel closes.
        self.life.recv().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.asks.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the proxy ended by a panic");
        }
    }
}

fn check(config: &ProxyConfig) -> Result<(), ServerError> {
    if config.domains.is_empty() {
        return Err(ServerError::Incomplete("no domain to serve: name one with --domain"));
    }
    if config.listens.is_empty() {
        return Err(ServerError::Incomplete("no address to listen on: give one with --listen"));
    }
    let open = config.listens.iter().find(|(_, address)| !address.ip().is_loopback());
    open.filter(|_| config.auth == Auth::Off)
        .map_or(Ok(()), |(_, address)| Err(ServerError::NotLoopback(*address)))
}

/// What the proxy's thread works with.
type Started = (ProxyShell, Proxy, Option<OutsideWatch>);

/// What the store holds about a message that the machine asked for.
type Read = (DispatchId, Option<Box<DispatchRows>>);

type Ready = oneshot::Sender<Result<Vec<(Transport, SocketAddr)>, ServerError>>;

/// Runs the proxy's thread. A start-up error is returned with `ready`, on which the starter waits for it.
fn run(
    start: impl Future<Output = Result<Started, ServerError>>,
    ready: Ready,
    mut asks: mpsc::Receiver<Ask>,
) -> Result<(), (Ready, ServerError)> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Err((ready, error.into())),
    };
    runtime.block_on(async move {
        // The watch is dropped before the shell: its store then closes last, and SQLite leaves a single file.
        let (mut shell, mut proxy, mut watch) = match start.await {
            Ok(started) => started,
            Err(error) => return Err((ready, error)),
        };
        ready.send(Ok(shell.net().under().locals().to_vec())).ok();
        let ended = go_round(&mut shell, &mut proxy, watch.as_mut(), &mut asks).await;
        if let Err(fault) = ended {
            // `Server::ended` notices it: nobody has asked this thread to end.
            tracing::error!("{fault}");
        }
        Ok(())
    })
}

/// Runs the proxy until it is told to end; then what it knows is stored.
async fn go_round(
    shell: &mut ProxyShell,
    proxy: &mut Proxy,
    mut watch: Option<&mut OutsideWatch>,
    asks: &mut mpsc::Receiver<Ask>,
) -> Result<(), Fault> {
    let mut told = 0;
    // The machine asks for no more than this at a time, so an answer always has room.
    let (answer, mut answers) = mpsc::channel(DISPATCHES_WANTED_MAX);
    let mut wanted = Vec::new();
    loop {
        let mut on_event = |event| {
            if let ProxyEvent::Wanted { dispatch } = event {
                wanted.push(dispatch);
            } else {
                log(event);
            }
        };
        let waiting = shell.net().under().waiting();
        if std::mem::replace(&mut told, waiting) != waiting {
            let command = ProxyCommand::InputsWaiting(waiting);
            shell.give(proxy, Input::Command(command), &mut on_event);
        }
        let asked = asked(asks, watch.as_deref_mut(), &mut answers);
        let commands = match shell.turn(proxy, &mut on_event, asked).await? {
            None => Vec::new(),
            Some(Wakeup::Stop) => {
                return shell.finish(proxy, &mut log, || Some(ProxyCommand::Flush)).await;
            }
            Some(Wakeup::Reload(config, done)) => {
                let command = ProxyCommand::Settings(config);
                shell.give(proxy, Input::Command(command), &mut on_event);
                done.send(shell.net().under().reload_tls()).ok();
                Vec::new()
            }
            Some(Wakeup::HasRead((id, rows))) => vec![ProxyCommand::Read(id, rows)],
            Some(Wakeup::Read(outside)) => changed(outside?),
        };
        for command in commands {
            shell.give(proxy, Input::Command(command), &mut on_event);
        }
        for id in wanted.drain(..) {
            read(shell, id, &answer);
        }
    }
}

/// The commands for the machine after an outside change.
fn changed(Outside { aliases, users, removed }: Outside) -> Vec<ProxyCommand> {
    vec![
        // First, as somebody else may have the address already.
        ProxyCommand::Removed(removed.into()),
        ProxyCommand::Aliases(aliases.into()),
        ProxyCommand::Users(users.into()),
    ]
}
/// Makes the store read what it holds about a message; if the store is busy, the answer is empty.
fn read(shell: &ProxyShell, id: DispatchId, answer: &mpsc::Sender<Read>) {
    let on_read = answer.clone();
    let is_asked = shell.writer().is_some_and(|writer| {
        // If the loop is gone, nobody needs the answer.
        writer.read(id, move |rows| drop(on_read.try_send((id, rows))))
    });
    if !is_asked {
        drop(answer.try_send((id, None)));
    }
}

/// What ended the loop's wait, besides the machine.
enum Wakeup {
    Stop,
    /// Newer settings.
    Reload(Box<ProxyConfig>, oneshot::Sender<Result<(), TlsFileError>>),
    /// Another process changed the store; this is all of the outside data.
    Read(Result<Outside, Fault>),
    /// The store has read a message that the machine asked for.
    HasRead(Read),
}

async fn asked(
    asks: &mut mpsc::Receiver<Ask>,
    watch: Option<&mut OutsideWatch>,
    answers: &mut mpsc::Receiver<Read>,
) -> Wakeup {
    let changed = async {
        match watch {
            Some(watch) => watch.changed().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ask = asks.recv() => match ask {
            Some(Ask::Reload(config, done)) => Wakeup::Reload(config, done),
            None => Wakeup::Stop,
        },
        outside = changed => Wakeup::Read(outside),
        Some(read) = answers.recv() => Wakeup::HasRead(read),
    }
}

async fn start(
    mut config: ProxyConfig,
    data: Option<&Path>,
    settings: &NetSettings,
    (wire, faults): (Option<WireTap>, Option<ServerFaults>),
) -> Result<Started, ServerError> {
    let clock = faults.as_ref().map_or_else(Clock::start, |faults| faults.clock);
    let random = Random::from_os()?;
    let store = data.map_or_else(Store::<ProxySchema>::in_memory, |folder| Store::open(&store_in(folder)))?;
    let rows = store.recover()?;
    note_served(&store, &config.domains);
    let net = Net::open(&config.listens, settings).await?;
    config.listens = net.locals().to_vec();
    config.own_ips = own_ips(&config.listens, local_ip_towards);
    config.interface_ips = interface_ips();
    let mut recovery = Proxy::recover(config, rows, random, clock.now());
    store.each(&mut |stored| recovery.take_up(stored))?;
    let proxy = recovery.finish();
    let shell = shell((net, clock), store, wire, faults)?;
    let changes = data.map(|folder| Watch::new(&store_in(folder))).transpose()?;
    let watch = changes.map(OutsideWatch::start).transpose()?;
    Ok((shell, proxy, watch))
}

/// The addresses under which wildcard sockets are reached from elsewhere: the source address that the system would
/// choose towards a distant peer of that family. Nothing is sent to the two peers, which are documentation addresses
/// (RFC 5737, RFC 3849).
fn own_ips(
    listens: &[(Transport, SocketAddr)],
    towards: impl Fn(SocketAddr) -> io::Result<IpAddr>,
) -> Vec<IpAddr> {
    let far =
        [SocketAddr::from(([192, 0, 2, 1], 9)), SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9))];
    let is_wanted = |far: &&SocketAddr| {
        listens.iter().any(|(_, listen)| listen.ip().is_unspecified() && listen.is_ipv4() == far.is_ipv4())
    };
    far.iter().filter(is_wanted).filter_map(|far| towards(*far).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_towards_others_is_asked_for_where_a_socket_listens_on_all() {
        let listen = |text: &str| (Transport::Udp, text.parse::<SocketAddr>().unwrap());
        let towards = |far: SocketAddr| match far {
            SocketAddr::V4(_) => Ok("192.0.2.9".parse().unwrap()),
            SocketAddr::V6(_) => Err(io::ErrorKind::NetworkUnreachable.into()),
        };
        let own: IpAddr = "192.0.2.9".parse().unwrap();
        assert_eq!(own_ips(&[listen("0.0.0.0:5060"), listen("[::]:5060")], towards), [own]);
        assert!(own_ips(&[listen("127.0.0.1:5060"), listen("[::]:5060")], towards).is_empty());
    }

    #[test]
    fn the_end_of_the_thread_is_told_a_panic_too() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (go, wait) = std::sync::mpsc::sync_channel::<()>(1);
        let mut server = Server::on_thread(move |ready, _stopped| {
            ready.send(Ok(Vec::new())).unwrap();
            wait.recv().unwrap();
            panic!("a fault of ours, made for this test");
        })
        .unwrap();
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = server.ended() => panic!("it runs"),
                () = tokio::task::yield_now() => {}
            }
            go.send(()).unwrap();
            server.ended().await;
        });
    }
}
