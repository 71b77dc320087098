//! The servers through which our registrar wants our messages to go (Service-Route, RFC 3608).
//!
//! They leave on the flow that we registered on all the same; the servers are named in Route.

use crate::limits::{SERVICE_ROUTE_BYTES_MAX, SERVICE_ROUTES_MAX};
use crate::sip::{Compose, Fields, NameAddr};

/// What the latest registration said; empty if it said nothing.
#[derive(Debug, Default)]
pub(crate) struct ServiceRoute(Vec<String>);

impl ServiceRoute {
    /// As a registrar's success says it (RFC 3608 §6.1). One that cannot be followed as a whole counts as none.
    pub(crate) fn of(fields: &Fields) -> Self {
        let read = |text: &str| {
            let server = NameAddr::parse(text).ok()?.uri;
            let is_loose = server.is_sip_or_sips() && server.param("lr").is_some();
            (is_loose && text.len() <= SERVICE_ROUTE_BYTES_MAX).then(|| format!("<{server}>"))
        };
        let servers = fields.tokens("Service-Route").take(SERVICE_ROUTES_MAX + 1);
        let all: Option<Vec<String>> = servers.map(read).collect();
        Self(all.filter(|all| all.len() <= SERVICE_ROUTES_MAX).unwrap_or_default())
    }

    /// Names the servers in a request, in their order.
    pub(crate) fn put(&self, begun: Compose) -> Compose {
        self.0.iter().fold(begun, |begun, server| begun.field("Route", server))
    }
}
