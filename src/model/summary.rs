//! One message's delivery state in a line: the fraction under the bubble, the accessible name, the notification.
//!
//! Always the fraction, never one tick for many people (screen.md). Pure functions over [`Tally`].

use std::borrow::Cow;

use super::journal::DeliveryState;
use super::snapshot::Tally;

impl Tally {
    /// Counts states, one per recipient.
    pub fn of(states: impl IntoIterator<Item = DeliveryState>) -> Self {
        let mut tally = Self::default();
        for state in states {
            tally.total += 1;
            *tally.count(state) += 1;
        }
        tally
    }

    /// One recipient goes from one state to another.
    pub const fn moved(&mut self, from: DeliveryState, to: DeliveryState) {
        *self.count(from) -= 1;
        *self.count(to) += 1;
    }

    const fn count(&mut self, state: DeliveryState) -> &mut u32 {
        match state {
            DeliveryState::Queued => &mut self.queued,
            DeliveryState::Sending => &mut self.sending,
            DeliveryState::Accepted => &mut self.accepted,
            DeliveryState::NoReport => &mut self.no_report,
            DeliveryState::Deferred => &mut self.deferred,
            DeliveryState::Failed => &mut self.failed,
            DeliveryState::Cancelled => &mut self.cancelled,
            DeliveryState::PassedOn => &mut self.passed_on,
            DeliveryState::Delivered => &mut self.delivered,
            DeliveryState::Read => &mut self.read,
        }
    }

    /// Recipients with more news expected soon: queued, being sent, or accepted by the server.
    #[must_use]
    pub const fn under_way(&self) -> u32 {
        self.queued + self.sending + self.accepted
    }

    /// Recipients that `Resend` goes to: failed, or without report.
    #[must_use]
    pub const fn resendable(&self) -> u32 {
        self.failed + self.no_report
    }

    /// The state that represents the whole message in a list, the same one that the line is about.
    #[must_use]
    pub const fn leading(&self) -> DeliveryState {
        if self.failed > 0 {
            DeliveryState::Failed
        } else if self.no_report > 0 {
            DeliveryState::NoReport
        } else if self.deferred > 0 {
            DeliveryState::Deferred
        } else if self.queued > 0 {
            DeliveryState::Queued
        } else if self.sending > 0 {
            DeliveryState::Sending
        } else if self.accepted > 0 {
            DeliveryState::Accepted
        } else if self.cancelled > 0 {
            DeliveryState::Cancelled
        } else if self.passed_on > 0 {
            DeliveryState::PassedOn
        } else if self.read > 0 {
            DeliveryState::Read
        } else {
            DeliveryState::Delivered
        }
    }
}

/// The line under a message of ours; `waiting_for` are the names of those who are offline (deferred).
///
/// In this priority: not delivered, no report, waiting for somebody to come back, under way, success.
#[must_use]
pub fn line(tally: &Tally, waiting_for: &[&str]) -> String {
    let total = tally.total;
    match tally.leading() {
        DeliveryState::Failed if total == 1 => "Not delivered".to_owned(),
        DeliveryState::Failed => format!("{} of {total} not delivered", tally.failed),
        DeliveryState::NoReport if total == 1 => "No report received".to_owned(),
        DeliveryState::NoReport => format!("{} of {total} without report", tally.no_report),
        DeliveryState::Deferred => deferred_line(tally, waiting_for),
        DeliveryState::Queued | DeliveryState::Sending | DeliveryState::Accepted => under_way_line(tally),
        DeliveryState::Cancelled if tally.cancelled == total => "Not sent (you cancelled)".to_owned(),
        DeliveryState::Cancelled => {
            format!("{} of {total} not sent (you cancelled)", tally.cancelled)
        }
        DeliveryState::PassedOn if total == 1 => "Passed on, arrival not confirmed".to_owned(),
        DeliveryState::PassedOn => format!("{} of {total} passed on, arrival not confirmed", tally.passed_on),
        DeliveryState::Read if total == 1 => "Read".to_owned(),
        DeliveryState::Read if tally.read == total => format!("Read by {}", everybody(total)),
        DeliveryState::Read => format!("Read by {} of {total}", tally.read),
        DeliveryState::Delivered if total == 0 => String::new(),
        DeliveryState::Delivered if total == 1 => "Delivered".to_owned(),
        DeliveryState::Delivered => format!("Delivered to {}", everybody(total)),
    }
}

