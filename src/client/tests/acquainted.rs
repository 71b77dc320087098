//! Automatic messages go to people whom the user knows, at their plain address, and nowhere else (W28).

use std::sync::Arc;

use super::*;
use crate::limits::STRANGER_DOMAIN_CONVERSATIONS_A_DAY;
use crate::model::contacts::AddressBook;
use crate::model::journal::ConversationId;
use crate::model::names::Names;

const DELIVERED_AND_SEEN: [&str; 2] = ["delivered", "displayed"];

/// A text in CPIM whose sender asks for both notifications, under this From.
fn asking(from: &str, number: usize) -> String {
    let cpim = format!(
        "From: <{from}>\r\nTo: <im:james@domain.com>\r\nNS: imdn <urn:ietf:params:imdn>\r\n\
         imdn.Message-ID: id{number}\r\nimdn.Disposition-Notification: positive-delivery, display\r\n\r\n\
         Content-Type: text/plain\r\n\r\nhello"
    );
    format!(
        "MESSAGE sip:james@{OWN} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {PROXY};branch=z9hG4bKa{number}\r\n\
         Max-Forwards: 69\r\n\
         From: <{from}>;tag=f{number}\r\n\
         To: <sip:james@domain.com>\r\n\
         Call-ID: a{number}\r\n\
         CSeq: 1 MESSAGE\r\n\
         Content-Type: message/cpim\r\n\
         Content-Length: {}\r\n\r\n{cpim}",
        cpim.len()
    )
}

fn stage() -> Stage {
    let mut stage = Stage::new(&Account { receipts: true, ..account() });
    stage.connect();
    stage
}

/// Lets this sender write, and the user look at it; returns what left besides responses.
fn told(stage: &mut Stage, from: &str, number: usize) -> Vec<&'static str> {
    stage.events.clear();
    stage.sent.clear();
    stage.proxy_sends(&asking(from, number));
    let seen = |event: &Event| {
        let Event::Received { conversation, .. } = event else { return None };
        Some(*conversation)
    };
    let conversation = stage.events.iter().find_map(seen).expect("it is shown all the same");
    assert!(stage.sent[0].1.starts_with("SIP/2.0 200 "), "{:?}", stage.sent);
    stage.command(AgentCommand::Seen { conversation });
    stage.command(AgentCommand::Typing { conversation, has_text: true });
    let sent = std::mem::take(&mut stage.sent);
    let requests = sent.iter().map(|(_, text)| text).filter(|text| text.starts_with("MESSAGE "));
    let said = requests.map(|text| {
        let words =
            [("<delivered/>", "delivered"), ("<displayed/>", "displayed"), ("<isComposing", "typing")];
        words.iter().find(|(mark, _)| text.contains(mark)).map_or("something else", |(_, word)| *word)
    });
    said.collect()
}

#[test]
fn w28_a_stranger_hears_neither_that_it_was_delivered_nor_seen_nor_that_we_type() {
    let mut stage = stage();
    let none: [&str; 0] = [];
    assert_eq!(told(&mut stage, "sip:x@evil.example", 1), none);
    // Once we have written to him, he does, also together with others.
    stage.send_accepted(&["im:x@evil.example", "im:ann@domain.com"]);
    for (number, from) in [(2, "sip:x@evil.example"), (3, "sip:ann@domain.com")] {
        assert_eq!(told(&mut stage, from, number), ["delivered", "displayed", "typing"], "{from}");
    }
    // After a restart too.
    let account = Account { receipts: true, ..account() };
    let mut after = Stage::with_rows(&account, stage.stored_rows(), stage.now);
    after.connect();
    assert_eq!(told(&mut after, "sip:x@evil.example", 4)[..2], DELIVERED_AND_SEEN);
    assert_eq!(told(&mut after, "sip:y@evil.example", 5), none);
}

#[test]
fn w28_nothing_automatic_goes_to_a_number_a_port_a_transport_or_a_gateway() {
    let plain = [
        "tel:+19005550100",
        "sip:+19005550100@192.0.2.5",
        "sip:ann@domain.com:5070",
        "sip:ann@domain.com;transport=tcp",
        "sip:ann@domain.com;maddr=192.0.2.5",
        "sip:ann;x=y@domain.com",
        "sip:ann:secret@domain.com",
        "sip:ann@192.0.2.5:2575",
    ];
    let mut stage = stage();
    let none: [&str; 0] = [];
    // Of these only the address of a contact counts, and it has to be plain.
    stage.knows(&["sip:ann@domain.com", "tel:+19005550100", "sip:ann@192.0.2.5:2575"]);
    for (number, from) in plain.into_iter().enumerate() {
        assert_eq!(told(&mut stage, from, number), none, "{from}");
    }
    for (number, from) in [(20, "sip:ann@domain.com"), (21, "im:ann@DOMAIN.com")] {
        assert_eq!(told(&mut stage, from, number)[..2], DELIVERED_AND_SEEN, "{from}");
    }
}

