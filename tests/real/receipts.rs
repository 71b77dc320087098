//! What became of a message, said by the program of who got it (RFC 5438, W28).

use crate::common::{Proxy, listener};
use crate::socket::{Answering, Message, Phone, submission};

/// RFC 5438 §6's request, from James to Bob.
const CPIM: &str = "From: <im:james@domain.com>\r\nTo: <im:bob@domain.com>\r\nDateTime: 2006-04-04T12:16:49-05:00\r\n\
    NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 34jk324j\r\n\
    imdn.Disposition-Notification: positive-delivery, display\r\n\r\nContent-Type: text/plain\r\n\r\nCome here.";

/// What was said of the message so far, without repetitions over UDP.
fn said(seen: &[Message]) -> Vec<&'static str> {
    let mut said = Vec::new();
    for came in seen.iter().filter(|message| message.method() == "MESSAGE") {
        assert_eq!(came.value("Content-Type"), "message/cpim");
        assert!(came.value("From").starts_with("<sip:bob@domain.com>"), "{}", came.text);
        let body = came.body();
        assert!(
            body.contains("\r\nContent-Type: message/imdn+xml\r\nContent-Disposition: notification\r\n"),
            "{body}"
        );
        assert!(body.contains("<message-id>34jk324j</message-id>"), "{body}");
        let word = if body.contains("<displayed/>") { "displayed" } else { "delivered" };
        if !said.contains(&word) {
            said.push(word);
        }
    }
    said.sort_unstable();
    said
}

#[test]
fn w28_listen_says_that_it_was_delivered_and_where_it_is_to_that_it_was_seen() {
    let cases: [(&[&str], &[&str]); 2] =
        [(&[], &["delivered"]), (&["--receipts"], &["delivered", "displayed"])];
    for (extra, expected) in cases {
        let proxy = Proxy::start();
        let bob = listener("bob", &proxy, extra);
        let james = Phone::new();
        james.register("james", proxy.address);
        let james = Answering::new(james, |_, _| Some("200 OK"));
        let desk = Phone::new();
        let sent = submission(desk.address, &["im:bob@domain.com"], "", CPIM)
            .replace("text/plain\r\nContent-Length", "message/cpim\r\nContent-Length");
        assert_eq!(desk.ask(proxy.address, &sent).start(), "SIP/2.0 202 Accepted");
        bob.line_with("sip:james@domain.com: Come here.");
        james.wait("what became of it", |seen| (said(seen).len() >= expected.len()).then_some(()));
        // It ends after all that it has to say.
        bob.signal("TERM");
        assert_eq!(bob.end().code(), 0);
        assert_eq!(said(&james.seen()), expected);
    }
}
