//! Who pays for looking up a name (W31).

use super::*;

/// Who has paid for the last look-up, if it was of that name.
fn payer(bench: &mut Bench, name: &str) -> String {
    let (uri, payer) = bench.payers.pop().unwrap();
    assert!(uri.contains(name), "{uri}");
    payer
}

#[test]
fn w31_whoever_chose_a_name_pays_for_looking_it_up() {
    let mut bench = asking();
    // A message to many, an ordinary one, and a call.
    let ordinary = |text: &str| {
        text.replace("Secondary-To: <im:bob@domain.com>\n", "").replace("Proxy-Require: secondary-to\n", "")
    };
    let call = |text: &str| ordinary(text).replace("MESSAGE", "INVITE").replace("<im:ann", "<sip:ann");
    let texts = [submission(1), ordinary(&submission(2)), call(&submission(3))];
    for (number, text) in texts.into_iter().enumerate() {
        let text = text.replace("ann@domain.com", &format!("x@n{number}.example"));
        let given = nonce_for(&mut bench, &text);
        bench.receive(udp(JAMES), &james(&given, "00000001").with(&text, "Proxy-Authorization"));
        assert_eq!(payer(&mut bench, &format!("n{number}.example")), "james@domain.com", "{text}");
    }
    // Ann has registered a name, to which others write.
    let text = register("ann", "<sip:ann@home.example>", 1, 3600);
    let given = nonce(fields(&ask(&mut bench, ANN, &text), "WWW-Authenticate")[0]);
    let ann = Said { username: "ann", password: "nna", ..james(&given, "00000001") };
    assert_eq!(status(&ask(&mut bench, ANN, &ann.with(&text, "Authorization"))), 200);
    let stranger = ordinary(&submission(4)).replace("james@domain.com", "eve@elsewhere.example");
    bench.receive(udp(ANOTHER), &stranger);
    assert_eq!(payer(&mut bench, "home.example"), "ann@domain.com");
    // Where it leads, somebody redirects to a name.
    let text = submission(5).replace("im:bob@domain.com", "im:cy@domain.com");
    let given = nonce_for(&mut bench, &text);
    bench.receive(udp(JAMES), &james(&given, "00000001").with(&text, "Proxy-Authorization"));
    assert_eq!(payer(&mut bench, "home.example"), "ann@domain.com");
    let (id, _) = bench.resolves.pop().unwrap();
    let hop = Hop { transport: Transport::Udp, remote: address("192.0.2.66:5060") };
    bench.input(Input::Resolved { id, hops: vec![hop] });
    let leg = bench.take_one("192.0.2.66:5060");
    let moved = "Contact: <sip:ann@moved.example>\n";
    bench.answer_with(udp("192.0.2.66:5060"), &leg, "302 Moved", moved);
    assert_eq!(payer(&mut bench, "moved.example"), "from 192.0.2.66");
}

#[test]
fn w31_a_look_up_has_an_end_when_nobody_waits_for_it_any_more() {
    let mut bench = asking();
    let text = submission(1).replace("ann@domain.com", "x@silent.example");
    let given = nonce_for(&mut bench, &text);
    bench.receive(udp(JAMES), &james(&given, "00000001").with(&text, "Proxy-Authorization"));
    let start = bench.now.mono;
    assert_eq!(bench.untils, [Some(start + Duration::from_secs(32))], "one Timer F");
}
