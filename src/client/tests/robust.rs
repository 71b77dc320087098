//! Bytes from the network never make the machine panic, loop or send endlessly.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Messages with bytes changed, cut or repeated, from the proxy and from strangers, at any stage.
    #[test]
    fn any_bytes_do_no_harm(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4, 0_usize..4), 1..12),
    ) {
        let mut stage = Stage::connected();
        let request = stage.send_accepted(&ANN_AND_BOB);
        let seeds = [
            notify(&request, 1, "terminated", "im:ann@domain.com delivery success\n"),
            response(&request, "202 Accepted", "Supported: secondary-to\n"),
            String::from("MESSAGE sip:james@domain.com SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5060\nFrom: im:ann@domain.com\n\
                     To: im:james@domain.com\nAlso-To: <sip:bob@domain.com>\nCall-ID: bare\nCSeq: 1 MESSAGE\n\nHello"),
            String::from("OPTIONS sip:james@domain.com SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKo\n\
                     From: <sip:ann@domain.com>;tag=1\nTo: <sip:james@domain.com>\nCall-ID: o\nCSeq: 1 OPTIONS\n\n"),
        ];
        let seeds = seeds.map(|seed| seed.replace("sip:james@domain.com SIP", &format!("{} SIP", stage.contact())));
        for (place, byte, kind, seed) in changes {
            let mut bytes = wire(&stage.to_contact(&seeds[seed])).to_vec();
            let at = place.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at),
                2 => bytes.insert(at, byte),
                _ => { let tail = bytes[at..].to_vec(); bytes.extend(tail); }
            }
            let before = stage.sent.len();
            stage.input(Input::Received { flow: proxy_flow(), bytes: bytes.into() });
            prop_assert!(stage.sent.len() <= before + 1, "one answer at most");
        }
        stage.advance(Duration::from_secs(120));
    }
}
