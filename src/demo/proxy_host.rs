//! Starts the proxy of the demo in a process of its own, stops it, kills it and starts it again, on a thread of its own:
//! whoever sets a fault never waits.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::DemoError;
use super::proxy_process::LISTENING;
use crate::injection::{Injection, ProxyAct, ProxyFault, is_accepted};
use crate::runtime::wire_frames::read_frames;
use crate::runtime::wire_tap::{Direction, WireEntry, WireTap};
use crate::time::Clock;

/// Orders that have not been carried out yet.
const ORDERS_MAX: usize = 64;
/// The longest wait for an order.
const WAIT_MAX: Duration = Duration::from_secs(3600);

/// What the thread is told.
enum Order {
    Fault(Injection),
    /// A 202 has left the proxy that was started as this one.
    Accepted(u64),
    /// Tell when everything before this has been done.
    Settle(SyncSender<()>),
    End,
}

/// Whether the proxy runs as usual; copies share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Condition {
    /// Faults of the proxy that have not been carried out yet.
    told: Arc<AtomicUsize>,
    /// It is down, or will be.
    is_faulty: Arc<AtomicBool>,
}

impl Condition {
    /// True if no fault of the proxy is on any more.
    pub(super) fn is_usual(&self) -> bool {
        self.told.load(Ordering::SeqCst) == 0 && !self.is_faulty.load(Ordering::SeqCst)
    }
}

/// The proxy; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct ProxyHost {
    orders: SyncSender<Order>,
    address: SocketAddr,
    condition: Condition,
    thread: Option<JoinHandle<()>>,
}

/// Tells the proxy's thread of faults.
#[derive(Clone, Debug)]
pub(super) struct ProxyOrders(SyncSender<Order>, Condition);

impl ProxyOrders {
    /// Carries out a fault of the proxy, its disk, its clock or its path.
    pub(super) fn give(&self, fault: &Injection) -> Result<(), String> {
        let counts = matches!(fault, Injection::Proxy(_));
        self.1.told.fetch_add(usize::from(counts), Ordering::SeqCst);
        self.0.try_send(Order::Fault(fault.clone())).map_err(|_full| {
            self.1.told.fetch_sub(usize::from(counts), Ordering::SeqCst);
            "the proxy cannot be told now; try again".to_owned()
        })
    }

    /// Whether the proxy runs as usual.
    pub(super) fn condition(&self) -> Condition {
        self.1.clone()
    }
}

impl ProxyHost {
    /// Starts the proxy; it is ready when this returns. `program` is this program, `wire` shows what passes.
    pub(super) fn start(program: PathBuf, data: PathBuf, wire: Option<WireTap>) -> Result<Self, DemoError> {
        let (orders, asked) = sync_channel(ORDERS_MAX);
        let condition = Condition::default();
        let mut keeper = Keeper {
            program,
            data,
            wire,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            orders: orders.clone(),
            condition: condition.clone(),
            clock: Clock::start(),
            running: None,
            starts: 0,
            on: Vec::new(),
            armed: None,
            back: None,
        };
        keeper.start()?;
        let address = keeper.address;
        let work = move || keeper.keep(&asked);
        let thread = std::thread::Builder::new().name("demo-proxy".to_owned()).spawn(work)?;
        Ok(Self { orders, address, condition, thread: Some(thread) })
    }

    /// Where it listens, also when it is started again.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn orders(&self) -> ProxyOrders {
        ProxyOrders(self.orders.clone(), self.condition.clone())
    }

    /// Returns once all that was ordered is done.
    pub(super) fn settle(&self) {
        let (tell, told) = sync_channel(1);
        if self.orders.send(Order::Settle(tell)).is_ok() {
            told.recv().unwrap_or_default();
        }
    }
}

impl Drop for ProxyHost {
    fn drop(&mut self) {
        self.orders.send(Order::End).unwrap_or_default();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the keeper of the demo's proxy ended by a panic");
        }
    }
}

/// A process with the proxy.
struct Running {
    child: Child,
    /// The other end of its standard input: a line for each fault. When this is closed, it stores what it knows, and ends.
    input: UnixStream,
    reader: JoinHandle<()>,
}

struct Keeper {
    program: PathBuf,
    data: PathBuf,
    wire: Option<WireTap>,
    address: SocketAddr,
    orders: SyncSender<Order>,
    condition: Condition,
    clock: Clock,
    running: Option<Running>,
    /// How often it was started.
    starts: u64,
    /// Faults of its path, disk and clock, which a new process is told too.
    on: Vec<Injection>,
    /// What happens as soon as a 202 has left.
    armed: Option<ProxyFault>,
    /// When it is started again.
    back: Option<Instant>,
}

