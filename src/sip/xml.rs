//! Reads the small XML bodies of other programs as a stream: bytes, elements, depth and attributes are bounded during
//! reading, so that no body costs more than linear time.
//!
//! Names are local names: a namespace prefix is its author's free choice. A document type, and with it every entity
//! that is not predefined in XML, is refused.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::charset::decode;
use crate::limits::{XML_ATTRIBUTES_MAX, XML_BYTES_MAX, XML_DEPTH_MAX, XML_ELEMENTS_MAX};

/// As much of a document as is searched for the end of its declaration.
const DECLARATION_BYTES_MAX: usize = 200;

/// An item of a document, in order. An empty element has a start and an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// An element begins.
    Start(Element),
    /// Text within an element, references resolved.
    Text(String),
    /// The innermost open element ends.
    End,
}

/// The start tag of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// Its name without prefix.
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// The value of an attribute, by its name without prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(this, _)| this == name).map(|(_, value)| value.as_str())
    }
}

/// The text of a document. Its charset is that of its byte order mark, of its media type, or of its XML declaration, in this
/// order (RFC 7303 §3.2, §3.3); else it is UTF-8, where a wrong byte is a `\u{FFFD}`: names and texts for people, which are
/// not needed, are where such bytes occur.
///
/// # Errors
/// It is over the size limit, or in a charset that is not known or not kept to.
pub(super) fn decoded<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, &'static str> {
    if bytes.len() > XML_BYTES_MAX {
        return Err("too long");
    }
    let charset = match bytes {
        [0xEF, 0xBB, 0xBF, ..] => "utf-8",
        [0xFE, 0xFF, ..] | [0, b'<', ..] => "utf-16be",
        [0xFF, 0xFE, ..] | [b'<', 0, ..] => "utf-16le",
        _ => charset.filter(|charset| !charset.is_empty()).or_else(|| declared(bytes)).unwrap_or_default(),
    };
    // What begins with one byte for each character is not UTF-16, whatever it says.
    let is_utf8 =
        ["", "utf-8", "utf8", "us-ascii", "utf-16"].iter().any(|name| charset.eq_ignore_ascii_case(name));
    if is_utf8 {
        return Ok(String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)));
    }
    decode(charset, bytes).map(Cow::Owned).ok_or("not in its charset, or in an unknown one")
}

/// The encoding that an XML declaration names.
fn declared(bytes: &[u8]) -> Option<&str> {
    let inside = bytes.strip_prefix(b"<?xml")?;
    let end = inside.iter().take(DECLARATION_BYTES_MAX).position(|byte| *byte == b'>')?;
    let inside = std::str::from_utf8(inside.get(..end)?).ok()?;
    let (_, after) = inside.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value.get(1..)?.split_once(quote).map(|(name, _)| name)
}

/// Reads a document up to the end of its first element.
#[derive(Debug)]
pub(super) struct Xml<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    depth: usize,
    elements: usize,
    has_root: bool,
}

impl<'a> Xml<'a> {
    /// For a document whose text was decoded by [`decoded`].
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { text, reader, depth: 0, elements: 0, has_root: false }
    }

    /// The next item; none at the end of the document.
    ///
    /// # Errors
    /// It is not well-formed, has a document type, or exceeds a limit: which, in words.
    pub(super) fn next(&mut self) -> Result<Option<Node>, &'static str> {
        loop {
            let event = self.reader.read_event().map_err(|_error| "broken XML")?;
            let node = match event {
                Event::Start(start) => self.start(&start)?,
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Node::End
                }
                Event::Text(text) => Node::Text(text.decode().map_err(|_error| "not UTF-8")?.into_owned()),
                Event::CData(text) => Node::Text(text.decode().map_err(|_error| "not UTF-8")?.into_owned()),
                Event::GeneralRef(reference) => Node::Text(resolve(&reference)?),
                Event::DocType(_) => return Err("has a document type"),
                Event::Eof if self.depth > 0 || !self.has_root => return Err("broken XML"),
                Event::Eof => return Ok(None),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
            };
            match &node {
                Node::Text(text) if self.depth == 0 => {
                    if !text.trim().is_empty() {
                        return Err("broken XML");
                    }
                }
                Node::Text(_) | Node::Start(_) | Node::End => return Ok(Some(node)),
            }
        }
    }

    /// The line, counted from 1, up to which the document has been read.
    pub(super) fn line(&self) -> usize {
        let at = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let read = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        read.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<Node, &'static str> {
        if self.depth == 0 && self.has_root {
            return Err("broken XML");
        }
        self.has_root = true;
        self.depth += 1;
        self.elements += 1;
        if self.depth > XML_DEPTH_MAX {
            return Err("nested too deep");
        }
        if self.elements > XML_ELEMENTS_MAX {
            return Err("too many elements");
        }
        let local = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_error| "broken XML")?;
            if attributes.len() >= XML_ATTRIBUTES_MAX {
                return Err("too many attributes");
            }
            let value = std::str::from_utf8(&attribute.value).map_err(|_invalid| "not UTF-8")?;
            let value = quick_xml::escape::unescape(value).map_err(|_error| "broken XML")?.into_owned();
            attributes.push((local(attribute.key.local_name().as_ref()), value));
        }
        Ok(Node::Start(Element { name: local(start.local_name().as_ref()), attributes }))
    }
}

