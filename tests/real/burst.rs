//! A burst to one address, with the socket buffer that a system gives by default.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread;
use std::time::Duration;

use crate::common::Proxy;
use crate::program::WAIT;
use crate::socket::{Message, Phone, Wire, answer_to, submission};

const PEOPLE: usize = 500;

/// Reads datagrams one by one with a pause after each, and answers them; returns what it received.
fn read_slowly(socket: &UdpSocket) -> Vec<Message> {
    let mut buffer = vec![0; 65_536];
    let mut seen = Vec::new();
    socket.set_read_timeout(Some(WAIT)).unwrap();
    while seen.len() < PEOPLE {
        let (length, from) = socket.recv_from(&mut buffer).expect("every leg");
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let message = Message { at: std::time::Instant::now(), from, text };
        socket.send_to(answer_to(&message, "200 OK", "").as_bytes(), from).unwrap();
        seen.push(message);
        // Makes the reader slow.
        thread::sleep(Duration::from_micros(500));
    }
    seen
}

fn to_all_behind(gateway: SocketAddr, james: &Phone) -> String {
    let others: String =
        (1..PEOPLE).map(|person| format!("Secondary-To: <sip:u{person}@{gateway}>;copy=bcc\r\n")).collect();
    let first = format!("sip:u0@{gateway}");
    let extra = format!("{others}Delivery-Report: final;detail\r\n");
    submission(james.address, &[&first], &extra, &"x".repeat(850))
}

#[test]
fn w17_500_legs_to_one_slow_socket_need_no_second_transmission() {
    // So long that a short stall of the machine does not look like a loss.
    let proxy = Proxy::with_t1("2s");
    let gateway = UdpSocket::bind("127.0.0.1:0").unwrap();
    let james = Phone::new();
    let request = to_all_behind(gateway.local_addr().unwrap(), &james);
    let reader = thread::spawn(move || read_slowly(&gateway));
    james.send(proxy.address, &request);
    assert_eq!(james.receive_the("SIP/2.0").start(), "SIP/2.0 202 Accepted");
    let seen = reader.join().unwrap();
    assert!(seen.iter().all(|leg| leg.text.len() > 1100), "{}", seen[0].text);
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    let at_first =
        report.body().lines().filter(|line| line.contains("delivery success") && line.contains(";tries=1;"));
    assert_eq!(at_first.count(), PEOPLE, "{}", report.body());
}

#[test]
fn w17_a_picture_for_twenty_behind_one_edge_reaches_them_all() {
    const BEHIND: usize = 20;
    let proxy = Proxy::with_t1("500ms");
    let edge = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = |person: usize| format!("sip:u{person}@{};transport=tcp", edge.local_addr().unwrap());
    let others: String =
        (1..BEHIND).map(|person| format!("Secondary-To: <{}>;copy=bcc\r\n", to(person))).collect();
    let extra = format!("{others}Delivery-Report: final;detail\r\n");
    let mut james = Wire::to(proxy.address);
    let request = submission(james.address, &[&to(0)], &extra, &"x".repeat(900 * 1024));
    let over_tcp = format!("{};transport=tcp>", james.address);
    james.send(
        &request.replace("SIP/2.0/UDP", "SIP/2.0/TCP").replace(&format!("{}>", james.address), &over_tcp),
    );
    assert_eq!(james.receive().unwrap().start(), "SIP/2.0 202 Accepted");
    let reader = thread::spawn(move || {
        let mut line = Wire::over(edge.accept().unwrap().0);
        for leg in 0..BEHIND {
            let request = line.receive().unwrap_or_else(|| panic!("closed after {leg} legs"));
            line.send(&answer_to(&request, "200 OK", ""));
        }
        line
    });
    let report = james.receive().unwrap();
    assert_eq!(report.body().matches("delivery success;status=200;").count(), BEHIND, "{}", report.body());
    james.send(&answer_to(&report, "200 OK", ""));
    drop(reader.join().unwrap());
}
