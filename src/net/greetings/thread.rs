//! The thread on which handshakes with peers are computed: each costs an operation with our private key, and a peer who
//! begins many must not hold up the messages of others, which go through the thread of the loop.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// Its name, for whoever looks at the threads of this process.
pub(in crate::net) const NAME: &str = "greetings";

/// Started with its first task; ends when this is dropped, and its tasks with it.
#[derive(Debug, Default)]
pub(super) struct Thread(OnceLock<Option<Running>>);

#[derive(Debug)]
struct Running {
    runtime: Handle,
    /// Nothing is ever sent: the thread ends when this is dropped.
    _stop: oneshot::Sender<Infallible>,
}

impl Thread {
    /// Runs a task there, or on the caller's runtime if this system gives us no thread. A socket in it stays with the
    /// runtime where it was made, which wakes the task up.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let running = self.0.get_or_init(|| {
            let start = start();
            start
                .inspect_err(|error| tracing::warn!(%error, "there is no thread for handshakes of its own"))
                .ok()
        });
        match running {
            Some(running) => running.runtime.spawn(task),
            None => tokio::spawn(task),
        }
        .abort_handle()
    }
}

fn start() -> io::Result<Running> {
    let own = Builder::new_current_thread().enable_time().build()?;
    let runtime = own.handle().clone();
    let (stop, stopped) = oneshot::channel();
    std::thread::Builder::new().name(NAME.to_owned()).spawn(move || drop(own.block_on(stopped)))?;
    Ok(Running { runtime, _stop: stop })
}
