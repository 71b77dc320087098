//! The Route that we record in a dialog, and how it is known again (RFC 3261 §16.6 step 4, §16.4; W29).

use super::core::Core;
use crate::machine::Flow;
use crate::sip::{Request, Transport};

/// The parameter that says whose dialog it is.
const DIALOG: &str = "d";

/// Our Record-Route for a dialog whose request leaves on this flow.
pub(super) fn record_route(core: &Core, call_id: &str, flow: Flow) -> String {
    let sockets = core.carrier.sockets();
    let over = if sockets.local(Transport::Udp, flow.remote).is_some() { "" } else { ";transport=tcp" };
    format!("<sip:{}{over};lr;{DIALOG}={}>", sockets.sent_by(flow), core.secret.dialog(call_id))
}

/// True where the topmost Route is ours, recorded in this very dialog: who has it may pass.
pub(super) fn is_routed(core: &Core, request: &Request) -> bool {
    let routes = request.fields().routes("Route").unwrap_or_default();
    routes.first().is_some_and(|route| {
        let expected = core.secret.dialog(request.fields().call_id());
        core.domains.serving(&route.uri).is_some() && route.uri.param(DIALOG) == Some(expected.as_str())
    })
}
