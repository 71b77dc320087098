//! The engine with real threads, loopback sockets and files; two engines with one of our proxies between them.

mod accounts;

mod deleting;

mod killed;

use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::*;
use crate::config::client::ClientFiles;
use crate::config::passwords::Keyring;
use crate::model::account::{Password, RegistrationState, SignIn};
use crate::model::command::{AgentCommand, Draft};
use crate::model::contacts::Contact;
use crate::model::journal::{DeliveryState, DraftPlace, DraftRow, MessageId, PersonRow};
use crate::model::reason::Cause;
use crate::model::search::Search;
use crate::model::snapshot::{PasswordPlace, Thread};
use crate::proxy::ProxyConfig;
use crate::runtime::server::Server;
use crate::sip::{File, ReportMode, ReportOptions, Transport};
use crate::transaction::Timers;

/// An engine and what wakes its window.
struct Desktop {
    engine: Engine,
    woken: Receiver<()>,
}

fn options(folder: &Path, account: Option<Account>) -> (EngineOptions, Receiver<()>) {
    let (waker, woken) = sync_channel(1);
    // One pending wake is enough.
    let wake = Box::new(move || {
        waker.try_send(()).ok();
    });
    let settings = Some(folder.join("settings"));
    let data = Some(folder.join("data"));
    (
        EngineOptions {
            settings,
            keyring: Keyring::Unused,
            data,
            account,
            book: None,
            demo: false,
            wire: None,
            wake,
        },
        woken,
    )
}

fn started(folder: &Path, account: Option<Account>) -> Desktop {
    let (options, woken) = options(folder, account);
    Desktop { engine: Engine::start(options).unwrap(), woken }
}

impl Desktop {
    /// Waits, from wake to wake, until the condition holds.
    fn until<T>(&self, what: &str, mut is_so: impl FnMut(&Engine) -> Option<T>) -> T {
        loop {
            if let Some(found) = is_so(&self.engine) {
                return found;
            }
            let woken = self.woken.recv_timeout(Duration::from_secs(30));
            assert!(woken.is_ok(), "never {what}: {:?}", self.engine.snapshot());
        }
    }

    fn until_connected(&self) {
        self.until("connected", |engine| {
            (engine.snapshot().registration == RegistrationState::Connected).then_some(())
        });
    }

    fn until_notice<T>(&self, what: &str, mut wanted: impl FnMut(Notice) -> Option<T>) -> T {
        self.until(what, |engine| engine.notices().into_iter().find_map(&mut wanted))
    }

    /// Opens the only conversation and waits until its thread satisfies the condition.
    fn until_thread(&self, what: &str, wanted: impl Fn(&Thread) -> bool) -> Arc<Thread> {
        let id = self.until("a conversation", |engine| Some(engine.snapshot().conversations.first()?.id));
        self.engine.send(Command::Open(id)).unwrap();
        self.until(what, |engine| engine.snapshot().thread.clone().filter(|thread| wanted(thread)))
    }

    fn send(&self, to: &[&str], text: &str) {
        let person = |address: &&str| PersonRow { address: (*address).to_owned(), name: String::new() };
        let report = ReportOptions { mode: ReportMode::Each, detail: true, id: None };
        let draft = Draft {
            to: to.iter().map(person).collect(),
            text: text.to_owned(),
            files: Vec::new(),
            hidden: false,
            report,
        };
        self.engine.send(Command::Agent(AgentCommand::Send(draft))).unwrap();
    }
}

fn proxy() -> Server {
    let any = "127.0.0.1:0".parse().unwrap();
    let mut config =
        ProxyConfig::new(vec!["domain.com".to_owned()], vec![(Transport::Udp, any), (Transport::Tcp, any)]);
    config.timers = Timers::new(Duration::from_millis(20));
    Server::start(config, None).unwrap()
}

fn account(user: &str, proxy: &Server) -> Account {
    Account {
        address: format!("sip:{user}@domain.com"),
        proxy: format!("udp:{}", proxy.locals()[0].1),
        ..Account::default()
    }
}

fn states(thread: &Thread) -> Vec<Vec<DeliveryState>> {
    let of_message = |message: &Arc<crate::model::snapshot::MessageView>| {
        message.deliveries.iter().map(|delivery| delivery.state).collect()
    };
    thread.messages.iter().map(of_message).collect()
}

