//! Messages received: stored, told, answered, in this order and once (W7, W15).

use super::*;

use crate::model::journal::ConversationId;

pub(super) fn leg(call_id: &str, also_to: &str, text: &str) -> String {
    format!(
        "MESSAGE sip:james@{OWN} SIP/2.0\n\
         Via: SIP/2.0/UDP {PROXY};branch=z9hG4bK{call_id}\n\
         Max-Forwards: 69\n\
         From: \"Ann Lee\" <sip:ann@domain.com>;tag=leg-tag\n\
         To: <sip:james@domain.com>\n\
         {also_to}Call-ID: {call_id}\n\
         CSeq: 1 MESSAGE\n\
         Date: Sat, 13 Nov 2010 20:00:00 GMT\n\
         Content-Type: text/plain\n\
         Content-Length: {}\n\n{text}",
        text.len(),
    )
}

fn conversation(event: &Event) -> ConversationId {
    let Event::Received { conversation, .. } = event else { panic!("{event:?}") };
    *conversation
}

#[test]
fn a_message_is_kept_then_told_and_then_answered() {
    let mut stage = Stage::new(&account());
    stage.disk = Disk::Waits;
    stage.proxy_sends(&leg("c1", "Also-To: <sip:bob@domain.com>, <sip:cy@domain.com>\n", "Come here."));
    assert_eq!(stage.order, ["commit"]);
    stage.settle(Input::Committed);
    assert_eq!(stage.order, ["commit", "event", "sent"], "the owner hears of it before the 200 leaves");
    let person = |address: &str, name: &str| PersonRow { address: address.to_owned(), name: name.to_owned() };
    assert_eq!(
        stage.events,
        [Event::Received {
            conversation: ConversationId(1),
            message: MessageId(1),
            from: person("sip:ann@domain.com", "Ann Lee"),
            also_to: vec![person("sip:bob@domain.com", ""), person("sip:cy@domain.com", "")],
            content_type: "text/plain".to_owned(),
            text: "Come here.".to_owned(),
            files: Vec::new(),
            verified: true,
            at: stage.now.wall,
            call_id: "c1".into(),
            body: Bytes::from_static(b"Come here."),
        }]
    );
    let (flow, answer) = &stage.sent[0];
    assert_eq!(*flow, proxy_flow());
    assert!(
        answer.starts_with("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKc1\r\n"),
        "{answer}"
    );
    assert!(field(answer, "To").starts_with("<sip:james@domain.com>;tag="));
}

#[test]
fn w15_a_double_is_shown_once_and_answered_each_time() {
    let mut stage = Stage::new(&account());
    stage.proxy_sends(&leg("c1", "", "x"));
    // The proxy's own retransmission of the same transaction.
    stage.proxy_sends(&leg("c1", "", "x"));
    // The same leg resumed later, as a new transaction.
    let again = leg("c1", "", "x").replace("branch=z9hG4bKc1", "branch=z9hG4bKother");
    stage.proxy_sends(&again);
    assert_eq!(stage.events.len(), 1);
    assert_eq!(stage.sent.len(), 3);
    assert!(stage.sent.iter().all(|(_, text)| text.starts_with("SIP/2.0 200 ")));
    // After a restart as well.
    let mut after = Stage::with_rows(&account(), stage.stored_rows(), stage.now);
    after.proxy_sends(&again);
    assert_eq!(after.events, []);
    assert!(after.sent[0].1.starts_with("SIP/2.0 200 "));
    // With another CSeq it is another message.
    after.proxy_sends(&again.replace("CSeq: 1", "CSeq: 2").replace("Kother", "Kthird"));
    assert_eq!(after.events.len(), 1);
}

#[test]
fn w15_what_somebody_else_wrote_under_the_same_tag_and_call_id_is_no_double() {
    let mut stage = Stage::new(&account());
    let mut branch = 0..;
    let mut proxy_sends = |message: &str| {
        let number = branch.next().unwrap();
        stage.proxy_sends(&message.replace("branch=z9hG4bKc1", &format!("branch=z9hG4bKn{number}")));
        stage.events.len()
    };
    let first = leg("c1", "", "x");
    assert_eq!(proxy_sends(&first), 1);
    assert_eq!(proxy_sends(&first.replace("sip:ann@domain.com", "sip:bob@domain.com")), 2);
    assert_eq!(proxy_sends(&leg("c1", "", "y")), 3, "the same person, other words");
    // However the same address is spelled, it is the same message.
    assert_eq!(proxy_sends(&first.replace("sip:ann@domain.com", "im:ann@Domain.com.")), 3);
}

