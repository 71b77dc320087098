//! The command line: no subcommand is the window; demo, proxy, send, listen.
//!
//! Exit status: 0 done (`send`: everybody was reached), 1 not done (`send`: somebody was not; `proxy backup` and
//! `proxy check`: no backup, not sound), 2 wrong usage, or `send` was not accepted or not confirmed, 70 a fault of Fanfare's own.

mod send;

mod listen;

mod proxy;

mod upkeep;

mod alias;

mod user;

#[cfg(feature = "gui")]
mod window;

mod verbs;

mod parse;

mod password;

mod lines;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::verbs::{AliasVerb, OneUser, StorePlace, Upkeep, UserAndSender, UserVerb};
use crate::proxy::{Auth, Inbound, Party, Prefix, StaticRoute};
use crate::runtime::faults::{self, FAULT_STATUS, Fault};
use crate::runtime::logs;
use crate::sip::{ReportMode, Transport, Uri};

/// Say it once, know who heard: group messages over SIP with a tick or a cross per person.
#[derive(Debug, Parser)]
#[command(name = "fanfare", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Folder of settings, contacts and messages (default: where this system keeps them).
    #[cfg(feature = "gui")]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the job with an embedded proxy and simulated people.
    Demo(DemoArguments),
    /// Run a proxy and registrar that sends one message to many and reports who got it.
    Proxy(ProxyArguments),
    /// Send one message to several people and tell who got it.
    Send(send::SendArguments),
    /// Register and print the messages received.
    Listen(ListenArguments),
}

