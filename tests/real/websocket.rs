//! RFC 7118: browsers. Debian's python3-websockets plays the browser; what must be refused is written byte by byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{ChildStdin, Command};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{free_address, objects};
use crate::program::{Program, WAIT, fanfare};
use crate::tls::Authority;

/// A proxy for domain.com that browsers and others can reach.
struct Web {
    _program: Program,
    udp: SocketAddr,
    ws: SocketAddr,
    wss: SocketAddr,
    authority: Authority,
}

impl Web {
    fn start() -> Self {
        let authority = Authority::new(TempDir::new().unwrap());
        authority.certify("domain.com", |_| ());
        let (udp, ws, wss) = (free_address(), free_address(), free_address());
        let listens = [format!("udp:{udp}"), format!("ws:{ws}"), format!("wss:{wss}")];
        let certificate = authority.path("server.pem");
        let program = fanfare(&[
            "proxy",
            "--domain",
            "domain.com",
            "--t1",
            "50ms",
            "--tls-cert",
            &certificate,
            "--listen",
            &listens[0],
            "--listen",
            &listens[1],
            "--listen",
            &listens[2],
        ]);
        program.line_with("listening wss");
        Self { _program: program, udp, ws, wss, authority }
    }

    fn send(&self, to: &[&str], text: &str) -> Vec<Value> {
        let proxy = format!("udp:{}", self.udp);
        let mut args =
            vec!["send", "--from", "sip:james@domain.com", "--proxy", &proxy, "--text", text, "--json"];
        args.extend(to.iter().flat_map(|to| ["--to", *to]));
        objects(&fanfare(&args).end().out)
    }
}

/// A registered page in a browser.
struct Page {
    program: Program,
    keyboard: ChildStdin,
}

impl Page {
    fn open(name: &str, url: &str, authority: Option<&str>) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/peers/browser.py");
        let mut command = Command::new("/usr/bin/python3");
        command.args([script, url, name]).args(authority);
        let (program, keyboard) = Program::start_conversing("python3-websockets", command);
        program.line_with("registered");
        Self { program, keyboard }
    }

    /// The first message that contains these words.
    fn got(&self, words: &str) -> Value {
        serde_json::from_str(&self.program.line_with(words)).unwrap()
    }
}

fn state(said: &[Value], to: &str) -> String {
    let found = said.iter().find(|line| line["event"] == "outcome" && line["to"] == to);
    found.unwrap_or_else(|| panic!("{said:?}"))["state"].as_str().unwrap().to_owned()
}

#[test]
fn w24_browsers_get_legs_and_reports_over_the_websockets_that_they_opened() {
    let web = Web::start();
    let ann = Page::open("ann", &format!("ws://{}", web.ws), None);
    let bob = Page::open("bob", &format!("wss://{}", web.wss), Some(&web.authority.path("ca.pem")));
    let said = web.send(&["sip:ann@domain.com", "sip:bob@domain.com", "sip:cy@domain.com"], "Grüße an alle");
    assert_eq!(state(&said, "sip:ann@domain.com"), "success");
    assert_eq!(state(&said, "sip:bob@domain.com"), "success");
    assert_eq!(state(&said, "sip:cy@domain.com"), "failure");
    for (page, name, transport) in [(&ann, "ann", "WS"), (&bob, "bob", "WSS")] {
        let leg = page.got("MESSAGE sip:");
        assert_eq!(leg["kind"], "text", "a browser's program gets a string");
        let leg = leg["message"].as_str().unwrap();
        assert!(
            leg.starts_with(&format!("MESSAGE sip:{name}@df7jal23ls0d.invalid;transport=ws SIP/2.0\r\n")),
            "{leg}"
        );
        assert!(leg.contains(&format!("\r\nVia: SIP/2.0/{transport} 127.0.0.1:")), "{leg}");
        assert!(leg.ends_with("Grüße an alle"), "{leg}");
    }

    // A browser also writes to several people.
    let mut ann = ann;
    let submission = "MESSAGE sip:bob@domain.com SIP/2.0\\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKw1\\n\
        Max-Forwards: 70\\nFrom: <sip:ann@domain.com>;tag=w\\nTo: <sip:bob@domain.com>\\n\
        Secondary-To: <sip:cy@domain.com>\\nProxy-Require: secondary-to\\nCall-ID: w1\\nCSeq: 1 MESSAGE\\n\
        Contact: <sip:ann@df7jal23ls0d.invalid;transport=ws>\\nContent-Type: text/plain\\nContent-Length: 6\\n\\nLunch?";
    ann.keyboard.write_all(format!("{submission}\n").as_bytes()).unwrap();
    ann.got("SIP/2.0 202");
    bob.got("Lunch?");
    let report = ann.got("NOTIFY sip:ann@df7jal23ls0d.invalid");
    let report = report["message"].as_str().unwrap();
    assert!(report.contains("bob@domain.com") && report.contains("success"), "{report}");
    assert!(report.contains("cy@domain.com") && report.contains("failure"), "{report}");

    // A page that is closed counts as absent at once.
    let pid = ann.program.pid();
    ann.program.kill();
    assert!(pid > 0);
    let until = std::time::Instant::now() + WAIT;
    while state(&web.send(&["sip:ann@domain.com"], "Still there?"), "sip:ann@domain.com") != "failure" {
        assert!(std::time::Instant::now() < until);
    }
}

