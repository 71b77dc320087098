//! The main job, with the pointer: pick three, write, send, see who got it, resend to who did not.

use std::time::Duration;

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::{AgentCommand, Command, Notice};
use fanfare::model::journal::DeliveryState::{Accepted, Deferred, Delivered, Failed, Read};
use fanfare::model::journal::{ConversationId, MessageId};
use fanfare::sip::ReportMode;

use crate::fake::{Fake, ago, from, own, people, type_into};
use crate::gallery::LARGE;

const THREE: [&str; 3] = ["Ann Lee", "Ben Okafor", "Cy Young"];

/// Picks three people in the contacts and writes to them.
fn write_to_three(fake: &Fake) -> egui_kittest::Harness<'static, fanfare::ui::App> {
    let mut window = fake.window(LARGE);
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    for name in THREE {
        window.get_by_role_and_label(Role::CheckBox, name).click();
        window.run();
    }
    let bar =
        ["Clear selection", "Save as list…", "Write to 3"].map(|label| window.get_by_label(label).rect());
    for (left, right) in [(bar[0], bar[1]), (bar[1], bar[2])] {
        assert!(left.right() <= right.left(), "nothing is cut: {bar:?}");
    }
    assert!(bar[2].right() <= 280.0, "{bar:?}");
    window.get_by_label("Write to 3").click();
    window.run();
    assert!(window.get_by_label("Send to 3").accesskit_node().is_disabled(), "there is no text yet");
    type_into(&mut window, "Message", "Who can come?");
    window
}

#[test]
fn pick_three_write_send_see_ticks_and_crosses_and_resend() {
    let fake = Fake::new();
    let mut window = write_to_three(&fake);
    window.get_by_label("Send to 3").click();
    window.run();
    let asked = fake.asked();
    let [Command::Agent(AgentCommand::Send(draft))] = asked.as_slice() else { panic!("{asked:?}") };
    let to: Vec<&str> = draft.to.iter().map(|row| row.address.as_str()).collect();
    assert_eq!(to, ["sip:ann.lee@example.com", "sip:ben.okafor@example.com", "sip:cy.young@example.com"]);
    assert_eq!(
        (draft.text.as_str(), draft.hidden, draft.report.mode, draft.report.detail),
        ("Who can come?", false, ReportMode::Each, true)
    );

    let crew = people(&THREE);
    let [ann, ben, cy] = crew.as_slice() else { panic!("three") };
    fake.converse(
        1,
        &crew,
        vec![own(5, ago(0), "Who can come?", &[(ann, Accepted), (ben, Accepted), (cy, Accepted)])],
        0,
    );
    window.run();
    assert!(
        matches!(fake.asked().as_slice(), [Command::Open(ConversationId(1))]),
        "the new conversation is opened"
    );
    window.get_by_role_and_label(Role::Button, "Waiting for 3 of 3");
    let composer = window.get_by_role_and_label(Role::MultilineTextInput, "Message");
    assert!(composer.accesskit_node().is_focused(), "the next message can be typed at once");

    fake.converse(
        1,
        &crew,
        vec![own(5, ago(0), "Who can come?", &[(ann, Delivered), (ben, Failed), (cy, Accepted)])],
        0,
    );
    window.run();
    window.get_by_label("Ann Lee: delivered 15:00:07 (0.4 s)");
    window.get_by_label("Ben Okafor: not delivered, offline right now");
    window.get_by_label("Cy Young: server has it, waiting for report");
    window.get_by_label("Message to 3 people, 1 delivered, 1 not delivered, 1 waiting");
    window.get_by_role_and_label(Role::Button, "1 of 3 not delivered");
    window.get_by_label("480 Temporarily Unavailable");
    window.get_by_label("15:00:07 · 0.4 s");

    fake.asked();
    window.get_by_label("Resend to 1").click();
    window.run();
    let asked = fake.asked();
    assert!(
        matches!(
            asked.as_slice(),
            [Command::Agent(AgentCommand::Resend { message: MessageId(5), only: None })]
        ),
        "{asked:?}"
    );
}

