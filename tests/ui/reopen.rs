//! The conversation that was open when the window was closed is open at the next start.

use std::collections::BTreeMap;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use fanfare::ui::Options;
use jiff::tz::TimeZone;

use crate::fake::{Fake, press, says};
use crate::gallery::{LARGE, busy};

#[derive(Default)]
struct Kept(BTreeMap<String, String>);

impl eframe::Storage for Kept {
    fn get_string(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }
    fn set_string(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
    fn remove_string(&mut self, key: &str) {
        self.0.remove(key);
    }
    fn flush(&mut self) {}
}

fn start(fake: &Fake, last_open: Option<String>) -> egui_kittest::Harness<'static, fanfare::ui::App> {
    fake.window_with(LARGE, Options { last_open, zone: Some(TimeZone::UTC), ..Options::default() })
}

#[test]
fn the_last_conversation_opens_at_the_start() {
    let fake = busy();
    let mut window = start(&fake, None);
    assert!(says(&window, "Pick people, write once, see who got it."), "nothing was open");
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with("Cy Young,"))).click();
    window.run();
    let mut kept = Kept::default();
    eframe::App::save(window.state_mut(), &mut kept);
    let last = kept.0.into_values().next();
    assert!(last.is_some());
    let again = start(&fake, last.clone());
    assert!(says(&again, "See you on Monday then."));
    // It may have been deleted meanwhile.
    let empty = Fake::new();
    let window = start(&empty, last.clone());
    assert!(says(&window, "Pick people, write once, see who got it."));
    // Whoever is quicker is not pulled away.
    let mut window = start(&empty, last);
    press(&mut window, Modifiers::COMMAND, Key::N);
    let heads = busy().snapshot_now();
    empty.change(|inner| inner.snapshot.conversations = heads);
    window.run();
    window.get_by_label("To");
}
