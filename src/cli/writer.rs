//! Where an export goes, and how text of others is written in each format so that it stays text.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::tz::TimeZone;
use tempfile::NamedTempFile;

use crate::runtime::console;
use crate::terminal::{code, is_hidden, json};
use crate::time::Timestamp;

/// Bytes that are collected before they are printed.
const WAITING_BYTES: usize = 64 * 1024;

/// Standard output, or a file that is complete or absent afterwards.
pub(crate) enum Writer {
    Standard(String),
    File(BufWriter<NamedTempFile>, PathBuf),
}

impl Writer {
    /// Opens it. The file is readable by its owner only, as the store is.
    ///
    /// # Errors
    /// The file exists already, or cannot be created.
    pub(crate) fn open(out: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = out else {
            return Ok(Self::Standard(String::new()));
        };
        let taken = format!("{} already exists; nothing was written", path.display());
        anyhow::ensure!(std::fs::symlink_metadata(path).is_err(), taken);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let aside = tempfile::Builder::new()
            .prefix(".fanfare-export-")
            .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self::File(BufWriter::new(aside), path.to_owned()))
    }

    /// Writes this text as it is; false once nobody reads any more.
    ///
    /// # Errors
    /// The disk is full, for example.
    pub(crate) fn put(&mut self, text: &str) -> anyhow::Result<bool> {
        match self {
            Self::Standard(waiting) => {
                waiting.push_str(text);
                if waiting.len() < WAITING_BYTES { Ok(true) } else { print(&std::mem::take(waiting)) }
            }
            Self::File(out, path) => {
                out.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
                Ok(true)
            }
        }
    }

    /// Completes the output.
    ///
    /// # Errors
    /// The same; no file is left behind.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Standard(waiting) => print(&waiting).map(drop),
            Self::File(out, path) => {
                let unwritten = || format!("cannot write {}", path.display());
                let aside =
                    out.into_inner().map_err(io::IntoInnerError::into_error).with_context(unwritten)?;
                aside.as_file().sync_all().with_context(unwritten)?;
                aside.persist_noclobber(&path).map_err(|refused| refused.error).with_context(unwritten)?;
                Ok(())
            }
        }
    }
}

fn print(text: &str) -> anyhow::Result<bool> {
    match console::write(text) {
        // A reader such as `head` may have enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true).context("cannot write to standard output"),
    }
}

/// The text without anything that a terminal or a page acts on: such characters are written as their codes. Line ends
/// and tabs stay.
pub(crate) fn safe(text: &str) -> String {
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

/// Text between tags, or in an attribute in quotation marks.
pub(crate) fn html(text: &str) -> String {
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
pub(crate) fn csv(fields: &[&str]) -> String {
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
/// Never: the values have string keys.
pub(crate) fn json_line(value: &impl serde::Serialize) -> anyhow::Result<String> {
    Ok(format!("{}\n", json(&serde_json::to_string(value)?)))
}

/// `2026-11-30 14:05:00` here, for people.
pub(crate) fn local(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis_i64()).unwrap_or_default();
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::utc;

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

    #[test]
    fn times_are_written_to_the_millisecond() {
        assert_eq!(utc(Timestamp::from_millis(1_793_534_700_007)), "2026-11-01T12:05:00.007Z");
    }
}
