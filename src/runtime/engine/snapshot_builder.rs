//! Gathers all that the screen can show from the machine, the history and the files, and publishes it when it changes.

mod moves;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::client::UserAgent;
use crate::limits::{SNAPSHOTS_PER_SEC_BUSY, SNAPSHOTS_PER_SEC_MAX};
use crate::model::account::{Account, RegistrationState};
use crate::model::command::{Event, Notice, WindowEvent};
use crate::model::contacts::AddressBook;
use crate::model::journal::{ConversationId, DeliveryRow, MessageId};
use crate::model::names::Names;
use crate::model::outage::Outage;
use crate::model::snapshot::{ConversationHead, PasswordPlace, Settings, Snapshot, UntrustedCertificate};
use crate::model::text::visible;
use crate::net::RefusedCertificate;
use crate::store::history::{History, ReadError};
use crate::time::{Now, Timestamp};

use super::alarms::Alarms;
use super::composing::Composing;
use super::open_thread::{LoadedMessage, OpenThread};
use super::out::Out;
use super::reading::{Question, ReadResult, ask};

/// Changes within this time are merged into one snapshot.
const PICTURE_TIME: Duration = Duration::from_micros(1_000_000 / SNAPSHOTS_PER_SEC_MAX);
/// The same under sustained load: drawing every snapshot would cost more than all other work, and nobody reads that
/// fast.
const PICTURE_TIME_BUSY: Duration = Duration::from_millis(1000 / SNAPSHOTS_PER_SEC_BUSY);
/// Delay before repeating a query that found the reader busy.
const ASK_AGAIN: Duration = Duration::from_millis(50);

const STRANGERS_REFUSED: &str = "So much has come today from people you do not know that further messages of theirs are refused. \
                                 Messages from contacts, and from people you have written to, still come.";

/// What the next snapshot is built from.
#[derive(Debug)]
pub(super) struct SnapshotBuilder {
    out: Arc<Out>,
    answers: mpsc::Sender<Result<ReadResult, ReadError>>,
    pub(super) account: Option<Arc<Account>>,
    pub(super) password: PasswordPlace,
    book: Arc<AddressBook>,
    /// The same, indexed for lookup.
    names: Arc<Names>,
    pub(super) settings: Settings,
    demo: bool,
    registration: RegistrationState,
    retry_at: Option<Timestamp>,
    /// The last message received could not be stored.
    not_stored: bool,
    untrusted: Option<Arc<UntrustedCertificate>>,
    heads: Arc<[ConversationHead]>,
    heads_changed: bool,
    thread: Option<OpenThread>,
    /// Messages whose state on the screen, or in a notice, is out of date.
    stale: BTreeSet<MessageId>,
    alarms: Alarms,
    composing: Composing,
    /// A query is in progress.
    asking: bool,
    /// What became known since it was asked.
    moved_meanwhile: Vec<DeliveryRow>,
    ask_at: Option<Instant>,
    changed: bool,
    published_at: Option<Instant>,
    /// Minimum time between the last snapshot and the next.
    pace: Duration,
}

impl SnapshotBuilder {
    pub(super) fn new(
        out: Arc<Out>,
        answers: mpsc::Sender<Result<ReadResult, ReadError>>,
        demo: bool,
    ) -> Self {
        Self {
            out,
            answers,
            account: None,
            password: PasswordPlace::None,
            book: Arc::default(),
            names: Arc::default(),
            settings: Settings::default(),
            demo,
            registration: RegistrationState::Idle,
            retry_at: None,
            not_stored: false,
            untrusted: None,
            heads: Arc::default(),
            heads_changed: true,
            thread: None,
            stale: BTreeSet::new(),
            alarms: Alarms::default(),
            composing: Composing::default(),
            asking: false,
            moved_meanwhile: Vec::new(),
            ask_at: None,
            changed: true,
            published_at: None,
            pace: PICTURE_TIME,
        }
    }

    /// Handle for notifying the window from other threads.
    pub(super) const fn out(&self) -> &Arc<Out> {
        &self.out
    }

    /// Sends the user a notice, once, with the next snapshot.
    pub(super) fn tell(&mut self, notice: Notice) {
        self.out.add(notice);
        self.changed = true;
    }

