//! Keeps the hosted server: starts its process, stops it, starts it again, and gives people accounts, on a thread of its own.

mod faults;
mod people;

use std::fmt::Display;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use self::faults::{Downtime, fault_board};
use super::HostError;
use super::process::{FAILED, LISTENING, WATCH, store_folder};
use super::settings::{Hosted, label};
use crate::injection::{FaultBoard, Injection};
use crate::limits::{HOST_END_WAIT, HOST_ORDERS_MAX, HOST_RESTART_WAIT};
use crate::model::hosting::{HandedOut, HostBoard, HostOrder, HostState, HostView};
use crate::random::Random;
use crate::runtime::wire_frames::read_frames;
use crate::runtime::wire_tap::WireTap;
use crate::sip::Aor;
use crate::store::users::Purge;
use crate::time::Clock;

/// The longest wait for an order.
const WAIT_MAX: Duration = Duration::from_secs(3600);
/// How often it is seen whether the process has ended.
const END_LOOK: Duration = Duration::from_millis(10);
/// The longest first line of the process.
const LINE_BYTES_MAX: u64 = 4096;

type Wake = Arc<dyn Fn() + Send + Sync>;

enum Order {
    Asked(HostOrder),
    Fault(Injection),
    /// The process of this start has ended.
    Ended(u64),
    End,
}

/// The hosted server; it ends when this is dropped.
#[derive(Debug)]
pub struct Host {
    board: HostBoard,
    faults: FaultBoard,
    orders: SyncSender<Order>,
    thread: Option<JoinHandle<()>>,
}

impl Host {
    /// Starts what is kept in this folder, if it is to start with the window. `program` is this program; `wake` is called when
    /// the board has something new.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(program: PathBuf, folder: PathBuf, wire: WireTap, wake: Wake) -> std::io::Result<Self> {
        let (orders, asked) = sync_channel(HOST_ORDERS_MAX);
        let view = Arc::new(Mutex::new(HostView::default()));
        let passed_on = orders.clone();
        let board = HostBoard::new(Arc::clone(&view), move |order| {
            passed_on.try_send(Order::Asked(order)).map_err(|full| match full {
                TrySendError::Full(_) => "The server is busy. Try again in a moment.".to_owned(),
                TrySendError::Disconnected(_) => "The server cannot be reached any more.".to_owned(),
            })
        });
        let (told, to_befall, downtime) = (orders.clone(), orders.clone(), Downtime::default());
        let faults = fault_board(Random::from_os()?, &downtime, move |fault| {
            let given = to_befall.try_send(Order::Fault(fault));
            given.map_err(|_full| "the server cannot be told now; try again".to_owned())
        });
        let keeper = Keeper {
            program,
            folder,
            view,
            wake,
            told,
            running: None,
            owner: None,
            starts: 0,
            back: None,
            on: Vec::new(),
            wire,
            watched: None,
            downtime,
            clock: Clock::start(),
        };
        let thread =
            std::thread::Builder::new().name("host".to_owned()).spawn(move || keeper.keep(&asked))?;
        Ok(Self { board, faults, orders, thread: Some(thread) })
    }

    /// Its faults, to show and to change them.
    #[must_use]
    pub fn faults(&self) -> FaultBoard {
        self.faults.clone()
    }

    /// What is shown of it, and where it is asked.
    #[must_use]
    pub fn board(&self) -> HostBoard {
        self.board.clone()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.orders.send(Order::End).unwrap_or_default();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the keeper of the hosted server ended by a panic");
        }
    }
}

struct Running {
    child: Child,
    input: UnixStream,
}

struct Keeper {
    program: PathBuf,
    folder: PathBuf,
    view: Arc<Mutex<HostView>>,
    wake: Wake,
    told: SyncSender<Order>,
    running: Option<Running>,
    /// The account of whoever hosts, until the server runs.
    owner: Option<HandedOut>,
    starts: u64,
    /// When it is started again after it has ended by itself.
    back: Option<Instant>,
    /// Faults of its path, disk and clock, which a new process is told too.
    on: Vec<Injection>,
    /// Where it is shown what the server passes on.
    wire: WireTap,
    /// For whom.
    watched: Option<String>,
    downtime: Downtime,
    clock: Clock,
}

