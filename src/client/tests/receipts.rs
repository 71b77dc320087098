//! A message's fate as told by the program that got it (RFC 5438; W28).

mod asking;

use super::*;

use crate::model::journal::ConversationId;

/// RFC 5438 §6's request in a leg from the proxy.
fn asking(call_id: &str, asked: &str, text: &str) -> String {
    let cpim = format!(
        "From: Ann <im:ann@domain.com>\nTo: James <im:james@domain.com>\nNS: imdn <urn:ietf:params:imdn>\n\
         imdn.Message-ID: id-{call_id}\nDateTime: 2006-04-04T12:16:49-05:00\n{asked}\n\
         Content-Type: text/plain\n\n{text}"
    );
    wrapped(call_id, &cpim)
}

fn wrapped(call_id: &str, cpim: &str) -> String {
    format!(
        "MESSAGE sip:james@{OWN} SIP/2.0\n\
         Via: SIP/2.0/UDP {PROXY};branch=z9hG4bK{call_id}\n\
         Max-Forwards: 69\n\
         From: <sip:ann@domain.com>;tag=leg-tag\n\
         To: <sip:james@domain.com>\n\
         Call-ID: {call_id}\n\
         CSeq: 1 MESSAGE\n\
         Content-Type: message/cpim\n\
         Content-Length: {}\n\n{cpim}",
        cpim.replace('\n', "\r\n").len(),
    )
}

const BOTH: &str = "imdn.Disposition-Notification: positive-delivery, display\n";
const HERE: ConversationId = ConversationId(1);

fn telling() -> Stage {
    let mut stage = Stage::new(&Account { receipts: true, ..account() });
    stage.connect();
    stage.knows(&["im:ann@domain.com"]);
    stage
}

/// What the notifications sent say of which message; answers them.
fn said(stage: &mut Stage) -> Vec<String> {
    let mut said = Vec::new();
    while let Some(place) = stage.sent.iter().position(|(_, text)| text.starts_with("MESSAGE")) {
        let (_, request) = stage.sent.remove(place);
        let id = request.split("<message-id>").nth(1).unwrap().split("</").next().unwrap();
        let status = request.split("<status><").nth(1).unwrap().split("/>").next().unwrap();
        said.push(format!("{id} {status}"));
        stage.answer(&request, "200 OK", "");
    }
    stage.sent.clear();
    said
}

fn look(stage: &mut Stage) {
    stage.command(AgentCommand::Seen { conversation: HERE });
}

#[test]
fn w28_who_asks_hears_that_it_was_delivered_after_it_is_kept() {
    let mut stage = telling();
    stage.disk = Disk::Waits;
    stage.proxy_sends(&asking("c1", BOTH, "Come here."));
    assert!(stage.sent_nothing());
    stage.settle(Input::Committed);
    let request = stage.sent.pop().unwrap().1;
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("MESSAGE sip:ann@domain.com SIP/2.0\r\n"), "{head}");
    assert_eq!(field(head, "To"), "<sip:ann@domain.com>");
    assert!(field(head, "From").starts_with("<sip:james@domain.com>;tag="), "{head}");
    assert_eq!(field(head, "Content-Type"), "message/cpim");
    assert_eq!(field(head, "Content-Length"), body.len().to_string());
    for absent in ["Proxy-Require", "Delivery-Report", "Secondary-To", "Contact"] {
        assert!(!has_field(head, absent), "{head}");
    }
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\">\r\n\
        <message-id>id-c1</message-id>\r\n<datetime>2006-04-04T12:16:49-05:00</datetime>\r\n\
        <delivery-notification><status><delivered/></status></delivery-notification>\r\n</imdn>\r\n";
    let id = field(body, "imdn.Message-ID");
    assert!(id.len() >= 8, "{id}");
    assert_eq!(
        body,
        format!(
            "From: <sip:james@domain.com>\r\nTo: <sip:ann@domain.com>\r\nDateTime: 2006-04-04T12:16:49-05:00\r\n\
             NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: {id}\r\n\r\nContent-Type: message/imdn+xml\r\n\
             Content-Disposition: notification\r\nContent-Length: {}\r\n\r\n{xml}",
            xml.len()
        )
    );
    assert!(stage.sent[0].1.starts_with("SIP/2.0 200 "), "the 200 goes first");
    // The owner was told the inner text.
    assert!(matches!(&stage.events[..], [Event::Received { text, .. }] if text == "Come here."));
}

#[test]
fn w28_who_asks_hears_that_it_was_seen_once_it_was_and_once_alone() {
    let mut stage = telling();
    for call_id in ["c1", "c2"] {
        stage.proxy_sends(&asking(call_id, BOTH, "x"));
    }
    assert_eq!(said(&mut stage), ["id-c1 delivered", "id-c2 delivered"]);
    stage.disk = Disk::Waits;
    look(&mut stage);
    assert_eq!(said(&mut stage), Vec::<String>::new(), "that it was seen is not on the disk yet");
    stage.settle(Input::Committed);
    assert_eq!(said(&mut stage), ["id-c1 displayed", "id-c2 displayed"]);
    stage.disk = Disk::Takes;
    look(&mut stage);
    // The same leg resumed later, as a new transaction.
    stage.proxy_sends(&asking("c1", BOTH, "x").replace("branch=z9hG4bKc1", "branch=z9hG4bKother"));
    look(&mut stage);
    assert_eq!(said(&mut stage), Vec::<String>::new());
    let mut after =
        Stage::with_rows(&Account { receipts: true, ..account() }, stage.stored_rows(), stage.now);
    after.connect();
    after.knows(&["im:ann@domain.com"]);
    look(&mut after);
    assert_eq!(said(&mut after), Vec::<String>::new());
}

