//! Web links in the text of a message: finding them, laying them out and making them clickable.
//!
//! **Invariant:** nothing is opened or fetched without a click, and only `http` and `https` ever are. What is opened is
//! what is displayed: an address whose host could be mistaken for another stays plain text.

use std::iter::Peekable;
use std::ops::Range;
use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{
    Color32, CursorIcon, FontId, Galley, Id, Label, Pos2, Rect, Response, Role, Sense, Stroke, Ui,
    WidgetInfo, vec2,
};

use crate::model::search::{Term, marks};
use crate::ui::actions::Act;
use crate::ui::kit::icons::focus_ring;
use crate::ui::kit::ordered::{Ordered, ordered};
use crate::ui::kit::theme::colors;
use crate::ui::kit::widgets::put;
use crate::ui::kit::words;
use crate::ui::text::say;

/// Most clickable links in one message; further ones stay plain text.
const LINKS_MAX: usize = 100;
/// Most bytes of a link; browsers and servers accept about this many.
const LINK_BYTES_MAX: usize = 2048;

/// Bytes of a text that are laid out: each letter takes some 180 bytes. All of it is in a dialog of its own.
const LAID_OUT_BYTES_MAX: usize = 32 * 1024;

/// A text, laid out with its links.
pub(crate) struct Laid {
    pub(crate) galley: Arc<Galley>,
    /// Its order, if parts of it are written from right to left: the galley has them in another one.
    pub(crate) ordered: Option<Arc<Ordered>>,
    /// Of a long text, what is laid out of it, and where that offers to show all.
    cut: Option<(String, Range<usize>)>,
}

impl Laid {
    /// Words of ours, without links.
    pub(crate) const fn plain(galley: Arc<Galley>) -> Self {
        Self { galley, ordered: None, cut: None }
    }

    /// What is laid out of this text.
    fn shown<'a>(&'a self, text: &'a str) -> &'a str {
        self.cut.as_ref().map_or(text, |(shown, _)| shown)
    }
}

/// Text on as many lines as it needs, with its links and what was looked for marked. Of a long one the beginning.
pub(crate) fn laid_out(
    ui: &Ui,
    (text, terms): (&str, &[Term]),
    font: FontId,
    color: Color32,
    width: f32,
) -> Laid {
    let plain = TextFormat::simple(font, color);
    let link = colors(ui).accent;
    let mut job = LayoutJob { wrap: TextWrapping::wrap_at_width(width), ..LayoutJob::default() };
    let whole = text;
    let text = beginning(text);
    let mut links = links(text);
    let found = marks(text, terms);
    for part in parts(text.len(), &links, &found) {
        let mut format = plain.clone();
        if part.is_link {
            (format.color, format.underline) = (link, Stroke::new(1.0, link));
        }
        if part.is_found {
            format.background = colors(ui).mark;
        }
        job.append(text.get(part.place).unwrap_or_default(), 0.0, format);
    }
    let mut cut = None;
    if text.len() < whole.len() {
        let format = TextFormat { color: link, underline: Stroke::new(1.0, link), ..plain };
        let offer = say!("show-all", size = words::size(whole.len()));
        job.append(&offer, 0.0, format);
        let place = text.len()..text.len() + offer.len();
        links.push(place.clone());
        cut = Some((format!("{text}{offer}"), place));
    }
    let ordered = ordered(ui, &job, &links);
    let galley = ordered.as_ref().map_or_else(|| ui.painter().layout_job(job), |ordered| ordered.galley(ui));
    Laid { galley, ordered, cut }
}

/// As much of a text as is laid out. It ends between two words if it can, so that no link in it is cut.
fn beginning(text: &str) -> &str {
    if text.len() <= LAID_OUT_BYTES_MAX {
        return text;
    }
    let cut = text.get(..text.floor_char_boundary(LAID_OUT_BYTES_MAX)).unwrap_or_default();
    let tail = cut.len().saturating_sub(LINK_BYTES_MAX);
    cut.rfind(char::is_whitespace).filter(|end| *end >= tail).and_then(|end| cut.get(..end)).unwrap_or(cut)
}

/// A part of a text that looks the same throughout.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    place: Range<usize>,
    is_link: bool,
    is_found: bool,
}

