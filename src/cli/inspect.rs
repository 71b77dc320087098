//! `fanfare inspect`: says from a capture what became of each message in it.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::output::{millis, note, say, utc};
use crate::inspect::{
    CaptureFile, Cut, Source, State, Submission, Traced, Verdict, ladder, ladder_text, read_capture,
    submissions, verdict,
};
use crate::limits::{INSPECT_BYTES_MAX, INSPECT_MESSAGES_MAX, INSPECT_PACKETS_MAX};
use crate::runtime::console::say_json;
use crate::time::latency;

#[derive(Debug, Args)]
pub(super) struct InspectArguments {
    /// Capture to read: pcapng or pcap, written by fanfare, tshark, sngrep or tcpdump.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Draw who sent what to whom.
    #[arg(long, conflicts_with = "json")]
    ladder: bool,
    /// Show only the messages of this Call-ID.
    #[arg(long, value_name = "CALL-ID")]
    call_id: Option<String>,
    /// Print one JSON object per message.
    #[arg(long)]
    json: bool,
}

/// One submission; scripts rely on the field names.
#[derive(Debug, Serialize)]
struct JsonSubmission<'a> {
    call_id: &'a str,
    from: &'a str,
    /// When it was first seen, by the clock of the capture (RFC 3339).
    at: String,
    /// It asks for fan-out or a report.
    fan_out: bool,
    /// The final status of the message itself, if one was seen.
    status: Option<u16>,
    reports: usize,
    recipients: Vec<JsonRecipient<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonRecipient<'a> {
    to: &'a str,
    /// In the words of the delivery report; `open` while nothing is known.
    state: &'static str,
    /// Which message says so: `report`, `leg` or `answer`.
    source: Option<&'static str>,
    status: Option<u16>,
    reason: Option<String>,
    transmissions: Option<u32>,
    took_ms: Option<u64>,
    /// The status with which this person's device answered, where the report says otherwise.
    contradicted_by: Option<u16>,
}

/// Runs the command. Exit status 1 if there is no message to show.
///
/// # Errors
/// The file cannot be read, or is not a capture.
pub(super) fn run(arguments: &InspectArguments) -> anyhow::Result<ExitCode> {
    let file = &arguments.file;
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let capture =
        read_capture(BufReader::new(opened)).with_context(|| format!("cannot read {}", file.display()))?;
    mention(file, &capture);
    let all = submissions(&capture.messages);
    let wanted = |one: &&Submission| arguments.call_id.as_ref().is_none_or(|id| *id == one.call_id);
    let mut shown = 0_usize;
    for submission in all.iter().filter(wanted) {
        if arguments.json {
            say_json(&serde_json::to_string(&json(submission)).unwrap_or_default());
        } else {
            say(&plain(submission, &capture.messages, arguments.ladder));
        }
        shown += 1;
    }
    if shown == 0 {
        note(&match &arguments.call_id {
            Some(id) if !all.is_empty() => format!("there is no MESSAGE with the Call-ID {id} in it"),
            Some(_) | None => "there is no MESSAGE in it to show".to_owned(),
        });
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what of the capture was not read.
fn mention(file: &Path, capture: &CaptureFile) {
    let file = file.display();
    match &capture.cut {
        Some(Cut::TooMany) => note(&format!(
            "{file}: only the beginning is read: at most {INSPECT_MESSAGES_MAX} messages and {} MiB",
            INSPECT_BYTES_MAX / 1024 / 1024
        )),
        Some(Cut::TooManyPackets) => {
            note(&format!("{file}: only the beginning is read: at most {INSPECT_PACKETS_MAX} packets"));
        }
        Some(Cut::Damaged(why)) => note(&format!("{file}: read up to a damaged place: {why}")),
        None => {}
    }
    if capture.stream_segments > 0 {
        note(&format!(
            "{file}: {} TCP segments were passed over: only SIP over UDP is read",
            capture.stream_segments
        ));
    }
}

fn plain(submission: &Submission, trace: &[Traced], with_ladder: bool) -> String {
    let (from, at) = (submission.from.as_str(), utc(submission.at));
    let answer = submission.answer.as_ref();
    let answer = answer.map_or_else(
        || "no answer seen".to_owned(),
        |answer| {
            format!(
                "answered {} {} after {}",
                answer.status,
                answer.reason,
                latency(answer.at.since(submission.at))
            )
        },
    );
    let mut lines = vec![format!("{at} {from}, Call-ID {}: {answer}", submission.call_id)];
    for recipient in &submission.recipients {
        let verdict = verdict(submission, recipient);
        lines.push(format!("  {} {}", recipient.address.as_str(), outcome(&verdict)));
    }
    for leg in &submission.others {
        let answer = leg.answer.as_ref();
        let answer = answer.map_or_else(|| "no answer seen".to_owned(), |answer| answer.status.to_string());
        lines.push(format!(
            "  not named in the message, perhaps a member of a list: {} {answer}",
            leg.to.as_str()
        ));
    }
    if with_ladder {
        let drawn = ladder(submission, |place| trace.get(place));
        lines.push(ladder_text(&drawn).trim_end().to_owned());
        if submission.is_fan_out && !drawn.shows_legs {
            lines.push("The messages to the recipients did not pass where this was captured.".to_owned());
        }
    }
    lines.join("\n")
}

fn outcome(verdict: &Verdict) -> String {
    let told = match (verdict.status, verdict.reason.as_deref()) {
        (Some(status), reason) => format!(": {status} {}", reason.unwrap_or_default()).trim_end().to_owned(),
        (None, _) => String::new(),
    };
    let took = verdict.took.map_or_else(String::new, |took| format!(" after {}", latency(took)));
    let tries = match verdict.transmissions {
        None => String::new(),
        Some(1) => ", sent once".to_owned(),
        Some(tries) => format!(", sent {tries} times"),
    };
    let source = match verdict.source {
        None => " (neither an answer nor a report seen)",
        Some(Source::Report) => " (by the report)",
        Some(Source::Leg) => " (by the recipient's answer; no report seen)",
        Some(Source::Answer) => " (by the answer)",
    };
    let doubt = verdict.contradicted_by.as_ref().map_or_else(String::new, |answer| {
        format!("; BUT the recipient answered {} {}", answer.status, answer.reason)
    });
    format!("{}{told}{took}{tries}{source}{doubt}", word(verdict.state))
}

const fn word(state: State) -> &'static str {
    match state {
        State::Delivered => "success",
        State::Failed => "failure",
        State::Deferred => "deferred",
        State::Open => "open",
    }
}

fn json(submission: &Submission) -> JsonSubmission<'_> {
    JsonSubmission {
        call_id: &submission.call_id,
        from: submission.from.as_str(),
        at: utc(submission.at),
        fan_out: submission.is_fan_out,
        status: submission.answer.as_ref().map(|answer| answer.status),
        reports: submission.reports.len(),
        recipients: submission
            .recipients
            .iter()
            .map(|recipient| {
                let verdict = verdict(submission, recipient);
                JsonRecipient {
                    to: recipient.address.as_str(),
                    state: word(verdict.state),
                    source: verdict.source.map(|source| match source {
                        Source::Report => "report",
                        Source::Leg => "leg",
                        Source::Answer => "answer",
                    }),
                    status: verdict.status,
                    reason: verdict.reason,
                    transmissions: verdict.transmissions,
                    took_ms: verdict.took.map(millis),
                    contradicted_by: verdict.contradicted_by.map(|answer| answer.status),
                }
            })
            .collect(),
    }
}