#[test]
fn one_message_to_two_is_shown_with_its_tick_and_its_cross_now_and_after_a_restart() {
    use DeliveryState::{Delivered, Failed};
    let (server, folders) = (proxy(), [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()]);
    let bob = started(folders[1].path(), Some(account("bob", &server)));
    bob.until_connected();
    let james = started(folders[0].path(), Some(account("james", &server)));
    james.until_connected();
    james.send(&["sip:bob@domain.com", "sip:dana@domain.com"], "Come here.");

    let text = bob.until_notice("received", |notice| {
        let Notice::Received { from, text, .. } = notice else { panic!("{notice:?}") };
        Some(format!("{from}: {text}"))
    });
    assert_eq!(text, "james: Come here.");
    let settled = |thread: &Thread| states(thread) == [vec![Delivered, Failed]];
    let thread = james.until_thread("settled", settled);
    assert_eq!((thread.messages[0].text.as_str(), thread.outline.len(), thread.first), ("Come here.", 1, 0));
    let (tally, failures) = james.until_notice("told of the failure", |notice| {
        let Notice::NotDelivered { tally, failures, failed: 1, message: MessageId(1), .. } = notice else {
            panic!("{notice:?}")
        };
        Some((tally, failures))
    });
    assert_eq!((tally.failed, tally.total), (1, 2));
    assert_eq!(failures, [("dana".to_owned(), Cause::Offline)]);
    let heads = james.engine.snapshot().conversations.clone();

    // At the recipient: unread, and shown with the contact's name once there is one.
    let thread = bob.until_thread("shown", |thread| thread.messages.len() == 1);
    assert_eq!(thread.unread_from, Some(thread.messages[0].id));
    let named = Contact { address: "james@domain.com".to_owned(), name: "Jim".to_owned(), simulated: false };
    bob.engine.send(Command::PutContact(named)).unwrap();
    bob.until("named", |engine| {
        let snapshot = engine.snapshot();
        let from = snapshot.thread.as_ref()?.messages.first()?.from.clone()?;
        (from.name == "Jim" && snapshot.conversations[0].people[0].name == "Jim").then_some(())
    });

    drop(james);
    let again = started(folders[0].path(), Some(account("james", &server)));
    again.until_thread("the same after a restart", settled);
    assert_eq!(again.engine.snapshot().conversations, heads);
    drop(bob);
    let again = started(folders[1].path(), Some(account("bob", &server)));
    again.until("named as before", |engine| {
        let snapshot = engine.snapshot();
        (snapshot.book.contacts.len() == 1 && snapshot.conversations.first()?.people[0].name == "Jim")
            .then_some(())
    });
}

#[test]
fn a_search_finds_what_was_received_by_the_name_in_the_contacts() {
    let (server, folders) = (proxy(), [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()]);
    let bob = started(folders[1].path(), Some(account("bob", &server)));
    bob.until_connected();
    let james = started(folders[0].path(), Some(account("james", &server)));
    james.until_connected();
    james.send(&["sip:bob@domain.com"], "\u{130}rem comes at ten.");
    bob.until("received", |engine| engine.snapshot().conversations.first().map(drop));
    let named =
        Contact { address: "james@domain.com".to_owned(), name: "Jim B\u{e9}".to_owned(), simulated: false };
    bob.engine.send(Command::PutContact(named)).unwrap();
    let search = Search { id: 7, text: "irem from:\"be jim\"".to_owned(), within: None, older_than: None };
    bob.engine.send(Command::Search(search.clone())).unwrap();
    let found = bob.until_notice(
        "found",
        |notice| {
            if let Notice::Found(found) = notice { Some(found) } else { None }
        },
    );
    assert_eq!((found.search, found.hits.len(), found.has_more), (search, 1, false));
    let hit = &found.hits[0];
    assert_eq!(hit.from.as_ref().unwrap().name, "Jim B\u{e9}");
    assert_eq!(hit.excerpt.marked().collect::<Vec<_>>(), ["\u{130}rem"]);
}

#[test]
fn what_was_being_written_is_there_after_a_restart_and_gone_once_it_is_sent() {
    let (server, folder) = (proxy(), tempfile::tempdir().unwrap());
    let james = started(folder.path(), Some(account("james", &server)));
    let person = PersonRow { address: "sip:bob@domain.com".to_owned(), name: "Bob".to_owned() };
    let row = DraftRow {
        place: DraftPlace::NewMessage,
        at: Timestamp::default(),
        text: "Come h".to_owned(),
        people: vec![person],
        hidden: false,
        files: vec![File { name: None, media_type: "image/png".to_owned(), bytes: vec![7; 9].into() }],
    };
    james.engine.send(Command::Agent(AgentCommand::KeepDraft(row.clone()))).unwrap();
    drop(james);
    let james = started(folder.path(), Some(account("james", &server)));
    let kept = james
        .until_notice("told", |notice| if let Notice::Drafts(drafts) = notice { Some(drafts) } else { None });
    assert!(kept[0].at > Timestamp::default());
    assert_eq!(kept, [DraftRow { at: kept[0].at, ..row.clone() }]);
    let report = ReportOptions { mode: ReportMode::Each, detail: true, id: None };
    let draft = Draft { to: row.people, text: row.text, files: row.files, hidden: false, report };
    james.engine.send(Command::Agent(AgentCommand::Send(draft))).unwrap();
    james.until("sent", |engine| engine.snapshot().conversations.first().map(drop));
    drop(james);
    let james = started(folder.path(), Some(account("james", &server)));
    james.until_connected();
    assert!(!james.engine.notices().iter().any(|notice| matches!(notice, Notice::Drafts(_))));
}

