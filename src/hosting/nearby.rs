//! The servers that others host in the local network, as long as somebody wants to know.
//!
//! What is found is shown and proves nothing: anybody in the network can call a server of his what he likes. The certificate
//! does, once the user has compared its fingerprint.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mdns_sd::{ResolvedService, ServiceDaemon, ServiceEvent};

use super::address::is_near;
use super::mdns::{DOMAIN_KEY, TLS_SERVICE, UDP_SERVICE, end, is_flooded};
use crate::config::text::domain;
use crate::limits::{HOSTED_NAME_BYTES_MAX, NEARBY_LOOK, NEARBY_MAX, NEARBY_PAUSE};
use crate::model::hosting::{NearbyBoard, NearbyServer};
use crate::time::Clock;

/// How long one wait for an answer is.
const PATIENCE: Duration = Duration::from_millis(250);

type Wake = Arc<dyn Fn() + Send + Sync>;

/// What the thread and the board share.
#[derive(Clone)]
struct Search {
    found: Arc<Mutex<Vec<NearbyServer>>>,
    is_wanted: Arc<AtomicBool>,
    /// There is a thread.
    runs: Arc<AtomicBool>,
    wake: Wake,
    clock: Clock,
}

/// Nothing is searched until the board is asked to; then `wake` is called when something was found.
#[must_use]
pub fn search(wake: Wake) -> NearbyBoard {
    let search = Search {
        found: Arc::default(),
        is_wanted: Arc::default(),
        runs: Arc::default(),
        wake,
        clock: Clock::start(),
    };
    let found = Arc::clone(&search.found);
    NearbyBoard::new(found, move |is_wanted| {
        search.is_wanted.store(is_wanted, Ordering::SeqCst);
        if is_wanted && !search.runs.swap(true, Ordering::SeqCst) {
            let work = search.clone();
            let started = std::thread::Builder::new().name("nearby".to_owned()).spawn(move || work.run());
            if let Err(error) = started {
                tracing::warn!(%error, "servers nearby are not looked for");
                search.runs.store(false, Ordering::SeqCst);
            }
        }
    })
}

impl Search {
    fn wanted(&self) -> bool {
        self.is_wanted.load(Ordering::SeqCst)
    }

    fn run(&self) {
        loop {
            while self.wanted() {
                if let Err(error) = self.listen() {
                    tracing::warn!(%error, "servers nearby cannot be looked for");
                }
                self.change(Vec::clear);
                self.pause();
            }
            self.runs.store(false, Ordering::SeqCst);
            // Somebody may have wanted it since.
            if !self.wanted() || self.runs.swap(true, Ordering::SeqCst) {
                return;
            }
        }
    }

    fn pause(&self) {
        let until = self.clock.now().mono + NEARBY_PAUSE;
        while self.wanted() && self.clock.now().mono < until {
            std::thread::sleep(PATIENCE);
        }
    }

    /// Listens as long as that is wanted, and until there is too much.
    fn listen(&self) -> mdns_sd::Result<()> {
        let daemon = ServiceDaemon::new()?;
        let (tls, udp) = (daemon.browse(TLS_SERVICE)?, daemon.browse(UDP_SERVICE)?);
        let mut counted = self.clock.now().mono;
        while self.wanted() {
            let news =
                tls.recv_timeout(PATIENCE).ok().into_iter().chain(tls.try_iter()).chain(udp.try_iter());
            news.for_each(|event| self.take(event));
            let now = self.clock.now().mono;
            if now >= counted + NEARBY_LOOK {
                counted = now;
                if is_flooded(&daemon) {
                    tracing::warn!("too much mDNS: servers nearby are not looked for for a while");
                    break;
                }
            }
        }
        end(&daemon);
        Ok(())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the library may add to its events")]
    fn take(&self, event: ServiceEvent) {
        match event {
            ServiceEvent::ServiceResolved(service) => {
                if let Some(server) = read(&service) {
                    self.change(|found| put(found, server));
                }
            }
            ServiceEvent::ServiceRemoved(service, full) => {
                let name = instance(&full, &service);
                self.change(|found| found.retain(|known| Some(&known.name) != name.as_ref()));
            }
            _ => {}
        }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<NearbyServer>)) {
        change(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner));
        (self.wake)();
    }
}

