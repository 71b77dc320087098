//! The window in other languages, and with the times of other regions.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fanfare::injection::FaultBoard;
use fanfare::model::account::RegistrationState;
use fanfare::model::hosting::HostView;
use fanfare::model::locale::{FirstDay, Hours, Language};
use fanfare::model::outage::Outage;
use fanfare::model::snapshot::{Settings, Theme};
use fanfare::runtime::engine::Legs;
use fanfare::time::Timestamp;
use fanfare::ui::desktop::calls::Calls;
use fanfare::ui::{App, Customs, Failure, Options, Tongue};
use jiff::tz::TimeZone;

use crate::fake::{Fake, NOW, press, says};
use crate::gallery::{Album, LARGE, SMALL, busy};
use crate::hosting::{Office, account, running};
use crate::wire::{story, testing};
use crate::{closing, told};

const CTRL: Modifiers = Modifiers::COMMAND;

fn settings(fake: &Fake, change: impl FnOnce(&mut Settings)) {
    fake.change(|inner| change(&mut inner.snapshot.settings));
}

fn click(window: &mut Harness<'static, App>, label: &str) {
    window.get_by_label(label).scroll_to_me();
    window.run();
    window.get_by_label(label).click();
    window.run();
}

/// Opens the conversation whose name begins like this.
fn open(window: &mut Harness<'static, App>, name: &str) {
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with(name))).click();
    window.run();
}

#[test]
fn the_language_is_chosen_in_the_settings_and_takes_effect_at_once() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    press(&mut window, CTRL, Key::Comma);
    for (name, title) in [("Español", "Ajustes"), ("Deutsch", "Einstellungen"), ("English", "Settings")] {
        click(&mut window, name);
        assert!(says(&window, title), "{title}");
    }
    click(&mut window, "Deutsch");
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.get_by_role_and_label(Role::Button, "Neue Nachricht");
    window.get_by(|node| node.label().is_some_and(|name| name.contains("3 ungelesen")));
}

#[test]
fn without_a_choice_the_window_speaks_the_language_of_the_system() {
    let fake = busy();
    let customs = Customs::default().in_language(Tongue::Spanish);
    let options = Options { customs, zone: Some(TimeZone::UTC), ..Options::default() };
    let window = fake.window_with(LARGE, options.clone());
    window.get_by_role_and_label(Role::Button, "Mensaje nuevo");
    settings(&fake, |settings| settings.language = Language::English);
    let window = fake.window_with(LARGE, options);
    window.get_by_role_and_label(Role::Button, "New message");
}

#[test]
fn the_clock_has_twelve_hours_and_the_week_begins_on_sunday_where_that_is_chosen() {
    let fake = busy();
    settings(&fake, |settings| (settings.hours, settings.first_day) = (Hours::Twelve, FirstDay::Sunday));
    let mut window = fake.window(LARGE);
    assert!(window.query_by(|node| node.label().is_some_and(|name| name.contains("14:40"))).is_none());
    open(&mut window, "Ann Lee, Ben Okafor, Cy Young, Dana Weiss");
    press(&mut window, CTRL, Key::Comma);
    assert!(says(&window, "The week begins on"));
    window.get_by_label("Until tomorrow, 8:00 AM");
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, CTRL, Key::G);
    let mut album = Album::default();
    album.take(&mut window, "calendar_sunday_light");
}

#[test]
fn spanish() {
    screens("es", Language::Spanish, "Contactos");
}

#[test]
fn german() {
    screens("de", Language::German, "Kontakte");
}

#[test]
fn what_testers_and_hosts_see_in_spanish_and_german() {
    let mut album = Album::default();
    for (name, language, tongue) in
        [("es", Language::Spanish, Tongue::Spanish), ("de", Language::German, Tongue::German)]
    {
        for (size, window_size) in [("", LARGE), ("_small", SMALL)] {
            wire(&mut album, format!("{name}_wire{size}"), language, window_size);
            hosting(&mut album, format!("{name}_hosting{size}"), language, window_size);
            closing(&mut album, format!("{name}_closing{size}"), language, window_size);
        }
        start_failed(&mut album, format!("{name}_start_failed"), tongue);
    }
}

/// The ladder of a message in the demo, with a fault that is on.
fn wire(album: &mut Album, name: String, language: Language, size: [f32; 2]) {
    let (fake, tap) = testing(Legs::All);
    story(&tap);
    settings(&fake, |settings| settings.language = language);
    fake.change(|inner| inner.snapshot.demo = true);
    let faults = FaultBoard::new(|_| Ok(()));
    faults.set("path:loss=20%").unwrap();
    let options = Options { faults: Some(faults), zone: Some(TimeZone::UTC), ..Options::default() };
    let mut window = fake.window_with(size, options);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    if size == SMALL {
        press(&mut window, CTRL, Key::D);
    }
    window.get_all_by(|node| node.role() == Role::Tab).nth_back(2).unwrap().click();
    window.run();
    album.take(&mut window, name);
}

