//! vCard 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350): who has which SIP address.
//!
//! `IMPP:sip:…`, `X-SIP`, and a `TEL`, `URL` or extension whose value is a `sip:` URI give addresses. `EMAIL` does not.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use vcard::tree::cst::VcardCst;
use vcard::tree::line::VcardLine;
use vcard::tree::value::cursor::VcardValueCursor;

use super::found::{ImportFound, checked, one_line};

/// Properties whose value is a SIP address even without a scheme.
const SIP_PROPERTIES: [&str; 4] = ["X-SIP", "SIP", "X-MESSAGING/SIP-ALL", "X-MS-IMADDRESS"];
/// Depth of cards within cards (`AGENT` of vCard 2.1) that is followed, to skip them.
const DEPTH_MAX: usize = 8;

/// One card of a file.
struct Card {
    line: usize,
    bytes: Vec<u8>,
}

/// Whether the text has a card in it.
pub(super) fn are_in(bytes: &[u8]) -> bool {
    lines(bytes).any(|line| is(line, "BEGIN:VCARD"))
}

/// Reads every card.
pub(super) fn read(bytes: &[u8], found: &mut ImportFound) {
    let mut card: Option<Card> = None;
    let mut depth = 0_usize;
    let mut before = "";
    for (index, line) in lines(bytes).enumerate() {
        let text = str::from_utf8(line).unwrap_or_default().trim();
        let is_agent = std::mem::replace(&mut before, text).to_ascii_uppercase().starts_with("AGENT");
        if depth > 0 {
            depth = match (is(line, "BEGIN:VCARD"), is(line, "END:VCARD")) {
                (true, _) => (depth + 1).min(DEPTH_MAX),
                (_, true) => depth - 1,
                _ => depth,
            };
            continue;
        }
        if is(line, "BEGIN:VCARD") {
            if card.is_some() && is_agent {
                depth = 1;
                continue;
            }
            if let Some(open) = card.replace(Card { line: index + 1, bytes: Vec::new() }) {
                not_ended(&open, found);
            }
        }
        let Some(open) = &mut card else {
            if !text.is_empty() || str::from_utf8(line).is_err() {
                found.misread(index + 1, &String::from_utf8_lossy(line), "this line is in no vCard");
            }
            continue;
        };
        open.bytes.extend_from_slice(line);
        open.bytes.push(b'\n');
        if is(line, "END:VCARD")
            && let Some(whole) = card.take()
        {
            read_card(&whole, found);
        }
    }
    if let Some(open) = card {
        not_ended(&open, found);
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    // Before macOS, a return alone ended a line.
    let end = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
    bytes.split(move |byte| *byte == end).map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn is(line: &[u8], words: &str) -> bool {
    line.trim_ascii().eq_ignore_ascii_case(words.as_bytes())
}

fn not_ended(card: &Card, found: &mut ImportFound) {
    found.misread(card.line, &label(card), "this vCard does not end");
}

/// What a card that cannot be read is called.
fn label(card: &Card) -> String {
    let name = card.bytes.split(|byte| *byte == b'\n').find(|line| {
        let head = line.get(..2).unwrap_or_default();
        head.eq_ignore_ascii_case(b"FN") || head.eq_ignore_ascii_case(b"N:")
    });
    String::from_utf8_lossy(name.unwrap_or(b"BEGIN:VCARD")).into_owned()
}

fn read_card(card: &Card, found: &mut ImportFound) {
    let mut parsed = match VcardCst::parse(&card.bytes) {
        Ok(parsed) => parsed,
        Err(_error) => return found.misread(card.line, &label(card), "this vCard cannot be read"),
    };
    let name = name(&mut parsed);
    if is_group(&mut parsed) {
        return read_group(card, &mut parsed, &name, found);
    }
    let mut has_address = false;
    for line in &mut parsed.props {
        if let Some(address) = address(line) {
            has_address = true;
            found.person(card.line, (&name, &address), &format!("{name}: {address}"));
        }
    }
    if !has_address {
        let label = if name.is_empty() { label(card) } else { name };
        found.misread(
            card.line,
            &label,
            "this vCard has no SIP address; an e-mail address is not taken for one",
        );
    }
}

/// A saved list.
fn read_group(card: &Card, parsed: &mut VcardCst<'_>, name: &str, found: &mut ImportFound) {
    let of_members = parsed.props.iter_mut().filter(|line| line.bare_name().eq_ignore_ascii_case("MEMBER"));
    let mut members = Vec::new();
    for line in of_members {
        let member = value(line);
        match checked(&member) {
            Ok(address) => members.push(address),
            Err(why) => found.misread(card.line, &format!("{name}: {member}"), &why),
        }
    }
    if name.is_empty() || members.is_empty() {
        return found.misread(
            card.line,
            &label(card),
            "this group has no name or no members with SIP addresses",
        );
    }
    found.list(name.to_owned(), members);
}

fn is_group(card: &mut VcardCst<'_>) -> bool {
    card.props.iter_mut().any(|line| {
        let name = line.bare_name().to_ascii_uppercase();
        matches!(name.as_str(), "KIND" | "X-ADDRESSBOOKSERVER-KIND")
            && value(line).eq_ignore_ascii_case("group")
    })
}

/// `FN`, else the parts of `N` in the order in which they are spoken, else the organization.
fn name(card: &mut VcardCst<'_>) -> String {
    let mut of = |wanted: &str| {
        let mut named = card.props.iter_mut().filter(|line| line.bare_name().eq_ignore_ascii_case(wanted));
        named.find_map(|line| Some(value(line)).filter(|value| !value.is_empty()))
    };
    if let Some(name) = of("FN") {
        return one_line(&name);
    }
    if let Some(name) = of("N") {
        let parts: Vec<&str> = name.split(';').collect();
        let part = |place: usize| parts.get(place).copied().unwrap_or_default();
        let spoken = [3, 1, 2, 0, 4].map(part).join(" ");
        if !spoken.trim().is_empty() {
            return one_line(&spoken);
        }
    }
    one_line(&of("NICKNAME").or_else(|| Some(of("ORG")?.replace(';', ", "))).unwrap_or_default())
}

/// The SIP address that this property gives.
fn address(line: &mut VcardLine<'_>) -> Option<String> {
    let name = line.bare_name().to_ascii_uppercase();
    let is_service = line.params.iter().any(|param| {
        param.name.get().eq_ignore_ascii_case("X-SERVICE-TYPE")
            && param.values.iter().any(|value| value.get().trim_matches('"').eq_ignore_ascii_case("sip"))
    });
    let is_plain = SIP_PROPERTIES.contains(&name.as_str()) || (name == "IMPP" && is_service);
    if !is_plain && !matches!(name.as_str(), "IMPP" | "TEL" | "URL") && !name.starts_with("X-") {
        return None;
    }
    let value = value(line);
    let value = value.trim_matches(['<', '>']).trim();
    let scheme = value.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    let is_address = match scheme.as_str() {
        "sip" | "sips" => true,
        "im" | "pres" | "tel" => name == "IMPP",
        "" => is_plain && !value.is_empty(),
        // A scheme of letters alone is another one; `ann@example.com:5060` has none.
        _ => is_plain && value.contains('@') && !scheme.chars().all(|letter| letter.is_ascii_alphabetic()),
    };
    is_address.then(|| value.to_owned())
}

/// The value as text: folds, escapes, quoted-printable and the character set are undone.
fn value(line: &mut VcardLine<'_>) -> String {
    let charset = line.params.iter().find(|param| param.name.get().eq_ignore_ascii_case("CHARSET"));
    let label = charset.and_then(|param| param.values.first()).map(|label| label.get().to_owned());
    let bytes = VcardValueCursor { line }.quoted_printable();
    let said = label.and_then(|label| Encoding::for_label(label.trim_matches('"').as_bytes()));
    let is_utf8 = str::from_utf8(&bytes).is_ok();
    let encoding = said.unwrap_or(if is_utf8 { UTF_8 } else { WINDOWS_1252 });
    encoding.decode_without_bom_handling(&bytes).0.trim().to_owned()
}
