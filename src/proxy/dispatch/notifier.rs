//! The notifier: one message's reports to its sender, one NOTIFY at a time (RFC 6665; W20 to W24).
//!
//! A NOTIFY goes to the first place of W24 that has not failed in this round. When all places have failed, another
//! round follows later (W23).

mod places;

use std::time::Duration;

use bytes::Bytes;

use self::places::{behind, is_certain, mark, probe};
use super::submission::Submission;
use crate::limits::REPORT_KEPT;
use crate::machine::Flow;
use crate::proxy::core::Core;
use crate::proxy::journal::{DispatchId, ReportRow};
use crate::proxy::routing::router::{Target, is_routable};
use crate::proxy::transport::request_sender::{NextHop, Printed, User};
use crate::sip::{Aor, Compose, Contacts, Method, ReportMode, Uri};
use crate::time::{Now, Timestamp};

/// The waits between rounds (W23); after these, the last one repeats.
const WAITS_MINUTES: [u64; 4] = [1, 5, 30, 60];

/// How much of the outcome a report covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What is known so far.
    Interim,
    /// Everything except the outcomes of those who wait in the mailbox.
    Waiting,
    /// Everybody's outcome.
    Complete,
}

/// How a NOTIFY ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The sender has it.
    Answered(Extent),
    /// Every place refused it for good.
    Unwanted,
    /// It did not arrive, or that place refused it: whoever is there now may be somebody else.
    Missed(Extent),
}

/// Which place a round tries first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    FlowFirst,
    /// The sender has just registered.
    BindingsFirst,
}

#[derive(Debug)]
enum ReportStage {
    /// Nothing is under way.
    Idle,
    /// Waits for the commit of its CSeq.
    Committing(Extent, Bytes),
    /// Looks for a flow, or waits for a response.
    UnderWay(Extent, Bytes, (Uri, Vec<String>)),
}

/// The dialog that the submission created (W22).
#[derive(Debug)]
struct Dialog {
    contact: Option<Uri>,
    sender: Uri,
    to: String,
    call_id: String,
    routes: Vec<String>,
    domain: String,
}

/// What is owed to the sender of one message.
#[derive(Debug)]
pub(crate) struct Report {
    mode: ReportMode,
    pub(crate) detail: bool,
    dialog: Dialog,
    /// The sender, if it is a user of ours.
    pub(crate) sender: Option<Aor>,
    /// The sender was a user of ours and is removed: only the flow of the submission is left.
    is_departed: bool,
    /// The sender asked again after it was closed: it goes around once.
    is_repeat: bool,
    row: ReportRow,
    stage: ReportStage,
    order: Order,
    /// Places that have failed in this round, or are being tried.
    tried: Vec<(NextHop, Option<Uri>)>,
    /// A place of this round did not answer, so the sender may still want it.
    is_missed: bool,
    /// Keyed hashes of places that may not have asked for it: each is tried only once for this message.
    probed: Vec<u128>,
    /// It was tried before the last restart, and it is no longer known at which of those places.
    was_probed: bool,
    /// The complete report, once there is one.
    last: Option<Bytes>,
    /// When the oldest unreported fact in the latest report became known.
    known_since: Option<Timestamp>,
    pub(crate) is_gathering: bool,
    /// Something became known while a NOTIFY was under way.
    pub(crate) has_news: bool,
    /// The row differs from the one in the store.
    pub(crate) is_unsaved: bool,
}

impl Report {
    pub(crate) fn new(core: &Core, submission: &Submission, row: Option<ReportRow>) -> Self {
        let fields = submission.request.fields();
        let from = fields.from();
        let contact = match fields.contacts() {
            Ok(Contacts::List(contacts)) => {
                contacts.iter().map(|contact| contact.uri.to_target()).find(is_routable)
            }
            Ok(Contacts::All) | Err(_) => None,
        };
        let sender = from.uri.to_sip();
        let domain =
            core.domains.serving(&sender).or_else(|| core.domains.first()).unwrap_or("localhost").to_owned();
        let tag = from.tag().map_or_else(String::new, |tag| format!(";tag={tag}"));
        let dialog = Dialog {
            contact,
            to: format!("<{sender}>{tag}"),
            call_id: fields.call_id().to_owned(),
            routes: fields.every("Record-Route").map(str::to_owned).collect(),
            domain,
            sender: sender.clone(),
        };
        Self {
            mode: submission.report.mode,
            detail: submission.report.detail,
            dialog,
            sender: core.domains.claimed(&sender),
            is_departed: false,
            is_repeat: false,
            was_probed: row.is_some_and(|row| row.rounds > 0),
            row: row.unwrap_or(ReportRow { cseq: 0, answered: 0, rounds: 0, due_at: None, closed: false }),
            stage: ReportStage::Idle,
            order: Order::FlowFirst,
            tried: Vec::new(),
            is_missed: false,
            probed: Vec::new(),
            last: None,
            known_since: None,
            is_gathering: false,
            has_news: false,
            is_unsaved: false,
        }
    }

