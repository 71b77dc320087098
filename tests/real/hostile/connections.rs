//! Attacks with connections: too many, silent, slow, endless.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::{Honest, connect_from, ends_well, peak_mib, raise_open_files};
use crate::common::{Proxy, listener};
use crate::program::WAIT;
use crate::socket::{Phone, submission};

/// Longer than any of the proxy's timeouts.
const LONG: Duration = Duration::from_secs(60);
const HEAD: &str = "MESSAGE sip:bob@domain.com SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKh\r\n\
    From: <sip:h@domain.com>;tag=h\r\nTo: <sip:bob@domain.com>\r\nCall-ID: h\r\nCSeq: 1 MESSAGE\r\n";

/// True once the other side has closed, whatever it sent before.
fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    stream.set_read_timeout(Some(within)).unwrap();
    loop {
        match stream.read(&mut [0; 4096]) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

#[test]
fn w31_ten_thousand_silent_connections_make_room_for_one_that_speaks() {
    let count = 10_000.min(raise_open_files().saturating_sub(500));
    let proxy = Proxy::start();
    let honest = Honest::at(&proxy);
    let before = peak_mib(&proxy.program);
    let crowd: Vec<TcpStream> = (0..count)
        .map(|number| {
            let host = u8::try_from(2 + number / 250).unwrap();
            connect_from([127, 0, 0, host], proxy.address)
        })
        .collect();
    honest.is_served(&proxy);
    honest.is_served(&proxy);
    let grown = peak_mib(&proxy.program) - before;
    assert!(grown < 200, "{grown} MiB for {count} connections");
    drop(crowd);
    honest.is_served(&proxy);
    ends_well(proxy);
}

#[test]
fn w31_one_address_has_its_share_of_connections_and_not_more() {
    raise_open_files();
    let proxy = Proxy::start();
    let honest = Honest::at(&proxy);
    let mut crowd: Vec<TcpStream> = (0..520).map(|_| connect_from([127, 0, 9, 1], proxy.address)).collect();
    let kept = crowd.split_off(20);
    for stream in &mut crowd {
        assert!(
            is_closed(stream, WAIT),
            "over 500 connections of one address, the oldest silent one gives way"
        );
    }
    crowd = kept;
    let Some(first) = crowd.first_mut() else { return };
    assert!(!is_closed(first, Duration::from_millis(50)), "the latest 500 may stay for a while");
    honest.is_served(&proxy);
    // That address may connect again once its other connections are closed.
    crowd.clear();
    let until = Instant::now() + WAIT;
    while is_closed(&mut connect_from([127, 0, 9, 1], proxy.address), Duration::from_millis(50)) {
        assert!(Instant::now() < until, "what has left still counts");
    }
    ends_well(proxy);
}

#[test]
fn w31_who_dribbles_or_says_nothing_is_closed_after_30_seconds() {
    let proxy = Proxy::start();
    let honest = Honest::at(&proxy);
    let start = Instant::now();
    let mut silent = connect_from([127, 0, 9, 2], proxy.address);
    let mut pinging = connect_from([127, 0, 9, 2], proxy.address);
    let mut dribbling: Vec<_> = (0..100).map(|_| connect_from([127, 0, 9, 3], proxy.address)).collect();
    let mut letters = HEAD.bytes().chain(std::iter::repeat(b'x'));
    while !dribbling.is_empty() {
        assert!(start.elapsed() < LONG, "{} still dribble", dribbling.len());
        let letter = letters.next().unwrap_or(b'x');
        dribbling.retain_mut(|stream| stream.write_all(&[letter]).is_ok());
        pinging.write_all(b"\r\n\r\n").ok();
        thread::sleep(Duration::from_millis(200));
    }
    assert!(
        start.elapsed() >= Duration::from_secs(25),
        "there was time for an honest peer: {:?}",
        start.elapsed()
    );
    assert!(is_closed(&mut silent, WAIT) && is_closed(&mut pinging, WAIT));
    honest.is_served(&proxy);
    ends_well(proxy);
}

#[test]
fn w13_endless_heads_and_lengths_that_nobody_keeps_are_closed_at_once() {
    let proxy = Proxy::start();
    let honest = Honest::at(&proxy);
    let before = peak_mib(&proxy.program);
    for length in ["1073741824", "99999999999999999999", "-1", "1, 2"] {
        let mut stream = connect_from([127, 0, 9, 4], proxy.address);
        stream.write_all(format!("{HEAD}Content-Length: {length}\r\n\r\n").as_bytes()).unwrap();
        assert!(is_closed(&mut stream, WAIT), "Content-Length: {length}");
    }
    for endless in ["X: y\r\n", "y", "\r\n y"] {
        let mut stream = connect_from([127, 0, 9, 4], proxy.address);
        stream.write_all(HEAD.as_bytes()).unwrap();
        let piece = endless.repeat(8192);
        let sent = (0..1000).take_while(|_| stream.write_all(piece.as_bytes()).is_ok()).count();
        assert!(sent < 1000, "a head without end is read on and on");
    }
    honest.is_served(&proxy);
    assert!(peak_mib(&proxy.program) - before < 50);
    ends_well(proxy);
}

#[test]
fn w31_messages_that_stay_half_said_take_up_a_bounded_part_of_the_memory() {
    let proxy = Proxy::start();
    let honest = Honest::at(&proxy);
    let before = peak_mib(&proxy.program);
    let mebibyte = vec![b'x'; 1024 * 1024 - 1000];
    let head = format!("{HEAD}Content-Length: {}\r\n\r\n", mebibyte.len());
    // 400 MiB: all but the last byte of each message.
    let mut held = Vec::new();
    for _ in 0..400 {
        let mut stream = connect_from([127, 0, 9, 5], proxy.address);
        let said = stream.write_all(head.as_bytes()).and_then(|()| {
            let (_, most) = mebibyte.split_last().unwrap();
            stream.write_all(most)
        });
        if said.is_ok() {
            held.push(stream);
        }
    }
    honest.is_served(&proxy);
    let open = held
        .iter_mut()
        .map(|stream| is_closed(stream, Duration::from_millis(1)))
        .filter(|closed| !closed)
        .count();
    assert!(open <= 64, "{open} MiB of one address are held");
    let grown = peak_mib(&proxy.program) - before;
    assert!(grown < 150, "{grown} MiB for 400 MiB that were half said");
    ends_well(proxy);
}

#[test]
fn w13_the_clients_sockets_hold_as_well() {
    let proxy = Proxy::start();
    let bob = listener("bob", &proxy, &[]);
    let contact = crate::common::bindings_of("bob", proxy.address).remove(0);
    let address = crate::common::address_of(&contact);
    for text in [
        format!("{HEAD}Content-Length: 1073741824\r\n\r\n"),
        format!("{HEAD}{}", "X: y\r\n".repeat(50_000)),
        "\0\u{ff}".repeat(300_000),
    ] {
        // If the client has no such socket, the test holds too.
        let Ok(mut stream) = TcpStream::connect(address) else { continue };
        stream.write_all(text.as_bytes()).ok();
        assert!(is_closed(&mut stream, LONG), "{:?}", text.get(..40));
    }
    let stranger = Phone::new();
    for datagram in ["SIP/2.0 200 OK\r\n\r\n", "MESSAGE", &"x".repeat(60_000), HEAD] {
        stranger.send(address, datagram);
    }
    let james = Phone::new();
    let answer =
        james.ask(proxy.address, &submission(james.address, &["im:bob@domain.com"], "", "Still there?"));
    assert_eq!(answer.start(), "SIP/2.0 202 Accepted", "{}", answer.text);
    assert!(bob.line_with("Still there?").contains("james"));
    bob.signal("TERM");
    bob.end().assert_no_panic();
    ends_well(proxy);
}