impl Keeper {
    fn keep(mut self, asked: &Receiver<Order>) {
        if let Ok(hosted) = Hosted::read(&self.folder) {
            self.show(&hosted);
            if hosted.is_automatic {
                let done = self.launch();
                self.tell(done);
            }
        }
        loop {
            let wait = self.back.map_or(WAIT_MAX, |back| self.clock.until(back));
            match asked.recv_timeout(wait) {
                Ok(Order::Asked(order)) => {
                    let done = self.obey(order);
                    self.tell(done);
                }
                Ok(Order::Fault(fault)) => self.befall(fault),
                Ok(Order::Ended(start)) if start == self.starts && self.running.is_some() => {
                    self.stop();
                    self.back = Some(self.clock.now().mono + HOST_RESTART_WAIT);
                    let why = "The server has stopped. It is started again in a few seconds.".to_owned();
                    self.change(|view| view.state = HostState::Failed(why));
                }
                Ok(Order::Ended(_)) => {}
                Err(RecvTimeoutError::Timeout) if self.back.is_some() => {
                    let done = self.launch();
                    self.tell(done);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.stop();
    }

    fn tell(&self, done: Result<(), HostError>) {
        self.change(|view| view.problem = done.err().map(|error| sentence(&error)));
    }

    fn obey(&mut self, order: HostOrder) -> Result<(), HostError> {
        match order {
            HostOrder::Start { name, host } => self.begin(&name, &host)?,
            HostOrder::Resume => self.launch()?,
            HostOrder::Stop => {
                self.back = None;
                self.stop();
                self.downtime.set(false);
                self.change(|view| view.state = HostState::Off);
            }
            HostOrder::Add(name) => {
                let added = self.add(&name)?;
                self.change(|view| {
                    if view.newcomers.len() < HOST_ORDERS_MAX {
                        view.newcomers.push(added.contact());
                    }
                    view.added = Some(added);
                });
            }
            HostOrder::Remove(address) => {
                if let Some(user) = Aor::parse(&address) {
                    self.users()?.remove(&user, Purge::Yes)?;
                }
            }
            HostOrder::Block { user, sender, is_blocked } => {
                if let (Some(user), Some(sender)) = (Aor::parse(&user), Aor::parse(&sender)) {
                    self.block(&user, &sender, is_blocked)?;
                }
                return Ok(());
            }
            HostOrder::Watch(whose) => {
                self.watched = whose;
                self.pass_on_watched();
                // The people are the same: reading them from the store is spared.
                return Ok(());
            }
            HostOrder::Seen => self.change(|view| {
                if view.added.take().is_none() {
                    view.own = None;
                }
            }),
            HostOrder::StartWithWindow(is_automatic) => {
                let hosted = Hosted { is_automatic, ..Hosted::read(&self.folder)? };
                hosted.write(&self.folder)?;
                self.change(|view| view.is_automatic = is_automatic);
            }
        }
        self.show_people()
    }

    /// Hosts a server for the first time, with an account for whoever hosts it.
    fn begin(&mut self, name: &str, host: &str) -> Result<(), HostError> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(store_folder(&self.folder))?;
        let hosted = Hosted::named(name)?;
        label(host)?;
        hosted.write(&self.folder)?;
        self.show(&hosted);
        // Before the proxy starts: one that runs notices a new user a while later, and refuses the sign-in until then.
        self.owner = Some(self.add(host)?);
        self.launch()
    }

    fn show(&self, hosted: &Hosted) {
        self.change(|view| {
            (view.name, view.domain) = (hosted.name.clone(), hosted.domain.clone());
            view.is_automatic = hosted.is_automatic;
        });
    }

    /// Starts the server; if that fails it is tried again later, and the view says why. The error is about the people.
    fn launch(&mut self) -> Result<(), HostError> {
        self.back = None;
        if self.running.is_some() {
            return Ok(());
        }
        self.change(|view| view.state = HostState::Starting);
        match self.start() {
            Ok((server, sha256)) => {
                self.downtime.set(false);
                self.pass_on_watched();
                std::mem::take(&mut self.on).into_iter().for_each(|fault| self.befall(fault));
                self.change(|view| {
                    (view.server, view.sha256) = (format!("tls:{server}"), sha256);
                    view.state = HostState::Running;
                });
                if let Some(own) = self.owner.take() {
                    self.change(|view| {
                        let (server, sha256) = (view.server.clone(), view.sha256.clone());
                        view.own = Some(HandedOut { server, sha256, ..own });
                    });
                }
                self.show_people()?;
            }
            Err(error) => {
                self.back = Some(self.clock.now().mono + HOST_RESTART_WAIT);
                self.change(|view| view.state = HostState::Failed(sentence(&error)));
            }
        }
        Ok(())
    }

    /// Starts the process; returns where it listens, and its fingerprint.
    fn start(&mut self) -> Result<(String, String), HostError> {
        let (own, its) = UnixStream::pair()?;
        let mut child = Command::new(&self.program)
            .arg("host-proxy")
            .arg("--data")
            .arg(&self.folder)
            .stdin(Stdio::from(OwnedFd::from(its)))
            // Ctrl-C is for the window, which then ends the server.
            .process_group(0)
            .spawn()?;
        let mut output = BufReader::new(own.try_clone()?);
        let mut line = String::new();
        (&mut output).take(LINE_BYTES_MAX).read_line(&mut line)?;
        let said = line.trim();
        let listening = said.strip_prefix(LISTENING).and_then(|said| said.split_once(' '));
        let Some((server, sha256)) = listening else {
            own.shutdown(Shutdown::Both).unwrap_or_default();
            child.wait()?;
            let why = said.strip_prefix(FAILED).unwrap_or("the server ended while it was starting");
            return Err(HostError::Process(why.to_owned()));
        };
        self.starts += 1;
        let (told, start, wire) = (self.told.clone(), self.starts, self.wire.clone());
        std::thread::Builder::new().name("host-wire".to_owned()).spawn(move || {
            if let Err(error) = read_frames(&mut output, |entry| wire.record_entry(&entry)) {
                tracing::error!(%error, "what the hosted server passes on is no longer shown");
                // Its end is noticed all the same.
                std::io::copy(&mut output, &mut std::io::sink()).unwrap_or_default();
            }
            told.send(Order::Ended(start)).unwrap_or_default();
        })?;
        self.running = Some(Running { child, input: own });
        Ok((server.to_owned(), sha256.to_owned()))
    }

    /// Tells the process, in a line of its own.
    fn pass_on(&mut self, line: impl Display) {
        if let Some(running) = &mut self.running
            && let Err(error) = writeln!(running.input, "{line}")
        {
            tracing::error!(%error, %line, "the hosted server cannot be told");
        }
    }

    /// Tells the process whose messages are to be shown.
    fn pass_on_watched(&mut self) {
        let whose = self.watched.clone().unwrap_or_default();
        self.pass_on(format_args!("{WATCH} {whose}"));
    }

    /// Lets it store what it knows, and end.
    fn stop(&mut self) {
        let Some(Running { mut child, input }) = self.running.take() else { return };
        input.shutdown(Shutdown::Write).unwrap_or_default();
        if !self.has_ended(&mut child) {
            tracing::error!("the hosted server does not end by itself");
            child.kill().unwrap_or_default();
        }
        if let Err(error) = child.wait() {
            tracing::error!(%error, "the hosted server does not end");
        }
    }

    /// Waits for it to end, but not for ever: the window may be waiting too.
    fn has_ended(&self, child: &mut Child) -> bool {
        let until = self.clock.now().mono + HOST_END_WAIT;
        while self.clock.now().mono < until {
            if !matches!(child.try_wait(), Ok(None)) {
                return true;
            }
            std::thread::sleep(END_LOOK);
        }
        false
    }

    fn view<T>(&self, read: impl FnOnce(&HostView) -> T) -> T {
        read(&self.view.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut HostView)) {
        change(&mut self.view.lock().unwrap_or_else(PoisonError::into_inner));
        (self.wake)();
    }
}

/// A capital letter at the beginning and a full stop at the end.
fn sentence(error: &HostError) -> String {
    let words = error.to_string();
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(std::iter::once('.')).collect()
}
