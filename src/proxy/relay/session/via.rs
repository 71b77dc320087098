//! The Via of a request that passes statelessly, and the way back for its response (RFC 3261 §16.11, §18.2).

use std::net::{IpAddr, SocketAddr};

use crate::machine::{Flow, Hop};
use crate::proxy::core::Core;
use crate::proxy::transport::request_sender::NextHop;
use crate::sip::{Fields, Transport, Via};

/// A key that an INVITE shares with its CANCEL and with the ACK of its failure (§9.1, §17.1.1.3).
pub(super) fn invite_of(core: &Core, via: &Via, fields: &Fields) -> u128 {
    let (port, from, cseq) = (port_text(via), fields.from(), fields.cseq().to_string());
    let (tag, sender) = (from.tag().unwrap_or_default(), core.domains.person(&from.uri));
    let branch = via.branch().unwrap_or_default();
    core.secret.invite(&[branch, &via.host, &port, fields.call_id(), tag, sender.as_str(), &cseq])
}

fn port_text(via: &Via) -> String {
    via.port.map(|port| port.to_string()).unwrap_or_default()
}

/// Whether the sender of a request has shown that he receives where it says to come from. Its branch says so too, since
/// nothing else is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// By a connection or a nonce; or nobody asks him to.
    Proven,
    /// The source of a stranger's datagram may be forged.
    Unproven,
}

/// §16.11: computed from what a retransmission and every response have in common. It covers the whole way back, so that
/// nobody can send others a forged response, and the transport of the request, about which its own Via may lie.
pub(super) fn branch_of(
    core: &Core,
    (via, came_over): (&Via, Transport),
    (fields, caller): (&Fields, Caller),
) -> String {
    let (port, from, cseq) = (port_text(via), fields.from(), fields.cseq().to_string());
    let came_over = came_over.to_string();
    let mut parts = vec![
        via.branch().unwrap_or_default(),
        &via.transport,
        &came_over,
        &via.host,
        &port,
        via.params.get("received").unwrap_or_default(),
        via.params.get("rport").unwrap_or_default(),
        fields.call_id(),
        from.tag().unwrap_or_default(),
        &cseq,
    ];
    match caller {
        Caller::Proven => {}
        Caller::Unproven => parts.push("unproven"),
    }
    format!("{}.{came_over}", core.secret.session_branch(&parts))
}

/// The branch as it is sent to one place: who repeats it has received it there, whoever else knows the rest of it.
pub(super) fn at_place(core: &Core, branch: &str, place: SocketAddr) -> String {
    format!("{branch}.{}", core.secret.sent_to(branch, place))
}

/// The transport over which the request with this branch of ours came, and what is known of its sender; `None` if that
/// branch is not ours for that way back.
pub(super) fn came_by(
    core: &Core,
    branch: &str,
    (via, fields): (&Via, &Fields),
) -> Option<(Transport, Caller)> {
    let transport = Transport::parse(branch.rsplit_once('.')?.1)?;
    let callers = [Caller::Proven, Caller::Unproven];
    let caller = callers.into_iter().find(|it| branch_of(core, (via, transport), (fields, *it)) == branch)?;
    Some((transport, caller))
}

pub(super) fn with_source(mut via: Via, from: Flow) -> Via {
    via.params
        .0
        .retain(|(name, _)| !["received", "rport"].iter().any(|ours| name.eq_ignore_ascii_case(ours)));
    via.params.0.push(("received".to_owned(), Some(from.remote.ip().to_string())));
    via.params.0.push(("rport".to_owned(), Some(from.remote.port().to_string())));
    via
}

/// The way back for a response, by the Via that we completed: over the connection of its request; if that is gone, over
/// a new one to where the client listens (§18.2.2); over UDP, to where the request came from (RFC 3581 §4).
pub(super) fn way_back(core: &Core, via: &Via, transport: Transport) -> Option<NextHop> {
    let ip: IpAddr = via.params.get("received")?.parse().ok()?;
    let remote = SocketAddr::new(ip, via.params.get("rport")?.parse().ok()?);
    let listens = SocketAddr::new(ip, via.port.unwrap_or_else(|| transport.default_port()));
    // If its Via names another transport, the port is that transport's too.
    let is_said = Transport::parse(&via.transport) == Some(transport);
    match (core.sender.stream_to(Hop { transport, remote }), transport) {
        (Some(flow), _) => Some(NextHop::Flow(flow)),
        (None, Transport::Udp) => Some(NextHop::Hop(Hop { transport, remote })),
        (None, Transport::Tcp | Transport::Tls) => {
            is_said.then_some(NextHop::Hop(Hop { transport, remote: listens }))
        }
        // Nobody connects to a browser (RFC 7118 §5.2).
        (None, Transport::Ws | Transport::Wss) => None,
    }
}
