//! Reports: a NOTIFY that gives the outcome of each leg of a message of ours (W20 to W25).

use super::entry::Attempt;
use super::{AttemptId, Outbox};
use crate::client::agent::core::{Action, Core, IncomingRequest};
use crate::limits::{DIRECTORIES_KEPT, RECIPIENTS_MAX};
use crate::machine::Flow;
use crate::model::command::Event;
use crate::model::delivery::{Directory, News};
use crate::model::journal::{AttemptStage, DeliveryState, ReportRow, StrangerRow, Way, Write};
use crate::model::text::visible;
use crate::sip::{Method, ReportLine, Request, Response, media_type, read_report};
use crate::time::Now;

impl Outbox {
    /// Handles a report: its 200 leaves after the commit. Any other NOTIFY gets 481 and changes nothing (W25); one that is
    /// too early to be believed gets 480, after which its proxy sends it again (W23).
    pub(crate) fn notified(&mut self, core: &mut Core, asked: IncomingRequest<'_>, now: Now) {
        let fields = asked.request.fields();
        let is_report = fields.first("Event").is_some_and(|event| event_package(event) == "delivery-report");
        let may_report = is_report && core.server.leads_to_proxy(asked.flow);
        let place = if may_report { self.reported_place(asked.request) } else { None };
        let Some(place) = place else {
            let is_early = may_report && self.is_early(asked.request);
            let answer = core.plain_answer(asked, if is_early { 480 } else { 481 });
            return core.answer_now(asked, answer.status, answer.bytes, now);
        };
        let content_type = fields.first("Content-Type").map(media_type);
        if content_type.as_deref() != Some("application/delivery-report") {
            let bytes = core.answer(asked, 415).field("Accept", "application/delivery-report").finish();
            return core.answer_now(asked, 415, bytes, now);
        }
        let lines = match read_report(&asked.request.body()) {
            Ok(lines) => lines,
            Err(_unreadable) => {
                let answer = core.plain_answer(asked, 400);
                return core.answer_now(asked, answer.status, answer.bytes, now);
            }
        };
        let (message, attempt) = place;
        if let Some(attempt) = self.find_mut(place) {
            let from = fields.from();
            attempt.to_tag.get_or_insert_with(|| from.tag().unwrap_or_default().to_owned());
        }
        core.write(Write::Report(ReportRow { message, attempt, at: now.wall, body: asked.request.body() }));
        self.learn_report(core, place, &lines, now);
        self.send_text_alone(core, place, now);
        let state = fields.first("Subscription-State").unwrap_or_default();
        if event_package(state) == "terminated" {
            self.report_ended(core, place);
        }
        self.close_if_settled(core, place, now);
        self.reopen_if_deferred(core, place, now);
        // An earlier report said the same, but could not be stored. The 200 depends on this batch, so it is written
        // here.
        if self.is_unsaved(place.0) {
            self.save(core, place.0);
        }
        let kept = core.plain_answer(asked, 200);
        let lost = core.busy_answer(asked);
        // An earlier batch may still fail.
        core.promise(Action::ReportTaken { message: place.0, kept, lost });
    }

    /// Whether this comes from our server's address and matches a submission of ours by Call-ID and tag. Nobody else
    /// knows those (W15), so no other proof is needed. After a restart, a report names the Contact of the earlier run.
    pub(crate) fn is_report_of_ours(&self, core: &Core, request: &Request, flow: Flow) -> bool {
        *request.method() == Method::Notify
            && core.server.leads_to_proxy(flow)
            && (self.reported_place(request).is_some() || self.is_early(request))
    }

    /// The attempt that a NOTIFY is about: one with the same Call-ID and tags.
    fn reported_place(&self, request: &Request) -> Option<AttemptId> {
        let attempt = self.attempt_of_call(request).filter(|attempt| may_report(attempt, request))?;
        Some((attempt.row.message, attempt.row.number))
    }

    /// Whether a NOTIFY may be a report on a list whose 2xx has not come yet.
    fn is_early(&self, request: &Request) -> bool {
        self.attempt_of_call(request).is_some_and(|attempt| {
            let is_open = attempt.to_tag.is_none() && !attempt.is_closed();
            is_open && attempt.row.way == Way::ByList && names(attempt, request)
        })
    }

    /// The attempt with the Call-ID of this request. A resend under the same Call-ID is the same submission: the later
    /// attempt stands for both.
    fn attempt_of_call(&self, request: &Request) -> Option<&Attempt> {
        let call_id = request.fields().call_id();
        let entry = self.entries.get(self.by_call.get(call_id)?)?;
        let mut attempts = entry.attempts.values().rev();
        attempts.find(|it| it.row.call_id == call_id && !it.is_withdrawn())
    }

    /// The tag under which whoever accepted an attempt reports on it (W22).
    pub(super) fn note_to_tag(&mut self, place: AttemptId, response: &Response) -> String {
        let to_tag = response.fields().to().tag().unwrap_or_default().to_owned();
        if let Some(attempt) = self.find_mut(place).filter(|_| !to_tag.is_empty()) {
            attempt.to_tag = Some(to_tag.clone());
        }
        to_tag
    }

