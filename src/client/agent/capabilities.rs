//! States our capabilities to whoever asks (RFC 3261 §11), and refuses what we do not support (§8.2.1).

use super::core::{Core, IncomingRequest};
use crate::limits::RETRY_AFTER_SECS;
use crate::machine::Flow;
use crate::sip::{Compose, Request};
use crate::time::Now;

/// The methods that we support (RFC 3261 §20.5).
pub(crate) const ALLOW: &str = "MESSAGE, NOTIFY, OPTIONS";
/// The media types that we can read (RFC 3261 §20.1).
pub(crate) const ACCEPT: &str = "text/plain, text/*, multipart/*, message/cpim, message/imdn+xml, image/*, audio/*, video/*, \
    application/im-iscomposing+xml, application/delivery-report, application/*";

/// Answers OPTIONS.
pub(crate) fn tell(core: &mut Core, asked: IncomingRequest<'_>, now: Now) {
    let begun = core.answer(asked, 200);
    let bytes = begun
        .field("Allow", ALLOW)
        .field("Accept", ACCEPT)
        .field("Allow-Events", "delivery-report")
        .field("Supported", "")
        .finish();
    core.answer_now(asked, 200, bytes, now);
}

/// Refuses what we do not support, and says what we do.
pub(crate) fn refuse(core: &mut Core, asked: IncomingRequest<'_>, status: u16, now: Now) {
    let bytes = core.answer(asked, status).field("Allow", ALLOW).finish();
    core.answer_now(asked, status, bytes, now);
}

/// Refuses a request because there is no room for it.
pub(crate) fn overloaded(core: &mut Core, request: &Request, flow: Flow) {
    let tag = core.random.token(10);
    let begun = Compose::response(request, 503, None, &tag, flow.remote);
    core.transmit(flow, begun.field("Retry-After", RETRY_AFTER_SECS).finish());
}
