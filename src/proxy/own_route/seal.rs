//! What the seal of a Route that we record covers: the dialog, who called whom in it, its expiry and its flow (W29).

use std::borrow::Cow;

use crate::limits::SEALED_PART_BYTES_MAX;
use crate::proxy::core::Core;
use crate::sip::{Aor, Fields, NameAddr};

/// The dialog of a request, as its fields say.
pub(super) struct SealedDialog<'a> {
    call_id: Cow<'a, str>,
    pub(super) sender: SealedParty,
    pub(super) recipient: SealedParty,
}

/// One party of it.
pub(super) struct SealedParty {
    pub(super) person: Aor,
    /// The same, as it is sealed.
    name: String,
    tag: Option<String>,
}

impl<'a> SealedDialog<'a> {
    /// A request can have many Routes, and long fields: what is read of them is read once.
    pub(super) fn of(core: &Core, fields: &'a Fields) -> Self {
        let party = |address: &NameAddr| {
            let person = core.domains.person(&address.uri);
            let name = short(core, person.as_str()).into_owned();
            SealedParty { person, name, tag: address.tag().map(|tag| short(core, tag).into_owned()) }
        };
        let (sender, recipient) = (party(&fields.from()), party(&fields.to()));
        Self { call_id: short(core, fields.call_id()), sender, recipient }
    }

    /// True within a dialog: both sides have a tag.
    pub(super) const fn is_established(&self) -> bool {
        self.sender.tag.is_some() && self.recipient.tag.is_some()
    }

    /// The seal of a Route that was recorded when the one called the other, and `called` was the one really called.
    pub(super) fn seal(
        &self,
        core: &Core,
        (caller, callee): (&SealedParty, &SealedParty),
        called: &Aor,
        (hour, mark): (u64, Option<&str>),
    ) -> String {
        let (hour, mark) = (hour.to_string(), mark.map_or_else(String::new, |mark| format!("{mark}@")));
        let called = short(core, called.as_str());
        let tag = caller.tag.as_deref().unwrap_or_default();
        core.secret.dialog(&[&self.call_id, tag, &caller.name, &callee.name, &called, &hour, &mark])
    }
}

/// A part as it is sealed: a long one by its hash.
fn short<'a>(core: &Core, part: &'a str) -> Cow<'a, str> {
    if part.len() <= SEALED_PART_BYTES_MAX { part.into() } else { core.secret.dialog(&[part]).into() }
}
