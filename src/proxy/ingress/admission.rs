//! Refuses before any work is done, and classifies requests (W13, W14, W31; RFC 3261 §8.2, §16.3).

use crate::limits::{ADDRESSES_PER_RECIPIENT_MAX, UNSUPPORTED_TOLD_MAX};
use crate::machine::Flow;
use crate::proxy::core::{ALLOW, Core, Rejection};
use crate::proxy::dispatch::Dispatches;
use crate::proxy::dispatch::submission::{Lists, Submission, has_list, is_submission};
use crate::proxy::event::RefusalKind;
use crate::proxy::guard::load::Pressure;
use crate::proxy::identity;
use crate::proxy::own_route::{Ahead, OwnRoutes, check_routes};
use crate::sip::{Method, RECIPIENT_LIST, Request, SECONDARY_TO, Scheme, Uri, recipients, with_secondary_to};
use crate::time::Now;
use crate::transaction::ServerKey;

use crate::proxy::routing::router::is_routable;

/// What a request asks for.
#[derive(Debug)]
pub(crate) enum Purpose {
    Register,
    /// OPTIONS for the proxy itself.
    Options,
    /// One MESSAGE to many recipients; only the header fields that say so have been read.
    Submission,
    /// An ordinary request for somebody.
    Relay,
}

/// The key of a request that gets a 503 before any work: it is new during overload, or it is the retransmission of one
/// that was turned away. A request that was accepted before is never among them (W12, W13, W31).
pub(crate) fn turned_away(
    core: &Core,
    dispatches: &Dispatches,
    (request, flow): (&Request, Flow),
    now: Now,
) -> Option<ServerKey> {
    let pressure = core.load.pressure(now.mono);
    if pressure == Pressure::Calm && core.load.is_clear() && !dispatches.is_full() {
        return None;
    }
    let is_message = *request.method() == Method::Message;
    let is_refused = match pressure {
        Pressure::Calm => is_message && dispatches.is_full(),
        Pressure::Busy => is_message,
        Pressure::Swamped => *request.method() != Method::Ack,
    };
    let (key, is_served) = core.sender.key_of(request, flow);
    if core.load.has_turned_away(key) {
        return Some(key);
    }
    let may_be = || is_submission(request) || has_list(request);
    let is_known = || is_served || (may_be() && dispatches.double_of(core, request).is_some());
    (is_refused && !is_known()).then_some(key)
}

/// Classifies a new request, or refuses it.
pub(crate) fn admit(
    core: &Core,
    (request, own): (&Request, &OwnRoutes),
    flow: Flow,
    now: Now,
) -> Result<Purpose, Rejection> {
    identity::check_from(core, request, flow)?;
    if request.bytes().len() > core.config.message_bytes_max {
        return Err(Rejection::new(413));
    }
    // Whether a telephone number can be reached is decided later, since a gateway may be set or not.
    if !is_routable(request.uri()) && *request.uri().scheme() != Scheme::Tel {
        return Err(Rejection::new(416));
    }
    check_required(request, "Proxy-Require", &[SECONDARY_TO])?;
    check_routes(request)?;
    let hops_left = request.fields().max_forwards()?.unwrap_or(70);
    match request.method() {
        Method::Register => {
            check_required(request, "Require", &["path", "outbound"]).map(|()| Purpose::Register)
        }
        Method::Options if hops_left == 0 || is_ours(core, request.uri()) => {
            check_required(request, "Require", &[]).map(|()| Purpose::Options)
        }
        Method::Message | Method::Options if hops_left == 0 => Err(Rejection::new(483)),
        // W26: a message to another server's list service is an ordinary one.
        Method::Message if has_list(request) && core.domains.serving(request.uri()).is_some() => {
            check_required(request, "Require", &[RECIPIENT_LIST])?;
            check_submitter(core, request, flow)
        }
        Method::Message if is_submission(request) || is_to_list(core, request)? => {
            check_submitter(core, request, flow)
        }
        Method::Message | Method::Options => relay(core, (request, own), flow, now),
        Method::Invite | Method::Ack | Method::Bye | Method::Cancel | Method::Subscribe | Method::Notify => {
            Err(Rejection::new(405).with("Allow", ALLOW))
        }
        Method::Other(_) => Err(Rejection::new(501).with("Allow", ALLOW)),
    }
}

/// Limits the rate of an untrusted sender, submissions and ordinary messages together (W31). A repetition does not
/// count, so this is checked after those are found.
pub(crate) fn check_rate(core: &mut Core, request: &Request, flow: Flow, now: Now) -> Result<(), Rejection> {
    let Some(max) = core.config.submissions_per_sec_max else {
        return Ok(());
    };
    if *request.method() != Method::Message || core.config.trusts(flow) {
        return Ok(());
    }
    let sender = core.domains.person(&request.fields().from().uri);
    if core.rates.allows(&sender, max, now.mono) { Ok(()) } else { Err(Rejection::busy()) }
}

