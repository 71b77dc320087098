//! Names that nobody answers for keep nobody else's waiting (W31).

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::common::Proxy;
use crate::socket::{Phone, submission};

/// A name server that knows `ok.example`, at 127.0.0.1, and answers for no other name.
struct Silent {
    address: SocketAddr,
    /// The other names that it was asked for.
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Silent {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (address, asked) = (socket.local_addr().unwrap(), Arc::default());
        let noted = Arc::clone(&asked);
        // It ends with the program.
        thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                if let Some(answer) = Self::answer(&buffer[..length], &noted) {
                    socket.send_to(&answer, from).unwrap();
                }
            }
        });
        Self { address, asked }
    }

    /// The answer to a question (RFC 1035 4.1).
    fn answer(message: &[u8], noted: &Mutex<BTreeSet<String>>) -> Option<Vec<u8>> {
        let (mut at, mut labels) = (12, Vec::new());
        while message[at] != 0 {
            let end = at + 1 + usize::from(message[at]);
            labels.push(String::from_utf8_lossy(&message[at + 1..end]).to_lowercase());
            at = end;
        }
        let name = labels.join(".");
        if name != "ok.example" {
            noted.lock().unwrap().insert(name);
            return None;
        }
        let is_a = message[at + 2] == 1;
        let record: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1];
        let record = if is_a { record } else { &[] };
        let head = [0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0];
        Some([&message[..2], &head, &message[12..at + 5], record].concat())
    }
}

#[test]
fn w31_who_writes_to_many_names_that_nobody_answers_for_keeps_no_other_message_waiting() {
    let dns = Silent::start();
    let proxy = Proxy::start_with(&["--dns", &dns.address.to_string()]);
    let [eve, james, bob] = [Phone::new(), Phone::new(), Phone::new()];
    for round in 0..3 {
        let names: Vec<_> = (0..450).map(|number| format!("sip:x@a.r{round}n{number}.example")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let text = submission(eve.address, &names, "", "Hello?").replace("im:james@", "im:eve@");
        assert_eq!(eve.ask(proxy.address, &text).start(), "SIP/2.0 202 Accepted");
    }
    let to_bob = format!("sip:bob@ok.example:{}", bob.address.port());
    let text = submission(james.address, &[&to_bob], "", "Hello, Bob.");
    assert_eq!(james.ask(proxy.address, &text).start(), "SIP/2.0 202 Accepted");
    let leg = bob.receive_the("MESSAGE");
    let asked = dns.asked.lock().unwrap().len();
    bob.answer(&leg, "200 OK");
    assert_eq!(leg.body(), "Hello, Bob.");
    assert!(asked < 100, "it does not wait until all of Eve's names have failed, but {asked} were asked for");
}
