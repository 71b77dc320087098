//! Kamailio as an account's server: our client registers there over each transport, receives messages, and writes to
//! third-party clients registered there.

use std::time::Instant;

use super::linphone::Linphone;
use crate::baresip::Baresip;
use crate::common::{objects, wait_for_binding};
use crate::kamailio::Kamailio;
use crate::program::{Program, WAIT, fanfare, fanfare_command};
use crate::socket::{Phone, submission};

/// James writes to somebody until it arrives: nothing tells us when the recipient has registered.
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
    let kamailio = Kamailio::with_tls(|_| String::new());
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

fn fanfare_with(password: &str, args: &[&str]) -> Program {
    let mut command = fanfare_command(args);
    command.env("FANFARE_PASSWORD", password);
    Program::start("fanfare", command, None)
}

#[test]
fn w30_our_client_signs_in_at_kamailio_over_udp_tcp_and_tls_to_register_and_to_write() {
    let kamailio = Kamailio::asking_passwords(&["ann1", "ann2", "ann3", "james"]);
    let authority = kamailio.authority();
    let shared = ["--json", "--tls-ca", &authority];
    for (number, server) in (1..).zip(&kamailio.servers()) {
        let ann = format!("sip:ann{number}@domain.com");
        let listen = ["listen", "--as", &ann, "--proxy", server];
        let listening = fanfare_with("secret", &[&listen[..], &shared].concat());
        let send =
            ["send", "--from", "sip:james@domain.com", "--proxy", server, "--to", &ann, "--text", server];
        let send = [&send[..], &shared].concat();
        // Nothing tells us when she has registered, and until then she is not found.
        let until = Instant::now() + WAIT;
        loop {
            let ended = fanfare_with("secret", &send).end();
            let lines = objects(&ended.out);
            let told =
                lines.iter().rfind(|line| line["to"] == ann.as_str()).unwrap_or_else(|| panic!("{ended:?}"));
            if told["status"] == 200 {
                assert_eq!((ended.code(), &told["state"]), (0, &"success".into()), "{ended:?}");
                break;
            }
            assert!(told["status"] == 404 && Instant::now() < until, "{ended:?}");
        }
        let shown = objects(&[listening.line_with(&format!("\"text\":\"{server}\""))]).remove(0);
        assert_eq!(shown["from"], "sip:james@domain.com", "{server}");
        let wrong = fanfare_with("wrong", &send).end();
        assert!(wrong.code() != 0 && !wrong.said().contains("success"), "{server}: {wrong:?}");
    }
}

#[test]
fn linphone_and_baresip_at_a_stock_kamailio_over_tcp_get_what_we_send_one_by_one() {
    let kamailio = Kamailio::start();
    let linphone = Linphone::register("linda", kamailio.address, "tcp");
    let baresip = Baresip::register("bella", kamailio.address, "tcp", "sip:james@domain.com");
    let over = kamailio.udp();
    let args = ["send", "--from", "im:james@domain.com", "--proxy", &over, "--text", "Come here.", "--json"];
    let to = ["--to", "im:linda@domain.com", "--to", "im:bella@domain.com"];
    let ended = fanfare(&[&args[..], &to].concat()).end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    linphone.wait_for("sip:james@domain.com", "Come here.");
    baresip.wait_for("sip:james@domain.com: \"Come here.\"");
}
