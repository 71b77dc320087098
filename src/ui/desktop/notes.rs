//! What the desktop is to show: one notification for each conversation with unread messages, and one for each message
//! that somebody did not get.

use std::collections::{BTreeMap, VecDeque};

use crate::model::account::RegistrationState;
use crate::model::command::Notice;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::snapshot::{ConversationHead, Notifications, Snapshot};
use crate::time::Timestamp;
use crate::ui::kit::states;
use crate::ui::text::say;

/// This many failed messages within [`STORM_MILLIS`] are merged into one notification.
const STORM_FROM: usize = 3;
const STORM_MILLIS: u64 = 10_000;
/// Lines of one notification: the last messages of a conversation.
const LINES_MAX: usize = 4;
/// Most characters of one of several messages.
const LINE_CHARS_MAX: usize = 80;
/// Names in the title of a notification.
const NAMES_MAX: usize = 3;
/// Conversations whose unread messages are counted; over it, the oldest is forgotten.
const COUNTED_MAX: usize = 500;

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
    /// How many people an answer would go to; 0 means no buttons for it.
    pub reply_to: usize,
}

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Somebody did not get this message.
    Failure(MessageId),
    /// Many messages were not delivered.
    Storm,
    /// Messages came in for this conversation.
    Received(ConversationId),
}

/// What the user is looking at when a notice comes.
#[derive(Clone, Copy, Debug)]
pub struct Watching {
    /// The window has the keyboard focus.
    pub focused: bool,
    /// The conversation on the screen.
    pub open: Option<ConversationId>,
}

/// What is to be done with a desktop notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DesktopTask {
    /// Show this one.
    Raise(Note),
    /// Remove the one about this.
    Withdraw(About),
}

/// Turns notices into notifications.
#[derive(Debug, Default)]
pub struct Notes {
    /// Recent failures: when, and which message.
    failures: Vec<(Timestamp, MessageId)>,
    /// What came since the conversation was read.
    unread: BTreeMap<ConversationId, Unread>,
}

/// The messages of one conversation that were not read yet.
#[derive(Debug, Default)]
struct Unread {
    count: usize,
    names: Vec<String>,
    /// Who wrote what, the last of them.
    lines: VecDeque<(String, String)>,
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
            Notice::NotDelivered { conversation, message, tally, failures, failed } => {
                let note = Note {
                    about: About::Failure(*message),
                    conversation: *conversation,
                    message: Some(*message),
                    title: states::line(tally, &[]),
                    body: states::failures(failures, tally.failed),
                    resend: *failed,
                    reply_to: 0,
                };
                self.failure(note, *message, snapshot, now)
            }
            Notice::Received { conversation, from, text } => {
                let unread = self.unread.entry(*conversation).or_default();
                unread.add(from, text);
                let note = unread.note(*conversation, head(snapshot, *conversation));
                if self.unread.len() > COUNTED_MAX {
                    self.unread.pop_first();
                }
                raised(note, snapshot, now).into_iter().collect()
            }
            Notice::NotSent { .. }
            | Notice::Attached { .. }
            | Notice::NotAttached { .. }
            | Notice::FileRead { .. }
            | Notice::Saved(_)
            | Notice::NotDeleted
            | Notice::Storage(_)
            | Notice::ContactsRead { .. }
            | Notice::Drafts(_)
            | Notice::DraftNotKept { .. }
            | Notice::SentLate { .. }
            | Notice::StoreDamaged { .. }
            | Notice::Found(_)
            | Notice::Matrix(..)
            | Notice::Provisioned(_)
            | Notice::Password(_)
            | Notice::Problem(_)
            | Notice::Missed(_) => Vec::new(),
        }
    }

    /// What is to be removed from the screen now that conversations were read.
    pub fn read(&mut self, heads: &[ConversationHead]) -> Vec<DesktopTask> {
        if self.unread.is_empty() {
            return Vec::new();
        }
        let is_read = |id: ConversationId| heads.iter().any(|head| head.id == id && head.unread == 0);
        let read: Vec<_> = self.unread.keys().copied().filter(|id| is_read(*id)).collect();
        self.unread.retain(|id, _| !read.contains(id));
        read.into_iter().map(|id| DesktopTask::Withdraw(About::Received(id))).collect()
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
            return raised(note, snapshot, now).into_iter().collect();
        }
        let withdrawn =
            self.failures.iter().map(|(_, message)| DesktopTask::Withdraw(About::Failure(*message)));
        let storm = storm(note, self.failures.len(), snapshot);
        withdrawn.chain(raised(storm, snapshot, now)).collect()
    }
}