/// Refuses a sender who may not submit, before the list of recipients is read.
fn check_submitter(core: &Core, request: &Request, flow: Flow) -> Result<Purpose, Rejection> {
    if may_send(core, request, flow) {
        Ok(Purpose::Submission)
    } else {
        Err(denied(core, (request, flow), "Not A User Of This Proxy"))
    }
}

/// Reads a submission, with its recipients in the header or in the body (W26). That costs time in proportion to the
/// request, so its sender must be authenticated first.
pub(crate) fn read_submission(core: &Core, request: &Request) -> Result<Submission, Rejection> {
    if has_list(request) && core.domains.serving(request.uri()).is_some() {
        let submission = submission(core, &with_secondary_to(request)?)?;
        return Ok(submission.answering(request.clone()));
    }
    submission(core, request)
}

fn submission(core: &Core, request: &Request) -> Result<Submission, Rejection> {
    let all = recipients(request.fields())?;
    let max = core.config.recipients_max;
    let too_many = || {
        let agent = core.domains.first().unwrap_or("proxy");
        Rejection::because(403, "Too Many Recipients")
            .with("Warning", format!("399 {agent} \"at most {max} recipients\""))
    };
    // Checked before the addresses are compared with each other.
    if all.len() > max.saturating_mul(ADDRESSES_PER_RECIPIENT_MAX) {
        return Err(too_many());
    }
    let lists = Lists::Table(&core.aliases);
    let submission = Submission::to(all, request.clone(), &core.domains, core.secret, lists)?;
    if submission.recipients.len() > max {
        return Err(too_many());
    }
    let breadth =
        request.fields().max_breadth().map(|breadth| usize::try_from(breadth).unwrap_or(usize::MAX));
    if breadth.is_some_and(|breadth| submission.recipients.len() > breadth) {
        return Err(Rejection::new(440));
    }
    Ok(submission)
}

/// True for an ordinary message to an address that stands for several (W16).
fn is_to_list(core: &Core, request: &Request) -> Result<bool, Rejection> {
    let members = core.aliases.members(request.uri(), &core.domains)?;
    Ok(members.is_some_and(|members| members.len() > 1))
}

/// Who may write to whom: anybody to our users; only our users and trusted peers to others, or along a Route of others;
/// and within a dialog, each party to the other (W29).
fn relay(
    core: &Core,
    (request, own): (&Request, &OwnRoutes),
    flow: Flow,
    now: Now,
) -> Result<Purpose, Rejection> {
    let is_to_ours = !own.has_way() && core.domains.serving(request.uri()).is_some();
    let is_known = || own.is_recorded(now) && Ahead::of(request, own).is_known(core, request, now);
    if is_to_ours || may_send(core, request, flow) || is_known() {
        Ok(Purpose::Relay)
    } else {
        Err(relaying_denied(core, request, flow))
    }
}

/// 403 for a sender who may not write to others (W13); the operator is told.
pub(crate) fn relaying_denied(core: &Core, request: &Request, flow: Flow) -> Rejection {
    denied(core, (request, flow), "Relaying Denied")
}

fn denied(core: &Core, (request, flow): (&Request, Flow), reason: &str) -> Rejection {
    // Help for an operator who trusts that peer, but not over UDP.
    let is_named = core.config.names(flow.remote.ip()) && !core.config.trusts(flow);
    let reason = if is_named { "Not Trusted Over UDP" } else { reason };
    let sender = core.domains.person(&request.fields().from().uri);
    Rejection::because(403, reason).telling(RefusalKind::RelayDenied, &sender)
}

/// W14: a user of a served domain (by From, to be proved if we have users), or a trusted peer.
pub(crate) fn may_send(core: &Core, request: &Request, flow: Flow) -> bool {
    core.domains.claimed(&request.fields().from().uri).is_some() || core.config.trusts(flow)
}

/// True for a URI of the proxy itself: one of its domains or addresses, without a user part.
fn is_ours(core: &Core, uri: &Uri) -> bool {
    uri.user().is_none() && core.domains.serving(uri).is_some()
}

/// 420 with the option tags that we do not know (RFC 3261 §8.2.2.3, §16.3).
pub(crate) fn check_required(request: &Request, field: &str, known: &[&str]) -> Result<(), Rejection> {
    let unknown: Vec<_> = request
        .fields()
        .tokens(field)
        .filter(|token| !known.iter().any(|known| known.eq_ignore_ascii_case(token)))
        .take(UNSUPPORTED_TOLD_MAX)
        .collect();
    if unknown.is_empty() { Ok(()) } else { Err(Rejection::new(420).with("Unsupported", unknown.join(", "))) }
}
