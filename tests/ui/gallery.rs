//! Pictures of every state, compared pixel by pixel. Look at them after a change: they are the window.

#[path = "gallery/first_run.rs"]
mod first_run;

use std::sync::Arc;
use std::time::Duration;

use egui_kittest::kittest::Queryable;
use egui_kittest::{Harness, SnapshotResults};
use fanfare::model::account::{Account, ConnectStep, RegistrationState};
use fanfare::model::command::Notice;
use fanfare::model::journal::DeliveryState::{
    Accepted, Cancelled, Deferred, Delivered, Failed, NoReport, PassedOn, Queued, Read, Sending,
};
use fanfare::model::outage::Outage;
use fanfare::model::snapshot::{MessageView, Person, Theme};
use fanfare::time::Timestamp;
use fanfare::ui::{App, Options};
use jiff::tz::TimeZone;

use crate::fake::{
    Fake, NOW, account, ago, delivery, from, open_advanced, own, own_of, people, person, press, type_into,
};
use crate::sign_in::{changed, nobody_vouches, offline, untrusted};

pub(crate) const LARGE: [f32; 2] = [1100.0, 720.0];
pub(crate) const SMALL: [f32; 2] = [640.0, 420.0];

fn six() -> Vec<Person> {
    people(&["Ann Lee", "Ben Okafor", "Cy Young", "Dana Weiss", "Eli Brandt", "Fay Moreau"])
}

/// A crew that writes to each other, with every kind of outcome.
fn crew(six: &[Person]) -> Vec<MessageView> {
    let [ann, ben, cy, dana, eli, fay] = six else { panic!("six people") };
    let mut failed = own(
        6,
        ago(9),
        "Gate 4 is closed until 17:00. Please come in by the yard and bring the spare keys.",
        &[
            (ann, Delivered),
            (ben, Failed),
            (cy, Delivered),
            (dana, Failed),
            (eli, Delivered),
            (fay, NoReport),
        ],
    );
    failed.deliveries[3].status = Some(404);
    failed.deliveries[3].phrase = "Not Found".into();
    vec![
        own(
            1,
            ago(60 * 26),
            "Roster for next week is on the board.",
            &six.iter().map(|p| (p, Delivered)).collect::<Vec<_>>(),
        ),
        from(2, ago(60 * 25), ann, "Thanks! I can take Tuesday night."),
        from(3, ago(60 * 25 - 1), ann, "And Wednesday if nobody else wants it."),
        from(4, ago(32), ben, "Is the gate open?"),
        own(
            5,
            ago(30),
            "Checking.",
            &[
                (ann, Delivered),
                (ben, Delivered),
                (cy, PassedOn),
                (dana, Deferred),
                (eli, Delivered),
                (fay, Delivered),
            ],
        ),
        failed,
        from(7, ago(4), cy, "On my way, ten minutes."),
        own(
            8,
            ago(1),
            "Thank you.",
            &[
                (ann, Delivered),
                (ben, Accepted),
                (cy, Delivered),
                (dana, Sending),
                (eli, Accepted),
                (fay, Queued),
            ],
        ),
    ]
}

pub(crate) fn busy() -> Fake {
    let fake = Fake::new();
    let six = six();
    let [ann, ben, cy, dana, ..] = six.as_slice() else { panic!("six people") };
    fake.converse(
        9,
        &people(&["Zoë Ångström"]),
        vec![own(90, ago(60 * 24 * 40), "Happy birthday!", &[(&person("Zoë Ångström"), Delivered)])],
        0,
    );
    fake.converse(
        8,
        std::slice::from_ref(cy),
        vec![from(80, ago(60 * 49), cy, "See you on Monday then.")],
        0,
    );
    fake.converse(
        7,
        &[dana.clone(), ann.clone()],
        vec![own(
            70,
            ago(60 * 28),
            "The plan for Saturday: meet at the north entrance.",
            &[(dana, Deferred), (ann, Delivered)],
        )],
        0,
    );
    fake.converse(
        6,
        std::slice::from_ref(ben),
        vec![from(60, ago(95), ben, "Could you call me back when you have a moment? It is about the keys.")],
        3,
    );
    fake.converse(
        5,
        &[ann.clone(), ben.clone(), cy.clone()],
        vec![own(50, ago(20), "Lunch?", &[(ann, Delivered), (ben, Delivered), (cy, Delivered)])],
        0,
    );
    fake.converse(1, &six, crew(&six), 0);
    fake
}

