//! The command line. Without a subcommand it opens the window; the subcommands are demo, proxy, send, listen, history,
//! inspect, check and contacts.
//!
//! The exit statuses are in docs/operating.md, each with its test.

mod demo;

mod send;

mod repeat;

mod listen;

mod answer;

mod save_files;

mod inspect;

mod check;

mod proxy;

mod trace;

mod outcomes;

mod connecting;

#[cfg(feature = "gui")]
mod nearby;

mod upkeep;

mod alias;

mod user;

mod contacts;

#[cfg(feature = "gui")]
mod window;

mod history;

mod manual;

mod verbs;

mod parse;

mod address;

mod password;

mod writer;

mod output;

mod percentiles;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use self::verbs::{AliasVerb, OneUser, StorePlace, Upkeep, UserAndSender, UserVerb};
#[cfg(feature = "gui")]
use crate::model::link::Link;
use crate::proxy::{Auth, Inbound, Party, StaticRoute, Trusted};
use crate::runtime::faults::{self, FAULT_STATUS, Fault};
use crate::runtime::logs;
use crate::sip::{ReportMode, Transport, Uri};

/// Say it once, know who heard: group messages over SIP with a tick or a cross for each person.
#[derive(Debug, Parser)]
#[command(name = "fanfare", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Somebody to write to, such as sip:ann@domain.com: the window opens, or the open one shows it. Nothing is sent.
    #[cfg(feature = "gui")]
    #[arg(value_name = "LINK", value_parser = parse::link)]
    link: Option<Link>,
    /// Folder for settings, contacts and messages (default: the usual folders of this system).
    #[cfg(feature = "gui")]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Start without a window, if there is an account; the next start shows it.
    #[cfg(feature = "gui")]
    #[arg(long, conflicts_with = "link")]
    hidden: bool,
    /// Fill in the form of an account from a file that an operator hands out; nothing is sent before it is confirmed.
    #[cfg(feature = "gui")]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["link", "hidden"])]
    provision: Option<PathBuf>,
    /// Quit the fanfare that is running, with or without a window.
    #[cfg(feature = "gui")]
    #[arg(long, conflicts_with_all = ["link", "hidden", "provision"])]
    quit: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it out: the window with a built-in proxy and simulated people.
    Demo(demo::DemoArguments),
    /// Run the proxy of a demo, which starts this by itself.
    #[command(hide = true)]
    DemoProxy(demo::DemoProxyArguments),
    /// Run a proxy and registrar that sends one message to many people and reports who got it.
    Proxy(ProxyArguments),
    /// Send one message to one or more people and report who got it.
    Send(send::SendArguments),
    /// Register and print incoming messages.
    Listen(listen::ListenArguments),
    /// Search and export the stored messages (safe while the window is open).
    History(history::HistoryArguments),
    /// Show what became of each message in a capture (pcapng or pcap).
    Inspect(inspect::InspectArguments),
    /// Play scripts with people and faults, and say whether what was expected came true.
    Check(Box<check::CheckArguments>),
    /// List the servers that others host in the local network.
    #[cfg(feature = "gui")]
    Nearby(nearby::NearbyArguments),
    /// Run the server that the window hosts, which starts this by itself.
    #[cfg(feature = "gui")]
    #[command(hide = true)]
    HostProxy(nearby::HostProxyArguments),
    /// Import, export or print the contacts of the window.
    #[command(subcommand)]
    Contacts(contacts::ContactsVerb),
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
struct ProxyArguments {
    #[command(subcommand)]
    upkeep: Option<Upkeep>,
    /// Domain to serve; may be repeated.
    #[arg(long = "domain", value_name = "NAME", value_parser = parse::domain)]
    domains: Vec<String>,
    /// Transport (udp, tcp, tls, ws or wss), IP address and port to listen on, such as tcp:127.0.0.1:5060; may be repeated.
    #[arg(long = "listen", value_name = "TRANSPORT:ADDRESS:PORT", value_parser = parse::listen)]
    listens: Vec<(Transport, SocketAddr)>,
    /// Folder for the store (default: nothing is kept).
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Network or single address of peers whose From is believed, such as 192.0.2.0/24; with udp:NETWORK, their datagrams
    /// are believed too, although the source of a datagram can be forged; may be repeated.
    #[arg(long = "trust", value_name = "NETWORK", value_parser = parse::trusted)]
    trust: Vec<Trusted>,
    /// Server of another domain, used instead of asking DNS; may be repeated.
    #[arg(long = "route", value_name = "DOMAIN=TRANSPORT:ADDRESS:PORT", value_parser = parse::route)]
    routes: Vec<StaticRoute>,
    /// Whether users sign in with a password (default: on, or off if it listens on loopback addresses only).
    #[arg(long, value_enum, value_name = "on|off|md5")]
    auth: Option<AuthChoice>,
    /// Timer T1 of RFC 3261; T2, T4 and Timer F scale with it (default: 500ms).
    #[arg(long, value_name = "TIME", value_parser = parse::duration)]
    t1: Option<Duration>,
    /// Whether messages for absent users wait until they expire, for at most 7 days (default: on).
    #[arg(long, value_enum, value_name = "on|off")]
    mailbox: Option<Switch>,
    /// Name server to ask about other domains (default: those of this system).
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = parse::name_server)]
    dns: Option<SocketAddr>,
    /// TLS certificate of this proxy with its chain (PEM file); read again when it changes.
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM file).
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Authorities to trust for TLS connections to other servers (PEM file; default: those of this system).
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Website whose pages may open WebSockets; may be repeated (default: every website if users sign in, otherwise pages
    /// from this computer only).
    #[arg(long = "web-origin", value_name = "https://HOST", value_parser = parse::origin)]
    web_origins: Vec<String>,
    /// Whether strangers may write to the users. A stranger is a sender from another domain who does not come through a
    /// trusted peer (default: open).
    #[arg(long, value_name = "open|known|off", value_parser = parse::inbound)]
    inbound: Option<Inbound>,
    /// Stranger whom --inbound known lets in: an IP address, a network, a domain or a sender; may be repeated.
    #[arg(long = "known", value_name = "WHO", value_parser = parse::party)]
    known: Vec<Party>,
    /// Somebody whose requests are all refused: an IP address, a network, a domain or a sender; may be repeated.
    #[arg(long = "ban", value_name = "WHO", value_parser = parse::party)]
    bans: Vec<Party>,
    /// Write every message that passes, without passwords, to a file that Wireshark opens (pcapng).
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// RON file with settings; command-line options override it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The server of an account that lives as long as a command.
#[derive(Debug, Args)]
struct ServerArguments {
    /// Proxy to use, such as sip.domain.com, tls:sip.domain.com or udp:192.0.2.1:5060 (default: the one that DNS names for
    /// the domain of the address).
    #[arg(long, value_name = "SERVER", default_value = "", hide_default_value = true)]
    proxy: String,
    /// Authorities to trust for TLS (PEM file; default: those of this system).
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Refuse a certificate that names the server by a wildcard only (*.domain.com), as RFC 5922 requires.
    #[arg(long)]
    tls_strict: bool,
    /// Name server to ask (default: those of this system).
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = parse::name_server)]
    dns: Option<SocketAddr>,
    /// Timer T1 of RFC 3261 for requests to the proxy.
    #[arg(long, value_name = "TIME", value_parser = parse::duration, default_value = "500ms")]
    t1: Duration,
}