#[test]
fn one_person_is_resent_to_from_the_delivery_column() {
    let fake = Fake::new();
    let crew = people(&THREE);
    let [ann, ben, cy] = crew.as_slice() else { panic!("three") };
    fake.converse(1, &crew, vec![own(5, ago(0), "Hi", &[(ann, Failed), (ben, Delivered), (cy, Failed)])], 0);
    let mut window = fake.window(LARGE);
    window.get_by(|node| node.label().is_some_and(|name| name.starts_with("Night shift,"))).click();
    window.run();
    fake.asked();
    window.get_by_label("Resend to 2 failed");
    window.get_all_by_role_and_label(Role::Button, "Resend").last().unwrap().click();
    window.run();
    let asked = fake.asked();
    assert!(
        matches!(
            asked.as_slice(),
            [Command::Agent(AgentCommand::Resend { message: MessageId(5), only: Some(2) })]
        ),
        "{asked:?}"
    );
}

#[test]
fn the_text_stays_when_the_engine_takes_nothing() {
    let fake = Fake::new();
    let mut window = write_to_three(&fake);
    fake.change(|inner| inner.full = true);
    window.get_by_label("Send to 3").click();
    window.run();
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("Who can come?"));
    window.get_by_label("Fanfare is busy. Try again in a moment.");
}

#[test]
fn a_draft_that_was_not_sent_comes_back_with_the_reason() {
    let fake = Fake::new();
    let mut window = write_to_three(&fake);
    window.get_by_label("Send to 3").click();
    window.run();
    let asked = fake.asked();
    let [Command::Agent(AgentCommand::Send(draft))] = asked.as_slice() else { panic!("{asked:?}") };
    let draft = draft.clone();
    fake.change(|inner| inner.notices.push(Notice::NotSent { draft, why: "The disk is full.".into() }));
    window.run();
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("Who can come?"));
    window.get_by_label("Remove Ben Okafor");
    window.get_by_label("The disk is full.");
}

#[test]
fn drafts_are_kept_per_conversation() {
    let fake = crate::gallery::busy();
    let mut window = fake.window(LARGE);
    let open = |window: &mut egui_kittest::Harness<'static, fanfare::ui::App>, name: &str| {
        window
            .get_by(|node| {
                node.role() == Role::Button && node.label().is_some_and(|label| label.starts_with(name))
            })
            .click();
        window.run();
    };
    open(&mut window, "Cy Young,");
    type_into(&mut window, "Message", "half a thou");
    open(&mut window, "Ben Okafor,");
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some(""));
    open(&mut window, "Cy Young,");
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("half a thou"));
}

#[test]
fn looking_at_a_conversation_to_its_end_is_told_once() {
    let fake = crate::gallery::busy();
    let mut window = fake.window(LARGE);
    window
        .get_by(|node| {
            node.label().is_some_and(|label| label.starts_with("Ben Okafor,") && label.ends_with("3 unread"))
        })
        .click();
    window.run();
    window.run();
    let seen = fake.asked().into_iter().filter(|command| {
        matches!(command, Command::Agent(AgentCommand::Seen { conversation: ConversationId(6) }))
    });
    assert_eq!(seen.count(), 1);
}

#[test]
fn nothing_moves_while_nothing_happens() {
    let fake = crate::gallery::busy();
    let mut window = fake.window(LARGE);
    window
        .get_by(|node| {
            node.label().is_some_and(|label| label.starts_with("Ann Lee, Ben Okafor, Cy Young, Dana"))
        })
        .click();
    window.run();
    assert!(
        window.get_by_label("Message").is_focused(),
        "the caret stands in the composer, and does not blink"
    );
    let delay = window.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
    assert!(delay > Duration::from_secs(3600), "asks to be woken after {delay:?}");
}

