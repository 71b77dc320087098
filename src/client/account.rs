//! The account: identity, server, and how it behaves.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Who we are and which server we use, as kept in the settings file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Our own address, `sip:james@domain.com` or `im:james@domain.com`.
    pub address: String,
    /// Display name.
    #[serde(default)]
    pub name: String,
    /// The proxy, `udp:127.0.0.1:5060` or `tcp:127.0.0.1:5060`.
    pub proxy: String,
    /// Register, so that others reach us (`fanfare send` need not).
    #[serde(default = "yes")]
    pub register: bool,
    /// T1 in milliseconds (RFC 3261 §17.1.1.1); T2, T4 and Timer F scale with it.
    #[serde(default = "t1_default")]
    pub t1_ms: u64,
    /// `Expires` of what we send, in seconds; none for the patent's plain behaviour (W8).
    #[serde(default)]
    pub expires_secs: Option<u32>,
    /// Seconds after acceptance until a recipient without outcome is `No report`.
    #[serde(default = "report_window_default")]
    pub report_window_secs: u64,
}

const fn yes() -> bool {
    true
}

const fn t1_default() -> u64 {
    500
}

const fn report_window_default() -> u64 {
    60
}

/// How the account stands.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum RegistrationState {
    /// Nothing tried yet, or no account.
    #[default]
    Idle,
    /// A request is under way.
    Connecting,
    /// Registered (or, without registration, the proxy answered), and the proxy fans out (W6).
    Connected,
    /// Registered, but this proxy gave no proof that it fans out (W6): plain sentence, nothing is sent.
    NoFanOut,
    /// No answer; tried again after this long.
    Offline {
        /// From the moment of the event.
        retry_after: Duration,
    },
    /// The server refused.
    Refused {
        /// SIP status.
        status: u16,
        /// Reason phrase.
        reason: String,
    },
}
