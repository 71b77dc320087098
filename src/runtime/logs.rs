//! Logs: lines on standard error, filtered by `FANFARE_LOG` (default: our warnings, and errors of libraries).
//!
//! **Invariant:** logging neither fails the program nor makes it wait. A separate thread writes the lines; what
//! standard error does not take (a full disk, a pipe whose reader is gone or has stopped reading) is dropped and
//! counted, and the count is the first line written once that is possible again.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::console::SafeLog;
use crate::config::text::{self, LogFilter, USUAL_LOG};
use crate::limits::{LOG_FLUSH_WAIT, LOG_LINE_BYTES_MAX, LOG_LINES_WAITING_MAX};
use crate::time::Clock;

/// The environment variable with the log filter; it overrides the settings file.
pub const VARIABLE: &str = "FANFARE_LOG";
/// The target of lines that an operator must always see: its errors pass every filter.
pub const ALWAYS: &str = "fanfare::operator";
/// How soon a full queue is tried again while a flush waits for it.
const FLUSH_AGAIN: Duration = Duration::from_millis(10);

/// The log of this process, once started.
static LOG: OnceLock<Log> = OnceLock::new();

/// Handle of the process's log: lines are written while it is held; when dropped, it writes those that wait, for a
/// bounded time.
#[derive(Debug)]
pub struct Logs(());

struct Log {
    queue: Queue,
    set_filter: Box<dyn Fn(EnvFilter) -> bool + Send + Sync>,
}

/// Starts logging.
///
/// # Errors
/// The environment variable is not a valid filter: a sentence that names the variable and the bad word.
pub fn start() -> Result<Logs, String> {
    let asked = asked_by_environment()?;
    let queue = Queue::start(io::stderr);
    let filter = filter(asked.as_ref())?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(queue.clone())
        // Readers of a log (fail2ban, a file) want no colors, and no other escape sequences may pass.
        .with_ansi(false)
        // The subscriber would report its own failures by printing to standard error, which panics if that fails.
        .log_internal_errors(false)
        .with_filter_reloading();
    let handle = builder.reload_handle();
    // A second start (tests in one process) changes nothing.
    if builder.try_init().is_ok() {
        let set_filter = Box::new(move |filter| handle.reload(filter).is_ok());
        LOG.set(Log { queue, set_filter }).ok();
    }
    Ok(Logs(()))
}

/// The filter from the environment; none if the variable is not set.
fn asked_by_environment() -> Result<Option<LogFilter>, String> {
    let Some(value) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    text::log(&value.to_string_lossy()).map(Some).map_err(|why| format!("{VARIABLE}: {why}"))
}

/// Writes the waiting lines, for at most `limits::LOG_FLUSH_WAIT`.
pub fn flush() {
    if let Some(log) = LOG.get() {
        log.queue.flush();
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        flush();
    }
}

/// Result of a request to change the log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It applies from now on.
    Set,
    /// The environment variable is set and takes precedence.
    Overruled,
}

/// Changes the filter (the usual one if none), unless the environment variable is set.
///
/// # Errors
/// The filter is invalid; nothing has changed.
pub fn set_level(level: Option<&LogFilter>) -> Result<Level, String> {
    let filter = filter(level)?;
    if asked_by_environment()?.is_some() {
        return Ok(Level::Overruled);
    }
    if let Some(log) = LOG.get() {
        (log.set_filter)(filter);
    }
    Ok(Level::Set)
}

fn filter(level: Option<&LogFilter>) -> Result<EnvFilter, String> {
    let directives = level.map_or_else(|| USUAL_LOG.to_owned(), LogFilter::directives);
    let wrong = |error| format!("{directives:?} cannot be used as a log filter: {error}");
    EnvFilter::builder().parse(format!("{directives},{ALWAYS}=error")).map_err(wrong)
}

enum Job {
    Line(Vec<u8>),
    /// Write everything queued before this.
    Flush(SyncSender<()>),
}

/// The queue to the writing thread.
#[derive(Clone)]
struct Queue {
    jobs: SyncSender<Job>,
    lost: Arc<AtomicU64>,
}

