//! One fault: its subject, and what happens to it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::answer::{self, Answer};
use super::path::{self, Passing, PathFault};
use super::proxy::{ProxyAct, ProxyFault};
use super::words::{Wrong, did_you_mean};
use crate::limits::CLOCK_SKEW_MAX;
use crate::time;

/// Subjects that are not people.
const SUBJECTS: [&str; 9] =
    ["path", "submission", "202", "legs", "notify", "connections", "proxy", "disk", "clock"];
/// The word that ends a fault.
const USUAL: &str = "usual";

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Injection {
    /// How a simulated person behaves.
    Person {
        /// The user part of the address, or what a script calls the person.
        name: String,
        /// What the person does.
        conduct: Conduct,
    },
    /// What happens to messages on their way.
    Path {
        /// Which ones.
        of: Passing,
        /// What happens.
        fault: PathFault,
    },
    /// What happens to the proxy's process.
    Proxy(ProxyFault),
    /// Whether the proxy's disk refuses all that is written.
    Disk {
        /// It does.
        is_full: bool,
    },
    /// The proxy's clock shows another time.
    Clock {
        /// How many milliseconds it is ahead; negative if it is behind.
        ahead_ms: i64,
    },
}

/// How a simulated person behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// Not registered, and gone.
    Offline,
    /// Registered, and answers so.
    Answers(Answer),
}

impl Default for Conduct {
    fn default() -> Self {
        Self::Answers(Answer::default())
    }
}

impl Injection {
    /// What it is a fault of: a later one with the same subject takes its place.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Self::Person { name, .. } => name,
            Self::Path { of, .. } => of.name(),
            Self::Proxy(_) => "proxy",
            Self::Disk { .. } => "disk",
            Self::Clock { .. } => "clock",
        }
    }

    /// What ends it.
    #[must_use]
    pub fn usual(&self) -> Self {
        match self {
            Self::Person { name, .. } => Self::Person { name: name.clone(), conduct: Conduct::default() },
            Self::Path { of, .. } => Self::Path { of: *of, fault: PathFault::default() },
            Self::Proxy(_) => {
                let back = Duration::ZERO;
                Self::Proxy(ProxyFault { act: ProxyAct::Start, after_202: false, back })
            }
            Self::Disk { .. } => Self::Disk { is_full: false },
            Self::Clock { .. } => Self::Clock { ahead_ms: 0 },
        }
    }

    /// The most like this fault of datagrams that can happen on connections; none if there is nothing like it.
    #[must_use]
    pub fn on_connections(&self) -> Option<Self> {
        let Self::Path { of, fault } = self else { return None };
        let fault = fault.on_connections().filter(|_| *of != Passing::Connections)?;
        Some(Self::Path { of: Passing::Connections, fault })
    }

    /// True if it ends a fault rather than being one.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == self.usual()
    }

    /// True if a person cannot have this name, because it is a subject of its own.
    #[must_use]
    pub fn is_subject(name: &str) -> bool {
        SUBJECTS.contains(&name)
    }

    pub(super) fn read(text: &str) -> Result<Self, Wrong> {
        let wrong = |at: usize, why: String| Wrong { at, why };
        let Some((subject, words)) = text.split_once(':') else {
            return Err(wrong(0, format!("{text:?} has no colon; write it like ben:486 or path:loss=20%")));
        };
        let start = subject.len() + 1;
        if let Some((_, of)) = Passing::ALL.into_iter().find(|(name, _)| *name == subject) {
            let usual = PathFault::default();
            let fault = if words == USUAL { usual } else { PathFault::read(words, start, of)? };
            return Ok(Self::Path { of, fault });
        }
        match (subject, words) {
            ("proxy", USUAL) => {
                let back = Duration::ZERO;
                Ok(Self::Proxy(ProxyFault { act: ProxyAct::Start, after_202: false, back }))
            }
            ("proxy", _) => Ok(Self::Proxy(ProxyFault::read(words, start)?)),
            ("disk", "full") => Ok(Self::Disk { is_full: true }),
            ("disk", USUAL) => Ok(Self::Disk { is_full: false }),
            ("disk", _) => Err(wrong(
                start,
                format!(
                    "{words:?} is not a fault of the disk; use full{}",
                    did_you_mean(words, &["full", USUAL])
                ),
            )),
            ("clock", USUAL) => Ok(Self::Clock { ahead_ms: 0 }),
            ("clock", _) => {
                skew(words).map(|ahead_ms| Self::Clock { ahead_ms }).map_err(|why| wrong(start, why))
            }
            ("", _) => Err(wrong(0, format!("{text:?} names nobody before the colon"))),
            _ => person(subject, words),
        }
    }
}