#[test]
fn w15_doubles_are_told_apart_for_eight_days() {
    let mut stage = Stage::new(&account());
    stage.proxy_sends(&leg("c1", "", "x"));
    stage.advance(Duration::from_secs(7 * 24 * 3600));
    stage.proxy_sends(&leg("c1", "", "x").replace("branch=z9hG4bKc1", "branch=z9hG4bKlater"));
    assert_eq!(stage.events.len(), 1);
    stage.advance(Duration::from_secs(2 * 24 * 3600));
    stage.proxy_sends(&leg("c2", "", "y"));
    let cutoff = stage.now.wall.as_millis() - 8 * 24 * 3600 * 1000;
    assert!(stage.rows.contains(&Write::ForgetKeysBefore(Timestamp::from_millis(cutoff))));
    stage.proxy_sends(&leg("c1", "", "x").replace("branch=z9hG4bKc1", "branch=z9hG4bKlatest"));
    assert_eq!(stage.events.len(), 3);
}

#[test]
fn a_disk_that_fails_has_the_message_sent_again() {
    let mut stage = Stage::new(&account());
    stage.disk = Disk::Waits;
    stage.proxy_sends(&leg("c1", "", "x"));
    stage.proxy_sends(&leg("c1", "", "x").replace("branch=z9hG4bKc1", "branch=z9hG4bKtwo"));
    let [first, second] = stage.waiting.clone()[..] else { panic!("{:?}", stage.waiting) };
    stage.input(Input::CommitFailed(first));
    stage.input(Input::Committed(second));
    assert_eq!(stage.events, [Event::Window(WindowEvent::NotStored)]);
    assert_eq!(stage.sent.len(), 2);
    assert!(
        stage.sent.iter().all(|(_, text)| text.starts_with("SIP/2.0 503 ")),
        "the double rests on the first"
    );
    assert!(stage.agent.heads().is_empty());
    stage.disk = Disk::Takes;
    stage.proxy_sends(&leg("c1", "", "x").replace("branch=z9hG4bKc1", "branch=z9hG4bKthree"));
    assert!(matches!(stage.events.last(), Some(Event::Received { .. })), "{:?}", stage.events);
    assert_eq!(stage.events.len(), 2);
}

#[test]
fn a_conversation_is_its_set_of_people_and_an_answer_goes_to_all() {
    let mut stage = Stage::connected();
    stage.send(&["im:bob@domain.com", "im:ann@domain.com"], "Hello both");
    stage.sent.clear();
    let group = "Also-To: <sip:bob@domain.com>\n";
    stage.proxy_sends(&leg("c1", group, "Hello James"));
    stage.proxy_sends(&leg("c2", "", "Just you"));
    stage.proxy_sends(
        &leg("c3", "Also-To: <sip:james@domain.com>\nAlso-To: <im:BOB@domain.com>\n", "x")
            .replace("im:BOB", "im:bob"),
    );
    let received: Vec<_> = stage.events.iter().filter(|it| matches!(it, Event::Received { .. })).collect();
    let places: Vec<_> = received.iter().map(|event| conversation(event)).collect();
    assert_eq!(places, [ConversationId(1), ConversationId(2), ConversationId(1)]);
    let (people, hidden) = stage.agent.people(ConversationId(1)).unwrap();
    let names: Vec<_> = people.iter().map(|person| person.name.as_str()).collect();
    assert_eq!((names, hidden), (vec!["bob", "ann"], false));
}

#[test]
fn w7_an_answer_to_a_hidden_list_belongs_to_the_pair() {
    let mut stage = Stage::connected();
    stage.command(AgentCommand::Send(Draft { hidden: true, ..draft(&ANN_AND_BOB, "x") }));
    stage.proxy_sends(&leg("c1", "", "What is it?"));
    stage.send(&ANN_AND_BOB, "openly");
    let heads = stage.agent.heads();
    let mut people: Vec<_> = heads.iter().map(|head| (head.id.0, head.people.len(), head.hidden)).collect();
    people.sort_unstable();
    assert_eq!(people, [(1, 2, true), (2, 1, false), (3, 2, false)]);
}

#[test]
fn a_message_comes_over_any_connection_that_the_server_opens() {
    let mut stage = Stage::new(&account());
    let flow = Flow { remote: "127.0.0.1:33333".parse().unwrap(), ..stream_flow(5) };
    stage.receive(flow, &leg("c1", "", "x"));
    assert_eq!(stage.events.len(), 1);
    assert_eq!(stage.sent[0].0, flow);
}