/// Pictures of one test, judged together at its end.
#[derive(Default)]
pub(crate) struct Album(SnapshotResults);

impl Album {
    pub(crate) fn take(&mut self, window: &mut Harness<'static, App>, name: impl Into<String>) {
        self.take_any(window, name);
    }

    /// Of any window.
    pub(crate) fn take_any<State>(&mut self, window: &mut Harness<'static, State>, name: impl Into<String>) {
        window.snapshot(name);
        self.0.extend_harness(window);
    }
}

fn open(harness: &mut Harness<'static, App>, label: &str) {
    harness.get_by(|node| node.label().is_some_and(|name| name.starts_with(label))).click();
    harness.run();
}

const CREW: &str = "Ann Lee, Ben Okafor, Cy Young, Dana Weiss, Eli Brandt and Fay Moreau,";

pub(crate) fn theme(fake: &Fake, theme: Theme) {
    fake.change(|inner| inner.snapshot.settings.theme = theme);
}

#[test]
fn conversation_in_every_size_and_theme() {
    let mut album = Album::default();
    for (name, chosen) in [("light", Theme::Light), ("dark", Theme::Dark)] {
        let fake = busy();
        theme(&fake, chosen);
        let mut large = fake.window(LARGE);
        open(&mut large, CREW);
        album.take(&mut large, format!("conversation_large_{name}"));
        let fake = busy();
        theme(&fake, chosen);
        let mut small = fake.window(SMALL);
        album.take(&mut small, format!("list_small_{name}"));
        open(&mut small, CREW);
        album.take(&mut small, format!("conversation_small_{name}"));
    }
}

#[test]
fn details_of_a_failed_message() {
    let mut album = Album::default();
    for (name, size, chosen) in [
        ("large_light", LARGE, Theme::Light),
        ("large_dark", LARGE, Theme::Dark),
        ("middle_light", [800.0, 600.0], Theme::Light),
        ("small_dark", SMALL, Theme::Dark),
    ] {
        let fake = busy();
        theme(&fake, chosen);
        let mut window = fake.window(size);
        open(&mut window, CREW);
        window.get_by_label("2 of 6 not delivered").click();
        window.run();
        album.take(&mut window, format!("details_{name}"));
    }
}

#[test]
fn every_state_of_a_recipient() {
    let mut album = Album::default();
    let fake = Fake::new();
    let names = [
        "Queue",
        "Sending",
        "Accepted",
        "Delivered",
        "Read",
        "Passed",
        "Deferred",
        "Failed",
        "No Report",
        "Cancelled",
    ];
    let states =
        [Queued, Sending, Accepted, Delivered, Read, PassedOn, Deferred, Failed, NoReport, Cancelled];
    let all = people(&names);
    let mut messages: Vec<MessageView> = all
        .iter()
        .zip(states)
        .enumerate()
        .map(|(index, (one, state))| {
            own(index as u64 + 1, ago(40 - index as u64), &format!("One person, {state:?}"), &[(one, state)])
        })
        .collect();
    messages.push(own(20, ago(2), "All of them at once", &all.iter().zip(states).collect::<Vec<_>>()));
    fake.converse(1, &all, messages, 0);
    for (name, chosen) in [("light", Theme::Light), ("dark", Theme::Dark)] {
        theme(&fake, chosen);
        let mut window = fake.window([1100.0, 1000.0]);
        open(&mut window, "Queue, Sending");
        album.take(&mut window, format!("states_{name}"));
    }
}

#[test]
fn long_names_many_people_long_words() {
    let mut album = Album::default();
    let fake = Fake::new();
    let fifty: Vec<Person> = (0..50).map(|index| person(&format!("Person Number {index}"))).collect();
    let states: Vec<_> = fifty
        .iter()
        .enumerate()
        .map(|(index, one)| (one, if index % 9 == 4 { Failed } else { Delivered }))
        .collect();
    let long = "Maximiliane Alexandrina von Hohenlohe-Waldenburg-Schillingsfürst";
    let long = Person {
        address: format!("sip:{}@a.very.long.domain.name.example.com", "maximiliane".repeat(4)),
        name: long.into(),
        simulated: false,
    };
    let messages = vec![
        from(1, ago(30), &long, "https://example.com/a/very/long/address/without/any/blank/that/could/be/broken/somewhere/in/the/middle/of/it/all"),
        own(2, ago(20), &"Emergency drill at noon. Everybody leaves by the nearest stairs and meets at the north gate; wait there until you were counted. ".repeat(3), &states),
        own(3, ago(10), "ok", &[(&long, Delivered), (&fifty[1], Failed), (&fifty[2], Delivered), (&fifty[3], Delivered)]),
    ];
    let mut everybody = vec![long.clone()];
    everybody.extend(fifty);
    fake.converse(1, &everybody, messages, 0);
    fake.converse(2, &[long], Vec::new(), 120);
    let mut window = fake.window(LARGE);
    open(&mut window, "Maximiliane Alexandrina von Hohenlohe-Waldenburg-Schillingsfürst, Person");
    window.get_by_label("6 of 50 not delivered").click();
    window.run();
    album.take(&mut window, "long_large_light");
    let mut window = fake.window(SMALL);
    open(&mut window, "Maximiliane Alexandrina von Hohenlohe-Waldenburg-Schillingsfürst, Person");
    album.take(&mut window, "long_small_light");
}

