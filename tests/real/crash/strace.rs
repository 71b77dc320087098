//! Traces programs with strace, to see the order of their system calls, and makes their disk fail.
//!
//! If strace is missing or not permitted, these tests fail and say so, because a skipped test would go unnoticed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::program::{Program, WAIT};

/// A disk that fails for one process until this is dropped.
#[derive(Debug)]
pub(super) struct BadDisk {
    strace: Option<Program>,
    _folder: TempDir,
}

impl BadDisk {
    /// From now on these system calls of a running process fail or are slow, in the syntax of strace's `inject=`:
    /// `fsync:error=EIO`.
    pub(super) fn of(pid: u32, faults: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new("strace");
        command.args(["-f", "-o"]).arg(folder.path().join("trace")).args(["-p", &pid.to_string()]);
        let calls: Vec<&str> = faults.iter().map(|fault| fault.split(':').next().unwrap()).collect();
        command.args(["-e", &format!("trace={}", calls.join(","))]);
        for fault in faults {
            command.args(["-e", &format!("inject={fault}")]);
        }
        let strace =
            Program::start("strace (it may have to be installed, or allowed to trace)", command, None);
        strace.complaint_with(" attached");
        Self { strace: Some(strace), _folder: folder }
    }

    /// Ends the faults.
    pub(super) fn mend(mut self) {
        self.let_go();
    }

    fn let_go(&mut self) {
        if let Some(strace) = self.strace.take() {
            strace.signal("TERM");
            strace.end();
        }
    }
}

impl Drop for BadDisk {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.let_go();
        }
    }
}

/// A process whose system calls are recorded from the start.
#[derive(Debug)]
pub(super) struct Traced {
    pub(super) program: Program,
    file: PathBuf,
    folder: TempDir,
}

/// One call of one thread.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: String,
    pub(super) result: String,
    /// The trace lines at which it began and ended.
    pub(super) began: usize,
    pub(super) ended: usize,
}

/// All calls, in the order in which they ended.
#[derive(Debug)]
pub(super) struct Trace(Vec<Call>);

impl Traced {
    /// Starts `fanfare ARGS`, traced.
    pub(super) fn fanfare(args: &[&str], input: Option<&str>) -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("trace");
        let mut command = Command::new("strace");
        // With -D the traced process is our child, so that we signal the program itself. Strings are long enough for a
        // whole page of the store.
        command.args(["-D", "-f", "-y", "-q", "-s", "4200", "-o"]).arg(&file);
        command.args([
            "-e",
            "trace=mkdir,openat,rename,unlink,pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg,recvfrom",
        ]);
        command.arg(env!("CARGO_BIN_EXE_fanfare")).args(args);
        let program = Program::start(
            "fanfare under strace (which may have to be installed or allowed)",
            command,
            input,
        );
        Self { program, file, folder }
    }

    /// Waits until it ends.
    pub(super) fn end(self) -> Trace {
        let pid = self.program.pid().to_string();
        let ended = self.program.end();
        let until = Instant::now() + WAIT;
        let is_end = |line: &str| line.split_whitespace().take(3).eq([pid.as_str(), "+++", "exited"]);
        loop {
            // strace writes its last lines after the traced program has ended.
            let text = fs::read_to_string(&self.file).unwrap_or_else(|error| {
                panic!("strace wrote no trace ({error}): may it trace here? {ended:?}")
            });
            if text.lines().any(is_end) {
                drop(self.folder);
                return Trace::read(&text);
            }
            assert!(Instant::now() < until, "the trace has no end; is strace allowed to trace here?");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Trace {
    fn read(text: &str) -> Self {
        let mut begun: Vec<(String, usize, String)> = Vec::new();
        let mut calls = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let Some((pid, rest)) = line.split_once(' ') else { continue };
            let rest = rest.trim_start();
            if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
                begun.push((pid.to_owned(), number, start.to_owned()));
            } else if let Some(end) = rest.strip_prefix("<... ") {
                let at = begun.iter().position(|(of, _, _)| of == pid).expect("a call that was begun");
                let (_, began, start) = begun.remove(at);
                let end = end.split_once(" resumed>").expect("strace's own words").1;
                calls.extend(Call::read(&format!("{start}{end}"), began, number));
            } else {
                calls.extend(Call::read(rest, number, number));
            }
        }
        Self(calls)
    }

    /// The first call with one of these names whose arguments contain these words.
    pub(super) fn first(&self, names: &[&str], words: &str) -> &Call {
        self.find(names, words).next().unwrap_or_else(|| panic!("no {names:?} with {words:?} in {self:#?}"))
    }

    pub(super) fn find(&self, names: &[&str], words: &str) -> impl Iterator<Item = &Call> {
        self.0
            .iter()
            .filter(move |call| names.contains(&call.name.as_str()) && call.arguments.contains(words))
    }

    /// True if a file or folder was synced between these two lines.
    pub(super) fn is_synced(&self, path: &Path, after: usize, before: usize) -> bool {
        let path = format!("<{}>", path.display());
        self.find(&["fsync", "fdatasync"], &path)
            .any(|call| call.result.starts_with('0') && call.began > after && call.ended < before)
    }

    /// Checks that something was written to the write-ahead log between the two calls, and synced before the second.
    pub(super) fn assert_log_synced(&self, log: &Path, after: &Call, before: &Call) {
        let name = format!("<{}>", log.display());
        let within = |call: &&Call| call.began > after.began && call.began < before.began;
        let last = self.find(&["pwrite64"], &name).filter(within).map(|call| call.ended).max();
        let last = last.unwrap_or_else(|| panic!("nothing is written to {name}: {self:#?}"));
        assert!(
            self.is_synced(log, last, before.began),
            "{name} was written at {last} and not synced before {before:?}: {self:#?}"
        );
    }
}

impl Call {
    fn read(text: &str, began: usize, ended: usize) -> Option<Self> {
        let (name, rest) = text.split_once('(')?;
        let (arguments, result) = rest.rsplit_once(" = ")?;
        let name = name.to_owned();
        Some(Self { name, arguments: arguments.to_owned(), result: result.to_owned(), began, ended })
    }
}