fn person(name: &str, words: &str) -> Result<Injection, Wrong> {
    let belongs = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_');
    if let Some((at, letter)) = name.char_indices().find(|(_, letter)| !belongs(*letter)) {
        let why = format!("{letter:?} is not in the name of a person or of another subject");
        return Err(Wrong { at, why });
    }
    let conduct = match words {
        "offline" => Conduct::Offline,
        USUAL => Conduct::default(),
        _ => Conduct::Answers(
            Answer::read(words, name.len() + 1).map_err(|wrong| of_person(name, wrong, words))?,
        ),
    };
    Ok(Injection::Person { name: name.to_owned(), conduct })
}

/// Says what was perhaps meant: `offline`, or another subject.
fn of_person(name: &str, wrong: Wrong, words: &str) -> Wrong {
    let word = words.get(wrong.at.saturating_sub(name.len() + 1)..).unwrap_or_default();
    let word = word.split([',', '=']).next().unwrap_or_default();
    let more = if did_you_mean(word, &["offline"]).is_empty() {
        if path::WORDS.contains(&word) && !answer::WORDS.contains(&word) {
            format!(
                "; {word} belongs to path, submission, 202, legs or notify{}",
                did_you_mean(name, &SUBJECTS)
            )
        } else {
            String::new()
        }
    } else if word == "offline" {
        "; offline stands alone".to_owned()
    } else {
        "; did you mean offline?".to_owned()
    };
    Wrong { why: format!("{}{more}", wrong.why), ..wrong }
}

fn skew(words: &str) -> Result<i64, String> {
    let shape = || {
        format!(
            "{words:?} is not a fault of the clock; write it like skew=5m (ahead) or skew=-1h (behind){}",
            did_you_mean(words, &["skew", USUAL])
        )
    };
    let value = words.strip_prefix("skew=").ok_or_else(shape)?;
    let (is_behind, value) = value.strip_prefix('-').map_or((false, value), |value| (true, value));
    let skew = time::duration(value).ok_or_else(shape)?;
    if skew > CLOCK_SKEW_MAX {
        return Err(format!("{words:?} is more than {} h", CLOCK_SKEW_MAX.as_secs() / 3600));
    }
    let millis = i64::try_from(skew.as_millis()).unwrap_or(i64::MAX);
    Ok(if is_behind { -millis } else { millis })
}

impl FromStr for Injection {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        Self::read(text)
    }
}

