//! Files that came with a message can be saved, and none of them opens by itself.

use egui_kittest::kittest::Queryable;
use fanfare::model::command::Command;
use fanfare::model::journal::{ConversationId, MessageId};
use fanfare::model::snapshot::{MessageView, Writing};
use fanfare::model::text::FileShown;

use crate::fake::{Fake, ago, from, person, says};
use crate::gallery::LARGE;

#[test]
fn a_file_is_named_and_saved_by_its_button_alone() {
    let fake = Fake::new();
    let ann = person("Ann Lee");
    let file = |name: &str| FileShown { name: name.into(), media_type: "image/png".into(), bytes: 12_345 };
    let with = |id: u64, text: &str, names: &[&str]| MessageView {
        verified: true,
        files: names.iter().map(|name| file(name)).collect(),
        ..from(id, ago(9), &ann, text)
    };
    let messages = vec![with(1, "See these.", &["one.png", "two.png"]), with(2, "", &["alone.png"])];
    fake.converse(1, std::slice::from_ref(&ann), messages, 0);
    fake.change(|inner| {
        let ann = Writing { conversation: ConversationId(1), name: "Ann Lee".into() };
        let elsewhere = Writing { conversation: ConversationId(2), name: "Ben".into() };
        inner.snapshot.writing = [ann, elsewhere].into();
    });
    let mut window = fake.window(LARGE);
    window.get_by(|node| node.label().is_some_and(|name| name.starts_with("Ann Lee,"))).click();
    window.run();
    assert!(says(&window, "Ann Lee is writing"));
    window.get_by_label("Message from Ann Lee with alone.png");
    let is_save = |command: &Command| matches!(command, Command::SaveFile { .. });
    assert!(!fake.asked().iter().any(is_save), "nothing is saved by itself");
    let buttons: Vec<_> = window.get_all_by_label("Save").collect();
    assert_eq!(buttons.len(), 3);
    buttons[1].click();
    window.run();
    let saved = fake.asked().into_iter().find(is_save);
    assert!(
        matches!(saved, Some(Command::SaveFile { message: MessageId(1), file: 1, to: None })),
        "{saved:?}"
    );
}
