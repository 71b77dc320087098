//! The order of words that are written from right to left (UAX 9).
//!
//! egui shapes the letters of such a word and puts them from right to left, but the words of a line, and what stands between
//! them, from left to right. So a line is handed to it in pieces, in the order in which they stand.
//!
//! **Invariant:** what a text contains changes only the order within itself: it is laid out on its own, and in a line of
//! the window, such as a name before a count, only words of letters from right to left change places, whatever marks are
//! among them. Overrides and embeddings (U+202A to U+202E), with which one word can be made to look like another, do
//! nothing.

use std::ops::Range;

use unicode_bidi::{BidiClass, BidiInfo, Level, ParagraphBidiInfo, bidi_class};
use unicode_segmentation::UnicodeSegmentation;

/// What stands on the other side of a bracket where the text runs from right to left (UAX 9, rule L4).
const MIRRORED: &str = "()[]{}<>«»‹›≤≥⟨⟩〈〉《》「」『』【】";
/// What may stand between two words of one name.
const GAPS: &str = " '’-־\u{a0}";
const LINE_ISOLATE: char = '\u{2066}';
const END_OF_ISOLATE: char = '\u{2069}';

/// A line from left to right.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct OrderedLine {
    pub(super) pieces: Vec<Piece>,
    /// Its paragraph begins at the right.
    pub(super) is_rtl: bool,
}

/// A part of a text that is shaped by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its bytes in the text.
    pub(super) place: Range<usize>,
    /// A bracket is shown as this one instead.
    pub(super) mirrored: Option<char>,
}

/// True if there are letters that are written from right to left.
pub(super) fn has_rtl(text: &str) -> bool {
    // The first of them is U+0590, whose first byte is this one.
    text.bytes().any(|byte| byte >= 0xD6) && text.chars().any(is_rtl)
}

fn is_rtl(letter: char) -> bool {
    matches!(bidi_class(letter), BidiClass::R | BidiClass::AL)
}

fn is_wholly_rtl(text: &str) -> bool {
    has_rtl(text) && !text.chars().any(|letter| bidi_class(letter) == BidiClass::L)
}

/// A letter with its marks.
#[derive(Clone, Debug)]
struct Cluster {
    place: Range<usize>,
    level: Level,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Of a word from right to left.
    Letter,
    Space,
    /// Alone it would be taken for a letter from right to left: a digit of such a script.
    Alone,
    Other,
}

impl Kind {
    fn of(letter: char) -> Self {
        match letter {
            _ if is_rtl(letter) => Self::Letter,
            _ if letter.is_whitespace() => Self::Space,
            '\u{590}'..='\u{8ff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}' => Self::Alone,
            _ => Self::Other,
        }
    }
}

/// Marks of direction have no shape.
fn is_mark(cluster: &str) -> bool {
    cluster.chars().all(
        |letter| matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'),
    )
}

fn clusters(text: &str, from: usize, mut level: impl FnMut(usize) -> Level) -> Vec<Cluster> {
    let all = text.grapheme_indices(true).filter(|(_, cluster)| !is_mark(cluster));
    let made = all.map(|(at, cluster)| Cluster {
        place: from + at..from + at + cluster.len(),
        level: level(at),
        kind: cluster.chars().next().map_or(Kind::Other, Kind::of),
    });
    made.collect()
}

/// A paragraph by all the rules; what is isolated, such as a link, is a piece from left to right.
fn by_the_rules(text: &str, from: usize, isolated: &[Range<usize>]) -> (Vec<Cluster>, bool) {
    let mut seen = String::with_capacity(text.len());
    // Where each byte of the text is in what the rules are applied to.
    let mut places = Vec::with_capacity(text.len());
    let mut isolated = isolated.iter().filter(|range| range.start >= from).peekable();
    let mut until = None;
    for (at, letter) in text.char_indices() {
        if until.is_some_and(|end| from + at >= end) {
            seen.push(END_OF_ISOLATE);
            until = None;
        }
        if let Some(range) = isolated.next_if(|range| range.start <= from + at) {
            seen.push(LINE_ISOLATE);
            until = Some(range.end);
        }
        places.extend(std::iter::repeat_n(seen.len(), letter.len_utf8()));
        match letter {
            '\u{202a}'..='\u{202e}' => {}
            // What ends a paragraph elsewhere is a blank in ours.
            _ if bidi_class(letter) == BidiClass::B => seen.push(' '),
            _ => seen.push(letter),
        }
    }
    let info = ParagraphBidiInfo::new(&seen, None);
    let base = info.paragraph_level;
    let level = |at: usize| places.get(at).and_then(|place| info.levels.get(*place)).copied().unwrap_or(base);
    (clusters(text, from, level), base.is_rtl())
}

