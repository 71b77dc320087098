//! What is printed: a line for people, or one JSON object per line.

use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;

use serde::Serialize;

use super::percentiles::Percentiles;
use crate::model::text::counted;
pub(super) use crate::runtime::console::say;
use crate::runtime::console::{self, say_json};
use crate::store::served::Doubt;
use crate::terminal::{system_words, without_numbers};
use crate::time::Timestamp;
pub(super) use crate::time::millis;

/// The exit status of a command whose results could not be printed or saved (`EX_IOERR` of sysexits.h).
pub(super) const UNPRINTED_STATUS: u8 = 74;

/// The same where the reader of a pipe has gone: that of a program which SIGPIPE ends.
const CLOSED_STATUS: u8 = 128 + 13;

/// One line of `send` or `listen`; scripts rely on the field names.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(super) enum OutputLine<'a> {
    /// The proxy has accepted the message.
    Accepted {
        /// Status of the proxy's response.
        status: u16,
        /// Time since the message was sent.
        after_ms: u64,
    },
    /// The server does not fan out: each recipient gets a separate message.
    #[serde(rename = "one-by-one")]
    OneByOne,
    /// The outcome for one recipient.
    Outcome {
        /// With `--repeat`: the number of the message, from 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<u32>,
        /// The address as given.
        to: &'a str,
        /// In the words of the delivery report: success, failure, deferred, or unknown without a report.
        state: &'a str,
        /// SIP status, if reported.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Reason phrase, if reported.
        #[serde(skip_serializing_if = "str::is_empty")]
        reason: &'a str,
        /// Time since acceptance, if reported.
        #[serde(skip_serializing_if = "Option::is_none")]
        after_ms: Option<u64>,
    },
    /// No further reports are awaited.
    Report {
        /// `complete`; `none` from a server that reports only acceptance; after a timeout, `deferred` if all who are
        /// left are absent, else `missing`.
        state: &'a str,
    },
    /// The message was not accepted; nobody gets it.
    Refused {
        /// With `--repeat`: the number of the message, from 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<u32>,
        /// SIP status, if there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// The reason.
        reason: &'a str,
    },
    /// It is unknown whether the proxy has the message.
    Unconfirmed {
        /// SIP status of another request that was refused (the registration), if there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// The reason.
        reason: &'a str,
        /// The message is stored, and the next command on its folder tries again.
        retried: bool,
    },
    /// What became of the messages of `--repeat`.
    Summary {
        /// How many were sent.
        messages: u32,
        /// How many of these the proxy accepted.
        accepted: u32,
        /// How many it refused, or could not be sent.
        refused: u32,
        /// Outcomes by their state.
        outcomes: &'a BTreeMap<&'static str, usize>,
        /// Outcomes and refusals by their status, where there is one.
        statuses: &'a BTreeMap<u16, usize>,
        /// Time from the sending of a message to its acceptance.
        #[serde(skip_serializing_if = "Option::is_none")]
        accepted_ms: Option<Percentiles>,
        /// Time from the command to send a message to each outcome.
        #[serde(skip_serializing_if = "Option::is_none")]
        outcome_ms: Option<Percentiles>,
        /// From the first message to the end.
        took_ms: u64,
    },
    /// A message that `listen --answer` did not simply accept, or one of its transmissions.
    Answered {
        /// When (RFC 3339, UTC).
        time: String,
        /// Its Call-ID.
        id: &'a str,
        /// The sender.
        from: &'a str,
        /// 1 for its first transmission.
        transmission: u32,
        /// The status sent, `junk` or `none`.
        answer: &'a str,
    },
    /// A received message.
    Message {
        /// When it came (RFC 3339, UTC).
        time: String,
        /// Its Call-ID.
        id: &'a str,
        /// The sender.
        from: &'a str,
        /// The other recipients.
        also_to: Vec<&'a str>,
        /// Media type.
        #[serde(rename = "type")]
        content_type: &'a str,
        /// The body as text.
        text: &'a str,
        /// Names of the attachments.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        files: Vec<&'a str>,
        /// Where they were saved; none for one that was not.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        saved: Vec<Option<String>>,
        /// Present only as false: the message came directly from its sender, and nobody has verified who that is.
        #[serde(skip_serializing_if = "is_true")]
        verified: bool,
    },
}

/// Prints lines, each flushed at once for a reader at the other end of a pipe.
#[derive(Clone, Copy, Debug)]
pub(super) enum Printer {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Printer {
    pub(super) const fn new(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }

    pub(super) const fn is_json(self) -> bool {
        matches!(self, Self::Json)
    }

