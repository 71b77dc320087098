//! Tells the local network of the hosted server.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};

use super::mdns::{DOMAIN_KEY, TLS_SERVICE, UDP_SERVICE, end, is_flooded};
use super::settings::Hosted;
use crate::limits::NEARBY_PAUSE;

/// What is told, until this is dropped.
pub(super) struct Announcement {
    hosted: Hosted,
    address: Ipv4Addr,
    daemon: Option<ServiceDaemon>,
    /// When it is told again, after there was too much of others.
    again: Option<Instant>,
}

impl Announcement {
    /// Begins to tell; where that is not possible, the server is found by its address only.
    pub(super) fn start(hosted: &Hosted, address: Ipv4Addr) -> Self {
        let mut announcement = Self { hosted: hosted.clone(), address, daemon: None, again: None };
        announcement.tell();
        announcement
    }

    fn tell(&mut self) {
        self.daemon = begin(&self.hosted, self.address)
            .inspect_err(|error| tracing::warn!(%error, "the local network is not told of this server"))
            .ok();
    }

    /// To be called from time to time: keeps what others send within its bound.
    pub(super) fn look(&mut self, now: Instant) {
        if self.again.is_some_and(|again| again <= now) {
            self.again = None;
            self.tell();
        }
        if let Some(daemon) = self.daemon.take_if(|daemon| is_flooded(daemon)) {
            tracing::warn!("too much mDNS: the local network is not told of this server for a while");
            end(&daemon);
            self.again = Some(now + NEARBY_PAUSE);
        }
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        self.daemon.iter().for_each(end);
    }
}

fn begin(hosted: &Hosted, address: Ipv4Addr) -> mdns_sd::Result<ServiceDaemon> {
    let daemon = ServiceDaemon::new()?;
    let ip = IpAddr::V4(address);
    daemon.disable_interface(IfKind::All)?;
    daemon.enable_interface(IfKind::Addr(ip))?;
    let host = format!("{}.", hosted.domain);
    let text = [(DOMAIN_KEY, hosted.domain.as_str())];
    for (service, port) in [(TLS_SERVICE, hosted.tls_port), (UDP_SERVICE, hosted.port)] {
        daemon.register(ServiceInfo::new(service, &hosted.name, &host, ip, port, &text[..])?)?;
    }
    Ok(daemon)
}
