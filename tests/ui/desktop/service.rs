//! A notification service of our own on the private bus, and what a test sees of it.

use super::*;

/// A notification as the service was asked to show it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Raised {
    pub(super) id: u32,
    pub(super) replaces: u32,
    pub(super) app: String,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) actions: Vec<String>,
    pub(super) hints: String,
}

/// A notification service that writes down what it is asked.
struct Service {
    next: u32,
    asked: SyncSender<Asked>,
    can: Arc<Mutex<Vec<&'static str>>>,
    is_presenting: Arc<AtomicBool>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    fn get_capabilities(&self) -> Vec<String> {
        self.can.lock().unwrap().iter().map(|can| (*can).to_owned()).collect()
    }

    /// As Plasma has it.
    #[zbus(property)]
    fn inhibited(&self) -> bool {
        self.is_presenting.load(Ordering::Relaxed)
    }

    #[expect(clippy::unused_self, reason = "an interface is made of methods")]
    fn get_server_information(&self) -> (String, String, String, String) {
        ("test".into(), "fanfare".into(), "1".into(), "1.2".into())
    }

    #[expect(clippy::too_many_arguments, reason = "the interface is the desktop's")]
    fn notify(
        &mut self,
        app: String,
        replaces: u32,
        _icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        hints: Hints,
        _timeout: i32,
    ) -> u32 {
        self.next += u32::from(replaces == 0);
        let id = if replaces == 0 { self.next } else { replaces };
        let hints = format!("{hints:?}");
        self.asked.send(Asked::Raised(Raised { id, replaces, app, title, body, actions, hints })).unwrap();
        id
    }

    fn close_notification(&mut self, id: u32) {
        self.asked.send(Asked::Closed(id)).unwrap();
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_replied(emitter: &SignalEmitter<'_>, id: u32, text: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;
}

/// The service, and a hold on those who use it.
pub(super) struct Bus {
    asked: Receiver<Asked>,
    deeds: mpsc::Sender<(u32, Deed)>,
    pub(super) can: Arc<Mutex<Vec<&'static str>>>,
    pub(super) is_presenting: Arc<AtomicBool>,
}

impl Bus {
    pub(super) fn raised(&self) -> Raised {
        match self.asked.recv_timeout(PATIENCE).unwrap() {
            Asked::Raised(raised) => raised,
            Asked::Closed(id) => panic!("{id} was closed"),
        }
    }

    pub(super) fn closed(&self, id: u32, why: &str) {
        assert_eq!(self.asked.recv_timeout(PATIENCE).unwrap(), Asked::Closed(id), "{why}");
    }

    /// Nothing is asked of the service for so long.
    pub(super) fn is_quiet_for(&self, wait: Duration) {
        assert_eq!(self.asked.recv_timeout(wait).ok(), None);
    }

    pub(super) fn does(&self, id: u32, deed: Deed) {
        self.deeds.blocking_send((id, deed)).unwrap();
    }
}

/// Starts the service on a thread of its own; what is sent to it is done as by a person.
pub(super) fn start_service() -> Bus {
    let (sender, asked) = sync_channel(64);
    let (deeds, waiting) = mpsc::channel(16);
    let (ready, up) = sync_channel(1);
    let can = Arc::new(Mutex::new(vec!["actions", "body", "body-markup", "inline-reply"]));
    let is_presenting = Arc::new(AtomicBool::new(false));
    let service =
        Service { next: 0, asked: sender, can: Arc::clone(&can), is_presenting: Arc::clone(&is_presenting) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::Builder::new()
        .name("service".to_owned())
        .spawn(move || runtime.block_on(serve(service, waiting, ready)).unwrap())
        .unwrap();
    up.recv_timeout(PATIENCE).unwrap();
    Bus { asked, deeds, can, is_presenting }
}

/// What the service was asked.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Raised(Raised),
    Closed(u32),
}

/// What a person does with a notification.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    Press(&'static str),
    Reply(&'static str),
    Close,
}

type Hints = std::collections::BTreeMap<String, OwnedVariant>;

async fn serve(
    service: Service,
    mut deeds: mpsc::Receiver<(u32, Deed)>,
    ready: SyncSender<()>,
) -> zbus::Result<()> {
    let connection = zbus::connection::Builder::session()
        .name("org.freedesktop.Notifications")
        .serve_at("/org/freedesktop/Notifications", service)
        .build()
        .await?;
    ready.send(()).unwrap();
    while let Some((id, deed)) = deeds.recv().await {
        let emitter = SignalEmitter::new(&connection, "/org/freedesktop/Notifications")?;
        match deed {
            Deed::Press(action) => Service::action_invoked(&emitter, id, action).await?,
            Deed::Reply(text) => Service::notification_replied(&emitter, id, text).await?,
            Deed::Close => Service::notification_closed(&emitter, id, 2).await?,
        }
    }
    Ok(())
}