#[test]
fn w18_who_is_deferred_is_waited_for_and_then_has_it_or_has_it_not() {
    for (end, line, name) in [
        (Delivered, "Delivered to both", "Ben Okafor: delivered 15:00:07 (0.4 s)"),
        (Failed, "1 of 2 not delivered", "Ben Okafor: not delivered, offline right now"),
    ] {
        let fake = Fake::new();
        let crew = people(&["Ann Lee", "Ben Okafor"]);
        let [ann, ben] = crew.as_slice() else { panic!("two") };
        let message = |state| vec![own(5, ago(0), "See you there.", &[(ann, Delivered), (ben, state)])];
        fake.converse(1, &crew, message(Deferred), 0);
        let mut window = fake.window(LARGE);
        window
            .get_by(|node| node.label().is_some_and(|label| label.starts_with("Ann Lee and Ben Okafor")))
            .click();
        window.run();
        window.get_by_label("Ben Okafor: offline. Will be delivered when Ben Okafor is back");
        window.get_by_role_and_label(Role::Button, "1 waiting for Ben Okafor");

        fake.converse(1, &crew, message(end), 0);
        window.run();
        window.get_by_label(name);
        window.get_by_role_and_label(Role::Button, line);
    }
}

#[test]
fn w28_who_has_read_it_is_shown_with_when_and_how_many_of_all() {
    let fake = Fake::new();
    let crew = people(&["Ann Lee", "Ben Okafor"]);
    let [ann, ben] = crew.as_slice() else { panic!("two") };
    let message = |state| vec![own(5, ago(0), "See you there.", &[(ann, Read), (ben, state)])];
    fake.converse(1, &crew, message(Delivered), 0);
    let mut window = fake.window(LARGE);
    window
        .get_by(|node| node.label().is_some_and(|label| label.starts_with("Ann Lee and Ben Okafor")))
        .click();
    window.run();
    window.get_by_label("Ann Lee: read 15:00");
    window.get_by_role_and_label(Role::Button, "Read by 1 of 2");
    // Its row of the conversation; a screen reader is told the same.
    for role in [Role::ListItem, Role::Status] {
        window.get_by_role_and_label(role, "Message to 2 people, 1 read, 1 delivered");
    }

    fake.converse(1, &crew, message(Read), 0);
    window.run();
    window.get_by_label("Ben Okafor: read 15:00");
    window.get_by_role_and_label(Role::Button, "Read by both");
}

#[test]
fn a_failure_is_listed_until_it_is_made_good_whatever_came_after() {
    let fake = Fake::new();
    let crew = people(&THREE);
    let [ann, ben, cy] = crew.as_slice() else { panic!("three") };
    let first = own(5, ago(9), "Who can come?", &[(ann, Delivered), (ben, Failed), (cy, Delivered)]);
    fake.converse(2, std::slice::from_ref(cy), vec![own(7, ago(20), "Fine", &[(cy, Delivered)])], 0);
    // Looked at, answered by somebody, and followed by a message that everybody has.
    let reply = from(6, ago(5), ann, "I can!");
    let last = own(8, ago(1), "Good", &[(ann, Delivered), (ben, Delivered), (cy, Delivered)]);
    for (messages, told) in [
        (vec![first.clone(), reply.clone()], "Night shift, 1 not delivered, I can!"),
        (vec![first, reply, last], "Night shift, 1 not delivered, Good"),
    ] {
        fake.converse(1, &crew, messages, 0);
        let mut window = fake.window(LARGE);
        window.get_by_label(told);
        window.get_by_label("Failed 1").click();
        window.run();
        window.get_by_label(told);
        assert!(window.query_by_label("Cy Young, Fine").is_none());
        assert!(!crate::fake::says(&window, "No failed messages."));
    }
    let again = own(5, ago(9), "Who can come?", &[(ann, Delivered), (ben, Delivered), (cy, Delivered)]);
    fake.converse(1, &crew, vec![again], 0);
    let mut window = fake.window(LARGE);
    window.get_by_label("Failed").click();
    window.run();
    assert!(crate::fake::says(&window, "No failed messages."));
}
