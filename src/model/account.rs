//! The account: identity, server, and behaviour.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::outage::Outage;
use super::server::Server;
use super::sign_in_fault::SignInFault;
use super::slip;
use crate::sip::{self, Transport, Uri};

/// Who we are and which server we use, as kept in the settings file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Our own address, `sip:james@domain.com` or `im:james@domain.com`.
    pub address: String,
    /// Display name.
    #[serde(default)]
    pub name: String,
    /// The proxy, `udp:127.0.0.1:5060`, `tls:sip.domain.com` or `sip.domain.com`; if empty, the one found for the
    /// address's domain (RFC 3263).
    #[serde(default)]
    pub proxy: String,
    /// How we sign in to the server.
    #[serde(default)]
    pub sign_in: SignIn,
    /// Register, so that others reach us (`fanfare send` need not).
    #[serde(default = "yes")]
    pub register: bool,
    /// T1 in milliseconds (RFC 3261 §17.1.1.1); T2, T4 and Timer F scale with it.
    #[serde(default = "t1_default")]
    pub t1_ms: u64,
    /// `Expires` of the messages we send, in seconds; none for the patent's plain behaviour (W8).
    #[serde(default)]
    pub expires_secs: Option<u32>,
    /// Seconds after acceptance until a recipient without an outcome counts as `No report`.
    #[serde(default = "report_window_default")]
    pub report_window_secs: u64,
    /// Tell senders when their messages were seen, and ask to be told the same (RFC 5438; W28).
    #[serde(default)]
    pub receipts: bool,
    /// Accept requests from anybody who reaches this program, not only from the account's server. Nobody has verified
    /// such a sender, so his messages are marked as not verified.
    #[serde(default)]
    pub peer_to_peer: bool,
    /// A PEM file of the authorities to trust for TLS, instead of those that this system trusts.
    #[serde(default)]
    pub tls_ca: Option<PathBuf>,
    /// A server's certificate must name it in full (RFC 5922 §7.2): `*.domain.com` does not match `sip.domain.com`.
    #[serde(default)]
    pub tls_strict: bool,
    /// The name server to ask, `192.0.2.53:53`, instead of this system's.
    #[serde(default)]
    pub dns: Option<SocketAddr>,
    /// A certificate accepted for one server, whoever issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted: Option<TrustedCertificate>,
    /// The server has accepted this account before; until then the window asks for it at each start.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub worked: bool,
    /// The user has signed out: the account stays away from its server until he signs in again, after a restart too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub signed_out: bool,
}

/// A certificate that a person trusts for one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedCertificate {
    /// The server name that it is accepted for.
    pub server: String,
    /// The certificate's SHA-256 fingerprint, `4F:0A:…`.
    pub sha256: String,
}

impl TrustedCertificate {
    /// The fingerprint in bytes; none if the text is not one.
    #[must_use]
    pub fn fingerprint(&self) -> Option<[u8; 32]> {
        let mut bytes = [0; 32];
        let mut read = self.sha256.trim().split(':');
        for byte in &mut bytes {
            let digits = read.next().filter(|digits| digits.len() == 2)?;
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = is_hex.then(|| u8::from_str_radix(digits, 16).ok()).flatten()?;
        }
        read.next().is_none().then_some(bytes)
    }
}

impl Default for Account {
    fn default() -> Self {
        Self {
            address: String::new(),
            name: String::new(),
            proxy: String::new(),
            sign_in: SignIn::default(),
            register: true,
            t1_ms: t1_default(),
            expires_secs: None,
            report_window_secs: report_window_default(),
            receipts: false,
            peer_to_peer: false,
            tls_ca: None,
            tls_strict: false,
            dns: None,
            trusted: None,
            worked: true,
            signed_out: false,
        }
    }
}

/// How we sign in to a server (RFC 3261 §22). The password is not part of the settings file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignIn {
    /// If empty, the user part of the address.
    pub username: String,
    /// The only realm in which the password is used; if empty, our own domain and the realms our server asks for.
    pub realm: String,
    /// Empty for none.
    #[serde(skip)]
    pub password: Password,
}

/// A password, which no log and no error shows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// A password as typed.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The password itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if there is no password.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "no password" } else { "a password" })
    }
}

/// An account whose fields were all parsed and found valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Our own address as written; its user part is not empty.
    pub address: Uri,
    /// Display name, empty for none.
    pub name: String,
    /// The next hop of everything we send.
    pub server: Server,
    /// How we sign in to the server; the username is not empty.
    pub sign_in: SignIn,
    /// Register, so that others reach us.
    pub register: bool,
    /// T1 (RFC 3261 §17.1.1.1).
    pub t1: Duration,
    /// `Expires` of the messages we send.
    pub expires_secs: Option<u32>,
    /// From acceptance until a recipient without an outcome counts as `No report`.
    pub report_window: Duration,
    /// Tell senders when their messages were seen, and ask to be told the same (W28).
    pub receipts: bool,
    /// Accept requests from anybody who reaches this program.
    pub peer_to_peer: bool,
}

