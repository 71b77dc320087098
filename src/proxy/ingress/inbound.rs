//! What strangers may send to our users, and who is banned (W13, W14, W31). A stranger is a sender who claims no domain
//! of ours and comes from no trusted peer: such a sender is not authenticated.

use crate::machine::Flow;
use crate::proxy::config::Inbound;
use crate::proxy::core::{Core, Rejection};
use crate::proxy::event::RefusalKind;
use crate::proxy::guard::source::Source;
use crate::proxy::guard::strangers::{Budget, Counted, Standing, What};
use crate::proxy::identity;
use crate::proxy::own_route::OwnRoutes;
use crate::sip::{Aor, Method, Request, Uri};
use crate::time::Now;

/// Refuses a request before anything else is checked: its source or its sender is banned.
pub(crate) fn banned(core: &Core, request: &Request, flow: Flow) -> Option<Rejection> {
    let bans = &core.config.inbound.bans;
    if bans.is_empty() {
        return None;
    }
    let claimed = core.domains.person(&request.fields().from().uri);
    let mut senders = vec![identity::sender(core, request, flow), claimed.clone()];
    if *request.method() == Method::Register {
        // Who registers is in To; From may be a third party (RFC 3261 §10.2).
        senders.push(core.domains.person(&request.fields().to().uri));
    }
    let is_banned = bans
        .iter()
        .any(|ban| ban.has_address(flow.remote.ip()) || senders.iter().any(|sender| ban.has_sender(sender)));
    is_banned.then(|| Rejection::because(403, "Banned").telling(RefusalKind::Banned, &claimed))
}

/// Checks whether a stranger's request to one of our users may pass; others are not checked here. A request in a dialog
/// that was admitted is only counted.
pub(crate) fn admit(
    core: &mut Core,
    (request, own): (&Request, &OwnRoutes),
    flow: Flow,
    now: Now,
) -> Result<(), Rejection> {
    let from = request.fields().from().uri;
    let address = flow.remote.ip();
    if core.domains.claimed(&from).is_some() || core.config.trusts(flow) {
        return Ok(());
    }
    let sender = core.domains.person(&from);
    let is_in_dialog = own.is_recorded(now);
    let settings = &core.config.inbound;
    let standing = if settings.known.iter().any(|party| party.has_address(address)) {
        Standing::ByAddress
    } else if settings.known.iter().any(|party| party.has_sender(&sender)) {
        Standing::ByName
    } else {
        Standing::Unlisted
    };
    let may_write = match settings.mode {
        Inbound::Open => true,
        Inbound::Known => is_in_dialog || standing != Standing::Unlisted,
        Inbound::Off => is_in_dialog,
    };
    if !may_write {
        let reason = "This Proxy Takes Nothing From You";
        return Err(Rejection::because(403, reason).telling(RefusalKind::NotAdmitted, &sender));
    }
    // Without authentication, anybody may be one of ours.
    if !core.users.asks() {
        return Ok(());
    }
    let limits = (settings.per_source_max, settings.per_recipient_max);
    let party = own.party().filter(|_| is_in_dialog).cloned();
    let recipient = party.clone().or_else(|| whom(core, request.uri()));
    // Whoever sends it cannot choose another Call-ID, sender or party: the seal of our Route covers them.
    let call_id = request.fields().call_id();
    let dialog = party.map(|party| core.secret.party(&[call_id, sender.as_str(), party.as_str(), "dialog"]));
    let what = if is_in_dialog { What::InDialog } else { What::of(request.method()) };
    let budget = Budget { what, standing, is_connected: flow.transport.is_reliable() };
    let recipient = recipient.map(|aor| core.secret.user(&aor));
    let counted = Counted { source: Source::of(address), recipient, dialog };
    let is_within = core.strangers.allow(counted, budget, limits, now.mono);
    if is_within { Ok(()) } else { Err(Rejection::busy().telling(RefusalKind::RateLimited, &sender)) }
}

/// Who is reached by an address of ours: a user, also through an alias. An alias for somebody elsewhere is one itself:
/// whoever is there gets no more of what strangers write than a user of ours does.
fn whom(core: &Core, address: &Uri) -> Option<Aor> {
    let named = core.domains.aor(address)?;
    // A list that is too large is refused later, with the reason.
    let Ok(Some(members)) = core.aliases.members(address, &core.domains) else {
        return Some(named).filter(|aor| !core.users.lack(aor));
    };
    let [only] = members.as_slice() else { return Some(named) };
    Some(core.domains.aor(only).unwrap_or(named))
}
