//! One submission on the wire: ONE MESSAGE for all (W1, W2, W27), and what its final response means (RFC 3428 §8).

use super::entry::{Attempt, Form};
use super::print::{print, print_list};
use super::server_verdict::ServerVerdict;
use super::{AttemptId, Outbox};
use crate::client::agent::core::{Action, Core, Task};
use crate::client::agent::interval::retry_after;
use crate::client::agent::route::{Printed, Route, route};
use crate::client::agent::server_connection::Stream;
use crate::client::agent::sign_in::{Answerer, Heeded};
use crate::limits::{CONNECT_WAIT, RETRY_AFTER_MAX, SUBMISSION_SENDINGS_MAX};
use crate::model::command::Event;
use crate::model::delivery::News;
use crate::model::journal::{AttemptStage, DeliveryState, Way, Write};
use crate::model::reason::{LocalReason, Phrase};
use crate::sip::{Method, Response, SECONDARY_TO, Scheme, Uri};
use crate::time::Now;
use crate::transaction::Failure;

impl Outbox {
    /// Sends what waits, up to the limit of pending requests.
    pub(crate) fn send_waiting(&mut self, core: &mut Core, now: Now) {
        // What began one by one continues so, whatever the server supports by now.
        self.send_singles(core, now);
        if !matches!(core.server.stream(), Stream::Opening { .. }) {
            self.waiting.append(&mut self.large);
        }
        while self.has_room() {
            let Some(place) = self.waiting.pop_first() else {
                return;
            };
            if self.is_to_be_noted(core, place) {
                self.note_that_it_leaves(core, place, now);
                self.learn_all(core, place, &News::bare(DeliveryState::Sending), now);
                continue;
            }
            if self.find(place).is_some_and(|(_, attempt)| attempt.is_too_late(now)) {
                self.refuse(core, place, Some(408), (408, LocalReason::NoAnswer.into()), now);
                continue;
            }
            let Some((entry, attempt)) = self.find(place) else {
                continue;
            };
            let wanted = entry.wanted(&attempt.row.recipients);
            let print = |core: &mut Core, flow| match attempt.row.way {
                Way::ByList => print_list(core, entry, attempt, flow),
                Way::FanOut | Way::OneByOne => print(core, entry, attempt, flow),
            };
            match route(core, wanted, print) {
                Some(Route::Leave(printed)) => self.leave(core, place, printed, now),
                Some(Route::AwaitConnection) => {
                    self.large.insert(place);
                    core.open_stream(now.mono, CONNECT_WAIT);
                }
                Some(Route::TooLarge) => {
                    self.refuse(core, place, None, (413, LocalReason::TooLarge.into()), now);
                }
                Some(Route::NoTls) => self.refuse(core, place, None, (480, LocalReason::NoTls.into()), now),
                Some(Route::NoLine) => {
                    self.waiting.insert(place);
                    return;
                }
                None => {}
            }
        }
    }

    /// A response to a submission.
    pub(crate) fn heard(
        &mut self,
        core: &mut Core,
        place: AttemptId,
        response: &Response,
        now: Now,
    ) -> ServerVerdict {
        let status = response.status();
        if status < 200 {
            return ServerVerdict::Nothing;
        }
        self.under_way.remove(&place);
        // A report that has arrived proves that the proxy has it, whatever a refusal says (W25).
        let is_known = |attempt: &Attempt| attempt.is_closed() || attempt.is_accepted();
        if self.find(place).is_none_or(|(_, attempt)| is_known(attempt) && status >= 300) {
            return ServerVerdict::Nothing;
        }
        match status {
            200..=299 => self.heard_2xx(core, place, response, now),
            404 | 405 | 415 | 420 | 484 | 501 if self.goes_by_list(place) => {
                core.takes_lists = false;
                self.not_understood(core, place, now);
                ServerVerdict::NoLists
            }
            420 => {
                self.not_understood(core, place, now);
                ServerVerdict::NoProof
            }
            // A 3xx is about the Request-URI, the first recipient's: each now gets a MESSAGE, and follows its own.
            300..=399 => {
                self.not_for_all(core, place, now);
                ServerVerdict::Nothing
            }
            400 if self.can_be_rewritten(core, place) => {
                self.rewrite(core, place, Form::Sip);
                ServerVerdict::Nothing
            }
            401 | 407 if self.can_be_answered(core, place, response) => {
                let form = self.find(place).map_or(Form::AsWritten, |(_, attempt)| attempt.form);
                self.rewrite(core, place, form);
                ServerVerdict::Nothing
            }
            // RFC 3263 §4.3: this server does not accept it; the next one may, and recognizes a duplicate (W12).
            503 if self.may_go_elsewhere(core, place) => {
                self.waiting.insert(place);
                ServerVerdict::Doubt
            }
            _ => {
                self.hold_if_busy(response, now);
                let reason = core.challenges.reason(response);
                self.refuse(core, place, Some(status), (status, reason), now);
                match status {
                    // The registration finds out whether the server still serves us.
                    401 | 407 => ServerVerdict::Doubt,
                    _ => ServerVerdict::Nothing,
                }
            }
        }
    }

