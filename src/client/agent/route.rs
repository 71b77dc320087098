//! Which flow a request leaves on, by its size (RFC 3261 §18.1.1, W4).

use bytes::Bytes;

use super::core::Core;
use super::server_connection::Stream;
use crate::limits::{DATAGRAM_PAYLOAD_BYTES_MAX, UDP_REQUEST_BYTES_MAX};
use crate::machine::Flow;
use crate::sip::Transport;

/// A request ready to leave.
#[derive(Debug)]
pub(crate) struct Printed {
    /// What it leaves on.
    pub(crate) flow: Flow,
    /// Of its Via.
    pub(crate) branch: String,
    /// The request.
    pub(crate) bytes: Bytes,
}

/// Where a request goes now.
#[derive(Debug)]
pub(crate) enum Route {
    /// It can leave.
    Leave(Printed),
    /// It waits for a connection, as it is large.
    AwaitConnection,
    /// No datagram holds it, and there is no connection.
    TooLarge,
    /// It may leave over TLS alone, and there is none (W32).
    NoTls,
    /// There is no way to the proxy.
    NoLine,
}

/// What a request may leave on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// What there is.
    Any,
    /// TLS alone (W32).
    Tls,
}

/// The way for a request that is printed for a flow. None when it cannot be printed.
pub(crate) fn route(
    core: &mut Core,
    wanted: Wanted,
    print: impl Fn(&mut Core, Flow) -> Option<Printed>,
) -> Option<Route> {
    let Some(main) = core.line.main() else {
        return Some(Route::NoLine);
    };
    if wanted == Wanted::Tls && !core.line.is_secure() {
        return Some(Route::NoTls);
    }
    let printed = print(core, main)?;
    // A large request needs a transport with congestion control, if there is one.
    if main.transport != Transport::Udp || printed.bytes.len() <= UDP_REQUEST_BYTES_MAX {
        return Some(Route::Leave(printed));
    }
    Some(match core.line.stream() {
        Stream::Open(stream) => Route::Leave(print(core, stream)?),
        Stream::Closed | Stream::Opening { .. } => Route::AwaitConnection,
        Stream::Refused if printed.bytes.len() > DATAGRAM_PAYLOAD_BYTES_MAX => Route::TooLarge,
        Stream::Refused => Route::Leave(printed),
    })
}
