//! Desktop notifications: for a message that somebody did not get, and for a message that came in.
//!
//! They are shown by a thread of their own, `notifications`, because the service is called over D-Bus and may answer
//! slowly. A click comes back as [`Happened`], after the window was woken.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify_rust::{Notification, NotificationResponse, Timeout, Urgency};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::model::account::RegistrationState;
use crate::model::command::Notice;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::snapshot::{ConversationHead, Notifications, Snapshot};
use crate::time::Timestamp;

/// Most notifications on the screen at a time; the oldest is removed.
const NOTES_MAX: usize = 20;
/// Most requests waiting for the service.
const WAITING_MAX: usize = 64;
/// If there is no service, it is looked for again after this time at the earliest.
const NO_SERVICE_WAIT: Duration = Duration::from_secs(30);
/// Most characters of a message that a notification shows.
const BODY_CHARS_MAX: usize = 240;
/// How long the service may take for a notification in place of the window.
const ANNOUNCE_WAIT: Duration = Duration::from_secs(5);
/// This many failed messages within [`STORM_MILLIS`] are merged into one notification.
const STORM_FROM: usize = 3;
const STORM_MILLIS: u64 = 10_000;

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its subject; a newer notification about the same subject replaces it.
    pub about: About,
    /// The conversation that a click opens.
    pub conversation: ConversationId,
    /// The message that a click shows, if it is one of ours.
    pub message: Option<MessageId>,
    /// One line of plain text.
    pub title: String,
    /// A few lines of plain text; escaped on the way to the service.
    pub body: String,
    /// How many people a resend would go to; 0 means no button.
    pub resend: u32,
}

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Somebody did not get this message.
    Failure(MessageId),
    /// Many messages were not delivered.
    Storm,
    /// A message came in for this conversation.
    Received(ConversationId),
}

/// What the desktop reported back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        let out = Arc::new(Outlet { told, wake: Box::new(wake), rests_until: Mutex::default() });
        std::thread::Builder::new()
            .name("notifications".to_owned())
            .spawn(move || runtime.block_on(serve(waiting, out)))?;
        Ok(Self { jobs, happened })
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

struct Outlet {
    told: SyncSender<Happened>,
    wake: Box<dyn Fn() + Send + Sync>,
    /// There is no service, and none is looked for before this time.
    rests_until: Mutex<Option<Instant>>,
}

impl Outlet {
    fn tell(&self, happened: Happened) {
        if self.told.try_send(happened).is_ok() {
            (self.wake)();
        }
    }

    /// Reports that there is no service: once, not for every message.
    fn no_service(&self) {
        let until = Instant::now() + NO_SERVICE_WAIT;
        let before = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner).replace(until);
        if before.is_none() {
            self.tell(Happened::NoService);
        }
    }

    fn rests(&self) -> bool {
        let until = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }
}

/// Serves requests until the window drops its end of the queue.
async fn serve(mut waiting: mpsc::Receiver<Job>, out: Arc<Outlet>) {
    // Dropping a sender withdraws its notification.
    let mut shown: BTreeMap<About, oneshot::Sender<()>> = BTreeMap::new();
    while let Some(job) = waiting.recv().await {
        match job {
            Job::Withdraw(about) => drop(shown.remove(&about)),
            Job::Raise(_) if out.rests() => {}
            Job::Raise(note) => {
                shown.retain(|_, end| !end.is_closed());
                if shown.len() >= NOTES_MAX {
                    drop(shown.pop_first());
                }
                let (end, ended) = oneshot::channel();
                shown.insert(note.about, end);
                tokio::spawn(show(note, ended, Arc::clone(&out)));
            }
        }
    }
}

async fn show(note: Note, ended: oneshot::Receiver<()>, out: Arc<Outlet>) {
    let Ok(handle) = notification(&note).show_async().await else {
        return out.no_service();
    };
    let mut answer = None;
    tokio::select! {
        () = handle.wait_for_action_async(|response: &NotificationResponse| answer = answered(&note, response)) => {}
        _withdrawn = ended => handle.close_async().await,
    }
    if let Some(happened) = answer {
        out.tell(happened);
    }
}

fn answered(note: &Note, response: &NotificationResponse) -> Option<Happened> {
    let show = Happened::Show { conversation: note.conversation, message: note.message };
    match response {
        NotificationResponse::Default => Some(show),
        NotificationResponse::Action(action) if action == "resend" => note.message.map(Happened::Resend),
        NotificationResponse::Action(_) => Some(show),
        NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => None,
    }
}

