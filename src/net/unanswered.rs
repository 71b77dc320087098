//! The requests of a peer that have no final response yet. One that ends its half of a stream may still wait for them
//! (RFC 3261 §18.2.2: a response goes over the connection on which its request came).

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::limits::{HALF_CLOSED_WAIT, STREAM_UNANSWERED_MAX};

/// See the top of this file.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    /// What tells their transactions apart, the oldest first.
    open: Mutex<VecDeque<u64>>,
    answered: Notify,
}

impl Unanswered {
    /// This message has come. An ACK has no answer.
    pub(super) fn received(&self, message: &[u8]) {
        if message.starts_with(b"SIP/2.0 ") || message.starts_with(b"ACK ") {
            return;
        }
        let Some(transaction) = transaction(message) else { return };
        let mut open = self.open();
        // A retransmission is the same.
        if !open.contains(&transaction) {
            if open.len() >= STREAM_UNANSWERED_MAX {
                open.pop_front();
            }
            open.push_back(transaction);
        }
    }

    /// This message has been written.
    pub(super) fn written(&self, message: &[u8]) {
        let is_final = |status: &[u8]| status.first().is_some_and(|class| (b'2'..=b'6').contains(class));
        if message.strip_prefix(b"SIP/2.0 ").is_some_and(is_final)
            && let Some(transaction) = transaction(message)
        {
            self.open().retain(|open| *open != transaction);
            self.answered.notify_one();
        }
    }

    /// Returns once all are answered, or after a while.
    pub(super) async fn ends(&self) {
        let answered = async {
            while !self.open().is_empty() {
                self.answered.notified().await;
            }
        };
        // A peer that is gone altogether is found out by that time at the latest.
        timeout(HALF_CLOSED_WAIT, answered).await.unwrap_or_default();
    }

    fn open(&self) -> MutexGuard<'_, VecDeque<u64>> {
        // Ignoring poison is safe: nothing under this lock can leave the list half changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request and its responses have in common (RFC 3261 §17.1.3): the branch of the topmost Via and the method in
/// CSeq, hashed. Whoever makes two alike is himself the one who does not get his answer.
fn transaction(message: &[u8]) -> Option<u64> {
    let via = value(message, &[b"via", b"v"])?;
    let method = value(message, &[b"cseq"])?.rsplit(u8::is_ascii_whitespace).next()?;
    let topmost = via.split(|byte| *byte == b',').next()?;
    let branch = topmost.split(|byte| *byte == b';').skip(1).find_map(|parameter| {
        let mut parts = parameter.splitn(2, |byte| *byte == b'=');
        let is_branch = parts.next()?.trim_ascii().eq_ignore_ascii_case(b"branch");
        parts.next().filter(|_| is_branch).map(<[u8]>::trim_ascii)
    });
    let mut hasher = DefaultHasher::new();
    (branch, method).hash(&mut hasher);
    Some(hasher.finish())
}

/// The value of the first header field of one of these names, with its folds.
fn value<'a>(message: &'a [u8], names: &[&[u8]]) -> Option<&'a [u8]> {
    let mut rest = message;
    loop {
        // The start line, or the field before.
        let (_, after) = split_line(rest)?;
        let (line, _) = split_line(after)?;
        if line.trim_ascii().is_empty() {
            return None;
        }
        rest = after;
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = parts.next()?.trim_ascii();
        let Some(value) = parts.next().filter(|_| names.iter().any(|known| name.eq_ignore_ascii_case(known)))
        else {
            continue;
        };
        let (begin, mut length) = (after.len().min(line.len() - value.len()), value.len());
        let field = after.get(begin..)?;
        while field.get(length).is_some_and(|next| matches!(next, b' ' | b'\t')) {
            length += split_line(field.get(length..)?)?.0.len();
        }
        return field.get(..length).map(<[u8]>::trim_ascii);
    }
}

/// The first line with its end, and what follows.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    bytes.split_at_checked(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(branch: &str, method: &str) -> Vec<u8> {
        format!("{method} sip:a@x SIP/2.0\r\nVia: SIP/2.0/TCP x;branch={branch}\r\nCSeq: 1 {method}\r\n\r\n")
            .into()
    }

    fn response(status: u16, via: &str, cseq: &str) -> Vec<u8> {
        format!("SIP/2.0 {status} x\r\nTo: <sip:a@x>\r\n{via}\r\n{cseq}\r\nCall-ID: c\r\n\r\n").into()
    }

    #[test]
    fn a_response_ends_its_own_transaction_alone_however_it_is_written() {
        let unanswered = Unanswered::default();
        let left = || unanswered.open().len();
        for (branch, method) in [
            ("1", "INVITE"),
            ("1", "INVITE"),
            ("1", "CANCEL"),
            ("1", "ACK"),
            ("2", "OPTIONS"),
            ("3", "MESSAGE"),
        ] {
            unanswered.received(&request(branch, method));
        }
        assert_eq!(left(), 4, "a retransmission is the same, and an ACK has no answer");
        for (status, via, cseq, after) in [
            (180, "Via: SIP/2.0/TCP x;branch=1", "CSeq: 1 INVITE", 4),
            (200, "Via: SIP/2.0/TCP x;branch=1;received=192.0.2.1", "CSeq: 1 CANCEL", 3),
            (200, "Via: SIP/2.0/TCP x;branch=1", "CSeq: 1 CANCEL", 3),
            (487, "v: SIP/2.0/TCP x ;rport=5; BRANCH = 1 , SIP/2.0/UDP y;branch=2", "CSEQ : 1  INVITE", 2),
            (200, "Via: SIP/2.0/UDP y, SIP/2.0/TCP x;branch=2", "CSeq: 1 OPTIONS", 2),
            (202, "VIA:\r\n SIP/2.0/TCP x\r\n\t;branch=2", "CSeq: 1\r\n OPTIONS", 1),
            (202, "Via: SIP/2.0/TCP x;branch=3", "CSeq: 1 message", 1),
            (202, "Via: SIP/2.0/TCP x;branch=3\r\nVia: SIP/2.0/TCP x;branch=9", "CSeq: 1 MESSAGE", 0),
        ] {
            unanswered.written(&response(status, via, cseq));
            assert_eq!(left(), after, "{status} {via} {cseq}");
        }
    }

    #[test]
    fn w31_what_is_remembered_of_one_stream_has_an_end_and_the_oldest_is_forgotten() {
        let unanswered = Unanswered::default();
        for number in 0..=STREAM_UNANSWERED_MAX {
            unanswered.received(&request(&number.to_string(), "OPTIONS"));
        }
        assert_eq!(unanswered.open().len(), STREAM_UNANSWERED_MAX);
        unanswered.written(&response(200, "Via: SIP/2.0/TCP x;branch=0", "CSeq: 1 OPTIONS"));
        assert_eq!(unanswered.open().len(), STREAM_UNANSWERED_MAX);
        for broken in
            [&b""[..], b"x", b"x\r\nVia", b"x\r\n\r\nVia: x;branch=1\r\nCSeq: 1 x\r\n", b"x\r\nVia: x\r\n y"]
        {
            unanswered.received(broken);
            assert_eq!(transaction(broken), None);
        }
    }
}
