//! What the client asks for, and what it believes of the answers: RFC 5438; W28.

use super::*;

use DeliveryState::{Accepted, Delivered, Failed, Queued, Read, Sending};

fn asking_stage() -> Stage {
    let mut stage = telling();
    stage.send(&ANN_AND_BOB, "Come here.");
    stage
}

/// A notification by this person about the message in a request of ours.
fn notification(request: &str, by: &str, status: &str) -> String {
    let id = field(request, "imdn.Message-ID");
    let kind = if status == "displayed" { "display" } else { "delivery" };
    let number = by.len() + status.len();
    wrapped(
        &format!("n{number}{by}{status}"),
        &format!(
            "From: <im:bob@domain.com>\nTo: <im:james@domain.com>\nNS: imdn <urn:ietf:params:imdn>\n\
             imdn.Message-ID: d834jied93rf\n\nContent-type: message/imdn+xml\nContent-Disposition: notification\n\n\
             <imdn xmlns=\"urn:ietf:params:xml:ns:imdn\"><message-id>{id}</message-id>\
             <{kind}-notification><status><{status}/></status></{kind}-notification></imdn>"
        ),
    )
    .replace("<sip:ann@domain.com>;tag", &format!("<sip:{by}@domain.com>;tag"))
}

fn say(stage: &mut Stage, request: &str, by: &str, status: &str) {
    stage.events.clear();
    stage.proxy_sends(&notification(request, by, status));
    let answer = stage.sent.last().unwrap().1.clone();
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
}

#[test]
fn w28_a_text_asks_in_cpim_under_the_name_of_its_call() {
    let mut stage = asking_stage();
    let request = stage.take_sent("MESSAGE");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(field(head, "Content-Type"), "message/cpim");
    assert_eq!(
        body,
        format!(
            "From: <sip:james@domain.com>\r\nTo: <sip:anonymous@anonymous.invalid>\r\n\
             DateTime: 2010-11-13T23:29:00Z\r\nNS: imdn <urn:ietf:params:imdn>\r\n\
             imdn.Message-ID: {}\r\nimdn.Disposition-Notification: positive-delivery, display\r\n\r\n\
             Content-Type: text/plain\r\nContent-Length: 10\r\n\r\nCome here.",
            field(head, "Call-ID")
        )
    );
    assert!(
        stage.rows.iter().any(|row| matches!(row, Write::Outgoing(row) if row.content_type == "text/plain"))
    );
    stage.send(&["im:ann@domain.com"], "x");
    assert_eq!(
        field(&stage.take_sent("MESSAGE").replace("To: <im:", "Xx: <im:"), "To"),
        "<sip:ann@domain.com>"
    );
    // A file is sent without CPIM, and so is everything if the setting is off.
    let file =
        crate::sip::File { name: None, media_type: "image/png".into(), bytes: Bytes::from_static(b"x") };
    stage.command(AgentCommand::Send(Draft { files: vec![file], ..draft(&ANN_AND_BOB, "x") }));
    assert!(field(&stage.take_sent("MESSAGE"), "Content-Type").starts_with("multipart/mixed"));
    let mut off = Stage::connected();
    off.send(&ANN_AND_BOB, "Come here.");
    assert_eq!(field(&off.take_sent("MESSAGE"), "Content-Type"), "text/plain");
}

#[test]
fn w28_who_has_read_it_is_shown_and_it_never_goes_back() {
    let mut stage = asking_stage();
    let request = stage.take_sent("MESSAGE");
    stage.accept(&request);
    say(&mut stage, &request, "bob", "delivered");
    assert_eq!(stage.states(), [(1, Delivered)]);
    say(&mut stage, &request, "bob", "displayed");
    assert_eq!(stage.states(), [(1, Read)]);
    stage.events.clear();
    stage.notify(
        &request,
        1,
        "active",
        "im:ann@domain.com delivery success\nim:bob@domain.com delivery failure;status=408\n",
    );
    assert_eq!(stage.states(), [(0, Delivered)]);
    stage.notify(
        &request,
        2,
        "terminated",
        "im:ann@domain.com delivery success\nim:bob@domain.com delivery success\n",
    );
    assert_eq!(stage.stored(1), [Delivered, Read]);
    // Much later, and after a restart.
    let account = Account { receipts: true, ..account() };
    let mut after = Stage::with_rows(&account, stage.stored_rows(), stage.now);
    after.connect();
    say(&mut after, &request, "ann", "displayed");
    assert_eq!(after.states(), [(0, Read)]);
    say(&mut after, &request, "ann", "displayed");
    assert_eq!(after.states(), []);
}