fn notification(note: &Note) -> Notification {
    let mut notification = Notification::new();
    notification
        .appname("Fanfare")
        .icon("fanfare")
        .summary(&note.title)
        .body(&escaped(&note.body))
        .hint(notify_rust::Hint::DesktopEntry("fanfare".to_owned()))
        .action("default", "Show");
    match note.about {
        About::Received(_) => notification.hint(notify_rust::Hint::Category("im.received".to_owned())),
        About::Failure(_) | About::Storm => notification
            .hint(notify_rust::Hint::Category("im.error".to_owned()))
            .urgency(Urgency::Normal)
            .timeout(Timeout::Never),
    };
    if note.resend > 0 {
        notification.action("resend", &format!("Resend to {}", note.resend)).action("show", "Show");
    }
    notification.finalize()
}

/// Shows one notification, where the window itself cannot be opened; waits a moment for the service.
///
/// # Errors
/// There is no service, or it does not answer.
pub async fn announce(title: &str, body: &str) -> Result<(), String> {
    let mut notification = Notification::new();
    notification.appname("Fanfare").icon("fanfare").summary(title).body(&escaped(body));
    notification.urgency(Urgency::Normal).timeout(Timeout::Never);
    match tokio::time::timeout(ANNOUNCE_WAIT, notification.show_async()).await {
        Ok(Ok(_shown)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_late) => Err("the notification service does not answer".to_owned()),
    }
}

/// Escapes the body: the service reads it as markup, and what people wrote must not be.
fn escaped(text: &str) -> String {
    let cut: String = text.chars().take(BODY_CHARS_MAX).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{more}", cut.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

/// What the user is looking at when a notice comes.
#[derive(Clone, Copy, Debug)]
pub struct Watching {
    /// The window has the keyboard focus.
    pub focused: bool,
    /// The conversation on the screen.
    pub open: Option<ConversationId>,
}

/// Turns notices into notifications.
#[derive(Debug, Default)]
pub struct Notes {
    /// Recent failures: when, and which message.
    failures: Vec<(Timestamp, MessageId)>,
}

/// What is to be done with a desktop notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DesktopTask {
    /// Show this one.
    Raise(Note),
    /// Remove the one about this.
    Withdraw(About),
}

impl Notes {
    /// Turns a notice into the notifications to show or remove.
    pub fn of(
        &mut self,
        notice: &Notice,
        snapshot: &Snapshot,
        watching: Watching,
        now: Timestamp,
    ) -> Vec<DesktopTask> {
        let seen = |conversation: ConversationId| watching.focused && watching.open == Some(conversation);
        match notice {
            Notice::Delivered { message } => vec![DesktopTask::Withdraw(About::Failure(*message))],
            Notice::NotDelivered { conversation, .. } | Notice::Received { conversation, .. }
                if seen(*conversation) =>
            {
                Vec::new()
            }
            Notice::NotDelivered { conversation, message, title, body, failed } => {
                let note = Note {
                    about: About::Failure(*message),
                    conversation: *conversation,
                    message: Some(*message),
                    title: title.clone(),
                    body: body.clone(),
                    resend: *failed,
                };
                self.failure(note, *message, snapshot, now)
            }
            Notice::Received { conversation, from, text } => {
                let note = Note {
                    about: About::Received(*conversation),
                    conversation: *conversation,
                    message: None,
                    title: from.clone(),
                    body: text.clone(),
                    resend: 0,
                };
                raised(note, snapshot.settings.notifications).into_iter().collect()
            }
            Notice::NotSent { .. }
            | Notice::Attached { .. }
            | Notice::Saved(_)
            | Notice::Found(_)
            | Notice::Drafts(_)
            | Notice::DraftNotKept { .. }
            | Notice::StoreDamaged { .. }
            | Notice::Problem(_)
            | Notice::Missed(_) => Vec::new(),
        }
    }

    /// What is to be removed from the screen now that these conversations have been read.
    #[must_use]
    pub fn read(before: &[ConversationHead], after: &[ConversationHead]) -> Vec<DesktopTask> {
        let was_unread = before.iter().filter(|head| head.unread > 0);
        let is_read = |id: ConversationId| !after.iter().any(|head| head.id == id && head.unread > 0);
        was_unread
            .filter(|head| is_read(head.id))
            .map(|head| DesktopTask::Withdraw(About::Received(head.id)))
            .collect()
    }