impl Unread {
    fn add(&mut self, from: &str, text: &str) {
        self.count += 1;
        if !self.names.iter().any(|name| name == from) && self.names.len() <= NAMES_MAX {
            self.names.push(from.to_owned());
        }
        self.lines.push_back((from.to_owned(), text.to_owned()));
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
    }

    fn note(&self, conversation: ConversationId, head: Option<&ConversationHead>) -> Note {
        let mut title = self.names.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join(", ");
        if self.names.len() > NAMES_MAX {
            title.push('…');
        }
        if self.count > 1 {
            title = say!("new-messages-of", names = title, count = self.count);
        }
        let line = |(from, text): &(String, String)| match (self.count, self.names.len()) {
            (1, _) => text.clone(),
            (_, 1) => shortened(text),
            _ => format!("{from}: {}", shortened(text)),
        };
        Note {
            about: About::Received(conversation),
            conversation,
            message: None,
            title,
            body: self.lines.iter().map(line).collect::<Vec<_>>().join("\n"),
            resend: 0,
            reply_to: head.map_or(1, |head| head.people.len()),
        }
    }
}

/// One message among several: its beginning, on one line.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, LINE_CHARS_MAX)
}

/// At most so many characters of a text, and an ellipsis where there are more.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    let cut: String = text.chars().take(chars_max).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

fn head(snapshot: &Snapshot, id: ConversationId) -> Option<&ConversationHead> {
    snapshot.conversations.iter().find(|head| head.id == id)
}

/// Merges many failures in a short time into one notification: most likely nothing gets through at all.
fn storm(last: Note, failures: usize, snapshot: &Snapshot) -> Note {
    let proxy = snapshot.account.as_ref().map(|account| account.proxy.clone()).unwrap_or_default();
    let offline = matches!(snapshot.registration, RegistrationState::Offline { .. });
    let (title, body) = if offline {
        (say!("cannot-reach", proxy = proxy), say!("messages-waiting", count = failures))
    } else {
        (say!("storm-title", count = failures), say!("storm-body").to_owned())
    };
    Note { about: About::Storm, title, body, resend: 0, ..last }
}