/// One entry for a name: TLS is better than UDP, and a further server is ignored where there are enough.
fn put(found: &mut Vec<NearbyServer>, server: NearbyServer) {
    if let Some(known) = found.iter_mut().find(|known| known.name == server.name) {
        if server.is_encrypted() || !known.is_encrypted() {
            *known = server;
        }
    } else if found.len() < NEARBY_MAX {
        found.push(server);
        found.sort_by(|one, other| one.name.cmp(&other.name));
    }
}

/// What a service says of itself; none if it does not make sense, or leads out of the local network.
fn read(service: &ResolvedService) -> Option<NearbyServer> {
    let name = instance(&service.fullname, &service.ty_domain)?;
    let domain = domain(service.get_property_val_str(DOMAIN_KEY)?).ok()?;
    let mut near: Vec<Ipv4Addr> = service.get_addresses_v4().into_iter().filter(|ip| is_near(*ip)).collect();
    near.sort_unstable();
    let transport = if service.ty_domain == TLS_SERVICE { "tls" } else { "udp" };
    let place = SocketAddrV4::new(*near.first()?, service.port);
    (place.port() != 0).then(|| NearbyServer { name, domain, server: format!("{transport}:{place}") })
}

/// The name of a service without its type, and without the escapes of DNS.
fn instance(full: &str, service: &str) -> Option<String> {
    let escaped = full.strip_suffix(service)?.strip_suffix('.')?;
    let mut name = String::new();
    let mut letters = escaped.chars();
    while let Some(letter) = letters.next() {
        name.push(if letter == '\\' { letters.next()? } else { letter });
    }
    (!name.trim().is_empty() && name.len() <= HOSTED_NAME_BYTES_MAX).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mdns_sd::ServiceInfo;

    fn service(kind: &str, name: &str, ip: &str, port: u16, domain: &str) -> ResolvedService {
        let text = [(DOMAIN_KEY, domain)];
        ServiceInfo::new(kind, name, "host.local.", ip, port, &text[..]).unwrap().as_resolved_service()
    }

    #[test]
    fn a_service_is_offered_only_if_it_is_near_and_makes_sense() {
        let found = read(&service(TLS_SERVICE, "James's office", "10.9.0.2", 5061, "office.local")).unwrap();
        assert_eq!(
            (found.name.as_str(), found.domain.as_str(), found.server.as_str()),
            ("James's office", "office.local", "tls:10.9.0.2:5061")
        );
        let dotted = read(&service(UDP_SERVICE, "No. 1\\2", "192.168.1.5", 5060, "x.local")).unwrap();
        assert_eq!((dotted.name.as_str(), dotted.server.as_str()), ("No. 1\\2", "udp:192.168.1.5:5060"));
        for (name, ip, port, domain) in [
            ("Far", "203.0.113.5", 5061, "office.local"),
            ("Here", "127.0.0.1", 5061, "office.local"),
            ("No port", "10.9.0.2", 0, "office.local"),
            ("No domain", "10.9.0.2", 5061, "two words"),
            (" ", "10.9.0.2", 5061, "office.local"),
            (&"x".repeat(64), "10.9.0.2", 5061, "office.local"),
        ] {
            assert_eq!(read(&service(TLS_SERVICE, name, ip, port, domain)), None, "{name}");
        }
    }

    #[test]
    fn so_many_are_offered_and_tls_is_better() {
        let server = |name: &str, server: &str| NearbyServer {
            name: name.to_owned(),
            domain: "x.local".to_owned(),
            server: server.to_owned(),
        };
        let mut found = Vec::new();
        for transport in ["udp:1", "tls:1", "udp:2"] {
            put(&mut found, server("One", transport));
        }
        assert_eq!(found, [server("One", "tls:1")]);
        (0..100).for_each(|number| put(&mut found, server(&format!("Office {number}"), "tls:1")));
        assert_eq!(found.len(), NEARBY_MAX);
    }
}