/// A line of the window: words of letters from right to left change places among themselves, and nothing else does.
fn by_words(text: &str) -> Vec<Cluster> {
    let mut clusters = clusters(text, 0, |_| Level::ltr());
    let is_gap = |cluster: &Cluster| text.get(cluster.place.clone()).is_some_and(|it| GAPS.contains(it));
    let mut gap = None;
    for at in 0..clusters.len() {
        let Some(cluster) = clusters.get_mut(at) else { break };
        if cluster.kind == Kind::Letter {
            let since = gap.take().unwrap_or(at);
            clusters.iter_mut().take(at + 1).skip(since).for_each(|cluster| cluster.level = Level::rtl());
            gap = Some(at + 1);
        } else if !is_gap(cluster) {
            gap = None;
        }
    }
    clusters
}

/// A line of the window, in one line.
pub(super) fn one_line(text: &str) -> OrderedLine {
    let is_rtl = is_wholly_rtl(text);
    let clusters = if is_rtl { by_the_rules(text, 0, &[]).0 } else { by_words(text) };
    OrderedLine { pieces: pieces(&clusters, text, &[]), is_rtl }
}

/// The lines of a text of several paragraphs, none wider than `width`. `cuts` are the bytes at which its look changes.
pub(super) fn lines(
    text: &str,
    (isolated, cuts): (&[Range<usize>], &[usize]),
    width: f32,
    mut measure: impl FnMut(Range<usize>) -> f32,
) -> Vec<OrderedLine> {
    let mut lines = Vec::new();
    let mut from = 0;
    for paragraph in text.split('\n') {
        let (clusters, is_rtl) = by_the_rules(paragraph, from, isolated);
        for line in broken(&clusters, width, &mut measure) {
            let line = clusters.get(line).unwrap_or_default();
            lines.push(OrderedLine { pieces: pieces(line, text, cuts), is_rtl });
        }
        from += paragraph.len() + 1;
    }
    lines
}

/// The lines of a paragraph, as ranges of its clusters, without the spaces at their ends.
fn broken(
    clusters: &[Cluster],
    width: f32,
    measure: &mut impl FnMut(Range<usize>) -> f32,
) -> Vec<Range<usize>> {
    let (mut lines, mut line, mut filled) = (Vec::new(), 0..0, 0.0);
    let mut at = 0;
    while at < clusters.len() {
        let is_space = |cluster: &&Cluster| cluster.kind == Kind::Space;
        let rest = clusters.get(at..).unwrap_or_default();
        let spaces = rest.iter().take_while(is_space).count();
        let letters = rest.iter().skip(spaces).take_while(|cluster| !is_space(cluster)).count();
        let word = at + spaces..at + spaces + letters;
        let mut wide = |part: Range<usize>| {
            let part = clusters.get(part).unwrap_or_default();
            part.first()
                .zip(part.last())
                .map_or(0.0, |(first, last)| measure(first.place.start..last.place.end))
        };
        let (gap, long) = (wide(at..at + spaces), wide(word.clone()));
        if filled + gap + long > width && !line.is_empty() {
            lines.push(line);
            (line, filled) = (word.start..word.start, 0.0);
        } else {
            filled += gap;
        }
        if long > width && letters > 1 {
            // A word that is wider than a line: so many letters as have room, by their mean width.
            let room = (letters as f32 * 0.9 * width / long).max(1.0) as usize;
            let mut part = word.start;
            while part + room < word.end {
                lines.push(line.start..part + room);
                part += room;
                line = part..part;
            }
            filled = wide(part..word.end);
        } else {
            filled += long;
        }
        line.end = word.end;
        at = word.end;
    }
    lines.push(line);
    lines
}

/// The pieces of a line from left to right (UAX 9, rules L2 and L4).
fn pieces(line: &[Cluster], text: &str, cuts: &[usize]) -> Vec<Piece> {
    let levels: Vec<Level> = line.iter().map(|cluster| cluster.level).collect();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut before: Option<&Cluster> = None;
    for cluster in BidiInfo::reorder_visual(&levels).into_iter().filter_map(|at| line.get(at)) {
        let is_cut = |at: usize| cuts.binary_search(&at).is_ok();
        let is_word = |cluster: &Cluster| cluster.level.is_rtl() && cluster.kind == Kind::Letter;
        let is_run =
            |cluster: &Cluster| cluster.level.is_ltr() && matches!(cluster.kind, Kind::Other | Kind::Space);
        let place = &cluster.place;
        match (before, pieces.last_mut()) {
            (Some(last), Some(piece))
                if is_word(last)
                    && is_word(cluster)
                    && piece.place.start == place.end
                    && !is_cut(place.end) =>
            {
                piece.place.start = place.start;
            }
            (Some(last), Some(piece))
                if is_run(last)
                    && is_run(cluster)
                    && piece.place.end == place.start
                    && !is_cut(place.start) =>
            {
                piece.place.end = place.end;
            }
            _ => {
                let mirrored =
                    cluster.level.is_rtl().then(|| text.get(place.clone()).and_then(mirror)).flatten();
                pieces.push(Piece { place: place.clone(), mirrored });
            }
        }
        before = Some(cluster);
    }
    pieces
}