    /// The machine cannot be started: the account is offline until it is changed.
    pub(super) fn not_started(&mut self, why: &str) {
        self.registration =
            RegistrationState::Offline { retry_after: Duration::ZERO, why: Outage::NotStarted(why.into()) };
        self.touch();
    }

    /// An attempt to reach the server ended, because of this certificate or for another reason.
    pub(super) fn met_certificate(&mut self, refused: Option<RefusedCertificate>) {
        self.untrusted = refused.map(|refused| {
            let ends = u64::try_from(refused.not_after_secs).unwrap_or_default().saturating_mul(1000);
            Arc::new(UntrustedCertificate {
                server: visible(&refused.server),
                subject: visible(&refused.subject),
                sha256: refused.sha256.to_string(),
                ends: Timestamp::from_millis(ends),
                other_names: refused
                    .other_names
                    .map(|names| names.iter().map(|name| visible(name)).collect()),
                trusted_before: refused.trusted_before.map(|before| before.to_string()),
            })
        });
    }

    /// The user did something: its effect is published without delay.
    pub(super) const fn hurry(&mut self) {
        self.pace = PICTURE_TIME;
    }

    /// Marks as changed something that is in every snapshot.
    pub(super) const fn touch(&mut self) {
        self.changed = true;
    }

    /// The machine was replaced: nothing known from the old one is valid any more.
    pub(super) fn agent_changed(&mut self) {
        self.registration = RegistrationState::Idle;
        self.retry_at = None;
        self.untrusted = None;
        self.heads_changed = true;
        // The old reader may never answer.
        self.asking = false;
        self.moved_meanwhile.clear();
        if let Some(thread) = &mut self.thread {
            thread.reload();
        }
        self.touch();
    }

    /// The contacts and lists.
    pub(super) fn book(&self) -> &AddressBook {
        &self.book
    }

    /// People's display names.
    pub(super) const fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// Replaces the contacts and lists.
    pub(super) fn set_book(&mut self, book: AddressBook) -> Arc<AddressBook> {
        self.names = Arc::new(Names::of(&book));
        self.book = Arc::new(book);
        Arc::clone(&self.book)
    }

    /// Display names have changed: everything that shows them is rebuilt.
    pub(super) fn names_changed(&mut self) {
        self.heads_changed = true;
        if let Some(thread) = &mut self.thread {
            thread.reload();
        }
        self.touch();
    }

    pub(super) fn open(&mut self, conversation: ConversationId) {
        let unread = self.heads.iter().find(|head| head.id == conversation).map_or(0, |head| head.unread);
        self.thread = Some(OpenThread::new(conversation, unread));
        self.touch();
    }

    pub(super) const fn show_around(&mut self, index: usize) {
        if let Some(thread) = &mut self.thread {
            thread.show_around(index);
        }
    }

    pub(super) fn close(&mut self) {
        self.thread = None;
        self.touch();
    }

    /// Takes in an event of the machine.
    pub(super) fn hear(&mut self, event: Event, now: Now) {
        let names = Arc::clone(&self.names);
        self.touch();
        self.heads_changed = true;
        match event {
            Event::Registration(state) => {
                self.retry_at = match &state {
                    RegistrationState::Offline { retry_after, .. }
                    | RegistrationState::Refused { retry_after: Some(retry_after), .. } => {
                        Some(now.wall.plus(*retry_after))
                    }
                    RegistrationState::Idle
                    | RegistrationState::Connecting(_)
                    | RegistrationState::Connected
                    | RegistrationState::ByList
                    | RegistrationState::NoFanOut
                    | RegistrationState::Refused { .. } => None,
                };
                self.registration = state;
            }
            Event::Queued { conversation, message } => {
                self.stale_if_shown(message);
                self.grew(conversation);
            }
            Event::NotSent { draft, why } => self.tell(Notice::NotSent { draft, why }),
            Event::Accepted { message, .. }
            | Event::OneByOne { message, .. }
            | Event::Unreported { message, .. }
            | Event::Refused { message, .. } => {
                self.stale_if_shown(message);
            }
            event @ Event::Delivery { .. } => self.delivered(event, now.mono),
            // The first says nothing that is shown. The second is for testers: the command line logs it; the window
            // does not show it yet.
            Event::Reported { .. } | Event::ReportedStranger { .. } => {}
            Event::Received { conversation, from, text, files, verified, .. } => {
                let names_of_files =
                    || files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ");
                let text = if text.trim().is_empty() { names_of_files() } else { text };
                let person = names.person(&from);
                let name = person.told_apart();
                self.composing.hear(conversation, person, None);
                self.grew(conversation);
                self.not_stored = false;
                let from = if verified { name } else { format!("{name} (not verified)") };
                self.tell(Notice::Received { conversation, from, text });
            }
            Event::StrangersRefused => self.tell(Notice::Problem(STRANGERS_REFUSED.to_owned())),
            Event::Window(event) => self.hear_for_window(event, &names),
            Event::Disconnected => self.registration = RegistrationState::Idle,
        }
    }

