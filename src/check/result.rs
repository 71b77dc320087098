//! What came of a script.

use std::time::Duration;

/// What came of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What the script shows.
    pub about: String,
    /// Its expectations, in order.
    pub checks: Vec<Check>,
    /// Who sent what to whom, as text; a ladder for each message of the sender.
    pub ladders: String,
    /// How much time passed in it.
    pub took: Duration,
}

/// An expectation, and whether it was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// When it was looked at, counted from the first step.
    pub at: Duration,
    /// The line of the script on which the expectation begins, from 1.
    pub line: usize,
    /// What was expected.
    pub expected: String,
    /// What was seen instead; None if it was met.
    pub instead: Option<String>,
}

impl Run {
    /// True if all expectations were met.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.checks.iter().all(|check| check.instead.is_none())
    }

    /// How many expectations were not met.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.checks.iter().filter(|check| check.instead.is_some()).count()
    }

    /// The result as text, a line for each expectation; the ladders follow if something was not met, or if they are wanted.
    #[must_use]
    pub fn text(&self, name: &str, with_ladder: bool) -> String {
        let word = if self.has_passed() { "pass" } else { "FAIL" };
        let mut lines = vec![format!("{word} {name}: {}", self.about)];
        for check in &self.checks {
            let at = format!("{:.3} s", check.at.as_secs_f64());
            match &check.instead {
                None => lines.push(format!("  pass {at:>10}  {}", check.expected)),
                Some(instead) => {
                    lines.push(format!("  FAIL {at:>10}  {} (line {})", check.expected, check.line));
                    lines.push(format!("                   seen instead: {instead}"));
                }
            }
        }
        if with_ladder || !self.has_passed() {
            lines.push(self.ladders.trim_end().to_owned());
        }
        lines.join("\n")
    }
}
