//! A certificate that nobody vouches for, one in place of a trusted one, and one for another name.

use super::*;

pub(crate) fn untrusted(server: &str) -> Arc<UntrustedCertificate> {
    Arc::new(UntrustedCertificate {
        server: server.into(),
        subject: "CN=one.example, O=Holt".into(),
        sha256: SHA256.into(),
        ends: Timestamp::from_millis(1_829_000_000_000),
        other_names: None,
        trusted_before: None,
    })
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_shown_and_can_be_trusted() {
    let fake = nobody();
    let mut window = connect(&fake);
    fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("one.example")));
    state(&fake, &mut window, offline(nobody_vouches()));
    for words in [
        "The certificate of one.example was not issued by anyone this computer trusts.",
        "Certificate of one.example",
        "Issued to CN=one.example, O=Holt",
        "Valid until 16 December 2027",
        SHA256,
    ] {
        assert!(says(&window, words), "{words}");
    }
    fake.asked();
    window.get_by_label("Trust this certificate").scroll_to_me();
    window.run();
    window.get_by_label("Trust this certificate").click();
    window.run();
    let accounts = puts(&fake);
    let [put] = accounts.as_slice() else { panic!("{accounts:?}") };
    let trusted = TrustedCertificate { server: "one.example".into(), sha256: SHA256.into() };
    assert_eq!((put.trusted.as_ref(), put.sign_in.password.as_str()), (Some(&trusted), "sesame"));
}

#[test]
fn an_authority_can_be_chosen_instead() {
    let fake = nobody();
    let mut window = connect(&fake);
    fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("one.example")));
    state(&fake, &mut window, offline(nobody_vouches()));
    window.get_by_label("Choose a CA certificate file…").scroll_to_me();
    window.run();
    window.get_by_label("Choose a CA certificate file…").click();
    window.run();
    fake.asked();
    type_into(&mut window, "CA certificate file", "/etc/ssl/holt.pem");
    press(&mut window, Modifiers::NONE, Key::Enter);
    let accounts = puts(&fake);
    let [put] = accounts.as_slice() else { panic!("{accounts:?}") };
    assert_eq!(put.tls_ca.as_deref(), Some("/etc/ssl/holt.pem".as_ref()));
    state(&fake, &mut window, RegistrationState::Connected);
    window.get_by_label("New message");
}

#[test]
fn a_certificate_that_changed_later_is_asked_about_in_the_window() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("example.com")));
    state(&fake, &mut window, offline(nobody_vouches()));
    window.get_by_label("View the server's certificate").click();
    window.run();
    window.get_by_label("Trust this certificate").click();
    window.run();
    let accounts = puts(&fake);
    let [put] = accounts.as_slice() else { panic!("{accounts:?}") };
    assert_eq!(put.trusted.as_ref().map(|trusted| trusted.sha256.as_str()), Some(SHA256));

    // What is trusted stands in the settings, and can be forgotten there.
    window.get_by_label("Settings").click();
    window.run();
    window.get_by_label("Forget the certificate").scroll_to_me();
    window.run();
    window.get_by_label("Forget the certificate").click();
    window.run();
    window.get_by_label("Save account").scroll_to_me();
    window.run();
    window.get_by_label("Save account").click();
    window.run();
    assert_eq!(puts(&fake).pop().map(|put| put.trusted), Some(None));
}

const OTHER_SHA256: &str =
    "00:0A:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:4F:0A:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE";

/// Another certificate than the one that was trusted so far.
pub(crate) fn changed(server: &str) -> Arc<UntrustedCertificate> {
    let mut shown = UntrustedCertificate::clone(&untrusted(server));
    shown.trusted_before = Some(OTHER_SHA256.into());
    shown.into()
}

/// The certificate of other servers.
fn of_others(server: &str, names: &[&str]) -> Arc<UntrustedCertificate> {
    let mut shown = UntrustedCertificate::clone(&untrusted(server));
    shown.other_names = Some(names.iter().map(|name| (*name).to_owned()).collect());
    shown.into()
}

#[test]
fn a_certificate_in_place_of_a_trusted_one_is_called_changed() {
    let fake = Fake::new();
    fake.change(|inner| {
        inner.snapshot.untrusted = Some(changed("example.com"));
        inner.snapshot.registration = offline(nobody_vouches());
    });
    let mut window = fake.window(LARGE);
    window.get_by_label("James Holt: Server certificate changed");
    window.get_by_label("View the server's certificate").click();
    window.run();
    for words in [
        "The certificate of example.com has changed.",
        "SHA-256 fingerprint that you trusted",
        OTHER_SHA256,
        "SHA-256 fingerprint of the new certificate",
        SHA256,
        "Someone may be intercepting the connection.",
    ] {
        assert!(says(&window, words), "{words}");
    }
    assert!(window.query_by_label("Trust this certificate").is_none());
    fake.asked();
    window.get_by_label("Trust the new certificate").click();
    window.run();
    let accounts = puts(&fake);
    let [put] = accounts.as_slice() else { panic!("{accounts:?}") };
    assert_eq!(put.trusted.as_ref().map(|trusted| trusted.sha256.as_str()), Some(SHA256));
}

#[test]
fn a_first_certificate_is_not_called_changed_and_a_changed_one_is_on_the_first_screen_too() {
    let fake = nobody();
    let mut window = connect(&fake);
    fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("one.example")));
    state(&fake, &mut window, offline(nobody_vouches()));
    assert!(says(&window, "Certificate of one.example") && !says(&window, "has changed"));
    window.get_by_label("Trust this certificate");

    fake.change(|inner| inner.snapshot.untrusted = Some(changed("one.example")));
    window.run();
    assert!(says(&window, "The certificate of one.example has changed."));
    window.get_by_label("Trust the new certificate");
}

#[test]
fn a_certificate_for_another_name_says_for_which_and_that_it_is_not_the_servers() {
    let fake = nobody();
    let mut window = connect(&fake);
    for (names, words) in [
        (&["two.example"][..], "This certificate is for two.example, not for one.example."),
        (
            &["two.example", "192.0.2.1", "sip:three.example"],
            "This certificate is for two.example, 192.0.2.1 and sip:three.example, not for one.example.",
        ),
        (
            &["a.example", "b.example", "c.example", "d.example", "e.example"],
            "c.example, d.example and 1 more, not for",
        ),
        (&[], "This certificate is not for one.example: it names no server at all."),
    ] {
        fake.change(|inner| inner.snapshot.untrusted = Some(of_others("one.example", names)));
        state(&fake, &mut window, offline(nobody_vouches()));
        assert!(says(&window, words), "{words}");
    }
    fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("one.example")));
    window.run();
    assert!(!says(&window, "This certificate is"));
}
