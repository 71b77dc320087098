//! The desktop's notification service: shows notifications, and tells which of their buttons were pressed.
//!
//! A thread of its own, `notifications`, calls the service over D-Bus, because it may answer slowly. A click comes back
//! as [`Happened`], after the window was woken. A conversation's notification is replaced at most once within
//! [`REPLACE_WAIT`], however many messages come. While the desktop says that something is presented, notifications wait.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::Instant;
use zbus::proxy::SignalStream;

use super::notes::{About, Note};
use super::service::{ServiceConnection, actions};
use crate::model::journal::{ConversationId, MessageId};
use crate::ui::text;

/// Most notifications on the screen at a time; the oldest is removed.
const NOTES_MAX: usize = 20;
/// Most requests waiting for the service.
const WAITING_MAX: usize = 64;
/// If there is no service, it is looked for again after this time at the earliest.
const NO_SERVICE_WAIT: Duration = Duration::from_secs(30);
/// A notification is replaced this long after it was shown at the earliest.
const REPLACE_WAIT: Duration = Duration::from_secs(1);
/// While notifications wait because something is presented, the desktop is asked again after this time.
const PRESENTING_WAIT: Duration = Duration::from_secs(3);

/// What the desktop reported back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The user wants to see this conversation, at this message.
    Show {
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: Option<MessageId>,
    },
    /// The user wants to resend this message to those who did not get it.
    Resend(MessageId),
    /// The user wants to write an answer in this conversation.
    Reply(ConversationId),
    /// The user has written an answer in the notification itself.
    Replied {
        /// The conversation.
        conversation: ConversationId,
        /// The answer.
        text: String,
    },
    /// The user has read what came in this conversation.
    MarkRead(ConversationId),
    /// This system has no notification service.
    NoService,
}

enum Job {
    Raise(Note),
    Withdraw(About),
}

/// The connection to the desktop's notification service.
#[derive(Debug)]
pub struct DesktopNotifications {
    jobs: mpsc::Sender<Job>,
    happened: Receiver<Happened>,
    pauses: Arc<AtomicBool>,
    says_presenting: Arc<OnceLock<bool>>,
}

impl DesktopNotifications {
    /// Starts the thread; `wake` is called whenever there is something for [`Self::happened`] to return.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let (told, happened) = sync_channel(WAITING_MAX);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (pauses, says_presenting) = (Arc::new(AtomicBool::new(true)), Arc::new(OnceLock::new()));
        let screen = Screen {
            told,
            wake: Box::new(wake),
            service: None,
            rests_until: None,
            shown: BTreeMap::new(),
            wanted: BTreeMap::new(),
            waits_until: None,
            pauses: Arc::clone(&pauses),
            says_presenting: Arc::clone(&says_presenting),
        };
        text::spawn("notifications", move || runtime.block_on(screen.serve(waiting)))?;
        Ok(Self { jobs, happened, pauses, says_presenting })
    }

    /// Whether notifications wait while the desktop says that something is presented.
    pub fn pause_while_presenting(&self, pauses: bool) {
        self.pauses.store(pauses, Ordering::Relaxed);
    }

    /// Whether the desktop says when something is presented; none if that is not known, or nothing shows notifications.
    #[must_use]
    pub fn says_presenting(&self) -> Option<bool> {
        self.says_presenting.get().copied()
    }

    /// Shows a notification. It is dropped if too many wait already: the window shows the same information.
    pub fn raise(&self, note: Note) {
        let _full = self.jobs.try_send(Job::Raise(note)).is_err();
    }

    /// Removes a notification from the screen, if it is there.
    pub fn withdraw(&self, about: About) {
        let _full = self.jobs.try_send(Job::Withdraw(about)).is_err();
    }

    /// What happened since the last call.
    pub fn happened(&self) -> Vec<Happened> {
        self.happened.try_iter().collect()
    }
}

