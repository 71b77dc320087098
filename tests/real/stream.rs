//! Streams with literal bytes; TLS is done by `openssl s_client`, so none of it is our code.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use crate::program::WAIT;
use crate::socket::{Message, answer_to};

/// A stream to a proxy that sends what it is told.
pub(crate) struct Line {
    writer: Box<dyn Write>,
    messages: Receiver<String>,
    pub(crate) peer: SocketAddr,
    client: Option<Child>,
}

impl Line {
    /// With TLS; the server must prove to be `domain` by an authority in `ca`.
    pub(crate) fn tls(peer: SocketAddr, domain: &str, ca: &Path) -> Self {
        let mut client = Command::new("openssl")
            .args(["s_client", "-quiet", "-verify_return_error", "-verify_hostname", domain, "-CAfile"])
            .arg(ca)
            .args(["-connect", &peer.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is there");
        let messages = gather(client.stdout.take().unwrap());
        Self { writer: Box::new(client.stdin.take().unwrap()), messages, peer, client: Some(client) }
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// The next message; a keep-alive's answer counts as a message of two bytes.
    pub(crate) fn receive(&self) -> Message {
        let text = self.messages.recv_timeout(WAIT).expect("a message on the stream");
        Message { at: Instant::now(), from: self.peer, text }
    }

    pub(crate) fn answer(&mut self, request: &Message, status: &str) {
        self.send(&answer_to(request, status, ""));
    }

    /// Sends a request and takes its answer.
    pub(crate) fn ask(&mut self, request: &str) -> Message {
        self.send(request);
        self.receive()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(client) = &mut self.client {
            // Both fail if it has already ended, which is fine.
            drop(client.kill());
            drop(client.wait());
        }
    }
}

fn gather(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, messages) = sync_channel(1000);
    thread::spawn(move || cut(stream, &sender));
    messages
}

/// Splits a stream into messages by Content-Length; a CRLF between them counts as one.
fn cut(mut stream: impl Read, messages: &SyncSender<String>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..length]);
        while let Some(end) = end_of_first(&bytes) {
            let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
            bytes.drain(..end);
            if messages.send(text).is_err() {
                return;
            }
        }
    }
}

fn end_of_first(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(b"\r\n") {
        return Some(2);
    }
    let text = String::from_utf8_lossy(bytes);
    let (head, _) = text.split_once("\r\n\r\n")?;
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("Content-Length:"));
    let end = head.len() + 4 + length.map_or(0, |length| length.trim().parse::<usize>().unwrap());
    (bytes.len() >= end).then_some(end)
}

/// A REGISTER on a stream, for a contact that nobody can connect to.
pub(crate) fn register_on(line: &str, user: &str, contact: &str, extra: &str) -> String {
    let number = crate::socket::unique();
    format!(
        "REGISTER sip:domain.com SIP/2.0\r\n\
         Via: SIP/2.0/{line} behind.invalid;branch=z9hG4bKreg{number};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:{user}@domain.com>;tag=r{number}\r\n\
         To: <sip:{user}@domain.com>\r\n\
         Call-ID: reg{number}@bare\r\n\
         CSeq: 1 REGISTER\r\n\
         Contact: {contact}\r\n\
         Expires: 3600\r\n\
         {extra}\
         Content-Length: 0\r\n\r\n"
    )
}
