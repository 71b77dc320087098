//! A ladder as text, for a terminal and for the output of a test.

use std::time::Duration;

use super::ladder::{Ladder, Party, Row};

/// Characters from one line of the ladder to the next.
const COLUMN: usize = 24;
/// More recipients than this share one line, with the name in the label.
const RECIPIENTS_SIDE_BY_SIDE: usize = 4;
/// The lines of the sender and of the proxy.
const FIRST: usize = 2;
/// The time before the lines.
const MARGIN: usize = 12;

/// Draws a ladder: a line for each party, an arrow for each message, `x11` for eleven transmissions.
///
/// ```text
///             sip:james@club.test     proxy                   sip:ann@club.test
///             192.0.2.1:5060          192.0.2.9:5060          192.0.2.2:5060
///     0.000 s |-- MESSAGE ----------->|                       |
///     0.002 s |<- 202 Accepted -------|                       |
///     0.003 s |                       |-- MESSAGE x2 -------->|  until 0.503 s
/// ```
#[must_use]
pub fn ladder_text(ladder: &Ladder) -> String {
    let shared = ladder.parties.len() > FIRST + RECIPIENTS_SIDE_BY_SIDE;
    let columns = if shared { FIRST + 1 } else { ladder.parties.len() };
    let mut text = String::new();
    let names = ladder.parties.iter().map(Party::name);
    let places = ladder.parties.iter().map(|party| party.place.as_deref().unwrap_or("not seen"));
    let head = |rest: &'static str| if shared { Some(rest) } else { None };
    heading(&mut text, names.take(if shared { FIRST } else { columns }).chain(head("recipients")));
    heading(&mut text, places.take(if shared { FIRST } else { columns }).chain(head("")));
    for row in &ladder.rows {
        let line = arrow(ladder, row, columns);
        text.push_str(&format!("{:>MARGIN$} {}\n", seconds(row.at), line.trim_end()));
    }
    text
}

fn heading<'a>(text: &mut String, words: impl Iterator<Item = &'a str>) {
    let mut line = " ".repeat(MARGIN + 1);
    for word in words {
        let cut: String = word.chars().take(COLUMN - 2).collect();
        line.push_str(&format!("{cut:<COLUMN$}"));
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

fn arrow(ladder: &Ladder, row: &Row, columns: usize) -> String {
    let column = |party: usize| party.min(columns.saturating_sub(1));
    let (from, to) = (column(row.from), column(row.to));
    let (left, right) = (from.min(to), from.max(to));
    let mut label = row.label.clone();
    if row.messages.len() > 1 {
        label.push_str(&format!(" x{}", row.messages.len()));
    }
    let mut line = String::new();
    for place in 0..columns {
        if place < left || place >= right {
            line.push_str(&format!("{:<COLUMN$}", "|"));
        } else if place == left {
            // The arrow lies over the lines between its ends.
            line.push('|');
            line.push_str(&shaft(&label, (right - left) * COLUMN - 1, from < to));
        }
    }
    let other = row.from.max(row.to);
    if other >= columns.saturating_sub(1) && columns < ladder.parties.len() {
        let name = ladder.parties.get(other).map_or("", Party::name);
        line = format!("{}  {name}", line.trim_end());
    }
    if row.last > row.at {
        line = format!("{}  until {}", line.trim_end(), seconds(row.last));
    }
    if let Some(what) = row.befell() {
        line = format!("{}  fault: {what}", line.trim_end());
    }
    line
}

/// An arrow of this many characters with its label; a label that is too long is cut.
fn shaft(label: &str, width: usize, is_right: bool) -> String {
    let label: String = label.chars().take(width.saturating_sub(6)).collect();
    let (start, end) = if is_right { ("-- ", ">") } else { ("<- ", "-") };
    let used = start.chars().count() + label.chars().count() + 1 + end.chars().count();
    format!("{start}{label} {}{end}", "-".repeat(width.saturating_sub(used)))
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}