/// The notification as the settings want it; none if they want none.
fn raised(note: Note, snapshot: &Snapshot, now: Timestamp) -> Option<DesktopTask> {
    let settings = &snapshot.settings;
    let is_failure = !matches!(note.about, About::Received(_));
    let marks = head(snapshot, note.conversation).and_then(|head| settings.marks(head));
    let is_muted = marks.is_some_and(|marks| if is_failure { marks.silent } else { marks.muted });
    if is_muted || settings.is_quiet(now) {
        return None;
    }
    let hidden = |title: &str| Note { title: title.to_owned(), body: String::new(), ..note.clone() };
    match (settings.notifications, is_failure) {
        (Notifications::Off, _) => None,
        (Notifications::Full, _) => Some(DesktopTask::Raise(note)),
        (Notifications::HideContent, false) => Some(DesktopTask::Raise(hidden(say!("hidden-new")))),
        (Notifications::HideContent, true) => Some(DesktopTask::Raise(hidden(say!("hidden-failed")))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::marks::Marks;
    use crate::model::reason::Cause;
    use crate::model::snapshot::{Person, Settings, Tally};

    const AWAY: Watching = Watching { focused: false, open: Some(ConversationId(1)) };

    fn failed(message: u64) -> Notice {
        Notice::NotDelivered {
            conversation: ConversationId(1),
            message: MessageId(message),
            tally: Tally { total: 6, failed: 2, delivered: 4, ..Tally::default() },
            failures: vec![("Ben".to_owned(), Cause::Offline), ("Dana".to_owned(), Cause::NoSuchAddress)],
            failed: 2,
        }
    }

    fn from(name: &str, text: &str) -> Notice {
        Notice::Received { conversation: ConversationId(1), from: name.into(), text: text.into() }
    }

    fn received() -> Notice {
        from("Ann", "<i>secret</i>")
    }

    fn head(unread: u32) -> ConversationHead {
        let person = |user: &str| Person {
            address: format!("sip:{user}@x.org"),
            name: user.to_owned(),
            simulated: false,
        };
        ConversationHead {
            id: ConversationId(1),
            newest: MessageId(1),
            people: [person("ann"), person("ben")].into(),
            hidden: false,
            preview: "".into(),
            at: Timestamp::default(),
            last: None,
            verified: true,
            unread,
            failed: 0,
            failed_unseen: 0,
            failed_messages: 0,
            failed_latest: 0,
            failed_at: None,
        }
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
    fn a_conversation_has_one_notification_that_counts_until_it_is_read() {
        let (mut notes, mut snapshot, now) = (Notes::default(), Snapshot::default(), Timestamp::default());
        snapshot.conversations = Arc::new([head(1)]);
        let mut of = |notice: &Notice| match notes.of(notice, &snapshot, AWAY, now).as_slice() {
            [DesktopTask::Raise(note)] => note.clone(),
            other => panic!("{other:?}"),
        };
        let first = of(&from("Ann", "Hi"));
        assert_eq!((first.title.as_str(), first.body.as_str(), first.reply_to), ("Ann", "Hi", 2));
        let second = of(&from("Ann", "Are you there?"));
        assert_eq!(second.about, first.about, "it replaces the first");
        assert_eq!(
            (second.title.as_str(), second.body.as_str()),
            ("Ann (2 new messages)", "Hi\nAre you there?")
        );
        let third = of(&from("Ben", "Yes"));
        assert_eq!(third.title, "Ann, Ben (3 new messages)");
        assert_eq!(third.body, "Ann: Hi\nAnn: Are you there?\nBen: Yes");
        (0..17).for_each(|_| drop(of(&from("Ben", "x"))));
        let last = of(&from("Ben", "last"));
        assert_eq!(last.title, "Ann, Ben (21 new messages)");
        assert_eq!(last.body, "Ben: x\nBen: x\nBen: x\nBen: last");
        assert_eq!(notes.read(&[head(1)]), []);
        assert_eq!(notes.read(&[head(0)]), [DesktopTask::Withdraw(About::Received(ConversationId(1)))]);
        assert_eq!(notes.read(&[head(0)]), [], "once");
        assert_eq!(
            titles(&notes.of(&from("Ann", "New"), &snapshot, AWAY, now)),
            ["Ann"],
            "the count begins anew"
        );
    }

    #[test]
    fn a_conversation_can_be_silenced_and_all_of_them_for_a_time() {
        let (mut snapshot, now) = (Snapshot::default(), Timestamp::from_millis(10_000));
        snapshot.conversations = Arc::new([head(1)]);
        let told = |snapshot: &Snapshot, now| {
            let mut notes = Notes::default();
            let deeds = [received(), failed(1)].map(|notice| notes.of(&notice, snapshot, AWAY, now).len());
            (deeds[0], deeds[1])
        };
        let settings = snapshot.settings.clone();
        let with = Marks::key(&head(1).people, false);
        for (muted, silent, expected) in [(false, false, (1, 1)), (true, false, (0, 1)), (true, true, (0, 0))]
        {
            let marks = Marks { with: with.clone(), muted, silent, ..Marks::default() };
            snapshot.settings.conversations = vec![marks];
            assert_eq!(told(&snapshot, now), expected, "{muted} {silent}");
        }
        snapshot.settings = Settings { quiet_until: Some(20_000), ..settings };
        assert_eq!(told(&snapshot, now), (0, 0));
        assert_eq!(told(&snapshot, Timestamp::from_millis(20_000)), (1, 1), "the time is over");
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
        assert_eq!(titles(&third), ["3 messages did not reach everybody"]);
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
}