    fn learn_report(&mut self, core: &mut Core, place: AttemptId, lines: &[ReportLine], now: Now) {
        // A report that arrives before the 202, or instead of it, proves the acceptance.
        let to_tag = self.find(place).and_then(|(_, attempt)| attempt.to_tag.clone()).unwrap_or_default();
        self.waiting.remove(&place);
        self.large.remove(&place);
        self.await_report(core, place, to_tag, now);
        let Some(directory) = self.directory(place) else {
            return;
        };
        let found: Vec<_> =
            lines.iter().map(|line| (directory.find(&line.address), News::of(line), line)).collect();
        let mut strangers = 0;
        for (recipient, news, line) in found {
            match (recipient, news) {
                (Some(recipient), Some(news)) => self.learn(core, place, recipient, &news, now),
                (Some(_) | None, _) => {
                    strangers += 1;
                    if strangers <= RECIPIENTS_MAX {
                        keep_stranger(core, place, line, now);
                    }
                }
            }
        }
    }

    /// Finds the recipients of an attempt by their addresses.
    pub(super) fn directory(&mut self, place: AttemptId) -> Option<&Directory> {
        if !self.directories.contains_key(&place) {
            let (entry, attempt) = self.find(place)?;
            let recipients = attempt.row.recipients.iter().map(|index| (*index, entry.address(*index)));
            let directory = Directory::of(recipients);
            if self.directories.len() >= DIRECTORIES_KEPT {
                self.directories.pop_first();
            }
            self.directories.insert(place, directory);
        }
        self.directories.get(&place)
    }

    /// An attempt's report window has passed: recipients that are only accepted get "No report".
    pub(super) fn window_over(&mut self, core: &mut Core, place: AttemptId, now: Now) {
        let Some((_, attempt)) = self.find(place).filter(|(_, attempt)| attempt.is_accepted()) else {
            return;
        };
        let silent = attempt.deliveries.iter().filter(|row| row.state == DeliveryState::Accepted);
        let silent: Vec<_> = silent.map(|row| row.recipient).collect();
        for recipient in silent {
            self.learn(core, place, recipient, &News::bare(DeliveryState::NoReport), now);
        }
        self.close_if_settled(core, place, now);
    }

    /// A late report says that a recipient is deferred: his outcome is still to come. The attempt is reopened, since a
    /// restart resumes only open attempts.
    fn reopen_if_deferred(&mut self, core: &mut Core, place: AttemptId, now: Now) {
        let Some((_, attempt)) = self.find(place).filter(|(_, it)| it.is_closed() && !it.is_settled()) else {
            return;
        };
        let to_tag = attempt.to_tag.clone().unwrap_or_default();
        self.finished.remove(&place.0);
        self.set_stage(core, place, AttemptStage::Accepted { to_tag }, now);
    }

    pub(super) fn report_ended(&mut self, core: &mut Core, place: AttemptId) {
        let Some(attempt) = self.find_mut(place).filter(|attempt| !attempt.report_ended) else {
            return;
        };
        attempt.report_ended = true;
        let event = Event::Reported { message: place.0, attempt: place.1 };
        core.promise(Action::TellOf(place.0, event));
    }
}

/// Whether a NOTIFY with these tags can be a report on this attempt. The recipients of what goes one by one know its
/// Call-ID, and the first one its tag: nothing that they say of each other is believed. Those of a list may know both,
/// depending on the server: there only its 2xx proves who reports.
fn may_report(attempt: &Attempt, request: &Request) -> bool {
    let from = request.fields().from();
    let (known, theirs) = (attempt.to_tag.as_deref(), from.tag().unwrap_or_default());
    let is_reporter = match attempt.row.way {
        Way::FanOut => known.is_none_or(|known| known == theirs),
        Way::ByList => known == Some(theirs),
        Way::OneByOne => false,
    };
    is_reporter && names(attempt, request)
}

/// Whether a NOTIFY has the attempt's tag in To.
fn names(attempt: &Attempt, request: &Request) -> bool {
    request.fields().to().tag() == Some(attempt.row.from_tag.as_str())
}

/// Stored and told, never dropped silently: a recipient we did not write to, or an unknown state (W20).
fn keep_stranger(core: &mut Core, (message, attempt): AttemptId, line: &ReportLine, now: Now) {
    core.write(Write::Stranger(StrangerRow {
        message,
        attempt,
        address: line.address.clone(),
        state: line.state.as_str().to_owned(),
        status: line.status,
        phrase: line.reason.clone().unwrap_or_default(),
        tries: line.tries,
        after: line.after,
        at: now.wall,
    }));
    let address = visible(&line.address);
    let state = visible(line.state.as_str());
    let event = Event::ReportedStranger { message, attempt, address, state };
    core.promise(Action::Tell(event));
}

/// `delivery-report` of `Delivery-Report;id=1`.
fn event_package(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
