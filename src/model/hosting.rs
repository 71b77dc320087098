//! A server that the window hosts for its local network, and those that it finds there: what is shown, and what is asked.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::contacts::Contact;

/// How it stands with the hosted server.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum HostState {
    /// It does not run.
    #[default]
    Off,
    /// It is being started.
    Starting,
    /// It runs.
    Running,
    /// It does not run because of this, a sentence; it is tried again by itself if it ran before.
    Failed(String),
}

/// The hosted server, as the window shows it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HostView {
    /// Whether it runs.
    pub state: HostState,
    /// Its name: `James's office`.
    pub name: String,
    /// The domain of its addresses: `james-s-office.local`.
    pub domain: String,
    /// Where it is reached over TLS, as an account names it: `tls:192.168.1.5:5061`.
    pub server: String,
    /// The SHA-256 fingerprint of its certificate.
    pub sha256: String,
    /// Who has an account, by address.
    pub people: Vec<String>,
    /// It is started with the window.
    pub is_automatic: bool,
    /// What was asked last could not be done: a sentence.
    pub problem: Option<String>,
    /// The account of somebody who was just added, until the user has seen it.
    pub added: Option<HandedOut>,
    /// Those who were just added, for the contacts of the person who hosts; taken once.
    pub newcomers: Vec<Contact>,
    /// The account of the person who hosts, to sign in with; taken once.
    pub own: Option<HandedOut>,
}

/// An account that is handed to somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct HandedOut {
    /// The name of the person, as it was typed.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Its password.
    pub password: String,
    /// The server, as an account names it.
    pub server: String,
    /// The domain that its certificate proves.
    pub domain: String,
    /// The fingerprint of that certificate.
    pub sha256: String,
}

impl fmt::Debug for HandedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the password.
        f.debug_struct("HandedOut").field("address", &self.address).finish_non_exhaustive()
    }
}

impl HandedOut {
    /// The person, as a contact of whoever hosts.
    #[must_use]
    pub fn contact(&self) -> Contact {
        Contact { address: format!("sip:{}", self.address), name: self.name.clone(), simulated: false }
    }

    /// What is copied, and what a camera reads.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { address, password, server, sha256, .. } = self;
        format!("SIP address: {address}\nPassword: {password}\nProxy: {server}\nFingerprint: {sha256}")
    }
}

/// What is asked of the hosted server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostOrder {
    /// Start it under this name, with an account for the person who hosts.
    Start {
        /// Its name.
        name: String,
        /// The name of that person.
        host: String,
    },
    /// Start it again as it was.
    Resume,
    /// End it.
    Stop,
    /// Give this person an account.
    Add(String),
    /// Remove this account.
    Remove(String),
    /// Refuse what this sender writes to this user, or no longer; both by address.
    Block {
        /// The user.
        user: String,
        /// The sender.
        sender: String,
        /// False if no longer.
        is_blocked: bool,
    },
    /// The account that is shown once was seen.
    Seen,
    /// Show what it passes on for this address, or for nobody.
    Watch(Option<String>),
    /// Start it with the window, or not.
    StartWithWindow(bool),
}

type CarryOut = dyn Fn(HostOrder) -> Result<(), String> + Send + Sync;

/// Shared between the window and the thread that keeps the server.
#[derive(Clone)]
pub struct HostBoard {
    view: Arc<Mutex<HostView>>,
    carry_out: Arc<CarryOut>,
}

impl fmt::Debug for HostBoard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostBoard").finish_non_exhaustive()
    }
}

impl HostBoard {
    /// With this view; `carry_out` passes on what is asked, and never waits.
    #[must_use]
    pub fn new(
        view: Arc<Mutex<HostView>>,
        carry_out: impl Fn(HostOrder) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self { view, carry_out: Arc::new(carry_out) }
    }

    /// What there is to show now.
    #[must_use]
    pub fn view(&self) -> HostView {
        locked(&self.view).clone()
    }

    /// Asks for something; if that cannot even be passed on, the view says so.
    pub fn ask(&self, order: HostOrder) {
        if let Err(why) = (self.carry_out)(order) {
            locked(&self.view).problem = Some(why);
        }
    }

    /// True if this computer is to be a server, even if it is down now.
    #[must_use]
    pub fn is_on(&self) -> bool {
        locked(&self.view).state != HostState::Off
    }

    /// True if this is the server that is hosted here, as an account names it.
    #[must_use]
    pub fn is_at(&self, server: &str) -> bool {
        let view = locked(&self.view);
        view.state != HostState::Off && view.server == server
    }

    /// The account of the person who hosts, once.
    #[must_use]
    pub fn take_own(&self) -> Option<HandedOut> {
        locked(&self.view).own.take()
    }

    /// Those who were just added, once.
    #[must_use]
    pub fn take_newcomers(&self) -> Vec<Contact> {
        std::mem::take(&mut locked(&self.view).newcomers)
    }
}

/// A server that was found in the local network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearbyServer {
    /// What it calls itself.
    pub name: String,
    /// The domain of its addresses.
    pub domain: String,
    /// Where it is reached, as an account names it.
    pub server: String,
}

impl NearbyServer {
    /// Whether it offers TLS, and so a certificate by which it is known again.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.server.starts_with("tls:")
    }
}

/// The servers in the local network; copies share what was found.
#[derive(Clone)]
pub struct NearbyBoard {
    found: Arc<Mutex<Vec<NearbyServer>>>,
    look: Arc<dyn Fn(bool) + Send + Sync>,
}

impl fmt::Debug for NearbyBoard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NearbyBoard").field(&self.found()).finish()
    }
}

impl NearbyBoard {
    /// With what was found so far; `look` begins to look for them, or ends it, and never waits.
    #[must_use]
    pub fn new(found: Arc<Mutex<Vec<NearbyServer>>>, look: impl Fn(bool) + Send + Sync + 'static) -> Self {
        Self { found, look: Arc::new(look) }
    }

    /// What was found.
    #[must_use]
    pub fn found(&self) -> Vec<NearbyServer> {
        locked(&self.found).clone()
    }

    /// Looks for servers from now on, or no longer.
    pub fn look(&self, is_wanted: bool) {
        (self.look)(is_wanted);
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
