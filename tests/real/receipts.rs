//! Delivery and read notifications sent by the recipient's client (RFC 5438, W28).

use std::sync::mpsc::{Receiver, sync_channel};

use fanfare::config::passwords::Keyring;
use fanfare::model::account::{Account, RegistrationState};
use fanfare::model::command::{AgentCommand, Command, Draft, Notice};
use fanfare::model::journal::{DeliveryState, PersonRow};
use fanfare::model::snapshot::Snapshot;
use fanfare::runtime::engine::{Engine, EngineOptions};
use fanfare::sip::{ReportMode, ReportOptions};

use crate::common::{Proxy, listener};
use crate::program::WAIT;
use crate::socket::{Answering, Message, Phone, submission};

/// The request of RFC 5438 §6, from James to Bob.
pub(crate) const CPIM: &str = "From: <im:james@domain.com>\r\nTo: <im:bob@domain.com>\r\nDateTime: 2006-04-04T12:16:49-05:00\r\n\
    NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 34jk324j\r\n\
    imdn.Disposition-Notification: positive-delivery, display\r\n\r\nContent-Type: text/plain\r\n\r\nCome here.";

/// The notifications about the message so far, without UDP retransmissions.
fn said(seen: &[Message]) -> Vec<&'static str> {
    let mut said = Vec::new();
    for came in seen.iter().filter(|message| message.method() == "MESSAGE") {
        assert_eq!(came.value("Content-Type"), "message/cpim");
        assert!(came.value("From").starts_with("<sip:bob@domain.com>"), "{}", came.text);
        let body = came.body();
        assert!(
            body.contains("\r\nContent-Type: message/imdn+xml\r\nContent-Disposition: notification\r\n"),
            "{body}"
        );
        assert!(body.contains("<message-id>34jk324j</message-id>"), "{body}");
        let word = if body.contains("<displayed/>") { "displayed" } else { "delivered" };
        if !said.contains(&word) {
            said.push(word);
        }
    }
    said.sort_unstable();
    said
}

#[test]
fn w28_listen_says_that_it_was_delivered_and_where_it_is_to_that_it_was_seen() {
    let cases: [(&[&str], &[&str]); 2] = [
        (&["--contact", "im:james@domain.com"], &["delivered"]),
        (&["--receipts", "--contact", "im:james@domain.com"], &["delivered", "displayed"]),
    ];
    for (extra, expected) in cases {
        let proxy = Proxy::start();
        let bob = listener("bob", &proxy, extra);
        let james = Phone::new();
        james.register("james", proxy.address);
        let james = Answering::new(james, |_, _| Some("200 OK"));
        let desk = Phone::new();
        let sent = submission(desk.address, &["im:bob@domain.com"], "", CPIM)
            .replace("text/plain\r\nContent-Length", "message/cpim\r\nContent-Length");
        assert_eq!(desk.ask(proxy.address, &sent).start(), "SIP/2.0 202 Accepted");
        bob.line_with("sip:james@domain.com: Come here.");
        james.wait("what became of it", |seen| (said(seen).len() >= expected.len()).then_some(()));
        // It ends only after it has sent all notifications.
        bob.signal("TERM");
        assert_eq!(bob.end().code(), 0);
        assert_eq!(said(&james.seen()), expected);
    }
}

#[test]
fn w28_a_sender_whom_nobody_knows_hears_nothing_of_his_message() {
    let proxy = Proxy::start();
    let bob = listener("bob", &proxy, &["--receipts", "--contact", "im:ann@domain.com"]);
    let james = Phone::new();
    james.register("james", proxy.address);
    let james = Answering::new(james, |_, _| Some("200 OK"));
    let desk = Phone::new();
    let sent = submission(desk.address, &["im:bob@domain.com"], "", CPIM)
        .replace("text/plain\r\nContent-Length", "message/cpim\r\nContent-Length");
    assert_eq!(desk.ask(proxy.address, &sent).start(), "SIP/2.0 202 Accepted");
    bob.line_with("sip:james@domain.com: Come here.");
    // It ends only after it has sent all notifications.
    bob.signal("TERM");
    assert_eq!(bob.end().code(), 0);
    let none: [&str; 0] = [];
    assert_eq!(said(&james.seen()), none);
}

