//! **Host here**: the dialog, the account that is shown once, and the servers nearby on the first screen.

use std::sync::{Arc, Mutex};

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::injection::{FaultBoard, Injection};
use fanfare::model::account::{Account, RegistrationState};
use fanfare::model::command::Command;
use fanfare::model::hosting::{
    HandedOut, HostBoard, HostOrder, HostState, HostView, NearbyBoard, NearbyServer,
};
use fanfare::model::journal::DeliveryState::Delivered;
use fanfare::model::snapshot::{Settings, Theme};
use fanfare::runtime::engine::{Legs, Wire, WireTap};
use fanfare::ui::{App, Options};
use jiff::tz::TimeZone;

use crate::fake::{Fake, ago, own, people, press, says, type_into};
use crate::gallery::{Album, LARGE, SMALL, theme};

const SHA256: &str =
    "4F:0A:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:4F:0A:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE";

pub(crate) fn account(name: &str) -> HandedOut {
    let called = if name == "james" { "James" } else { "Ann Lee" };
    HandedOut {
        name: called.to_owned(),
        address: format!("{name}@james-s-office.local"),
        password: "kfmw-2xqd-7hna-p3st".to_owned(),
        server: "tls:192.168.1.5:5061".to_owned(),
        domain: "james-s-office.local".to_owned(),
        sha256: SHA256.to_owned(),
    }
}

pub(crate) fn running() -> HostView {
    HostView {
        state: HostState::Running,
        name: "James's office".to_owned(),
        domain: "james-s-office.local".to_owned(),
        server: "tls:192.168.1.5:5061".to_owned(),
        sha256: SHA256.to_owned(),
        people: ["ann-lee", "james"].map(|name| format!("{name}@james-s-office.local")).to_vec(),
        is_automatic: true,
        ..HostView::default()
    }
}

/// A board of which the test sees what is asked, and says what is shown.
#[derive(Clone, Default)]
pub(crate) struct Office {
    view: Arc<Mutex<HostView>>,
    asked: Arc<Mutex<Vec<HostOrder>>>,
    looks: Arc<Mutex<Vec<bool>>>,
}

impl Office {
    pub(crate) fn showing(view: HostView) -> Self {
        Self { view: Arc::new(Mutex::new(view)), ..Self::default() }
    }

    pub(crate) fn options(&self, nearby: &[NearbyServer]) -> Options {
        let (asked, looks) = (Arc::clone(&self.asked), Arc::clone(&self.looks));
        let board = HostBoard::new(Arc::clone(&self.view), move |order| {
            asked.lock().unwrap().push(order);
            Ok(())
        });
        let found = Arc::new(Mutex::new(nearby.to_vec()));
        let nearby = NearbyBoard::new(found, move |is_wanted| looks.lock().unwrap().push(is_wanted));
        Options {
            host: Some(board),
            nearby: Some(nearby),
            demo: Some("fanfare".into()),
            zone: Some(TimeZone::UTC),
            ..Options::default()
        }
    }

    fn take(&self) -> Vec<HostOrder> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn change(&self, window: &mut Harness<'static, App>, change: impl FnOnce(&mut HostView)) {
        change(&mut self.view.lock().unwrap());
        window.run();
    }
}

fn nobody() -> Fake {
    let fake = Fake::new();
    fake.change(|inner| {
        inner.snapshot.account = None;
        inner.snapshot.registration = RegistrationState::Idle;
    });
    fake
}

fn click(window: &mut Harness<'static, App>, label: &str) {
    window.get_by_label(label).scroll_to_me();
    window.run();
    window.get_by_label(label).click();
    window.run();
}

