//! Desktop notifications, over a private bus with a service of our own.
#![expect(
    clippy::disallowed_types,
    clippy::needless_pass_by_ref_mut,
    reason = "what zbus makes of an interface; its methods that change something take `&mut self`"
)]

use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use egui_kittest::kittest::Queryable;
use fanfare::model::command::Notice;
use fanfare::model::journal::{ConversationId, MessageId};
use fanfare::ui::Options;
use fanfare::ui::desktop::notifications::{About, DesktopNotifications, Happened, Note};
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

/// What the service was asked.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Raised { id: u32, app: String, title: String, body: String, actions: Vec<String> },
    Closed(u32),
}

/// A notification service that writes down what it is asked.
struct Service {
    next: u32,
    asked: SyncSender<Asked>,
}

type Hints = std::collections::BTreeMap<String, OwnedVariant>;

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    #[expect(clippy::unused_self, reason = "an interface is made of methods")]
    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body", "body-markup"].map(String::from).to_vec()
    }

    #[expect(clippy::unused_self, reason = "an interface is made of methods")]
    fn get_server_information(&self) -> (String, String, String, String) {
        ("test".into(), "fanfare".into(), "1".into(), "1.2".into())
    }

    #[expect(clippy::too_many_arguments, reason = "the interface is the desktop's")]
    fn notify(
        &mut self,
        app: String,
        _replaces: u32,
        _icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        _hints: Hints,
        _timeout: i32,
    ) -> u32 {
        self.next += 1;
        self.asked.send(Asked::Raised { id: self.next, app, title, body, actions }).unwrap();
        self.next
    }

    fn close_notification(&mut self, id: u32) {
        self.asked.send(Asked::Closed(id)).unwrap();
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;
}

/// Runs this test again on a bus of its own; the test itself is [`on_a_private_bus`].
#[test]
fn notifications_reach_the_desktop_and_clicks_come_back() {
    if std::env::var_os(INSIDE).is_some() {
        return on_a_private_bus();
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bus.conf");
    std::fs::write(&config, BUS).unwrap();
    let status = Command::new("dbus-run-session")
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

fn on_a_private_bus() {
    no_service_is_told();
    let (asked, service) = sync_channel(16);
    let clicks = start_service(asked);
    let (wake, woken) = sync_channel(16);
    let desk = DesktopNotifications::start(move || wake.try_send(()).unwrap_or(())).unwrap();
    let click = |id: u32, action: &'static str| clicks.blocking_send((id, action)).unwrap();

    let note = Note {
        about: About::Failure(MessageId(7)),
        conversation: ConversationId(3),
        message: Some(MessageId(7)),
        title: "2 of 6 not delivered".into(),
        body: "Ben: <b>offline</b> & away.".into(),
        resend: 2,
    };
    desk.raise(note.clone());
    let Asked::Raised { id, app, title, body, actions } = service.recv_timeout(PATIENCE).unwrap() else {
        panic!("nothing was raised")
    };
    assert_eq!((app.as_str(), title.as_str()), ("Fanfare", "2 of 6 not delivered"));
    assert_eq!(body, "Ben: &lt;b&gt;offline&lt;/b&gt; &amp; away.");
    assert_eq!(actions, ["default", "Show", "resend", "Resend to 2", "show", "Show"]);
    assert_eq!(answer(&desk, &woken, || click(id, "resend")), Happened::Resend(MessageId(7)));

    desk.raise(note.clone());
    let id = raised(&service);
    let show = Happened::Show { conversation: ConversationId(3), message: Some(MessageId(7)) };
    assert_eq!(answer(&desk, &woken, || click(id, "default")), show);

    desk.raise(note);
    let id = raised(&service);
    desk.withdraw(About::Failure(MessageId(7)));
    assert_eq!(service.recv_timeout(PATIENCE).unwrap(), Asked::Closed(id), "a late report withdraws it");
    reading_withdraws_it(&service);
}

/// The notification of a received message goes once the message has been read in the window.
fn reading_withdraws_it(service: &Receiver<Asked>) {
    let fake = crate::fake::Fake::new();
    let ann = crate::fake::person("Ann Lee");
    let message = crate::fake::from(1, crate::fake::ago(1), &ann, "Hello");
    fake.converse(4, std::slice::from_ref(&ann), vec![message], 1);
    let options = Options { notifications: true, ..Options::default() };
    let mut window = fake.window_with(crate::gallery::LARGE, options);
    let (conversation, from) = (ConversationId(4), "Ann Lee".to_owned());
    fake.change(|inner| inner.notices.push(Notice::Received { conversation, from, text: "Hello".into() }));
    window.run();
    let id = raised(service);
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with("Ann Lee,"))).click();
    window.run();
    window.run();
    assert_eq!(service.recv_timeout(PATIENCE).unwrap(), Asked::Closed(id), "it was read");
}

/// On a bus without a service the window is told so, and nothing breaks.
fn no_service_is_told() {
    let (wake, woken) = sync_channel(4);
    let desk = DesktopNotifications::start(move || wake.try_send(()).unwrap_or(())).unwrap();
    let note = Note {
        about: About::Received(ConversationId(1)),
        conversation: ConversationId(1),
        message: None,
        title: "Ann".into(),
        body: "Hello".into(),
        resend: 0,
    };
    desk.raise(note.clone());
    woken.recv_timeout(PATIENCE).unwrap();
    assert_eq!(desk.happened(), [Happened::NoService]);
    // Not once for each message that comes.
    (0..3).for_each(|_| desk.raise(note.clone()));
    assert!(woken.recv_timeout(Duration::from_millis(300)).is_err());
    assert!(desk.happened().is_empty());
}

fn raised(service: &Receiver<Asked>) -> u32 {
    match service.recv_timeout(PATIENCE).unwrap() {
        Asked::Raised { id, .. } => id,
        Asked::Closed(id) => panic!("{id} was closed"),
    }
}

/// Clicks until it was heard: the client listens a moment after it has raised a notification.
fn answer(desk: &DesktopNotifications, woken: &Receiver<()>, click: impl Fn()) -> Happened {
    for _ in 0..200 {
        click();
        match woken.recv_timeout(Duration::from_millis(100)) {
            Ok(()) => return desk.happened().remove(0),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    panic!("no click was heard")
}

/// Starts the service on a thread of its own; what is sent to it is clicked.
fn start_service(asked: SyncSender<Asked>) -> mpsc::Sender<(u32, &'static str)> {
    let (clicks, waiting) = mpsc::channel(16);
    let (ready, up) = sync_channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::Builder::new()
        .name("service".to_owned())
        .spawn(move || runtime.block_on(serve(asked, waiting, ready)).unwrap())
        .unwrap();
    up.recv_timeout(PATIENCE).unwrap();
    clicks
}

async fn serve(
    asked: SyncSender<Asked>,
    mut clicks: mpsc::Receiver<(u32, &'static str)>,
    ready: SyncSender<()>,
) -> zbus::Result<()> {
    let connection = zbus::connection::Builder::session()
        .name("org.freedesktop.Notifications")
        .serve_at("/org/freedesktop/Notifications", Service { next: 0, asked })
        .build()
        .await?;
    ready.send(()).unwrap();
    while let Some((id, action)) = clicks.recv().await {
        let emitter = SignalEmitter::new(&connection, "/org/freedesktop/Notifications")?;
        Service::action_invoked(&emitter, id, action).await?;
    }
    Ok(())
}