/// The parts of a text of this length, in order; neither the links nor what was found overlap among themselves.
fn parts(length: usize, links: &[Range<usize>], found: &[Range<usize>]) -> Vec<Part> {
    let edges = links.iter().chain(found).flat_map(|range| [range.start, range.end]);
    let mut edges: Vec<usize> = edges.chain([0, length]).collect();
    edges.sort_unstable();
    edges.dedup();
    let (mut links, mut found) = (links.iter().peekable(), found.iter().peekable());
    let mut parts = Vec::with_capacity(edges.len());
    for (start, end) in edges.iter().zip(edges.iter().skip(1)) {
        let holds = |ranges: &mut Peekable<std::slice::Iter<'_, Range<usize>>>| {
            while ranges.next_if(|range| range.end <= *start).is_some() {}
            ranges.peek().is_some_and(|range| range.start <= *start)
        };
        let (is_link, is_found) = (holds(&mut links), holds(&mut found));
        parts.push(Part { place: *start..*end, is_link, is_found });
    }
    parts
}

/// Shows a text that [`laid_out`] has laid out, as a label whose parts can be selected and copied. Where its words stand in
/// another order than they are written in, it is selected as a whole, with its message: a part of it would be copied as it
/// stands. A screen reader gets it as it is written.
pub(crate) fn text_ui(ui: &mut Ui, (text, laid): (&str, &Laid), place: Rect, id: Id) -> Response {
    if laid.ordered.is_none() {
        return ui.put(place, Label::new(Arc::clone(&laid.galley)).selectable(true));
    }
    put(ui.painter(), place.min, Arc::clone(&laid.galley));
    let response = ui.interact(place, id.with("text"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, laid.shown(text)));
    response
}

/// Makes the links of a text clickable; [`laid_out`] has laid it out, and it is painted at `at`.
pub(crate) fn links_ui(ui: &Ui, (text, laid): (&str, &Laid), at: Pos2, id: Id, acts: &mut Vec<Act>) {
    let text = laid.shown(text);
    let more = laid.cut.as_ref().map(|(_, place)| place.clone());
    let own = text.get(..more.as_ref().map_or(text.len(), |more| more.start)).unwrap_or_default();
    let ordered = laid.ordered.as_ref().map(|ordered| ordered.places(&laid.galley));
    for (index, range) in links(own).into_iter().chain(more.clone()).enumerate() {
        let is_more = more.as_ref() == Some(&range);
        let target = text.get(range.clone()).unwrap_or_default();
        let rects: Vec<Rect> = match &ordered {
            Some(all) => all.iter().filter(|(link, _)| *link == index).map(|(_, rect)| *rect).collect(),
            None => places(&laid.galley, text, &range),
        };
        for (line, rect) in rects.into_iter().enumerate() {
            let rect = rect.translate(at.to_vec2());
            // A link is one item for the keyboard and screen readers, even if it spans several lines.
            let sense = if line == 0 { Sense::click() } else { Sense::CLICK };
            let response = ui.interact(rect, id.with(("link", index, line)), sense);
            if line == 0 {
                response.widget_info(|| WidgetInfo::labeled(Role::Link, true, target));
                focus_ring(ui, &response, rect.expand(2.0), 2.0);
            }
            if response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(target).clicked() {
                acts.push(if is_more { Act::ShowAll(id) } else { Act::OpenLink(target.to_owned()) });
            }
        }
    }
}

/// The rectangles that a range of the text covers, one per line.
fn places(galley: &Galley, text: &str, range: &Range<usize>) -> Vec<Rect> {
    let chars = |end: usize| text.get(..end).unwrap_or_default().chars().count();
    let (start, end) = (chars(range.start), chars(range.end));
    let mut row_start = 0;
    let mut places = Vec::new();
    for placed in &galley.rows {
        let skipped = start.saturating_sub(row_start);
        let taken = end.saturating_sub(row_start).min(placed.row.glyphs.len());
        let part = placed.row.glyphs.get(skipped..taken).unwrap_or_default();
        if let (Some(first), Some(last)) = (part.first(), part.last()) {
            let left = placed.pos + vec2(first.pos.x, 0.0);
            let width = last.pos.x + last.advance_width - first.pos.x;
            places.push(Rect::from_min_size(left, vec2(width, placed.row.size.y)));
        }
        row_start += placed.row.glyphs.len() + usize::from(placed.ends_with_newline);
    }
    places
}

/// The links of a text, in order, as byte ranges.
fn links(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while found.len() < LINKS_MAX
        && let Some(colon) = text.get(from..).and_then(|rest| rest.find("://")).map(|place| from + place)
    {
        from = colon + 3;
        if let Some(link) = link_around(text, colon) {
            from = link.end;
            found.push(link);
        }
    }
    found
}

/// The link whose `://` is at `colon`.
fn link_around(text: &str, colon: usize) -> Option<Range<usize>> {
    let (before, after) = (text.get(..colon)?, text.get(colon + 3..)?);
    let start = before.trim_end_matches(|letter: char| letter.is_ascii_alphanumeric()).len();
    let scheme = before.get(start..)?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let rest = trimmed(after.split(ends_link).next()?);
    let host = rest.split(['/', '?', '#']).next()?;
    (is_web && is_plain_host(host) && scheme.len() + 3 + rest.len() <= LINK_BYTES_MAX)
        .then(|| start..colon + 3 + rest.len())
}

