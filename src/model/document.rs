//! How text of others is written into a document so that it stays text: no markup, no formula, nothing that a terminal
//! acts on.

use std::fmt::Write as _;

use crate::terminal::{code, is_hidden, json};

/// The text without anything that a terminal or a page acts on: such characters are written as their codes. Line ends
/// and tabs stay.
#[must_use]
pub fn safe(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.replace("\r\n", "\n").chars() {
        if is_hidden(letter) || letter.is_control() && letter != '\n' && letter != '\t' {
            written.push_str(&code(letter));
        } else {
            written.push(letter);
        }
    }
    written
}

/// Text between tags of HTML, or in an attribute in quotation marks.
#[must_use]
pub fn html(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in safe(text).chars() {
        match letter {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&#39;"),
            other => written.push(other),
        }
    }
    written
}

/// A line of CSV (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe before it.
#[must_use]
pub fn csv(fields: &[&str]) -> String {
    let mut line = String::new();
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        let mut text = safe(field);
        if text.trim_start().starts_with(['=', '+', '-', '@', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'])
            || text.starts_with(['\t', '\n'])
        {
            text.insert(0, '\'');
        }
        if text.contains([',', ';', '"', '\n', '\t']) || text.trim() != text {
            write!(line, "\"{}\"", text.replace('"', "\"\"")).ok();
        } else {
            line.push_str(&text);
        }
    }
    line.push_str("\r\n");
    line
}

/// A value as one line of JSON.
///
/// # Errors
/// A map in it has keys that are no strings.
pub fn json_line(value: &impl serde::Serialize) -> Result<String, serde_json::Error> {
    Ok(format!("{}\n", json(&serde_json::to_string(value)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_calculates_nothing_that_others_wrote() {
        let table = [
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\t=1", "\"'\t=1\""),
            ("\u{FF1D}1", "'\u{FF1D}1"),
            ("a,\"b\"", "\"a,\"\"b\"\"\""),
            ("a\r\nb", "\"a\nb\""),
            ("a\u{1b}[31m", "a⟨U+001B⟩[31m"),
            ("plain", "plain"),
            ("", ""),
        ];
        for (text, written) in table {
            assert_eq!(csv(&[text, "x"]), format!("{written},x\r\n"));
        }
    }

    #[test]
    fn no_text_is_markup() {
        let text = "<script>alert('1')</script> & \"x\" \u{202e}abc\u{7}";
        let written =
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot; ⟨U+202E⟩abc⟨U+0007⟩";
        assert_eq!(html(text), written);
    }
}
