//! What happened, in order: the last lines as text, and everything as one hash for comparison.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Lines that a failure prints.
const LINES_SHOWN: usize = 50;

/// See the top of this file.
#[derive(Debug)]
pub(crate) struct Trace {
    hasher: DefaultHasher,
    lines: VecDeque<String>,
    is_loud: bool,
}

impl Trace {
    /// An empty trace; with `SIM_TRACE` set, each line is printed as it is added.
    pub(crate) fn new() -> Self {
        let is_loud = std::env::var_os("SIM_TRACE").is_some();
        Self { hasher: DefaultHasher::new(), lines: VecDeque::new(), is_loud }
    }

    pub(crate) fn line(&mut self, line: String) {
        line.hash(&mut self.hasher);
        if self.is_loud {
            println!("{line}");
        }
        if self.lines.len() >= LINES_SHOWN {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Adds bytes to the hash that no line shows.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        bytes.hash(&mut self.hasher);
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    pub(crate) fn print(&self) {
        for line in &self.lines {
            eprintln!("{line}");
        }
    }
}