/// Resolves a reference: `&amp;` and `&#38;` are `&`.
fn resolve(reference: &BytesRef<'_>) -> Result<String, &'static str> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_error| "broken XML")? {
        return Ok(character.to_string());
    }
    let name = reference.decode().map_err(|_error| "not UTF-8")?;
    resolve_predefined_entity(&name).map(str::to_owned).ok_or("broken XML")
}

/// Stands in a path for an element of any name; its name is then returned instead of its text.
pub(super) const ANY: &str = "*";

/// For each path of names below the root, the text directly within the first such element. The whole document is read,
/// so that a malformed one yields nothing.
///
/// # Errors
/// As [`Xml::next`], or the root has another name.
pub fn xml_texts<const N: usize>(
    bytes: &[u8],
    root: &str,
    wanted: [&[&str]; N],
) -> Result<[Option<String>; N], &'static str> {
    let text = decoded(bytes, None)?;
    let mut xml = Xml::new(&text);
    let mut found = [const { None::<String> }; N];
    let mut is_open = [false; N];
    let mut path: Vec<String> = Vec::new();
    while let Some(node) = xml.next()? {
        if let Node::Start(element) = &node {
            if path.is_empty() && element.name != root {
                return Err("another document");
            }
            path.push(element.name.clone());
        }
        let places = found.iter_mut().zip(&mut is_open).zip(wanted);
        for ((text, is_open), wanted) in places.filter(|(_, wanted)| is_at(&path, wanted)) {
            match &node {
                Node::Start(element) if text.is_none() => {
                    let is_any = wanted.last() == Some(&ANY);
                    *is_open = !is_any;
                    *text = Some(if is_any { element.name.clone() } else { String::new() });
                }
                Node::Text(more) if *is_open => text.iter_mut().for_each(|text| text.push_str(more)),
                Node::Start(_) | Node::Text(_) => {}
                Node::End => *is_open = false,
            }
        }
        if node == Node::End {
            path.pop();
        }
    }
    Ok(found)
}