/// Shows one notification, where the window itself cannot be opened; waits a moment for the service.
///
/// # Errors
/// There is no service, or it does not answer.
pub async fn announce(title: &str, body: &str) -> Result<(), String> {
    let service = ServiceConnection::open().await.ok_or("there is no notification service")?;
    let note = Note {
        about: About::Storm,
        conversation: ConversationId(0),
        message: None,
        title: title.to_owned(),
        body: body.to_owned(),
        resend: 0,
        reply_to: 0,
    };
    service
        .notify(&note, 0, &[])
        .await
        .map(drop)
        .ok_or_else(|| "the notification service does not answer".into())
}

/// A notification on the screen.
struct Shown {
    id: u32,
    note: Note,
    since: Instant,
}

/// What is on the screen, and what is to be.
struct Screen {
    told: SyncSender<Happened>,
    wake: Box<dyn Fn() + Send + Sync>,
    service: Option<ServiceConnection>,
    /// There is no service, and none is looked for before this time.
    rests_until: Option<Instant>,
    shown: BTreeMap<About, Shown>,
    /// To be shown as soon as [`REPLACE_WAIT`] allows.
    wanted: BTreeMap<About, Note>,
    /// Something is presented, and the desktop is asked again at this time.
    waits_until: Option<Instant>,
    pauses: Arc<AtomicBool>,
    says_presenting: Arc<OnceLock<bool>>,
}

enum Event {
    Job(Option<Job>),
    Signal(Option<zbus::Message>),
    Due,
}

impl Screen {
    /// Serves requests until the window drops its end of the queue.
    async fn serve(mut self, mut waiting: mpsc::Receiver<Job>) {
        // The settings show what this desktop can say.
        self.connect().await;
        loop {
            let due = self.due();
            let signals = self.service.as_mut().map(|service| &mut service.signals);
            let event = tokio::select! {
                biased;
                job = waiting.recv() => Event::Job(job),
                signal = next(signals) => Event::Signal(signal),
                () = until(due) => Event::Due,
            };
            match event {
                Event::Job(None) => return,
                Event::Job(Some(Job::Raise(note))) => drop(self.wanted.insert(note.about, note)),
                Event::Job(Some(Job::Withdraw(about))) => self.withdraw(about).await,
                Event::Signal(Some(signal)) => self.heard(&signal).await,
                // The bus is gone, and with it what it showed.
                Event::Signal(None) => self.forget(),
                Event::Due => {}
            }
            self.show_due().await;
        }
    }

    /// When the next wanted notification may be shown.
    fn due(&self) -> Option<Instant> {
        let due =
            |about: &About| self.shown.get(about).map_or_else(Instant::now, |it| it.since + REPLACE_WAIT);
        let due = self.wanted.keys().map(due).min()?;
        Some(self.waits_until.map_or(due, |until| due.max(until)))
    }

    async fn connect(&mut self) {
        if self.service.is_none() && self.rests_until.is_none_or(|until| until <= Instant::now()) {
            self.service = ServiceConnection::open().await;
        }
        if let Some(service) = &self.service {
            // What it says first counts: the same program serves the whole session.
            self.says_presenting.get_or_init(|| service.says_presenting());
        }
    }

    /// Whether notifications have to wait, because something is presented.
    async fn has_to_wait(&mut self) -> bool {
        if !self.pauses.load(Ordering::Relaxed) {
            self.waits_until = None;
            return false;
        }
        let now = Instant::now();
        if self.waits_until.is_some_and(|until| now < until) {
            return true;
        }
        let is_presenting = match &self.service {
            Some(service) => service.is_presenting().await,
            None => false,
        };
        self.waits_until = is_presenting.then_some(now + PRESENTING_WAIT);
        is_presenting
    }

    async fn show_due(&mut self) {
        let now = Instant::now();
        let is_due = |about: &About| self.shown.get(about).is_none_or(|it| it.since + REPLACE_WAIT <= now);
        let due: Vec<About> = self.wanted.keys().copied().filter(is_due).collect();
        if due.is_empty() {
            return;
        }
        self.connect().await;
        if self.has_to_wait().await {
            self.keep_what_fits();
            return;
        }
        for about in due {
            if let Some(note) = self.wanted.remove(&about) {
                self.show(note).await;
            }
        }
    }

