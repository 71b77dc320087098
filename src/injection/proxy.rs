//! What happens to the proxy's process.

use std::fmt;
use std::time::Duration;

use super::words::{Wrong, did_you_mean, time_of, words};
use crate::limits::FAULT_TIME_MAX;

/// The words, for errors that name the nearest one.
const WORDS: [&str; 5] = ["crash", "stop", "start", "after", "back"];

/// What happens to the proxy's process, once.
///
/// One of the words `crash`, `stop` and `start`; beside the first two `after=202` and `back=2s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyFault {
    /// What is done.
    pub act: ProxyAct,
    /// Not now, but as soon as a 202 has left.
    pub after_202: bool,
    /// It is started again so much later; zero if not by itself.
    pub back: Duration,
}

/// What is done to the proxy's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyAct {
    /// It is killed: what it has not yet stored is lost.
    Crash,
    /// It is told to end, and stores what it knows first.
    Stop,
    /// It is started with what it has stored.
    Start,
}

impl ProxyFault {
    pub(super) fn read(text: &str, start: usize) -> Result<Self, Wrong> {
        let (mut act, mut after_202, mut back) = (None, false, Duration::ZERO);
        for (at, word) in words(text, start) {
            let wrong = |why: String| Wrong { at, why };
            let twice = || wrong(format!("{word:?} cannot stand beside the other words of {text:?}"));
            let known = match word {
                "crash" => Some(ProxyAct::Crash),
                "stop" => Some(ProxyAct::Stop),
                "start" => Some(ProxyAct::Start),
                _ => None,
            };
            match (word.split_once('='), known) {
                (None, Some(known)) => {
                    if act.replace(known).is_some() {
                        return Err(twice());
                    }
                }
                (Some(("after", "202")), None) if !after_202 => after_202 = true,
                (Some(("back", wait)), None) if back.is_zero() => {
                    back = time_of(word, wait, FAULT_TIME_MAX).map_err(wrong)?;
                }
                (Some(("after", "202") | ("back", _)), None) => return Err(twice()),
                _ => return Err(wrong(unknown(word))),
            }
        }
        let wrong = |why: &str| Wrong { at: start, why: format!("{text:?} {why}") };
        match act {
            None => Err(wrong("does not say what happens to the proxy; use crash, stop or start")),
            Some(ProxyAct::Start) if after_202 || !back.is_zero() => {
                Err(wrong("starts the proxy at once; after and back belong to crash and stop"))
            }
            Some(act) => Ok(Self { act, after_202, back }),
        }
    }
}

/// True for the 202 to a submission, for which `after=202` waits.
#[must_use]
pub fn is_accepted(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SIP/2.0 202 ") && memchr::memmem::find(bytes, b" MESSAGE\r\n").is_some()
}

fn unknown(word: &str) -> String {
    format!(
        "{word:?} is not a fault of the proxy; use crash, stop or start, with after=202 and back=TIME{}",
        did_you_mean(word, &WORDS)
    )
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.act {
            ProxyAct::Crash => "crash",
            ProxyAct::Stop => "stop",
            ProxyAct::Start => "start",
        })?;
        if self.after_202 {
            f.write_str(",after=202")?;
        }
        if !self.back.is_zero() {
            write!(f, ",back={}ms", self.back.as_millis())?;
        }
        Ok(())
    }
}