#[test]
fn w28_who_was_no_contact_when_the_message_came_is_told_nothing_of_it_later() {
    let mut stage = stage();
    stage.proxy_sends(&asking("sip:x@evil.example", 1));
    stage.knows(&["sip:x@evil.example"]);
    stage.sent.clear();
    stage.command(AgentCommand::Seen { conversation: ConversationId(1) });
    assert!(stage.sent_nothing(), "{:?}", stage.sent);
}

/// A message of `bytes` bytes of text from this sender.
fn large(from: &str, number: usize, bytes: usize) -> String {
    let text = inbox::leg(&format!("l{number}"), "", &"x".repeat(bytes));
    let from_line = text.lines().find(|line| line.starts_with("From: ")).unwrap().to_owned();
    text.replace(&from_line, &format!("From: <{from}>;tag=l{number}"))
}

#[test]
fn w31_what_strangers_fill_the_disk_with_in_a_day_has_an_end_and_people_we_know_are_not_concerned() {
    let instance = Some("urn:uuid:00000000-0000-4000-8000-000000000001".to_owned());
    let mut stage = Stage::with_rows(&account(), Rows { instance, ..Rows::default() }, start());
    stage.connect();
    stage.knows(&["sip:ann@domain.com"]);
    let answers = |stage: &mut Stage, from: &str, number: usize| {
        stage.sent.clear();
        stage.proxy_sends(&large(from, number, 900_000));
        stage.rows.clear();
        stage.sent.pop().expect("an answer").1
    };
    let taken = (0..70)
        .filter(|number| answers(&mut stage, "sip:x@evil.example", *number).starts_with("SIP/2.0 200 "));
    assert_eq!(taken.count(), 58, "50 MiB");
    let refused = answers(&mut stage, "sip:y@evil.example", 100);
    assert!(refused.starts_with("SIP/2.0 413 "), "{refused}");
    assert_eq!(field(&refused, "Retry-After"), "86400");
    let told = stage.events.iter().filter(|event| **event == Event::StrangersRefused).count();
    assert_eq!(told, 1);
    for (number, from) in [(101, "sip:ann@domain.com"), (102, "sip:z@other.example")] {
        assert!(answers(&mut stage, from, number).starts_with("SIP/2.0 200 "), "{from}");
    }
    // A double of what was taken is no more of it.
    let again = large("sip:x@evil.example", 0, 900_000).replace("branch=z9hG4bK", "branch=z9hG4bKx");
    stage.sent.clear();
    stage.proxy_sends(&again);
    assert!(stage.sent[0].1.starts_with("SIP/2.0 200 "), "{:?}", stage.sent);
    stage.advance(Duration::from_secs(24 * 3600));
    assert!(answers(&mut stage, "sip:x@evil.example", 103).starts_with("SIP/2.0 200 "));
}

#[test]
fn w31_a_stranger_begins_so_many_conversations_a_day_under_as_many_names() {
    let instance = Some("urn:uuid:00000000-0000-4000-8000-000000000001".to_owned());
    let mut stage = Stage::with_rows(&account(), Rows { instance, ..Rows::default() }, start());
    stage.connect();
    stage.knows(&["sip:ann@domain.com"]);
    let status = |stage: &mut Stage, from: &str, number: usize| {
        stage.sent.clear();
        stage.proxy_sends(&large(from, number, 10));
        stage.rows.clear();
        let answer = stage.sent.pop().expect("an answer").1;
        answer.split(' ').nth(1).expect("a status").to_owned()
    };
    let names = 0..STRANGER_DOMAIN_CONVERSATIONS_A_DAY + 50;
    let taken =
        names.filter(|number| status(&mut stage, &format!("sip:x{number}@evil.example"), *number) == "200");
    assert_eq!(taken.count(), STRANGER_DOMAIN_CONVERSATIONS_A_DAY);
    let people = [
        ("sip:late@evil.example", "413"),
        ("sip:x0@evil.example", "200"),
        ("sip:ann@domain.com", "200"),
        ("sip:z@other.example", "200"),
    ];
    for (number, (from, expected)) in (10_000..).zip(people) {
        assert_eq!(status(&mut stage, from, number), expected, "{from}");
    }
}

#[test]
fn what_somebody_writes_who_is_blocked_is_refused_and_shown_nowhere_until_he_is_not() {
    let mut stage = stage();
    let write = |stage: &mut Stage, number| {
        stage.events.clear();
        stage.sent.clear();
        stage.proxy_sends(&asking("sip:eve@domain.com", number));
        let shown = stage.events.iter().any(|event| matches!(event, Event::Received { .. }));
        (stage.sent[0].1.lines().next().unwrap_or_default().to_owned(), shown)
    };
    assert_eq!(write(&mut stage, 1), ("SIP/2.0 200 OK".to_owned(), true));
    let mut book = AddressBook::default();
    book.block("im:eve@DOMAIN.com:5060", true);
    stage.agent.set_names(Arc::new(Names::of(&book)));
    assert_eq!(write(&mut stage, 2), ("SIP/2.0 403 Forbidden".to_owned(), false));
    assert!(stage.events.is_empty(), "{:?}", stage.events);
    book.block("sip:eve@domain.com", false);
    stage.agent.set_names(Arc::new(Names::of(&book)));
    assert_eq!(write(&mut stage, 3), ("SIP/2.0 200 OK".to_owned(), true));
}
