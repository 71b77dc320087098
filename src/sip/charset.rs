//! Bytes to text: by a named charset or, for header fields, which name none, by a guess.

use std::borrow::Cow;

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, REPLACEMENT, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_874, WINDOWS_1252,
};

/// The text of a header field. SIP uses UTF-8 (RFC 3261 §7.3.1); anything else comes from a device that writes Latin-1.
/// Only for display: whatever is passed on keeps its bytes.
pub(super) fn header_text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_invalid) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// In which charset [`header_text`] has read a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum HeaderCharset {
    /// UTF-8.
    #[default]
    Utf8,
    /// Latin-1, as Windows has it.
    Latin1,
}

impl HeaderCharset {
    /// The bytes that were read as this text.
    pub(super) fn bytes(self, text: &str) -> Cow<'_, [u8]> {
        match self {
            Self::Utf8 => Cow::Borrowed(text.as_bytes()),
            Self::Latin1 => WINDOWS_1252.encode(text).0,
        }
    }
}

/// Decodes bytes in a named charset; an empty name means UTF-8 (RFC 3428 §5 leaves the choice open, and all current
/// clients mean UTF-8). None if the charset is unknown, or a byte is invalid in it: garbage is never taken for text.
pub(super) fn decode(charset: &str, bytes: &[u8]) -> Option<String> {
    let encoding = encoding(charset, bytes)?;
    // A byte order mark at the start is not part of the text.
    let mark: &[u8] = match encoding.name() {
        "UTF-8" => b"\xEF\xBB\xBF",
        "UTF-16BE" => b"\xFE\xFF",
        "UTF-16LE" => b"\xFF\xFE",
        _ => b"",
    };
    let bytes = bytes.strip_prefix(mark).unwrap_or(bytes);
    encoding.decode_without_bom_handling_and_without_replacement(bytes).map(Cow::into_owned)
}

fn encoding(charset: &str, bytes: &[u8]) -> Option<&'static Encoding> {
    let label = charset.trim().to_ascii_lowercase();
    let found = match label.as_str() {
        // Text labelled ASCII that contains other bytes must be UTF-8, or it is not decoded.
        "" | "us-ascii" | "ascii" | "ansi_x3.4-1968" | "iso646-us" | "646" => UTF_8,
        // RFC 2781 §4.3: without a mark it is big-endian.
        "utf-16" | "utf16" | "ucs-2" | "iso-10646-ucs-2" | "csunicode" | "unicode" => {
            if bytes.starts_with(b"\xFF\xFE") { UTF_16LE } else { UTF_16BE }
        }
        // Charset names in mail and SIP that are missing from the WHATWG list, which the library uses.
        "cp936" | "ms936" | "windows-936" | "euc-cn" | "x-euc-cn" => GBK,
        "cp949" | "ms949" | "uhc" | "x-windows-949" => EUC_KR,
        "cp950" | "ms950" | "windows-950" => BIG5,
        "cp932" | "windows-932" | "x-ms-cp932" => SHIFT_JIS,
        "cp874" | "ms874" | "x-windows-874" => WINDOWS_874,
        other => Encoding::for_label(other.as_bytes())?,
    };
    // Known to the WHATWG only so as to be refused.
    Some(found).filter(|found| *found != REPLACEMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_charset_of_the_field_is_read() {
        let table: &[(&str, &[u8], &str)] = &[
            ("", "grüß 特".as_bytes(), "grüß 特"),
            ("utf-8", b"\xEF\xBB\xBFgr\xC3\xBC", "grü"),
            ("US-ASCII", b"plain", "plain"),
            ("us-ascii", "grü".as_bytes(), "grü"),
            ("GB2312", b"\xCC\xD8\xCE\xAC", "特维"),
            ("gbk", b"\xCC\xD8\xCE\xAC", "特维"),
            ("cp936", b"\xCC\xD8\xCE\xAC", "特维"),
            ("gb18030", b"\xCC\xD8\x90\x30\x81\x30", "特\u{10000}"),
            ("Big5", b"\xAF\x53\xBA\xFB", "特維"),
            ("EUC-KR", b"\xBE\xC8\xB3\xE7", "안녕"),
            ("ks_c_5601-1987", b"\xBE\xC8\xB3\xE7", "안녕"),
            ("Shift_JIS", b"\x93\x63\x92\x86", "田中"),
            ("EUC-JP", b"\xC5\xC4\xC3\xE6", "田中"),
            ("ISO-2022-JP", b"\x1B$BEDCf\x1B(B", "田中"),
            ("windows-874", b"\xCA\xC7\xD1\xCA", "สวัส"),
            ("TIS-620", b"\xCA\xC7\xD1\xCA", "สวัส"),
            ("KOI8-R", b"\xF0\xD2\xC9", "При"),
            ("koi8-u", b"\xF0\xD2\xC9\xA6", "Приі"),
            ("windows-1251", b"\xCF\xF0", "Пр"),
            ("windows-1252", b"\x93x\x94 \x80", "“x” €"),
            ("ISO-8859-1", b"gr\xFC\xDF", "grüß"),
            ("iso-8859-15", b"\xA4", "€"),
            ("ISO-8859-7", b"\xCA\xE1", "Κα"),
            ("utf-16", b"\x00g\x00\xFC", "gü"),
            ("utf-16", b"\xFE\xFF\x00g", "g"),
            ("UTF-16", b"\xFF\xFEg\x00", "g"),
            ("utf-16le", b"g\x00\xFC\x00", "gü"),
            ("utf-16be", b"\x00g", "g"),
        ];
        for (charset, bytes, text) in table {
            assert_eq!(decode(charset, bytes).as_deref(), Some(*text), "{charset}");
        }
    }

    #[test]
    fn what_is_not_of_its_charset_is_no_text() {
        let table: &[(&str, &[u8])] = &[
            ("", b"gr\xFC"),
            ("utf-8", b"gr\xFC"),
            ("us-ascii", b"gr\xFC"),
            ("gb2312", b"\xCC"),
            ("gbk", b"\xFF\xFF"),
            ("euc-kr", b"\xBE"),
            ("shift_jis", b"\x93"),
            ("iso-2022-jp", b"\xCC\xD8"),
            ("windows-874", b"\xDB"),
            ("utf-16", b"\x00"),
            ("utf-16", b"\xD8\x00\x00g"),
            ("x-nobody-knows", b"plain"),
            ("utf-7", b"gr+APw-"),
            ("hz-gb-2312", b"~{LXN,~}"),
            ("iso-2022-kr", b"\x1B$)C"),
            ("xü", b"plain"),
        ];
        for (charset, bytes) in table {
            assert_eq!(decode(charset, bytes), None, "{charset}");
        }
    }

    #[test]
    fn a_header_field_is_utf_8_or_latin_1() {
        assert_eq!(header_text("Téléphone 特".as_bytes()), "Téléphone 特");
        assert_eq!(header_text(b"T\xE9l\xE9phone \x80"), "Téléphone €");
        assert_eq!(header_text(b"plain"), "plain");
    }

    #[test]
    fn what_was_read_as_latin_1_goes_back_byte_for_byte() {
        let all: Vec<u8> = (0x20..=0xff).collect();
        assert_eq!(HeaderCharset::Latin1.bytes(&header_text(&all)), all);
        assert_eq!(HeaderCharset::Utf8.bytes("特"), "特".as_bytes());
    }
}