fn is_at(path: &[String], wanted: &[&str]) -> bool {
    let below = path.get(1..).unwrap_or_default();
    below.len() == wanted.len()
        && below.iter().zip(wanted).all(|(name, wanted)| *wanted == ANY || name == wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<Node>, &'static str> {
        read_bytes(text.as_bytes(), None)
    }

    fn read_bytes(bytes: &[u8], charset: Option<&str>) -> Result<Vec<Node>, &'static str> {
        let text = decoded(bytes, charset)?;
        let mut xml = Xml::new(&text);
        let mut nodes = Vec::new();
        while let Some(node) = xml.next()? {
            nodes.push(node);
        }
        Ok(nodes)
    }

    #[test]
    fn a_document_is_its_elements_and_texts_in_order() {
        let text = "\u{FEFF}<?xml version=\"1.0\"?>\n<!-- a --><a:b x='1' y:z=\"&lt;&#65;&quot;\"><c/>t&amp;&#x42;<![CDATA[<]]></a:b>\n";
        let start = |name: &str, attributes: &[(&str, &str)]| {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            Node::Start(Element { name: name.to_owned(), attributes: attributes.iter().map(own).collect() })
        };
        let text_of = |text: &str| Node::Text(text.to_owned());
        let wanted = vec![
            start("b", &[("x", "1"), ("z", "<A\"")]),
            start("c", &[]),
            Node::End,
            text_of("t"),
            text_of("&"),
            text_of("B"),
            text_of("<"),
            Node::End,
        ];
        assert_eq!(read(text), Ok(wanted));
    }

    #[test]
    fn what_is_broken_or_over_a_limit_is_named() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        let attributes = |count: usize| {
            let all: String = (0..count).map(|number| format!(" a{number}=\"\"")).collect();
            format!("<a{all}/>")
        };
        let many = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
        for right in [nested(XML_DEPTH_MAX), attributes(XML_ATTRIBUTES_MAX), many(XML_ELEMENTS_MAX)] {
            assert!(read(&right).is_ok());
        }
        let table = [
            (nested(XML_DEPTH_MAX + 1), "nested too deep"),
            (attributes(XML_ATTRIBUTES_MAX + 1), "too many attributes"),
            (many(XML_ELEMENTS_MAX + 1), "too many elements"),
            (format!("<a>{}</a>", "x".repeat(XML_BYTES_MAX)), "too long"),
            ("<!DOCTYPE a [<!ENTITY x \"yy\">]><a>&x;</a>".to_owned(), "has a document type"),
            ("<a>&x;</a>".to_owned(), "broken XML"),
            ("<a b=\"&x;\"/>".to_owned(), "broken XML"),
            ("<a b=\"1\" b=\"2\"/>".to_owned(), "broken XML"),
            ("<a b=1/>".to_owned(), "broken XML"),
            ("<a>".to_owned(), "broken XML"),
            ("<a></b>".to_owned(), "broken XML"),
            ("<a/><b/>".to_owned(), "broken XML"),
            ("<a/>x".to_owned(), "broken XML"),
            ("x<a/>".to_owned(), "broken XML"),
            (String::new(), "broken XML"),
            ("<a><!--".to_owned(), "broken XML"),
            ("<a x=\"".to_owned(), "broken XML"),
        ];
        for (text, said) in table {
            assert_eq!(read(&text), Err(said), "{}", text.get(..40).unwrap_or(&text));
        }
    }

    #[test]
    fn a_document_is_read_in_its_charset() {
        let wide = |text: &str, mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
            [mark, &text.encode_utf16().flat_map(bytes).collect::<Vec<_>>()].concat()
        };
        let utf_16 = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a>\u{e9}</a>";
        let table: [(Vec<u8>, Option<&str>, &str); 10] = [
            (b"<?xml version='1.0' encoding = 'ISO-8859-1' ?><a>\xe9</a>".to_vec(), None, "\u{e9}"),
            (
                b"<?xml version=\"1.0\" encoding=\"iso-8859-2\"?><a>\xb9</a>".to_vec(),
                Some("iso-8859-1"),
                "\u{b9}",
            ),
            (b"<a>\xe9</a>".to_vec(), Some("ISO-8859-1"), "\u{e9}"),
            (wide(utf_16, b"\xfe\xff", u16::to_be_bytes), None, "\u{e9}"),
            (wide(utf_16, b"\xff\xfe", u16::to_le_bytes), Some("utf-8"), "\u{e9}"),
            (wide(utf_16, b"", u16::to_be_bytes), None, "\u{e9}"),
            (wide(utf_16, b"", u16::to_le_bytes), None, "\u{e9}"),
            // It says UTF-16, and is not.
            (utf_16.as_bytes().to_vec(), None, "\u{e9}"),
            (b"\xef\xbb\xbf<a>\xc3\xa9</a>".to_vec(), Some("iso-8859-1"), "\u{e9}"),
            (b"<a>\xe9</a>".to_vec(), None, "\u{fffd}"),
        ];
        for (bytes, charset, text) in table {
            let nodes = read_bytes(&bytes, charset).unwrap();
            assert_eq!(
                nodes.get(1),
                Some(&Node::Text(text.to_owned())),
                "{:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
        for unknown in [&b"<?xml version=\"1.0\" encoding=\"x-unknown\"?><a/>"[..], b"\xfe\xff\x00"] {
            assert_eq!(read_bytes(unknown, None), Err("not in its charset, or in an unknown one"));
        }
    }

    #[test]
    fn the_xml_texts_each_path_is_found() {
        let text = "<r><a>1<x>no</x>2</a><a>3</a><b><c><first/><second/></c></b></r>";
        let found = xml_texts(text.as_bytes(), "r", [&["a"], &["b", "c", ANY], &["d"]]);
        assert_eq!(found, Ok([Some("12".to_owned()), Some("first".to_owned()), None]));
        assert_eq!(xml_texts(text.as_bytes(), "q", [&["a"]]), Err("another document"));
        assert_eq!(xml_texts(b"<r><a>1</a>", "r", [&["a"]]), Err("broken XML"));
    }

    proptest! {
        #[test]
        fn no_markup_is_a_panic(body in "(<(/?)[a-c](/?)>|<a b=['\"]|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?|&#?x?[a-z0-9]{0,3};|[a-c&; ]){0,24}") {
            drop(read(&body));
        }
    }
}