    /// A 2xx: whom it speaks for depends on what the server has proven, and on how the submission went.
    fn heard_2xx(&mut self, core: &mut Core, place: AttemptId, answer: &Response, now: Now) -> ServerVerdict {
        if answer.fields().has_token("Supported", SECONDARY_TO) {
            self.accepted(core, place, answer, now);
        } else if self.goes_by_list(place) {
            self.taken(core, place, answer, now);
        } else {
            self.primary_only(core, place, answer, now);
            return ServerVerdict::NoProof;
        }
        ServerVerdict::Nothing
    }

    /// Holds submissions back while a busy server asks for that (RFC 3261 §21.5.4).
    pub(super) fn hold_if_busy(&mut self, response: &Response, now: Now) {
        if let Some(wait) = retry_after(response.fields()).filter(|_| response.status() == 503) {
            self.hold_until = Some(now.mono + wait.min(RETRY_AFTER_MAX));
        }
    }

    /// A submission got no final response.
    pub(crate) fn unanswered(
        &mut self,
        core: &mut Core,
        place: AttemptId,
        failure: Failure,
        now: Now,
    ) -> ServerVerdict {
        self.under_way.remove(&place);
        let Some((_, attempt)) = self.find(place) else {
            return ServerVerdict::Nothing;
        };
        if attempt.is_closed() || attempt.is_accepted() {
            let timed_out = failure == Failure::Timeout;
            return if timed_out { ServerVerdict::Silence } else { ServerVerdict::Nothing };
        }
        match failure {
            // W10: again under the same Call-ID and CSeq, as soon as there is a flow.
            Failure::Transport if attempt.sendings < SUBMISSION_SENDINGS_MAX => {
                self.waiting.insert(place);
                ServerVerdict::Nothing
            }
            Failure::Transport => {
                self.refuse(core, place, Some(408), (408, LocalReason::NoConnection.into()), now);
                ServerVerdict::Nothing
            }
            Failure::TooLarge => {
                self.refuse(core, place, None, (413, LocalReason::TooLarge.into()), now);
                ServerVerdict::Nothing
            }
            // It is unknown whether the proxy has it. It recognizes a duplicate (W12), so the same request goes again
            // once the proxy is back.
            Failure::Timeout
                if attempt.row.way == Way::FanOut && attempt.sendings < SUBMISSION_SENDINGS_MAX =>
            {
                self.waiting.insert(place);
                ServerVerdict::Silence
            }
            // A list server may send a duplicate to everybody: the user has to decide.
            Failure::Timeout => {
                self.refuse(core, place, Some(408), (408, LocalReason::NoAnswer.into()), now);
                ServerVerdict::Silence
            }
        }
    }

    /// True if the proxy has another server to try (RFC 3263 §4.3).
    fn may_go_elsewhere(&self, core: &Core, place: AttemptId) -> bool {
        let sendings = self.find(place).map_or(u8::MAX, |(_, attempt)| attempt.sendings);
        core.server.has_next_hop() && sendings < SUBMISSION_SENDINGS_MAX
    }

    /// Reports go to the submission's flow (W24). That flow is lost, and no registration says where we are now: sending
    /// the same submissions again moves their reports here (W12).
    pub(crate) fn call_reports(&mut self) {
        for (id, entry) in &self.entries {
            let owed = entry.attempts.values().filter(|it| it.is_accepted() && !it.report_ended);
            self.waiting.extend(owed.map(|attempt| (*id, attempt.row.number)));
        }
    }