    fn hear_for_window(&mut self, event: WindowEvent, names: &Names) {
        match event {
            WindowEvent::SentLate { due, to } => self.tell(Notice::SentLate { due, to }),
            WindowEvent::DraftNotKept { place, why } => self.tell(Notice::DraftNotKept { place, why }),
            WindowEvent::Composing { conversation, from, until } => {
                self.composing.hear(conversation, names.person(&from), until);
            }
            WindowEvent::Deleted { conversation, is_done } => {
                self.thread_of(conversation, OpenThread::reload);
                if !is_done {
                    self.tell(Notice::NotDeleted);
                }
            }
            WindowEvent::NotStored => self.not_stored = true,
            WindowEvent::Changed { message: Some(message), .. } => self.stale_if_shown(message),
            WindowEvent::Changed { message: None, .. } | WindowEvent::LaterChanged => {}
        }
    }

    fn grew(&mut self, conversation: ConversationId) {
        self.thread_of(conversation, OpenThread::grew);
    }

    fn thread_of(&mut self, conversation: ConversationId, change: fn(&mut OpenThread)) {
        if let Some(thread) = self.thread.as_mut().filter(|thread| thread.conversation == conversation) {
            change(thread);
        }
    }

    fn stale_if_shown(&mut self, message: MessageId) {
        if self.thread.as_ref().is_some_and(|thread| thread.shows(message)) {
            self.stale.insert(message);
        }
    }

    /// Queries the history for what is needed, unless a query is in progress.
    pub(super) fn ask(&mut self, history: Option<&History>, now: Now) {
        for message in self.alarms.take_due(now.mono) {
            self.check(message);
        }
        let Some(history) = history else { return };
        if self.asking || self.ask_at.is_some_and(|at| now.mono < at) {
            return;
        }
        let part = self.thread.as_mut().and_then(|thread| Some((thread.conversation, thread.take_wanted()?)));
        if part.is_none() && self.stale.is_empty() {
            return;
        }
        let question = Question { part, messages: std::mem::take(&mut self.stale) };
        self.asking = ask(history, question.clone(), &self.answers);
        self.ask_at = None;
        if !self.asking {
            self.want_again(question, now.mono);
        }
    }

    fn want_again(&mut self, question: Question, now: Instant) {
        if let Some(thread) = &mut self.thread {
            thread.want_again(&question);
        }
        self.stale.extend(question.messages);
        self.ask_at = Some(now + ASK_AGAIN);
    }

