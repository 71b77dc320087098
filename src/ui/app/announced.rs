//! What a screen reader says by itself: new messages, who was not reached, how a message of ours ended, and how the account
//! stands. What the desktop shows as a notification is left to that.

use std::mem::discriminant;
use std::time::Duration;

use super::App;
use crate::model::account::RegistrationState;
use crate::model::command::Notice;
use crate::model::snapshot::{MessageView, Snapshot};
use crate::ui::kit::states::{self, accessible_name};

/// How a message ended is said if it was written so lately: of older ones, one reads.
const LATELY: Duration = Duration::from_secs(60);

impl App {
    /// Says what no notification says, since the user is looking at it.
    pub(super) fn announce(&mut self, notice: &Notice) {
        if let Notice::Received { from, text, .. } = notice {
            self.announcer.say(&format!("{from}: {text}"));
        } else if let Notice::NotDelivered { tally, failures, .. } = notice {
            let (title, body) = (states::line(tally, &[]), states::failures(failures, tally.failed));
            self.announcer.say(&format!("{title}. {body}"));
        }
    }

    /// Says what has changed since this snapshot.
    pub(super) fn announce_changes(&mut self, before: &Snapshot) {
        let (was, is) = (&before.registration, &self.snapshot.registration);
        let is_passing = matches!(is, RegistrationState::Idle | RegistrationState::Connecting(_));
        if discriminant(was) != discriminant(is) && !is_passing {
            self.announcer.say(&self.look.account(&self.snapshot));
        }
        if let Some(latest) = latest_of_ours(&self.snapshot)
            && latest.tally.under_way() == 0
            && self.look.now.since(latest.at) < LATELY
        {
            self.announcer.say_end(latest.id, &accessible_name(&latest.tally));
        }
    }
}

/// The latest message of ours in the open conversation.
fn latest_of_ours(snapshot: &Snapshot) -> Option<&MessageView> {
    let thread = snapshot.thread.as_deref()?;
    thread.messages.iter().rev().find(|message| message.from.is_none()).map(AsRef::as_ref)
}
