//! A bare connection: SIP over TCP as text.

use super::*;

/// A TCP connection that sends what it is told.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    pub(crate) address: SocketAddr,
    rest: Vec<u8>,
}

impl Wire {
    pub(crate) fn to(proxy: SocketAddr) -> Self {
        Self::over(TcpStream::connect(proxy).unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(WAIT)).unwrap();
        let address = stream.local_addr().unwrap();
        Self { stream, address, rest: Vec::new() }
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// Sends the text; the other side may close before all of it is sent.
    pub(crate) fn send_as_much_as_goes(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).ok();
    }

    /// What is received before the other side closes, cleanly or not.
    pub(crate) fn receive_or_end(&mut self) -> Option<Message> {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = self.stream.read(&mut buffer) {
            self.rest.extend_from_slice(&buffer[..length]);
        }
        whole(&self.rest).and_then(|_| self.receive())
    }

    /// The next whole message, by its Content-Length; none if the other side closes.
    pub(crate) fn receive(&mut self) -> Option<Message> {
        loop {
            while self.rest.starts_with(b"\r\n") {
                self.rest.drain(..2);
            }
            if let Some(length) = whole(&self.rest) {
                let text = String::from_utf8_lossy(&self.rest[..length]).into_owned();
                self.rest.drain(..length);
                return Some(Message { at: Instant::now(), from: self.stream.peer_addr().ok()?, text });
            }
            let mut buffer = [0; 4096];
            let length = self.stream.read(&mut buffer).expect("a message, or the end of the connection");
            if length == 0 {
                return None;
            }
            self.rest.extend_from_slice(&buffer[..length]);
        }
    }
}

/// The length of the first message in a stream, once all of it has arrived.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length: usize = text.split("content-length:").nth(1)?.split("\r\n").next()?.trim().parse().ok()?;
    (bytes.len() >= head + length).then_some(head + length)
}
