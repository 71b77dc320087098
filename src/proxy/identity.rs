//! Identity assertions among those who trust each other (RFC 3325).
//!
//! `P-Asserted-Identity` is believed from trusted peers and sent to trusted peers only. From anybody else it is
//! removed; for an authenticated user it is written anew.

use super::core::{Core, Rejection};
use super::routing::domains::Whose;
use crate::machine::Flow;
use crate::sip::digest::{Challenge, Credentials};
use crate::sip::{
    Aor, CREDENTIALS_FIELDS, Edit, Error, Message, Method, Request, Response, Scheme, Uri, parse,
};

/// The field of RFC 3325 §9.1.
pub(super) const ASSERTED: &str = "P-Asserted-Identity";
/// The identity that a user would like to have asserted (§9.2): we do not use it, so it is removed.
pub(super) const PREFERRED: &str = "P-Preferred-Identity";

/// Other fields that say who somebody is, from before RFC 3325 (draft-ietf-sip-privacy) and after it (RFC 5502); they
/// count between those who trust each other.
const CLAIMED: [&str; 2] = ["Remote-Party-ID", "P-Served-User"];

/// From must have a scheme by which a recipient knows people: for any other (`mailto:`, `xmpp:`) nobody could say
/// whether it is one of ours. And nobody but a trusted peer is at the address of one: an answer to a stranger who says
/// so would be a request of our user to that peer, such as a telephone gateway.
///
/// # Errors
/// 400 if it has another scheme or is a `tel:` URI without a number, 403 if it names a trusted peer's address.
pub(super) fn check_from(core: &Core, request: &Request, flow: Flow) -> Result<(), Rejection> {
    let from = request.fields().from().uri;
    match from.scheme() {
        // What is no number might be read by its recipient as an address of ours, or of somebody banned.
        Scheme::Tel if !from.is_number() => {
            return Err(Rejection::because(400, "From Is No Telephone Number"));
        }
        Scheme::Sip | Scheme::Sips | Scheme::Im | Scheme::Pres | Scheme::Tel => {}
        Scheme::Other(_) => {
            return Err(Rejection::because(400, "From Needs A sip, sips, im, pres Or tel URI"));
        }
    }
    let is_peers = || from.ip().is_some_and(|ip| core.config.names(ip));
    if core.config.trusts(flow) || core.domains.claimed(&from).is_some() || !is_peers() {
        return Ok(());
    }
    Err(Rejection::because(403, "From Is A Trusted Peer's"))
}

/// The identity asserted for the sender of a request that came in on this flow, as a field value.
pub(super) fn asserted(core: &Core, request: &Request, flow: Flow) -> Option<String> {
    if core.config.trusts(flow) {
        let said: Vec<_> = request.fields().every(ASSERTED).collect();
        return Some(said.join(", ")).filter(|said| !said.is_empty());
    }
    // A stored MESSAGE has lost its credentials; they were those of the user in From.
    let claimed = || {
        let is_message = *request.method() == Method::Message && core.users.asks();
        core.domains.claimed(&request.fields().from().uri).filter(|_| is_message)
    };
    let user = proved(core, request, flow).or_else(claimed)?;
    Some(format!("<sip:{user}>"))
}

/// The credentials in a request for the domain of that user, with an algorithm that we offer.
///
/// # Errors
/// If those for his domain cannot be right whatever the password is, or there are too many.
pub(super) fn credentials(
    core: &Core,
    request: &Request,
    claimed: &Aor,
) -> Result<Option<Credentials>, Error> {
    let offered = core.users.offered();
    let is_offered = |credentials: &Credentials| {
        credentials.algorithm.is_some_and(|algorithm| offered.contains(&algorithm))
    };
    Ok(Credentials::in_realm(request.fields(), claimed.domain())?.into_iter().find(is_offered))
}

/// The user whose credentials these are, in the domain of the one who is claimed.
pub(super) fn user_of(credentials: &Credentials, claimed: &Aor) -> Aor {
    let named = Aor::parse(&format!("{}@{}", credentials.username, claimed.domain()));
    named.unwrap_or_else(|| claimed.clone())
}

/// The user of ours who sends a request that has passed authentication: the one whose credentials it has. In a
/// forwarded call that is not the one in From. `None` if it proves nothing, as an ACK or a CANCEL.
fn proved(core: &Core, request: &Request, flow: Flow) -> Option<Aor> {
    if !core.users.asks()
        || core.config.trusts(flow)
        || matches!(request.method(), Method::Ack | Method::Cancel)
    {
        return None;
    }
    let claimed = core.domains.claimed(&request.fields().from().uri)?;
    let credentials = credentials(core, request, &claimed).ok().flatten()?;
    Some(user_of(&credentials, &claimed))
}

