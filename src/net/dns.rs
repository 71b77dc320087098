//! Single DNS queries. Each has its own short timeout, so that an unanswered one leaves time for the others: home
//! routers and firewalls often leave NAPTR or AAAA unanswered, and servers without EDNS refuse queries that use it
//! (FORMERR, NOTIMP, SERVFAIL), so these are repeated without EDNS.

mod servers;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::sync::Semaphore;

use self::servers::NameServers;
use crate::limits::{DNS_ALIASES_MAX, DNS_QUESTIONS_MAX, DNS_RECORDS_READ_MAX};

/// What came of one question.
enum Answer<T> {
    /// These; perhaps none.
    Records(Vec<T>),
    /// None, but the name is an alias. The library asks for what the SRV records behind it name, as if these were further
    /// aliases, and finds nothing there.
    LostInAlias,
}

impl<T> Answer<T> {
    const fn none() -> Self {
        Self::Records(Vec::new())
    }
}

fn is_same(one: &Name, other: &str) -> bool {
    let other = other.trim_end_matches('.');
    one.to_ascii().trim_end_matches('.').eq_ignore_ascii_case(other)
}

/// The name servers.
pub(super) struct Dns {
    /// Used instead of the system's.
    instead: Vec<SocketAddr>,
    servers: OnceLock<Result<NameServers, String>>,
    /// Permits for further queries: each needs a socket.
    free: Semaphore,
}

/// The queries of one look-up.
#[derive(Debug)]
pub(super) struct Questions {
    /// Those that were not answered.
    unanswered: Mutex<Vec<String>>,
    /// How long all answers hold; `None` before the first.
    holds: Mutex<Option<Duration>>,
    /// Permits for further ones of whoever pays for them, so that others have some too.
    free: Arc<Semaphore>,
}

impl Questions {
    pub(super) fn new(free: Arc<Semaphore>) -> Self {
        Self { unanswered: Mutex::default(), holds: Mutex::default(), free }
    }

    /// How long what was found holds, by the records with the shortest TTL.
    pub(super) fn holds(&self) -> Option<Duration> {
        *self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn found(&self, records: &[Record]) {
        let Some(least) = records.iter().map(|record| record.ttl).min() else { return };
        let least = Duration::from_secs(least.into());
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        *holds = Some(holds.map_or(least, |known| known.min(least)));
    }

    /// This one was not answered.
    pub(super) fn note(&self, question: impl Into<String>) {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).push(question.into());
    }

    /// All that were not answered, as text; none if there are none.
    pub(super) fn words(&self) -> Option<String> {
        let questions = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        (!questions.is_empty()).then(|| questions.join(", "))
    }
}

impl Dns {
    /// Queries these name servers, or those of `/etc/resolv.conf` if there are none.
    pub(super) const fn new(instead: Vec<SocketAddr>) -> Self {
        Self { instead, servers: OnceLock::new(), free: Semaphore::const_new(DNS_QUESTIONS_MAX) }
    }

    /// The records of a name that `read` accepts, in the order of the answer, the first ones if there are very many; a
    /// negative answer counts as an answer. Aliases are followed (RFC 1034 §3.6.2).
    pub(super) async fn ask<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: fn(&RData) -> Option<T>,
        questions: &Questions,
    ) -> Vec<T> {
        let alias = |data: &RData| if let RData::CNAME(to) = data { Some(to.to_ascii()) } else { None };
        let mut name = name.to_owned();
        for _ in 0..DNS_ALIASES_MAX {
            match self.ask_once(&name, kind, read, questions).await {
                Answer::Records(records) => return records,
                Answer::LostInAlias => {
                    let Answer::Records(to) = self.ask_once(&name, RecordType::CNAME, alias, questions).await
                    else {
                        return Vec::new();
                    };
                    let Some(to) = to.into_iter().next() else { return Vec::new() };
                    name = to;
                }
            }
        }
        Vec::new()
    }

    async fn ask_once<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: fn(&RData) -> Option<T>,
        questions: &Questions,
    ) -> Answer<T> {
        let Some(servers) = self.servers() else {
            questions.note("no name server is known");
            return Answer::none();
        };
        let Ok(_own) = questions.free.acquire().await else { return Answer::none() };
        let Ok(_free) = self.free.acquire().await else { return Answer::none() };
        let mut said = String::new();
        for has_edns in [true, false] {
            match servers.ask(has_edns, name, kind).await {
                Ok(found) => {
                    questions.found(found.answers());
                    let records = found.answers().iter().filter_map(|record| read(&record.data));
                    return Answer::Records(records.take(DNS_RECORDS_READ_MAX).collect());
                }
                Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
                    let went_astray = kind == RecordType::SRV && !is_same(none.query.name(), name);
                    return if went_astray { Answer::LostInAlias } else { Answer::none() };
                }
                Err(NetError::Dns(DnsError::ResponseCode(code))) => said = format!(" ({code})"),
                Err(error) => {
                    tracing::debug!(name, %kind, %error, "a question to DNS failed");
                    said.clear();
                }
            }
        }
        questions.note(format!("{kind} of {}{said}", name.trim_end_matches('.')));
        Answer::none()
    }

    fn servers(&self) -> Option<&NameServers> {
        let made = self.servers.get_or_init(|| {
            let made = NameServers::new(&self.instead).map_err(|error| error.to_string());
            if let Err(error) = &made {
                tracing::warn!(error, "no name server can be asked");
            }
            made
        });
        made.as_ref().ok()
    }
}
