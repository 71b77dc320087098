//! One of our messages in memory: its row, its attempts, and what is known of each recipient.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::client::agent::core::Core;
use crate::client::agent::route::Wanted;
use crate::client::agent::sign_in::Answered;
use crate::limits::SUBMISSION_REPEATED_WITHIN;
use crate::model::command::Event;
use crate::model::delivery::{best, is_guess, is_resendable, is_settled, rank};
use crate::model::journal::{
    AttemptRow, AttemptStage, ConversationId, DeliveryRow, DeliveryState, MessageId, OpenRows, OutgoingRow,
    Way,
};
use crate::model::names::readdress;
use crate::model::reason::Phrase;
use crate::model::snapshot::Tally;
use crate::sip::{ReportMode, ReportOptions, Uri};
use crate::time::{Now, Timestamp};

/// A message and all its attempts.
#[derive(Debug)]
pub(super) struct OutboxEntry {
    /// The message.
    pub(super) row: OutgoingRow,
    /// Recipients are hidden from each other (W7).
    pub(super) hidden: bool,
    /// Keyed by attempt number.
    pub(super) attempts: BTreeMap<u32, Attempt>,
}

/// One attempt to send it.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Its row as stored.
    pub(super) row: AttemptRow,
    /// The disk has confirmed it. Until then only its own batch may write it, because that batch may fail.
    pub(super) is_kept: bool,
    /// One row for each of its recipients.
    pub(super) deliveries: Vec<DeliveryRow>,
    /// When it was last sent.
    pub(super) written_at: Option<Instant>,
    /// How often it was sent.
    pub(super) sendings: u8,
    /// Challenges already answered.
    pub(super) challenges: Answered,
    /// How its addresses are written.
    pub(super) form: Form,
    /// To tag of the 202, or From tag of the first report (W22).
    pub(super) to_tag: Option<String>,
    /// The owner was told that it was accepted.
    pub(super) accepted_told: bool,
    /// The final report has arrived.
    pub(super) report_ended: bool,
    /// It goes to a corrected address, until that is stored: the recipient's index, and its former address.
    pub(super) corrects: Option<(u32, String)>,
    /// The state that the owner was last told for each recipient, by index, as [`rank`].
    told: BTreeMap<u32, u8>,
}

/// How addresses are written on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As the person wrote them.
    AsWritten,
    /// `im:` as `sip:`, after a 400 (W6).
    Sip,
}

impl Attempt {
    /// An attempt about to be stored.
    pub(super) fn new(row: AttemptRow, deliveries: Vec<DeliveryRow>) -> Self {
        let to_tag = match &row.stage {
            AttemptStage::Accepted { to_tag } if !to_tag.is_empty() => Some(to_tag.clone()),
            AttemptStage::Accepted { .. }
            | AttemptStage::Queued
            | AttemptStage::Sent
            | AttemptStage::Closed => None,
        };
        let accepted_told = matches!(row.stage, AttemptStage::Accepted { .. } | AttemptStage::Closed);
        Self {
            row,
            is_kept: false,
            deliveries,
            written_at: None,
            sendings: 0,
            challenges: Answered::default(),
            form: Form::AsWritten,
            to_tag,
            accepted_told,
            report_ended: false,
            corrects: None,
            told: BTreeMap::new(),
        }
    }

    /// Notes what the owner is about to be told of a recipient; false if he has been told this much. After a failed
    /// write the event goes with a later batch, and a batch in between may already have told it.
    pub(super) fn note_told(&mut self, recipient: u32, state: DeliveryState, phrase: &Phrase) -> bool {
        let rank = rank(state, phrase);
        let is_news = self.told.get(&recipient).is_none_or(|told| *told < rank);
        if is_news {
            self.told.insert(recipient, rank);
        }
        is_news
    }

    /// Nothing more is expected.
    pub(super) fn is_closed(&self) -> bool {
        self.row.stage == AttemptStage::Closed
    }

