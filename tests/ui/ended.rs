//! The engine behind the window has failed: the window says so, and restarts it.

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use fanfare::model::command::Command;
use fanfare::model::journal::ConversationId;
use fanfare::model::journal::DeliveryState::Delivered;

use crate::fake::{Fake, ago, own, people};
use crate::gallery::LARGE;

const STOPPED: &str = "Fanfare has stopped because of an internal error. Nothing is sent or received. \
                       Your earlier messages are safe.";

#[test]
fn a_fallen_engine_is_told_and_started_anew_with_what_is_open() {
    let fake = Fake::new();
    let crew = people(&["Ann Lee"]);
    fake.converse(1, &crew, vec![own(5, ago(0), "Who can come?", &[(&crew[0], Delivered)])], 0);
    let mut window = fake.window(LARGE);
    window.get_by_label_contains("Who can come?").click();
    window.run();
    fake.asked();
    assert!(window.query_by_label(STOPPED).is_none());

    fake.change(|inner| (inner.ended, inner.not_again) = (true, Some("the disk is gone".to_owned())));
    window.run();
    window.get_by_label(STOPPED);
    window.get_by_role_and_label(Role::Button, "Restart").click();
    window.run();
    window.get_by_label("Fanfare could not be restarted: the disk is gone.");
    window.get_by_label(STOPPED);

    fake.change(|inner| inner.not_again = None);
    window.get_by_role_and_label(Role::Button, "Restart").click();
    window.run();
    assert!(window.query_by_label(STOPPED).is_none());
    let asked = fake.asked();
    assert!(matches!(asked.as_slice(), [Command::Open(ConversationId(1))]), "{asked:?}");
}