    pub(crate) const fn mode(&self) -> ReportMode {
        self.mode
    }

    /// The row for the store.
    pub(crate) fn row(&self) -> ReportRow {
        let closed = self.row.closed || self.is_departed;
        ReportRow { closed, due_at: self.row.due_at.filter(|_| !closed), ..self.row }
    }

    /// The sender is removed: whoever has the address next gets none of the reports.
    pub(crate) fn depart(&mut self) {
        self.sender = None;
        self.is_departed = true;
        self.is_unsaved = true;
    }

    pub(crate) const fn is_departed(&self) -> bool {
        self.is_departed
    }

    /// True if there is no other round when no place takes it in this one.
    pub(crate) const fn is_for_one_round(&self) -> bool {
        self.is_departed || self.is_repeat
    }

    pub(crate) const fn is_busy(&self) -> bool {
        !matches!(self.stage, ReportStage::Idle)
    }

    pub(crate) const fn is_closed(&self) -> bool {
        self.row.closed
    }

    /// True while it waits for its sender, or for its next round.
    pub(crate) const fn is_waiting(&self) -> bool {
        !self.row.closed && self.row.due_at.is_some() && !self.is_busy() && !self.is_gathering
    }

    /// Sends it later, as after a failed round, but without counting one.
    pub(crate) fn postpone(&mut self, until: Timestamp) {
        self.row.due_at = Some(until);
        self.is_unsaved = true;
    }

    pub(crate) fn last(&self) -> Option<Bytes> {
        self.last.clone()
    }

    /// True once a report with everybody's outcome was made.
    pub(crate) const fn is_complete(&self) -> bool {
        self.last.is_some()
    }

    /// Restores a message of which every outcome has been known since then.
    pub(crate) fn remember(&mut self, complete: Bytes, since: Timestamp) {
        self.last = Some(complete);
        self.remember_since(since);
    }

    /// Restores a message of which nothing new has become known since then.
    pub(crate) const fn remember_since(&mut self, since: Timestamp) {
        self.known_since = Some(since);
    }

    /// Something new is known: its own 24 hours and rounds begin (W23).
    pub(crate) const fn begin_anew(&mut self) {
        self.known_since = None;
        self.row.rounds = 0;
    }

    /// The sender has the report with that CSeq, but it is not the last one.
    pub(crate) const fn note_answered(&mut self, cseq: u32) {
        self.row.answered = cseq;
        self.row.rounds = 0;
        self.is_unsaved = true;
    }

    /// Prepares the next NOTIFY: its CSeq must be committed before it leaves.
    pub(crate) fn prepare(&mut self, extent: Extent, body: Bytes, now: Now) -> ReportRow {
        self.row.cseq = self.row.cseq.saturating_add(1);
        self.row.due_at = None;
        self.has_news = false;
        self.is_unsaved = false;
        if extent == Extent::Complete {
            self.last = Some(body.clone());
        }
        self.known_since.get_or_insert(now.wall);
        self.stage = ReportStage::Committing(extent, body);
        self.row()
    }

    /// The commit failed: nothing was sent.
    pub(crate) fn put_back(&mut self) {
        self.stage = ReportStage::Idle;
    }

    /// The CSeq is committed: starts with the first place that has not failed; `None` if there is none left.
    pub(crate) fn go(&mut self, core: &mut Core, id: DispatchId, flow: Flow, now: Now) -> Option<u32> {
        let target = self.next_place(core, flow, now);
        let ReportStage::Committing(extent, body) = std::mem::replace(&mut self.stage, ReportStage::Idle)
        else {
            return None;
        };
        let Target { uri, routes, way, consent, .. } = target?;
        let (mark, behind) = (mark(&way), behind(&uri, &routes));
        self.stage = ReportStage::UnderWay(extent, body, (uri, routes));
        if !is_certain(&mark, consent) {
            self.probed.push(probe(core, &mark));
        }
        self.tried.push((mark, behind));
        let user = User::Report { dispatch: id, cseq: self.row.cseq };
        let payer = (self.sender.as_ref(), flow.remote.ip());
        core.begin(user, payer, (way, consent), core.timer_f(now));
        Some(self.row.cseq)
    }

    /// How long ago the first thing that the latest report says was to be reported.
    pub(crate) fn age(&self, now: Now) -> Duration {
        self.known_since.map_or(Duration::ZERO, |since| now.wall.since(since))
    }

    /// True while there is a place that has not failed.
    pub(crate) fn has_place(&self, core: &Core, flow: Flow, now: Now) -> bool {
        self.next_place(core, flow, now).is_some()
    }