#[test]
fn w28_the_200_to_a_notification_leaves_after_the_commit() {
    let mut stage = asking_stage();
    let request = stage.take_sent("MESSAGE");
    stage.accept(&request);
    stage.disk = Disk::Waits;
    stage.proxy_sends(&notification(&request, "bob", "displayed"));
    assert!(stage.sent_nothing());
    stage.settle(Input::CommitFailed);
    assert!(stage.sent.pop().unwrap().1.starts_with("SIP/2.0 503 "));
    stage.proxy_sends(
        &notification(&request, "bob", "displayed").replace("branch=z9hG4bK", "branch=z9hG4bKx"),
    );
    stage.settle(Input::Committed);
    assert!(stage.sent.pop().unwrap().1.starts_with("SIP/2.0 200 "));
    assert!(stage.states().contains(&(1, Read)));
}

#[test]
fn w28_a_forged_notification_gets_its_200_and_changes_nothing() {
    let mut stage = asking_stage();
    let request = stage.take_sent("MESSAGE");
    stage.accept(&request);
    say(&mut stage, &request, "eve", "displayed");
    assert_eq!(stage.states(), []);
    let unknown = request.replace("imdn.Message-ID: ", "imdn.Message-ID: x");
    say(&mut stage, &unknown, "bob", "displayed");
    assert_eq!(stage.states(), []);
    // Not through our proxy.
    let elsewhere = Flow::udp(OWN.parse().unwrap(), "127.0.0.1:5999".parse().unwrap());
    stage.receive(elsewhere, &notification(&request, "bob", "displayed"));
    assert!(stage.sent.last().unwrap().1.starts_with("SIP/2.0 403 "));
    assert_eq!(stage.states(), []);
    // A message that asked for no notifications.
    let mut off = Stage::connected();
    let plain = off.send_accepted(&ANN_AND_BOB);
    let named = plain
        .replace("Content-Type", &format!("imdn.Message-ID: {}\r\nContent-Type", field(&plain, "Call-ID")));
    say(&mut off, &named, "bob", "displayed");
    assert_eq!(off.states(), []);
    // A reported failure counts if nothing better is known.
    say(&mut stage, &request, "bob", "failed");
    assert_eq!(stage.states(), [(1, Failed)]);
    say(&mut stage, &request, "ann", "delivered");
    say(&mut stage, &request, "ann", "failed");
    assert_eq!((stage.states(), stage.stored(1)), (vec![], vec![Delivered, Failed]));
}

#[test]
fn w28_of_several_recipients_those_of_other_domains_are_not_believed_to_have_read_it() {
    let mut stage = telling();
    stage.send(&["im:ann@domain.com", "im:cy@other.example", "im:mallory@evil.example"], "Come here.");
    let request = stage.take_sent("MESSAGE");
    stage.accept(&request);
    let by = |user: &str, host: &str| {
        notification(&request, user, "displayed")
            .replace(&format!("<sip:{user}@domain.com>;tag"), &format!("<sip:{user}@{host}>;tag"))
    };
    // Mallory knows the name of the message, and writes in Cy's.
    for text in [by("cy", "other.example"), by("mallory", "evil.example")] {
        stage.events.clear();
        stage.proxy_sends(&text);
        assert!(stage.sent.last().unwrap().1.starts_with("SIP/2.0 200 "));
        assert_eq!(stage.states(), []);
    }
    say(&mut stage, &request, "ann", "displayed");
    assert_eq!(stage.states(), [(0, Read)]);
    // Who is the only one to know the name is believed.
    stage.send(&["im:cy@other.example"], "And you?");
    let request = stage.take_sent("MESSAGE");
    stage.accept(&request);
    stage.events.clear();
    let text = notification(&request, "cy", "displayed").replace("branch=z9hG4bK", "branch=z9hG4bKx");
    stage.proxy_sends(&text.replace("<sip:cy@domain.com>;tag", "<sip:cy@other.example>;tag"));
    assert_eq!(stage.states(), [(0, Read)]);
}

