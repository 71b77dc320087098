//! The faults of the demo: chosen in the window, and shown while they are on.

use std::sync::{Arc, Mutex};

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fanfare::injection::FaultBoard;
use fanfare::model::journal::DeliveryState::Delivered;
use fanfare::model::snapshot::Theme;
use fanfare::runtime::engine::{Legs, Wire, WireTap};
use fanfare::ui::{App, Options};

use crate::fake::{Fake, ago, own, people, press, says, type_into};
use crate::gallery::{LARGE, SMALL};

type Done = Arc<Mutex<Vec<String>>>;

/// The window of a demo with the wire open, and the faults that were carried out.
fn opened(theme: Theme) -> (Harness<'static, App>, Done) {
    opened_in(LARGE, theme)
}

fn opened_in(size: [f32; 2], theme: Theme) -> (Harness<'static, App>, Done) {
    let (fake, done) = (Fake::new(), Done::default());
    let crew = people(&["Ann Lee"]);
    fake.converse(1, &crew, vec![own(5, ago(1), "Lunch", &[(&crew[0], Delivered)])], 0);
    fake.change(|inner| {
        inner.wire = Some(Wire { tap: WireTap::new(), legs: Legs::All });
        inner.snapshot.demo = true;
        inner.snapshot.settings.theme = theme;
    });
    let carried_out = Arc::clone(&done);
    let faults = FaultBoard::new(move |fault| {
        if fault.subject() == "clock" {
            return Err("the clock cannot be set here".to_owned());
        }
        carried_out.lock().unwrap().push(fault.to_string());
        Ok(())
    });
    let options = Options { faults: Some(faults), zone: Some(jiff::tz::TimeZone::UTC), ..Options::default() };
    let mut window = fake.window_with(size, options);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    if size == SMALL {
        click(&mut window, "Show delivery");
    }
    window.get_by_role_and_label(Role::Tab, "Wire").click();
    window.run();
    (window, done)
}

fn click(window: &mut Harness<'static, App>, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

#[test]
fn what_is_typed_after_a_wrong_fault_stays_in_its_field_and_goes_into_no_message() {
    let (mut window, done) = opened(Theme::Light);
    type_into(&mut window, "Fault", "path:los=20%");
    press(&mut window, Modifiers::NONE, Key::Enter);
    let value = |window: &Harness<'static, App>| window.get_by_label("Fault").value();
    assert_eq!(value(&window).as_deref(), Some("path:los=20%"));
    window.event(egui::Event::Text("!".to_owned()));
    window.run();
    assert_eq!(value(&window).as_deref(), Some("path:los=20%!"));
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert!(done.lock().unwrap().is_empty());
    assert!(!says(&window, "Faults are on"));
}

#[test]
fn faults_are_chosen_shown_in_a_bar_and_turned_off_together() {
    let (mut window, done) = opened(Theme::Light);
    assert!(!says(&window, "Faults are on"));
    type_into(&mut window, "Fault", "ben:486");
    let field = window.get_by_label("Message").rect();
    let place = window.get_by_label("Tunnel").rect();
    click(&mut window, "Set fault");
    assert!(says(&window, "Faults are on: ben:486"));
    assert_eq!(window.get_by_label("Tunnel").rect(), place, "nothing moves away from the pointer");
    assert_eq!(window.get_by_label("Message").rect(), field, "nor anything else");
    click(&mut window, "Tunnel");
    assert!(says(
        &window,
        "Faults are on: ben:486   path:loss=100%,for=20000ms   connections:for=20000ms,stall"
    ));
    window.get_by_role_and_label(Role::Tab, "Delivery").click();
    window.run();
    assert!(says(&window, "Faults are on: ben:486"), "wherever one is");
    window.snapshot("faults_on_light");
    click(&mut window, "Turn off");
    assert!(!says(&window, "Faults are on"));
    let done = done.lock().unwrap();
    let tunnel = ["path:loss=100%,for=20000ms", "connections:for=20000ms,stall"];
    let ended = ["ben:usual", "path:usual", "connections:usual"];
    assert_eq!(*done, [&["ben:486"][..], &tunnel, &ended].concat());
}

#[test]
fn the_tabs_stay_where_they_are_when_the_faults_appear() {
    for size in [LARGE, SMALL] {
        let (mut window, _done) = opened_in(size, Theme::Light);
        let tab = |window: &Harness<'static, App>, name| window.get_by_role_and_label(Role::Tab, name).rect();
        let (wire, delivery) = (tab(&window, "Wire"), tab(&window, "Delivery"));
        assert!(window.query_by_label("Tunnel").is_some() && says(&window, "No faults are on."));
        click(&mut window, "Tunnel");
        assert_eq!((tab(&window, "Wire"), tab(&window, "Delivery")), (wire, delivery), "a fault is on");
        click(&mut window, "Turn off");
        window.get_by_role_and_label(Role::Tab, "Delivery").click();
        window.run();
        assert!(window.query_by_label("Tunnel").is_none() && !says(&window, "No faults are on."));
        assert_eq!(tab(&window, "Wire").top(), wire.top(), "the choice is gone");
    }
}

#[test]
fn what_is_wrong_with_a_fault_is_said_and_the_text_stays() {
    let (mut window, done) = opened(Theme::Light);
    type_into(&mut window, "Fault", "path:los=20%");
    click(&mut window, "Set fault");
    assert!(says(&window, "did you mean loss?") && !says(&window, "Faults are on"));
    press(&mut window, Modifiers::COMMAND, Key::A);
    assert!(done.lock().unwrap().is_empty());
    window.snapshot("faults_wrong_light");
    click(&mut window, "Lost reports");
    assert!(!says(&window, "did you mean loss?") && says(&window, "Faults are on: notify:drop=3"));
}

#[test]
fn the_proxy_is_killed_by_a_preset_and_started_again_with_the_rest() {
    let (mut window, done) = opened(Theme::Dark);
    click(&mut window, "Proxy crash after 202");
    type_into(&mut window, "Fault", "disk:full");
    click(&mut window, "Set fault");
    assert!(says(&window, "Faults are on: proxy:crash,after=202,back=2000ms   disk:full"));
    window.snapshot("faults_on_dark");
    click(&mut window, "Turn off");
    assert!(!says(&window, "Faults are on"));
    let done = done.lock().unwrap();
    assert_eq!(*done, ["proxy:crash,after=202,back=2000ms", "disk:full", "proxy:start", "disk:usual"]);
}

#[test]
fn picture_of_faults_in_a_small_dark_window() {
    let (mut window, _done) = opened_in(SMALL, Theme::Dark);
    click(&mut window, "Flapping Wi-Fi");
    let bar = window.get_by_label("Turn off").rect();
    let last = window.get_by_label("Lost reports").rect();
    assert!(last.bottom() < bar.top() - 8.0, "the drawer is above the bar: {last:?} {bar:?}");
    window.snapshot("faults_small_dark");
}

#[test]
fn picture_of_the_choice_of_faults_while_none_is_on() {
    let (mut window, _done) = opened(Theme::Light);
    window.snapshot("faults_off_light");
}