/// Sends these requests on one connection and reads until it closes or a timeout passes.
fn ask(address: SocketAddr, requests: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    for request in requests {
        // The other side may have closed already, so that writing fails.
        if stream.write_all(request).is_err() {
            break;
        }
        said.clear();
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            said.extend_from_slice(&buffer[..count]);
            if said.ends_with(b"\r\n\r\n") {
                break;
            }
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn upgrade(subprotocol: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: domain.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{subprotocol}\r\n"
    )
}

/// A client's frame, with a mask of zeros.
fn frame(first: u8, length: &[u8], payload: &[u8]) -> Vec<u8> {
    [&[first][..], length, &[0; 4], payload].concat()
}

#[test]
fn w31_what_is_no_sip_over_a_websocket_is_refused_and_the_proxy_serves_on() {
    let web = Web::start();
    assert!(ask(web.ws, &[upgrade("").as_bytes()]).starts_with("HTTP/1.1 400 "), "no subprotocol");
    let other = upgrade("Sec-WebSocket-Protocol: chat, xmpp\r\n");
    assert!(ask(web.ws, &[other.as_bytes()]).starts_with("HTTP/1.1 400 "), "another subprotocol");
    let sip = upgrade("Sec-WebSocket-Protocol: chat, SIP\r\n");
    let said = ask(web.ws, &[sip.as_bytes()]);
    assert!(
        said.starts_with("HTTP/1.1 101 ")
            && said.to_ascii_lowercase().contains("sec-websocket-protocol: sip"),
        "{said}"
    );
    // Without authentication, pages from elsewhere are refused (RFC 6455 §10.2).
    for (origin, status) in
        [("https://evil.example", "403 "), ("null", "403 "), ("http://localhost:3000", "101 ")]
    {
        let asked = upgrade(&format!("Sec-WebSocket-Protocol: sip\r\nOrigin: {origin}\r\n"));
        let said = ask(web.ws, &[asked.as_bytes()]);
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{origin}: {said}");
    }
    ask(web.ws, &[b"MESSAGE sip:bob@domain.com SIP/2.0\r\n\r\n"]);
    ask(web.ws, &[&[0x16, 3, 1, 2, 0, 1, 0, 1]]);

    let after = |frames: &[Vec<u8>]| ask(web.ws, &[sip.as_bytes(), &frames.concat()]);
    let garbage = frame(0x82, &[0x80 | 5], &[0, 255, 13, 10, 7]);
    let not_utf8 = frame(0x81, &[0x80 | 2], &[0xC3, 0x28]);
    let a_gibibyte = frame(0x82, &[0x80 | 127, 0, 0, 0, 0, 0x40, 0, 0, 0], b"MESSAGE");
    let ping = frame(0x81, &[0x80 | 4], b"\r\n\r\n");
    let answered = after(&[garbage.clone(), ping]);
    assert!(answered.ends_with("\u{2}\r\n"), "a keep-alive after garbage is answered: {answered:?}");
    for frames in [vec![garbage], vec![not_utf8], vec![a_gibibyte]] {
        after(&frames);
    }
    let bob = Page::open("bob", &format!("ws://{}", web.ws), None);
    assert_eq!(state(&web.send(&["sip:bob@domain.com"], "Still there?"), "sip:bob@domain.com"), "success");
    bob.got("Still there?");
}
