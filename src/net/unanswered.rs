//! The requests of a peer that have no final response yet. One that ends its half of a stream may still wait for them
//! (RFC 3261 §18.2.2: a response goes over the connection on which its request came).

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::limits::HALF_CLOSED_WAIT;

/// See the top of this file.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    count: AtomicUsize,
    answered: Notify,
}

impl Unanswered {
    /// This message has come. An ACK has no answer.
    pub(super) fn received(&self, message: &[u8]) {
        if !message.starts_with(b"SIP/2.0 ") && !message.starts_with(b"ACK ") {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// This message has been written.
    pub(super) fn written(&self, message: &[u8]) {
        let is_final = |status: &[u8]| status.first().is_some_and(|class| (b'2'..=b'6').contains(class));
        if message.strip_prefix(b"SIP/2.0 ").is_some_and(is_final) {
            let less = |count: usize| Some(count.saturating_sub(1));
            self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok();
            self.answered.notify_one();
        }
    }

    /// Returns once all are answered, or after a while.
    pub(super) async fn ends(&self) {
        let answered = async {
            while self.count.load(Ordering::Relaxed) > 0 {
                self.answered.notified().await;
            }
        };
        // A peer that is gone altogether is found out by that time at the latest.
        timeout(HALF_CLOSED_WAIT, answered).await.unwrap_or_default();
    }
}