#[test]
fn whoever_hosts_a_server_sees_the_wire_and_can_cause_its_faults() {
    let (fake, office) = (Fake::new(), Office::showing(running()));
    let crew = people(&["Ann Lee"]);
    fake.converse(1, &crew, vec![own(5, ago(1), "Lunch", &[(&crew[0], Delivered)])], 0);
    let set = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&set);
    let faults = FaultBoard::new(move |fault| {
        kept.lock().unwrap().push(fault.to_string());
        Ok(())
    });
    fake.change(|inner| {
        inner.wire = Some(Wire { tap: WireTap::new(), legs: Legs::Unseen });
        inner.snapshot.settings.testing = true;
        let address = "sip:james@james-s-office.local".to_owned();
        let own = Account { address, proxy: running().server, ..Account::default() };
        inner.snapshot.account = Some(Arc::new(own));
    });
    let mut window = fake.window_with(LARGE, Options { faults: Some(faults), ..office.options(&[]) });
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    window.get_by_role_and_label(Role::Tab, "Wire").click();
    window.run();
    click(&mut window, "Lost reports");
    assert!(says(&window, "Faults are on: notify:drop=3"));
    // What the server passes on is shown for the host's own messages.
    assert!(says(&window, "Your server runs here"));
    assert_eq!(office.take(), [HostOrder::Watch(Some("james@james-s-office.local".to_owned()))]);
    assert_eq!(*set.lock().unwrap(), ["notify:drop=3"]);
    click(&mut window, "Turn off");
    // Where nothing is hosted, there is nothing that could fail.
    office.change(&mut window, |view| view.state = HostState::Off);
    assert!(window.query_by_label("Lost reports").is_none());
    assert_eq!(office.take(), [HostOrder::Watch(None)]);
}

#[test]
fn faults_that_do_nothing_to_the_account_are_said_and_those_that_cannot_be_are_not_offered() {
    let (fake, office) = (Fake::new(), Office::showing(running()));
    let ann = people(&["Ann Lee"]);
    fake.converse(1, &ann, vec![own(5, ago(1), "Lunch", &[(&ann[0], Delivered)])], 0);
    fake.change(|inner| {
        inner.wire = Some(Wire { tap: WireTap::new(), legs: Legs::Unseen });
        inner.snapshot.settings.testing = true;
        let address = "sip:james@james-s-office.local".to_owned();
        let own = Account { address, proxy: running().server, ..Account::default() };
        inner.snapshot.account = Some(Arc::new(own));
    });
    let only = |fault: &Injection| match fault {
        Injection::Proxy(_) => Err("only in the demo".to_owned()),
        Injection::Person { .. }
        | Injection::Path { .. }
        | Injection::Disk { .. }
        | Injection::Clock { .. } => Ok(()),
    };
    let faults = FaultBoard::new(|_| Ok(())).only(only);
    let mut window = fake.window_with(LARGE, Options { faults: Some(faults), ..office.options(&[]) });
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    window.get_by_role_and_label(Role::Tab, "Wire").click();
    window.run();
    assert!(
        window.query_by_label("Tunnel").is_some() && window.query_by_label("Proxy crash after 202").is_none()
    );
    let in_vain = "This account is connected over TLS: faults of datagrams do not touch it.";
    type_into(&mut window, "Fault", "path:delay=2s");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert!(says(&window, in_vain));
    let mut album = Album::default();
    album.take(&mut window, "fault_in_vain_light");
    click(&mut window, "Set connections:delay=2000ms");
    assert!(says(&window, "Faults are on: path:delay=2000ms   connections:delay=2000ms"));
    assert!(!says(&window, in_vain), "what it is connected over has a fault now");
    click(&mut window, "Turn off");
    click(&mut window, "Lost reports");
    assert!(says(&window, in_vain), "there is nothing like it on a connection");
    // Over UDP it is as it says.
    fake.change(|inner| {
        let own = inner.snapshot.account.as_deref().cloned().unwrap();
        inner.snapshot.account = Some(Arc::new(Account { proxy: "udp:192.168.1.5:5060".to_owned(), ..own }));
    });
    window.run();
    assert!(!says(&window, in_vain));
}

#[test]
fn whoever_is_blocked_is_blocked_at_the_server_that_is_hosted_here_too() {
    let (fake, office) = (Fake::new(), Office::showing(running()));
    let ann = people(&["Ann Lee"]);
    fake.converse(1, &ann, vec![own(5, ago(1), "Lunch", &[(&ann[0], Delivered)])], 0);
    fake.change(|inner| {
        let address = "sip:james@james-s-office.local".to_owned();
        let own = Account { address, proxy: running().server, ..Account::default() };
        inner.snapshot.account = Some(Arc::new(own));
    });
    let mut window = fake.window_with(LARGE, office.options(&[]));
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with("Ann Lee,"))).click_secondary();
    window.run();
    click(&mut window, "Block");
    let asked = |is_blocked| HostOrder::Block {
        user: "james@james-s-office.local".to_owned(),
        sender: "ann.lee@example.com".to_owned(),
        is_blocked,
    };
    assert_eq!(office.take(), [asked(true)]);
    click(&mut window, "Undo");
    assert_eq!(office.take(), [asked(false)]);
}

