//! Bounds of what passes without a transaction: what a place gets that may never have agreed to be sent to (RFC 9000
//! §8), and what one call makes us pass of the methods that no other limit counts (W31).

use std::net::IpAddr;

use super::via::{Caller, invite_of};
use crate::limits::{
    SESSION_ACKS_MAX, SESSION_BYES_MAX, SESSION_CANCELS_MAX, SESSION_RESPONSES_MAX, UNCHALLENGED_BYTES_MAX,
    USER_INVITE_TRANSMISSIONS_MAX,
};
use crate::machine::Flow;
use crate::proxy::core::{Core, Rejection};
use crate::proxy::identity;
use crate::proxy::own_route::{Ahead, OwnRoutes};
use crate::proxy::routing::calls::Passed;
use crate::proxy::routing::router::Target;
use crate::proxy::transport::request_sender::{Consent, NextHop};
use crate::proxy::transport::validation::Allowance;
use crate::sip::{Method, Request, Transport, Via};
use crate::time::Now;

/// Refuses a large ACK or CANCEL, whose sender cannot be asked for credentials, and a large BYE, which a stranger may
/// send at any rate.
pub(super) fn check_size(request: &Request) -> Result<(), Rejection> {
    let is_bounded = matches!(request.method(), Method::Ack | Method::Cancel | Method::Bye);
    if is_bounded && request.bytes().len() > UNCHALLENGED_BYTES_MAX {
        return Err(Rejection::new(413));
    }
    Ok(())
}

/// Counts a request that may pass; a trusted peer's are not counted.
pub(super) fn count(
    core: &mut Core,
    (request, own): (&Request, &OwnRoutes),
    flow: Flow,
    now: Now,
) -> Result<(), Rejection> {
    if core.config.trusts(flow) {
        return Ok(());
    }
    let most = match request.method() {
        Method::Ack => ("ACK", SESSION_ACKS_MAX),
        Method::Bye => ("BYE", SESSION_BYES_MAX),
        Method::Cancel => ("CANCEL", SESSION_CANCELS_MAX),
        Method::Invite
        | Method::Message
        | Method::Register
        | Method::Notify
        | Method::Options
        | Method::Subscribe
        | Method::Other(_) => return count_elsewhere(core, (request, own), flow, now),
    };
    count_in_call(core, request, most, (flow, now))
}

/// Counts a request of a user of ours to an address of others that this user named, or the other party of his call, by
/// the user; the retransmissions of
/// an INVITE by that INVITE.
fn count_elsewhere(
    core: &mut Core,
    (request, own): (&Request, &OwnRoutes),
    flow: Flow,
    now: Now,
) -> Result<(), Rejection> {
    let fields = request.fields();
    let is_users = core.users.asks() && core.domains.claimed(&fields.from().uri).is_some();
    let is_ours = !own.has_way() && core.domains.aor(request.uri()).is_some();
    // In a dialog, whoever answered may have named any place.
    let is_to_device = || own.is_recorded(now) && Ahead::of(request, own).is_to_device(core, now);
    if !is_users || is_ours || is_to_device() {
        return Ok(());
    }
    let invite = invite_of(core, &fields.top_via(), fields);
    let is_again = *request.method() == Method::Invite && core.calls.went_to(invite, now.mono).is_some();
    let is_within = if is_again {
        core.calls.spend(invite, USER_INVITE_TRANSMISSIONS_MAX - 1, flow.remote.ip(), now.mono)
    } else {
        let user = core.secret.user(&identity::sender(core, request, flow));
        core.calls.may_call_elsewhere(user, now.mono)
    };
    if is_within { Ok(()) } else { Err(Rejection::busy()) }
}

