//! How much strangers sent recently, and how much each of our users got from them. Strangers are not authenticated, so
//! they are counted by source, by recipient and by dialog (W31).
//!
//! A datagram may have an invented source. So what comes in datagrams, from senders whom the operator has not listed, or
//! by another method, is counted apart: none of it uses up what the others may send.

use std::time::Instant;

use super::source::Source;
use crate::limits::{
    Rate, Rates, STRANGER_DIALOGS_MAX, STRANGER_REQUESTS_PER_DIALOG, STRANGER_SOURCES_MAX,
    STRANGERS_RECIPIENTS_MAX,
};
use crate::sip::Method;

/// What is counted apart from everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Budget {
    pub(crate) what: What,
    pub(crate) standing: Standing,
    /// It came over a connection, so that its source address is true.
    pub(crate) is_connected: bool,
}

/// What strangers send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Message,
    Options,
    /// INVITE and whatever else.
    Call,
    /// A request within a dialog.
    InDialog,
}

/// Whether the operator has listed a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    Unlisted,
    /// By the name in From, which anybody may write.
    ByName,
    /// By the source address.
    ByAddress,
}

/// Whose a request is, and for whom: all that it is counted by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) source: Source,
    /// The keyed hash of the user of ours, and of the dialog, if there is one.
    pub(crate) recipient: Option<u128>,
    pub(crate) dialog: Option<u128>,
}

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Strangers {
    sources: Rates<(Source, Budget)>,
    recipients: Rates<(u128, Budget)>,
    dialogs: Rates<u128>,
}

impl What {
    pub(crate) const fn of(method: &Method) -> Self {
        match method {
            Method::Message => Self::Message,
            Method::Options => Self::Options,
            Method::Invite
            | Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Register
            | Method::Notify
            | Method::Subscribe
            | Method::Other(_) => Self::Call,
        }
    }
}

impl Default for Strangers {
    fn default() -> Self {
        Self {
            sources: Rates::new(STRANGER_SOURCES_MAX),
            recipients: Rates::new(STRANGERS_RECIPIENTS_MAX),
            dialogs: Rates::new(STRANGER_DIALOGS_MAX),
        }
    }
}

impl Strangers {
    /// Counts one more request; false if that exceeds what may come a minute from its source, to its recipient, or in
    /// its dialog.
    pub(crate) fn allow(
        &mut self,
        counted: Counted,
        budget: Budget,
        (of_source, of_recipient): (u32, u32),
        now: Instant,
    ) -> bool {
        let Counted { source, recipient, dialog } = counted;
        let of_dialog = Rate::per_minute(STRANGER_REQUESTS_PER_DIALOG);
        let of_recipient = Rate::per_minute(of_recipient);
        self.sources.allows((source, budget), Rate::per_minute(of_source), now)
            && dialog.is_none_or(|dialog| self.dialogs.allows(dialog, of_dialog, now))
            && recipient.is_none_or(|user| self.recipients.allows((user, budget), of_recipient, now))
    }
}