#[test]
fn w5_the_barest_message_is_taken() {
    let mut stage = Stage::new(&account());
    stage.proxy_sends(&format!(
        "MESSAGE sip:james@{OWN} SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5060\nFrom: im:ann@domain.com\n\
         To: im:james@domain.com\nCall-ID: bare\nCSeq: 1 MESSAGE\n\nHello"
    ));
    assert_eq!(stage.events.len(), 1);
    assert!(stage.sent[0].1.starts_with("SIP/2.0 200 "));
}

#[test]
fn what_is_no_text_is_named_and_what_is_no_message_is_refused() {
    let table = [
        ("text/plain", "200"),
        ("text/html;charset=utf-8", "200"),
        ("image/png", "200"),
        ("application/pdf", "200"),
        ("multipart/mixed;boundary=x", "200"),
        ("message/cpim", "200"),
        ("message/sipfrag", "415"),
        ("application/sdp", "415"),
        ("rubbish", "415"),
    ];
    for (content_type, status) in table {
        let mut stage = Stage::new(&account());
        let text =
            leg("c1", "", "x").replace("Content-Type: text/plain", &format!("Content-Type: {content_type}"));
        stage.proxy_sends(&text);
        let answer = &stage.sent[0].1;
        assert!(answer.starts_with(&format!("SIP/2.0 {status} ")), "{content_type}: {answer}");
        assert_eq!(has_field(answer, "Accept"), status == "415");
        assert_eq!(stage.events.len(), usize::from(status == "200"));
    }
}

#[test]
fn what_we_do_not_do_is_answered_plainly() {
    let base = leg("c1", "", "x");
    let method = |name: &str| {
        base.replace("MESSAGE sip:", &format!("{name} sip:")).replace("1 MESSAGE", &format!("1 {name}"))
    };
    let table = [
        (method("SUBSCRIBE"), "405", Some("Allow")),
        (method("INVITE"), "405", Some("Allow")),
        (method("BYE"), "481", None),
        (method("FROB"), "501", None),
        (base.replace("Max-Forwards", "Require: frob\nMax-Forwards"), "420", Some("Unsupported")),
        (
            base.replace("Content-Type", "Content-Encoding: gzip\nContent-Type"),
            "415",
            Some("Accept-Encoding"),
        ),
        (base.replace("CSeq: 1 MESSAGE", "CSeq: x"), "400", None),
    ];
    for (text, status, with) in table {
        let mut stage = Stage::new(&account());
        stage.proxy_sends(&text);
        let answer = &stage.sent[0].1;
        assert!(answer.starts_with(&format!("SIP/2.0 {status} ")), "{status}: {answer}");
        assert!(with.is_none_or(|name| has_field(answer, name)), "{answer}");
        assert_eq!(stage.events, []);
    }
    // Somebody else used our port before, and his binding still exists.
    let mut stage = Stage::new(&account());
    stage.receive(stream_flow(7), &base.replace("MESSAGE sip:james@", "MESSAGE sip:bob@"));
    assert!(stage.sent[0].1.starts_with("SIP/2.0 403 "), "{}", stage.sent[0].1);
    assert_eq!(stage.events, []);
}

#[test]
fn what_a_gateway_sends_in_a_transfer_encoding_is_read() {
    for (encoding, body, text) in [
        ("base64", "Z3LDvMOf", "grüß"),
        ("Quoted-Printable", "gr=C3=BC=C3=9F", "grüß"),
        ("8bit", "gr=C3=BC", "gr=C3=BC"),
        ("base64", "not in it!", "not in it!"),
    ] {
        let mut stage = Stage::new(&account());
        let field = format!("Content-Transfer-Encoding: {encoding}\nContent-Type");
        stage.proxy_sends(&leg("c1", "", body).replace("Content-Type", &field));
        assert!(stage.sent[0].1.starts_with("SIP/2.0 200 "), "{}", stage.sent[0].1);
        let body_of = |write: &Write| {
            let Write::Incoming(row) = write else { return None };
            Some(String::from_utf8_lossy(&row.body).into_owned())
        };
        let bodies: Vec<_> = stage.rows.iter().filter_map(body_of).collect();
        assert_eq!(bodies, [text], "{encoding} {body}");
    }
}

#[test]
fn options_says_what_we_can() {
    let mut stage = Stage::new(&account());
    stage.proxy_sends(&leg("c1", "", "").replace("MESSAGE", "OPTIONS"));
    let answer = &stage.sent[0].1;
    assert!(answer.starts_with("SIP/2.0 200 "));
    assert_eq!(field(answer, "Allow"), "MESSAGE, NOTIFY, OPTIONS");
    assert!(field(answer, "Accept").contains("text/plain"));
    assert_eq!(field(answer, "Supported"), "", "we fan out nothing ourselves");
}

