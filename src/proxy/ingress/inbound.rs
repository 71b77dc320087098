//! What strangers may send to our users, and who is banned (W13, W14, W31). A stranger is a sender who claims no domain
//! of ours and comes from no trusted peer: such a sender is not authenticated.

use crate::machine::Flow;
use crate::proxy::config::Inbound;
use crate::proxy::core::{Core, Rejection};
use crate::proxy::event::RefusalKind;
use crate::proxy::guard::source::Source;
use crate::proxy::identity;
use crate::proxy::own_route::OwnRoutes;
use crate::sip::Request;
use crate::time::Now;

/// Refuses a request before anything else is checked: its source or its sender is banned.
pub(crate) fn banned(core: &Core, request: &Request, flow: Flow) -> Option<Rejection> {
    let bans = &core.config.inbound.bans;
    if bans.is_empty() {
        return None;
    }
    let claimed = core.domains.person(&request.fields().from().uri);
    let senders = [identity::sender(core, request, flow), claimed.clone()];
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
    let is_known =
        || settings.known.iter().any(|party| party.has_address(address) || party.has_sender(&sender));
    let may_write = match settings.mode {
        Inbound::Open => true,
        Inbound::Known => is_in_dialog || is_known(),
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
    let (of_source, of_recipient) = (settings.per_source_max, settings.per_recipient_max);
    let recipient = core.domains.aor(request.uri()).filter(|_| !is_in_dialog);
    let recipient = recipient.filter(|aor| !core.users.lack(aor)).map(|aor| core.secret.user(&aor));
    let is_within = core.strangers.sources.allows(Source::of(address), of_source, now.mono)
        && recipient.is_none_or(|user| core.strangers.recipients.allows(user, of_recipient, now.mono));
    if is_within { Ok(()) } else { Err(Rejection::busy().telling(RefusalKind::RateLimited, &sender)) }
}