/// One of our clients without its window.
pub(crate) struct Desktop {
    engine: Engine,
    woken: Receiver<()>,
}

impl Desktop {
    pub(crate) fn connected(account: Account) -> Self {
        let (waker, woken) = sync_channel(1);
        // One pending wake is enough.
        let wake = Box::new(move || {
            waker.try_send(()).ok();
        });
        let options = EngineOptions {
            settings: None,
            keyring: Keyring::Unused,
            data: None,
            account: Some(account),
            book: None,
            demo: false,
            wire: None,
            wake,
        };
        let this = Self { engine: Engine::start(options).unwrap(), woken };
        this.until("connected", |snapshot| {
            (snapshot.registration == RegistrationState::Connected).then_some(())
        });
        this
    }

    /// Waits, from wake to wake, until the condition holds.
    fn until<T>(&self, what: &str, is_so: impl Fn(&Snapshot) -> Option<T>) -> T {
        loop {
            let snapshot = self.engine.snapshot();
            if let Some(found) = is_so(&snapshot) {
                return found;
            }
            assert!(self.woken.recv_timeout(WAIT).is_ok(), "never {what}: {snapshot:?}");
        }
    }

    pub(crate) fn send(&self, to: &[&str], text: &str) {
        let person = |address: &&str| PersonRow { address: (*address).to_owned(), name: String::new() };
        let report = ReportOptions { mode: ReportMode::Each, detail: true, id: None };
        let (to, text) = (to.iter().map(person).collect(), text.to_owned());
        let draft = Draft { to, text, files: Vec::new(), hidden: false, report };
        self.engine.send(Command::Agent(AgentCommand::Send(draft))).unwrap();
    }

    /// Opens the only conversation and waits until its messages have these states; returns the number of attempts of
    /// each.
    pub(crate) fn until_states(&self, wanted: &[&[DeliveryState]]) -> Vec<u32> {
        let id = self.until("a conversation", |snapshot| Some(snapshot.conversations.first()?.id));
        self.engine.send(Command::Open(id)).unwrap();
        self.until(&format!("{wanted:?}"), |snapshot| {
            let messages = &snapshot.thread.as_ref()?.messages;
            let states: Vec<Vec<_>> = messages
                .iter()
                .map(|message| message.deliveries.iter().map(|delivery| delivery.state).collect())
                .collect();
            (states == wanted).then(|| messages.iter().map(|message| message.attempts).collect())
        })
    }

    pub(crate) fn failures_told(&self) -> Vec<Notice> {
        let is_failure = |notice: &Notice| matches!(notice, Notice::NotDelivered { .. });
        self.engine.notices().into_iter().filter(is_failure).collect()
    }
}

pub(crate) fn james(proxy: &Proxy) -> Account {
    Account {
        address: "im:james@domain.com".to_owned(),
        proxy: proxy.udp(),
        receipts: true,
        ..Account::default()
    }
}

#[test]
fn w28_two_of_ours_see_who_has_read_what() {
    use DeliveryState::{Delivered, Read};
    let proxy = Proxy::start();
    let contacts = ["--receipts", "--contact", "im:james@domain.com"];
    let (bob, cy) = (listener("bob", &proxy, &contacts), listener("cy", &proxy, &[]));
    let james = Desktop::connected(james(&proxy));
    james.send(&["im:bob@domain.com", "im:cy@domain.com"], "Gr\u{fc}\u{df}e");
    assert_eq!(james.until_states(&[&[Read, Delivered]]), [1]);
    for reader in [bob, cy] {
        reader.line_with(": Gr\u{fc}\u{df}e");
        assert_eq!(reader.lines().iter().filter(|line| line.contains("domain.com")).count(), 1);
    }
    assert_eq!(james.failures_told(), []);
}
