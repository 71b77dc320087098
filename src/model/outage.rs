//! Why the account's server is not reached.

use std::sync::Arc;

use super::text::visible;
use crate::machine::{ConnectFault, Hop, Untrusted};

/// Why the server is not reached, as far as it is known; ordered by how much that says, so that of several addresses
/// the one that says most is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outage {
    /// Nobody answers.
    #[default]
    NoAnswer,
    /// Its name leads to no address.
    NotFound {
        /// The name.
        server: Arc<str>,
        /// What the look-up said, if it said anything.
        fault: Option<Arc<str>>,
    },
    /// That computer answers, but nothing accepts connections at that port.
    ConnectionRefused(Hop),
    /// It answered that it cannot serve us now (RFC 3261 §21.4.9, §21.4.18, §21.5).
    Answered {
        /// SIP status.
        status: u16,
        /// Reason phrase.
        reason: String,
    },
    /// It accepted the registration, but for no time at all.
    NotGranted,
    /// Our own system lets us open no further connection.
    NoDescriptor,
    /// It cannot prove to be that server (RFC 5922).
    Untrusted(Arc<Untrusted>),
    /// The account cannot be started on this computer: a sentence without full stop.
    NotStarted(Arc<str>),
}

impl Outage {
    /// Why no connection to this hop could be opened.
    #[must_use]
    pub fn of(fault: ConnectFault, hop: Option<Hop>) -> Self {
        match fault {
            ConnectFault::Unreachable => Self::NoAnswer,
            ConnectFault::Refused => hop.map_or(Self::NoAnswer, Self::ConnectionRefused),
            ConnectFault::NoDescriptor => Self::NoDescriptor,
            ConnectFault::Untrusted(why) => Self::Untrusted(why),
        }
    }

    /// A sentence without full stop; none if nothing is known but that nobody answers.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        Some(match self {
            Self::NoAnswer => return None,
            Self::NotGranted => "the server answers, but keeps no registration of this device".to_owned(),
            Self::NotFound { server, fault: None } => {
                format!("the server {} cannot be found", visible(server))
            }
            Self::NotFound { server, fault: Some(fault) } => {
                format!("the server {} cannot be found ({})", visible(server), visible(fault))
            }
            Self::ConnectionRefused(Hop { transport, remote }) => format!(
                "connection refused by {}:{remote}; check the server's address and port, and that it is running",
                transport.as_str().to_ascii_lowercase()
            ),
            Self::Answered { status, reason } => {
                format!("the server answered {}", format!("{status} {}", visible(reason)).trim_end())
            }
            Self::NoDescriptor => {
                "this computer lets the program open no further connection (too many open files)".to_owned()
            }
            Self::Untrusted(untrusted) => untrusted.to_string(),
            Self::NotStarted(why) => why.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{CertificateFault, TlsFault};
    use crate::sip::Transport;

    fn expired() -> Arc<Untrusted> {
        let fault = TlsFault::Certificate(CertificateFault::Expired(None));
        Arc::new(Untrusted { server: "domain.com".into(), fault })
    }

    #[test]
    fn each_outage_is_a_sentence_and_silence_is_none() {
        let hop = Hop { transport: Transport::Tls, remote: "[2001:db8::1]:5061".parse().unwrap() };
        let server: Arc<str> = "domain.com".into();
        let answered = |reason: &str| Outage::Answered { status: 503, reason: reason.to_owned() };
        let table = [
            (Outage::NoAnswer, None),
            (Outage::of(ConnectFault::Unreachable, Some(hop)), None),
            (
                Outage::NotFound { server: Arc::clone(&server), fault: None },
                Some("the server domain.com cannot be found"),
            ),
            (
                Outage::NotFound { server, fault: Some("no answer".into()) },
                Some("the server domain.com cannot be found (no answer)"),
            ),
            (
                Outage::of(ConnectFault::Refused, Some(hop)),
                Some(
                    "connection refused by tls:[2001:db8::1]:5061; check the server's address and port, \
                     and that it is running",
                ),
            ),
            (
                answered("Service\u{202E} Unavailable"),
                Some("the server answered 503 Service⟨U+202E⟩ Unavailable"),
            ),
            (answered(""), Some("the server answered 503")),
            (
                Outage::of(ConnectFault::NoDescriptor, None),
                Some("this computer lets the program open no further connection (too many open files)"),
            ),
            (
                Outage::of(ConnectFault::Untrusted(expired()), None),
                Some("the certificate of domain.com has expired"),
            ),
        ];
        for (outage, words) in table {
            assert_eq!(outage.words().as_deref(), words, "{outage:?}");
        }
    }

    #[test]
    fn what_says_more_is_greater() {
        let hop = Hop { transport: Transport::Tcp, remote: "127.0.0.1:5060".parse().unwrap() };
        let refused = Outage::ConnectionRefused(hop);
        assert_eq!(refused.clone().max(Outage::NoAnswer), refused);
        let untrusted = Outage::Untrusted(expired());
        assert_eq!(refused.max(untrusted.clone()), untrusted);
    }
}
