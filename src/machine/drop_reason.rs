//! What a machine drops without an answer, and why: said in the log at `debug` (`FANFARE_LOG=fanfare::dropped=debug`).

use std::fmt;

use super::Flow;

/// Why something was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// Bytes that are no SIP message, or a message that must not be answered though it is wrong.
    Unreadable,
    /// An ACK that acknowledges nothing here; an ACK is never answered (RFC 3261 §17).
    Ack,
    /// A request that came before; the answer it got is repeated if there is one (RFC 3261 §17.2.2).
    RepeatedRequest,
    /// A final response that came before (RFC 3261 §17.1.2.2).
    RepeatedResponse,
    /// A response to a request that we did not send or pass on, or that is over.
    StrayResponse,
    /// A response that comes from elsewhere than its request went to.
    ResponseFromElsewhere,
    /// A response to somebody's request that has had its share of them, or to a stranger's that is not remembered.
    TooManyResponses,
    /// A response for which there is no way back.
    NoWayBack,
    /// Too much waits already for a connection or for a look-up.
    NoRoom,
    /// A retransmission to an address that has not proven itself and has had its share (RFC 9000 §8).
    UnprovenAddress,
    /// An answer to a datagram; somebody may have it sent there by forging sources, and much was (RFC 9000 §8.1).
    Reflected,
    /// An ACK that leads nowhere.
    NoRoute,
    /// A stranger's request; so many were answered in this second that further ones get silence.
    TooManyStrangers,
    /// An answer that was kept for repetitions of its request; too many bytes of answers are kept.
    AnswerForgotten,
    /// A receipt that was to be sent, or that is owed; too many are.
    ReceiptForgotten,
}

impl DropReason {
    /// Says so in the log; the flow is the one on which it came. Nothing is formatted unless the log wants it.
    pub fn tell(self, flow: impl Into<Option<Flow>>) {
        let flow = flow.into().map(tracing::field::display);
        tracing::debug!(target: "fanfare::dropped", flow, "{self}");
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "dropped: not readable as SIP, and not to be answered",
            Self::Ack => "dropped: an ACK that acknowledges nothing here",
            Self::RepeatedRequest => "dropped: a repeated request",
            Self::RepeatedResponse => "dropped: a repeated response",
            Self::StrayResponse => "dropped: a response to a request that is not ours or is over",
            Self::ResponseFromElsewhere => "dropped: a response from elsewhere than its request went to",
            Self::TooManyResponses => {
                "dropped: a response to a request that has had its share or is forgotten"
            }
            Self::NoWayBack => "dropped: a response without a way back",
            Self::NoRoom => "dropped: too much waits for connections and look-ups",
            Self::UnprovenAddress => "dropped: a retransmission to an address that has not answered yet",
            Self::Reflected => "dropped: an answer to a network that was answered much more than it sent",
            Self::NoRoute => "dropped: an ACK without a route",
            Self::TooManyStrangers => "dropped: a request of a stranger, after many in this second",
            Self::AnswerForgotten => "dropped: an answer kept for repetitions, because too many are kept",
            Self::ReceiptForgotten => "dropped: the oldest receipt, because too many wait",
        })
    }
}

/// The log at debug of what this does, as text.
#[cfg(test)]
pub(crate) fn logged(act: impl FnOnce()) -> String {
    use std::io::Write;
    use std::sync::{Arc, Mutex, Once};

    static EVERYTHING: Once = Once::new();

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().map_err(|_poisoned| std::io::Error::other("poisoned"))?.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    // While there is one subscriber only, whether an event is logged is decided for good by the first thread that comes
    // by. That may be a thread of another test, which has no subscriber.
    EVERYTHING.call_once(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).ok();
    });
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, act);
    String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
}
