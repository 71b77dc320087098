//! What a user cannot reach through the proxy: services of the proxy's own computer and link (W14).

use super::*;

/// The addresses that this message of James leads to, from where he is; the last ones by a name of his.
fn reached(bench: &mut Bench, from: &str, (uri, resolved): (&str, &[&str]), number: u32) -> Vec<String> {
    let message = submission(number).replace("Secondary-To: <im:bob@domain.com>\n", "");
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
    bench.advance_ms(100);
    let sent = bench.sent.iter().filter(|sent| sent.text.starts_with("MESSAGE"));
    let sent = sent.map(|sent| sent.flow.remote.to_string());
    sent.chain(bench.connects.iter().map(|(_, hop)| hop.remote.to_string())).collect()
}

#[test]
fn w14_no_user_from_elsewhere_reaches_a_service_of_the_proxys_own_computer_or_link() {
    let mut bench = asking();
    let cases: [(&str, &[&str]); 12] = [
        ("sip:x@127.0.0.1:6379;transport=tcp", &[]),
        ("sip:x@127.0.0.1:6379", &[]),
        ("sip:x@127.255.0.9:25;transport=tcp", &[]),
        ("sip:x@0.0.0.0:6379;transport=tcp", &[]),
        ("sip:x@[::1]:6379;transport=tcp", &[]),
        ("sip:x@[::]:6379;transport=tcp", &[]),
        ("sip:x@[::ffff:127.0.0.1]:6379;transport=tcp", &[]),
        ("sip:x@169.254.169.254:80;transport=tcp", &[]),
        ("sip:x@[fe80::1]:80;transport=tcp", &[]),
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
