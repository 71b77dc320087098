//! Puts the messages of a trace together: a submission, its legs, its reports, and the answers to all of them.
//!
//! A submission is known by its Call-ID and From tag, and so are its reports (W22). A leg has a Call-ID of its own (W15)
//! and nothing that names its submission; it is known by its From, its To and its body, which all are the submission's,
//! and by coming from somebody else than the submission's sender. Two submissions with the same words to the same
//! person get their legs in the order in which they were sent.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;

use super::trace::{Read, Traced};
use crate::sip::{
    Aor, Fields, Message, Method, RECIPIENT_LIST, ReportLine, ReportState, Request, Response, SECONDARY_TO,
    Uri, read_report, recipients, with_secondary_to,
};
use crate::time::Timestamp;

/// A MESSAGE of somebody, and all that belongs to it.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Its Call-ID, which its reports have too.
    pub call_id: String,
    /// Who wrote it.
    pub from: Uri,
    /// When it was first seen.
    pub at: Timestamp,
    /// Where it came from.
    pub sender: SocketAddr,
    /// Where it went.
    pub proxy: SocketAddr,
    /// It asked for fan-out or a report; otherwise it is an ordinary MESSAGE to one person.
    pub is_fan_out: bool,
    /// In the order of the message.
    pub recipients: Vec<Recipient>,
    /// Legs to addresses that it does not name: members of a list, or an alias.
    pub others: Vec<Leg>,
    /// The answer to the submission itself: the first 2xx, else the latest final response.
    pub answer: Option<FinalAnswer>,
    /// The CSeqs of its reports; a retransmission has the same.
    pub reports: BTreeSet<u32>,
    /// All of its messages in the order of the trace: the place in the trace, and which part it belongs to.
    pub messages: Vec<(usize, Part)>,
}

/// One person in a submission.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// As spelled in the submission.
    pub address: Uri,
    /// The leg to this person, if one was seen.
    pub leg: Option<Leg>,
    /// What the reports said; a success is not replaced.
    pub reported: Option<ReportLine>,
}

/// The MESSAGEs to one person, and what was answered.
#[derive(Clone, Debug)]
pub struct Leg {
    /// Whom it is to, as the leg says.
    pub to: Uri,
    /// When the first one passed.
    pub at: Timestamp,
    /// How many MESSAGEs there were, to whatever place.
    pub transmissions: u32,
    /// The first 2xx, else the latest final response.
    pub answer: Option<FinalAnswer>,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalAnswer {
    /// Its status.
    pub status: u16,
    /// Its reason phrase.
    pub reason: String,
    /// When it passed.
    pub at: Timestamp,
}

/// Which part of a submission a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Between the sender and the proxy.
    Uplink,
    /// Between the proxy and this recipient.
    Leg(usize),
    /// Between the proxy and somebody the submission does not name.
    Other(usize),
    /// A report, or the answer to one.
    Report,
}

/// All submissions of a trace, in the order in which they were first seen. The trace is in the order of time.
#[must_use]
pub fn submissions(trace: &[Traced]) -> Vec<Submission> {
    let mut grouping = Submissions::default();
    for (index, traced) in trace.iter().enumerate() {
        grouping.push(index, traced);
    }
    grouping.submissions
}

/// Call-ID, and the tag that its sender gave.
type Key = (String, Option<String>);

/// The submissions of a trace that grows.
#[derive(Debug, Default)]
pub struct Submissions {
    submissions: Vec<Submission>,
    /// Submissions by their own key.
    uplinks: BTreeMap<Key, usize>,
    /// Legs by their own key: which submission, which part of it.
    legs: BTreeMap<Key, (usize, Part)>,
    /// Legs that are still to come: by sender, body and recipient.
    expected: BTreeMap<(Aor, u64, Aor), VecDeque<(usize, usize)>>,
    /// Those of them that are expected no more, since their submission was refused, by submission and recipient.
    given_up: BTreeMap<(usize, usize), (Aor, u64, Aor)>,
    /// The latest submission by sender and body.
    latest: BTreeMap<(Aor, u64), usize>,
}

impl Submissions {
    /// In the order in which they were first seen.
    #[must_use]
    pub fn all(&self) -> &[Submission] {
        &self.submissions
    }

    /// Takes the message at this place of the trace; it is not older than those before it.
    pub fn push(&mut self, index: usize, traced: &Traced) {
        match &traced.read {
            Read::Message(Message::Request(request)) => self.request(index, traced, request),
            Read::Message(Message::Response(response)) => self.response(index, traced, response),
            Read::KeepAlive | Read::Unreadable(_) => {}
        }
    }