/// Characters that cannot be inside a link: blanks, quotation marks, and invisible or direction-changing ones.
fn ends_link(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(
            letter,
            '<' | '>' | '"' | '`' | '«' | '»' | '“' | '”' | '„' | '\u{ad}' | '\u{61c}' | '\u{feff}'
        )
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// The link without trailing punctuation, and without a closing bracket whose opening one is before the link.
fn trimmed(link: &str) -> &str {
    let mut kept = link;
    while let Some(last) = kept.chars().next_back() {
        let opening = match last {
            ')' => Some('('),
            ']' => Some('['),
            '}' => Some('{'),
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '…' => None,
            _ => break,
        };
        let is_own = opening.is_some_and(|opening| {
            kept.chars().filter(|letter| *letter == opening).count()
                >= kept.chars().filter(|letter| *letter == last).count()
        });
        if is_own {
            break;
        }
        kept = kept.strip_suffix(last).unwrap_or_default();
    }
    kept
}

/// True for a host, with or without a port, that cannot be mistaken for another: no lookalike letters, no `user@`
/// before it.
fn is_plain_host(host: &str) -> bool {
    host.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        links(text).into_iter().filter_map(|range| text.get(range)).collect()
    }

    #[test]
    fn what_was_found_is_marked_in_links_too() {
        let text = "tea at https://tea.example now";
        let terms = crate::model::search::Query::parse("tea now").terms;
        let parts = parts(text.len(), &links(text), &marks(text, &terms));
        let seen: Vec<_> =
            parts.iter().map(|it| (text.get(it.place.clone()).unwrap(), it.is_link, it.is_found)).collect();
        let expected = [
            ("tea", false, true),
            (" at ", false, false),
            ("https://", true, false),
            ("tea", true, true),
            (".example", true, false),
            (" ", false, false),
            ("now", false, true),
        ];
        assert_eq!(seen, expected);
        assert_eq!(super::parts(0, &[], &[]), []);
    }

    #[test]
    fn of_a_long_text_the_beginning_is_laid_out_and_no_link_in_it_is_cut() {
        let text =
            format!("{}https://example.com/{} and more", "x".repeat(LAID_OUT_BYTES_MAX - 30), "y".repeat(60));
        assert_eq!(beginning(&text).len(), LAID_OUT_BYTES_MAX, "there is no blank before it");
        let text = text.replacen("xhttps", " https", 1);
        assert!(beginning(&text).ends_with('x'), "the link is left out as a whole");
        let umlauts = "ä".repeat(LAID_OUT_BYTES_MAX);
        assert!(beginning(&umlauts).len() <= LAID_OUT_BYTES_MAX);
        assert_eq!(beginning("short"), "short");
    }

    #[test]
    fn a_link_ends_where_the_sentence_goes_on() {
        let table: &[(&str, &[&str])] = &[
            ("See https://example.com/a?b=c#d.", &["https://example.com/a?b=c#d"]),
            ("(http://example.com), or HTTPS://X.org/!", &["http://example.com", "HTTPS://X.org/"]),
            ("https://en.wikipedia.org/wiki/Tick_(mark) is", &["https://en.wikipedia.org/wiki/Tick_(mark)"]),
            ("<https://example.com/x>", &["https://example.com/x"]),
            ("\"https://example.com\"\nhttp://[::1]:8080/é", &["https://example.com", "http://[::1]:8080/é"]),
            ("https://a.bhttps://c.d", &["https://a.bhttps://c.d"]),
            ("no link here: // or https:// or https://...", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(found(text), *expected, "{text}");
        }
    }

    #[test]
    fn only_the_web_is_linked_and_only_what_says_what_it_is() {
        for text in [
            "ftp://example.com",
            "file:///etc/passwd",
            "javascript://example.com/%0aalert(1)",
            "sip:ann@example.com",
            "xhttps://example.com",
            "https://bank.example@evil.example/",
            "https://\u{430}pple.com/",
            "https://\u{202e}moc.elpmaxe/",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
        assert_eq!(found("https://example.com/a\u{202e}gnp.exe"), ["https://example.com/a"]);
        let long = format!("https://example.com/{}", "x".repeat(LINK_BYTES_MAX));
        assert_eq!(found(&long), [""; 0]);
        assert_eq!(links(&"http://a.b ".repeat(LINKS_MAX + 7)).len(), LINKS_MAX);
    }
}