impl Queue {
    /// Starts the thread; it writes to what `open` returns.
    fn start<W: Write>(open: impl FnOnce() -> W + Send + 'static) -> Self {
        let (jobs, waiting) = sync_channel(LOG_LINES_WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        // Without the thread every line counts as lost, and the program goes on.
        drop(
            std::thread::Builder::new()
                .name("log".to_owned())
                .spawn(move || write_all(open(), &waiting, &counted)),
        );
        Self { jobs, lost }
    }

    fn line(&self, mut line: Vec<u8>) {
        if line.len() > LOG_LINE_BYTES_MAX {
            line.truncate(LOG_LINE_BYTES_MAX);
            line.extend_from_slice(" [cut]\n".as_bytes());
        }
        if self.jobs.try_send(Job::Line(line)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {
        let clock = Clock::start();
        let end = clock.now().mono + LOG_FLUSH_WAIT;
        let (done, answer) = sync_channel(1);
        let mut job = Job::Flush(done);
        loop {
            match self.jobs.try_send(job) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) if !clock.until(end).is_zero() => job = back,
                Err(_) => return,
            }
            std::thread::sleep(FLUSH_AGAIN);
        }
        match answer.recv_timeout(clock.until(end)) {
            Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

fn write_all(out: impl Write, jobs: &Receiver<Job>, lost: &AtomicU64) {
    let mut out = SafeLog(out);
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Line(line) => {
                let missing = lost.swap(0, Ordering::Relaxed);
                let told = missing == 0
                    || out
                        .write_all(format!("{missing} lines of the log were lost here\n").as_bytes())
                        .is_ok();
                let is_written = told && out.write_all(&line).and_then(|()| out.flush()).is_ok();
                if !is_written {
                    lost.fetch_add(if told { 1 } else { missing.saturating_add(1) }, Ordering::Relaxed);
                }
            }
            Job::Flush(done) => {
                done.try_send(()).ok();
            }
        }
    }
}

/// The line of one event, collected until it is complete.
struct LogLine {
    queue: Queue,
    bytes: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = LogLine;

    fn make_writer(&'a self) -> LogLine {
        LogLine { queue: self.clone(), bytes: Vec::new() }
    }
}

impl Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogLine {
    fn drop(&mut self) {
        let line = std::mem::take(&mut self.bytes);
        if !line.is_empty() {
            self.queue.line(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;

    use super::*;

    /// Accepts lines, or refuses them as a full disk does.
    #[derive(Clone, Default)]
    struct Disk {
        written: Arc<Mutex<Vec<u8>>>,
        is_full: Arc<AtomicBool>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.is_full.load(Ordering::SeqCst) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let mut written = self.written.lock().map_err(|_poisoned| io::ErrorKind::Other)?;
            written.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Disk {
        fn text(&self) -> String {
            String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
        }
    }

    fn log(queue: &Queue, line: &str) {
        let mut writer = queue.make_writer();
        writer.write_all(line.as_bytes()).unwrap();
    }

    #[test]
    fn what_cannot_be_written_is_lost_and_counted_and_the_next_line_is_written() {
        let disk = Disk::default();
        let own = disk.clone();
        let queue = Queue::start(move || own);
        log(&queue, "one\n");
        queue.flush();
        disk.is_full.store(true, Ordering::SeqCst);
        log(&queue, "two\n");
        log(&queue, "three\n");
        queue.flush();
        disk.is_full.store(false, Ordering::SeqCst);
        log(&queue, "four\n");
        queue.flush();
        assert_eq!(disk.text(), "one\n2 lines of the log were lost here\nfour\n");
    }

    #[test]
    fn a_reader_that_has_stopped_reading_holds_nobody_up() {
        let (go, wait) = sync_channel::<()>(1);
        let disk = Disk::default();
        let own = disk.clone();
        // The thread blocks before its first line, as in a write to a full pipe.
        let queue = Queue::start(move || {
            wait.recv().ok();
            own
        });
        for number in 0..LOG_LINES_WAITING_MAX + 5 {
            log(&queue, &format!("{number}\n"));
        }
        assert_eq!(queue.lost.load(Ordering::Relaxed), 5);
        go.send(()).unwrap();
        queue.flush();
        log(&queue, "last\n");
        queue.flush();
        let text = disk.text();
        assert!(text.starts_with("5 lines of the log were lost here\n0\n1\n"), "{text}");
        assert!(text.ends_with(&format!("{}\nlast\n", LOG_LINES_WAITING_MAX - 1)), "{text}");
    }

    #[test]
    fn a_line_has_a_maximum() {
        let disk = Disk::default();
        let own = disk.clone();
        let queue = Queue::start(move || own);
        log(&queue, &"x".repeat(2 * LOG_LINE_BYTES_MAX));
        queue.flush();
        assert_eq!(disk.text(), format!("{} [cut]\n", "x".repeat(LOG_LINE_BYTES_MAX)));
    }

    fn of_a_library() {
        tracing::warn!(target: "winit::platform", "a library warns");
        tracing::error!(target: "winit::platform", "a library fails");
    }

    fn of_ours() {
        tracing::warn!(target: "fanfare::net", "we warn");
        tracing::info!(target: "fanfare::net", "we tell");
    }

    fn of_a_detail() {
        tracing::debug!(target: "fanfare::dropped", "a detail");
    }

    #[test]
    fn unless_asked_for_libraries_log_errors_only_and_we_warn() {
        let logged = |level: Option<&str>| {
            let disk = Disk::default();
            let own = disk.clone();
            let queue = Queue::start(move || own);
            let level = level.map(|level| text::log(level).unwrap());
            let log = tracing_subscriber::fmt()
                .with_env_filter(filter(level.as_ref()).unwrap())
                .with_writer(queue.clone())
                .without_time()
                .with_ansi(false)
                .finish();
            tracing::subscriber::with_default(log, || {
                of_a_library();
                of_ours();
                of_a_detail();
            });
            queue.flush();
            disk.text()
        };
        let usual = "ERROR winit::platform: a library fails\n WARN fanfare::net: we warn\n";
        assert_eq!(logged(None), usual);
        assert_eq!(
            logged(Some("fanfare::dropped=debug")),
            format!("{usual}DEBUG fanfare::dropped: a detail\n")
        );
        assert_eq!(logged(Some("warn")), format!(" WARN winit::platform: a library warns\n{usual}"));
    }

    #[test]
    fn errors_for_the_operator_pass_every_filter() {
        for level in ["off", "fanfare=off", "error", "warn", "fanfare::net=debug"] {
            let disk = Disk::default();
            let own = disk.clone();
            let queue = Queue::start(move || own);
            let log = tracing_subscriber::fmt()
                .with_env_filter(filter(Some(&text::log(level).unwrap())).unwrap())
                .with_writer(queue.clone())
                .without_time()
                .with_ansi(false)
                .finish();
            tracing::subscriber::with_default(log, || {
                tracing::error!(target: ALWAYS, "told");
                tracing::warn!(target: ALWAYS, "a warning");
            });
            queue.flush();
            assert_eq!(disk.text(), "ERROR fanfare::operator: told\n", "{level}");
        }
    }
}