    /// Frees so many entries of each kind of what is needed no more, since all at once would take long. True if some are left.
    pub fn free(&mut self, most: usize) -> bool {
        self.submissions.truncate(self.submissions.len().saturating_sub(most));
        for _ in 0..most {
            drop((self.uplinks.pop_last(), self.legs.pop_last(), self.expected.pop_last()));
            drop((self.given_up.pop_last(), self.latest.pop_last()));
        }
        let maps = [
            self.uplinks.len(),
            self.legs.len(),
            self.expected.len(),
            self.given_up.len(),
            self.latest.len(),
        ];
        !self.submissions.is_empty() || maps.iter().any(|left| *left > 0)
    }

    fn request(&mut self, index: usize, traced: &Traced, request: &Request) {
        if *request.method() == Method::Message {
            self.message(index, traced, request);
        } else if *request.method() == Method::Notify {
            self.notify(index, traced, request);
        }
    }

    fn message(&mut self, index: usize, traced: &Traced, request: &Request) {
        let key = key(request.fields());
        let known = self.place(&key, traced, true);
        let Some((number, part)) = known.or_else(|| self.leg(&key, traced, request)) else {
            return self.begin(key, index, traced, request);
        };
        if let Some(submission) = self.submissions.get_mut(number) {
            submission.messages.push((index, part));
            submission.transmitted(part, traced.wire.at, &request.fields().to().uri);
            if part == Part::Uplink && submission.is_challenged() {
                submission.answer = None;
                self.expect_again(number);
            }
        }
    }

    /// A submission that was challenged comes with credentials: its legs may follow now.
    fn expect_again(&mut self, number: usize) {
        let mut rest = self.given_up.split_off(&(number, 0));
        self.given_up.append(&mut rest.split_off(&(number + 1, 0)));
        for (place, what) in rest {
            self.expected.entry(what).or_default().push_back(place);
        }
    }

    /// The submission and the part of it that a message with this key belongs to, if that is known.
    fn place(&self, key: &Key, traced: &Traced, is_request: bool) -> Option<(usize, Part)> {
        let Some(number) = self.uplinks.get(key).copied() else { return self.legs.get(key).copied() };
        Some((number, self.submissions.get(number)?.side(traced, is_request)))
    }

    /// Whose leg this is, if it is a new one.
    fn leg(&mut self, key: &Key, traced: &Traced, request: &Request) -> Option<(usize, Part)> {
        let place = self.expected_place(traced, request)?;
        self.legs.insert(key.clone(), place);
        Some(place)
    }

    fn expected_place(&mut self, traced: &Traced, request: &Request) -> Option<(usize, Part)> {
        if is_submission(request.fields()) {
            return None;
        }
        let (from, to) = (request.fields().from().uri.aor(), request.fields().to().uri.aor());
        let body = hash(request);
        let what = (from.clone(), body, to);
        if let Some(waiting) = self.expected.get_mut(&what) {
            while let Some((number, recipient)) = waiting.front().copied() {
                let submission = self.submissions.get(number)?;
                if submission.sender == traced.wire.from {
                    return None;
                }
                waiting.pop_front();
                if !submission.is_refused() {
                    return Some((number, Part::Leg(recipient)));
                }
                self.given_up.insert((number, recipient), what.clone());
            }
            return None;
        }
        let number = *self.latest.get(&(from, body))?;
        let submission = self.submissions.get(number)?;
        let is_of_proxy = submission.proxy.ip() == traced.wire.from.ip()
            && submission.sender != traced.wire.from
            && !submission.is_refused();
        (submission.is_fan_out && is_of_proxy).then_some((number, Part::Other(submission.others.len())))
    }

    fn begin(&mut self, key: Key, index: usize, traced: &Traced, request: &Request) {
        let list = request.fields().has_token("Require", RECIPIENT_LIST);
        let listed = if list { with_secondary_to(request).ok() } else { None };
        let meant = listed.as_ref().unwrap_or(request);
        let Ok(named) = recipients(meant.fields()) else { return };
        let (number, from) = (self.submissions.len(), request.fields().from().uri);
        let (sender, body) = (from.aor(), hash(meant));
        for (recipient, addressed) in named.iter().enumerate() {
            let expected = (sender.clone(), body, addressed.uri.aor());
            self.expected.entry(expected).or_default().push_back((number, recipient));
        }
        self.latest.insert((sender, body), number);
        self.submissions.push(Submission {
            call_id: key.0.clone(),
            from,
            at: traced.wire.at,
            sender: traced.wire.from,
            proxy: traced.wire.to,
            is_fan_out: list || is_submission(request.fields()),
            recipients: named
                .into_iter()
                .map(|one| Recipient { address: one.uri, leg: None, reported: None })
                .collect(),
            others: Vec::new(),
            answer: None,
            reports: BTreeSet::new(),
            messages: vec![(index, Part::Uplink)],
        });
        self.uplinks.insert(key, number);
    }

