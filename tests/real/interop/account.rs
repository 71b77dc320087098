//! Kamailio as the server of an account: our client registers there, over each transport, and gets what is sent to it.

use std::time::Instant;

use crate::common::{objects, wait_for_binding};
use crate::kamailio::Kamailio;
use crate::program::{WAIT, fanfare};
use crate::socket::{Phone, submission};

/// James writes to somebody until it arrives: nobody tells when that one has registered.
fn write_to(person: &str, text: &str, kamailio: &Kamailio) {
    let james = Phone::new();
    let until = Instant::now() + WAIT;
    loop {
        let message = submission(james.address, &[person], "", text)
            .replace("Proxy-Require: secondary-to\r\n", "")
            .replace("im:james", "sip:james");
        let answer = james.ask(kamailio.address, &message);
        if answer.start() == "SIP/2.0 200 OK" {
            return;
        }
        assert!(answer.start() == "SIP/2.0 404 Not Found" && Instant::now() < until, "{}", answer.text);
    }
}

#[test]
fn w32_our_client_registers_at_kamailio_over_udp_tcp_and_tls_and_gets_what_is_sent() {
    let kamailio = Kamailio::with_tls("", |_| ());
    let authority = kamailio.authority();
    let servers = kamailio.servers();
    assert_eq!(servers.len(), 3);
    for (number, server) in (1..).zip(&servers) {
        let (user, text) = (format!("ann{number}"), format!("Through {server}"));
        let address = format!("sip:{user}@domain.com");
        let ann = fanfare(&["listen", "--as", &address, "--proxy", server, "--json", "--tls-ca", &authority]);
        wait_for_binding(&user, kamailio.address);
        write_to(&address, &text, &kamailio);
        let shown = objects(&[ann.line_with(&text)]).remove(0);
        assert_eq!(shown["from"], "sip:james@domain.com", "{server}");
    }
}