/// What a user agent is created with.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// Who we are and which proxy we use, checked.
    pub profile: Profile,
    /// Where our sockets are bound, with addresses that the proxy can reach (not `0.0.0.0`): datagrams leave from the
    /// UDP one; the TCP one, if any, stands in Contact.
    pub locals: Vec<(Transport, SocketAddr)>,
}

/// What is wrong with an account: a sentence that names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The address cannot be parsed.
    #[error("address: {text:?} is not a SIP address ({why}); write it like sip:james@domain.com")]
    Address {
        /// The text as written.
        text: String,
        /// The parser's error.
        #[source]
        why: sip::Error,
    },
    /// The address, which has a comma in its domain.
    #[error("address: {}", slip::words(.0).unwrap_or_default())]
    Comma(String),
    /// The address has no user part, or is not an address in a domain.
    #[error("address: {0:?} does not say who at which domain; write it like sip:james@domain.com")]
    NoUser(String),
    /// The proxy setting cannot be parsed.
    #[error(
        "proxy: {0:?} is not a server address; write it like sip.domain.com, tls:sip.domain.com or udp:192.0.2.1:5060"
    )]
    Proxy(String),
    /// The address requires TLS all the way, but the proxy is not reached over TLS (W32).
    #[error(
        "proxy: {0:?} is not reached over TLS, which an address that begins with sips: asks for; use tls:"
    )]
    ProxyClear(String),
    /// WebSocket is for browsers only.
    #[error("proxy: {0:?} asks for a WebSocket, which is for browsers; use tls:, tcp: or udp:")]
    ProxyWebSocket(String),
    /// T1 is out of range.
    #[error("t1_ms: {0} is outside of 1 to 60000")]
    T1(u64),
    /// The report window is out of range.
    #[error("report_window_secs: {0} is outside of 1 to 86400")]
    ReportWindow(u64),
    /// A trusted certificate is not given by a fingerprint.
    #[error("trusted: {0:?} is not a SHA-256 fingerprint; write it as 32 hexadecimal numbers, like 4F:0A:…")]
    Fingerprint(String),
}

impl Account {
    /// Parses and checks every field.
    ///
    /// # Errors
    /// A sentence that names the first invalid field.
    pub fn check(&self) -> Result<Profile, AccountError> {
        let text = self.address.trim();
        let address = Uri::typed(text).map_err(|why| {
            let wrong = || AccountError::Address { text: self.address.clone(), why };
            if slip::meant(text).is_some() { AccountError::Comma(text.to_owned()) } else { wrong() }
        })?;
        if address.user().is_none_or(str::is_empty) || address.host().is_empty() {
            return Err(AccountError::NoUser(self.address.clone()));
        }
        if !(1..=60_000).contains(&self.t1_ms) {
            return Err(AccountError::T1(self.t1_ms));
        }
        if !(1..=86_400).contains(&self.report_window_secs) {
            return Err(AccountError::ReportWindow(self.report_window_secs));
        }
        if let Some(trusted) = self.trusted.as_ref().filter(|trusted| trusted.fingerprint().is_none()) {
            return Err(AccountError::Fingerprint(trusted.sha256.clone()));
        }
        let server = self.server(&address)?;
        let mut sign_in = self.sign_in.clone();
        sign_in.username = match sign_in.username.trim() {
            "" => address.aor().user().to_owned(),
            username => username.to_owned(),
        };
        sign_in.realm = sign_in.realm.trim().to_owned();
        Ok(Profile {
            address,
            sign_in,
            name: self.name.trim().to_owned(),
            server,
            register: self.register,
            t1: Duration::from_millis(self.t1_ms),
            expires_secs: self.expires_secs,
            report_window: Duration::from_secs(self.report_window_secs),
            receipts: self.receipts,
            peer_to_peer: self.peer_to_peer,
        })
    }

