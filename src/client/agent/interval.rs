//! The times that a server names: how long a binding lasts, and when to try again.

use std::time::Duration;

use super::core::Core;
use crate::limits::{BINDING_EXPIRES_MAX_SECS, CONTACTS_READ_MAX};
use crate::sip::{Fields, NameAddr};

/// For how long our binding lasts (RFC 3261 §10.2.4). Ours is the Contact of this device, else the one with our own
/// address, else the only one: a border controller may have rewritten it. If several are listed and none is known to be
/// ours, the shortest counts: refreshing too early does no harm. An unreadable Contact is somebody else's and ignored.
/// Without a Contact, Expires decides.
pub(crate) fn granted_secs(fields: &Fields, core: &Core) -> Option<u32> {
    let own = core.server.main().and_then(|flow| NameAddr::parse(&core.contact(flow)).ok());
    let listed: Vec<_> = fields
        .tokens("Contact")
        .take(CONTACTS_READ_MAX)
        .filter_map(|text| NameAddr::parse(text).ok())
        .collect();
    let is_device = |contact: &&NameAddr| core.is_own_instance(contact);
    let is_own = |contact: &&NameAddr| own.as_ref().is_some_and(|own| own.uri.same_as(&contact.uri));
    let is_other =
        |contact: &&NameAddr| contact.params.has("+sip.instance") && !core.is_own_instance(contact);
    let ours = listed.iter().find(is_device).or_else(|| listed.iter().find(is_own));
    let expires = |contact: &NameAddr| contact.params.get("expires").and_then(whole_secs);
    let told = match ours {
        Some(ours) => expires(ours),
        None => listed.iter().filter(|contact| !is_other(contact)).filter_map(expires).min(),
    };
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
