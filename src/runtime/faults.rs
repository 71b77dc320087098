//! What happens when a part of the program ends by a fault of ours: the process ends, with a status that a supervisor sees.

use std::panic::PanicHookInfo;

use super::logs;

/// Exit status of a process that ends by a fault of its own (`EX_SOFTWARE` of sysexits.h), apart from what it says of its work.
pub const FAULT_STATUS: u8 = 70;

/// A part that the loop cannot go on without has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing can be made durable any more.
    #[error("a fault of Fanfare's own: the thread that writes the store has ended")]
    StoreWriter,
    /// Sockets are not read any more.
    #[error("a fault of Fanfare's own: a task of the network has ended")]
    Network,
    /// Changes from outside are not seen any more.
    #[error("a fault of Fanfare's own: the thread that looks for changes from outside has ended")]
    OutsideWatch,
}

/// From now on a panic in any thread or task ends the process with [`FAULT_STATUS`]: half a program that goes on is worse than none,
/// and everything that was promised is on the disk. Without it a panic ends its thread alone, and the others wait for it.
pub fn end_process_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        // Not by the usual hook: it writes to standard error itself, and waits there for as long as nobody reads.
        tell(panic);
        logs::flush();
        std::process::exit(i32::from(FAULT_STATUS));
    }));
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

    /// Run by the test below in a process of its own; in this one it does nothing.
    #[test]
    fn panics_in_a_thread() {
        if std::env::var_os(CHILD).is_none() {
            return;
        }
        end_process_on_panic();
        let thread = std::thread::Builder::new().name("store".to_owned());
        let fallen = thread.spawn(|| panic!("a fault of ours, made for this test")).unwrap();
        drop(fallen.join());
        // Nobody looked at the end of the thread, and yet this is never come to.
        std::process::exit(0);
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
