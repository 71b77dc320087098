//! Reads a capture for the window, without its secrets.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::inspect::{CaptureFile, Traced, WireMessage, read_capture_within};
use crate::limits::{CAPTURE_OPENED_BYTES_MAX, CAPTURE_OPENED_MESSAGES_MAX};
use crate::runtime::redaction::without_secrets;

/// Reads a capture of ours or of another program; not on the thread of a window, as it may take a while.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn open_capture(path: &Path) -> Result<CaptureFile, String> {
    open_within(path, (CAPTURE_OPENED_MESSAGES_MAX, CAPTURE_OPENED_BYTES_MAX))
}

fn open_within(path: &Path, bounds: (usize, usize)) -> Result<CaptureFile, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut capture = read_capture_within(BufReader::new(file), bounds).map_err(|error| error.to_string())?;
    for traced in &mut capture.messages {
        let bytes = without_secrets(&traced.wire.bytes);
        if bytes != traced.wire.bytes {
            *traced = Traced::of(WireMessage { bytes, ..traced.wire.clone() });
        }
    }
    Ok(capture)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::capture::pcapng;
    use crate::sip::Transport;
    use crate::time::Timestamp;

    fn register(number: u64) -> WireMessage {
        let text = format!(
            "REGISTER sip:domain.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:james@domain.com>;tag=1\r\nTo: <sip:james@domain.com>\r\n\
             Call-ID: c{number}\r\nCSeq: 1 REGISTER\r\n\
             Authorization: Digest username=\"james\", response=\"6629fae49393a05397450978507c4ef1\"\r\n\
             Content-Length: 0\r\n\r\n"
        );
        WireMessage {
            at: Timestamp::from_millis(number),
            direction: None,
            from: ([192, 0, 2, 1], 5060).into(),
            to: ([192, 0, 2, 9], 5060).into(),
            transport: Transport::Udp,
            bytes: text.into(),
            mark: None,
        }
    }

    #[test]
    fn a_capture_of_others_is_shown_without_its_secrets_and_its_start_if_it_is_long() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("theirs.pcapng");
        std::fs::write(&path, pcapng(&[register(1)]).unwrap()).unwrap();
        let read = open_capture(&path).unwrap();
        let text = String::from_utf8_lossy(&read.messages[0].wire.bytes).into_owned();
        assert!(text.contains("Authorization: [removed]\r\n") && !text.contains("6629"), "{text}");
        assert_eq!(read.messages[0].fields().unwrap().first("Authorization"), Some("[removed]"));

        let many: Vec<_> = (0..10).map(register).collect();
        std::fs::write(&path, pcapng(&many).unwrap()).unwrap();
        for (bounds, kept) in [((4, 1_000_000), 4), ((9, many[0].bytes.len() * 3), 3)] {
            let read = open_within(&path, bounds).unwrap();
            assert_eq!((read.messages.len(), read.cut), (kept, Some(crate::inspect::Cut::TooMany)));
        }

        std::fs::write(&path, "no capture").unwrap();
        assert_eq!(open_capture(&path).unwrap_err(), "this is not a capture: neither pcapng nor pcap");
    }
}
