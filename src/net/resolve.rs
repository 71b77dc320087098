//! Where a URI leads (RFC 3263 §4): a literal address, or what NAPTR, SRV and address records say, best first.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use hickory_resolver::proto::rr::rdata::{NAPTR, SRV};
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::sync::Semaphore;

use super::dns::{Dns, Questions};
use super::local_ip_towards;
use crate::limits::{
    DNS_NAME_BYTES_MAX, LOOKUP_HOPS_MAX, LOOKUP_PLACES_MAX, LOOKUP_ROUNDS_MAX, LOOKUP_WAIT, OTHER_FAMILY_WAIT,
};
use crate::machine::Hop;
use crate::random::Random;
use crate::sip::{Transport, Uri};

/// The transports we support, in the order of preference if a domain states none (RFC 3263 §4.1).
const SPOKEN: [Transport; 3] = [Transport::Tls, Transport::Udp, Transport::Tcp];

/// The route of a URI as far as it is known without DNS.
#[derive(Debug)]
pub(super) enum Route {
    /// These hops and no others; none if it leads nowhere.
    Known(Vec<Hop>),
    /// A name has to be looked up.
    Name(Name),
}

/// A name to be looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    host: String,
    port: Option<u16>,
    /// None if the domain decides.
    transport: Option<Transport>,
    is_sips: bool,
}

impl Name {
    /// The end of the name, whose servers answer for all of it: its last two labels.
    pub(super) fn zone(&self) -> &str {
        let end = self.host.rmatch_indices('.').nth(1).and_then(|(dot, _)| self.host.get(dot + 1..));
        end.unwrap_or(&self.host)
    }
}

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) hops: Vec<Hop>,
    /// `None` if DNS did not say, or did not answer every question.
    pub(super) holds: Option<Duration>,
}

/// A server's name with its transport and port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NamedServer {
    transport: Transport,
    host: String,
    port: u16,
}

/// The route of a URI.
pub(super) fn route(uri: &Uri) -> Route {
    let transport = uri.transport();
    if uri.host().is_empty() || matches!(transport, Some(Transport::Ws | Transport::Wss)) {
        // Browsers do not listen.
        return Route::Known(Vec::new());
    }
    if let Some(ip) = uri.ip() {
        let transport = transport.unwrap_or(Transport::Udp);
        let port = uri.port().unwrap_or_else(|| transport.default_port());
        return Route::Known(vec![Hop { transport, remote: SocketAddr::new(ip, port) }]);
    }
    let host = uri.target_host().trim_end_matches('.').to_ascii_lowercase();
    if host.len() > DNS_NAME_BYTES_MAX {
        return Route::Known(Vec::new());
    }
    let transport = transport.filter(|_| !uri.is_sips());
    Route::Name(Name { host, port: uri.port(), transport, is_sips: uri.is_sips() })
}

/// Performs the DNS look-ups.
pub(super) struct Resolver {
    dns: Dns,
    random: Mutex<Option<Random>>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

impl Resolver {
    /// Queries these name servers, or those of `/etc/resolv.conf` if there are none.
    pub(super) fn new(servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self { dns: Dns::new(servers.into_iter().collect()), random: Mutex::new(Random::from_os().ok()) }
    }

    /// The hops, best first; none if there is no route. They hold as long as every record that led there. What was found
    /// is used even if other queries went unanswered. It asks as many questions at a time as there are permits.
    ///
    /// # Errors
    /// Nothing was found, and these queries were not answered: part of a sentence.
    pub(super) async fn look_up(&self, name: &Name, permits: Arc<Semaphore>) -> Result<Found, String> {
        let questions = Questions::new(permits);
        let found = tokio::time::timeout(LOOKUP_WAIT, self.hops(name, &questions)).await;
        let hops = found.unwrap_or_else(|_late| {
            questions.note("the whole look-up");
            Vec::new()
        });
        match questions.words() {
            Some(words) if hops.is_empty() => {
                tracing::info!(host = name.host, words, "a name cannot be looked up: DNS did not answer");
                Err(format!("DNS did not answer: {words}"))
            }
            words => {
                let is_whole = words.is_none();
                if let Some(words) = words {
                    tracing::debug!(host = name.host, words, "DNS did not answer every question");
                }
                // An answer that is missing may name a better server: it is asked for again soon.
                Ok(Found { hops, holds: questions.holds().filter(|_| is_whole) })
            }
        }
    }

