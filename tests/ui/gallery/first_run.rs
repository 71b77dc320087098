//! Pictures of the first run, of certificates, and of what went wrong.

use super::*;

#[test]
fn empty_states() {
    let mut album = Album::default();
    let fake = Fake::new();
    album.take(&mut fake.window(LARGE), "empty_large_light");
    album.take(&mut fake.window(SMALL), "empty_small_light");
    fake.change(|inner| inner.snapshot.book = Arc::default());
    let mut window = fake.window(LARGE);
    window.get_by_role_and_label(egui::accesskit::Role::Tab, "Contacts").click();
    window.run();
    album.take(&mut window, "empty_contacts_light");
}

#[test]
fn first_run_and_its_failure() {
    let mut album = Album::default();
    for (name, chosen) in [("light", Theme::Light), ("dark", Theme::Dark)] {
        let fake = Fake::new();
        theme(&fake, chosen);
        fake.change(|inner| {
            inner.snapshot.account = None;
            inner.snapshot.registration = RegistrationState::Idle;
        });
        let options =
            Options { demo: Some("fanfare".into()), zone: Some(TimeZone::UTC), ..Options::default() };
        album.take(&mut fake.window_with(SMALL, options.clone()), format!("first_run_small_{name}"));
        let mut window = fake.window_with(LARGE, options);
        album.take(&mut window, format!("first_run_{name}"));
        type_into(&mut window, "SIP address", "james@example.com");
        open_advanced(&mut window);
        type_into(&mut window, "Proxy", "192.0.2.1");
        window.get_by_label("Connect").click();
        window.run();
        fake.change(|inner| {
            inner.snapshot.registration =
                RegistrationState::Offline { retry_after: Duration::from_secs(8), why: Outage::NoAnswer };
            inner.snapshot.retry_at = Some(Timestamp::from_millis(NOW + 8_000));
        });
        window.run();
        album.take(&mut window, format!("first_run_failed_{name}"));
    }
}

#[test]
fn a_certificate_that_is_not_trusted() {
    let mut album = Album::default();
    for (name, size, chosen) in [
        ("large_light", LARGE, Theme::Light),
        ("large_dark", LARGE, Theme::Dark),
        ("small_light", SMALL, Theme::Light),
        ("small_dark", SMALL, Theme::Dark),
    ] {
        let fake = Fake::new();
        theme(&fake, chosen);
        fake.change(|inner| {
            inner.snapshot.account = Some(Arc::new(Account { worked: false, ..account() }));
            inner.snapshot.registration = RegistrationState::Connecting(ConnectStep::Opening);
        });
        let mut window = fake.window(size);
        album.take(&mut window, format!("first_run_again_{name}"));
        fake.change(|inner| {
            inner.snapshot.untrusted = Some(untrusted("one.example"));
            inner.snapshot.registration = offline(nobody_vouches());
        });
        window.run();
        album.take(&mut window, format!("certificate_{name}"));
        let fake = busy();
        theme(&fake, chosen);
        fake.change(|inner| {
            inner.snapshot.untrusted = Some(changed("one.example"));
            inner.snapshot.registration = offline(nobody_vouches());
        });
        let mut window = fake.window(size);
        window.get_by_label("View the server's certificate").click();
        window.run();
        album.take(&mut window, format!("certificate_changed_{name}"));
    }
}

#[test]
fn a_sender_who_is_not_verified() {
    let mut album = Album::default();
    for (name, chosen) in [("light", Theme::Light), ("dark", Theme::Dark)] {
        let fake = busy();
        theme(&fake, chosen);
        let boss = person("Dana Weiss");
        let direct =
            |id, minutes, text| MessageView { verified: false, ..from(id, ago(minutes), &boss, text) };
        let messages = vec![direct(100, 8, "Please send me the keys."), direct(101, 7, "Today, if you can.")];
        fake.converse(10, std::slice::from_ref(&boss), messages, 0);
        let mut window = fake.window(LARGE);
        open(&mut window, "Dana Weiss, Not verified");
        album.take(&mut window, format!("not_verified_{name}"));
    }
}

#[test]
fn what_went_wrong_is_said_in_the_window() {
    let mut album = Album::default();
    let fake = busy();
    fake.change(|inner| {
        inner.snapshot.registration =
            RegistrationState::Offline { retry_after: Duration::from_secs(8), why: Outage::NoAnswer };
        inner.snapshot.retry_at = Some(Timestamp::from_millis(NOW + 8_000));
        inner
            .notices
            .push(Notice::Problem("The disk is full. Nothing new can be kept until there is room.".into()));
    });
    let mut window = fake.window(LARGE);
    open(&mut window, CREW);
    album.take(&mut window, "offline_with_toast_light");
    fake.change(|inner| inner.snapshot.registration = RegistrationState::NoFanOut);
    window.run();
    album.take(&mut window, "no_fan_out_light");
}
