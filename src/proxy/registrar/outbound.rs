//! Whether a binding is reached at its Contact, or only over the flow that it was made on: a client behind a NAT, in a
//! browser, or with a connection of its own has no address that others can send to (RFC 5626, RFC 7118 §5.2).

use crate::machine::Flow;
use crate::proxy::journal::Reach;
use crate::sip::{NameAddr, Request, Transport, Uri};

/// The reg-id of a flow, if the client asks for RFC 5626 and the first hop, which is we or a proxy, keeps the flow (§6).
pub(crate) fn reg_id(request: &Request, contact: &NameAddr) -> Option<u32> {
    let is_asked = request.fields().has_token("Supported", "outbound") && is_kept(request);
    let number = contact.params.get("reg-id").filter(|_| is_asked)?;
    contact.params.get("+sip.instance")?;
    number.parse().ok().filter(|number| *number > 0)
}

/// True if a client asks for RFC 5626, but the first proxy on the way does not support it and would not keep the flow
/// (§6). One that does has `ob` in its Path, here the last one, since each proxy puts its own on top (RFC 3327 §5.2).
pub(crate) fn lacks_outbound(request: &Request, contact: &NameAddr) -> bool {
    let is_asked = request.fields().has_token("Supported", "outbound")
        && contact.params.has("reg-id")
        && contact.params.has("+sip.instance");
    is_asked && !is_kept(request)
}

/// True if the first hop keeps the flow of the client.
fn is_kept(request: &Request) -> bool {
    let first_hop = || request.fields().tokens("Path").last().and_then(|path| NameAddr::parse(path).ok());
    is_direct(request) || first_hop().is_some_and(|path| path.uri.param("ob").is_some())
}

/// How the client of a REGISTER is reached.
pub(crate) fn reach(request: &Request, contact: &NameAddr, flow: Flow) -> Reach {
    let is_by_flow = is_direct(request)
        && request.fields().first("Path").is_none()
        && (reg_id(request, contact).is_some()
            || is_browser(&contact.uri, flow)
            || is_own_end(&contact.uri, flow)
            || is_translated(request, &contact.uri, flow));
    if is_by_flow { Reach::Flow } else { Reach::Contact }
}

/// True if the caller of a session is reached over the flow of this request rather than at its Contact.
pub(crate) fn is_caller_by_flow(request: &Request, flow: Flow) -> bool {
    if flow.transport.is_reliable() {
        return is_direct(request);
    }
    // A session has one Contact (RFC 3261 §8.1.1.8). To look at all would let one request cost Contacts times Vias.
    request.fields().first_contact().is_some_and(|contact| reach(request, &contact, flow) == Reach::Flow)
}

/// True if there is no proxy between the client and us.
pub(crate) fn is_direct(request: &Request) -> bool {
    request.fields().tokens("Via").take(2).count() == 1
}

/// True for a browser, to which nobody can connect; its Contact has an `.invalid` host (RFC 7118 §5.2, RFC 2606 §2).
fn is_browser(contact: &Uri, flow: Flow) -> bool {
    matches!(flow.transport, Transport::Ws | Transport::Wss)
        || contact.host().to_ascii_lowercase().ends_with(".invalid")
}

/// True if the Contact is the client's end of this connection, where nothing listens.
fn is_own_end(contact: &Uri, flow: Flow) -> bool {
    flow.transport.is_reliable()
        && contact.ip() == Some(flow.remote.ip())
        && contact.port() == Some(flow.remote.port())
}

/// True if the client is behind a NAT unknown to it, so that its Contact is its private address (RFC 3581 §4).
fn is_translated(request: &Request, contact: &Uri, flow: Flow) -> bool {
    let via = request.fields().top_via();
    let Some(sent_by) = via.ip() else { return false };
    // A client that asks for `rport` receives on the port that it sends from.
    let is_symmetric = flow.transport == Transport::Udp && via.params.has("rport");
    let is_elsewhere = sent_by != flow.remote.ip().to_canonical()
        || (is_symmetric && via.port.unwrap_or_else(|| flow.transport.default_port()) != flow.remote.port());
    is_elsewhere && contact.ip() == Some(sent_by)
}
