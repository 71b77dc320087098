//! What a user cannot reach through the proxy: services of the proxy's own computer and link (W14).

use super::*;

const LARGE: usize = 2000;

/// A message that Fanfare has an address of its own for.
fn message(number: u32, bytes: usize) -> String {
    let message = submission(number).replace("Secondary-To: <im:bob@domain.com>\n", "");
    let (head, body) = message.split_once("\n\n").unwrap();
    let head = head.replace("Content-Length: 10", &format!("Content-Length: {}", body.len() + bytes));
    format!("{head}\n\n{body}{}", "x".repeat(bytes))
}

/// Where the proxy sends a MESSAGE, or connects to, from now on.
fn led_to(bench: &mut Bench) -> Vec<String> {
    bench.advance_ms(100);
    let sent = bench.sent.iter().filter(|sent| sent.text.starts_with("MESSAGE"));
    let sent = sent.map(|sent| sent.flow.remote.to_string());
    sent.chain(bench.connects.iter().map(|(_, hop)| hop.remote.to_string())).collect()
}

/// A proxy on a computer that has two interfaces besides the one where it listens.
fn on_a_computer_with_more_addresses() -> ProxyConfig {
    let interface_ips = ["203.0.113.9", "2001:db8::99"].map(|ip| ip.parse().unwrap()).to_vec();
    ProxyConfig { interface_ips, ..config() }
}

/// The addresses that this message of James leads to, from where he is; the last ones by a name of his.
fn reached(bench: &mut Bench, from: &str, (uri, resolved): (&str, &[&str]), number: u32) -> Vec<String> {
    let message = message(number, 0);
    let message = message.replace("MESSAGE sip:ann@domain.com", &format!("MESSAGE {uri}"));
    let message = message.replace("To: <im:ann@domain.com>", &format!("To: <{uri}>"));
    let given = nonce_at(bench, from, &message);
    let message = james(&given, "00000001").with(&message, "Proxy-Authorization");
    bench.sent.clear();
    bench.connects.clear();
    bench.receive(udp(from), &message);
    for (id, _) in std::mem::take(&mut bench.resolves) {
        let hop = |place: &&str| Hop { transport: Transport::Tcp, remote: address(place) };
        bench.input(Input::Resolved { id, hops: resolved.iter().map(hop).collect() });
    }
    led_to(bench)
}

#[test]
fn an_address_that_this_computer_gets_later_is_its_own_too() {
    let mut bench = asking_with(config());
    let to = ("sip:x@203.0.113.9:6379;transport=tcp", &[][..]);
    assert_eq!(reached(&mut bench, JAMES, to, 1), ["203.0.113.9:6379"]);
    bench.input(Input::Interfaces(["203.0.113.9".parse().unwrap()].into()));
    assert_eq!(reached(&mut bench, JAMES, to, 2), [] as [&str; 0]);
}

#[test]
fn w14_no_user_from_elsewhere_reaches_a_service_of_the_proxys_own_computer_or_link() {
    let mut bench = asking_with(on_a_computer_with_more_addresses());
    let cases: [(&str, &[&str]); 17] = [
        ("sip:x@127.0.0.1:6379;transport=tcp", &[]),
        ("sip:x@127.0.0.1:6379", &[]),
        ("sip:x@127.255.0.9:25;transport=tcp", &[]),
        ("sip:x@0.0.0.0:6379;transport=tcp", &[]),
        ("sip:x@[::1]:6379;transport=tcp", &[]),
        ("sip:x@[::]:6379;transport=tcp", &[]),
        ("sip:x@[::ffff:127.0.0.1]:6379;transport=tcp", &[]),
        ("sip:x@169.254.169.254:80;transport=tcp", &[]),
        ("sip:x@[fe80::1]:80;transport=tcp", &[]),
        ("sip:x@[fd00:ec2::254]:80;transport=tcp", &[]),
        ("sip:x@203.0.113.9:6379;transport=tcp", &[]),
        ("sip:x@203.0.113.9:6379", &[]),
        ("sip:x@[2001:db8::99]:6379;transport=tcp", &[]),
        ("sip:x@192.0.2.100:6379;transport=tcp", &[]),
        ("sip:x@inner.evil.example", &["127.0.0.1:6379"]),
        ("sip:x@inner.evil.example", &["[::1]:6379", "169.254.1.1:80"]),
        ("sip:x@evil.example;maddr=127.0.0.1;transport=tcp", &[]),
    ];
    for (number, case) in (1..).zip(cases) {
        assert_eq!(reached(&mut bench, JAMES, case, number), Vec::<String>::new(), "{case:?}");
    }
    let outside = ("sip:x@inner.evil.example", &["127.0.0.1:6379", "192.0.2.77:5060"][..]);
    assert_eq!(reached(&mut bench, JAMES, outside, 20), ["192.0.2.77:5060"], "what is outside is reached");
    let own = ("sip:x@127.0.0.1:6379;transport=tcp", &[][..]);
    assert_eq!(reached(&mut bench, "127.0.0.1:5070", own, 21), ["127.0.0.1:6379"], "who is there may");
}

