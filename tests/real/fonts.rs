//! The real window where there are no fonts but its own.

use crate::common::Proxy;
use crate::program::fanfare;
use crate::screen::{Desktop, account, stored, stored_text, wait_for};

const DRAFT: &str = "SELECT text FROM draft WHERE place = 1";
const RECEIVED: &str = "SELECT count(*) FROM message";
/// No font of ours has all of these letters.
const LETTERS: &str = "Look 🫨 שלום עולם (12) 漢字 مرحبا بالعالم ไทย हिन्दी ᠮᠣᠩᠭᠣᠯ";

#[test]
fn on_a_computer_without_fonts_a_message_in_any_script_ends_nothing() {
    let proxy = Proxy::start();
    let mut desktop = Desktop::start();
    desktop.take_the_fonts();
    let data = desktop.path("james");
    account(&data, "james", &proxy.udp());
    let window = desktop.window(&data);
    let send = || {
        let (from, to, over) = ("sip:bob@domain.com", "sip:james@domain.com", proxy.udp());
        fanfare(&["send", "--from", from, "--to", to, "--proxy", &over, "--text", LETTERS]).end().code()
    };
    wait_for("the message", || send() == 0);
    wait_for("the message in the store", || stored(&data, RECEIVED).is_some_and(|count| count > 0));
    // Opened and answered.
    desktop.activate(&window);
    desktop.keys(&["alt+Down"]);
    desktop.types("Yes");
    wait_for("the draft", || stored_text(&data, DRAFT).as_deref() == Some("Yes"));
    assert_eq!(send(), 0);
    assert!(desktop.is_active(&window), "the window is there");
    window.program.signal("TERM");
    assert_eq!(window.program.end().code(), 0);
    desktop.end();
}
