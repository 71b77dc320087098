//! Processes: the binary under test and its peers, started, read line by line, ended by their process id.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes; after that a test fails and shows the output so far.
pub(crate) const WAIT: Duration = Duration::from_secs(30);

/// A running process, killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    child: Child,
    out: Arc<Lines>,
    err: Arc<Lines>,
}

/// What a process has printed so far.
#[derive(Debug, Default)]
struct Lines {
    state: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

/// How a process ended, and all that it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) out: Vec<String>,
    pub(crate) err: Vec<String>,
}

impl Ended {
    /// The exit status; a process ended by a signal has none.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("ended by a signal: {self:?}"))
    }

    /// Everything printed, for searching.
    pub(crate) fn said(&self) -> String {
        self.out.iter().chain(&self.err).map(|line| format!("{line}\n")).collect()
    }

    /// Checks that there was no panic.
    pub(crate) fn assert_no_panic(&self) {
        assert!(!self.said().contains("panicked"), "{self:?}");
        assert!(!self.said().contains("RUST_BACKTRACE"), "{self:?}");
    }
}

/// `fanfare ARGS` as a command that can still be changed.
pub(crate) fn fanfare_command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanfare"));
    command.args(args);
    command
}

/// Starts `fanfare ARGS`.
pub(crate) fn fanfare(args: &[&str]) -> Program {
    Program::start("fanfare", fanfare_command(args), None)
}

/// Starts `fanfare ARGS` with this as its standard input.
pub(crate) fn fanfare_reading(args: &[&str], input: &str) -> Program {
    Program::start("fanfare", fanfare_command(args), Some(input))
}

impl Program {
    /// Starts a command. It has no default folders for settings and data: a test must name every folder it uses.
    pub(crate) fn start(name: &str, command: Command, input: Option<&str>) -> Self {
        let (program, stdin) =
            Self::spawn(name, command, if input.is_some() { Stdio::piped() } else { Stdio::null() });
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // A program that refuses its arguments does not read its input, so the pipe breaks.
            stdin.write_all(input.as_bytes()).ok();
        }
        program
    }

    /// Starts a command whose standard input stays open for later commands.
    pub(crate) fn start_conversing(name: &str, command: Command) -> (Self, ChildStdin) {
        let (program, stdin) = Self::spawn(name, command, Stdio::piped());
        (program, stdin.unwrap())
    }

    fn spawn(name: &str, mut command: Command, stdin: Stdio) -> (Self, Option<ChildStdin>) {
        command.stdin(stdin);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("RUST_BACKTRACE", "0").env_remove("XDG_DATA_HOME");
        if !command.get_envs().any(|(name, _)| name == "HOME") {
            command.env("HOME", "/nonexistent");
        }
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        let stdin = child.stdin.take();
        let out = Lines::gather(child.stdout.take().unwrap());
        let err = Lines::gather(child.stderr.take().unwrap());
        (Self { name: name.to_owned(), child, out, err }, stdin)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the first line on standard output that contains these words.
    pub(crate) fn line_with(&self, words: &str) -> String {
        let found = self.out.wait(|lines| lines.iter().find(|line| line.contains(words)).cloned());
        found.unwrap_or_else(|| {
            panic!(
                "{} did not print {words:?}\nout: {:#?}\nerr: {:#?}",
                self.name,
                self.out.now(),
                self.err.now()
            )
        })
    }

    /// Waits for the first line on standard error that contains these words.
    pub(crate) fn complaint_with(&self, words: &str) -> String {
        let found = self.err.wait(|lines| lines.iter().find(|line| line.contains(words)).cloned());
        found.unwrap_or_else(|| panic!("{} did not say {words:?}\nerr: {:#?}", self.name, self.err.now()))
    }

    /// What it has printed so far on standard output.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.out.now()
    }

    /// What it has printed so far on standard error.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.err.now()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Kills it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Kills it; returns everything it had printed.
    pub(crate) fn kill_and_read(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        assert!(self.out.wait_closed(), "{} has an end", self.name);
        self.out.now()
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Ended {
        self.end_within(WAIT)
    }

    /// Waits for the end of a program that takes longer than others.
    pub(crate) fn end_within(mut self, patience: Duration) -> Ended {
        let until = Instant::now() + patience;
        let mut closed = self.out.wait_closed();
        while !closed && Instant::now() < until {
            closed = self.out.wait_closed();
        }
        assert!(closed, "{} does not end\nout: {:#?}\nerr: {:#?}", self.name, self.out.now(), self.err.now());
        let status = self.child.wait().unwrap();
        self.err.wait_closed();
        Ended { status, out: self.out.now(), err: self.err.now() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail if it has already ended, which is fine.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Lines {
    fn gather(stream: impl Read + Send + 'static) -> Arc<Self> {
        let lines = Arc::new(Self::default());
        let theirs = Arc::clone(&lines);
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
                theirs.state.lock().unwrap().0.push(text);
                theirs.changed.notify_all();
                line.clear();
            }
            theirs.state.lock().unwrap().1 = true;
            theirs.changed.notify_all();
        });
        lines
    }

    fn now(&self) -> Vec<String> {
        self.state.lock().unwrap().0.clone()
    }

    /// Waits until `look` finds what it looks for in the lines; none if the process ends or time is up first.
    fn wait<T>(&self, mut look: impl FnMut(&[String]) -> Option<T>) -> Option<T> {
        let until = Instant::now() + WAIT;
        let mut state = self.state.lock().unwrap();
        loop {
            if let Some(found) = look(&state.0) {
                return Some(found);
            }
            let left = until.saturating_duration_since(Instant::now());
            if state.1 || left.is_zero() {
                return None;
            }
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    fn wait_closed(&self) -> bool {
        self.wait(|_| None::<()>);
        self.state.lock().unwrap().1
    }
}

/// Sends a signal to a process that a test started.
pub(crate) fn signal(pid: u32, name: &str) {
    let status =
        Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &pid.to_string()]).status().unwrap();
    assert!(status.success(), "kill -s {name} {pid}");
}