    /// No more wait than fit on the screen afterwards; failures go last.
    fn keep_what_fits(&mut self) {
        while self.wanted.len() > NOTES_MAX {
            let of_conversation =
                self.wanted.keys().find(|about| matches!(about, About::Received(_))).copied();
            match of_conversation {
                Some(about) => self.wanted.remove(&about),
                None => self.wanted.pop_first().map(|(_, note)| note),
            };
        }
    }

    async fn show(&mut self, note: Note) {
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        self.connect().await;
        let Some(service) = &self.service else { return self.no_service() };
        let replaced = self.shown.get(&note.about).map_or(0, |shown| shown.id);
        let actions = actions(&note, service.takes_replies);
        let Some(id) = service.notify(&note, replaced, &actions).await else { return self.no_service() };
        self.rests_until = None;
        self.shown.insert(note.about, Shown { id, note, since: Instant::now() });
        if self.shown.len() > NOTES_MAX {
            let oldest = self.shown.iter().min_by_key(|(_, shown)| shown.since).map(|(about, _)| *about);
            if let Some(about) = oldest {
                self.withdraw(about).await;
            }
        }
    }

    async fn withdraw(&mut self, about: About) {
        self.wanted.remove(&about);
        if let (Some(shown), Some(service)) = (self.shown.remove(&about), &self.service) {
            service.close(shown.id).await;
        }
    }

    /// A button was pressed, an answer was written, or the notification is gone.
    async fn heard(&mut self, signal: &zbus::Message) {
        let header = signal.header();
        let body = signal.body();
        match header.member().map(|member| member.as_str()) {
            Some("ActionInvoked") => {
                if let Ok((id, action)) = body.deserialize::<(u32, String)>() {
                    self.pressed(id, &action).await;
                }
            }
            Some("NotificationReplied") => {
                if let Ok((id, text)) = body.deserialize::<(u32, String)>()
                    && let Some(about) = self.about(id)
                    && let About::Received(conversation) = about
                {
                    self.withdraw(about).await;
                    self.tell(Happened::Replied { conversation, text });
                }
            }
            Some("NotificationClosed") => {
                if let Ok((id, _reason)) = body.deserialize::<(u32, u32)>()
                    && let Some(about) = self.about(id)
                {
                    self.shown.remove(&about);
                }
            }
            Some(_) | None => {}
        }
    }

    async fn pressed(&mut self, id: u32, action: &str) {
        let Some(about) = self.about(id) else { return };
        let Some(note) = self.shown.get(&about).map(|shown| shown.note.clone()) else { return };
        self.withdraw(about).await;
        let conversation = note.conversation;
        self.tell(match (action, note.message) {
            ("resend", Some(message)) => Happened::Resend(message),
            ("reply", _) => Happened::Reply(conversation),
            ("read", _) => Happened::MarkRead(conversation),
            (_, message) => Happened::Show { conversation, message },
        });
    }

    fn about(&self, id: u32) -> Option<About> {
        self.shown.iter().find(|(_, shown)| shown.id == id).map(|(about, _)| *about)
    }

    fn tell(&self, happened: Happened) {
        if self.told.try_send(happened).is_ok() {
            (self.wake)();
        }
    }

    fn forget(&mut self) {
        self.service = None;
        self.shown.clear();
    }

    /// Reports that there is no service: once, not for every message.
    fn no_service(&mut self) {
        self.forget();
        if self.rests_until.replace(Instant::now() + NO_SERVICE_WAIT).is_none() {
            self.tell(Happened::NoService);
        }
    }
}

async fn next(signals: Option<&mut SignalStream<'static>>) -> Option<zbus::Message> {
    match signals {
        Some(signals) => signals.next().await,
        None => std::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