    fn notify(&mut self, index: usize, traced: &Traced, request: &Request) {
        let fields = request.fields();
        let Some(submission) = self.of_report(fields) else { return };
        submission.messages.push((index, Part::Report));
        // What was lost on its way told nobody anything.
        if traced.wire.has_arrived() && submission.reports.insert(fields.cseq()) {
            submission.take(&read_report(&request.body()).unwrap_or_default());
        }
    }

    fn response(&mut self, index: usize, traced: &Traced, response: &Response) {
        let fields = response.fields();
        if *fields.cseq_method() == Method::Notify {
            if let Some(submission) = self.of_report(fields) {
                submission.messages.push((index, Part::Report));
            }
        } else if *fields.cseq_method() == Method::Message
            && let Some((number, part)) = self.place(&key(fields), traced, false)
            && let Some(submission) = self.submissions.get_mut(number)
        {
            submission.messages.push((index, part));
            if traced.wire.has_arrived() {
                let (status, reason) = (response.status(), response.reason().to_owned());
                submission.answered(part, FinalAnswer { status, reason, at: traced.wire.at });
            }
        }
    }

    /// The submission whose dialog a NOTIFY, or its answer, is in: its To tag is the submission's From tag (W22).
    fn of_report(&mut self, fields: &Fields) -> Option<&mut Submission> {
        let key = (fields.call_id().to_owned(), fields.to().tag().map(str::to_owned));
        let number = *self.uplinks.get(&key)?;
        self.submissions.get_mut(number)
    }
}

impl Submission {
    /// An ordinary MESSAGE keeps its Call-ID and tag beyond the proxy: which side of the proxy is it on?
    fn side(&self, traced: &Traced, is_request: bool) -> Part {
        let (wire, sender, proxy) = (&traced.wire, self.sender, self.proxy);
        let is_uplink = if is_request {
            wire.from == sender || wire.to == proxy
        } else {
            wire.to == sender || wire.from == proxy
        };
        if is_uplink { Part::Uplink } else { Part::Leg(0) }
    }

    /// Its server has refused it, so it has no legs.
    fn is_refused(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.status >= 300)
    }

    /// The same, until it comes with credentials.
    fn is_challenged(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| matches!(answer.status, 401 | 407))
    }

    fn transmitted(&mut self, part: Part, at: Timestamp, to: &Uri) {
        let begin = || Leg { to: to.clone(), at, transmissions: 0, answer: None };
        let leg = match part {
            Part::Leg(recipient) => {
                self.recipients.get_mut(recipient).map(|one| one.leg.get_or_insert_with(begin))
            }
            Part::Other(number) => {
                if number == self.others.len() {
                    self.others.push(begin());
                }
                self.others.get_mut(number)
            }
            Part::Uplink | Part::Report => None,
        };
        if let Some(leg) = leg {
            leg.transmissions = leg.transmissions.saturating_add(1);
        }
    }

    fn answered(&mut self, part: Part, answer: FinalAnswer) {
        let before = match part {
            Part::Uplink => Some(&mut self.answer),
            Part::Leg(recipient) => {
                self.recipients.get_mut(recipient).and_then(|one| one.leg.as_mut()).map(|leg| &mut leg.answer)
            }
            Part::Other(number) => self.others.get_mut(number).map(|leg| &mut leg.answer),
            Part::Report => None,
        };
        let Some(before) = before else { return };
        let is_success = before.as_ref().is_some_and(|before| before.status < 300);
        if answer.status >= 200 && !is_success {
            *before = Some(answer);
        }
    }

    /// Takes what a report says. Its addresses have the submission's spelling (W20); other servers may write them in
    /// another one.
    fn take(&mut self, lines: &[ReportLine]) {
        let aors = self.recipients.iter().enumerate().map(|(place, one)| (one.address.aor(), place));
        let places: BTreeMap<Aor, usize> = aors.rev().collect();
        for line in lines {
            let place = Uri::parse(&line.address).ok().and_then(|uri| places.get(&uri.aor()));
            let Some(recipient) = place.and_then(|place| self.recipients.get_mut(*place)) else { continue };
            let was_success =
                recipient.reported.as_ref().is_some_and(|before| before.state == ReportState::Success);
            if !was_success {
                recipient.reported = Some(line.clone());
            }
        }
    }
}

fn key(fields: &Fields) -> Key {
    (fields.call_id().to_owned(), fields.from().tag().map(str::to_owned))
}

/// True for a request that asks for fan-out or a report (W14, W26).
fn is_submission(fields: &Fields) -> bool {
    fields.first("Secondary-To").is_some()
        || fields.first("Delivery-Report").is_some()
        || fields.has_token("Proxy-Require", SECONDARY_TO)
        || fields.has_token("Require", RECIPIENT_LIST)
}

/// Tells bodies apart. Whoever can make two with the same value only confuses the view of his own traffic.
fn hash(request: &Request) -> u64 {
    let mut hasher = DefaultHasher::new();
    request.body().hash(&mut hasher);
    hasher.finish()
}
