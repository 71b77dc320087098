//! No input panics: truncations at every byte, a million seeded mutations, streams in random pieces.

use std::net::SocketAddr;

use bytes::Bytes;
use fanfare::random::Random;
use fanfare::sip::{
    Compose, Edit, Framed, Framer, Leg, LegTemplate, Message, NameAddr, ReportOptions, Request, Uri, also_to,
    parse, read_report, recipients, refusal, second_reader, write_report,
};

use crate::reading::message;
use crate::torture::files;

fn source() -> SocketAddr {
    "192.0.2.9:5060".parse().unwrap()
}

/// Does with `bytes` all that any layer does with bytes from the network. True when they were a message.
fn use_up(bytes: &[u8]) -> bool {
    match parse(Bytes::copy_from_slice(bytes)) {
        Ok(Message::Request(request)) => use_request(&request),
        Ok(Message::Response(response)) => {
            use_fields(response.fields());
            let printed = Edit::response(&response).pop("Via").remove("Contact").print();
            assert!(printed[..7].eq_ignore_ascii_case(b"SIP/2.0") && matches!(printed[7], b' ' | b'\t'));
            assert!((100..700).contains(&response.status()) && response.reason().len() < bytes.len());
        }
        Err(error) => {
            assert!([400, 413, 505].contains(&error.status()), "{error}");
            let reason = error.reason();
            assert!(
                reason.len() < 120 && reason.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
                "{reason}"
            );
            if let Some(refusal) = refusal(bytes, &error, source(), "t") {
                assert!(refusal.starts_with(b"SIP/2.0 ") && refusal.ends_with(b"\r\n\r\n"));
            }
            return false;
        }
    }
    true
}

fn use_fields(fields: &fanfare::sip::Fields) {
    let (from, to, via) = (fields.from(), fields.to(), fields.top_via());
    drop(via);
    for address in [&from, &to] {
        assert!(
            address.uri.same_as(&address.uri.to_sip())
                || address.uri.to_sip() != address.uri
                || has_doubles(&address.uri)
        );
        assert!(fanfare::sip::Aor::parse(address.uri.aor().as_str()).is_some());
        assert_eq!(NameAddr::parse(&address.to_string()).as_ref(), Ok(address));
    }
    drop((
        fields.max_forwards(),
        fields.expires(),
        fields.contacts(),
        fields.routes("Route"),
        also_to(fields),
    ));
    drop((ReportOptions::of(fields), fields.tokens("Supported").count()));
}

/// §19.1.1 forbids two parameters of one name; a URI with such need not equal itself.
fn has_doubles(uri: &Uri) -> bool {
    let names: Vec<_> =
        uri.as_str().split(';').skip(1).map(|param| param.split('=').next().unwrap_or_default()).collect();
    names
        .iter()
        .enumerate()
        .any(|(at, name)| names.iter().skip(at + 1).any(|other| other.eq_ignore_ascii_case(name)))
        || uri.as_str().contains('%')
}

fn use_request(request: &Request) {
    let fields = request.fields();
    assert!(!fields.call_id().is_empty() && !fields.top_via().host.is_empty());
    use_fields(fields);
    let edited =
        Edit::request(request).push_front("Via", "SIP/2.0/UDP p;branch=z9hG4bKp").set("Max-Forwards", 3);
    let edited = edited.remove_token("Proxy-Require", "secondary-to").pop("Route").print();
    assert!(matches!(parse(edited), Ok(Message::Request(again)) if again.body() == request.body()));
    let response = Compose::response(request, 200, None, "t", source()).finish();
    assert!(matches!(parse(response), Ok(Message::Response(response)) if response.status() == 200));
    if let Ok(list) = recipients(request.fields()) {
        let template = LegTemplate::new(request, &list, "now");
        let via = "SIP/2.0/UDP p;branch=z9hG4bKl";
        let leg = Leg {
            recipient: 0,
            uri: request.uri(),
            via,
            from_tag: "t",
            call_id: "c",
            cseq: 1,
            dialog: None,
            routes: &[],
            expires: Some(1),
            branches: 2,
            asserted: None,
        };
        assert!(
            matches!(parse(template.print(&leg)), Ok(Message::Request(leg)) if leg.body() == request.body())
        );
    }
}

/// Small inputs of every kind, so that a mutation often hits something.
fn seeds() -> Vec<Vec<u8>> {
    let fields = [
        "Secondary-To: \"B, \\\"C\\\"\" <im:b@d;x=y>;copy=bcc, im:c@d;x;sip:e@[::1]:5060\r\nDelivery-Report: each;detail;id=\"x\"\r\n",
        "Contact: <sip:%61@192.0.2.1:5060;transport=tcp>;expires=60;q=0.5\r\nRoute: <sip:p;lr>, <sip:q>\r\nAlso-To: sip:x@y\r\n",
        "k: a, b\r\nX:\r\n folded\r\n\tvalue\r\nProxy-Require: secondary-to, x\r\nExpires: 5\r\nl: 2\r\n",
    ];
    let mut seeds: Vec<_> =
        fields.iter().map(|fields| message("\"Ann\" <im:ann@domain.com>;x", fields, "hi")).collect();
    seeds.push(b"SIP/2.0 202 Accepted\r\nv: SIP/2.0/UDP p;branch=z9hG4bKb , SIP/2.0/TCP h:1;rport\r\nf: sip:a@b;tag=1\r\nt: <sip:c@d>\r\ni: x\r\nCSeq: 5 MESSAGE\r\nl: 0\r\n\r\n".to_vec());
    seeds.push(
        b"OPTIONS sip:a SIP/2.0\r\nv:SIP/2.0/UDP h\r\nf:sip:a\r\nt:sip:b\r\ni:x\r\nCSeq:1 OPTIONS\r\n\r\n"
            .to_vec(),
    );
    seeds
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let pieces: [&[u8]; 16] = [
        b"\r\n",
        b"\r\n ",
        b"\"",
        b"\\",
        b"<",
        b">",
        b";",
        b",",
        b":",
        b"@",
        b"%0",
        b"\xff",
        "\u{e9}".as_bytes(),
        b" ",
        b"=",
        b"?",
    ];
    for _ in 0..=random.below(3) {
        let at = usize::try_from(random.below(bytes.len() as u64 + 1)).unwrap();
        let piece = pieces[usize::try_from(random.below(16)).unwrap()];
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => drop(bytes.splice(at..at, piece.iter().copied())),
            3 => {
                let end = (at + usize::try_from(random.below(12)).unwrap()).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = usize::try_from(random.below(bytes.len() as u64 + 1)).unwrap();
                drop(bytes.splice(to..to, copy));
            }
            _ => {
                let end = (at + piece.len()).min(bytes.len());
                drop(bytes.splice(at..end, piece.iter().copied()));
            }
        }
    }
}