    async fn hops(&self, name: &Name, questions: &Questions) -> Vec<Hop> {
        let places = self.places(name, questions).await;
        let of_place = |place: NamedServer| async move {
            let remotes = self.addresses(&place, questions).await;
            remotes.into_iter().map(move |remote| Hop { transport: place.transport, remote })
        };
        let mut hops: Vec<Hop> = Vec::new();
        // Those after the first few matter only if none of the others has an address.
        for some in places.chunks(LOOKUP_PLACES_MAX).take(LOOKUP_ROUNDS_MAX) {
            // Concurrently: a server that is not found does not delay the others.
            let found = join_all(some.iter().cloned().map(of_place)).await;
            for hop in found.into_iter().flatten() {
                if hops.len() < LOOKUP_HOPS_MAX && !hops.contains(&hop) {
                    hops.push(hop);
                }
            }
            if !hops.is_empty() {
                break;
            }
        }
        hops
    }

    /// The servers for a name (RFC 3263 §4.1 and §4.2).
    async fn places(&self, name: &Name, questions: &Questions) -> Vec<NamedServer> {
        let usual = if name.is_sips { Transport::Tls } else { Transport::Udp };
        let transport = name.transport.unwrap_or(usual);
        let port = name.port.unwrap_or_else(|| transport.default_port());
        let itself = NamedServer { transport, host: name.host.clone(), port };
        if name.port.is_some() {
            return vec![itself];
        }
        let services = match name.transport {
            Some(transport) => vec![(transport, service(transport, &name.host))],
            None => self.services(name, questions).await,
        };
        let of_service = |(transport, service): (Transport, String)| async move {
            self.servers(transport, &service, questions).await
        };
        let places = join_all(services.into_iter().map(of_service)).await.concat();
        if places.is_empty() { vec![itself] } else { places }
    }

    /// The services of a domain by NAPTR; else every transport that we support.
    async fn services(&self, name: &Name, questions: &Questions) -> Vec<(Transport, String)> {
        let spoken = |transport: &Transport| !name.is_sips || transport.is_secure();
        let read = |data: &RData| {
            let RData::NAPTR(record) = data else { return None };
            Some(record.clone())
        };
        let mut records: Vec<NAPTR> = self.records(&name.host, RecordType::NAPTR, read, questions).await;
        records.sort_by_key(|record| (record.order, record.preference));
        let offered = records.iter().filter(|record| record.flags.eq_ignore_ascii_case(b"s"));
        let offered = offered.filter_map(|record| {
            let transport = offered_transport(&record.services).filter(spoken)?;
            Some((transport, record.replacement.to_ascii()))
        });
        let offered: Vec<_> = offered.take(LOOKUP_PLACES_MAX).collect();
        if !offered.is_empty() {
            return offered;
        }
        let of = |transport: Transport| (transport, service(transport, &name.host));
        SPOKEN.into_iter().filter(spoken).map(of).collect()
    }

    /// The servers of a service in the order to try them (RFC 2782).
    async fn servers(&self, transport: Transport, service: &str, questions: &Questions) -> Vec<NamedServer> {
        let read = |data: &RData| {
            let RData::SRV(record) = data else { return None };
            Some(record.clone())
        };
        let mut records: Vec<SRV> = self.records(service, RecordType::SRV, read, questions).await;
        // A target of "." means that there is no such service.
        records.retain(|record| !record.target.is_root());
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let ordered = by_priority_and_weight(records, |most| {
            random.as_mut().map_or(0, |random| random.below(most + 1))
        });
        let place =
            |record: SRV| NamedServer { transport, host: record.target.to_ascii(), port: record.port };
        ordered.into_iter().map(place).collect()
    }

