//! How a peer that a tester runs answers a MESSAGE: a simulated person, or `fanfare listen --answer`.
//!
//! An answer is made of words with commas between them. At most one of these says what is sent:
//!
//! - `486`: this status, 200 to 699
//! - `silent`: nothing, ever
//! - `junk`: bytes that are not SIP
//!
//! and each of these may stand beside it, or alone, once:
//!
//! - `late=3s`: not before that long after the first transmission; its repetitions meanwhile get nothing
//! - `drop=2`: the first 2 transmissions of each message get nothing, as if they had been lost
//! - `dup`: each answer is sent twice
//!
//! ```
//! use fanfare::injection::{Answer, Sent};
//!
//! let answer: Answer = "drop=2,486".parse().unwrap();
//! assert_eq!((answer.dropped, answer.sent), (2, Sent::Status(486)));
//! assert_eq!(answer.to_string(), "drop=2,486");
//! ```

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::words::{Wrong, count_of, did_you_mean, time_of, words};
use crate::limits::{ANSWER_DROPPED_MAX, ANSWER_LATE_MAX};

/// The words, for errors that name the nearest one.
pub(super) const WORDS: [&str; 5] = ["silent", "junk", "late", "drop", "dup"];

/// What is sent in place of an answer: no reader of SIP takes it for a message, and a framer goes on after it.
pub const JUNK: &[u8] = b"\r\n\xff\xfe\x00 this is not SIP \x00\xfe\xff\r\n\r\n";

/// How a peer answers a MESSAGE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What it sends.
    pub sent: Sent,
    /// How many transmissions of a message get nothing first.
    pub dropped: u32,
    /// How long it waits after the first transmission that is not dropped.
    pub late: Duration,
    /// It sends each answer twice.
    pub is_double: bool,
}

/// What a peer sends as an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sent {
    /// What it would send anyway.
    #[default]
    Usual,
    /// A response with this status.
    Status(u16),
    /// Bytes that are not SIP.
    Junk,
    /// Nothing, ever.
    Nothing,
}

impl Answer {
    /// True if a transmission gets nothing, where 1 is the first of its message.
    #[must_use]
    pub const fn ignores(&self, transmission: u32) -> bool {
        matches!(self.sent, Sent::Nothing) || transmission <= self.dropped
    }

    /// True for an answer that is sent, and means that the message arrived.
    #[must_use]
    pub const fn accepts(&self) -> bool {
        matches!(self.sent, Sent::Usual | Sent::Status(200..=299))
    }

    /// Adds a word of the grammar. `None` if it stands beside one that it contradicts.
    fn with(mut self, word: Word) -> Option<Self> {
        let was = self;
        match word {
            Word::Sent(sent) => self.sent = sent,
            Word::Dropped(count) => self.dropped = count,
            Word::Late(wait) => self.late = wait,
            Word::Double => self.is_double = true,
        }
        let is_new = match word {
            Word::Sent(_) => was.sent == Sent::Usual,
            Word::Dropped(_) => was.dropped == 0,
            Word::Late(_) => was.late.is_zero(),
            Word::Double => !was.is_double,
        };
        let does_something = self.dropped > 0 || !self.late.is_zero() || self.is_double;
        (is_new && !(self.sent == Sent::Nothing && does_something)).then_some(self)
    }
}

/// One word of the grammar.
#[derive(Clone, Copy, Debug)]
enum Word {
    Sent(Sent),
    Dropped(u32),
    Late(Duration),
    Double,
}

impl Word {
    fn read(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None => match text {
                "silent" => Ok(Self::Sent(Sent::Nothing)),
                "junk" => Ok(Self::Sent(Sent::Junk)),
                "dup" => Ok(Self::Double),
                _ if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => status(text),
                _ => Err(unknown(text)),
            },
            Some(("late", wait)) => time_of(text, wait, ANSWER_LATE_MAX).map(Self::Late),
            Some(("drop", number)) => count_of(text, number, ANSWER_DROPPED_MAX).map(Self::Dropped),
            Some(_) => Err(unknown(text)),
        }
    }
}

fn status(text: &str) -> Result<Word, String> {
    match text.parse() {
        Ok(200) => Ok(Word::Sent(Sent::Usual)),
        Ok(status @ 201..=699) => Ok(Word::Sent(Sent::Status(status))),
        Ok(_) | Err(_) => Err(format!("{text:?} is not a final status, which is 200 to 699")),
    }
}

fn unknown(text: &str) -> String {
    format!(
        "{text:?} is not an answer; use a status (200 to 699), silent, junk, late=TIME, drop=COUNT or dup{}",
        did_you_mean(text, &WORDS)
    )
}