#[test]
fn w28_what_was_not_seen_before_a_restart_is_said_when_it_is() {
    let mut stage = telling();
    stage.proxy_sends(&asking("c1", BOTH, "x"));
    assert_eq!(said(&mut stage), ["id-c1 delivered"]);
    let mut rows = stage.stored_rows();
    rows.conversations[0].unread = 1;
    rows.conversations[0].last = Some(crate::model::journal::LastRow {
        id: MessageId(1),
        at: stage.now.wall,
        preview: "x".into(),
        mine: false,
        verified: true,
    });
    let mut quiet = Stage::with_rows(&account(), rows.clone(), stage.now);
    quiet.connect();
    quiet.knows(&["im:ann@domain.com"]);
    look(&mut quiet);
    assert_eq!(said(&mut quiet), Vec::<String>::new(), "turned off meanwhile");
    let mut after = Stage::with_rows(&Account { receipts: true, ..account() }, rows, stage.now);
    after.connect();
    after.knows(&["im:ann@domain.com"]);
    look(&mut after);
    assert_eq!(said(&mut after), ["id-c1 displayed"]);
}

#[test]
fn w28_with_the_switch_off_nobody_hears_that_it_was_seen() {
    let mut stage = Stage::connected();
    stage.knows(&["im:ann@domain.com"]);
    stage.proxy_sends(&asking("c1", BOTH, "x"));
    look(&mut stage);
    assert_eq!(said(&mut stage), ["id-c1 delivered"]);
}

#[test]
fn w28_what_asks_for_nothing_or_has_no_name_or_is_a_notification_gets_none() {
    let mut stage = telling();
    let imdn = "From: <im:ann@domain.com>\nTo: <im:james@domain.com>\nNS: imdn <urn:ietf:params:imdn>\n\
        imdn.Message-ID: n1\nimdn.Disposition-Notification: positive-delivery, display\n\n\
        Content-Type: message/imdn+xml\nContent-Disposition: notification\n\n\
        <imdn><message-id>nobody's</message-id><display-notification><status><displayed/></status>\
        </display-notification></imdn>";
    let others = [
        asking("c1", "", "x"),
        asking("c2", "imdn.Disposition-Notification: negative-delivery\n", "x"),
        asking("c3", BOTH, "x").replace("imdn.Message-ID", "imdn.Message-XX"),
        asking("c4", BOTH, "x").replace("From: <sip:ann@", "From: <sip:james@"),
        wrapped("c5", imdn),
        wrapped("c6", "no CPIM at all"),
    ];
    for message in others {
        stage.proxy_sends(&message);
        assert!(stage.sent.last().unwrap().1.starts_with("SIP/2.0 200 "));
    }
    look(&mut stage);
    stage.command(AgentCommand::Seen { conversation: ConversationId(2) });
    assert_eq!(said(&mut stage), Vec::<String>::new());
    let shown = stage.events.iter().filter(|event| matches!(event, Event::Received { .. })).count();
    assert_eq!(shown, 5, "a notification is nothing that anybody wrote");
}

#[test]
fn w28_many_notifications_leave_a_few_at_a_time_and_the_oldest_are_dropped() {
    use crate::limits::{RECEIPTS_OPEN_MAX, RECEIPTS_OWED_MAX};
    let mut stage = telling();
    let all = RECEIPTS_OWED_MAX + 10;
    for number in 0..all {
        stage.proxy_sends(&asking(&format!("c{number}"), "imdn.Disposition-Notification: display\n", "x"));
    }
    stage.sent.clear();
    look(&mut stage);
    assert_eq!(stage.sent.len(), RECEIPTS_OPEN_MAX);
    let said = said(&mut stage);
    assert_eq!((said.len(), said[0].as_str()), (RECEIPTS_OWED_MAX, "id-c10 displayed"));
}

#[test]
fn w28_a_notification_that_nobody_takes_is_lost_and_told_to_nobody() {
    let mut stage = telling();
    stage.proxy_sends(&asking("c1", BOTH, "x"));
    stage.events.clear();
    let request = stage.take_sent("MESSAGE");
    stage.answer(&request, "480 Temporarily Unavailable", "");
    stage.advance(Duration::from_secs(60));
    assert!(!stage.sent.iter().any(|(_, text)| text.starts_with("MESSAGE")), "{:?}", stage.sent);
    assert_eq!(stage.events, []);
    assert_eq!(stage.agent.unsent(), 0);
}

#[test]
fn w28_w30_a_proxy_that_asks_who_we_are_is_told() {
    let account = Account {
        receipts: true,
        sign_in: SignIn {
            password: crate::model::account::Password::new("secret".into()),
            ..SignIn::default()
        },
        ..account()
    };
    let mut stage = Stage::new(&account);
    let challenge =
        "Proxy-Authenticate: Digest realm=\"domain.com\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"\n";
    let asked = challenge.replace("Proxy", "WWW").replace("n1", "r1");
    stage.register("401 Unauthorized", &asked);
    let request = stage.take_sent("REGISTER");
    stage.accept_registration(&request, "");
    stage.knows(&["im:ann@domain.com"]);
    stage.proxy_sends(&asking("c1", BOTH, "x"));
    let request = stage.take_sent("MESSAGE");
    stage.answer(&request, "407 Proxy Authentication Required", challenge);
    let again = stage.take_sent("MESSAGE");
    assert!(has_field(&again, "Proxy-Authorization"), "{again}");
    assert_eq!((field(&again, "CSeq"), field(&again, "Call-ID")), ("2 MESSAGE", field(&request, "Call-ID")));
}