    fn leave(&mut self, core: &mut Core, place: AttemptId, printed: Printed, now: Now) {
        if let Some(attempt) = self.find_mut(place) {
            attempt.sendings = attempt.sendings.saturating_add(1);
            attempt.written_at = Some(now.mono);
        }
        self.under_way.insert(place);
        let task = Task::Submission(place.0, place.1);
        core.send(task, Method::Message, (printed.flow, &printed.branch), printed.bytes, now);
    }

    /// Whether an attempt could leave now but the disk has not recorded that it may have. That is recorded first: else
    /// after a crash it would be queued again, could be withdrawn, and would be delivered all the same.
    pub(super) fn is_to_be_noted(&self, core: &Core, place: AttemptId) -> bool {
        core.server.main().is_some() && self.find(place).is_some_and(|(_, attempt)| attempt.is_queued())
    }

    /// Records on disk that an attempt may have left.
    pub(super) fn note_that_it_leaves(&mut self, core: &mut Core, place: AttemptId, now: Now) {
        self.leaving.insert(place);
        self.set_stage(core, place, AttemptStage::Sent, now);
        let (message, attempt) = place;
        core.promise(Action::MayLeave(message, attempt));
    }

    /// The disk has recorded that an attempt may have left. This may come twice, for the batch and for a repeated
    /// write.
    pub(crate) fn may_leave(&mut self, place: AttemptId) {
        if !self.leaving.remove(&place) {
            return;
        }
        match self.find(place).filter(|(_, attempt)| !attempt.is_closed() && !attempt.is_accepted()) {
            Some((_, attempt)) if attempt.row.way == Way::OneByOne => self.resume_one_by_one(place),
            Some(_) => drop(self.waiting.insert(place)),
            None => {}
        }
    }

    /// The proxy has accepted it and owes a report (W11).
    fn accepted(&mut self, core: &mut Core, place: AttemptId, response: &Response, now: Now) {
        self.tell_accepted(core, place, response.status(), now);
        let to_tag = self.note_to_tag(place, response);
        self.await_report(core, place, to_tag, now);
    }

    /// The proxy has the attempt: from here on its report window runs.
    pub(super) fn await_report(&mut self, core: &mut Core, place: AttemptId, to_tag: String, now: Now) {
        let Some((_, attempt)) = self.find(place) else {
            return;
        };
        if attempt.is_closed() || attempt.is_accepted() {
            return;
        }
        let wants_report = attempt.wants_report();
        self.learn_all(core, place, &News::bare(DeliveryState::Accepted), now);
        if wants_report {
            self.set_stage(core, place, AttemptStage::Accepted { to_tag }, now);
            self.windows.insert((now.mono + core.profile.report_window, place.0, place.1));
        } else {
            self.set_stage(core, place, AttemptStage::Closed, now);
            self.retire(place.0);
        }
    }

    /// A 2xx without proof is the first recipient's own answer; the others were not written to, so they are now (W6).
    fn primary_only(&mut self, core: &mut Core, place: AttemptId, response: &Response, now: Now) {
        let Some((_, attempt)) = self.find(place) else {
            return;
        };
        let status = Some(response.status());
        let state = if status == Some(202) { DeliveryState::PassedOn } else { DeliveryState::Delivered };
        let after = attempt.written_at.map(|at| now.mono.saturating_duration_since(at));
        let news = News { status, phrase: response.reason().into(), after, ..News::bare(state) };
        let primary = attempt.row.recipients.first().copied();
        if let Some(primary) = primary {
            self.learn(core, place, primary, &news, now);
        }
        self.go_one_by_one(core, place, now);
    }

    /// A list server has it and tells no more (RFC 5365 §7): each recipient gets that state, and nothing more is
    /// expected. A proxy of ours behind it may still report, under the tag of this answer (W26).
    fn taken(&mut self, core: &mut Core, place: AttemptId, response: &Response, now: Now) {
        self.tell_accepted(core, place, response.status(), now);
        self.note_to_tag(place, response);
        if self.find(place).is_none_or(|(_, attempt)| attempt.is_closed() || attempt.is_accepted()) {
            return;
        }
        // Showing a 200 would claim that the recipients have it.
        let status = Some(response.status()).filter(|status| *status == 202);
        let phrase = LocalReason::ListServer.into();
        self.learn_all(core, place, &News { status, phrase, ..News::bare(DeliveryState::PassedOn) }, now);
        let (message, attempt) = place;
        core.promise(Action::TellOf(message, Event::Unreported { message, attempt }));
        self.close_if_settled(core, place, now);
    }