impl Keeper {
    /// Carries out orders until it is told to end.
    fn keep(mut self, asked: &Receiver<Order>) {
        loop {
            let wait = self.back.map_or(WAIT_MAX, |back| self.clock.until(back));
            match asked.recv_timeout(wait) {
                Ok(Order::Fault(Injection::Proxy(fault))) => {
                    self.befall(fault);
                    self.tell_condition();
                    self.condition.told.fetch_sub(1, Ordering::SeqCst);
                }
                Ok(Order::Fault(fault)) => self.tell(fault),
                Ok(Order::Accepted(start)) if start == self.starts => {
                    if let Some(fault) = self.armed.take() {
                        self.end(fault);
                    }
                }
                Ok(Order::Accepted(_)) => {}
                Ok(Order::Settle(tell)) => tell.send(()).unwrap_or_default(),
                Err(RecvTimeoutError::Timeout) if self.back.is_some() => self.start_again(),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tell_condition();
        }
        self.stop();
    }

    fn tell_condition(&self) {
        let is_usual = self.running.is_some() && self.armed.is_none() && self.back.is_none();
        self.condition.is_faulty.store(!is_usual, Ordering::SeqCst);
    }

    fn befall(&mut self, fault: ProxyFault) {
        self.armed = None;
        match fault.act {
            ProxyAct::Start => self.start_again(),
            ProxyAct::Stop | ProxyAct::Crash if fault.after_202 => self.armed = Some(fault),
            ProxyAct::Stop | ProxyAct::Crash => self.end(fault),
        }
    }

    fn end(&mut self, fault: ProxyFault) {
        if fault.act == ProxyAct::Crash {
            self.kill();
        } else {
            self.stop();
        }
        self.back = (!fault.back.is_zero()).then(|| self.clock.now().mono + fault.back);
    }

    fn start_again(&mut self) {
        self.back = None;
        if self.running.is_none()
            && let Err(error) = self.start()
        {
            tracing::error!(%error, "the demo's proxy cannot be started again");
        }
    }

    fn start(&mut self) -> Result<(), DemoError> {
        let (own, its) = UnixStream::pair()?;
        // Those that are on are there from its first moment.
        let on = self.on.iter().map(|fault| format!("--fault={fault}"));
        let mut child = Command::new(&self.program)
            .arg("demo-proxy")
            .arg("--data")
            .arg(&self.data)
            .arg("--at")
            .arg(self.address.to_string())
            .args(on)
            .stdin(Stdio::from(OwnedFd::from(its)))
            // Ctrl-C is for the demo, which then ends the proxy.
            .process_group(0)
            .spawn()?;
        let mut output = BufReader::new(own.try_clone()?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let address = line.strip_prefix(LISTENING).and_then(|address| address.trim().parse().ok());
        let Some(address) = address else {
            child.wait()?;
            return Err(DemoError::NoSocket);
        };
        self.address = address;
        self.starts += 1;
        let told = Told { wire: self.wire.clone(), orders: self.orders.clone(), start: self.starts };
        let reader =
            std::thread::Builder::new().name("demo-wire".to_owned()).spawn(move || told.read(output))?;
        self.running = Some(Running { child, input: own, reader });
        Ok(())
    }

    /// Tells the process of a fault, and remembers it for the next one.
    fn tell(&mut self, fault: Injection) {
        self.on.retain(|other| other.subject() != fault.subject());
        self.write(&fault);
        if !fault.is_usual() {
            self.on.push(fault);
        }
    }

    fn write(&mut self, fault: &Injection) {
        if let Some(running) = &mut self.running
            && let Err(error) = writeln!(running.input, "{fault}")
        {
            tracing::error!(%error, "the demo's proxy cannot be told of a fault");
        }
    }

    /// Kills it as `kill -9` does: what it has not yet stored is lost.
    fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.child.kill().unwrap_or_default();
            running.wait();
        }
    }

    /// Lets it store what it knows, and end.
    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.wait();
        }
    }
}

impl Running {
    fn wait(self) {
        let Self { mut child, input, reader } = self;
        // The reader has the same socket; if its other end is gone, this fails, and nothing is lost by that.
        input.shutdown(Shutdown::Write).unwrap_or_default();
        if let Err(error) = child.wait() {
            tracing::error!(%error, "the demo's proxy does not end");
        }
        if reader.join().is_err() {
            tracing::error!("what the demo's proxy tells is not read any more");
        }
    }
}

/// Reads what one process tells.
struct Told {
    wire: Option<WireTap>,
    orders: SyncSender<Order>,
    start: u64,
}

impl Told {
    fn read(self, mut output: BufReader<UnixStream>) {
        if let Err(error) = read_frames(&mut output, |entry| self.take(&entry)) {
            tracing::error!(%error, "the wire of the demo's proxy ends here");
        }
    }

    fn take(&self, entry: &WireEntry) {
        if let Some(wire) = &self.wire {
            wire.record_entry(entry);
        }
        if entry.direction == Direction::Sent && is_accepted(&entry.bytes) {
            // If so many orders wait, one of them will do.
            self.orders.try_send(Order::Accepted(self.start)).unwrap_or_default();
        }
    }
}
