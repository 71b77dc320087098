//! Sessions that the answers to requests for others have opened, each for its recipient alone.
//!
//! **Invariant:** whoever answers a request that our server passes on can spoil with his challenges only what we send to
//! himself. A session lasts while that recipient's answers are successes.

use std::collections::VecDeque;

use super::{Asker, Session};
use crate::limits::RECIPIENT_SESSIONS_MAX;
use crate::model::contacts::uri_key;
use crate::sip::Uri;
use crate::sip::digest::Challenge;

/// See the top of this file; the oldest first.
#[derive(Debug, Default)]
pub(super) struct RecipientSessions(VecDeque<RecipientSession>);

#[derive(Debug)]
struct RecipientSession {
    /// [`uri_key`] of the recipient.
    recipient: String,
    asker: Asker,
    session: Session,
}

impl RecipientSessions {
    /// A challenge to a request for this recipient is answered; it takes the place of an earlier one in its realm.
    pub(super) fn open(&mut self, recipient: &Uri, asker: Asker, challenge: Challenge) {
        let recipient = uri_key(recipient);
        self.0.retain(|it| {
            it.recipient != recipient || it.asker != asker || it.session.challenge.realm != challenge.realm
        });
        if self.0.len() >= RECIPIENT_SESSIONS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(RecipientSession { recipient, asker, session: Session::new(challenge) });
    }

    /// Ends the sessions with this recipient in these realms.
    pub(super) fn forget(&mut self, recipient: &Uri, is_in: impl Fn(&String) -> bool) {
        let recipient = uri_key(recipient);
        self.0.retain(|it| it.recipient != recipient || !is_in(&it.session.challenge.realm));
    }

    /// The sessions with this recipient.
    pub(super) fn of(&mut self, recipient: &Uri) -> Vec<(Asker, &mut Session)> {
        let recipient = uri_key(recipient);
        let of_recipient = self.0.iter_mut().filter(|it| it.recipient == recipient);
        of_recipient.map(|it| (it.asker, &mut it.session)).collect()
    }
}
