//! The times that a server names: how long a binding lasts, and when to try again.

use std::time::Duration;

use super::core::Core;
use crate::limits::BINDING_EXPIRES_MAX_SECS;
use crate::sip::{Fields, NameAddr};

/// What one Contact says, if there is such a one.
type Told = Option<Option<u32>>;

/// For how long our binding lasts (RFC 3261 §10.2.4). Ours is the Contact of this device, else the one with our own
/// address, else the only one: a border controller may have rewritten it. If several are listed and none is known to be
/// ours, the shortest counts: refreshing too early does no harm. An unreadable Contact is somebody else's and ignored.
/// Without a Contact, Expires decides.
pub(crate) fn granted_secs(fields: &Fields, core: &Core) -> Option<u32> {
    let own = core.server.main().and_then(|flow| NameAddr::parse(&core.contact(flow)).ok());
    let is_own = |contact: &NameAddr| own.as_ref().is_some_and(|own| own.uri.same_as(&contact.uri));
    let expires = |contact: &NameAddr| contact.params.get("expires").and_then(whole_secs);
    // Ours may come after any number of others': one pass over all, which keeps none of them.
    let (mut by_device, mut by_address, mut least): (Told, Told, _) = (None, None, None);
    for contact in fields.tokens("Contact").filter_map(|text| NameAddr::parse(text).ok()) {
        if core.is_own_instance(&contact) {
            by_device = by_device.or_else(|| Some(expires(&contact)));
        } else if is_own(&contact) {
            by_address = by_address.or_else(|| Some(expires(&contact)));
        } else if !contact.params.has("+sip.instance") {
            least = expires(&contact).into_iter().chain(least).min();
        }
    }
    let told = by_device.or(by_address).unwrap_or(least);
    told.or_else(|| fields.first("Expires").and_then(whole_secs))
}

/// A number of seconds, whatever follows it; one that is too large becomes the maximum.
fn whole_secs(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let digits = text.get(..digits).filter(|digits| !digits.is_empty())?;
    Some(digits.parse().unwrap_or(u32::MAX))
}

/// The registrar's minimum (RFC 3261 §10.2.8), or twice what we asked for; no more than we keep a registration for.
pub(crate) fn longer_interval(fields: &Fields, asked_secs: u32) -> u32 {
    let told = fields.first("Min-Expires").and_then(whole_secs);
    let longer = told.filter(|told| *told > asked_secs).unwrap_or_else(|| asked_secs.saturating_mul(2));
    longer.min(BINDING_EXPIRES_MAX_SECS)
}

/// `Retry-After: 18000;duration=3600 (maintenance)` (RFC 3261 §20.33).
pub(crate) fn retry_after(fields: &Fields) -> Option<Duration> {
    fields.first("Retry-After").and_then(whole_secs).map(|secs| Duration::from_secs(secs.into()))
}
