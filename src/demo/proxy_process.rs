//! What runs in the process of the demo's proxy: the proxy of `fanfare proxy`, with faults that come as lines. Its standard
//! input is a socket, on which it also tells where it listens, and then each message that passes.

use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use super::{DOMAIN, DemoError, T1};
use crate::injection::Injection;
use crate::net::NetSettings;
use crate::proxy::ProxyConfig;
use crate::random::Random;
use crate::runtime::server::{Server, ServerError, ServerFaults, Surroundings};
use crate::runtime::wire_frames::Telling;
use crate::runtime::wire_tap::WireTap;
use crate::sip::Transport;
use crate::transaction::Timers;

/// The first word of the first line.
pub(super) const LISTENING: &str = "listening";
/// How long the sockets of a process that was killed may keep its port.
const REBIND_WAIT: Duration = Duration::from_millis(20);
const REBINDS_MAX: u32 = 100;

/// Runs the proxy of the demo with these faults until the socket that is its standard input is closed; then what it knows is
/// stored.
///
/// # Errors
/// Why it cannot run, as a sentence.
pub fn run_proxy(data: &Path, at: SocketAddr, faults: &[Injection]) -> Result<ExitCode, DemoError> {
    let surroundings = Surroundings::new(Random::from_os()?);
    let skew = surroundings.skew();
    faults.iter().for_each(|fault| surroundings.befall(fault));
    let (wake, woken) = sync_channel(1);
    let ends = wake.clone();
    let tap = WireTap::waking(Arc::new(move || wake.try_send(()).unwrap_or_default()));
    let server = open(data, at, &tap, &surroundings.faults())?;
    let address = server.locals().first().map(|(_, address)| *address).ok_or(DemoError::NoSocket)?;
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let told = BufReader::new(socket.try_clone()?);
    let mut out = BufWriter::new(socket);
    // Whoever starts this in a terminal has no socket there.
    writeln!(out, "{LISTENING} {address}")
        .and_then(|()| out.flush())
        .map_err(|_no_socket| DemoError::NotByHand)?;
    let has_ended = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&has_ended);
    std::thread::Builder::new().name("demo-faults".to_owned()).spawn(move || {
        for line in told.lines().map_while(Result::ok) {
            match line.parse() {
                Ok(fault) => surroundings.befall(&fault),
                Err(wrong) => tracing::error!(%wrong, "the demo has sent what is no fault"),
            }
        }
        end.store(true, Ordering::SeqCst);
        ends.try_send(()).unwrap_or_default();
    })?;
    let mut telling = Telling::new(tap, skew, out);
    let told = telling.tell_until(&woken, |_| true, || has_ended.load(Ordering::SeqCst));
    drop(server);
    // What passed while it ended, unless nobody reads any more.
    if told.is_ok() {
        telling.tell(|_| true)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn open(data: &Path, at: SocketAddr, tap: &WireTap, faults: &ServerFaults) -> Result<Server, ServerError> {
    let listens = vec![(Transport::Udp, at), (Transport::Tcp, at)];
    let mut config = ProxyConfig::new(vec![DOMAIN.to_owned()], listens);
    config.timers = Timers::new(T1);
    let mut tries = 0;
    loop {
        let (data, tap, faults) = (data.to_owned(), tap.clone(), faults.clone());
        let settings = NetSettings::default();
        match Server::open_to_faults(config.clone(), Some(data), settings, Some(tap), Some(faults)) {
            Err(ServerError::Bind(_)) if tries < REBINDS_MAX => {
                tries += 1;
                std::thread::sleep(REBIND_WAIT);
            }
            opened => return opened,
        }
    }
}