#[test]
fn a_server_is_hosted_from_the_first_screen_and_signed_in_to() {
    let (fake, office) = (nobody(), Office::default());
    let mut window = fake.window_with(LARGE, office.options(&[]));
    click(&mut window, "Host here");
    type_into(&mut window, "Name of the server", "James's office");
    assert!(window.get_by_label("Start the server").accesskit_node().is_disabled());
    press(&mut window, Modifiers::NONE, Key::Enter);
    let next = window.get_by_role_and_label(Role::TextInput, "Your name");
    assert!(next.accesskit_node().is_focused() && office.take().is_empty(), "it is still empty");
    type_into(&mut window, "Your name", "James");
    press(&mut window, Modifiers::NONE, Key::Enter);
    let start = HostOrder::Start { name: "James's office".to_owned(), host: "James".to_owned() };
    assert_eq!(office.take(), [start]);
    let tests = |command: &Command| matches!(command, Command::PutSettings(Settings { testing: true, .. }));
    assert!(fake.asked().iter().any(tests), "testing mode is always on there");

    office.change(&mut window, |view| *view = HostView { own: Some(account("james")), ..running() });
    let asked = fake.asked();
    let Some(Command::PutAccount(put)) = asked.first() else { panic!("{asked:?}") };
    assert_eq!(
        (put.address.as_str(), put.proxy.as_str(), put.sign_in.password.as_str()),
        ("sip:james@james-s-office.local", "tls:192.168.1.5:5061", "kfmw-2xqd-7hna-p3st")
    );
    assert_eq!(put.name, "James", "as he calls himself");
    let trusted = put.trusted.as_ref().unwrap();
    assert_eq!((trusted.server.as_str(), trusted.sha256.as_str()), ("james-s-office.local", SHA256));
    fake.change(|inner| {
        inner.snapshot.account = Some(Arc::new(put.clone()));
        inner.snapshot.registration = RegistrationState::Connected;
    });
    window.run();
    window.get_by_label("James's office");
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.get_by_label("New message");
    assert_eq!(
        *office.looks.lock().unwrap(),
        [true, false],
        "others are looked for as long as that is of use"
    );
}

#[test]
fn people_are_given_accounts_that_are_shown_once_and_removed() {
    let office = Office::showing(running());
    let mut window = Fake::new().window_with(LARGE, office.options(&[]));
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    assert!(window.query_by_label("Host a server here…").is_none(), "one runs");
    assert!(says(&window, "James's office") && says(&window, "Runs at 192.168.1.5:5061."));
    click(&mut window, "Show the server…");
    assert!(says(&window, SHA256) && says(&window, "Runs at 192.168.1.5:5061."));
    type_into(&mut window, "Name of the person", "Ben Okafor");
    click(&mut window, "Add an account");
    assert_eq!(office.take(), [HostOrder::Add("Ben Okafor".to_owned())]);
    office.change(&mut window, |view| view.added = Some(account("ben-okafor")));
    window.get_by_label("QR code of this account");
    assert!(says(&window, "kfmw-2xqd-7hna-p3st") && says(&window, "not shown again once you click Done"));
    click(&mut window, "Done");
    assert_eq!(office.take(), [HostOrder::Seen]);
    office.change(&mut window, |view| view.added = None);
    assert!(!says(&window, "kfmw-2xqd-7hna-p3st"));
    click(&mut window, "Remove ann-lee@james-s-office.local");
    click(&mut window, "Keep the account");
    click(&mut window, "Remove ann-lee@james-s-office.local");
    assert!(says(&window, "messages that still wait for them on this server are deleted for good"));
    assert!(office.take().is_empty(), "it is asked first");
    click(&mut window, "Remove the account");
    click(&mut window, "Start it with Fanfare");
    click(&mut window, "Stop the server");
    assert_eq!(
        office.take(),
        [
            HostOrder::Remove("ann-lee@james-s-office.local".to_owned()),
            HostOrder::StartWithWindow(false),
            HostOrder::Stop
        ]
    );
    office.change(&mut window, |view| {
        view.state = HostState::Failed("This computer is in no private network.".to_owned());
        view.problem = Some("\"--\" has no letter or digit that an address could be made of.".to_owned());
    });
    assert!(says(&window, "in no private network") && says(&window, "no letter or digit"));
    click(&mut window, "Start the server");
    assert_eq!(office.take(), [HostOrder::Resume]);
}