    /// Nobody got it, because the server does not support what the submission requires: it goes as a list if the server
    /// accepts lists (W27), else one by one (W6). That is another request, so it has another CSeq (RFC 3261 §8.1.3.5).
    fn not_understood(&mut self, core: &mut Core, place: AttemptId, now: Now) {
        let Some(attempt) = self.find_mut(place) else {
            return;
        };
        if core.takes_lists && attempt.row.way == Way::FanOut && attempt.row.recipients.len() > 1 {
            attempt.row.way = Way::ByList;
            return self.rewrite(core, place, Form::Sip);
        }
        self.not_for_all(core, place, now);
    }

    /// Nobody got it; each recipient now gets a MESSAGE of his own, as a new request.
    fn not_for_all(&mut self, core: &mut Core, place: AttemptId, now: Now) {
        if let Some(attempt) = self.find_mut(place) {
            attempt.row.cseq += 1;
        }
        self.go_one_by_one(core, place, now);
    }

    /// Whether an attempt is sent as a list.
    pub(super) fn goes_by_list(&self, place: AttemptId) -> bool {
        self.find(place).is_some_and(|(_, attempt)| attempt.row.way == Way::ByList)
    }

    fn tell_accepted(&mut self, core: &mut Core, (message, number): AttemptId, status: u16, now: Now) {
        let Some(attempt) = self.find_mut((message, number)).filter(|attempt| !attempt.accepted_told) else {
            return;
        };
        attempt.accepted_told = true;
        let after = attempt.written_at.map(|at| now.mono.saturating_duration_since(at)).unwrap_or_default();
        let event = Event::Accepted { message, attempt: number, status, after };
        core.promise(Action::TellOf(message, event));
    }

    /// This attempt reaches nobody: `status` is recorded for each recipient, `told` is what the owner hears.
    fn refuse(
        &mut self,
        core: &mut Core,
        place: AttemptId,
        status: Option<u16>,
        told: (u16, Phrase),
        now: Now,
    ) {
        if self.find(place).is_none_or(|(_, attempt)| attempt.is_closed() || attempt.is_accepted()) {
            return;
        }
        let (message, attempt) = place;
        let event = Event::Refused { message, attempt, status: told.0, reason: told.1.clone() };
        // Refused because of its CPIM, it is sent again without (W28).
        if status != Some(415) || self.find(place).is_none_or(|(_, attempt)| !attempt.row.asks) {
            core.promise(Action::TellOf(message, event));
        }
        self.learn_all(core, place, &News::failed(status, told.1), now);
        self.set_stage(core, place, AttemptStage::Closed, now);
        self.send_text_alone(core, place, now);
    }

    /// W6: a 400 may be about `im:`; rewritten once.
    fn can_be_rewritten(&self, core: &Core, place: AttemptId) -> bool {
        let is_im = |uri: &Uri| matches!(uri.scheme(), Scheme::Im | Scheme::Pres);
        let Some((entry, attempt)) = self.find(place) else {
            return false;
        };
        let recipients =
            attempt.row.recipients.iter().filter_map(|index| Uri::parse(entry.address(*index)).ok());
        attempt.form == Form::AsWritten
            && attempt.row.way == Way::FanOut
            && (is_im(&core.profile.address) || recipients.into_iter().any(|uri| is_im(&uri)))
    }

    /// RFC 3261 §22.2, §22.3: it may pass with credentials.
    fn can_be_answered(&mut self, core: &mut Core, place: AttemptId, response: &Response) -> bool {
        let attempt = self.find_mut(place);
        attempt.is_some_and(|it| {
            core.challenges.heed(response, Answerer::Server, &mut it.challenges) == Heeded::Again
        })
    }

    /// The same in another form: a new request, so another CSeq (RFC 3261 §8.1.3.5).
    fn rewrite(&mut self, core: &mut Core, place: AttemptId, form: Form) {
        let Some(attempt) = self.find_mut(place) else {
            return;
        };
        attempt.form = form;
        attempt.row.cseq += 1;
        core.write(Write::Attempt(attempt.row.clone()));
        core.promise(Action::StateKept(place.0));
        self.waiting.insert(place);
    }
}