fn mirror(cluster: &str) -> Option<char> {
    let letter = cluster.chars().next()?;
    let at = MIRRORED.chars().position(|other| other == letter)?;
    MIRRORED.chars().nth(at ^ 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands there from left to right, with the letters of each word from right to left, as a font puts them.
    fn seen(line: &OrderedLine, text: &str) -> String {
        let letters = |piece: &Piece| -> String {
            let written = text.get(piece.place.clone()).unwrap();
            match piece.mirrored {
                Some(letter) => letter.to_string(),
                None if written.chars().any(is_rtl) => written.graphemes(true).rev().collect(),
                None => written.to_owned(),
            }
        };
        line.pieces.iter().map(letters).collect()
    }

    /// The lines of a text where each letter is one wide.
    fn set(text: &str, width: f32) -> Vec<String> {
        let lines = lines(text, (&[], &[]), width, |part| text.get(part).unwrap().chars().count() as f32);
        lines
            .iter()
            .map(|line| format!("{}{}", if line.is_rtl { '>' } else { '<' }, seen(line, text)))
            .collect()
    }

    #[test]
    fn words_stand_from_right_to_left_and_numbers_and_other_words_as_they_are() {
        for (written, stands) in [
            ("שלום עולם", ">םלוע םולש"),
            ("Hello", "<Hello"),
            ("מה שלומך, Ann?", ">?Ann ,ךמולש המ"),
            ("נפגש ב-12:30 (שער 4).", ">.(4 רעש) 12:30-ב שגפנ"),
            ("Say שלום עולם to Ann", "<Say םלוע םולש to Ann"),
            ("مرحبا بكم ٤٢ مرة", ">ةرم ٤٢ مكب ابحرم"),
            // Extended digits have the script of letters; alone, they would be turned round.
            ("سال ۱۴۰۲ است", ">تسا ۱۴۰۲ لاس"),
        ] {
            assert_eq!(set(written, 99.0), [stands], "{written}");
        }
    }

    #[test]
    fn each_paragraph_has_its_own_side_and_lines_break_as_they_are_read() {
        assert_eq!(set("שלום\n\nHello שלום", 99.0), [">םולש", "<", "<Hello םולש"]);
        assert_eq!(set("אבג דהו זחט יכל", 8.0), [">והד גבא", ">לכי טחז"]);
        assert_eq!(set("אבגדהוזחטיכלמנ", 7.0), [">והדגבא", ">לכיטחז", ">נמ"]);
        assert_eq!(set("", 5.0), ["<"]);
    }

    #[test]
    fn a_link_keeps_its_order() {
        let text = "ראה https://example.com/שלום/a/ היום";
        let link = text.find("https").unwrap()..text.find(" היום").unwrap();
        let lines = lines(text, (std::slice::from_ref(&link), &[link.start, link.end]), 99.0, |_| 1.0);
        assert_eq!(seen(&lines[0], text), "םויה https://example.com/םולש/a/ האר");
    }

    #[test]
    fn overrides_of_strangers_do_nothing_and_no_mark_has_a_shape() {
        let line = |text: &str| seen(&one_line(text), text);
        assert_eq!(line("photo\u{202e}gnp.exe"), "photognp.exe");
        assert_eq!(set("\u{202e}abc\u{202c} \u{2067}def\u{2069}\u{200f}", 99.0), ["<abc def"]);
    }

    #[test]
    fn in_a_line_of_the_window_only_words_change_places() {
        let line = |text: &str| seen(&one_line(text), text);
        // A count, an address and a time beside a name stay where they are, whatever marks the name has.
        assert_eq!(line("דנה כהן 3 of 5 delivered"), "ןהכ הנד 3 of 5 delivered");
        assert_eq!(line("דנה כהן (dana@example.com)"), "ןהכ הנד (dana@example.com)");
        for mark in ["\u{202e}", "\u{2067}", "\u{200f}", "\u{2066}", "\u{2069}", "\u{202b}"] {
            let text = format!("{mark}דנה{mark} 1, Ann Lee: 2 of 5");
            assert_eq!(line(&text), "הנד 1, Ann Lee: 2 of 5", "{mark:?}");
        }
        assert_eq!(line("נפגש ב-12:30?"), "?12:30-ב שגפנ");
    }

    #[test]
    fn a_look_begins_a_piece_and_a_word_keeps_its_order_across_it() {
        let text = "אבגד";
        let pieces = |cuts: &[usize]| -> Vec<Range<usize>> {
            let lines = lines(text, (&[], cuts), 9.0, |_| 1.0);
            lines.iter().flat_map(|line| &line.pieces).map(|piece| piece.place.clone()).collect()
        };
        assert_eq!(pieces(&[]).as_slice(), std::slice::from_ref(&(0..8)));
        assert_eq!(pieces(&[4]), [4..8, 0..4]);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "how long it takes by the real clock")]
    fn what_is_very_long_is_set_in_time() {
        let text = "אב (\u{2067}c ".repeat(60_000);
        let began = std::time::Instant::now();
        let lines = lines(&text, (&[], &[]), 50.0, |part| part.len() as f32);
        assert!(lines.len() > 1000 && began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
        let shown: usize = lines.iter().flat_map(|line| &line.pieces).map(|piece| piece.place.len()).sum();
        assert!(shown > text.len() / 3, "nothing is lost but blanks and marks: {shown} of {}", text.len());
    }
}