impl fmt::Display for Conduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offline => f.write_str("offline"),
            Self::Answers(answer) if *answer == Answer::default() => f.write_str(USUAL),
            Self::Answers(answer) => write!(f, "{answer}"),
        }
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.subject())?;
        match self {
            Self::Person { conduct, .. } => write!(f, "{conduct}"),
            Self::Path { fault, .. } => write!(f, "{fault}"),
            Self::Proxy(fault) => write!(f, "{fault}"),
            Self::Disk { is_full: true } => f.write_str("full"),
            Self::Disk { is_full: false } | Self::Clock { ahead_ms: 0 } => f.write_str(USUAL),
            Self::Clock { ahead_ms } => write!(f, "skew={ahead_ms}ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Injection, Wrong> {
        text.parse()
    }

    #[test]
    fn each_fault_is_read_and_printed_so_that_it_is_read_again_as_the_same() {
        for (text, printed) in [
            ("ben:486", "ben:486"),
            ("ben:offline", "ben:offline"),
            ("ben:usual", "ben:usual"),
            ("ben:200", "ben:usual"),
            ("ben:drop=2,late=3s", "ben:drop=2,late=3000ms"),
            ("wrong-address.dana_2:404", "wrong-address.dana_2:404"),
            ("path:loss=20%", "path:loss=20%"),
            ("path:usual", "path:usual"),
            (
                "path:every=10s,for=3s,reorder=1%,dup=100%,jitter=7ms,delay=200ms,drop=3,loss=2%",
                "path:loss=2%,dup=100%,reorder=1%,drop=3,delay=200ms,jitter=7ms,for=3000ms,every=10000ms",
            ),
            ("submission:drop=1", "submission:drop=1"),
            ("202:drop=1", "202:drop=1"),
            ("legs:dup=50%", "legs:dup=50%"),
            ("notify:truncate", "notify:truncate"),
            ("notify:forge,delay=1s", "notify:delay=1000ms,forge"),
            ("connections:cut", "connections:cut"),
            ("connections:every=9s,stall,for=2s", "connections:for=2000ms,every=9000ms,stall"),
            ("connections:jitter=1s,delay=2s", "connections:delay=2000ms,jitter=1000ms"),
            ("connections:usual", "connections:usual"),
            ("proxy:crash", "proxy:crash"),
            ("proxy:back=2s,stop,after=202", "proxy:stop,after=202,back=2000ms"),
            ("proxy:start", "proxy:start"),
            ("proxy:usual", "proxy:start"),
            ("disk:full", "disk:full"),
            ("disk:usual", "disk:usual"),
            ("clock:skew=5m", "clock:skew=300000ms"),
            ("clock:skew=-1h", "clock:skew=-3600000ms"),
            ("clock:usual", "clock:usual"),
        ] {
            let fault = read(text).unwrap_or_else(|wrong| panic!("{text}: {wrong}"));
            assert_eq!(fault.to_string(), printed);
            assert_eq!(read(printed), Ok(fault), "{printed}");
        }
        let late = Answer { dropped: 2, late: Duration::from_secs(3), ..Answer::default() };
        let name = "ben".to_owned();
        let ben = Injection::Person { name, conduct: Conduct::Answers(late) };
        assert_eq!(read("ben:drop=2,late=3s"), Ok(ben));
        assert_eq!(read("clock:skew=-1h"), Ok(Injection::Clock { ahead_ms: -3_600_000 }));
    }

    #[test]
    fn an_error_says_what_is_wrong_where_and_what_was_perhaps_meant() {
        for (text, at, part) in [
            ("", 0, "\"\" has no colon; write it like ben:486 or path:loss=20%"),
            (":486", 0, "names nobody before the colon"),
            ("ben smith:486", 3, "' ' is not in the name"),
            ("ben:", 4, "\"\" is not an answer"),
            ("ben:bussy", 4, "\"bussy\" is not an answer; use a status (200 to 699), silent"),
            (
                "ben:drop=2,silnt",
                11,
                "\"silnt\" is not an answer; use a status (200 to 699), silent, junk, \
              late=TIME, drop=COUNT or dup; did you mean silent?",
            ),
            ("ben:ofline", 4, "; did you mean offline?"),
            ("ben:dup,offline", 8, "; offline stands alone"),
            (
                "pth:loss=20%",
                4,
                "; loss belongs to path, submission, 202, legs or notify; did you mean path?",
            ),
            ("path:loss=20", 5, "\"loss=20\" is not loss=1% to loss=100%"),
            ("path:loss=0%", 5, "\"loss=0%\" is not loss=1% to loss=100%"),
            ("path:loss=101%", 5, "\"loss=101%\" is not loss=1% to loss=100%"),
            ("path:loss=20%,loss=10%", 14, "\"loss=10%\" cannot stand beside the other words of"),
            (
                "path:dealy=2s",
                5,
                "\"dealy=2s\" is not a fault of path; use loss=P%, drop=COUNT, delay=TIME, \
              jitter=TIME, dup=P%, reorder=P%, for=TIME or every=TIME; did you mean delay?",
            ),
            ("path:delay=2", 5, "\"delay=2\" has no time; write it like delay=3s or delay=500ms"),
            ("path:delay=11m", 5, "\"delay=11m\" is not between 1ms and 600 s"),
            ("path:forge", 5, "\"forge\" is for reports alone; write it like notify:forge"),
            ("path:for=3s", 5, "\"for=3s\" says how long, but not what happens"),
            ("path:loss=1%,every=3s", 5, "has every without a shorter for"),
            ("path:loss=1%,for=3s,every=3s", 5, "has every without a shorter for"),
            (
                "notify:trunkate",
                7,
                "reorder=P%, truncate, forge, for=TIME or every=TIME; did you mean truncate?",
            ),
            ("notify:truncate,forge", 16, "\"forge\" cannot stand beside the other words of"),
            ("proxy:after=202", 6, "\"after=202\" does not say what happens to the proxy"),
            ("proxy:start,back=2s", 6, "after and back belong to crash and stop"),
            ("proxy:crash,stop", 12, "\"stop\" cannot stand beside the other words of"),
            (
                "proxy:crsh",
                6,
                "\"crsh\" is not a fault of the proxy; use crash, stop or start, with after=202 and \
              back=TIME; did you mean crash?",
            ),
            ("proxy:crash,after=200", 12, "\"after=200\" is not a fault of the proxy"),
            ("disk:ful", 5, "\"ful\" is not a fault of the disk; use full; did you mean full?"),
            ("clock:skew=1", 6, "\"skew=1\" is not a fault of the clock; write it like skew=5m (ahead)"),
            ("clock:skew=999999h", 6, "\"skew=999999h\" is more than 8784 h"),
        ] {
            let wrong = read(text).expect_err(text);
            assert_eq!(wrong.at, at, "{text}: {wrong}");
            assert!(wrong.why.contains(part), "{text}: {wrong}");
        }
        assert_eq!(
            read("disk:ful").unwrap_err().to_string(),
            "at character 6: \"ful\" is not a fault of the disk; use full; did you mean full?"
        );
    }

    #[test]
    fn a_fault_of_datagrams_has_one_of_connections_that_is_like_it_or_none() {
        for (datagrams, connections) in [
            ("path:delay=2s", Some("connections:delay=2000ms")),
            ("notify:jitter=1s,dup=5%", Some("connections:jitter=1000ms")),
            ("path:loss=100%,for=3s,every=10s", Some("connections:for=3000ms,every=10000ms,stall")),
            ("path:loss=20%,for=3s", None),
            ("path:loss=100%", None),
            ("notify:drop=3", None),
            ("connections:delay=2s", None),
            ("disk:full", None),
        ] {
            let found = read(datagrams).unwrap().on_connections().map(|fault| fault.to_string());
            assert_eq!(found.as_deref(), connections, "{datagrams}");
            assert!(found.is_none_or(|found| read(&found).is_ok()), "{datagrams}");
        }
    }

    #[test]
    fn what_cannot_happen_on_a_connection_is_refused_with_the_reason() {
        for (text, at, part) in [
            (
                "connections:loss=20%",
                12,
                "\"loss=20%\" cannot happen on a connection, which repeats what is lost and keeps the order; \
                 use delay=TIME, jitter=TIME, stall or cut",
            ),
            ("connections:delay=1s,reorder=1%", 21, "\"reorder=1%\" cannot happen on a connection"),
            ("connections:forge", 12, "\"forge\" is for reports alone"),
            ("connections:stall", 12, "has a stall without an end; write it like stall,for=20s"),
            ("connections:cut,cut", 16, "\"cut\" cannot stand beside the other words of"),
            (
                "connections:stal",
                12,
                "\"stal\" is not a fault of connections; use delay=TIME, jitter=TIME, stall, cut, for=TIME or \
                 every=TIME; did you mean stall?",
            ),
            ("path:cut", 5, "\"cut\" is for connections alone; write it like connections:cut"),
        ] {
            let wrong = read(text).expect_err(text);
            assert_eq!(wrong.at, at, "{text}: {wrong}");
            assert!(wrong.why.contains(part), "{text}: {wrong}");
        }
    }
}
