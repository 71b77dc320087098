//! The name servers of this computer: asked in their order, and the next one at once if one fails or refuses (RFC 1035 §7.2,
//! resolv.conf(5)).
//!
//! The library would ask two at a time and take the first answer, whatever it is: a third one, or the slower of two, was
//! not heard if another failed.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;
use tokio::time::{Instant, timeout_at};

use crate::limits::{NAME_SERVER_LAST_FOR, NAME_SERVER_WAIT, NAME_SERVERS_MAX, QUESTION_WAIT};

/// See the top of this file.
pub(super) struct NameServers(Vec<NameServer>);

struct NameServer {
    /// With EDNS, which large answers need.
    with_edns: TokioResolver,
    without: TokioResolver,
    /// It failed or was silent: until then it is asked after the others.
    last_until: Mutex<Option<Instant>>,
}

impl NameServers {
    /// These, or those of `/etc/resolv.conf` if there are none.
    ///
    /// # Errors
    /// `/etc/resolv.conf` cannot be used.
    pub(super) fn new(instead: &[SocketAddr]) -> Result<Self, NetError> {
        let (config, options) = if instead.is_empty() {
            hickory_resolver::system_conf::read_system_conf()?
        } else {
            let servers = instead.iter().map(|server| at(*server)).collect();
            (ResolverConfig::from_parts(None, Vec::new(), servers), ResolverOpts::default())
        };
        let of = |server: &NameServerConfig| {
            let (domain, search) = (config.domain().cloned(), config.search().to_vec());
            let alone = ResolverConfig::from_parts(domain, search, vec![server.clone()]);
            let last_until = Mutex::new(None);
            let with_edns = resolver(alone.clone(), &options, true)?;
            Ok(NameServer { with_edns, without: resolver(alone, &options, false)?, last_until })
        };
        let servers = config.name_servers().iter().take(NAME_SERVERS_MAX).map(of);
        servers.collect::<Result<_, _>>().map(Self)
    }

    /// What the first server says that says anything. Those that failed lately are asked last. A server that is silent is
    /// still heard while the next one is asked. If one says that there is no such name, another one may still know it,
    /// as behind a VPN, unless it takes long to say so.
    ///
    /// # Errors
    /// There are no such records, or no server answered within [`QUESTION_WAIT`].
    pub(super) async fn ask(&self, has_edns: bool, name: &str, kind: RecordType) -> Result<Lookup, NetError> {
        let (begun, mut faults) = (Instant::now(), Faults::default());
        let mut order: Vec<_> = self.0.iter().collect();
        order.sort_by_key(|server| server.is_last(begun));
        let (mut order, mut asked) = (order.into_iter(), FuturesUnordered::new());
        let end = begun + QUESTION_WAIT;
        loop {
            let next = order.next();
            asked.extend(
                next.map(
                    |server| async move { (server, server.resolver(has_edns).lookup(name, kind).await) },
                ),
            );
            let may_end = order.len() == 0 && faults.denied.is_none();
            let until = if may_end { end } else { end.min(Instant::now() + NAME_SERVER_WAIT) };
            match timeout_at(until, asked.next()).await {
                Ok(Some((server, Err(error)))) if !is_final(&error) => {
                    server.heard(is_denied(&error));
                    faults.note(error);
                }
                Ok(Some((server, answer))) => {
                    server.heard(true);
                    return answer;
                }
                Ok(None) if order.len() == 0 => return Err(faults.worst(NetError::NoConnections)),
                Ok(None) => {}
                Err(_late) => {
                    next.into_iter().for_each(|server| server.heard(false));
                    if faults.denied.is_some() || Instant::now() >= end {
                        return Err(faults.worst(NetError::Timeout));
                    }
                }
            }
        }
    }
}

impl NameServer {
    const fn resolver(&self, has_edns: bool) -> &TokioResolver {
        if has_edns { &self.with_edns } else { &self.without }
    }

    fn is_last(&self, now: Instant) -> bool {
        self.last_until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| until > now)
    }

    /// It answered, or failed to.
    fn heard(&self, has_answered: bool) {
        let until = (!has_answered).then(|| Instant::now() + NAME_SERVER_LAST_FOR);
        *self.last_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

/// What was said instead of an answer.
#[derive(Default)]
struct Faults {
    /// There is no such name.
    denied: Option<NetError>,
    /// The server failed; a code that it sent says more than a connection that broke.
    failed: Option<NetError>,
}

impl Faults {
    fn note(&mut self, error: NetError) {
        if is_denied(&error) {
            self.denied.get_or_insert(error);
        } else if self.failed.is_none() || matches!(error, NetError::Dns(DnsError::ResponseCode(_))) {
            self.failed = Some(error);
        }
    }

    fn worst(self, otherwise: NetError) -> NetError {
        self.denied.or(self.failed).unwrap_or(otherwise)
    }
}

/// No other server is asked: this one knows the name and has no such records.
fn is_final(error: &NetError) -> bool {
    matches!(error, NetError::Dns(DnsError::NoRecordsFound(_))) && !is_denied(error)
}

fn is_denied(error: &NetError) -> bool {
    let NetError::Dns(DnsError::NoRecordsFound(none)) = error else { return false };
    none.response_code == ResponseCode::NXDomain
}

/// The name server at this address.
fn at(server: SocketAddr) -> NameServerConfig {
    let mut config = NameServerConfig::udp_and_tcp(server.ip());
    config.connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()]
        .map(|mut way| {
            way.port = server.port();
            way
        })
        .into();
    config
}

fn resolver(config: ResolverConfig, options: &ResolverOpts, edns: bool) -> Result<TokioResolver, NetError> {
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let own = builder.options_mut();
    *own = options.clone();
    own.edns0 = edns;
    own.timeout = QUESTION_WAIT;
    own.attempts = 1;
    // It would keep whole answers, up to 64 KB each as they came and far more as read. `NameCache` keeps what is of use.
    own.cache_size = 0;
    builder.build()
}