fn composing(state: &str) -> String {
    let body = format!("<isComposing><state>{state}</state><refresh>90</refresh></isComposing>");
    format!(
        "MESSAGE sip:james@{OWN} SIP/2.0\n\
         Via: SIP/2.0/UDP {PROXY};branch=z9hG4bKc{state}\n\
         Max-Forwards: 70\n\
         From: <sip:ann@domain.com>;tag=c1\n\
         To: <sip:james@domain.com>\n\
         Call-ID: c{state}@bare\n\
         CSeq: 1 MESSAGE\n\
         Content-Type: application/im-iscomposing+xml\n\
         Content-Length: {}\n\n{body}",
        body.len()
    )
}

#[test]
fn w28_what_became_of_a_message_is_answered_and_is_no_message() {
    let imdn = "<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\"><message-id>1</message-id></imdn>";
    let wrapped = format!("From: <im:ann@domain.com>\n\nContent-Type: message/imdn+xml\n\n{imdn}");
    for (number, kind, body) in [(1, "message/imdn+xml", imdn), (2, "message/cpim", &wrapped)] {
        let mut stage = Stage::connected();
        let rows = stage.rows.len();
        let text = composing("active")
            .split("Content-Type")
            .next()
            .unwrap()
            .replace("cactive", &format!("i{number}"));
        let body = body.replace('\n', "\r\n");
        stage.proxy_sends(&format!("{text}Content-Type: {kind}\nContent-Length: {}\n\n{body}", body.len()));
        assert!(stage.sent[0].1.starts_with("SIP/2.0 200 "), "{}", stage.sent[0].1);
        assert!(stage.events.is_empty() && stage.rows.len() == rows, "{:?}", stage.events);
    }
}

#[test]
fn who_is_writing_is_told_for_as_long_as_he_says_and_not_kept() {
    let mut stage = Stage::connected();
    stage.proxy_sends(&composing("active"));
    assert_eq!(stage.events, [], "in a conversation that there is not it is no news");
    stage.send(&["sip:ann@domain.com"], "Hi");
    stage.events.clear();
    stage.sent.clear();
    let rows = stage.rows.len();
    stage.proxy_sends(&composing("active").replace("cactive", "cagain"));
    let until = Some(stage.now.mono + Duration::from_secs(90));
    let told = |until| {
        Event::Window(WindowEvent::Composing {
            conversation: ConversationId(1),
            from: PersonRow { address: "sip:ann@domain.com".into(), name: String::new() },
            until,
        })
    };
    assert_eq!(stage.events, [told(until)]);
    assert!(stage.sent[0].1.starts_with("SIP/2.0 200 OK"));
    stage.proxy_sends(&composing("idle"));
    assert_eq!(stage.events.last(), Some(&told(None)));
    assert_eq!(stage.rows.len(), rows, "nothing of it is kept");
}

#[test]
fn w4_bodies_of_several_parts_and_other_wrappers_are_taken_and_their_text_is_told() {
    let multipart = "--b\r\nContent-Type: text/plain\r\n\r\nCome here.\r\n--b\r\nContent-Type: image/png\r\n\r\npixels\r\n--b--\r\n";
    let cpim = "From: <im:ann@domain.com>\r\nTo: <im:james@domain.com>\r\n\r\nContent-Type: text/plain\r\n\r\nCome here.";
    for (number, (content_type, body)) in [
        ("multipart/mixed;boundary=b", multipart),
        ("message/cpim", cpim),
        ("text/html", "<p>Come <b>here</b>.</p>"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut stage = Stage::connected();
        let head = format!(
            "MESSAGE sip:james@{OWN} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {PROXY};branch=z9hG4bKm{number}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:ann@domain.com>;tag=m{number}\r\n\
             To: <sip:james@domain.com>\r\n\
             Call-ID: m{number}@bare\r\n\
             CSeq: 1 MESSAGE\r\n\
             Content-Type: {content_type}\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        stage.proxy_sends(&(head + body));
        let text = stage.events.iter().find_map(|event| {
            let Event::Received { text, .. } = event else { return None };
            Some(text.trim().to_owned())
        });
        assert_eq!(text.as_deref(), Some("Come here."), "{content_type}");
        assert!(stage.sent[0].1.starts_with("SIP/2.0 200 OK"), "{content_type}");
    }
}
