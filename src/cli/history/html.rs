//! The history as one page.

use super::export::{outcome, outcomes};
use crate::cli::writer::local;
use crate::model::document::html;
use crate::model::journal::PersonRow;
use crate::model::names::Names;
use crate::model::page::{named, shown};
use crate::sip::content;
use crate::store::history::StoredMessage;

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