#[derive(Debug, Args)]
struct DemoArguments {
    /// Without a window: the same job as text.
    #[arg(long)]
    headless: bool,
    /// Save the window as a PNG once the first reports are in, and end.
    #[arg(long, value_name = "FILE")]
    screenshot: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
struct ProxyArguments {
    #[command(subcommand)]
    upkeep: Option<Upkeep>,
    /// A domain to serve; may be repeated.
    #[arg(long = "domain", value_name = "NAME")]
    domains: Vec<String>,
    /// Where to listen; may be repeated.
    #[arg(long = "listen", value_name = "udp:ADDRESS:PORT", value_parser = parse::listen)]
    listens: Vec<(Transport, SocketAddr)>,
    /// Folder of the store (default: nothing is kept).
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Addresses of peers that may submit whatever their From says; may be repeated.
    #[arg(long = "trust", value_name = "NETWORK", value_parser = parse::network)]
    trust: Vec<Prefix>,
    /// The server of a domain of others, where DNS is not to be asked; may be repeated.
    #[arg(long = "route", value_name = "DOMAIN=udp:ADDRESS:PORT", value_parser = parse::route)]
    routes: Vec<StaticRoute>,
    /// Ask users for their passwords (default: on, unless it listens on loopback only).
    #[arg(long, value_enum, value_name = "on|off|md5")]
    auth: Option<AuthChoice>,
    /// T1 of RFC 3261; T2, T4 and Timer F scale with it (default: 500ms).
    #[arg(long, value_name = "TIME", value_parser = parse::duration)]
    t1: Option<Duration>,
    /// Keep messages for people who are absent, as long as their Expires says and at most 7 days (default: on).
    #[arg(long, value_enum, value_name = "on|off")]
    mailbox: Option<Switch>,
    /// The name server to ask about other domains, in place of those of this system.
    #[arg(long, value_name = "ADDRESS:PORT")]
    dns: Option<SocketAddr>,
    /// Our certificate for TLS and the chain to its authority, a PEM file; read again when it changes.
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, a PEM file.
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Authorities to trust for TLS to other servers, a PEM file, in place of those that this system trusts.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Whose pages may open WebSockets, in browsers that say so; may be repeated (default: anybody's where users prove who
    /// they are, else those of this computer).
    #[arg(long = "web-origin", value_name = "https://HOST", value_parser = parse::origin)]
    web_origins: Vec<String>,
    /// Whether strangers, who are of no domain of ours and of no trusted peer, may write to the users (default: open).
    #[arg(long, value_name = "open|known|off", value_parser = parse::inbound)]
    inbound: Option<Inbound>,
    /// A stranger who may write with --inbound known: an address, a network, a domain or a sender; may be repeated.
    #[arg(long = "known", value_name = "WHO", value_parser = parse::party)]
    known: Vec<Party>,
    /// Who may send nothing at all: an address, a network, a domain or a sender; may be repeated.
    #[arg(long = "ban", value_name = "WHO", value_parser = parse::party)]
    bans: Vec<Party>,
    /// Settings in a RON file; what is given here goes first.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The server of an account that lives as long as a command.
#[derive(Debug, Args)]
struct ServerArguments {
    /// The proxy, like sip.domain.com, tls:sip.domain.com or udp:192.0.2.1:5060 (default: that of the address's domain).
    #[arg(long, value_name = "SERVER", default_value = "", hide_default_value = true)]
    proxy: String,
    /// Authorities to trust for TLS, a PEM file, in place of those that this system trusts.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Refuse a server's certificate that names it by a wildcard alone (*.domain.com), as RFC 5922 has it.
    #[arg(long)]
    tls_strict: bool,
    /// The name server to ask, in place of those of this system.
    #[arg(long, value_name = "ADDRESS:PORT")]
    dns: Option<SocketAddr>,
    /// T1 of RFC 3261 on the way to the proxy.
    #[arg(long, value_name = "TIME", value_parser = parse::duration, default_value = "500ms")]
    t1: Duration,
}

/// How the server knows us. The password is in no argument, where others could read it.
#[derive(Debug, Args)]
struct SignInArguments {
    /// Name to sign in with (default: the user part of the address).
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// File with the password in its first line (default: the environment's FANFARE_PASSWORD).
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The only realm in which the password is used (default: that of our own domain, or what its server asks for).
    #[arg(long, value_name = "NAME")]
    realm: Option<String>,
}

#[derive(Debug, Args)]
struct ListenArguments {
    /// Who listens.
    #[arg(long = "as", value_name = "ADDRESS", value_parser = parse::address)]
    identity: Uri,
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    sign_in: SignInArguments,
    /// Tell who asks for it that what is printed was seen (RFC 5438).
    #[arg(long)]
    receipts: bool,
    /// Take messages from anybody who reaches this program, not only from the proxy; such senders are not verified.
    #[arg(long)]
    peer_to_peer: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Folder of the store (default: nothing is kept).
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AuthChoice {
    /// By SHA-256 or MD5.
    On,
    /// Everybody is believed; on loopback only.
    Off,
    /// By MD5 alone, for old clients that do not pass over a challenge with SHA-256.
    Md5,
}

impl From<AuthChoice> for Auth {
    fn from(choice: AuthChoice) -> Self {
        match choice {
            AuthChoice::On => Self::On,
            AuthChoice::Off => Self::Off,
            AuthChoice::Md5 => Self::Md5,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Report {
    /// One report once every outcome is known.
    Final,
    /// A report at once when an outcome becomes known.
    Each,
    /// None.
    None,
}

impl From<Report> for ReportMode {
    fn from(report: Report) -> Self {
        match report {
            Report::Final => Self::Final,
            Report::Each => Self::Each,
            Report::None => Self::None,
        }
    }
}

/// Does what the command line says.
#[must_use]
pub fn run() -> ExitCode {
    // Held until the end, so that what was logged is written.
    let _logs = logs::start();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help, or the version.
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => {
            lines::complain_of_usage(&error);
            return ExitCode::from(2);
        }
    };
    match obey(arguments) {
        Ok(code) => code,
        Err(error) => {
            lines::complain(&error);
            ExitCode::from(if error.is::<Fault>() { FAULT_STATUS } else { 2 })
        }
    }
}

fn obey(arguments: Arguments) -> anyhow::Result<ExitCode> {
    if arguments.command.is_some() {
        #[cfg(feature = "gui")]
        no_data_before_the_command(&arguments)?;
        // The window stays and says so; see `Engine::has_ended`.
        if !matches!(&arguments.command, Some(Command::Demo(demo)) if !demo.headless) {
            faults::end_process_on_panic();
        }
    }
    match arguments.command {
        #[cfg(feature = "gui")]
        None => window::run(arguments.data.as_deref()),
        #[cfg(not(feature = "gui"))]
        None => anyhow::bail!("this fanfare was built without the window; see fanfare --help"),
        Some(Command::Demo(demo)) if demo.headless => Ok(crate::demo::run_headless()?),
        #[cfg(feature = "gui")]
        Some(Command::Demo(demo)) => window::run_demo(demo.screenshot),
        #[cfg(not(feature = "gui"))]
        Some(Command::Demo(_)) => {
            anyhow::bail!("this fanfare was built without the window; try fanfare demo --headless")
        }
        Some(Command::Proxy(ProxyArguments { upkeep: Some(upkeep), .. })) => Ok(upkeep::run(upkeep)),
        Some(Command::Proxy(proxy)) => proxy::run(proxy),
        Some(Command::Send(send)) => send::run(send),
        Some(Command::Listen(listen)) => listen::run(&listen),
    }
}

/// What stands before the command is the window's: a proxy that was given its folder there would keep nothing.
#[cfg(feature = "gui")]
fn no_data_before_the_command(arguments: &Arguments) -> anyhow::Result<()> {
    anyhow::ensure!(
        arguments.data.is_none(),
        "--data before the command is the folder of the window, which does not start here; write it after the command"
    );
    Ok(())
}

/// A runtime on this thread.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Ends with SIGINT or SIGTERM.
async fn stopped() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