    /// Prints one line; see [`is_failing`].
    pub(super) fn print(self, line: &OutputLine<'_>) {
        match self {
            Self::Json => say_json(&serde_json::to_string(line).unwrap_or_default()),
            Self::Text => say(&plain(line)),
        }
    }
}

/// True once standard output could not be written; nothing more is printed there.
pub(super) fn is_failing() -> bool {
    console::failure().is_some()
}

/// The exit status of a command that would end with this one, which says so where its results could not be printed.
pub(super) fn checked(status: ExitCode) -> ExitCode {
    let Some(error) = console::failure() else { return status };
    complain_of_stdout();
    // What became of a message says more.
    if status != ExitCode::SUCCESS {
        return status;
    }
    ExitCode::from(if is_closed(error) { CLOSED_STATUS } else { UNPRINTED_STATUS })
}

/// Prints what `--help` or `--version` asks for.
pub(super) fn help(asked: &clap::Error) -> ExitCode {
    asked.print().unwrap_or_else(console::failed);
    checked(ExitCode::SUCCESS)
}

/// Says that standard output could not be written, if it could not. A reader who has gone has had enough, and is told
/// nothing.
pub(super) fn complain_of_stdout() {
    if let Some(error) = console::failure().filter(|error| !is_closed(error)) {
        note(&format!("standard output cannot be written: {}", system_words(error)));
    }
}

fn is_closed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

/// Prints warnings about possible mistakes to standard error.
pub(super) fn warn(doubts: &[Doubt]) {
    for doubt in doubts {
        console::complain(&format!("fanfare: warning: {doubt}"));
    }
}

/// Prints the error that ended the command, with its causes, to standard error.
pub(super) fn complain(error: &anyhow::Error) {
    console::complain(&format!("fanfare: {}", sentence(error)));
}

/// Prints the current status to standard error; standard output is for results.
pub(super) fn tell(text: &str) {
    console::complain(text);
}

/// Prints a line that begins with the name of the program to standard error; the command goes on.
pub(super) fn note(text: &str) {
    console::complain(&format!("fanfare: {text}"));
}

/// An error and its causes in one line, without the numbers of the system. Many errors include their cause's text: what
/// was printed already is not repeated.
pub(super) fn sentence(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(|cause| without_numbers(&cause.to_string())) {
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

/// Prints what is wrong with the arguments, line by line; they may contain text that a script got from strangers.
pub(super) fn complain_of_usage(error: &clap::Error) {
    error.render().to_string().trim_end().lines().for_each(console::complain);
}

/// Which message of many a line is about.
fn numbered(message: Option<u32>) -> String {
    message.map_or_else(String::new, |number| format!("message {number}: "))
}

/// The summary in lines, for people.
fn summary(line: &OutputLine<'_>) -> String {
    let OutputLine::Summary {
        messages,
        accepted,
        refused,
        outcomes,
        statuses,
        accepted_ms,
        outcome_ms,
        took_ms,
    } = line
    else {
        return String::new();
    };
    let sent = counted(usize::try_from(*messages).unwrap_or(usize::MAX), "message", "messages");
    let mut lines = vec![format!("{sent} in {took_ms} ms: {accepted} accepted, {refused} not")];
    let listed = |items: Vec<String>| items.join(", ");
    if !outcomes.is_empty() {
        lines.push(format!(
            "outcomes: {}",
            listed(outcomes.iter().map(|(state, count)| format!("{count} {state}")).collect())
        ));
    }
    if !statuses.is_empty() {
        lines.push(format!(
            "statuses: {}",
            listed(statuses.iter().map(|(status, count)| format!("{count} with {status}")).collect())
        ));
    }
    lines.extend(accepted_ms.map(|after| format!("accepted after: {after}")));
    lines.extend(outcome_ms.map(|after| format!("outcome after: {after}")));
    lines.join("\n")
}

/// `2026-11-30T13:05:00.123Z`, for programs (RFC 3339).
pub(super) fn utc(at: Timestamp) -> String {
    at.utc()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_true(flag: &bool) -> bool {
    *flag
}

fn plain(line: &OutputLine<'_>) -> String {
    match line {
        OutputLine::Accepted { status, after_ms } => {
            format!("accepted by the proxy ({status}, {after_ms} ms)")
        }
        OutputLine::OneByOne => {
            "sending one by one, because this server does not send one message to several people".to_owned()
        }
        OutputLine::Outcome { message, to, state, status, reason, after_ms } => {
            let told = match (status, *reason) {
                (None, "") => String::new(),
                (None, reason) => format!(": {reason}"),
                (Some(status), reason) => format!(": {status} {reason}").trim_end().to_owned(),
            };
            let after = after_ms.map_or_else(String::new, |millis| format!(" after {millis} ms"));
            // As people type it.
            let to = to.strip_prefix("sip:").filter(|short| short.contains('@')).unwrap_or(to);
            format!("{}{to} {state}{told}{after}", numbered(*message))
        }
        OutputLine::Report { state: "deferred" } => {
            "report deferred: the message waits in the mailbox for those who are absent".to_owned()
        }
        OutputLine::Report { state } => format!("report {state}"),
        OutputLine::Refused { message, status: Some(status), reason } => {
            format!("{}not accepted: {status} {reason}", numbered(*message))
        }
        OutputLine::Refused { message, status: None, reason } => {
            format!("{}not sent: {reason}", numbered(*message))
        }
        OutputLine::Summary { .. } => summary(line),
        OutputLine::Answered { from, transmission, answer, .. } => {
            let what = match *answer {
                "none" => "not answered".to_owned(),
                "junk" => "answered with junk".to_owned(),
                status => format!("answered {status}"),
            };
            format!("{from} (transmission {transmission}): {what}")
        }
        OutputLine::Unconfirmed { status, reason, retried } => {
            let then = if *retried {
                "will be tried again with this --data folder"
            } else {
                "will not be tried again without --data"
            };
            let status = status.map_or_else(String::new, |status| format!("{status} "));
            format!("not confirmed, {then}: {status}{reason}")
        }
        OutputLine::Message { from, also_to, text, files, saved, verified, .. } => {
            let doubt = if *verified { "" } else { " (not verified)" };
            let others =
                if also_to.is_empty() { String::new() } else { format!(" (also to {})", also_to.join(", ")) };
            let place = |number| saved.get(number).and_then(Option::as_ref);
            let file = |(number, name): (usize, &&str)| match place(number) {
                Some(path) => format!(" [{name}, saved as {path}]"),
                None => format!(" [{name}]"),
            };
            let files: String = files.iter().enumerate().map(file).collect();
            format!("{from}{doubt}{others}: {text}{files}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_fields_are_the_promised_ones() {
        let to = "im:ann@domain.com";
        let line = OutputLine::Outcome {
            message: None,
            to,
            state: "failure",
            status: Some(408),
            reason: "Request Timeout",
            after_ms: Some(7),
        };
        let json = r#"{"event":"outcome","to":"im:ann@domain.com","state":"failure","status":408,"reason":"Request Timeout","after_ms":7}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), json);
        let line = OutputLine::Message {
            time: "2026-12-02T04:13:35.007Z".to_owned(),
            id: "c1@host",
            from: "a",
            also_to: vec!["b"],
            content_type: "text/plain",
            text: "x\ny",
            files: vec![],
            saved: vec![],
            verified: true,
        };
        let json = r#"{"event":"message","time":"2026-12-02T04:13:35.007Z","id":"c1@host","from":"a","also_to":["b"],"type":"text/plain","text":"x\ny"}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), json);
    }

    #[test]
    fn a_file_is_shown_with_the_place_where_it_was_saved() {
        let line = OutputLine::Message {
            time: String::new(),
            id: "c1",
            from: "a",
            also_to: vec![],
            content_type: "multipart/mixed",
            text: "x",
            files: vec!["cat.png", "dog.png"],
            saved: vec![Some("in/cat (1).png".to_owned()), None],
            verified: true,
        };
        assert_eq!(plain(&line), "a: x [cat.png, saved as in/cat (1).png] [dog.png]");
        let json = serde_json::to_string(&line).unwrap();
        assert!(
            json.ends_with(r#""files":["cat.png","dog.png"],"saved":["in/cat (1).png",null]}"#),
            "{json}"
        );
    }

    #[test]
    fn who_wrote_straight_to_us_is_told_as_not_verified() {
        let line = OutputLine::Message {
            time: "now".to_owned(),
            id: "c1",
            from: "sip:ceo@domain.com",
            also_to: vec![],
            content_type: "text/plain",
            text: "x",
            files: vec![],
            saved: vec![],
            verified: false,
        };
        assert_eq!(plain(&line), "sip:ceo@domain.com (not verified): x");
        let json = r#"{"event":"message","time":"now","id":"c1","from":"sip:ceo@domain.com","also_to":[],"type":"text/plain","text":"x","verified":false}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), json);
    }

    #[test]
    fn an_error_says_each_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot read a.ron: {source}")]
        struct Twice {
            source: io::Error,
        }
        let twice = || Twice { source: io::Error::other("the disk is full") };
        assert_eq!(sentence(&twice().into()), "cannot read a.ron: the disk is full");
        let wrapped = anyhow::Error::from(twice()).context("no start");
        assert_eq!(sentence(&wrapped), "no start: cannot read a.ron: the disk is full");
        let plain = anyhow::Error::from(io::Error::other("the disk is full")).context("no start");
        assert_eq!(sentence(&plain), "no start: the disk is full");
    }

    #[test]
    fn people_read_who_and_what() {
        let line = OutputLine::Outcome {
            message: None,
            to: "sip:a@b",
            state: "success",
            status: None,
            reason: "",
            after_ms: None,
        };
        assert_eq!(plain(&line), "a@b success");
        let line = OutputLine::Outcome {
            message: None,
            to: "sip:a@b",
            state: "failure",
            status: Some(486),
            reason: "Busy Here",
            after_ms: Some(12),
        };
        assert_eq!(plain(&line), "a@b failure: 486 Busy Here after 12 ms");
    }
}
