//! How a flow and a name are written into the user part and the parameter of a Route of ours.

use std::net::{IpAddr, SocketAddr};

use crate::machine::{ConnectionId, Flow};
use crate::proxy::core::Core;

/// A flow as the user part of a URI; a stream by its number, which no other run of the process uses.
pub(super) fn mark_of(flow: Flow) -> String {
    match flow.connection {
        Some(connection) => format!("c{:x}", connection.0),
        None => format!("u{}-{}", place(flow.local), place(flow.remote)),
    }
}

fn place(address: SocketAddr) -> String {
    format!("{}_{}", address.ip(), address.port()).replace(':', "_")
}

/// The flow that a mark stands for, while it can be used.
pub(super) fn flow_of(core: &Core, mark: &str) -> Option<Flow> {
    if let Some(number) = mark.strip_prefix('c') {
        return core.sender.stream(ConnectionId(u64::from_str_radix(number, 16).ok()?));
    }
    let (local, remote) = mark.strip_prefix('u')?.split_once('-')?;
    let flow = Flow::udp(address(local)?, address(remote)?);
    core.sender.is_usable(flow).then_some(flow)
}

fn address(place: &str) -> Option<SocketAddr> {
    let (ip, port) = place.rsplit_once('_')?;
    let ip: IpAddr = ip.replace('_', ":").parse().ok()?;
    Some(SocketAddr::new(ip, port.parse().ok()?))
}

/// Hex-encodes a text for a parameter, so that nothing on the way has a reason to rewrite it.
pub(super) fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn unhex(text: &str) -> Option<String> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    String::from_utf8(bytes).ok().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_read_back_and_nothing_else_is() {
        for name in ["", "bob@domain.com", "b\u{00fc}cher;x=1@[2001:db8::1]"] {
            assert_eq!(unhex(&hex(name)).as_deref(), Some(name));
        }
        assert_eq!(hex("bob"), "626f62");
        for broken in ["6", "6g", "626f6", "ff", "\u{0661}\u{0661}"] {
            assert_eq!(unhex(broken), None, "{broken}");
        }
    }
}
