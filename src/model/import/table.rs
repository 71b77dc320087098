//! Tables: comma, semicolon or tab between the cells, with a header row in the usual words or none.

use csv::{ReaderBuilder, StringRecord};

use super::found::{ImportFound, NO_ADDRESS, checked, one_line};

/// Rows that are looked at to tell what kind of text it is.
const SAMPLE_ROWS: usize = 20;
/// Lines that a quoted cell may go over; a quote that is still open then was never meant to be one.
const ROW_LINES_MAX: usize = 10;

/// Headers of a column of SIP addresses, the surest first.
const ADDRESS: [&str; 15] = [
    "sip address",
    "sip uri",
    "sip",
    "sip url",
    "sipaddress",
    "sipuri",
    "sip adresse",
    "impp",
    "im address",
    "im 1 value",
    "im",
    "voip",
    "uri",
    "address",
    "adresse",
];
const FULL_NAME: [&str; 10] = [
    "name",
    "full name",
    "display name",
    "displayname",
    "fullname",
    "fn",
    "contact",
    "contact name",
    "nickname",
    "nom",
];
const GIVEN_NAME: [&str; 7] =
    ["first name", "given name", "firstname", "givenname", "first", "vorname", "prénom"];
const FAMILY_NAME: [&str; 8] =
    ["last name", "family name", "surname", "lastname", "familyname", "last", "nachname", "nom de famille"];
/// Columns that no address is taken from, but that show that the row is a header.
const OTHERS: [&str; 12] = [
    "e mail",
    "email",
    "e mail address",
    "email address",
    "mail",
    "e mail 1 value",
    "primary email",
    "phone",
    "telephone",
    "mobile",
    "company",
    "organization",
];

/// A row that could be read, and its first line; or the line whose quotes do not end.
struct Row {
    line: usize,
    cells: Result<StringRecord, String>,
}

/// Where the name and the address of a row are.
#[derive(Debug, Default, PartialEq, Eq)]
struct Columns {
    address: Option<usize>,
    name: Option<usize>,
    given: Option<usize>,
    family: Option<usize>,
    has_header: bool,
}

/// Whether a text is a table.
pub(super) fn is_one(text: &str) -> bool {
    kind(text).is_some()
}

/// Reads the text if it is a table; false if it is none.
pub(super) fn read(text: &str, found: &mut ImportFound) -> bool {
    let Some((delimiter, columns)) = kind(text) else { return false };
    for row in rows(text, delimiter, columns.has_header) {
        match row.cells {
            Ok(cells) => read_row(row.line, &cells, &columns, found),
            Err(text) => found.misread(row.line, &text, "a quote in this line does not end"),
        }
    }
    true
}

fn read_row(line: usize, cells: &StringRecord, columns: &Columns, found: &mut ImportFound) {
    if cells.iter().all(|cell| cell.trim().is_empty()) {
        return;
    }
    let cell = |place: Option<usize>| place.and_then(|place| cells.get(place)).unwrap_or_default().trim();
    let filled = cells.iter().filter(|cell| !cell.trim().is_empty());
    let shown = filled.collect::<Vec<_>>().join(" · ");
    let mut name = one_line(cell(columns.name));
    if name.is_empty() {
        name = one_line(&format!("{} {}", cell(columns.given), cell(columns.family)));
    }
    let told = cell(columns.address);
    let mut taken = false;
    if !told.is_empty() {
        found.person(line, (&name, told), &shown);
        taken = true;
    }
    // A person may have several addresses; in the other columns only what says that it is one counts.
    for (place, other) in cells.iter().enumerate() {
        if Some(place) != columns.address && says_sip(other) {
            found.person(line, (&name, other), &shown);
            taken = true;
        }
    }
    if !taken {
        let has_mail = columns.has_header && cells.iter().any(|cell| cell.contains('@'));
        let why = if has_mail {
            "there is no SIP address in it; an e-mail address is not taken for one"
        } else {
            NO_ADDRESS
        };
        found.misread(line, &shown, why);
    }
}

/// The delimiter and the columns of a table.
fn kind(text: &str) -> Option<(u8, Columns)> {
    let marked = said_delimiter(text);
    let delimiters = marked.map_or_else(|| b"\t;,".to_vec(), |delimiter| vec![delimiter]);
    let samples: Vec<(u8, Vec<StringRecord>)> = delimiters
        .into_iter()
        .map(|delimiter| {
            let rows = rows(text, delimiter, false).filter_map(|row| row.cells.ok());
            let filled = rows.filter(|cells| cells.iter().any(|cell| !cell.trim().is_empty()));
            (delimiter, filled.take(SAMPLE_ROWS).collect())
        })
        .collect();
    let with_header = samples.iter().filter_map(|(delimiter, rows)| {
        let first = rows.first()?;
        Some((first.len(), *delimiter, by_header(first)?))
    });
    if let Some((_, delimiter, columns)) = with_header.max_by_key(|(cells, ..)| *cells) {
        return Some((delimiter, columns));
    }
    samples.iter().find_map(|(delimiter, rows)| Some((*delimiter, by_content(rows)?)))
}