    /// No byte has left.
    pub(super) fn is_queued(&self) -> bool {
        self.row.stage == AttemptStage::Queued
    }

    /// The proxy has accepted it.
    pub(super) const fn is_accepted(&self) -> bool {
        matches!(self.row.stage, AttemptStage::Accepted { .. })
    }

    /// Every recipient has a final state, or the report window has passed.
    pub(super) fn is_settled(&self) -> bool {
        self.deliveries.iter().all(|row| is_settled(row.state))
    }

    /// It may have left so long ago that its proxy no longer remembers it: sent again it could arrive twice (W12).
    pub(super) fn is_too_late(&self, now: Now) -> bool {
        self.row.stage == AttemptStage::Sent && now.wall.since(self.row.at) > SUBMISSION_REPEATED_WITHIN
    }

    /// It was withdrawn before any byte left.
    pub(super) fn is_withdrawn(&self) -> bool {
        self.is_closed() && self.deliveries.iter().all(|row| row.state == DeliveryState::Cancelled)
    }

    /// Sent but never answered: the proxy may or may not have it.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.is_closed() && self.deliveries.iter().all(is_guess)
    }

    /// A report was asked for (W9).
    pub(super) fn wants_report(&self) -> bool {
        self.row.report.mode != ReportMode::None
    }
}

impl OutboxEntry {
    /// Restores a message from the store.
    pub(super) fn recover(rows: OpenRows, hidden: bool) -> Self {
        let OpenRows { outgoing, attempts, deliveries } = rows;
        let mut entry = Self { row: outgoing, hidden, attempts: BTreeMap::new() };
        for row in attempts {
            let own = deliveries.iter().filter(|delivery| delivery.attempt == row.number).cloned().collect();
            let attempt = Attempt { is_kept: true, ..Attempt::new(row, own) };
            entry.attempts.insert(attempt.row.number, attempt);
        }
        entry
    }

    /// The row to show for each recipient.
    pub(super) fn best(&self) -> Vec<Option<&DeliveryRow>> {
        best(self.attempts.values().flat_map(|attempt| &attempt.deliveries), self.row.recipients.len())
    }

    /// Its conversation, its time, and [`Self::tally`].
    pub(super) fn counted(&self) -> (ConversationId, Timestamp, Tally) {
        (self.row.conversation, self.row.at, self.tally())
    }

    /// How many recipients are in each state.
    pub(super) fn tally(&self) -> Tally {
        Tally::of(self.best().into_iter().map(|row| row.map_or(DeliveryState::Queued, |row| row.state)))
    }

    /// The indexes of the recipients that a resend goes to: all that failed or have no report, or just `only` if it
    /// did.
    pub(super) fn resendable(&self, only: Option<u32>) -> Vec<u32> {
        let best = self.best();
        let failed =
            best.into_iter().flatten().filter(|row| is_resendable(row.state)).map(|row| row.recipient);
        failed.filter(|recipient| only.is_none_or(|only| only == *recipient)).collect()
    }

    /// Nothing more is expected, and there is nobody to resend to.
    pub(super) fn is_finished(&self) -> bool {
        self.attempts.values().all(Attempt::is_closed) && self.resendable(None).is_empty()
    }

    /// Whether no later attempt includes the recipient of this row.
    pub(super) fn is_in_latest(&self, row: &DeliveryRow) -> bool {
        let mut later = self.attempts.values().filter(|attempt| attempt.row.number > row.attempt);
        !later.any(|attempt| attempt.row.recipients.contains(&row.recipient))
    }

    /// The last attempt that was not withdrawn.
    pub(super) fn latest(&self) -> Option<&Attempt> {
        self.attempts.values().rev().find(|attempt| !attempt.is_withdrawn())
    }

    /// The report that it asked for.
    pub(super) fn latest_report_options(&self) -> ReportOptions {
        self.latest().map(|latest| latest.row.report.clone()).unwrap_or_default()
    }

