//! One page without scripts and without anything that is loaded from elsewhere, to be read and printed.

use data_encoding::BASE64;

use super::export::{outcome, outcomes};
use super::rows::AttemptJson;
use crate::cli::writer::{html, local};
use crate::model::journal::{DeliveryRow, PersonRow};
use crate::model::names::Names;
use crate::model::record::DeliveryRecord;
use crate::model::text::clean;
use crate::sip::{Content, File, content};
use crate::store::history::StoredMessage;

/// The end of a page.
pub(super) const END: &str = "</main></body></html>\n";

/// Media types that a browser shows as a picture and runs nothing of.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111;background:#fff}\
article{border:1px solid #ccc;border-radius:8px;padding:.6em .9em;margin:.6em 0;break-inside:avoid}\
article.mine{margin-left:12%;background:#eef5ff}header{color:#555;font-size:.85em}pre{white-space:pre-wrap;word-break:break-word}\
p.text{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3em 0}img{max-width:100%;max-height:30em}\
table{border-collapse:collapse;width:100%;font-size:.85em}th,td{border:1px solid #ccc;padding:.25em .5em;text-align:left;vertical-align:top;overflow-wrap:anywhere}";

/// The beginning of a page.
pub(super) fn begin(title: &str) -> String {
    let title = html(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>\n"
    )
}

/// A message.
pub(super) fn message(stored: &StoredMessage, names: &Names) -> String {
    let all = |rows: &[PersonRow]| rows.iter().map(|row| named(row, names)).collect::<Vec<_>>().join(", ");
    let (class, at, who, body) = match stored {
        StoredMessage::Ours(rows) => {
            let row = &rows.outgoing;
            ("mine", row.at, format!("Me to {}", all(&row.recipients)), content(&row.content_type, &row.body))
        }
        StoredMessage::Theirs(row) => {
            let doubt = if row.verified { "" } else { " (not verified)" };
            let others = if row.also_to.is_empty() {
                String::new()
            } else {
                format!(", also to {}", all(&row.also_to))
            };
            let who = format!("{}{doubt}{others}", named(&row.from, names));
            ("theirs", row.at, who, content(&row.content_type, &row.body))
        }
    };
    let id = stored.id().0;
    let mut page = format!(
        "<article class=\"{class}\" id=\"m{id}\"><header>{id} · {} · {who}</header>",
        html(&local(at))
    );
    page.push_str(&shown(&body));
    let rows: Vec<String> = outcomes(stored)
        .into_iter()
        .filter_map(|(person, row)| {
            Some(format!("<li>{}: {}</li>", named(person, names), html(&outcome(row?))))
        })
        .collect();
    if !rows.is_empty() {
        page.push_str(&format!("<ul>{}</ul>", rows.concat()));
    }
    page.push_str("</article>\n");
    page
}

/// A name with the address, told apart from the text around it whatever its writing direction.
fn named(row: &PersonRow, names: &Names) -> String {
    let person = names.person(row);
    format!("<bdi title=\"{}\">{}</bdi>", html(&person.address), html(&person.name))
}

fn shown(body: &Content) -> String {
    let mut page = String::new();
    let text = clean(&body.text);
    if !text.trim().is_empty() {
        page.push_str(&format!("<p class=\"text\" dir=\"auto\">{}</p>", html(&text)));
    }
    for file in &body.files {
        page.push_str(&picture(file));
    }
    page
}

fn picture(file: &File) -> String {
    let name = html(file.called());
    if PICTURES.contains(&file.media_type.as_str()) {
        let data = BASE64.encode(&file.bytes);
        return format!("<p><img alt=\"{name}\" src=\"data:{};base64,{data}\"></p>", file.media_type);
    }
    format!("<p>[{name}, {}, {} bytes]</p>", html(&file.media_type), file.bytes.len())
}

/// The record of one message.
pub(super) fn record(record: &DeliveryRecord, names: &Names) -> String {
    let outgoing = &record.message.outgoing;
    let mut page = begin(&format!("Delivery record of message {}", outgoing.id.0));
    page.push_str(&format!("<p>Written {}</p>", html(&local(outgoing.at))));
    page.push_str(&shown(&content(&outgoing.content_type, &outgoing.body)));
    page.push_str("<h2>Outcome</h2>");
    page.push_str(&table(record.outcomes().map(|(person, row)| (person, row.cloned())), names));
    for attempt in record.attempts() {
        let at = local(attempt.attempt.at);
        let rows = attempt.recipients.iter().map(|(person, row)| (*person, Some((*row).clone())));
        let rows = table(rows, names);
        let said = AttemptJson::from(attempt);
        page.push_str(&format!(
            "<h2>Attempt {}</h2><p>{}; {} since {}</p><p>Call-ID {}, From tag {}, CSeq {}, Delivery-Report {}</p>{rows}",
            said.attempt,
            html(said.sent),
            html(said.stage),
            html(&at),
            html(said.call_id),
            html(said.from_tag),
            said.cseq,
            html(&said.delivery_report)
        ));
        if !said.others.is_empty() {
            page.push_str("<h3>Also named by its reports</h3><table><tr><th>Address</th><th>State</th><th>Status</th></tr>");
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
        for report in &said.reports {
            page.push_str(&format!("<h3>Report, {}</h3><pre>{}</pre>", html(&report.at), html(&report.body)));
        }
    }
    page.push_str(END);
    page
}

fn table<'a>(rows: impl Iterator<Item = (&'a PersonRow, Option<DeliveryRow>)>, names: &Names) -> String {
    let mut page = "<table><tr><th>Recipient</th><th>Address</th><th>State</th><th>Status</th><th>Tries</th>\
                    <th>After</th><th>Known since</th></tr>"
        .to_owned();
    for (person, row) in rows {
        let address = html(&person.address);
        let Some(row) = row else {
            page.push_str(&format!(
                "<tr><td>{}</td><td>{address}</td><td colspan=\"5\"></td></tr>",
                named(person, names)
            ));
            continue;
        };
        let status = row.status.map(|status| format!("{status} ")).unwrap_or_default();
        let after = row.after.map(|after| format!("{:.3} s", after.as_secs_f64())).unwrap_or_default();
        page.push_str(&format!(
            "<tr><td>{}</td><td>{address}</td><td>{}</td><td>{status}{}</td><td>{}</td><td>{after}</td><td>{}</td></tr>",
            named(person, names),
            row.state.word(),
            html(&row.phrase.to_string()),
            row.tries.map(|tries| tries.to_string()).unwrap_or_default(),
            html(&local(row.at))
        ));
    }
    page.push_str("</table>");
    page
}