impl ServerArguments {
    /// The server as people call it.
    fn name(&self, identity: &Uri) -> String {
        if self.proxy.is_empty() { format!("the server of {}", identity.host()) } else { self.proxy.clone() }
    }
}

/// How the server knows us. The password is in no argument, where others could read it.
#[derive(Debug, Args)]
struct SignInArguments {
    /// Name to sign in with (default: the part of the address before the @).
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// File whose first line is the password (default: the environment variable FANFARE_PASSWORD).
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The only realm in which the password may be used (default: that of the address's domain, or the one its server asks for).
    #[arg(long, value_name = "NAME")]
    realm: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// They wait.
    On,
    /// They fail at once.
    Off,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AuthChoice {
    /// Passwords are checked with SHA-256 or MD5.
    On,
    /// Nobody is asked for a password; on loopback addresses only.
    Off,
    /// MD5 only, for old clients that give up when they are offered SHA-256.
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
    /// One report, once all outcomes are known.
    Final,
    /// A report for each outcome, as soon as it is known.
    Each,
    /// No report.
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

/// What the command line asks for.
enum Invocation {
    Arguments(Box<Arguments>),
    /// Pages and completions in this folder. It is no part of [`Command`], so that they do not mention it.
    Manual(PathBuf),
}

fn asked() -> Result<Invocation, clap::Error> {
    let matches = Arguments::command().subcommand(manual::command()).try_get_matches()?;
    if let Some(folder) = manual::folder(&matches) {
        return Ok(Invocation::Manual(folder));
    }
    let arguments = Arguments::from_arg_matches(&matches);
    arguments
        .map(|arguments| Invocation::Arguments(Box::new(arguments)))
        .map_err(|error| error.format(&mut Arguments::command()))
}

/// Runs the command line.
#[must_use]
pub fn run() -> ExitCode {
    let asked = match asked() {
        Ok(asked) => asked,
        // `--help` or `--version`.
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => {
            output::complain_of_usage(&error);
            return ExitCode::from(2);
        }
    };
    // Held until the end, so that all logged lines are written.
    let _logs = match logs::start() {
        Ok(logs) => logs,
        Err(why) => {
            output::note(&why);
            return ExitCode::from(2);
        }
    };
    let ended = match asked {
        Invocation::Arguments(arguments) => obey(*arguments),
        Invocation::Manual(folder) => manual::write(&Arguments::command(), &folder),
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            output::complain(&error);
            ExitCode::from(if error.is::<Fault>() { FAULT_STATUS } else { 2 })
        }
    }
}

fn obey(arguments: Arguments) -> anyhow::Result<ExitCode> {
    if arguments.command.is_some() {
        #[cfg(feature = "gui")]
        window::not_before_a_command(&arguments)?;
        // The window is the exception: it stays open and shows the fault; see `Engine::has_ended`.
        if !matches!(&arguments.command, Some(Command::Demo(demo)) if !demo.headless) {
            faults::end_process_on_panic();
        }
    }
    match arguments.command {
        #[cfg(feature = "gui")]
        None if arguments.quit => window::quit(arguments.data.as_deref()),
        #[cfg(feature = "gui")]
        None => {
            let data = arguments.data.as_deref();
            window::run(data, window::StartedFor::of(arguments.link, arguments.provision, arguments.hidden)?)
        }
        #[cfg(not(feature = "gui"))]
        None => anyhow::bail!("this build has no window; see fanfare --help for the other commands"),
        Some(Command::Demo(demo)) => demo::run(&demo),
        Some(Command::DemoProxy(proxy)) => demo::run_proxy(&proxy),
        Some(Command::Proxy(ProxyArguments { upkeep: Some(upkeep), .. })) => upkeep::run(upkeep),
        Some(Command::Proxy(proxy)) => proxy::run(proxy),
        Some(Command::Send(send)) => send::run(send),
        Some(Command::Listen(listen)) => listen::run(&listen),
        Some(Command::History(history)) => history::run(history),
        Some(Command::Inspect(inspect)) => inspect::run(&inspect),
        Some(Command::Check(check)) => check::run(&check),
        #[cfg(feature = "gui")]
        Some(Command::Nearby(nearby)) => Ok(nearby::run(&nearby)),
        #[cfg(feature = "gui")]
        Some(Command::HostProxy(host)) => nearby::run_host(&host),
        Some(Command::Contacts(verb)) => contacts::run(&verb),
    }
}

/// A single-threaded tokio runtime.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Returns on SIGINT or SIGTERM.
async fn stopped() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