/// Spreadsheets may write `sep=;` before everything else.
fn said_delimiter(text: &str) -> Option<u8> {
    let first = text.lines().next()?.trim();
    let [delimiter @ (b',' | b';' | b'\t')] = first.strip_prefix("sep=")?.as_bytes() else { return None };
    Some(*delimiter)
}

fn by_header(row: &StringRecord) -> Option<Columns> {
    let words: Vec<String> = row.iter().map(header_word).collect();
    if row.iter().any(|cell| cell.contains('@') || says_sip(cell)) {
        return None;
    }
    let one_of =
        |headers: &[&str]| headers.iter().find_map(|header| words.iter().position(|word| word == header));
    let columns = Columns {
        address: one_of(&ADDRESS),
        name: one_of(&FULL_NAME),
        given: one_of(&GIVEN_NAME),
        family: one_of(&FAMILY_NAME),
        has_header: true,
    };
    let known = words.iter().filter(|word| {
        let word = word.as_str();
        ADDRESS.contains(&word)
            || FULL_NAME.contains(&word)
            || GIVEN_NAME.contains(&word)
            || FAMILY_NAME.contains(&word)
            || OTHERS.contains(&word)
    });
    // One word alone is a header only if it can mean nothing else.
    let sure = columns.address.and_then(|place| words.get(place)).is_some_and(|word| word.starts_with("sip"));
    (sure || known.count() >= 2).then_some(columns)
}

/// `E-mail 1 - Value` as `e mail 1 value`.
fn header_word(cell: &str) -> String {
    let lower = cell.to_lowercase();
    let gap = |letter: char| letter.is_whitespace() || matches!(letter, '_' | '-' | ':' | '\u{feff}');
    lower.split(gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Without a header: at least two rows with as many cells, most with one address, and a column of words.
fn by_content(rows: &[StringRecord]) -> Option<Columns> {
    let width = rows.first()?.len();
    if rows.len() < 2 || width < 2 || rows.iter().any(|row| row.len() != width) {
        return None;
    }
    let is_mix = |row: &StringRecord| {
        let bare = row.iter().filter(|cell| !says_sip(cell) && checked(cell).is_ok()).count();
        let said = row.iter().filter(|cell| says_sip(cell)).count();
        row.iter().any(|cell| cell.contains('<')) || said > 1 || (said == 0 && bare > 1)
    };
    if rows.iter().any(is_mix) {
        return None;
    }
    let count = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let in_column = |place| rows.iter().filter(|row| row.get(place).is_some_and(is)).count();
        (0..width).map(in_column).collect()
    };
    let best = |counts: Vec<usize>| {
        let best = counts.iter().copied().max().filter(|best| *best * 2 >= rows.len())?;
        counts.iter().position(|count| *count == best)
    };
    let address = best(count(&|cell| says_sip(cell))).or_else(|| best(count(&|cell| checked(cell).is_ok())));
    let name = best(count(&|cell| is_wordy(cell)));
    (address.is_some() && name.is_some()).then_some(Columns { address, name, ..Columns::default() })
}

fn says_sip(cell: &str) -> bool {
    let scheme = cell.trim().split_once(':').map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips")
}

fn is_wordy(cell: &str) -> bool {
    cell.contains(char::is_alphabetic) && !cell.contains(['@', ':', '=', '/'])
}

/// The rows of a text. A cell in quotes may go over several lines, so that a row ends where the quotes are even.
fn rows(text: &str, delimiter: u8, after_header: bool) -> impl Iterator<Item = Row> {
    let mut reader = ReaderBuilder::new();
    reader.delimiter(delimiter).has_headers(false).flexible(true).buffer_capacity(1024);
    let mut lines = text.lines().enumerate().skip(usize::from(said_delimiter(text).is_some()));
    let mut header_left = after_header;
    std::iter::from_fn(move || {
        loop {
            let row = next_row(&mut lines, (&reader, delimiter))?;
            let is_empty = row.cells.as_ref().is_ok_and(|cells| cells.iter().all(|it| it.trim().is_empty()));
            if header_left && !is_empty {
                header_left = false;
                continue;
            }
            return Some(row);
        }
    })
}

fn next_row<'a>(
    lines: &mut (impl Iterator<Item = (usize, &'a str)> + Clone),
    (reader, delimiter): (&ReaderBuilder, u8),
) -> Option<Row> {
    let (index, first) = lines.next()?;
    let is_open = |text: &str| text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
    let mut whole = first.to_owned();
    let mut ahead = lines.clone();
    let mut more = 0;
    while is_open(&whole) {
        let next = ahead.next().filter(|_| more < ROW_LINES_MAX);
        let Some((_, next)) = next else {
            return Some(Row { line: index + 1, cells: Err(first.to_owned()) });
        };
        whole.push('\n');
        whole.push_str(next);
        more += 1;
    }
    if more > 0 {
        *lines = ahead;
    }
    let cells = if whole.contains('"') {
        let record = reader.from_reader(whole.as_bytes()).records().next();
        record.and_then(Result::ok).unwrap_or_default()
    } else {
        // Most rows have no quotes, and a reader for each would cost more than all else.
        whole.split(char::from(delimiter)).collect()
    };
    Some(Row { line: index + 1, cells: Ok(cells) })
}
