//! Who wrote something, as those who trust each other say it (RFC 3325).
//!
//! `P-Asserted-Identity` counts from trusted peers and goes to trusted peers. Of anybody else it is taken out; of a user who has proved
//! who he is it is made anew.

use super::core::{Core, Rejection};
use crate::machine::Flow;
use crate::sip::digest::Credentials;
use crate::sip::{Aor, Edit, Message, Request, Response, Scheme, parse};

/// The field of RFC 3325 §9.1.
pub(super) const ASSERTED: &str = "P-Asserted-Identity";
/// What a user would like to have asserted (§9.2): nothing that we ask for, so it ends here.
pub(super) const PREFERRED: &str = "P-Preferred-Identity";

/// What else says who somebody is, before RFC 3325 (draft-ietf-sip-privacy) and after it (RFC 5502): it counts between those who
/// trust each other.
const CLAIMED: [&str; 2] = ["Remote-Party-ID", "P-Served-User"];

/// Who writes is named by an address of a kind by which a recipient knows people: of any other (`mailto:`, `xmpp:`) nobody could say
/// whether it is one of ours.
///
/// # Errors
/// 400 where it is not.
pub(super) fn check_from(request: &Request) -> Result<(), Rejection> {
    match request.fields().from().uri.scheme() {
        Scheme::Sip | Scheme::Sips | Scheme::Im | Scheme::Pres | Scheme::Tel => Ok(()),
        Scheme::Other(_) => Err(Rejection::because(400, "From Needs A sip, sips, im, pres Or tel URI")),
    }
}

/// What is asserted of the sender of a request that came in on this flow, as the field's value.
pub(super) fn asserted(core: &Core, request: &Request, flow: Flow) -> Option<String> {
    if core.config.trusts(flow) {
        let said: Vec<_> = request.fields().every(ASSERTED).collect();
        return Some(said.join(", ")).filter(|said| !said.is_empty());
    }
    // Without authentication nothing is known.
    let proved = core.domains.claimed(&request.fields().from().uri).filter(|_| core.users.asks())?;
    Some(format!("<sip:{proved}>"))
}

/// The sender whom a recipient may have blocked: the asserted one, else as From says.
pub(super) fn sender(core: &Core, request: &Request, flow: Flow) -> Aor {
    let fields = request.fields();
    let said = core.config.trusts(flow).then(|| fields.routes(ASSERTED).ok()).flatten();
    let said = said.and_then(|said| said.into_iter().next());
    core.domains.person(&said.unwrap_or_else(|| fields.from()).uri)
}

/// What of it goes to the peer on this flow.
pub(super) fn told<'a>(core: &Core, asserted: Option<&'a str>, flow: Flow) -> Option<&'a str> {
    asserted.filter(|_| core.config.trusts(flow))
}

/// A request that came in on one flow and leaves on another: what proves somebody to us is nobody else's business
/// (RFC 3261 §22.3; W15), and who it is is told to those who are trusted.
pub(super) fn pass_on<'a>(
    core: &Core,
    edit: Edit<'a>,
    request: &Request,
    (from, to): (Flow, Flow),
) -> Edit<'a> {
    let is_others = |value: &str| {
        let realm = Credentials::realm_of(value).and_then(|realm| Aor::parse(&realm));
        realm.is_none_or(|realm| !core.domains.serves(&realm))
    };
    let edit = edit.retain("Authorization", is_others).retain("Proxy-Authorization", is_others);
    if !has_trust_domain(core) {
        return edit;
    }
    let mut edit = edit.remove(ASSERTED).remove(PREFERRED);
    if !(core.config.trusts(from) && core.config.trusts(to)) {
        edit = CLAIMED.into_iter().fold(edit, Edit::remove);
    }
    let asserted = asserted(core, request, from);
    match told(core, asserted.as_deref(), to) {
        Some(told) => edit.set(ASSERTED, told),
        None => edit,
    }
}

/// A response without what somebody who is not trusted says in it of who he is (RFC 3325 §5); none where there is nothing to take
/// out.
pub(super) fn without_claims(core: &Core, response: &Response, flow: Flow) -> Option<Response> {
    let names = [ASSERTED, PREFERRED].into_iter().chain(CLAIMED);
    let said: Vec<_> = names.filter(|name| response.fields().every(name).next().is_some()).collect();
    if said.is_empty() || !has_trust_domain(core) || core.config.trusts(flow) {
        return None;
    }
    match parse(said.into_iter().fold(Edit::response(response), Edit::remove).print()) {
        Ok(Message::Response(response)) => Some(response),
        Ok(Message::Request(_)) | Err(_) => None,
    }
}

/// False where nobody is asked and nobody is trusted: there is no trust domain (RFC 3325 §2.3), and these fields are as good as any.
fn has_trust_domain(core: &Core) -> bool {
    core.users.asks() || !core.config.trust.is_empty()
}