#[test]
fn truncation_at_every_byte_is_refused_or_read() {
    let torture = files();
    let mut read = 0_u32;
    for bytes in torture.values().cloned().chain(seeds()) {
        for end in 0..bytes.len() {
            read += u32::from(use_up(&bytes[..end]));
            drop(second_reader::read(&bytes[..end]));
        }
    }
    assert!(read > 0, "messages without Content-Length are whole at each byte of their body");
}

#[test]
fn a_quarter_of_a_million_mutated_messages_do_no_harm() {
    let (seeds, mut random) = (seeds(), Random::from_seed(4475));
    let (mut good, mut bad) = (0_u32, 0_u32);
    for round in 0..250_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        mutate(&mut bytes, &mut random);
        if use_up(&bytes) { good += 1 } else { bad += 1 }
    }
    assert!(good > 25_000 && bad > 25_000, "mutations on both sides of the line: {good} {bad}");
}

#[test]
fn three_quarters_of_a_million_mutated_values_do_no_harm() {
    let mut random = Random::from_seed(3428);
    let address = b"\"A \\\"\" <sip:a%20b;c:d@[::1]:5060;lr=x?y=z>;tag=\"q\";x".to_vec();
    let report = b"im: ann@d delivery failure;status=408;reason=\"x \\\" y\";tries=11;after=32000\r\nsip:b@d delivery success\n".to_vec();
    let (mut good, mut bad) = (0_u32, 0_u32);
    for round in 0..750_000 {
        let mut bytes = if round % 2 == 0 { address.clone() } else { report.clone() };
        mutate(&mut bytes, &mut random);
        let read = if round % 2 == 0 { use_address(&bytes) } else { use_report(&bytes) };
        if read { good += 1 } else { bad += 1 }
    }
    assert!(good > 50_000 && bad > 50_000, "mutations on both sides of the line: {good} {bad}");
}

fn use_address(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    drop((Uri::parse(&text), Uri::typed(&text), NameAddr::parse(&text).is_ok()));
    // No line end can come out of a head; a display name that has one all the same is printed with blanks.
    let text = text.replace(['\r', '\n'], " ");
    let Ok(address) = NameAddr::parse(&text) else {
        return false;
    };
    assert_eq!(NameAddr::parse(&address.to_string()), Ok(address));
    true
}

fn use_report(bytes: &[u8]) -> bool {
    let Ok(lines) = read_report(bytes) else {
        return false;
    };
    assert_eq!(read_report(write_report(&lines, true).as_bytes()), Ok(lines));
    true
}

/// The same bytes in other pieces are the same messages; a broken stream ends without harm.
#[test]
fn streams_in_random_pieces_are_the_same_messages() {
    let mut random = Random::from_seed(3261);
    let seeds: Vec<_> =
        seeds().into_iter().filter(|seed| seed.windows(2).any(|two| two == b"l:" || two == b"h:")).collect();
    let (mut whole, mut broken) = (0_u32, 0_u32);
    for round in 0..8_000 {
        let mut stream = Vec::new();
        for _ in 0..3 {
            stream.extend_from_slice(&seeds[usize::try_from(random.below(seeds.len() as u64)).unwrap()]);
        }
        if round % 2 == 0 {
            mutate(&mut stream, &mut random);
        }
        let at_once = cut(&[&stream]);
        let mut pieces = Vec::new();
        let mut rest = &stream[..];
        while !rest.is_empty() {
            let (piece, after) =
                rest.split_at((1 + usize::try_from(random.below(90)).unwrap()).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        assert_eq!(cut(&pieces), at_once);
        if at_once.1 { whole += 1 } else { broken += 1 }
    }
    assert!(whole > 4_000 && broken > 40, "{whole} {broken}");
}

/// The messages of a stream, and whether it could be read to its end.
fn cut(pieces: &[&[u8]]) -> (Vec<Bytes>, bool) {
    let (mut framer, mut messages) = (Framer::default(), Vec::new());
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next() {
                Ok(Some(Framed::Message(bytes))) => {
                    use_up(&bytes);
                    messages.push(bytes);
                }
                Ok(Some(Framed::Ping | Framed::Pong)) => {}
                Ok(None) => break,
                Err(_) => return (messages, false),
            }
        }
    }
    (messages, true)
}
