//! Files that go with a message: dropped, asked for by their path, taken out again, sent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::{AgentCommand, Command, Draft, Notice};
use fanfare::model::journal::DeliveryState::{Delivered, Failed};
use fanfare::model::snapshot::MessageView;
use fanfare::model::text::FileShown;
use fanfare::ui::App;

use crate::fake::{Fake, ago, delivery, own, own_of, people, press, says, type_into};
use crate::gallery::{LARGE, SMALL};

/// A conversation with Ann that is open.
fn with_ann(fake: &Fake, size: [f32; 2]) -> Harness<'static, App> {
    let crew = people(&["Ann Lee"]);
    fake.converse(1, &crew, vec![own(5, ago(3), "Hello.", &[(&crew[0], Delivered)])], 0);
    let mut window = fake.window(size);
    window.get_by(|node| node.label().is_some_and(|name| name.starts_with("Ann Lee,"))).click();
    window.run();
    window
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the engine reads it".to_owned())
    }
}

fn drop_file(window: &mut Harness<'static, App>, path: &str) {
    window.input_mut().dropped_files.push(Arc::new(Dropped(path.into())));
    window.run();
    window.run();
}

fn sent(fake: &Fake) -> Option<Draft> {
    fake.asked().into_iter().find_map(|command| {
        let Command::Agent(AgentCommand::Send(draft)) = command else { return None };
        Some(draft)
    })
}

#[test]
fn a_file_that_is_dropped_goes_with_the_message() {
    let fake = Fake::new();
    let mut window = with_ann(&fake, LARGE);
    assert!(window.get_by_label("Send to 1").accesskit_node().is_disabled());
    for name in ["/home/james/cat.png", "/home/james/dog.png"] {
        drop_file(&mut window, name);
    }
    window.get_by_label("Remove dog.png").click();
    window.run();
    assert!(window.query_by_label("Remove dog.png").is_none());
    window.get_by_label("Remove cat.png");
    window.snapshot("attached");
    type_into(&mut window, "Message", "Look!");
    window.get_by_label("Send to 1").click();
    window.run();
    let draft = sent(&fake).unwrap();
    assert_eq!((draft.text.as_str(), draft.files.len()), ("Look!", 1));
    assert_eq!(draft.files[0].called(), "cat.png");
    assert!(window.query_by_label("Remove cat.png").is_none(), "it has left");

    // What could not be kept comes back with its files.
    fake.change(|inner| inner.notices.push(Notice::NotSent { draft, why: "Is the disk full?".into() }));
    window.run();
    window.get_by_label("Remove cat.png");
}

#[test]
fn a_file_alone_can_be_sent_and_is_asked_for_by_its_path() {
    let fake = Fake::new();
    let mut window = with_ann(&fake, SMALL);
    window.get_by_label("Attach a file").click();
    window.run();
    type_into(&mut window, "File path", "/home/james/cat.png");
    press(&mut window, egui::Modifiers::NONE, egui::Key::Enter);
    window.run();
    window.get_by_label("Send to 1").click();
    window.run();
    let draft = sent(&fake).unwrap();
    assert_eq!((draft.text.as_str(), draft.files.len()), ("", 1));
}

#[test]
fn where_nothing_is_being_written_a_file_is_not_taken() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    drop_file(&mut window, "/home/james/cat.png");
    assert!(says(&window, "Open a conversation first"));
    assert!(!fake.asked().iter().any(|command| matches!(command, Command::Attach(_))));
}

#[test]
fn to_somebody_whose_program_takes_no_files_the_text_can_go_alone() {
    let fake = Fake::new();
    let crew = people(&["Ann Lee", "Ben Okafor"]);
    let mut refused = delivery(&crew[1], Failed, ago(3));
    (refused.status, refused.phrase) = (Some(415), "Unsupported Media Type".into());
    let file = FileShown { name: "cat.png".into(), media_type: "image/png".into(), bytes: 12_345 };
    let deliveries = vec![delivery(&crew[0], Delivered, ago(3)), refused];
    let message = MessageView { files: vec![file], ..own_of(5, ago(3), "Look!", deliveries) };
    fake.converse(1, &crew, vec![message], 0);
    let mut window = fake.window(LARGE);
    window
        .get_by(|node| node.label().is_some_and(|name| name.starts_with("Ann Lee and Ben Okafor,")))
        .click();
    window.run();
    window.get_by_label("Send the text alone").click();
    window.run();
    let draft = sent(&fake).unwrap();
    let to: Vec<_> = draft.to.iter().map(|row| row.address.as_str()).collect();
    assert_eq!(
        (to.as_slice(), draft.text.as_str(), draft.files.len()),
        (&["sip:ben.okafor@example.com"][..], "Look!", 0)
    );
}
