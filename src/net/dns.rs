//! Single DNS queries. Each has its own short timeout, so that an unanswered one leaves time for the others: home
//! routers and firewalls often leave NAPTR or AAAA unanswered, and servers without EDNS refuse queries that use it
//! (FORMERR, NOTIMP, SERVFAIL), so these are repeated without EDNS.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::sync::Semaphore;

use crate::limits::{DNS_ALIASES_MAX, DNS_QUESTIONS_MAX, DNS_RECORDS_READ_MAX, QUESTION_WAIT};

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

/// The name servers, and resolvers to query them.
pub(super) struct Dns {
    /// Used instead of the system's.
    server: Option<SocketAddr>,
    /// One with EDNS, which large answers need, and one without.
    resolvers: OnceLock<Result<[TokioResolver; 2], String>>,
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
    /// Queries this name server, or those of `/etc/resolv.conf`.
    pub(super) const fn new(server: Option<SocketAddr>) -> Self {
        Self { server, resolvers: OnceLock::new(), free: Semaphore::const_new(DNS_QUESTIONS_MAX) }
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
        let Some(resolvers) = self.resolvers() else {
            questions.note("no name server is known");
            return Answer::none();
        };
        let Ok(_own) = questions.free.acquire().await else { return Answer::none() };
        let Ok(_free) = self.free.acquire().await else { return Answer::none() };
        let mut said = String::new();
        for resolver in resolvers {
            match tokio::time::timeout(QUESTION_WAIT, resolver.lookup(name, kind)).await {
                Ok(Ok(found)) => {
                    questions.found(found.answers());
                    let records = found.answers().iter().filter_map(|record| read(&record.data));
                    return Answer::Records(records.take(DNS_RECORDS_READ_MAX).collect());
                }
                Ok(Err(NetError::Dns(DnsError::NoRecordsFound(none)))) => {
                    let went_astray = kind == RecordType::SRV && !is_same(none.query.name(), name);
                    return if went_astray { Answer::LostInAlias } else { Answer::none() };
                }
                Ok(Err(NetError::Dns(DnsError::ResponseCode(code)))) => said = format!(" ({code})"),
                Ok(Err(error)) => {
                    tracing::debug!(name, %kind, %error, "a question to DNS failed");
                    said.clear();
                }
                Err(_late) => said.clear(),
            }
        }
        questions.note(format!("{kind} of {}{said}", name.trim_end_matches('.')));
        Answer::none()
    }

    fn resolvers(&self) -> Option<&[TokioResolver; 2]> {
        let made = self.resolvers.get_or_init(|| {
            let made = resolver(self.server, true).and_then(|with| Ok([with, resolver(self.server, false)?]));
            let made = made.map_err(|error| error.to_string());
            if let Err(error) = &made {
                tracing::warn!(error, "no name server can be asked");
            }
            made
        });
        made.as_ref().ok()
    }
}

fn resolver(server: Option<SocketAddr>, edns: bool) -> Result<TokioResolver, NetError> {
    let mut builder = match server {
        Some(server) => {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                connection.port = server.port();
                connection
            });
            let mut server = NameServerConfig::udp_and_tcp(server.ip());
            server.connections = connections.to_vec();
            let config = ResolverConfig::from_name_servers(vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
        None => TokioResolver::builder_tokio()?,
    };
    let options = builder.options_mut();
    options.edns0 = edns;
    options.timeout = QUESTION_WAIT;
    options.attempts = 1;
    // It would keep whole answers, up to 64 KB each as they came and far more as read. `NameCache` keeps what is of use.
    options.cache_size = 0;
    builder.build()
}