    /// Takes in an answer from the history.
    pub(super) fn answered(&mut self, answer: Result<ReadResult, ReadError>) {
        let names = &*Arc::clone(&self.names);
        self.asking = false;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.tell(Notice::Problem(format!("Messages cannot be shown: {error}."))),
        };
        if let (Some(part), Some(thread)) = (answer.part, &mut self.thread) {
            thread.take(part, names);
        }
        for stored in answer.messages {
            let message = LoadedMessage::of(stored, names);
            if let Some(notice) = self.alarms.look_at(&message.view) {
                self.tell(notice);
            }
            if let Some(thread) = &mut self.thread {
                thread.replace(message);
            }
        }
        self.deliver_again();
        self.touch();
    }

    /// Publishes a snapshot if something changed and the last one is old enough.
    pub(super) fn publish(&mut self, machine: Option<&UserAgent>, now: Instant) {
        self.changed |= self.composing.forget(now);
        if !self.changed || self.published_at.is_some_and(|at| now < at + self.pace) {
            return;
        }
        self.changed = false;
        // While changes keep coming, the interval doubles with each snapshot.
        let was_calm = self.published_at.is_none_or(|at| now >= at + PICTURE_TIME_BUSY * 2);
        self.pace = if was_calm { PICTURE_TIME } else { (self.pace * 2).min(PICTURE_TIME_BUSY) };
        self.published_at = Some(now);
        if std::mem::take(&mut self.heads_changed) {
            self.heads = machine.map(|machine| machine.heads().into()).unwrap_or_default();
        }
        let thread = self.thread.as_mut().and_then(|thread| {
            let (people, hidden) = machine?.people(thread.conversation)?;
            thread.publish(&people, hidden)
        });
        self.out.publish(Snapshot {
            account: self.account.clone(),
            password: self.password.clone(),
            registration: self.registration.clone(),
            retry_at: self.retry_at,
            not_stored: self.not_stored,
            untrusted: self.untrusted.clone(),
            redirected_to: machine.and_then(UserAgent::redirected_to),
            unsent: machine.map_or(0, UserAgent::unsent),
            later: machine.map(|machine| machine.later().into()).unwrap_or_default(),
            conversations: Arc::clone(&self.heads),
            thread,
            writing: self.composing.shown(),
            book: Arc::clone(&self.book),
            names: Arc::clone(&self.names),
            settings: self.settings.clone(),
            demo: self.demo,
        });
    }

    /// When to act even if nothing happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let picture = self.changed.then_some(self.published_at).flatten().map(|at| at + self.pace);
        [picture, self.alarms.deadline(), self.composing.deadline(), self.ask_at].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::sync_channel;

    use bytes::Bytes;

    use super::*;
    use crate::machine::{Batch, BatchId};
    use crate::model::journal::{
        AttemptRow, AttemptStage, ConversationRow, DeliveryState, OutgoingRow, PersonRow, Way, Write,
    };
    use crate::store::{ClientSchema, Outcome, Store, Writer};
    use crate::time::{Clock, Timestamp};

    fn received(number: u64) -> Event {
        Event::Received {
            conversation: ConversationId(number % 300),
            message: MessageId(number),
            from: PersonRow { address: format!("sip:p{number}@x"), name: String::new() },
            also_to: Vec::new(),
            content_type: "text/plain".to_owned(),
            text: "Hi".to_owned(),
            files: Vec::new(),
            verified: true,
            at: Timestamp::from_millis(number),
            call_id: number.to_string().into(),
            body: Bytes::from_static(b"Hi"),
        }
    }

    /// A store with one message to 500 people, accepted by the server; and its reader.
    fn stored_for_500() -> (Writer<Write>, History) {
        let (answered, answers) = sync_channel(1);
        let store = Store::<ClientSchema>::in_memory().unwrap();
        let writer = store.start(move |group| drop(answered.send(group))).unwrap();
        let people: Vec<_> = (0..500)
            .map(|number| PersonRow { address: format!("sip:p{number}@x"), name: String::new() })
            .collect();
        let row = |recipient| delivery(recipient, DeliveryState::Accepted);
        let conversation = ConversationRow { id: HERE, people: people.clone(), hidden: false };
        let outgoing = OutgoingRow {
            id: MessageId(1),
            conversation: HERE,
            at: Timestamp::default(),
            content_type: "text/plain".to_owned(),
            body: Bytes::from_static(b"Come here."),
            recipients: people,
        };
        let attempt = AttemptRow {
            message: MessageId(1),
            number: 1,
            recipients: (0..500).collect(),
            call_id: "c".to_owned(),
            from_tag: "t".to_owned(),
            cseq: 1,
            report: Default::default(),
            way: Way::FanOut,
            asks: false,
            stage: AttemptStage::Accepted { to_tag: "p".to_owned() },
            at: Timestamp::default(),
        };
        let mut writes =
            vec![Write::Conversation(conversation), Write::Outgoing(outgoing), Write::Attempt(attempt)];
        writes.extend((0..500).map(row).map(Write::Delivery));
        writer.commit(Batch { id: BatchId(1), writes }).unwrap();
        assert_eq!(answers.recv().unwrap(), [Outcome::Committed(BatchId(1))]);
        let history = writer.history().unwrap();
        (writer, history)
    }

    const HERE: ConversationId = ConversationId(1);

    fn delivery(recipient: u32, state: DeliveryState) -> DeliveryRow {
        DeliveryRow {
            message: MessageId(1),
            attempt: 1,
            recipient,
            state,
            status: None,
            phrase: Default::default(),
            tries: None,
            after: None,
            at: Timestamp::default(),
        }
    }

    fn told(recipient: u32, state: DeliveryState) -> Event {
        let row = delivery(recipient, state);
        Event::Delivery {
            conversation: HERE,
            message: row.message,
            attempt: row.attempt,
            recipient,
            address: format!("sip:p{recipient}@x"),
            state,
            status: row.status,
            reason: row.phrase,
            after: row.after,
            at: row.at,
        }
    }

    #[test]
    fn a_report_changes_its_row_in_place_and_reads_nothing_from_the_disk() {
        use DeliveryState::{Delivered, Failed};
        let (writer, history) = stored_for_500();
        let out = Arc::new(Out::new(Arc::new(|| ())));
        let (answers, mut answered) = mpsc::channel(1);
        let mut builder = SnapshotBuilder::new(Arc::clone(&out), answers, false);
        let mut now = Clock::start().now();
        builder.open(HERE);
        builder.ask(Some(&history), now);
        assert!(builder.asking, "the conversation is read when it is opened");
        // A report comes while it is read: which of the two is newer is not known, and the newer one is shown.
        builder.hear(told(7, Delivered), now);
        builder.answered(answered.blocking_recv().unwrap());
        let mut reads = 0;
        for recipient in 0..500 {
            now = now.plus(Duration::from_millis(10));
            builder.hear(told(recipient, if recipient == 9 { Failed } else { Delivered }), now);
            builder.hear(Event::Reported { message: MessageId(1), attempt: 1 }, now);
            builder.ask(Some(&history), now);
            reads += u32::from(builder.asking);
        }
        assert_eq!(reads, 0);
        let thread = builder.thread.as_mut().unwrap().publish(&Arc::from([]), false).unwrap();
        let tally = thread.messages[0].tally;
        assert_eq!((tally.total, tally.delivered, tally.failed), (500, 499, 1));
        assert_eq!(thread.messages[0].deliveries[9].state, Failed);
        // Nor is it read for the notice: it is loaded.
        let notices = out.take_notices();
        assert!(matches!(notices.as_slice(), [Notice::NotDelivered { failed: 1, .. }]), "{notices:?}");
        drop((history, writer));
    }

    #[test]
    fn what_is_read_does_not_undo_what_was_told_meanwhile() {
        let (writer, history) = stored_for_500();
        let (answers, mut answered) = mpsc::channel(1);
        let mut builder = SnapshotBuilder::new(Arc::new(Out::new(Arc::new(|| ()))), answers, false);
        let now = Clock::start().now();
        builder.open(HERE);
        builder.ask(Some(&history), now);
        let older = answered.blocking_recv().unwrap();
        builder.hear(told(7, DeliveryState::Delivered), now);
        builder.answered(older);
        let thread = builder.thread.as_mut().unwrap().publish(&Arc::from([]), false).unwrap();
        assert_eq!(thread.messages[0].deliveries[7].state, DeliveryState::Delivered);
        assert_eq!(thread.messages[0].tally.delivered, 1);
        drop((history, writer));
    }

    #[test]
    fn while_much_comes_for_long_the_window_is_woken_four_times_a_second() {
        let woken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&woken);
        let wake = Arc::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let (answers, _questions) = mpsc::channel(1);
        let mut builder = SnapshotBuilder::new(Arc::new(Out::new(wake)), answers, false);
        let pictures = || woken.load(Ordering::Relaxed);
        let mut now = Clock::start().now();
        builder.publish(None, now.mono);
        assert_eq!(pictures(), 1);
        for number in 0..1500 {
            now = now.plus(Duration::from_millis(10));
            builder.hear(received(number), now);
            builder.publish(None, now.mono);
        }
        // Before merging, each message caused two wakes of two frames each, and 15 seconds passed until all was shown.
        assert!((60..=70).contains(&pictures()), "{}", pictures());
        // An action of the user is shown at once.
        let before = pictures();
        builder.hurry();
        now = now.plus(PICTURE_TIME);
        builder.touch();
        builder.publish(None, now.mono);
        assert_eq!(pictures(), before + 1);
        // So is a change that comes by itself after a quiet time.
        now = now.plus(Duration::from_secs(1));
        builder.touch();
        builder.publish(None, now.mono);
        assert_eq!(pictures(), before + 2);
    }
}