impl Answer {
    /// Reads an answer that begins `start` bytes into a longer text.
    pub(super) fn read(text: &str, start: usize) -> Result<Self, Wrong> {
        words(text, start).try_fold(Self::default(), |answer, (at, word)| {
            let contradicts = || format!("{word:?} cannot stand beside the other words of {text:?}");
            let word = Word::read(word).map_err(|why| Wrong { at, why })?;
            answer.with(word).ok_or_else(|| Wrong { at, why: contradicts() })
        })
    }
}

impl FromStr for Answer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::read(text, 0).map_err(|wrong| wrong.why)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if self.dropped > 0 {
            words.push(format!("drop={}", self.dropped));
        }
        if !self.late.is_zero() {
            words.push(format!("late={}ms", self.late.as_millis()));
        }
        match self.sent {
            Sent::Usual if words.is_empty() && !self.is_double => words.push("200".to_owned()),
            Sent::Usual => {}
            Sent::Status(status) => words.push(status.to_string()),
            Sent::Junk => words.push("junk".to_owned()),
            Sent::Nothing => words.push("silent".to_owned()),
        }
        if self.is_double {
            words.push("dup".to_owned());
        }
        f.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Answer, String> {
        text.parse()
    }

    #[test]
    fn each_word_is_read_alone_and_beside_others_and_printed_again() {
        let usual = Answer::default();
        let late = Duration::from_secs(3);
        for (text, answer, printed) in [
            ("200", usual, "200"),
            ("486", Answer { sent: Sent::Status(486), ..usual }, "486"),
            ("202", Answer { sent: Sent::Status(202), ..usual }, "202"),
            ("silent", Answer { sent: Sent::Nothing, ..usual }, "silent"),
            ("junk", Answer { sent: Sent::Junk, ..usual }, "junk"),
            ("late=3s", Answer { late, ..usual }, "late=3000ms"),
            ("drop=2", Answer { dropped: 2, ..usual }, "drop=2"),
            ("dup", Answer { is_double: true, ..usual }, "dup"),
            (
                "dup,603,late=3s,drop=100",
                Answer { sent: Sent::Status(603), dropped: 100, late, is_double: true },
                "drop=100,late=3000ms,603,dup",
            ),
            ("drop=1,200", Answer { dropped: 1, ..usual }, "drop=1"),
        ] {
            assert_eq!(read(text), Ok(answer), "{text}");
            assert_eq!(answer.to_string(), printed);
            assert_eq!(read(printed), Ok(answer), "{printed}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_answer_is_named() {
        let unknown =
            "is not an answer; use a status (200 to 699), silent, junk, late=TIME, drop=COUNT or dup";
        for (text, word, what) in [
            ("", "", unknown),
            ("busy", "busy", unknown),
            ("486,", "", unknown),
            ("loss=20%", "loss=20%", unknown),
            ("180", "180", "is not a final status, which is 200 to 699"),
            ("700", "700", "is not a final status, which is 200 to 699"),
            ("99999", "99999", "is not a final status, which is 200 to 699"),
            ("late=", "late=", "has no time; write it like late=3s or late=500ms"),
            ("late=3", "late=3", "has no time; write it like late=3s or late=500ms"),
            ("late=0s", "late=0s", "is not between 1ms and 600 s"),
            ("late=11m", "late=11m", "is not between 1ms and 600 s"),
            ("drop=0", "drop=0", "is not drop=1 to drop=100"),
            ("drop=101", "drop=101", "is not drop=1 to drop=100"),
            ("drop=-1", "drop=-1", "is not drop=1 to drop=100"),
        ] {
            assert_eq!(read(text), Err(format!("{word:?} {what}")), "{text}");
        }
        for (text, word, near) in [
            ("486, dup", " dup", "dup"),
            ("Silent", "Silent", "silent"),
            ("late", "late", "late"),
            ("dup=2", "dup=2", "dup"),
            ("drpo=2", "drpo=2", "drop"),
        ] {
            assert_eq!(read(text), Err(format!("{word:?} {unknown}; did you mean {near}?")), "{text}");
        }
        for (text, word) in [
            ("486,603", "603"),
            ("junk,486", "486"),
            ("silent,late=1s", "late=1s"),
            ("dup,silent", "silent"),
            ("drop=1,drop=2", "drop=2"),
            ("late=1s,late=1s", "late=1s"),
            ("dup,dup", "dup"),
        ] {
            let what = format!("{word:?} cannot stand beside the other words of {text:?}");
            assert_eq!(read(text), Err(what));
        }
    }

    #[test]
    fn the_first_transmissions_get_nothing_and_silence_never_ends() {
        let answer = read("drop=2").unwrap();
        assert_eq!([1, 2, 3, 4].map(|number| answer.ignores(number)), [true, true, false, false]);
        assert!(!read("late=1s").unwrap().ignores(1));
        assert!(read("silent").unwrap().ignores(u32::MAX));
    }
}