#[test]
fn a_damaged_file_is_told_after_the_start() {
    let (server, folder) = (proxy(), tempfile::tempdir().unwrap());
    let james = started(folder.path(), Some(account("james", &server)));
    james.send(&["sip:bob@domain.com"], "Come here.");
    james.until("sent", |engine| engine.snapshot().conversations.first().map(drop));
    drop(james);
    let path = folder.path().join("data/messages.sqlite3");
    let damage = "UPDATE search_data SET block = x'ffffffffffff' WHERE id = 10";
    rusqlite::Connection::open(&path).unwrap().execute(damage, []).unwrap();
    let james = started(folder.path(), Some(account("james", &server)));
    let (damaged, faults) = james.until_notice("told of the damage", |notice| {
        if let Notice::StoreDamaged { path, faults } = notice { Some((path, faults)) } else { None }
    });
    assert_eq!(damaged, path);
    assert!(!faults.is_empty());
    assert!(crate::store::own_backup::take_damage(&path).unwrap(), "the next start says it too");
}

#[test]
fn a_broken_file_is_told_and_a_store_in_use_is_refused() {
    let (server, folder) = (proxy(), tempfile::tempdir().unwrap());
    std::fs::create_dir(folder.path().join("settings")).unwrap();
    std::fs::write(folder.path().join("settings/contacts.ron"), "(\ncontacts: ?)").unwrap();
    let first = started(folder.path(), Some(account("james", &server)));
    let problem = first.until_notice("told", |notice| {
        let Notice::Problem(sentence) = notice else { panic!("{notice:?}") };
        Some(sentence)
    });
    assert!(problem.contains("contacts.ron:2:") && problem.contains("contacts.ron.broken-1"), "{problem}");
    let refusal = Engine::start(options(folder.path(), Some(account("james", &server))).0).unwrap_err();
    assert!(refusal.to_string().contains("another running fanfare uses it"), "{refusal}");
    let files = ClientFiles::new(Some(folder.path().join("settings")));
    assert!(files.reserve().is_err(), "nobody else changes the contacts meanwhile");
    drop(first);
    assert!(files.reserve().unwrap().is_some());
}

/// The thread function of an engine that panics at the first command.
fn fall(
    _setup: work::Setup,
    out: Arc<Out>,
    mut commands: mpsc::Receiver<Command>,
    ready: &std::sync::mpsc::SyncSender<Result<(), EngineError>>,
) {
    drop(out);
    ready.send(Ok(())).unwrap();
    commands.blocking_recv().unwrap();
    panic!("a fault of ours, made for this test");
}

#[test]
fn an_engine_that_falls_wakes_the_window_and_is_started_anew_on_the_same_store() {
    let (server, folder) = (proxy(), tempfile::tempdir().unwrap());
    let james = account("james", &server);
    let before = started(folder.path(), Some(james.clone()));
    before.until_connected();
    before.send(&["sip:nobody@domain.com"], "Before the fall.");
    before.until_thread("failed", |thread| states(thread) == [vec![DeliveryState::Failed]]);
    drop(before);

    let (options, woken) = options(folder.path(), Some(james));
    let setup = work::Setup {
        settings: options.settings,
        keyring: options.keyring,
        data: options.data,
        account: options.account,
        book: options.book,
        demo: options.demo,
        wire: Wire { tap: WireTap::new(), legs: Legs::Unseen },
    };
    let engine = Engine::run((setup, options.wake.into(), Quitter::default()), fall).unwrap();
    let mut desktop = Desktop { engine, woken };
    assert!(!desktop.engine.has_ended());
    desktop.engine.send(Command::Close).unwrap();
    desktop.until("seen to have ended", |engine| engine.has_ended().then_some(()));

    desktop.engine.start_again().unwrap();
    assert!(!desktop.engine.has_ended());
    desktop.until_connected();
    desktop.until_thread("what was there before", |thread| states(thread) == [vec![DeliveryState::Failed]]);
    assert!(desktop.engine.quitter().quit());
    assert!(desktop.engine.has_ended(), "who quits the engine quits the one that runs now");
}

#[test]
fn without_folders_everything_lives_in_memory() {
    let server = proxy();
    let (waker, woken) = sync_channel(1);
    let options = EngineOptions {
        settings: None,
        keyring: Keyring::Unused,
        data: None,
        account: Some(account("james", &server)),
        book: None,
        demo: true,
        wire: None,
        wake: Box::new(move || {
            waker.try_send(()).ok();
        }),
    };
    let desktop = Desktop { engine: Engine::start(options).unwrap(), woken };
    desktop.until_connected();
    desktop.send(&["sip:nobody@domain.com"], "Hello?");
    desktop.until_thread("failed", |thread| states(thread) == [vec![DeliveryState::Failed]]);
    assert!(desktop.engine.snapshot().demo);
}

#[test]
fn while_nothing_happens_the_window_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = started(folder.path(), None);
    desktop.engine.send(Command::Close).unwrap();
    // The snapshot caused by Close; then none for several times the snapshot interval.
    while desktop.woken.recv_timeout(Duration::from_millis(300)).is_ok() {}
    assert!(desktop.woken.recv_timeout(Duration::from_millis(300)).is_err());
    let before = desktop.engine.snapshot();
    assert!(Arc::ptr_eq(&before, &desktop.engine.snapshot()));
}