/// `both`, `all 6`.
fn everybody(total: u32) -> String {
    if total == 2 { "both".to_owned() } else { format!("all {total}") }
}

fn deferred_line(tally: &Tally, waiting_for: &[&str]) -> String {
    let names: Cow<'_, str> = match waiting_for {
        [] => "people who are offline".into(),
        [one] => (*one).into(),
        [one, two] => format!("{one} and {two}").into(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()).into(),
    };
    format!("{} waiting for {names}", tally.deferred)
}

fn under_way_line(tally: &Tally) -> String {
    match (tally.total, tally.leading()) {
        (1, DeliveryState::Queued) => "Waiting to send".to_owned(),
        (1, DeliveryState::Sending) => "Sending…".to_owned(),
        (1, _) => "Server has it, waiting for report".to_owned(),
        (total, _) => format!("Waiting for {} of {total}", tally.under_way()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeliveryState::{
        Accepted, Cancelled, Deferred, Delivered, Failed, NoReport, PassedOn, Queued, Read, Sending,
    };

    #[test]
    fn the_line_says_the_worst_first_and_always_the_fraction() {
        let table: &[(&[DeliveryState], &str)] = &[
            (&[Failed, Failed, Delivered, Delivered, NoReport, Deferred], "2 of 6 not delivered"),
            (&[NoReport, Deferred, Delivered, Delivered, Accepted, Delivered], "1 of 6 without report"),
            (&[Deferred, Accepted, Delivered, Delivered, Delivered, Delivered], "1 waiting for Ben"),
            (&[Accepted, Accepted, Accepted, Delivered, Delivered, Delivered], "Waiting for 3 of 6"),
            (&[Queued, Queued], "Waiting for 2 of 2"),
            (&[Sending, Sending, Delivered], "Waiting for 2 of 3"),
            (&[Delivered; 6], "Delivered to all 6"),
            (&[Delivered; 2], "Delivered to both"),
            (&[Read; 2], "Read by both"),
            (&[Read, Read, Delivered, Read, Delivered, Delivered], "Read by 3 of 6"),
            (&[Read; 6], "Read by all 6"),
            (&[Read], "Read"),
            (&[Read, Failed], "1 of 2 not delivered"),
            (&[Read, PassedOn], "1 of 2 passed on, arrival not confirmed"),
            (&[PassedOn, Delivered], "1 of 2 passed on, arrival not confirmed"),
            (&[Cancelled, Cancelled], "Not sent (you cancelled)"),
            (&[Delivered], "Delivered"),
            (&[Failed], "Not delivered"),
            (&[NoReport], "No report received"),
            (&[Queued], "Waiting to send"),
            (&[Sending], "Sending…"),
            (&[Accepted], "Server has it, waiting for report"),
            (&[], ""),
        ];
        for (states, words) in table {
            assert_eq!(line(&Tally::of(states.iter().copied()), &["Ben"]), *words, "{states:?}");
        }
    }

    #[test]
    fn several_who_are_offline_are_named_shortly() {
        let tally = Tally::of([Deferred; 4]);
        assert_eq!(line(&tally, &["Ben", "Cy"]), "4 waiting for Ben and Cy");
        assert_eq!(line(&tally, &["Ben", "Cy", "Dana", "Eli"]), "4 waiting for Ben and 3 more");
        assert_eq!(line(&tally, &[]), "4 waiting for people who are offline");
    }
}
