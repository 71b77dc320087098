//! Ends the process, with a status that a supervisor sees, when one of its parts dies because of a fault of ours.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use super::logs;

/// Exit status after an internal fault (`EX_SOFTWARE` of sysexits.h), distinct from the statuses that report results.
pub const FAULT_STATUS: u8 = 70;

/// A part that the loop depends on has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The store's writer thread: nothing can be made durable any more.
    #[error("a fault of Fanfare's own: the thread that writes the store has ended")]
    StoreWriter,
    /// The network: sockets are not read any more.
    #[error("a fault of Fanfare's own: a task of the network has ended")]
    Network,
    /// The outside watch: changes by other processes are not noticed any more.
    #[error("a fault of Fanfare's own: the thread that looks for changes from outside has ended")]
    OutsideWatch,
}

/// From now on a panic in any thread or task ends the process with [`FAULT_STATUS`]: half a program that goes on is
/// worse than none, and everything promised is on the disk. Without this, a panic ends only its own thread, and the
/// others wait for it forever.
pub fn end_process_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        if IS_CONTAINED.get() {
            return tracing::warn!("{panic}");
        }
        // The default hook is not used: it writes to standard error itself, and blocks while nobody reads that.
        tell(panic);
        logs::flush();
        std::process::exit(i32::from(FAULT_STATUS));
    }));
}

thread_local! {
    /// This thread does work whose panic ends nothing else.
    static IS_CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Does work whose panic ends nothing but itself: a library reads there what a stranger sent, and nothing else depends on it.
/// None if it panicked.
pub fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    let before = IS_CONTAINED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_CONTAINED.set(before);
    done.ok()
}

fn tell(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("without a name");
    let backtrace = std::backtrace::Backtrace::capture();
    if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
        tracing::error!(thread, "{panic}\n{backtrace}");
    } else {
        tracing::error!(thread, "{panic}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHILD: &str = "FANFARE_TEST_PANICS";

    /// Run by the test below in a process of its own; otherwise it does nothing.
    #[test]
    fn panics_in_a_thread() {
        if std::env::var_os(CHILD).is_none() {
            return;
        }
        end_process_on_panic();
        let thread = std::thread::Builder::new().name("store".to_owned());
        let fallen = thread.spawn(|| panic!("a fault of ours, made for this test")).unwrap();
        drop(fallen.join());
        // Reached only if the panic did not end the process.
        std::process::exit(0);
    }

    /// Run by the test below in a process of its own; otherwise it does nothing.
    #[test]
    fn panics_in_contained_work() {
        if std::env::var_os(CHILD).is_none() {
            return;
        }
        end_process_on_panic();
        assert_eq!(contained(|| 7), Some(7));
        let none: Option<()> = contained(|| panic!("a decoder fell over, made for this test"));
        assert!(none.is_none() && !IS_CONTAINED.get());
        std::process::exit(3);
    }

    #[test]
    fn a_panic_in_contained_work_ends_that_work_alone() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "runtime::faults::tests::panics_in_contained_work", "--nocapture"])
            .env(CHILD, "1")
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(3));
    }

    #[test]
    fn a_panic_in_any_thread_ends_the_process_with_a_status_of_its_own() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "runtime::faults::tests::panics_in_a_thread", "--nocapture"])
            .env(CHILD, "1")
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(70));
    }
}
