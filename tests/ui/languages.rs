//! The window in other languages, and with the times of other regions.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fanfare::model::account::RegistrationState;
use fanfare::model::locale::{FirstDay, Hours, Language};
use fanfare::model::outage::Outage;
use fanfare::model::snapshot::{Settings, Theme};
use fanfare::ui::{App, Customs, Options, Tongue};
use jiff::tz::TimeZone;

use crate::fake::{Fake, press, says};
use crate::gallery::{Album, LARGE, SMALL, busy};

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
