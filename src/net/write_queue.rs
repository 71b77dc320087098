//! What waits to be written to one connection: the end that adds, and the end of the task that writes.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::backlog::{Backlog, Burden};

/// The most messages waiting to be written to one connection.
const QUEUE_MESSAGES_MAX: usize = 4096;
/// Those that only answers may take, so that requests leave room for them.
const ANSWERS_KEPT_FREE: usize = QUEUE_MESSAGES_MAX / 4;

/// The end that adds.
#[derive(Debug)]
pub(super) struct WriteQueue {
    sender: mpsc::Sender<(Bytes, Burden)>,
    backlog: Arc<Backlog>,
}

/// The end of the task that writes.
#[derive(Debug)]
pub(super) struct Unwritten {
    queue: mpsc::Receiver<(Bytes, Burden)>,
    backlog: Arc<Backlog>,
}

/// The two ends of the queue of a new connection.
pub(super) fn write_queue(backlog: Backlog) -> (WriteQueue, Unwritten) {
    let (sender, queue) = mpsc::channel(QUEUE_MESSAGES_MAX);
    let backlog = Arc::new(backlog);
    (WriteQueue { sender, backlog: Arc::clone(&backlog) }, Unwritten { queue, backlog })
}

impl WriteQueue {
    /// Queues bytes; false if there is no room for them.
    pub(super) fn add(&self, bytes: Bytes, burden: Burden) -> bool {
        if burden == Burden::Request && self.sender.capacity() <= ANSWERS_KEPT_FREE {
            return false;
        }
        let length = bytes.len();
        if !self.backlog.add(length, burden) {
            return false;
        }
        let is_queued = self.sender.try_send((bytes, burden)).is_ok();
        if !is_queued {
            self.backlog.written(length, burden);
        }
        is_queued
    }
}

impl Unwritten {
    /// Waits for the next bytes; they count until they are said to be written. None once nothing more will come.
    pub(super) async fn next(&mut self) -> Option<(Bytes, Burden)> {
        self.queue.recv().await
    }

    /// This many queued bytes were written.
    pub(super) fn written(&self, bytes: usize, burden: Burden) {
        self.backlog.written(bytes, burden);
    }
}