#[test]
fn a_new_message_being_written() {
    let mut album = Album::default();
    for (name, size, chosen) in [("large_light", LARGE, Theme::Light), ("small_dark", SMALL, Theme::Dark)] {
        let fake = busy();
        theme(&fake, chosen);
        let mut window = fake.window(size);
        press(&mut window, egui::Modifiers::COMMAND, egui::Key::N);
        window.get_by_label("To").type_text("ann lee, ben okafor, dana@example, no body,");
        window.run();
        type_into(&mut window, "Message", "The meeting is moved to three o'clock.\nRoom 12, second floor.");
        album.take(&mut window, format!("new_message_{name}"));
    }
}

#[test]
fn contacts_with_three_chosen() {
    let mut album = Album::default();
    for (name, chosen) in [("light", Theme::Light), ("dark", Theme::Dark)] {
        let fake = busy();
        theme(&fake, chosen);
        let mut window = fake.window(LARGE);
        window.get_by_role_and_label(egui::accesskit::Role::Tab, "Contacts").click();
        window.run();
        window.get_by_label("List Night shift").click();
        window.run();
        album.take(&mut window, format!("contacts_{name}"));
    }
}

#[test]
fn dialogs() {
    let mut album = Album::default();
    let fake = busy();
    let mut window = fake.window(LARGE);
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::Comma);
    album.take(&mut window, "settings_light");
    press(&mut window, egui::Modifiers::NONE, egui::Key::Escape);
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::Slash);
    album.take(&mut window, "keys_light");
    press(&mut window, egui::Modifiers::NONE, egui::Key::Escape);
    window.get_by_role_and_label(egui::accesskit::Role::Tab, "Contacts").click();
    window.run();
    window.get_by_label("Edit Ann Lee").click();
    window.run();
    album.take(&mut window, "contact_light");
    theme(&fake, Theme::Dark);
    press(&mut window, egui::Modifiers::NONE, egui::Key::Escape);
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::Comma);
    album.take(&mut window, "settings_dark");
}

#[test]
fn people_of_the_demo_are_marked() {
    let mut album = Album::default();
    let fake = Fake::new();
    let simulated = |name: &str| Person { simulated: true, ..person(name) };
    let crowd: Vec<Person> =
        ["Always Ann", "Offline Ben", "Slow Cy", "Wrong-Address Dana", "Busy Eli", "Silent Fay"]
            .map(simulated)
            .to_vec();
    let [ann, ben, cy, dana, eli, fay] = crowd.as_slice() else { panic!("six people") };
    let mut deliveries = vec![
        delivery(ann, Delivered, ago(1)),
        delivery(ben, Failed, ago(1)),
        delivery(cy, Accepted, ago(1)),
        delivery(dana, Failed, ago(1)),
        delivery(eli, Failed, ago(1)),
        delivery(fay, Accepted, ago(1)),
    ];
    for (index, status, phrase) in [(3, 404, "Not Found"), (4, 486, "Busy Here")] {
        deliveries[index].status = Some(status);
        deliveries[index].phrase = phrase.into();
    }
    fake.converse(
        1,
        &crowd,
        vec![own_of(1, ago(1), "Hello everybody! Who of you can read this?", deliveries)],
        0,
    );
    fake.change(|inner| inner.snapshot.demo = true);
    let mut window = fake.window(LARGE);
    open(&mut window, "Always Ann");
    album.take(&mut window, "demo_light");
    let ready = Options {
        ready: Some((crowd, "Hello everybody!".into())),
        zone: Some(TimeZone::UTC),
        ..Options::default()
    };
    album.take(&mut fake.window_with(LARGE, ready), "demo_ready_light");
}
