//! Desktop notifications, over a private bus with a service of our own.

#![expect(
    clippy::disallowed_types,
    clippy::needless_pass_by_ref_mut,
    reason = "what zbus makes of an interface; its methods that change something take `&mut self`"
)]

#[path = "desktop/service.rs"]
mod service;

use self::service::{Bus, Deed, start_service};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use egui_kittest::kittest::Queryable;
use fanfare::model::command::{AgentCommand, Command, Notice};
use fanfare::model::journal::{ConversationId, MessageId};
use fanfare::model::reason::Cause;
use fanfare::model::snapshot::{ConversationHead, Tally};
use fanfare::ui::Options;
use fanfare::ui::desktop::notes::{About, Note};
use fanfare::ui::desktop::notifications::{DesktopNotifications, Happened};
use tokio::sync::mpsc;
use zbus::OwnedVariant;
use zbus::object_server::SignalEmitter;

/// Set in the process that runs on the private bus.
const INSIDE: &str = "FANFARE_TEST_ON_PRIVATE_BUS";
/// Longer than anything here takes; nobody waits for it when all is well.
const PATIENCE: Duration = Duration::from_secs(20);
/// A bus that starts nothing by itself.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#;

/// Runs this test again on a bus of its own; the test itself is [`on_a_private_bus`].
#[test]
fn notifications_reach_the_desktop_and_clicks_come_back() {
    if std::env::var_os(INSIDE).is_some() {
        return on_a_private_bus();
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bus.conf");
    std::fs::write(&config, BUS).unwrap();
    let status = process::Command::new("dbus-run-session")
        .arg("--config-file")
        .arg(&config)
        .arg("--")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "desktop::notifications_reach_the_desktop_and_clicks_come_back", "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("dbus-run-session (Debian: dbus-daemon) is needed for this test");
    assert!(status.success());
}

/// The client's side.
struct Desk {
    desk: DesktopNotifications,
    woken: Receiver<()>,
}

impl Desk {
    fn start() -> Self {
        let (wake, woken) = sync_channel(16);
        Self { desk: DesktopNotifications::start(move || wake.try_send(()).unwrap_or(())).unwrap(), woken }
    }

    /// Presses a button: this comes of it, and the notification goes.
    fn press(&self, bus: &Bus, id: u32, action: &'static str, expected: Happened) {
        bus.does(id, Deed::Press(action));
        assert_eq!(self.happened(), expected);
        bus.closed(id, action);
    }

    fn happened(&self) -> Happened {
        self.woken.recv_timeout(PATIENCE).unwrap();
        self.desk.happened().remove(0)
    }
}

fn failure() -> Note {
    Note {
        about: About::Failure(MessageId(7)),
        conversation: ConversationId(3),
        message: Some(MessageId(7)),
        title: "2 of 6 not delivered".into(),
        body: "Ben: <b>offline</b> & away.".into(),
        resend: 2,
        reply_to: 0,
    }
}

fn received(title: &str, reply_to: usize) -> Note {
    Note {
        about: About::Received(ConversationId(3)),
        conversation: ConversationId(3),
        message: None,
        title: title.into(),
        body: "Hello".into(),
        resend: 0,
        reply_to,
    }
}

fn on_a_private_bus() {
    no_service_is_told();
    let bus = start_service();
    let desk = Desk::start();
    a_failure_is_resent_shown_or_withdrawn(&bus, &desk);
    a_message_is_answered_read_or_closed(&bus, &desk);
    a_conversation_keeps_one_notification(&bus, &desk);
    notifications_wait_while_something_is_presented(&bus, &desk);
    each_button_does_in_the_window_what_it_says(&bus);
    a_service_without_a_field_for_answers_gets_a_button(&bus);
}

fn a_failure_is_resent_shown_or_withdrawn(bus: &Bus, desk: &Desk) {
    let raise = || {
        desk.desk.raise(failure());
        bus.raised()
    };
    let raised = raise();
    assert_eq!((raised.app.as_str(), raised.title.as_str()), ("Fanfare", "2 of 6 not delivered"));
    assert_eq!(raised.body, "Ben: &lt;b&gt;offline&lt;/b&gt; &amp; away.");
    assert_eq!(raised.actions, ["default", "Show", "resend", "Resend to 2", "show", "Show"]);
    assert!(raised.hints.contains("dialog-warning") && raised.hints.contains("im.error"), "{}", raised.hints);
    let show = Happened::Show { conversation: ConversationId(3), message: Some(MessageId(7)) };
    desk.press(bus, raised.id, "resend", Happened::Resend(MessageId(7)));
    desk.press(bus, raise().id, "default", show.clone());
    desk.press(bus, raise().id, "show", show);
    let id = raise().id;
    desk.desk.withdraw(About::Failure(MessageId(7)));
    bus.closed(id, "a late report withdraws it");
}

fn notifications_wait_while_something_is_presented(bus: &Bus, desk: &Desk) {
    assert_eq!(desk.desk.says_presenting(), Some(true));
    let wait = Duration::from_millis(1500);
    bus.is_presenting.store(true, Ordering::Relaxed);
    desk.desk.raise(failure());
    desk.desk.raise(received("Ann", 1));
    desk.desk.raise(received("Ann (2)", 1));
    bus.is_quiet_for(wait);
    // What was read meanwhile is not shown afterwards.
    desk.desk.withdraw(About::Failure(MessageId(7)));
    bus.is_presenting.store(false, Ordering::Relaxed);
    let raised = bus.raised();
    assert_eq!(raised.title, "Ann (2)", "one for each conversation, with all that came");
    bus.is_quiet_for(wait);
    desk.desk.withdraw(About::Received(ConversationId(3)));
    bus.closed(raised.id, "it was read");
    // The user does not want that.
    bus.is_presenting.store(true, Ordering::Relaxed);
    desk.desk.pause_while_presenting(false);
    desk.desk.raise(failure());
    let id = bus.raised().id;
    desk.desk.withdraw(About::Failure(MessageId(7)));
    bus.closed(id, "a late report withdraws it");
    desk.desk.pause_while_presenting(true);
    bus.is_presenting.store(false, Ordering::Relaxed);
}

fn a_message_is_answered_read_or_closed(bus: &Bus, desk: &Desk) {
    let raise = || {
        desk.desk.raise(received("Ann", 1));
        bus.raised()
    };
    let raised = raise();
    assert_eq!(raised.actions, ["default", "Show", "inline-reply", "Reply", "read", "Mark read"]);
    assert!(raised.hints.contains("message-new-instant") && raised.hints.contains("im.received"));
    bus.does(raised.id, Deed::Reply("On my way"));
    let (conversation, text) = (ConversationId(3), "On my way".to_owned());
    assert_eq!(desk.happened(), Happened::Replied { conversation, text });
    bus.closed(raised.id, "it was answered");
    desk.press(bus, raise().id, "read", Happened::MarkRead(conversation));
    desk.press(bus, raise().id, "default", Happened::Show { conversation, message: None });

    let raised = raise();
    bus.does(raised.id, Deed::Close);
    let next = loop {
        // The client may hear only now that the person has closed it.
        let next = raise();
        if next.replaces == 0 {
            break next;
        }
    };
    assert!(next.id > raised.id);
    desk.desk.withdraw(About::Received(conversation));
    bus.closed(next.id, "it was read");
}

/// However many messages come, one notification is shown, and the service is not flooded.
fn a_conversation_keeps_one_notification(bus: &Bus, desk: &Desk) {
    desk.desk.raise(received("Ann", 5));
    let first = bus.raised();
    assert_eq!(first.actions[2..4], ["inline-reply", "Reply to 5"], "it says who gets the answer");
    for count in 2..=40 {
        desk.desk.raise(received(&format!("Ann ({count} new messages)"), 5));
    }
    let mut asked = 1;
    let last = loop {
        let raised = bus.raised();
        assert_eq!((raised.id, raised.replaces), (first.id, first.id), "it replaces the one that is there");
        asked += 1;
        if raised.title == "Ann (40 new messages)" {
            break raised;
        }
    };
    assert!(asked < 20, "{asked} calls for 40 messages");
    assert!(last.hints.contains("suppress-sound") && !first.hints.contains("suppress-sound"));
    desk.desk.withdraw(About::Received(ConversationId(3)));
    bus.closed(first.id, "it was read");
}

fn a_service_without_a_field_for_answers_gets_a_button(bus: &Bus) {
    *bus.can.lock().unwrap() = vec!["actions", "body"];
    let desk = Desk::start();
    desk.desk.raise(Note { body: "a < b & c".into(), ..received("Ann", 3) });
    let raised = bus.raised();
    assert_eq!(raised.actions, ["default", "Show", "reply", "Reply to 3", "read", "Mark read"]);
    assert_eq!(raised.body, "a < b & c", "it reads no markup");
    desk.press(bus, raised.id, "reply", Happened::Reply(ConversationId(3)));
}

/// The same over a window: what it asks of the engine, and that reading withdraws the notification.
fn each_button_does_in_the_window_what_it_says(bus: &Bus) {
    let fake = crate::fake::Fake::new();
    let people = crate::fake::people(&["Ann Lee", "Ben Okafor"]);
    let message = crate::fake::from(1, crate::fake::ago(1), &people[0], "Hello");
    let options = Options { notifications: true, ..Options::default() };
    fake.converse(4, &people, vec![message], 1);
    let mut window = fake.window_with(crate::gallery::LARGE, options);
    let conversation = ConversationId(4);
    let raise = |window: &mut egui_kittest::Harness<'static, fanfare::ui::App>, notice: Notice| {
        fake.change(|inner| inner.notices.push(notice));
        window.run();
        fake.asked();
        bus.raised()
    };
    let received = || Notice::Received { conversation, from: "Ann Lee".to_owned(), text: "Hello".into() };
    // Waits until the window has asked something.
    let asked = |window: &mut egui_kittest::Harness<'static, fanfare::ui::App>| {
        for _ in 0..2000 {
            window.run();
            let asked = fake.asked();
            if !asked.is_empty() {
                return asked;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("nothing was asked")
    };

    let raised = raise(&mut window, received());
    assert_eq!(raised.actions[3], "Reply to 2");
    bus.does(raised.id, Deed::Reply("On my way"));
    let done = format!("{:?}", asked(&mut window));
    assert!(done.contains("On my way") && done.contains("ben.okafor@example.com"), "{done}");
    assert!(done.contains("Seen"), "who answers has read: {done}");
    bus.closed(raised.id, "it was answered");

    let failed = Notice::NotDelivered {
        conversation,
        message: MessageId(1),
        tally: Tally { total: 2, failed: 1, delivered: 1, ..Tally::default() },
        failures: vec![("Ben".to_owned(), Cause::Offline)],
        failed: 1,
    };
    let raised = raise(&mut window, failed);
    bus.does(raised.id, Deed::Press("resend"));
    let done = asked(&mut window);
    let resend = |command: &Command| {
        matches!(command, Command::Agent(AgentCommand::Resend { message: MessageId(1), only: None }))
    };
    assert!(done.iter().any(resend), "{done:?}");
    bus.closed(raised.id, "it was resent");

    fake.change(|inner| inner.snapshot.conversations = unread(&inner.snapshot.conversations));
    window.run();
    let raised = raise(&mut window, received());
    bus.does(raised.id, Deed::Press("read"));
    let done = asked(&mut window);
    assert!(
        matches!(done.as_slice(), [Command::Agent(AgentCommand::Seen { conversation: ConversationId(4) })]),
        "{done:?}"
    );
    bus.closed(raised.id, "it was marked as read");

    fake.change(|inner| inner.snapshot.conversations = unread(&inner.snapshot.conversations));
    window.run();
    let raised = raise(&mut window, received());
    assert_eq!(raised.title, "Ann Lee", "the count began anew");
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with("Ann Lee and"))).click();
    window.run();
    window.run();
    bus.closed(raised.id, "it was read");
}

fn unread(heads: &[ConversationHead]) -> Arc<[ConversationHead]> {
    heads.iter().map(|head| ConversationHead { unread: 1, ..head.clone() }).collect()
}

/// On a bus without a service the window is told so, and nothing breaks.
fn no_service_is_told() {
    let desk = Desk::start();
    desk.desk.raise(received("Ann", 1));
    assert_eq!(desk.happened(), Happened::NoService);
    // Not once for each message that comes.
    (0..3).for_each(|_| desk.desk.raise(received("Ann", 1)));
    assert!(desk.woken.recv_timeout(Duration::from_millis(300)).is_err());
    assert!(desk.desk.happened().is_empty());
}
