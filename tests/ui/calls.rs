//! Links that another program hands over fill the message field and never send.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::{AgentCommand, Command};
use fanfare::model::link::Link;
use fanfare::ui::Options;
use fanfare::ui::desktop::calls::Calls;

use crate::fake::{Fake, account, press, says, type_into};
use crate::gallery::{LARGE, busy};

fn link(text: &str) -> Link {
    Link::parse(text).unwrap()
}

fn window(fake: &Fake, calls: &Calls) -> egui_kittest::Harness<'static, fanfare::ui::App> {
    fake.window_with(
        LARGE,
        Options { calls: calls.clone(), zone: Some(jiff::tz::TimeZone::UTC), ..Options::default() },
    )
}

fn sent(fake: &Fake) -> usize {
    fake.asked().iter().filter(|asked| matches!(asked, Command::Agent(AgentCommand::Send(_)))).count()
}

#[test]
fn a_link_opens_a_new_message_or_the_conversation_and_sends_nothing() {
    let fake = busy();
    let calls = Calls::default();
    calls.open(link("im:zoe@example.org?body=Are%20you%20there%3F"));
    let mut window = window(&fake, &calls);
    let text = window.get_by_label("Message").accesskit_node().value();
    assert_eq!(text.as_deref(), Some("Are you there?"));
    assert!(says(&window, "The link leads to sip:zoe@example.org, who is not one of your contacts."));
    window.get_by_label("Send to 1");
    assert_eq!(sent(&fake), 0);
    window.get_by_label("Send to 1").click();
    window.run();
    let asked = fake.asked();
    let sent_now = asked.iter().find(|asked| matches!(asked, Command::Agent(AgentCommand::Send(_))));
    let Some(Command::Agent(AgentCommand::Send(draft))) = sent_now else { panic!("{asked:?}") };
    assert_eq!(draft.to[0].address, "sip:zoe@example.org");

    calls.open(link("sip:cy.young@example.com?body=Lunch%3F"));
    calls.show();
    window.run();
    let text = window.get_by_label("Message").accesskit_node().value();
    assert_eq!(text.as_deref(), Some("Lunch?"));
    assert!(
        fake.asked().iter().any(|asked| matches!(asked, Command::Open(_))),
        "the conversation that there is"
    );
    assert_eq!(sent(&fake), 0);
}

#[test]
fn a_link_closes_a_search_that_would_hide_it() {
    let (fake, calls) = (busy(), Calls::default());
    let mut window = window(&fake, &calls);
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    assert!(window.query_by_role_and_label(Role::TextInput, "Search all messages").is_some());
    calls.open(link("sip:zed@domain.com"));
    calls.show();
    window.run();
    assert!(window.query_by_role_and_label(Role::TextInput, "Search all messages").is_none());
    window.get_by_label("Send to 1");
}

#[test]
fn a_link_changes_nothing_that_is_being_written() {
    let fake = busy();
    let calls = Calls::default();
    calls.open(link("sip:zoe@example.org"));
    let mut window = window(&fake, &calls);
    type_into(&mut window, "Message", "Dear Zoe, ");
    calls.open(link("sip:eve@example.net?body=Buy%20this"));
    window.run();
    assert!(says(&window, "You are writing a new message"), "it says why nothing happens");
    let text = window.get_by_label("Message").accesskit_node().value();
    assert_eq!(text.as_deref(), Some("Dear Zoe, "));
    window.get_by_label("Send to 1");

    calls.open(link("sip:cy.young@example.com"));
    window.run();
    type_into(&mut window, "Message", "Cy, ");
    calls.open(link("sip:cy.young@example.com?body=Buy%20this"));
    window.run();
    assert!(says(&window, "The text of the link was left out"));
    let text = window.get_by_label("Message").accesskit_node().value();
    assert_eq!(text.as_deref(), Some("Cy, "));
}

#[test]
fn a_link_waits_until_there_is_an_account() {
    let fake = Fake::new();
    fake.change(|inner| inner.snapshot.account = None);
    let calls = Calls::default();
    calls.open(link("sip:zoe@example.org?body=Hello"));
    let mut window = window(&fake, &calls);
    assert!(window.query_by_label("Message").is_none());
    type_into(&mut window, "SIP address", "james@example.com");
    type_into(&mut window, "Password", "sesame");
    assert!(window.query_by_label("Message").is_none());
    fake.change(|inner| inner.snapshot.account = Some(Arc::new(account())));
    window.get_by_label("Connect").click();
    window.run();
    assert_eq!(window.get_by_label("Message").accesskit_node().value().as_deref(), Some("Hello"));
    assert_eq!(sent(&fake), 0);
}
