//! Chooses the flow for a request, by its size (RFC 3261 §18.1.1, W4); the registrar as the target of a request.

use bytes::Bytes;

use super::core::Core;
use super::server_connection::Stream;
use crate::limits::{DATAGRAM_PAYLOAD_BYTES_MAX, UDP_REQUEST_BYTES_MAX};
use crate::machine::Flow;
use crate::sip::{Transport, Uri};

/// A request ready to leave.
#[derive(Debug)]
pub(crate) struct Printed {
    /// The flow it leaves on.
    pub(crate) flow: Flow,
    /// The branch in its Via.
    pub(crate) branch: String,
    /// The request.
    pub(crate) bytes: Bytes,
}

/// How a request can be sent now.
#[derive(Debug)]
pub(crate) enum Route {
    /// It can leave.
    Leave(Printed),
    /// It is too large for a datagram and waits for a connection.
    AwaitConnection,
    /// No datagram can hold it, and no connection is available.
    TooLarge,
    /// It may leave over TLS only, and there is none (W32).
    NoTls,
    /// There is no flow to the proxy.
    NoLine,
}

/// The transports that a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Any that is available.
    Any,
    /// Only TLS (W32).
    Tls,
}

/// The route for a request; `print` prints it for a given flow. None if it cannot be printed.
pub(crate) fn route(
    core: &mut Core,
    wanted: Wanted,
    print: impl Fn(&mut Core, Flow) -> Option<Printed>,
) -> Option<Route> {
    let Some(main) = core.server.main() else {
        return Some(Route::NoLine);
    };
    if wanted == Wanted::Tls && !core.server.is_secure() {
        return Some(Route::NoTls);
    }
    let printed = print(core, main)?;
    // A large request needs a transport with congestion control, if one is available.
    if main.transport != Transport::Udp || printed.bytes.len() <= UDP_REQUEST_BYTES_MAX {
        return Some(Route::Leave(printed));
    }
    Some(match core.server.stream() {
        Stream::Open(stream) => Route::Leave(print(core, stream)?),
        Stream::Closed | Stream::Opening { .. } => Route::AwaitConnection,
        Stream::Refused if printed.bytes.len() > DATAGRAM_PAYLOAD_BYTES_MAX => Route::TooLarge,
        Stream::Refused => Route::Leave(printed),
    })
}

/// The registrar's own URI (RFC 3261 §10.2): our domain, without the user.
pub(crate) fn domain_of(own: &Uri) -> Uri {
    let port = own.port().map(|port| format!(":{port}")).unwrap_or_default();
    Uri::parse(&format!("sip:{}{port}", own.host())).unwrap_or_else(|_| own.clone())
}
