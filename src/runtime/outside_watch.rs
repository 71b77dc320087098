//! Checks, on its own thread, whether another process has changed a proxy's store.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::runtime::faults::Fault;
use crate::store::tables::{Changes, Outside};

/// How soon a change is noticed; a check reads one row.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Handle of the thread, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct OutsideWatch {
    changes: mpsc::Receiver<Outside>,
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl OutsideWatch {
    /// Asks a store for changes from now on.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(watch: impl Changes + Send + 'static) -> io::Result<Self> {
        let (sender, changes) = mpsc::channel(1);
        let (stop, stopped) = sync_channel(0);
        let thread = std::thread::Builder::new()
            .name("proxy-outside".to_owned())
            .spawn(move || look(watch, &sender, &stopped))?;
        Ok(Self { changes, stop: Some(stop), thread: Some(thread) })
    }

    /// Waits for a change and returns the whole outside data.
    ///
    /// # Errors
    /// The thread has ended because of a fault of ours.
    pub(super) async fn changed(&mut self) -> Result<Outside, Fault> {
        self.changes.recv().await.ok_or(Fault::OutsideWatch)
    }
}

impl Drop for OutsideWatch {
    fn drop(&mut self) {
        self.changes.close();
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the look-out for changes from outside ended by a panic");
        }
    }
}

fn look(mut watch: impl Changes, changes: &mpsc::Sender<Outside>, stopped: &Receiver<()>) {
    let mut is_failing = false;
    while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
        let looked = watch.changed();
        let was_failing = std::mem::replace(&mut is_failing, looked.is_err());
        match looked {
            Ok(Some(outside)) => {
                tracing::info!(aliases = outside.aliases.len(), "what is changed from outside is read");
                if changes.blocking_send(outside).is_err() {
                    return;
                }
            }
            Ok(None) => {}
            Err(error) if !was_failing => tracing::warn!(%error, "changes from outside cannot be seen"),
            Err(_) => {}
        }
    }
}
