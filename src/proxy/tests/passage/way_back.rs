//! A response goes back the way its request came, whatever the Via claims (RFC 3261 §18.2.2).

use super::*;

/// Transports that the stranger's Via claims.
const SAID: [&str; 5] = ["TCP", "TLS", "WS", "WSS", "SCTP"];

fn saying(text: &str, transport: &str) -> String {
    text.replace(&format!("SIP/2.0/UDP {STRANGER}"), &format!("SIP/2.0/{transport} 203.0.113.66:22"))
}

/// Everything sent to the stranger went over UDP to the address that the requests came from.
fn answers_in_datagrams(bench: &mut Bench) -> Vec<u16> {
    assert!(bench.connects.is_empty() && bench.resolves.is_empty(), "{:?}", bench.connects);
    let sent = bench.take_sent(STRANGER);
    assert!(sent.iter().all(|sent| sent.flow == udp(STRANGER)), "{sent:?}");
    sent.iter().map(|sent| status(&sent.text)).collect()
}

#[test]
fn rfc_3261_18_2_2_every_answer_to_a_datagram_is_a_datagram() {
    let mut bench = asking();
    let methods = [
        "MESSAGE",
        "OPTIONS",
        "REGISTER",
        "SUBSCRIBE",
        "NOTIFY",
        "PUBLISH",
        "BYE",
        "CANCEL",
        "INVITE",
        "INFO",
        "FOO",
    ];
    let mut number = 0;
    for transport in SAID {
        for (method, uri) in methods.iter().flat_map(|method| {
            ["sip:nobody@domain.com", "sip:domain.com", "sip:x@third.test", "mailto:x@y.org"]
                .into_iter()
                .map(move |uri| (method, uri))
        }) {
            number += 1;
            let text = request(method, uri, (EVE, TO_BOB), &format!("d{number}"), "");
            bench.receive(udp(STRANGER), &saying(&text, transport));
            assert_eq!(answers_in_datagrams(&mut bench).len(), 1, "{method} {uri} {transport}");
        }
        // Forwarded requests, with and without state.
        for method in ["INVITE", "BYE", "MESSAGE", "OPTIONS"] {
            number += 1;
            let text = request(method, "sip:bob@domain.com", (EVE, TO_BOB), &format!("d{number}"), "");
            bench.receive(
                udp(STRANGER),
                &saying(&text.replace("call-1", &format!("call-{number}")), transport),
            );
            let passed = bench.take_one(BOB);
            for line in ["180 Ringing", "200 OK"].into_iter().skip(usize::from(method != "INVITE")) {
                bench.receive(udp(BOB), &answered(&passed, line, &format!("sip:bob@{BOB}")));
                assert_eq!(answers_in_datagrams(&mut bench).len(), 1, "{method} {transport} {line}");
            }
        }
        bench.advance(Duration::from_secs(60));
    }
}

#[test]
fn rfc_3261_18_2_2_an_answer_to_what_came_over_a_connection_goes_there_or_to_where_its_client_listens() {
    for said in ["TCP", "UDP", "TLS", "WS"] {
        let mut bench = asking();
        let stream = tcp("203.0.113.66:40000", 5);
        let text =
            call().replace(&format!("SIP/2.0/UDP {STRANGER}"), &format!("SIP/2.0/{said} 203.0.113.66:5070"));
        bench.receive(stream, &text);
        let invite = bench.take_one(BOB);
        bench.receive(udp(BOB), &answered(&invite, "180 Ringing", &format!("sip:bob@{BOB}")));
        let ringing = bench.take_sent("203.0.113.66:40000");
        assert_eq!(ringing.iter().map(|sent| sent.flow).collect::<Vec<_>>(), [stream], "{said}");
        bench.input(Input::Disconnected { flow: stream });
        bench.receive(udp(BOB), &answered(&invite, "200 OK", &format!("sip:bob@{BOB}")));
        let wanted: Vec<_> = bench.connects.iter().map(|(_, hop)| (hop.transport, hop.remote)).collect();
        let listens = (Transport::Tcp, address("203.0.113.66:5070"));
        assert_eq!(wanted, if said == "TCP" { vec![listens] } else { vec![] }, "{said}");
        assert!(bench.sent.is_empty(), "{said}: {:?}", bench.sent);
    }
}