/// The sender, as recipients may block it: the asserted identity, else the user who has authenticated, else From.
pub(super) fn sender(core: &Core, request: &Request, flow: Flow) -> Aor {
    let fields = request.fields();
    let said = core.config.trusts(flow).then(|| fields.routes(ASSERTED).ok()).flatten();
    let said = said.and_then(|said| said.into_iter().next());
    if let Some(user) = proved(core, request, flow) {
        return user;
    }
    core.domains.person(&said.unwrap_or_else(|| fields.from()).uri)
}

/// The part of the asserted identity that the peer on this flow is told: all of it if trusted, else nothing.
pub(super) fn told<'a>(core: &Core, asserted: Option<&'a str>, flow: Flow) -> Option<&'a str> {
    asserted.filter(|_| core.config.trusts(flow))
}

/// Removes what authenticates somebody to us, which is nobody else's business (RFC 3261 §22.3; W15).
pub(super) fn without_credentials<'a>(core: &Core, edit: Edit<'a>) -> Edit<'a> {
    // What cannot be read may be for us, and is of no use to anybody else.
    let is_others =
        |value: &str| Credentials::realms_in(value).is_some_and(|realms| !names_us(core, &realms));
    CREDENTIALS_FIELDS.into_iter().fold(edit, |edit, name| edit.retain(name, is_others))
}

/// A request as it goes to all its branches, with [`without_credentials`] done once: reading credentials costs the most of
/// all that is done for a branch.
pub(super) fn for_branches(core: &Core, request: &Request) -> Request {
    if CREDENTIALS_FIELDS.into_iter().all(|name| request.fields().first(name).is_none()) {
        return request.clone();
    }
    match parse(without_credentials(core, Edit::request(request)).print()) {
        Ok(Message::Request(edited)) => edited,
        Ok(Message::Response(_)) | Err(_) => request.clone(),
    }
}

/// Edits a request for its way from one flow to another: the identity that is asserted for its sender goes only to those
/// who are trusted, if it may be asserted there.
pub(super) fn assert<'a>(
    core: &Core,
    edit: Edit<'a>,
    asserted: Option<&str>,
    (from, to): (Flow, Flow),
    may_assert: bool,
) -> Edit<'a> {
    if !has_trust_domain(core) {
        return edit;
    }
    let mut edit = edit.remove(ASSERTED).remove(PREFERRED);
    if !(core.config.trusts(from) && core.config.trusts(to)) {
        edit = CLAIMED.into_iter().fold(edit, Edit::remove);
    }
    // A trusted peer has said itself who the request is from, and where it is to go.
    let asserted = asserted.filter(|_| may_assert || core.config.trusts(from));
    match told(core, asserted, to) {
        Some(told) => edit.set(ASSERTED, told),
        None => edit,
    }
}

/// True if one of these is a realm of ours, as somebody might read it who does not care about what stands around the name.
fn names_us(core: &Core, realms: &[String]) -> bool {
    let is_ours = |realm: &String| {
        let bare = realm.trim_matches(|mark: char| !mark.is_alphanumeric() && !"[]".contains(mark));
        Uri::parse(&format!("sip:{bare}")).is_ok_and(|uri| core.domains.whose(&uri) != Whose::Others)
    };
    realms.iter().any(is_ours)
}

/// A response without what only somebody who is trusted may say: an identity (RFC 3325 §5), or a challenge in the name
/// of a domain of ours, which asks our users for a proof of their passwords. `None` if there is nothing to remove.
pub(super) fn without_claims(core: &Core, response: &Response, flow: Flow) -> Option<Response> {
    if !has_trust_domain(core) || core.config.trusts(flow) {
        return None;
    }
    let fields = response.fields();
    let names = [ASSERTED, PREFERRED].into_iter().chain(CLAIMED);
    let said: Vec<_> = names.filter(|name| fields.every(name).next().is_some()).collect();
    // What cannot be read may name us to somebody who reads it otherwise.
    let is_others = |value: &str| Challenge::realms_in(value).is_some_and(|realms| !names_us(core, &realms));
    let asks = |name: &&str| core.users.asks() && !fields.every(name).all(is_others);
    let asked: Vec<_> = ["WWW-Authenticate", "Proxy-Authenticate"].into_iter().filter(asks).collect();
    if said.is_empty() && asked.is_empty() {
        return None;
    }
    let edit = said.into_iter().fold(Edit::response(response), Edit::remove);
    let edit = asked.into_iter().fold(edit, |edit, name| edit.retain(name, is_others));
    match parse(edit.print()) {
        Ok(Message::Response(response)) => Some(response),
        Ok(Message::Request(_)) | Err(_) => None,
    }
}

/// False if nobody authenticates and nobody is trusted: without a trust domain (RFC 3325 §2.3) these fields just pass.
fn has_trust_domain(core: &Core) -> bool {
    core.users.asks() || !core.config.trust.is_empty()
}
