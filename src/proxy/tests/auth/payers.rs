//! Who pays for looking up a name (W31).

use std::collections::BTreeSet;

use super::*;
use crate::limits::DIALS_PER_PAYER_MAX;

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

#[test]
fn w31_one_user_has_so_many_connections_opened_at_a_time_and_the_others_wait_for_their_turn() {
    let mut bench = asking();
    let many: Vec<_> = (0..DIALS_PER_PAYER_MAX + 30)
        .map(|number| format!("<sip:u@198.51.100.7:{};transport=tcp>", 10_000 + number))
        .collect();
    let text = submission(1).replace("<im:bob@domain.com>", &many.join(", "));
    let text = text.replace("im:ann@domain.com", "sip:u@198.51.100.7:9999;transport=tcp");
    let given = nonce_for(&mut bench, &text);
    bench.receive(udp(JAMES), &james(&given, "00000001").with(&text, "Proxy-Authorization"));
    assert_eq!(bench.connects.len(), DIALS_PER_PAYER_MAX);
    // Others are not concerned.
    let registration = register("ann", "<sip:ann@192.0.2.6;transport=tcp>", 1, 3600);
    let given = nonce(fields(&ask(&mut bench, ANN, &registration), "WWW-Authenticate")[0]);
    let ann = Said { username: "ann", password: "nna", ..james(&given, "00000001") };
    assert_eq!(status(&ask(&mut bench, ANN, &ann.with(&registration, "Authorization"))), 200);
    let stranger = submission(4).replace("james@domain.com", "eve@elsewhere.example");
    let stranger = stranger.replace("Secondary-To: <im:bob@domain.com>\n", "");
    bench.receive(udp(ANOTHER), &stranger.replace("Proxy-Require: secondary-to\n", ""));
    assert_eq!(bench.connects.len(), DIALS_PER_PAYER_MAX + 1);
    // One is decided, and the next one has its turn; all of them in the end.
    for number in 0..31 {
        let (id, _) = bench.connects[number];
        bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
    }
    assert_eq!(bench.connects.len(), DIALS_PER_PAYER_MAX + 1 + 31);
    let places: BTreeSet<_> = bench.connects.iter().map(|(_, hop)| hop.remote).collect();
    assert_eq!(places.len(), bench.connects.len(), "each once");
}