/// A server that is hosted, with an account that was just added.
fn hosting(album: &mut Album, name: String, language: Language, size: [f32; 2]) {
    let (fake, office) =
        (Fake::new(), Office::showing(HostView { added: Some(account("ann-lee")), ..running() }));
    settings(&fake, |settings| settings.language = language);
    let mut window = fake.window_with(size, office.options(&[]));
    press(&mut window, CTRL, Key::Comma);
    let show = if language == Language::German { "Server anzeigen…" } else { "Mostrar el servidor…" };
    click(&mut window, show);
    album.take(&mut window, name);
}

/// The question before the window is closed for the first time.
fn closing(album: &mut Album, name: String, language: Language, size: [f32; 2]) {
    let (fake, calls) = (busy(), Calls::default());
    settings(&fake, |settings| settings.language = language);
    let mut window = fake.window_with(size, closing::options(&calls));
    closing::is_closed_in_vain(&mut window);
    album.take(&mut window, name);
}

/// The window that says why the program cannot start.
fn start_failed(album: &mut Album, name: String, tongue: Tongue) {
    let failure = Failure {
        why: "/data/messages.sqlite3".into(),
        can_begin_anew: true,
        backup: Some(Timestamp::from_millis(NOW)),
        zone: Some(TimeZone::UTC),
        customs: Customs::default().in_language(tongue),
        ..Failure::default()
    };
    let (mut window, _choice) = told::start_failed(failure);
    album.take_any(&mut window, name);
}

/// The main screens, large and at the smallest size.
fn screens(name: &str, language: Language, contacts: &str) {
    let mut album = Album::default();
    let fake = || {
        let fake = busy();
        settings(&fake, |settings| (settings.language, settings.theme) = (language, Theme::Light));
        fake
    };
    first_run(&mut album, name, &fake());
    album.take(&mut fake().window(SMALL), format!("{name}_list_small"));
    let crew = "Ann Lee, Ben Okafor, Cy Young, Dana Weiss";
    let mut window = fake().window(LARGE);
    open(&mut window, crew);
    album.take(&mut window, format!("{name}_conversation"));
    let overlays = [
        ("find_everywhere", CTRL | Modifiers::SHIFT, Key::F),
        ("palette", CTRL, Key::K),
        ("calendar", CTRL, Key::G),
        ("emoji", CTRL, Key::Period),
        ("attach", CTRL, Key::O),
        ("settings", CTRL, Key::Comma),
        ("keys", CTRL, Key::Slash),
    ];
    for (what, modifiers, key) in overlays {
        press(&mut window, modifiers, key);
        album.take(&mut window, format!("{name}_{what}"));
        press(&mut window, Modifiers::NONE, Key::Escape);
    }
    window.get_by_role_and_label(Role::Tab, contacts).click();
    window.run();
    album.take(&mut window, format!("{name}_contacts"));
    press(&mut window, CTRL, Key::N);
    album.take(&mut window, format!("{name}_new_message"));

    let mut window = fake().window(SMALL);
    press(&mut window, CTRL, Key::Comma);
    album.take(&mut window, format!("{name}_settings_small"));
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, CTRL, Key::N);
    album.take(&mut window, format!("{name}_new_message_small"));
    press(&mut window, Modifiers::NONE, Key::Escape);
    let mut window = fake().window(SMALL);
    open(&mut window, crew);
    album.take(&mut window, format!("{name}_conversation_small"));
    press(&mut window, CTRL, Key::F);
    album.take(&mut window, format!("{name}_find_small"));
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, CTRL, Key::D);
    album.take(&mut window, format!("{name}_details_small"));
    press(&mut window, Modifiers::NONE, Key::Escape);

    let menu = fake();
    let mut window = menu.window(SMALL);
    window.get_by(|node| node.label().is_some_and(|name| name.starts_with("Ben Okafor"))).click_secondary();
    window.run();
    album.take(&mut window, format!("{name}_menu_small"));

    let offline = fake();
    offline.change(|inner| {
        inner.snapshot.registration = RegistrationState::Offline {
            retry_after: std::time::Duration::from_secs(8),
            why: Outage::NoDescriptor,
        };
    });
    album.take(&mut offline.window(SMALL), format!("{name}_offline_small"));
}

fn first_run(album: &mut Album, name: &str, fake: &Fake) {
    fake.change(|inner| {
        inner.snapshot.account = None;
        inner.snapshot.registration = RegistrationState::Idle;
    });
    let options = Options { demo: Some("fanfare".into()), zone: Some(TimeZone::UTC), ..Options::default() };
    for (size, window_size) in [("", LARGE), ("_small", SMALL)] {
        let mut window = fake.window_with(window_size, options.clone());
        album.take(&mut window, format!("{name}_first_run{size}"));
        window.get_by(|node| node.role() == Role::DisclosureTriangle).click();
        window.run();
        album.take(&mut window, format!("{name}_first_run_advanced{size}"));
    }
}
