//! A proxy that stops answering, and later resumes: the account is offline at once, and unsent messages wait (W10,
//! W12).

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use fanfare::config::passwords::Keyring;
use fanfare::model::account::{Account, RegistrationState};
use fanfare::model::command::{AgentCommand, Command, Draft};
use fanfare::model::journal::{DeliveryState, PersonRow};
use fanfare::runtime::engine::{Engine, EngineOptions};
use fanfare::sip::{ReportMode, ReportOptions};
use tempfile::TempDir;

use crate::common::Proxy;
use crate::program::WAIT;
use crate::socket::{Answering, Phone};

/// T1 of the account; Timer F is 64 times as long.
const T1: Duration = Duration::from_millis(20);

/// A window's engine, and what wakes it.
struct Client {
    engine: Engine,
    woken: Receiver<()>,
}

impl Client {
    fn of_james(proxy: &Proxy, folder: &TempDir) -> Self {
        let (waker, woken) = sync_channel(1);
        let account = Account {
            address: "sip:james@domain.com".to_owned(),
            proxy: proxy.udp(),
            t1_ms: u64::try_from(T1.as_millis()).unwrap(),
            ..Account::default()
        };
        let engine = Engine::start(EngineOptions {
            settings: None,
            keyring: Keyring::Unused,
            data: Some(folder.path().to_owned()),
            account: Some(account),
            book: None,
            demo: false,
            wire: None,
            wake: Box::new(move || waker.try_send(()).unwrap_or(())),
        })
        .unwrap();
        Self { engine, woken }
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            assert!(self.woken.recv_timeout(WAIT).is_ok(), "never {what}: {:?}", self.engine.snapshot());
        }
    }

    fn is_connected(&self) -> bool {
        self.engine.snapshot().registration == RegistrationState::Connected
    }

    fn is_offline(&self) -> bool {
        matches!(self.engine.snapshot().registration, RegistrationState::Offline { .. })
    }

    fn send(&self, text: &str) {
        let report = ReportOptions { mode: ReportMode::Each, detail: true, id: None };
        let to = vec![PersonRow { address: "sip:bob@domain.com".to_owned(), name: String::new() }];
        let draft = Draft { to, text: text.to_owned(), files: Vec::new(), hidden: false, report };
        self.engine.send(Command::Agent(AgentCommand::Send(draft))).unwrap();
    }

    /// The states of the messages written, in order.
    fn states(&self) -> Vec<DeliveryState> {
        let snapshot = self.engine.snapshot();
        let messages = snapshot.thread.iter().flat_map(|thread| thread.messages.iter());
        messages.flat_map(|message| message.deliveries.iter().map(|delivery| delivery.state)).collect()
    }
}

#[test]
fn w12_what_is_written_while_the_proxy_stands_still_waits_and_is_delivered_once() {
    for is_killed in [false, true] {
        let proxy = Proxy::start();
        let phone = Phone::new();
        phone.register("bob", proxy.address);
        let bob = Answering::new(phone, |_, _| Some("200 OK"));
        let folder = TempDir::new().unwrap();
        let james = Client::of_james(&proxy, &folder);
        james.until("connected", Client::is_connected);

        let proxy = if is_killed {
            let Proxy { program, address, folder, .. } = proxy;
            program.kill();
            Stopped::Killed(address, folder)
        } else {
            proxy.program.signal("STOP");
            Stopped::Standing(proxy)
        };
        let start = Instant::now();
        james.send("Written as it stopped.");
        james.until("offline", Client::is_offline);
        // Timer F, plus some time for a busy machine; the next registration refresh would have been minutes later.
        let after = start.elapsed();
        assert!((T1 * 64..T1 * 64 + Duration::from_secs(10)).contains(&after), "offline after {after:?}");
        james.send("Written while it stood.");
        james.until("a conversation", |james| !james.engine.snapshot().conversations.is_empty());
        let id = james.engine.snapshot().conversations[0].id;
        james.engine.send(Command::Open(id)).unwrap();
        let waits = [DeliveryState::Sending, DeliveryState::Queued];
        james.until("both wait", |james| james.states() == waits);
        assert_eq!(bob.seen().len(), 0);

        let proxy = proxy.go_on();
        james.until("delivered", |james| james.states() == [DeliveryState::Delivered; 2]);
        assert!(james.is_connected());
        // A message sent last arrives last: any duplicate has come by then.
        james.send("The last one.");
        james.until("delivered", |james| james.states() == [DeliveryState::Delivered; 3]);
        let seen = bob.seen();
        for text in ["Written as it stopped.", "Written while it stood.", "The last one."] {
            let legs: std::collections::BTreeSet<_> =
                seen.iter().filter(|leg| leg.body() == text).map(crate::socket::Message::identity).collect();
            assert_eq!(legs.len(), 1, "{text}: {seen:#?}");
        }
        drop((james, proxy));
    }
}

/// How the proxy stops answering.
enum Stopped {
    Standing(Proxy),
    Killed(std::net::SocketAddr, TempDir),
}

impl Stopped {
    fn go_on(self) -> Proxy {
        match self {
            Self::Standing(proxy) => {
                proxy.program.signal("CONT");
                proxy
            }
            Self::Killed(address, folder) => Proxy::start_again(address, folder),
        }
    }
}