    fn failure(
        &mut self,
        note: Note,
        message: MessageId,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Vec<DesktopTask> {
        self.failures.retain(|(at, _)| now.since(*at).as_millis() < u128::from(STORM_MILLIS));
        self.failures.push((now, message));
        if self.failures.len() < STORM_FROM {
            return raised(note, snapshot.settings.notifications).into_iter().collect();
        }
        let withdrawn =
            self.failures.iter().map(|(_, message)| DesktopTask::Withdraw(About::Failure(*message)));
        let storm = storm(note, self.failures.len(), snapshot);
        withdrawn.chain(raised(storm, snapshot.settings.notifications)).collect()
    }
}

/// Merges many failures in a short time into one notification: most likely nothing gets through at all.
fn storm(last: Note, failures: usize, snapshot: &Snapshot) -> Note {
    let proxy = snapshot.account.as_ref().map(|account| account.proxy.clone()).unwrap_or_default();
    let offline = matches!(snapshot.registration, RegistrationState::Offline { .. });
    let (title, body) = if offline {
        (format!("Can't reach {proxy}"), format!("{failures} messages are waiting."))
    } else {
        (
            format!("{failures} messages were not delivered to everyone"),
            "Open Fanfare to see who was not reached.".to_owned(),
        )
    };
    Note { about: About::Storm, title, body, resend: 0, ..last }
}

fn raised(note: Note, setting: Notifications) -> Option<DesktopTask> {
    let hidden = |title: &str| Note { title: title.to_owned(), body: String::new(), ..note.clone() };
    match (setting, note.about) {
        (Notifications::Off, _) => None,
        (Notifications::Full, _) => Some(DesktopTask::Raise(note)),
        (Notifications::HideContent, About::Received(_)) => Some(DesktopTask::Raise(hidden("New message"))),
        (Notifications::HideContent, About::Failure(_) | About::Storm) => {
            Some(DesktopTask::Raise(hidden("Someone did not get a message")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWAY: Watching = Watching { focused: false, open: Some(ConversationId(1)) };

    fn failed(message: u64) -> Notice {
        Notice::NotDelivered {
            conversation: ConversationId(1),
            message: MessageId(message),
            title: "2 of 6 not delivered".into(),
            body: "Ben: offline. Dana: no such address.".into(),
            failed: 2,
        }
    }

    fn received() -> Notice {
        Notice::Received { conversation: ConversationId(1), from: "Ann".into(), text: "<i>secret</i>".into() }
    }

    fn titles(deeds: &[DesktopTask]) -> Vec<&str> {
        deeds
            .iter()
            .filter_map(|deed| match deed {
                DesktopTask::Raise(note) => Some(note.title.as_str()),
                DesktopTask::Withdraw(_) => None,
            })
            .collect()
    }

    #[test]
    fn nothing_is_raised_for_what_is_being_looked_at() {
        let (mut notes, snapshot, now) = (Notes::default(), Snapshot::default(), Timestamp::default());
        let here = Watching { focused: true, open: Some(ConversationId(1)) };
        let elsewhere = Watching { focused: true, open: Some(ConversationId(2)) };
        assert_eq!(notes.of(&received(), &snapshot, here, now), []);
        assert_eq!(notes.of(&failed(1), &snapshot, here, now), []);
        assert_eq!(titles(&notes.of(&received(), &snapshot, elsewhere, now)), ["Ann"]);
        assert_eq!(titles(&notes.of(&failed(1), &snapshot, AWAY, now)), ["2 of 6 not delivered"]);
    }

    #[test]
    fn a_late_delivery_withdraws_the_notification() {
        let deeds = Notes::default().of(
            &Notice::Delivered { message: MessageId(7) },
            &Snapshot::default(),
            AWAY,
            Timestamp::default(),
        );
        assert_eq!(deeds, [DesktopTask::Withdraw(About::Failure(MessageId(7)))]);
    }

    #[test]
    fn three_failures_in_ten_seconds_become_one() {
        let (mut notes, snapshot) = (Notes::default(), Snapshot::default());
        let at = Timestamp::from_millis;
        assert_eq!(titles(&notes.of(&failed(1), &snapshot, AWAY, at(1_000))), ["2 of 6 not delivered"]);
        assert_eq!(titles(&notes.of(&failed(2), &snapshot, AWAY, at(5_000))), ["2 of 6 not delivered"]);
        let third = notes.of(&failed(3), &snapshot, AWAY, at(9_000));
        assert_eq!(titles(&third), ["3 messages were not delivered to everyone"]);
        assert!(third.contains(&DesktopTask::Withdraw(About::Failure(MessageId(1)))));
        assert_eq!(titles(&notes.of(&failed(4), &snapshot, AWAY, at(60_000))), ["2 of 6 not delivered"]);
    }

    #[test]
    fn content_can_be_hidden_and_all_of_it_turned_off() {
        let mut snapshot = Snapshot::default();
        snapshot.settings.notifications = Notifications::HideContent;
        let deeds = Notes::default().of(&received(), &snapshot, AWAY, Timestamp::default());
        let shown = format!("{deeds:?}");
        assert!(!shown.contains("secret") && !shown.contains("Ann"), "{shown}");
        snapshot.settings.notifications = Notifications::Off;
        assert_eq!(Notes::default().of(&received(), &snapshot, AWAY, Timestamp::default()), []);
    }

    #[test]
    fn what_people_wrote_is_no_markup() {
        assert_eq!(escaped("<i>a</i> & b"), "&lt;i&gt;a&lt;/i&gt; &amp; b");
        assert_eq!(escaped(&"x".repeat(300)).chars().count(), BODY_CHARS_MAX + 1);
    }
}