#[test]
fn whoever_hosts_keeps_his_own_account_and_has_those_he_adds_among_his_contacts() {
    let (fake, office) = (Fake::new(), Office::showing(running()));
    let add = |office: &Office, window: &mut Harness<'static, App>| {
        office.change(window, |view| view.newcomers = vec![account("ann-lee").contact()]);
    };
    let put = |fake: &Fake| -> Vec<String> {
        let of = |command| if let Command::PutContact(contact) = command { Some(contact.name) } else { None };
        fake.asked().into_iter().filter_map(of).collect()
    };
    let mut window = fake.window_with(LARGE, office.options(&[]));
    add(&office, &mut window);
    assert!(put(&fake).is_empty(), "from another server she is not reached");
    fake.change(|inner| {
        let address = "sip:james@james-s-office.local".to_owned();
        let own = Account { address, proxy: running().server, ..Account::default() };
        inner.snapshot.account = Some(Arc::new(own));
    });
    window.run();
    add(&office, &mut window);
    assert_eq!(put(&fake), ["Ann Lee"]);
    add(&office, &mut window);
    assert!(put(&fake).is_empty(), "she is one already");
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    click(&mut window, "Show the server…");
    assert!(says(&window, "your own account"));
    assert!(window.query_by_label("Remove james@james-s-office.local").is_none());
    click(&mut window, "Remove ann-lee@james-s-office.local");
    let mut album = Album::default();
    album.take(&mut window, "hosting_removal_light");
}

fn nearby() -> [NearbyServer; 2] {
    let server = |name: &str, domain: &str, server: &str| NearbyServer {
        name: name.to_owned(),
        domain: domain.to_owned(),
        server: server.to_owned(),
    };
    [
        server("James's office", "james-s-office.local", "tls:192.168.1.5:5061"),
        server("Evil \u{202e}name", "evil.local", "udp:192.168.1.66:5060"),
    ]
}

#[test]
fn a_server_nearby_is_offered_and_fills_in_all_but_the_name_and_the_password() {
    let (fake, office) = (nobody(), Office::default());
    let mut window = fake.window_with(LARGE, office.options(&nearby()));
    window.get_by_label("Nearby: Evil ⟨U+202E⟩name (not encrypted)");
    click(&mut window, "Nearby: James's office");
    let address = window.get_by_role_and_label(Role::TextInput, "SIP address");
    assert!(address.is_focused());
    assert_eq!(address.value().as_deref(), Some("@james-s-office.local"));
    window.get_by_role_and_label(Role::TextInput, "SIP address").type_text("ann");
    window.run();
    type_into(&mut window, "Password", "sesame");
    press(&mut window, Modifiers::NONE, Key::Enter);
    let asked = fake.asked();
    let Some(Command::PutAccount(put)) = asked.first() else { panic!("{asked:?}") };
    assert_eq!(
        (put.address.as_str(), put.proxy.as_str()),
        ("sip:ann@james-s-office.local", "tls:192.168.1.5:5061")
    );
    assert_eq!(put.trusted, None, "what a neighbour says of itself proves nothing");
}

#[test]
fn pictures_of_hosting() {
    let mut album = Album::default();
    for (name, size, chosen) in [
        ("light", LARGE, Theme::Light),
        ("dark", LARGE, Theme::Dark),
        ("small_light", SMALL, Theme::Light),
        ("small_dark", SMALL, Theme::Dark),
    ] {
        let (fake, office) = (nobody(), Office::default());
        theme(&fake, chosen);
        let mut window = fake.window_with(size, office.options(&nearby()[..1]));
        album.take(&mut window, format!("nearby_{name}"));
        click(&mut window, "Host here");
        album.take(&mut window, format!("host_here_{name}"));
        press(&mut window, Modifiers::NONE, Key::Escape);
        office.change(&mut window, |view| *view = HostView { added: Some(account("ann-lee")), ..running() });
        click(&mut window, "Host here");
        album.take(&mut window, format!("hosting_{name}"));
    }
}