    /// Reachable addresses come first. Once one address family is known, the other is waited for only briefly.
    async fn addresses(&self, place: &NamedServer, questions: &Questions) -> Vec<SocketAddr> {
        let of_family = |kind: RecordType| async move {
            let mut ips = self.dns.ask(&place.host, kind, |data| data.ip_addr(), questions).await;
            ips.truncate(LOOKUP_HOPS_MAX);
            ips
        };
        let mut four = pin!(of_family(RecordType::A));
        let mut six = pin!(of_family(RecordType::AAAA));
        let wait = |known: &[IpAddr]| if known.is_empty() { LOOKUP_WAIT } else { OTHER_FAMILY_WAIT };
        let ips = tokio::select! {
            ips = &mut four => {
                let others = tokio::time::timeout(wait(&ips), six).await.unwrap_or_default();
                [ips, others].concat()
            }
            ips = &mut six => {
                let others = tokio::time::timeout(wait(&ips), four).await.unwrap_or_default();
                [others, ips].concat()
            }
        };
        let mut found: Vec<_> = ips.into_iter().map(|ip| SocketAddr::new(ip, place.port)).collect();
        found.sort_by_key(|remote| local_ip_towards(*remote).is_err());
        found
    }

    /// The records of a fully qualified name: this computer's search domains are not applied.
    async fn records<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: fn(&RData) -> Option<T>,
        questions: &Questions,
    ) -> Vec<T> {
        let whole = format!("{}.", name.trim_end_matches('.'));
        self.dns.ask(&whole, kind, read, questions).await
    }
}

/// The SRV name of a domain for a transport.
fn service(transport: Transport, host: &str) -> String {
    let labels = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp | Transport::Ws => "_sip._tcp",
        Transport::Tls | Transport::Wss => "_sips._tcp",
    };
    format!("{labels}.{host}")
}

/// The transport that a NAPTR service stands for (RFC 3263 §4.1).
fn offered_transport(service: &[u8]) -> Option<Transport> {
    [(&b"SIP+D2U"[..], Transport::Udp), (b"SIP+D2T", Transport::Tcp), (b"SIPS+D2T", Transport::Tls)]
        .into_iter()
        .find(|(name, _)| service.eq_ignore_ascii_case(name))
        .map(|(_, transport)| transport)
}

/// RFC 2782: the lowest priority first; within one, at random by weight. `upto` returns a number from 0 to its
/// argument.
fn by_priority_and_weight(mut records: Vec<SRV>, mut upto: impl FnMut(u64) -> u64) -> Vec<SRV> {
    // Records of weight 0 come first, so that they keep their small chance.
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut ordered = Vec::new();
    while let Some(first) = records.first() {
        let priority = first.priority;
        let group = || records.iter().take_while(|record| record.priority == priority);
        let total = group().map(|record| u64::from(record.weight)).sum();
        let wanted = upto(total);
        let mut sum = 0;
        let chosen = group().position(|record| {
            sum += u64::from(record.weight);
            sum >= wanted
        });
        ordered.push(records.remove(chosen.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_ordered_by_priority_and_chosen_by_weight() {
        let record = |priority, weight, port| SRV::new(priority, weight, port, "a.example.".parse().unwrap());
        let records = vec![record(20, 0, 5), record(10, 60, 1), record(10, 0, 2), record(10, 40, 3)];
        let ports = |chance: fn(u64) -> u64| {
            let ordered = by_priority_and_weight(records.clone(), chance);
            ordered.iter().map(|record| record.port).collect::<Vec<_>>()
        };
        assert_eq!(ports(|_| 0), [2, 3, 1, 5]);
        assert_eq!(ports(|most| most), [1, 3, 2, 5]);
        assert_eq!(ports(|most| most / 3), [3, 1, 2, 5]);
    }
}