/// James registers a Contact from where he is.
fn registers(bench: &mut Bench, contact: &str, cseq: u32) {
    let request = register("james", &format!("<{contact}>"), cseq, 3600);
    let asked = ask(bench, JAMES, &request);
    let given = nonce(fields(&asked, "WWW-Authenticate")[0]);
    let answer = ask(bench, JAMES, &james(&given, "00000001").with(&request, "Authorization"));
    assert_eq!(status(&answer), 200, "{answer}");
}

#[test]
fn w14_no_binding_leads_to_a_service_of_the_proxys_own_computer() {
    for (cseq, contact) in (1..).zip([
        "sip:x@127.0.0.1:6379",
        "sip:x@127.0.0.1:6379;transport=tcp",
        "sip:x@0.0.0.0:6379",
        "sip:x@[::1]:6379",
        "sip:x@169.254.169.254:80",
        "sip:x@203.0.113.9:6379",
    ]) {
        let mut bench = asking_with(on_a_computer_with_more_addresses());
        registers(&mut bench, contact, cseq);
        bench.sent.clear();
        for (number, bytes) in [(1, 0), (2, LARGE)] {
            let stranger = message(number, bytes)
                .replace("im:ann@domain.com", "im:james@domain.com")
                .replace("sip:ann@domain.com", "sip:james@domain.com")
                .replace("Proxy-Require: secondary-to\n", "")
                .replace("From: <im:james@domain.com>", "From: <sip:eve@elsewhere.com>");
            bench.receive(udp(ANOTHER), &stranger);
        }
        assert_eq!(led_to(&mut bench), Vec::<String>::new(), "{contact}");
    }
}

#[test]
fn w14_a_large_message_takes_no_connection_that_a_small_one_may_not() {
    let mut bench = asking();
    let uri = "sip:x@inner.evil.example";
    let large = message(1, LARGE).replace("sip:ann@domain.com", uri).replace("im:ann@domain.com", uri);
    let given = nonce_for(&mut bench, &large);
    bench.sent.clear();
    bench.receive(udp(JAMES), &james(&given, "00000001").with(&large, "Proxy-Authorization"));
    let (id, _) = bench.resolves.pop().expect("a look-up");
    let hops = [(Transport::Udp, "192.0.2.77:5060"), (Transport::Tcp, "127.0.0.1:6379")]
        .map(|(transport, place)| Hop { transport, remote: address(place) });
    bench.input(Input::Resolved { id, hops: hops.to_vec() });
    assert_eq!(led_to(&mut bench), ["192.0.2.77:5060"]);
}

#[test]
fn w14_who_is_trusted_at_an_address_opens_no_other_port_of_it() {
    let trust = vec!["127.0.0.1".parse().unwrap()];
    let mut bench = asking_with(ProxyConfig { trust, ..config() });
    let cases = [("sip:x@127.0.0.1:6379;transport=tcp", &[][..]), ("sip:x@127.0.0.1:6379", &[])];
    for (number, case) in (1..).zip(cases) {
        assert_eq!(reached(&mut bench, JAMES, case, number), Vec::<String>::new(), "{case:?}");
    }
    // The peer itself, once it has been heard.
    let peer = ("sip:x@127.0.0.1:5090", &[][..]);
    assert_eq!(reached(&mut bench, JAMES, peer, 10), Vec::<String>::new());
    bench.receive(udp("127.0.0.1:5090"), "\r\n\r\n");
    assert_eq!(reached(&mut bench, JAMES, peer, 11), ["127.0.0.1:5090"]);
}

#[test]
fn w14_an_address_of_this_computer_that_is_not_loopback_is_no_sign_of_who_is_inside() {
    let mut bench = asking_with(on_a_computer_with_more_addresses());
    let from = "203.0.113.9:40000";
    for (number, uri) in (1..).zip(["sip:x@127.0.0.1:6379", "sip:x@127.0.0.1:6379;transport=tcp"]) {
        assert_eq!(reached(&mut bench, from, (uri, &[]), number), Vec::<String>::new(), "{uri}");
    }
    // Back to where it comes from it may go, and so may the report.
    let own = ("sip:x@203.0.113.9:40000", &[][..]);
    assert_eq!(reached(&mut bench, from, own, 10), ["203.0.113.9:40000"]);
}