    /// A flow is there: prints the NOTIFY for it and sends it.
    pub(crate) fn ready(&self, core: &mut Core, id: DispatchId, to_tag: &str, flow: Flow, now: Now) {
        let ReportStage::UnderWay(extent, body, (uri, path)) = &self.stage else {
            return;
        };
        let user = User::Report { dispatch: id, cseq: self.row.cseq };
        let branch = core.secret.report_branch(id, to_tag, self.row.cseq);
        let branch = core.sender.branch_at_hop(user, branch, core.secret, flow.remote);
        let Dialog { to, call_id, routes, domain, .. } = &self.dialog;
        let transport = flow.transport.uri_param();
        let state = match extent {
            Extent::Interim | Extent::Waiting => "active",
            Extent::Complete => "terminated;reason=noresource",
        };
        let mut message = Compose::request(&Method::Notify, uri)
            .field("Via", core.sender.sockets().via(flow, &branch))
            .field("Max-Forwards", 70);
        for route in if path.is_empty() { routes } else { path } {
            message = message.field("Route", route);
        }
        let bytes = message
            .field("From", format_args!("<sip:{domain}>;tag={to_tag}"))
            .field("To", to)
            .field("Call-ID", call_id)
            .field("CSeq", format_args!("{} NOTIFY", self.row.cseq))
            .field("Contact", format_args!("<sip:{}{transport}>", core.sender.sockets().sent_by(flow)))
            .field("Event", "delivery-report")
            .field("Subscription-State", state)
            .body("application/delivery-report", body);
        let ends = core.timer_f(now);
        core.sender.send(
            user,
            Printed { branch: &branch, method: Method::Notify, flow, bytes },
            ends,
            now.mono,
        );
    }

    /// A NOTIFY ended, with a final response or without; `None` if it is not the one under way.
    pub(crate) fn ended(
        &mut self,
        core: &Core,
        cseq: u32,
        status: Option<u16>,
        flow: Flow,
        now: Now,
    ) -> Option<Ending> {
        let ReportStage::UnderWay(extent, ..) = self.stage else { return None };
        if cseq != self.row.cseq {
            return None;
        }
        self.stage = ReportStage::Idle;
        Some(match status {
            Some(200..300) => {
                // The place works: only places that failed are skipped next time.
                let good = self.tried.pop().map(|(good, _)| probe(core, &good));
                self.probed.retain(|probed| Some(*probed) != good);
                Ending::Answered(extent)
            }
            // 400 says that it arrived in part (RFC 3261 §18.3): what we print is whole.
            None | Some(400 | 408 | 480 | 500..600) => {
                self.is_missed = true;
                Ending::Missed(extent)
            }
            Some(_) if self.is_missed || self.has_place(core, flow, now) => Ending::Missed(extent),
            Some(_) => Ending::Unwanted,
        })
    }

    /// Nothing more is owed.
    pub(crate) const fn close(&mut self) {
        self.is_repeat = false;
        self.row.closed = true;
        self.row.due_at = None;
        self.is_unsaved = true;
    }

    /// Every place failed: the next round is due at `row().due_at`, which is `None` if the report was kept long enough.
    pub(crate) fn wait(&mut self, now: Now) {
        let round = usize::try_from(self.row.rounds).unwrap_or(usize::MAX);
        let minutes = WAITS_MINUTES.get(round).or(WAITS_MINUTES.last()).copied().unwrap_or(60);
        self.row.rounds = self.row.rounds.saturating_add(1);
        let give_up_at = self.known_since.unwrap_or(now.wall).plus(REPORT_KEPT);
        let due = now.wall.plus(Duration::from_secs(60 * minutes));
        self.row.due_at = (due <= give_up_at).then_some(due);
        self.is_unsaved = true;
    }

    /// Places that were tried though they may not have asked for it, as keyed hashes.
    pub(crate) fn probed(&self) -> &[u128] {
        &self.probed
    }

    /// Restores the places that were tried, for a message brought back within the same run of the process.
    pub(crate) fn recall_probed(&mut self, probed: Vec<u128>) {
        self.probed = probed;
        self.was_probed = false;
    }

    /// Allows every place to be tried again.
    pub(crate) fn forget_places(&mut self) {
        self.tried.clear();
        self.is_missed = false;
        self.order = Order::FlowFirst;
    }

    /// The sender has just registered: tries those bindings first (W23).
    pub(crate) fn sender_registered(&mut self) {
        self.tried.clear();
        self.is_missed = false;
        self.order = Order::BindingsFirst;
    }

    /// Sends the last report again, because the submission was repeated (W12): a replay starts no day of rounds.
    pub(crate) fn reopen(&mut self) {
        self.is_repeat |= std::mem::replace(&mut self.row.closed, false);
        self.forget_places();
    }
}
