//! What a server says of times: how long a binding stands, and when to come again.

use std::time::Duration;

use crate::client::core::Core;
use crate::sip::{Contacts, Fields};

/// For how long our binding stands: what our Contact says, else Expires (RFC 3261 §10.2.4).
pub(super) fn granted_secs(fields: &Fields, core: &Core) -> Option<u32> {
    let own = core.line.main().and_then(|flow| crate::sip::NameAddr::parse(&core.contact(flow)).ok());
    let listed = match fields.contacts() {
        Ok(Contacts::List(contacts)) => contacts,
        Ok(Contacts::All) | Err(_) => Vec::new(),
    };
    let ours = listed.iter().find(|contact| own.as_ref().is_some_and(|own| own.uri.same_as(&contact.uri)));
    let told = ours.and_then(|contact| contact.params.get("expires")).and_then(|text| text.parse().ok());
    told.or_else(|| fields.expires().ok().flatten())
}

/// What the registrar finds long enough (RFC 3261 §10.2.8), or twice what we asked.
pub(super) fn longer_interval(fields: &Fields, asked_secs: u32) -> u32 {
    let told = fields.first("Min-Expires").and_then(|text| text.trim().parse().ok());
    told.filter(|told| *told > asked_secs).unwrap_or_else(|| asked_secs.saturating_mul(2))
}

/// `Retry-After: 18000;duration=3600 (maintenance)` (RFC 3261 §20.33).
pub(super) fn retry_after(fields: &Fields) -> Option<Duration> {
    let text = fields.first("Retry-After")?;
    let digits: String = text.trim().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_secs)
}
