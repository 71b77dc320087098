//! Streams: where one message ends and the next begins (RFC 3261 §18.3), and keep-alives.

use super::*;

fn frames(chunks: &[&[u8]]) -> Result<Vec<Framed>, Error> {
    let (mut framer, mut frames) = (Framer::default(), Vec::new());
    for chunk in chunks {
        framer.push(chunk);
        while let Some(framed) = framer.next()? {
            frames.push(framed);
        }
    }
    Ok(frames)
}

#[test]
fn a_stream_is_cut_where_content_length_says() {
    let (one, two) = (message("im:b@d", "", "one\r\n\r\n"), message("im:b@d", "X: y\r\n", ""));
    let wanted = || vec![Framed::Message(one.clone().into()), Framed::Message(two.clone().into())];
    let both = [&one[..], &two[..]].concat();
    assert_eq!(frames(&[&both]), Ok(wanted()));
    let bytes: Vec<_> = both.chunks(1).collect();
    assert_eq!(frames(&bytes), Ok(wanted()));
    let odd = b"OPTIONS sip:a@b SIP/2.0\r\ncontent-length\t :\r\n 3 \r\nX: l: 9\r\n\r\nabcSIP/2.0 200 OK\r\nL:0\r\n\r\n";
    let cut = frames(&[odd]).unwrap();
    assert!(
        matches!(&cut[..], [Framed::Message(one), Framed::Message(two)] if one.ends_with(b"abc") && two.ends_with(b"L:0\r\n\r\n"))
    );
}

#[test]
fn a_stream_without_a_length_or_over_a_limit_ends() {
    let head = |fields: &str| format!("MESSAGE sip:a@b SIP/2.0\r\n{fields}\r\n\r\n");
    let long = format!("X: {}", "y".repeat(HEAD_BYTES_MAX));
    let table = [
        (head("To: x"), 400, "Bad Content-Length: missing on a stream"),
        (head("l: 5\r\nContent-Length: 6"), 400, "Bad Content-Length: two that differ"),
        (head("l: -5"), 400, "Bad Content-Length: not a length"),
        (head("l: 1048576"), 413, "Bad message: over the size limit"),
        (head("l: 18446744073709551615"), 413, "Bad message: over the size limit"),
        (head(&long), 413, "Bad head: over the size limit"),
        (long, 413, "Bad head: over the size limit"),
    ];
    for (bytes, status, reason) in table {
        let mut framer = Framer::default();
        framer.push(bytes.as_bytes());
        for _ in 0..2 {
            let error = framer.next().unwrap_err();
            assert_eq!((error.status(), error.reason().as_str()), (status, reason));
            framer.push(&message("im:b@d", "", ""));
        }
        assert!(!framer.is_mid_message());
    }
}

#[test]
fn one_refused_message_does_not_end_the_stream() {
    let broken = b"MESSAGE sip:a@b SIP/2.0\r\nTo: \xff\r\nno field\r\nl: 2\r\n\r\nab";
    let good = message("im:b@d", "", "x");
    let cut = frames(&[&[&broken[..], &good[..]].concat()]).unwrap();
    assert_eq!(cut, [Framed::Message(Bytes::from_static(broken)), Framed::Message(good.into())]);
}

#[test]
fn keep_alives_are_told_apart() {
    let good = message("im:b@d", "", "x");
    let message = || Framed::Message(good.clone().into());
    assert_eq!(frames(&[b"\r\n\r\n"]), Ok(vec![Framed::Ping]));
    assert_eq!(frames(&[b"\r\n"]), Ok(vec![Framed::Pong]));
    // A ping in two reads is answered all the same.
    assert_eq!(frames(&[b"\r", b"\n\r", b"\n"]), Ok(vec![Framed::Pong, Framed::Ping]));
    let around = [b"\r\n\r\n", &good[..], b"\r\n", &good[..], b"\r\n\r\n"].concat();
    assert_eq!(frames(&[&around]), Ok(vec![Framed::Ping, message(), Framed::Pong, message(), Framed::Ping]));
    // A lone LF is skipped, in one read with the message or in another.
    let after = [b"\n\n", &good[..], b"\n\r\n\n", &good[..]].concat();
    assert_eq!(frames(&[&after]), Ok(vec![message(), Framed::Pong, message()]));
    assert_eq!(frames(&[b"\n", b"\n", &good, b"\n"]), Ok(vec![message()]));
    let mut framer = Framer::default();
    framer.push(b"\n");
    assert_eq!((framer.next(), framer.held()), (Ok(None), 0));
    let mut framer = Framer::default();
    framer.push(b"\r\n\r\nMESS");
    assert_eq!((framer.next(), framer.next()), (Ok(Some(Framed::Ping)), Ok(None)));
    assert!(framer.is_mid_message());
}
