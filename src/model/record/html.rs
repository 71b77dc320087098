//! The record as one page.

use super::json::AttemptJson;
use super::{DeliveryRecord, RecordAttempt, RecordContext, doubts};
use crate::model::document::html;
use crate::model::journal::{DeliveryRow, PersonRow, Way};
use crate::model::page::{END, begin, named, shown};
use crate::sip::content;

pub(super) fn page(record: &DeliveryRecord, context: &RecordContext<'_>) -> String {
    let outgoing = &record.message.outgoing;
    let mut page = begin(&format!("Delivery record of message {}", outgoing.id.0));
    page.push_str(&facts(record, context));
    page.push_str("<h2>Message</h2>");
    page.push_str(&shown(&content(&outgoing.content_type, &outgoing.body)));
    page.push_str("<h2>Outcome</h2>");
    page.push_str(&table(record.outcomes(), context));
    for attempt in record.attempts() {
        page.push_str(&attempt_part(attempt, context));
    }
    page.push_str(END);
    page
}

/// When the message was written, how the clock stood, and which capture belongs to it.
fn facts(record: &DeliveryRecord, context: &RecordContext<'_>) -> String {
    let zone = context.zone.iana_name().map_or_else(String::new, |zone| format!(", {zone}"));
    let doubts = doubts::of(record, context.written_at);
    let clock = if doubts.is_empty() {
        "The times below agree with each other.".to_owned()
    } else {
        format!("The times below may not be right. {}", doubts.join(" "))
    };
    let mut facts = vec![
        ("Message written", html(&context.clock(record.message.outgoing.at))),
        ("Record written", html(&format!("{}{zone}", context.clock(context.written_at)))),
        (
            "Clock",
            html(&format!("All times are by the clock of the computer that sent the message. {clock}")),
        ),
    ];
    if let Some(capture) = context.capture {
        let count = match capture.messages {
            0 => "nothing in it belongs to this message".to_owned(),
            count => format!("{count} SIP messages in it belong to this message"),
        };
        let words =
            format!("{}, {count}; SHA-256 <code>{}</code>", html(&capture.file), html(&capture.sha256));
        facts.push(("Capture", words));
    }
    let rows = facts.into_iter().map(|(name, value)| format!("<tr><th>{name}</th><td>{value}</td></tr>"));
    format!("<table>{}</table>", rows.collect::<String>())
}

fn attempt_part(attempt: RecordAttempt<'_>, context: &RecordContext<'_>) -> String {
    let at = context.clock(attempt.attempt.at);
    let rows = table(attempt.recipients.iter().map(|(person, row)| (*person, Some(*row))), context);
    let rows = format!("{rows}{}", own_call_ids(&attempt));
    let reports: String = attempt
        .reports
        .iter()
        .map(|report| {
            let body = String::from_utf8_lossy(&report.body);
            format!("<h3>Report, {}</h3><pre>{}</pre>", html(&context.clock(report.at)), html(&body))
        })
        .collect();
    let said = AttemptJson::from(attempt);
    let mut page = format!(
        "<h2>Attempt {}</h2><p>Sent as {}; {} since {}</p>\
         <p>Call-ID <code>{}</code>, From tag <code>{}</code>, CSeq {}, Delivery-Report <code>{}</code></p>{rows}",
        said.attempt,
        html(said.sent),
        html(said.stage),
        html(&at),
        html(said.call_id),
        html(said.from_tag),
        said.cseq,
        html(&said.delivery_report)
    );
    if !said.others.is_empty() {
        page.push_str(
            "<h3>Also named by its reports</h3>\
             <table><thead><tr><th>Address</th><th>State</th><th>Status</th></tr></thead>",
        );
        for other in &said.others {
            let status = other.status.map(|status| format!("{status} ")).unwrap_or_default();
            page.push_str(&format!(
                "<tr><td>{}</td><td>{}</td><td>{status}{}</td></tr>",
                html(other.address),
                html(other.state),
                html(other.reason)
            ));
        }
        page.push_str("</table>");
    }
    page.push_str(&reports);
    page
}

/// The Call-IDs of an attempt in which each recipient got a MESSAGE of his own.
fn own_call_ids(attempt: &RecordAttempt<'_>) -> String {
    if attempt.attempt.way != Way::OneByOne {
        return String::new();
    }
    let row = |(person, row): &(&PersonRow, &DeliveryRow)| {
        let call_id = attempt.attempt.single_call_id(row.recipient);
        format!("<tr><td>{}</td><td><code>{}</code></td></tr>", html(&person.address), html(&call_id))
    };
    let rows: String = attempt.recipients.iter().map(row).collect();
    format!("<table><thead><tr><th>Address</th><th>Call-ID</th></tr></thead>{rows}</table>")
}

fn table<'a>(
    rows: impl Iterator<Item = (&'a PersonRow, Option<&'a DeliveryRow>)>,
    context: &RecordContext<'_>,
) -> String {
    let mut page =
        "<table><thead><tr><th>Recipient</th><th>Address</th><th>State</th><th>Status</th><th>Tries</th>\
                    <th>After</th><th>Known since</th></tr></thead>"
            .to_owned();
    for (person, row) in rows {
        let (name, address) = (named(person, context.names), html(&person.address));
        let Some(row) = row else {
            page.push_str(&format!("<tr><td>{name}</td><td>{address}</td><td colspan=\"5\"></td></tr>"));
            continue;
        };
        let status = row.status.map(|status| format!("{status} ")).unwrap_or_default();
        let after = row.after.map(|after| format!("{:.3} s", after.as_secs_f64())).unwrap_or_default();
        page.push_str(&format!(
            "<tr><td>{name}</td><td>{address}</td><td>{}</td><td>{status}{}</td><td>{}</td><td>{after}</td><td>{}</td></tr>",
            row.state.word(),
            html(&row.phrase.to_string()),
            row.tries.map(|tries| tries.to_string()).unwrap_or_default(),
            html(&context.clock(row.at))
        ));
    }
    page.push_str("</table>");
    page
}
