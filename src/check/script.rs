//! What a script may say; `fanfare check --schema` prints the same for people (`schema.txt`).

use std::fmt;
use std::time::Duration;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::time;

/// A script: who takes part, what happens, and what is expected.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What it shows.
    pub about: String,
    /// The domain of everybody who has no address of his own.
    #[serde(default = "domain")]
    pub domain: String,
    /// Who writes.
    #[serde(default = "sender")]
    pub sender: String,
    /// T1 of the sender and of the built-in proxy.
    #[serde(default = "t1")]
    pub t1: Span,
    /// `Expires` of the messages (W8): so long they wait for who is absent.
    #[serde(default)]
    pub expires: Option<Span>,
    /// The sender asks for read receipts (W28).
    #[serde(default)]
    pub receipts: bool,
    /// The others.
    pub people: Vec<PersonEntry>,
    /// Addresses of the built-in proxy that stand for several people (W16).
    #[serde(default)]
    pub lists: Vec<ListEntry>,
    /// Faults from the start.
    #[serde(default)]
    pub faults: Vec<String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// Somebody who takes part.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "Person")]
pub struct PersonEntry {
    /// What the script calls him.
    pub name: String,
    /// His address.
    #[serde(default)]
    pub address: Option<String>,
    /// How he behaves at first, in the words of a fault.
    #[serde(default)]
    pub does: Option<String>,
    /// False for somebody real, or for nobody: then the script plays nobody at that address.
    #[serde(default = "yes")]
    pub simulated: bool,
}

/// An address that stands for several people.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "List")]
pub struct ListEntry {
    /// What the script calls it.
    pub name: String,
    /// Who is on it.
    pub members: Names,
}

/// One thing that happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Step {
    /// The sender writes.
    Send {
        /// To whom, in this order.
        to: Names,
        /// The text.
        text: String,
        /// The report asked for.
        #[serde(default)]
        report: Reporting,
        /// Nobody sees who else got it (W7).
        #[serde(default)]
        hidden: bool,
    },
    /// The sender sends a message once more to those whom it did not reach.
    Resend {
        /// Which one; the latest if it does not say.
        #[serde(default)]
        message: Option<usize>,
    },
    /// The sender takes a message back that has not left.
    Withdraw {
        /// Which one; the latest if it does not say.
        #[serde(default)]
        message: Option<usize>,
    },
    /// Time passes.
    Wait(Span),
    /// Time passes until the outcome of everybody is known, or so long.
    WaitForOutcomes(Span),
    /// A person un-registers and leaves.
    GoOffline(String),
    /// A person registers, and answers as usual.
    ComeBack(String),
    /// A fault begins or ends.
    Fault(String),
    /// The proxy is killed.
    CrashProxy,
    /// The proxy is told to end.
    StopProxy,
    /// The proxy is started again.
    StartProxy,
    /// The sender's program is killed.
    CrashSender,
    /// The sender's program is started again.
    StartSender,
    /// What has to be true now.
    Expect(Vec<Expectation>),
}

/// The report that a message asks for (W9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Reporting {
    /// One at the end.
    Final,
    /// One for each outcome.
    #[default]
    Each,
    /// None.
    None,
}

/// Something that has to be true at a time. `message` counts the `Send` steps from 1; without it, the latest is meant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Expectation {
    /// What the sender knows about people.
    Outcome(OutcomeExpected),
    /// Nothing is known about people until so long after the message was sent.
    NoOutcome {
        /// Whom.
        of: Names,
        /// How long.
        within: Span,
        /// Which message.
        #[serde(default)]
        message: Option<usize>,
    },
    /// What the sender sent.
    Uplink(UplinkExpected),
    /// How often a message arrived at people and was accepted there, each repetition of it counting once.
    Arrived {
        /// Whom.
        at: Names,
        /// How often; once if it does not say.
        #[serde(default = "once")]
        times: usize,
        /// Which message.
        #[serde(default)]
        message: Option<usize>,
    },
    /// How many reports the sender was sent, each repetition of one counting once.
    Reports {
        /// How many.
        count: usize,
        /// Which message.
        #[serde(default)]
        message: Option<usize>,
    },
    /// What the sender's window shows.
    Window {
        /// The line under the message.
        #[serde(default)]
        line: Option<String>,
        /// Whom `Resend` goes to.
        #[serde(default)]
        resend_goes_to: Option<Names>,
        /// Which message.
        #[serde(default)]
        message: Option<usize>,
    },
}

/// See [`Expectation::Outcome`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeExpected {
    /// Whose.
    pub of: Names,
    /// What became of it.
    #[serde(default)]
    pub is: Option<Outcome>,
    /// The status that decided it.
    #[serde(default)]
    pub status: Option<u16>,
    /// MESSAGEs that were sent to each of these people, repetitions included.
    #[serde(default)]
    pub transmissions: Option<usize>,
    /// At least so many.
    #[serde(default)]
    pub transmissions_at_least: Option<usize>,
    /// At most so many.
    #[serde(default)]
    pub transmissions_at_most: Option<usize>,
    /// The outcome was known so long after the message was sent, or later.
    #[serde(default)]
    pub latency_at_least: Option<Span>,
    /// The outcome was known within that time.
    #[serde(default)]
    pub latency_at_most: Option<Span>,
    /// Which message.
    #[serde(default)]
    pub message: Option<usize>,
}

/// See [`Expectation::Uplink`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UplinkExpected {
    /// MESSAGEs, each repetition of one not counted.
    #[serde(default)]
    pub messages: Option<usize>,
    /// With repetitions.
    #[serde(default)]
    pub transmissions: Option<usize>,
    /// At most so many, with repetitions.
    #[serde(default)]
    pub transmissions_at_most: Option<usize>,
    /// Bytes of the largest one.
    #[serde(default)]
    pub bytes_at_most: Option<usize>,
    /// The final status of the latest one.
    #[serde(default)]
    pub status: Option<u16>,
    /// Which message.
    #[serde(default)]
    pub message: Option<usize>,
}

/// What became of a message for somebody, as the sender knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Outcome {
    /// It has not left.
    Queued,
    /// It has left, or the proxy has it; nothing else is known.
    Waiting,
    /// It arrived.
    Delivered,
    /// It arrived and was read.
    Read,
    /// A server on the way took it (202).
    PassedOn,
    /// It did not arrive.
    Failed,
    /// It waits in the proxy until he comes back.
    Deferred,
    /// The report did not come.
    NoReport,
    /// It was taken back.
    Cancelled,
}

/// A time, written like `500ms`, `2s`, `5m` or `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || {
            D::Error::custom(format!(
                "{text:?} is not a time; write it like \"500ms\", \"2s\", \"5m\" or \"1h\""
            ))
        };
        time::duration(&text).map(Self).ok_or_else(wrong)
    }
}

/// One name or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name like \"Ann\", or several like [\"Ann\", \"Ben\"]")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Names, E> {
        Ok(Names(vec![name.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Names, A::Error> {
        let mut all = Vec::new();
        while let Some(name) = names.next_element()? {
            all.push(name);
        }
        Ok(Names(all))
    }
}

fn domain() -> String {
    "domain.com".to_owned()
}

fn sender() -> String {
    "James".to_owned()
}

const fn t1() -> Span {
    Span(Duration::from_millis(500))
}

const fn yes() -> bool {
    true
}

const fn once() -> usize {
    1
}
