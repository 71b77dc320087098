//! Notifications from recipients' programs about our messages (RFC 5438), and whose programs cannot be asked (W28).
//!
//! A text that asks leaves in CPIM, with its attempt's Call-ID as the message ID: whoever knows that ID got the
//! message, and we recognize it after a restart. A program that does not accept CPIM answers 415; its owner then gets
//! the text alone in the next attempt, without a failure being shown in between.

use super::entry::{Identity, OutboxEntry};
use super::{AttemptId, Outbox};
use crate::client::agent::core::{Action, Core, IncomingRequest};
use crate::limits::{ASKING_BYTES_MAX, CPIM_REFUSERS_MAX};
use crate::model::contacts::address_key;
use crate::model::delivery::{News, is_refused_by_type};
use crate::model::journal::DeliveryRow;
use crate::sip::{Cpim, Disposition, Imdn, Request, media_type};
use crate::time::Now;

impl Outbox {
    /// Handles a notification. If it came over our proxy and says something new of a message of ours by one of its
    /// recipients, its 200 leaves after the commit; any other changes nothing.
    pub(crate) fn receipt(&mut self, core: &mut Core, asked: IncomingRequest<'_>, now: Now) {
        let may_say = core.is_from_server(asked.request, asked.flow);
        let said = if may_say { self.said(core, asked.request) } else { None };
        let kept = core.plain_answer(asked, 200);
        let Some((place, recipient, disposition)) = said else {
            return core.answer_now(asked, kept.status, kept.bytes, now);
        };
        let known = self.find(place).and_then(|(_, attempt)| row_of(&attempt.deliveries, recipient));
        if let Some(news) = known.map(|known| News::said(disposition, known)) {
            self.learn(core, place, recipient, &news, now);
        }
        self.close_if_settled(core, place, now);
        // An earlier one said the same, but could not be stored. The 200 depends on this batch, so it is written here.
        if self.is_unsaved(place.0) {
            self.save(core, place.0);
        }
        let lost = core.busy_answer(asked);
        core.promise(Action::ReportTaken { message: place.0, kept, lost });
    }

    /// The attempt and recipient that a notification is about, and what it says.
    fn said(&mut self, core: &Core, request: &Request) -> Option<(AttemptId, u32, Disposition)> {
        let content_type = media_type(request.fields().first("Content-Type").unwrap_or_default());
        let body =
            if content_type == "message/cpim" { Cpim::parse(&request.body())?.body } else { request.body() };
        let Imdn { message_id, disposition } = Imdn::parse(&body)?;
        let id = *self.by_call.get(&message_id)?;
        let entry = self.entries.get(&id)?;
        // A resend under the same Call-ID is the same message: the later attempt stands for both.
        let mut of_name = entry.attempts.values().rev().filter(|it| it.row.call_id == message_id);
        let attempt = of_name.find(|it| it.row.asks && !it.is_queued() && !it.is_withdrawn())?;
        let place = (id, attempt.row.number);
        let from = request.fields().from();
        // All who got it know its name, and nobody proves a From of another domain to our server.
        let is_proven = from.uri.aor().domain() == core.profile.address.aor().domain();
        if attempt.row.recipients.len() > 1 && !is_proven {
            return None;
        }
        let recipient = self.directory(place)?.find(from.uri.as_str())?;
        Some((place, recipient, disposition))
    }

    /// Whether a text to these recipients may be sent in CPIM.
    pub(super) fn may_ask(&self, core: &Core, entry: &OutboxEntry, recipients: &[u32]) -> bool {
        let is_text = media_type(&entry.row.content_type) == "text/plain";
        let refuses = |index: &u32| self.refusers.contains(&address_key(entry.address(*index)));
        core.profile.receipts
            && is_text
            && entry.row.body.len() <= ASKING_BYTES_MAX
            && !recipients.iter().any(refuses)
    }

    /// Remembers whose program does not accept CPIM: they get plain text from now on.
    pub(super) fn remember_refusers<'a>(&mut self, addresses: impl IntoIterator<Item = &'a str>) {
        for address in addresses {
            self.refusers.insert(address_key(address));
            if self.refusers.len() > CPIM_REFUSERS_MAX {
                self.refusers.pop_first();
            }
        }
    }

    /// Sends the text alone, once, to those whose program does not accept CPIM: the message loses nothing by that.
    pub(super) fn send_text_alone(&mut self, core: &mut Core, place: AttemptId, now: Now) {
        let Some((entry, attempt)) = self.find(place).filter(|(_, attempt)| attempt.row.asks) else {
            return;
        };
        let refused = attempt.deliveries.iter().filter(|row| is_refused_by_type(row));
        let refused = refused.filter(|row| entry.is_in_latest(row)).map(|row| row.recipient);
        let recipients: Vec<_> = refused.collect();
        if recipients.is_empty() {
            return;
        }
        let addresses: Vec<_> = recipients.iter().map(|index| entry.address(*index).to_owned()).collect();
        let (number, report) = (entry.next_number(), attempt.row.report.clone());
        self.remember_refusers(addresses.iter().map(String::as_str));
        let ids = Identity::fresh(core, &report);
        self.begin_attempt(core, place.0, ids, recipients, now);
        core.promise(Action::AttemptKept(place.0, number));
    }
}

fn row_of(rows: &[DeliveryRow], recipient: u32) -> Option<&DeliveryRow> {
    rows.iter().find(|row| row.recipient == recipient)
}
