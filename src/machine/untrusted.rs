//! Why a server is not trusted to be the one we look for.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

/// A server that is not the one we look for, or cannot prove it (RFC 5922). Displayed as a sentence without full stop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Untrusted {
    /// Whom we looked for: a domain, or an address.
    pub server: Arc<str>,
    /// What is wrong.
    pub fault: TlsFault,
}

/// What went wrong in a TLS handshake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsFault {
    /// No certificate can name such a server.
    NoSuchName,
    /// Our own settings for TLS cannot be used: what is wrong with them.
    Settings(Arc<str>),
    /// What came back was not TLS, or nothing came back.
    NoTls,
    /// It has no version that is safe.
    OldVersion,
    /// It asks for a certificate of ours.
    AsksForCertificate,
    /// It does not know itself by that name.
    UnknownName,
    /// It refused the connection by an alert that says nothing more.
    Refused,
    /// The handshake failed for another reason, which is in the log.
    Failed,
    /// The connection broke: the system's words.
    Broken(Arc<str>),
    /// The certificate is not good enough.
    Certificate(CertificateFault),
}

/// What is wrong with the certificate of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CertificateFault {
    /// A wildcard alone names it, which RFC 5922 §7.2 forbids.
    WildcardAlone,
    /// It has expired, on that day if it can be read.
    Expired(Option<Date>),
    /// It is not valid yet, but from that day if it can be read.
    NotYetValid(Option<Date>),
    /// It is for these names; none if they cannot be read.
    OtherNames(Vec<String>),
    /// Nobody whom this computer trusts has issued it.
    UnknownIssuer,
    /// It cannot be read as a certificate.
    NoCertificate,
    /// Its issuer has revoked it.
    Revoked,
    /// Its signature is wrong.
    Forged,
    /// It is for another purpose.
    NotForServers,
    /// It cannot be trusted for another reason, which is in the log.
    Other,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = &self.server;
        match &self.fault {
            TlsFault::NoSuchName => write!(f, "no certificate can name {server}"),
            TlsFault::Settings(why) => f.write_str(why),
            TlsFault::NoTls => {
                write!(f, "the server {server} did not answer with TLS; check that its port is one for TLS")
            }
            TlsFault::OldVersion => write!(
                f,
                "the server {server} speaks TLS only in a version that is no longer safe (older than 1.2)"
            ),
            TlsFault::AsksForCertificate => write!(
                f,
                "the server {server} asks for a client certificate, which this program does not have"
            ),
            TlsFault::UnknownName => write!(f, "the server {server} does not know itself by that name"),
            TlsFault::Refused => write!(f, "the server {server} refused the TLS connection"),
            TlsFault::Failed => write!(f, "the TLS connection to {server} failed"),
            TlsFault::Broken(why) => write!(f, "the TLS connection to {server} broke ({why})"),
            TlsFault::Certificate(fault) => fault.fmt(server, f),
        }
    }
}

impl CertificateFault {
    fn fmt(&self, server: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WildcardAlone => write!(
                f,
                "the certificate names {server} by a wildcard (*.) alone, which RFC 5922 forbids; a client takes it \
                 without tls_strict"
            ),
            Self::Expired(Some(day)) => write!(f, "the certificate of {server} has expired on {day}"),
            Self::Expired(None) => write!(f, "the certificate of {server} has expired"),
            Self::NotYetValid(Some(day)) => write!(
                f,
                "the certificate of {server} is not valid before {day}; is this computer's clock right?"
            ),
            Self::NotYetValid(None) => {
                write!(f, "the certificate of {server} is not valid yet; is this computer's clock right?")
            }
            Self::OtherNames(names) if names.is_empty() => write!(f, "the certificate is not for {server}"),
            Self::OtherNames(names) => {
                write!(f, "the certificate is for {}, not for {server}", names.join(", "))
            }
            Self::UnknownIssuer => {
                write!(f, "the certificate of {server} was not issued by anyone this computer trusts")
            }
            Self::NoCertificate => write!(f, "what {server} shows is not a certificate"),
            Self::Revoked => write!(f, "the certificate of {server} was revoked"),
            Self::Forged => write!(f, "the certificate of {server} is forged: its signature is wrong"),
            Self::NotForServers => write!(f, "the certificate of {server} is not one for a server"),
            Self::Other => write!(f, "the certificate of {server} cannot be trusted"),
        }
    }
}