    fn server(&self, address: &Uri) -> Result<Server, AccountError> {
        let server =
            Server::read(&self.proxy, address).ok_or_else(|| AccountError::Proxy(self.proxy.clone()))?;
        let asked = self.proxy.split(':').next().and_then(|word| Transport::parse(word.trim()));
        match asked {
            Some(Transport::Ws | Transport::Wss) => Err(AccountError::ProxyWebSocket(self.proxy.clone())),
            Some(Transport::Udp | Transport::Tcp) if address.is_sips() => {
                Err(AccountError::ProxyClear(self.proxy.clone()))
            }
            Some(Transport::Udp | Transport::Tcp | Transport::Tls) | None => Ok(server),
        }
    }
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_true(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

const fn t1_default() -> u64 {
    500
}

const fn report_window_default() -> u64 {
    60
}

/// The steps of connecting to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectStep {
    /// Its name is being looked up (RFC 3263).
    Finding,
    /// The connection to it is being opened.
    Opening,
    /// It has been sent a request: to register us, or to see whether it is there.
    Asking {
        /// Over TLS, with a certificate that has proven the server's name.
        is_encrypted: bool,
    },
    /// The same, and it has been silent for a while.
    Waiting {
        /// As above.
        is_encrypted: bool,
    },
}

/// The account's state at its server.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum RegistrationState {
    /// Nothing tried yet, or no account.
    #[default]
    Idle,
    /// Connecting to the server.
    Connecting(ConnectStep),
    /// Registered (or, without registration, the proxy answered), and the proxy fans out (W6).
    Connected,
    /// Registered, but this proxy gave no proof that it fans out (W6): each recipient gets a MESSAGE of his own.
    NoFanOut,
    /// Registered without that proof, but this server accepts a list of recipients (RFC 5365, W27).
    ByList,
    /// Not reached; tried again after a while.
    Offline {
        /// From the moment of the event.
        retry_after: Duration,
        /// Why.
        why: Outage,
    },
    /// The server refused.
    Refused {
        /// SIP status.
        status: u16,
        /// Reason phrase.
        reason: String,
        /// Why its challenge was not answered, if that is the cause and a person can do something about it.
        why: Option<SignInFault>,
        /// Time until the next try, from the moment of the event; none if only another password helps.
        retry_after: Option<Duration>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(address: &str, proxy: &str) -> Account {
        Account {
            address: address.to_owned(),
            name: " James ".to_owned(),
            proxy: proxy.to_owned(),
            ..Account::default()
        }
    }

    #[test]
    fn an_account_is_read_into_values() {
        let profile = account("im:james@domain.com", "tcp:[::1]:5060").check().unwrap();
        assert_eq!(profile.address.as_str(), "im:james@domain.com");
        assert_eq!(profile.server.uri.as_str(), "sip:[::1]:5060;transport=tcp");
        assert_eq!((profile.name.as_str(), profile.t1), ("James", Duration::from_millis(500)));
        let bare = account("james@domain.com", "UDP:127.0.0.1:5070").check().unwrap();
        assert_eq!(bare.address.as_str(), "sip:james@domain.com");
        assert_eq!(bare.server.transport(), Some(Transport::Udp));
    }

    fn pin(sha256: &str) -> TrustedCertificate {
        TrustedCertificate { server: "d.com".to_owned(), sha256: sha256.to_owned() }
    }

    #[test]
    fn a_trusted_certificate_is_kept_by_its_fingerprint() {
        let trusted = pin(&["4F"; 32].join(":"));
        assert_eq!(trusted.fingerprint(), Some([0x4F; 32]));
        let kept = Account { trusted: Some(trusted), worked: false, ..account("j@d.com", "tls:d.com") };
        let text = ron::to_string(&kept).unwrap();
        assert_eq!(ron::from_str::<Account>(&text).unwrap(), kept);
        let old: Account = ron::from_str("(address: \"j@d.com\")").unwrap();
        assert!(old.worked && old.trusted.is_none(), "one of an earlier version has worked");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_name_of_the_field() {
        let table = [
            (account("", "udp:127.0.0.1:5060"), "address: "),
            (account("sip:domain.com", "udp:127.0.0.1:5060"), "address: "),
            (account("tel:+1234", "udp:127.0.0.1:5060"), "address: "),
            (
                account("ann@domain,com", ""),
                "address: \"ann@domain,com\" is not a valid address: a domain has no comma. Did you mean ann@domain.com?",
            ),
            (account("sips:james@domain.com", "udp:127.0.0.1:5060"), "proxy: "),
            (account("sips:james@domain.com", "tcp:domain.com"), "proxy: "),
            (account("james@domain.com", "udp:127.0.0.1:0"), "proxy: "),
            (account("james@domain.com", "ws:domain.com"), "proxy: "),
            (account("james@domain.com", "a server"), "proxy: "),
            (Account { t1_ms: 0, ..account("james@domain.com", "udp:127.0.0.1:5060") }, "t1_ms: "),
            (
                Account { report_window_secs: 0, ..account("j@d.com", "udp:127.0.0.1:5060") },
                "report_window_secs: ",
            ),
            (Account { trusted: Some(pin("4F:0A")), ..account("j@d.com", "tls:d.com") }, "trusted: "),
            (
                Account { trusted: Some(pin(&["+F"; 32].join(":"))), ..account("j@d.com", "tls:d.com") },
                "trusted: ",
            ),
        ];
        for (account, field) in table {
            let said = account.check().unwrap_err().to_string();
            assert!(said.starts_with(field), "{account:?}: {said}");
        }
    }
}