/// Counts a BYE, ACK or CANCEL by its call and its sender. Whoever
/// sends it cannot choose another Call-ID or sender: the seal of our Route covers both, and so does the key of an
/// INVITE.
fn count_in_call(
    core: &mut Core,
    request: &Request,
    (method, most): (&str, u32),
    (flow, now): (Flow, Now),
) -> Result<(), Rejection> {
    let fields = request.fields();
    let sender = core.domains.person(&fields.from().uri);
    let key = core.secret.party(&[fields.call_id(), sender.as_str(), method]);
    let is_within = core.calls.spend(key, most, flow.remote.ip(), now.mono);
    if is_within { Ok(()) } else { Err(Rejection::busy()) }
}

/// What is known of the sender of a request, once it may pass: a user of ours has proved himself, unless the method is one
/// that cannot be challenged.
pub(super) fn caller(core: &Core, request: &Request, flow: Flow) -> Caller {
    let proves = !matches!(request.method(), Method::Ack | Method::Cancel);
    let is_user = || proves && core.domains.claimed(&request.fields().from().uri).is_some();
    let is_known =
        flow.transport.is_reliable() || core.router().consent(flow) == Consent::NotNeeded || is_user();
    if is_known { Caller::Proven } else { Caller::Unproven }
}

/// Responses to a request of this branch may pass back. A CANCEL is answered under the branch of its INVITE, and an ACK is
/// not answered.
pub(super) fn expect_responses(core: &mut Core, request: &Request, (flow, branch): (Flow, &str), now: Now) {
    let is_answered = !matches!(request.method(), Method::Ack | Method::Cancel);
    if is_answered && caller(core, request, flow) == Caller::Unproven {
        let key = responses_key(core, branch);
        core.calls.expect_responses(key, flow.remote.ip(), now.mono);
    }
}

/// Whether one more response may go back to where a request came from; counts it if it may. Over a connection, and to a
/// trusted peer, each one may.
pub(super) fn may_pass_back(
    core: &mut Core,
    (branch, caller, transport): (&str, Caller, Transport),
    (via, bytes): (&Via, usize),
    now: Now,
) -> bool {
    let Some(address) = via.params.get("received").and_then(|ip| ip.parse::<IpAddr>().ok()) else {
        return false;
    };
    let key = responses_key(core, branch);
    match caller {
        Caller::Unproven => core.calls.takes_response((key, address), bytes, now.mono),
        Caller::Proven if transport.is_reliable() => true,
        Caller::Proven if !core.users.asks() || core.config.names(address) => true,
        Caller::Proven => core.calls.spend(key, SESSION_RESPONSES_MAX, address, now.mono),
    }
}

fn responses_key(core: &Core, branch: &str) -> u128 {
    core.secret.party(&[branch, "responses"])
}

/// The consent for a target. A stranger's request in a dialog goes where a party of it said to be; whoever is there may
/// never have agreed, unless the operator named that address.
pub(super) fn consent(core: &Core, request: &Request, flow: Flow, target: &Target) -> Consent {
    let is_named_there = match &target.way {
        NextHop::Hop(hop) => !core.config.names(hop.remote.ip()),
        NextHop::Lookup { .. } => true,
        NextHop::Flow(_) | NextHop::FlowAlone(_) | NextHop::Route(..) => false,
    };
    let fields = request.fields();
    let is_stranger = core.domains.claimed(&fields.from().uri).is_none();
    let is_in_dialog = fields.to().tag().is_some();
    let is_asked = core.router().consent(flow) != Consent::NotNeeded;
    if is_named_there && is_stranger && is_in_dialog && is_asked && target.consent == Consent::NotNeeded {
        return Consent::Unknown;
    }
    target.consent
}

/// How much of a request its next hop may get now; counts one transmission. A CANCEL and the ACK of a failure count with
/// their INVITE.
pub(super) fn allowance(
    core: &mut Core,
    (invite, method): (u128, &Method),
    passed: &Passed,
    flow: Flow,
    now: Now,
) -> Allowance {
    core.sender.pass(passed.target.consent, (invite, method), flow, now.mono)
}