    /// The number of the next attempt.
    pub(super) fn next_number(&self) -> u32 {
        self.attempts.last_key_value().map_or(1, |(number, _)| number + 1)
    }

    /// A recipient's address as written.
    pub(super) fn address(&self, recipient: u32) -> &str {
        let index = usize::try_from(recipient).unwrap_or(usize::MAX);
        self.row.recipients.get(index).map_or("", |person| person.address.as_str())
    }

    /// Gives a recipient another address; returns the former one.
    pub(super) fn readdress(&mut self, recipient: u32, address: String) -> Option<String> {
        let index = usize::try_from(recipient).ok()?;
        let person = self.row.recipients.get_mut(index)?;
        Some(readdress(person, address))
    }

    /// A delivery event updated to the current state; other events unchanged.
    pub(super) fn present(&self, event: Event) -> Event {
        let Event::Delivery { attempt, recipient, .. } = &event else {
            return event;
        };
        let rows = self.attempts.get(attempt).into_iter().flat_map(|attempt| &attempt.deliveries);
        let row = rows.into_iter().find(|row| row.recipient == *recipient);
        row.map_or(event, |row| self.delivery_event(row))
    }

    /// The transports allowed for a request to these recipients; the account may have lost TLS since it was written.
    pub(super) fn wanted(&self, recipients: &[u32]) -> Wanted {
        let is_sips = |index: &u32| Uri::parse(self.address(*index)).is_ok_and(|uri| uri.is_sips());
        if recipients.iter().any(is_sips) { Wanted::Tls } else { Wanted::Any }
    }

    /// The event that tells the owner about a recipient.
    pub(super) fn delivery_event(&self, row: &DeliveryRow) -> Event {
        Event::Delivery {
            conversation: self.row.conversation,
            message: row.message,
            attempt: row.attempt,
            recipient: row.recipient,
            address: self.address(row.recipient).to_owned(),
            state: row.state,
            status: row.status,
            reason: row.phrase.clone(),
            after: row.after,
            at: row.at,
        }
    }
}

/// A row for a recipient of whom nothing is known yet.
pub(super) fn queued(message: MessageId, attempt: u32, recipient: u32, now: Now) -> DeliveryRow {
    DeliveryRow {
        message,
        attempt,
        recipient,
        state: DeliveryState::Queued,
        status: None,
        phrase: Phrase::default(),
        tries: None,
        after: None,
        at: now.wall,
    }
}

/// The values that identify a submission on the wire.
#[derive(Debug)]
pub(super) struct Identity {
    /// Call-ID.
    pub(super) call_id: String,
    /// From tag.
    pub(super) from_tag: String,
    /// CSeq.
    pub(super) cseq: u32,
    /// Delivery-Report.
    pub(super) report: ReportOptions,
    /// Whether it asks for notifications, if that is already decided: the same request has the same body (W12).
    pub(super) asks: Option<bool>,
    /// How it is sent. What went one by one, or by a list, goes so again: its recipients know its Call-ID.
    pub(super) way: Way,
}

impl Identity {
    /// A new identity, never used before.
    pub(super) fn fresh(core: &mut Core, report: &ReportOptions) -> Self {
        let report = ReportOptions { id: Some(core.random.token(20)), ..*report };
        let (call_id, from_tag) = (core.random.token(24), core.random.token(10));
        Self { call_id, from_tag, cseq: 1, report, asks: None, way: Way::FanOut }
    }

    /// That of an earlier attempt, so that the proxy recognizes the submission.
    pub(super) fn of(row: &AttemptRow) -> Self {
        Self {
            call_id: row.call_id.clone(),
            from_tag: row.from_tag.clone(),
            cseq: row.cseq,
            report: row.report.clone(),
            asks: Some(row.asks),
            way: row.way,
        }
    }
}
