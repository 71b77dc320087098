//! What runs in the process of the hosted server. Its standard input is a socket, on which it says where it listens, or why it
//! cannot, and on which faults come as lines, and whose messages it is to tell; when that is closed, it stores what it knows and ends.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::HostError;
use super::address::{in_private_network, is_ours};
use super::announce::Announcement;
use super::certificate::identity;
use super::settings::Hosted;
use super::watching::{Watching, Whose};
use crate::limits::{HOST_ADDRESS_LOOK, NEARBY_LOOK};
use crate::net::{Identity, NetSettings, TlsFiles};
use crate::proxy::{Auth, Inbound, MailboxConfig, ProxyConfig};
use crate::random::Random;
use crate::runtime::server::{Server, ServerError, ServerFaults, Surroundings};
use crate::runtime::wire_tap::WireTap;
use crate::sip::{Aor, Transport};
use crate::time::Clock;

/// The first word of its line if all is well: then come the address for TLS and the fingerprint.
pub(super) const LISTENING: &str = "listening ";
/// The first word otherwise; then comes a sentence.
pub(super) const FAILED: &str = "failed ";
/// The first word of a line that says whose messages are told; nobody's if nothing follows.
pub(super) const WATCH: &str = "watch";
/// No line of the window is as long as this.
const LINE_BYTES_MAX: usize = 4096;
/// How many ports are tried where others have the usual ones.
const PORTS_TRIED: u32 = 20;

/// The folder of the proxy's store.
pub(super) fn store_folder(folder: &Path) -> PathBuf {
    folder.join("store")
}

/// Runs the hosted server of this folder until the socket that is its standard input is closed, or this computer has another
/// address.
///
/// # Errors
/// Why it cannot run, as a sentence; the socket is told too.
pub fn run(folder: &Path) -> Result<ExitCode, HostError> {
    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let surroundings = Surroundings::new(Random::from_os()?);
    let watching = Watching::new();
    let around = (surroundings.faults(), watching.tap());
    let (server, hosted, address) = match start(folder, &around) {
        Ok((server, hosted, address, fingerprint)) => {
            writeln!(socket, "{LISTENING}{address}:{} {fingerprint}", hosted.tls_port)?;
            (server, hosted, address)
        }
        Err(error) => {
            writeln!(socket, "{FAILED}{error}")?;
            return Err(error);
        }
    };
    let whose = watching.tell(socket.try_clone()?, surroundings.skew())?;
    let mut announcement = Announcement::start(&hosted, address);
    serve(socket, address, &mut announcement, |told| heed(told, &surroundings, &whose))?;
    drop(announcement);
    drop(server);
    Ok(ExitCode::SUCCESS)
}

/// Takes what the window says, until it ends or this computer has another address.
fn serve(
    mut socket: UnixStream,
    address: Ipv4Addr,
    announcement: &mut Announcement,
    heed: impl Fn(&mut Vec<u8>),
) -> io::Result<()> {
    socket.set_read_timeout(Some(NEARBY_LOOK))?;
    let clock = Clock::start();
    let mut looked = clock.now().mono;
    let (mut told, mut bytes) = (Vec::new(), [0; 64]);
    loop {
        match socket.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                told.extend_from_slice(bytes.get(..count).unwrap_or_default());
                heed(&mut told);
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
        let now = clock.now().mono;
        announcement.look(now);
        if now >= looked + HOST_ADDRESS_LOOK {
            looked = now;
            if !is_ours(address) {
                tracing::warn!(%address, "this computer has another address now");
                return Ok(());
            }
        }
    }
}

/// Does what has come as whole lines: lets faults happen, and tells somebody's messages.
fn heed(told: &mut Vec<u8>, surroundings: &Surroundings, whose: &Whose) {
    while let Some(end) = told.iter().position(|byte| *byte == b'\n') {
        let line: Vec<u8> = told.drain(..=end).collect();
        let line = String::from_utf8_lossy(&line);
        if let Some(watched) = line.strip_prefix(WATCH) {
            whose.set(Aor::parse(watched.trim()));
            continue;
        }
        match line.trim().parse() {
            Ok(fault) => surroundings.befall(&fault),
            Err(wrong) => tracing::error!(%wrong, "the window has sent what is no fault"),
        }
    }
    if told.len() > LINE_BYTES_MAX {
        told.clear();
    }
}

type Started = (Server, Hosted, Ipv4Addr, String);

/// What a tester does to the proxy, and where it records what passes.
type Around = (ServerFaults, WireTap);

fn start(folder: &Path, around: &Around) -> Result<Started, HostError> {
    let mut hosted = Hosted::read(folder)?;
    let address = in_private_network().ok_or(HostError::NoNetwork)?;
    let identity = identity(folder, &hosted.domain)?;
    let fingerprint = crate::net::fingerprint_of(&identity)?.to_string();
    let server = match open(folder, &hosted, (address, &identity), around) {
        Err(ServerError::Bind(_)) => elsewhere(folder, &mut hosted, (address, &identity), around)?,
        opened => opened?,
    };
    Ok((server, hosted, address, fingerprint))
}

/// Others have the usual ports: takes some that are free, and keeps them.
fn elsewhere(
    folder: &Path,
    hosted: &mut Hosted,
    (address, identity): (Ipv4Addr, &Identity),
    around: &Around,
) -> Result<Server, HostError> {
    let mut random = Random::from_os()?;
    let mut tries = 0;
    loop {
        let port = 20_000 + u16::try_from(random.below(20_000)).unwrap_or(0);
        (hosted.port, hosted.tls_port) = (port, port + 1);
        tries += 1;
        match open(folder, hosted, (address, identity), around) {
            Err(ServerError::Bind(_)) if tries < PORTS_TRIED => {}
            opened => {
                let server = opened?;
                hosted.write(folder)?;
                return Ok(server);
            }
        }
    }
}

fn open(
    folder: &Path,
    hosted: &Hosted,
    (address, identity): (Ipv4Addr, &Identity),
    (faults, tap): &Around,
) -> Result<Server, ServerError> {
    let at = |port| SocketAddr::from((address, port));
    let listens = vec![
        (Transport::Udp, at(hosted.port)),
        (Transport::Tcp, at(hosted.port)),
        (Transport::Tls, at(hosted.tls_port)),
    ];
    let mut config = ProxyConfig::new(vec![hosted.domain.clone()], listens);
    config.auth = Auth::On;
    // Nobody from elsewhere has anything to do here.
    config.inbound.mode = Inbound::Off;
    config.mailbox = Some(MailboxConfig::default());
    let tls = TlsFiles { identity: Some(identity.clone()), ..TlsFiles::default() };
    let (store, settings) = (store_folder(folder), NetSettings { tls, ..NetSettings::default() });
    Server::open_to_faults(config, Some(store), settings, Some(tap.clone()), Some(faults.clone()))
}