#[test]
fn w28_a_program_that_takes_no_cpim_gets_the_text_alone_and_no_failure_is_told() {
    let mut stage = asking_stage();
    let request = stage.take_sent("MESSAGE");
    stage.accept(&request);
    stage.events.clear();
    let lines = "im:ann@domain.com delivery success\nim:bob@domain.com delivery failure;status=415\n";
    stage.notify(&request, 1, "terminated", lines);
    assert_eq!(
        stage.states(),
        [(0, Delivered), (1, Queued), (1, Sending)],
        "Bob's program is not said to have failed"
    );
    let again = stage.take_sent("MESSAGE");
    assert_eq!(field(&again, "To"), "<im:bob@domain.com>");
    assert!(!has_field(&again, "Secondary-To"));
    assert!(
        again.ends_with("\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nCome here."),
        "{again}"
    );
    assert_ne!(field(&again, "Call-ID"), field(&request, "Call-ID"));
    stage.accept(&again);
    stage.notify(&again, 1, "terminated", "im:bob@domain.com delivery success\n");
    assert_eq!(stage.stored(2), [Delivered]);
    // The same report again triggers nothing.
    stage.notify(&request, 2, "terminated", lines);
    assert!(!stage.sent.iter().any(|(_, text)| text.starts_with("MESSAGE")));
    // The next message to a set with Bob in it leaves plain at once, after a restart too; to others it still asks.
    let account = Account { receipts: true, ..account() };
    let mut after = Stage::with_rows(&account, stage.stored_rows(), stage.now);
    after.connect();
    for stage in [&mut stage, &mut after] {
        stage.send(&ANN_AND_BOB, "x");
        assert_eq!(field(&stage.take_sent("MESSAGE"), "Content-Type"), "text/plain");
        stage.send(&["im:ann@domain.com"], "x");
        assert_eq!(field(&stage.take_sent("MESSAGE"), "Content-Type"), "message/cpim");
    }
}

#[test]
fn w28_who_takes_the_text_alone_no_more_than_cpim_is_told_to_have_failed_once() {
    let mut stage = asking_stage();
    let request = stage.take_sent("MESSAGE");
    stage.accept(&request);
    let lines =
        "im:ann@domain.com delivery failure;status=415\nim:bob@domain.com delivery failure;status=486\n";
    stage.notify(&request, 1, "terminated", lines);
    assert!(stage.states().contains(&(1, Failed)) && !stage.states().contains(&(0, Failed)));
    let again = stage.take_sent("MESSAGE");
    stage.accept(&again);
    stage.notify(&again, 1, "terminated", "im:ann@domain.com delivery failure;status=415\n");
    assert!(stage.states().contains(&(0, Failed)));
    assert!(!stage.sent.iter().any(|(_, text)| text.starts_with("MESSAGE")), "{:?}", stage.sent);
}

#[test]
fn w28_one_by_one_the_text_alone_follows_a_415_too() {
    let mut stage = Stage::new(&Account { receipts: true, ..account() });
    stage.register("200 OK", "Expires: 600\n");
    stage.send(&["im:ann@domain.com"], "Come here.");
    let request = stage.take_sent("MESSAGE");
    assert_eq!(field(&request, "Content-Type"), "message/cpim");
    stage.events.clear();
    stage.answer(&request, "415 Unsupported Media Type", "");
    assert!(!stage.states().contains(&(0, Failed)));
    let again = stage.take_sent("MESSAGE");
    assert_eq!(field(&again, "Content-Type"), "text/plain");
    stage.answer(&again, "200 OK", "");
    assert_eq!(stage.stored(2), [Delivered]);
    assert_eq!(stage.stored(1), [Failed]);
    assert!(!stage.states().contains(&(0, Accepted)));
}

#[test]
fn w28_after_a_crash_it_asks_as_it_did_whatever_the_switch_says_by_then() {
    let mut stage = asking_stage();
    let request = stage.take_sent("MESSAGE");
    for receipts in [false, true] {
        let account = Account { receipts, ..account() };
        let mut after =
            Stage::with_rows(&account, stage.stored_rows(), stage.now.plus(Duration::from_secs(90)));
        after.connect();
        let again = after.take_sent("MESSAGE");
        assert_eq!(
            again.split("\r\n\r\n").skip(1).collect::<Vec<_>>(),
            request.split("\r\n\r\n").skip(1).collect::<Vec<_>>()
        );
        assert_eq!(field(&again, "Call-ID"), field(&request, "Call-ID"));
    }
}
