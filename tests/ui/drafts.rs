//! What is being written is handed to the engine within a second, and comes back at the start.

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fanfare::model::command::{DraftFault, Notice};
use fanfare::model::journal::{ConversationId, DraftPlace, DraftRow, PersonRow};
use fanfare::sip::File;
use fanfare::time::Timestamp;
use fanfare::ui::App;

use crate::fake::{Fake, press, says, type_into};
use crate::gallery::{LARGE, busy};

fn open(window: &mut Harness<'static, App>, name: &str) {
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with(name))).click();
    window.run();
}

fn kept(fake: &Fake) -> Vec<(DraftPlace, String)> {
    fake.kept().into_iter().map(|row| (row.place, row.text)).collect()
}

fn wait_a_second(window: &mut Harness<'static, App>) {
    (0..6).for_each(|_| window.step());
}

const CY: DraftPlace = DraftPlace::In(ConversationId(8));

#[test]
fn what_is_typed_is_kept_within_a_second_and_forgotten_once_it_is_sent() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    open(&mut window, "Cy Young,");
    type_into(&mut window, "Message", "half a thou");
    wait_a_second(&mut window);
    assert_eq!(kept(&fake), [(CY, "half a thou".to_owned())], "once, and not for every letter");
    wait_a_second(&mut window);
    assert_eq!(kept(&fake), [], "nothing new, nothing kept");
    open(&mut window, "Ben Okafor,");
    window.get_by_label("Cy Young, Draft: half a thou");
    window.snapshot("draft_in_list_light");
    open(&mut window, "Cy Young, Draft");
    window.get_by_label("Send to 1").click();
    wait_a_second(&mut window);
    assert_eq!(kept(&fake), [(CY, String::new())]);
    press(&mut window, Modifiers::COMMAND, Key::N);
    window.get_by_label("To").type_text("ann.lee@example.com, ");
    wait_a_second(&mut window);
    let new = fake.kept().pop().unwrap();
    assert_eq!(
        (new.place, new.people[0].address.as_str()),
        (DraftPlace::NewMessage, "sip:ann.lee@example.com")
    );
}

#[test]
fn what_waits_after_send_is_kept_until_it_has_left() {
    let fake = busy();
    fake.change(|inner| inner.snapshot.settings.undo_send_secs = 10);
    let mut window = fake.window(LARGE);
    open(&mut window, "Cy Young,");
    type_into(&mut window, "Message", "Too early");
    wait_a_second(&mut window);
    assert_eq!(kept(&fake).len(), 1);
    window.get_by_label("Send to 1").click();
    wait_a_second(&mut window);
    assert_eq!(kept(&fake), [], "it is still the same that has to survive");
    window.get_by_label("Send now").click();
    wait_a_second(&mut window);
    assert_eq!(kept(&fake), [(CY, String::new())]);
}

#[test]
fn drafts_come_back_at_the_start() {
    let fake = busy();
    let png = File { name: Some("cat.png".into()), media_type: "image/png".into(), bytes: vec![7; 9].into() };
    let row = |place, text: &str| DraftRow {
        place,
        at: Timestamp::default(),
        text: text.to_owned(),
        people: Vec::new(),
        hidden: false,
        files: Vec::new(),
    };
    let people = vec![PersonRow { address: "sip:ann.lee@example.com".into(), name: "Ann Lee".into() }];
    let new = DraftRow { people, files: vec![png], hidden: true, ..row(DraftPlace::NewMessage, "To Ann") };
    fake.change(|inner| inner.notices.push(Notice::Drafts(vec![row(CY, "To Cy"), new])));
    let mut window = fake.window(LARGE);
    window.get_by_label("Cy Young, Draft: To Cy");
    open(&mut window, "Cy Young, Draft");
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("To Cy"));
    press(&mut window, Modifiers::COMMAND, Key::N);
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("To Ann"));
    window.get_by_label("Remove Ann Lee");
    window.get_by_label("Remove cat.png");
    wait_a_second(&mut window);
    assert_eq!(kept(&fake), [], "they are kept already");
    let (place, why) = (CY, DraftFault::NotStored);
    fake.change(|inner| inner.notices.push(Notice::DraftNotKept { place, why }));
    window.run();
    assert!(says(&window, "What you are writing is not kept if Fanfare ends: the disk does not take it."));
}
