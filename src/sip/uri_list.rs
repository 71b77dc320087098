//! A message to many in RFC 5365's form: the body beside a list of recipients (RFC 4826, RFC 5364). It is rewritten in
//! our own form with `Secondary-To`, so that later stages handle one form only (W26).

use bytes::Bytes;

use super::edit::Edit;
use super::error::Error;
use super::message::{Message, Request, parse};
use super::mime::{Part, media_type, parameter, parts};
use super::uri::Uri;
use super::xml::{Element, Node, Xml, decoded};

/// The option tag of RFC 5365 §4.
pub const RECIPIENT_LIST: &str = "recipient-list-message";
/// The name of the list in errors.
const SUBJECT: &str = "recipient list";

/// The same submission with `To` and `Secondary-To` instead of the list. Without `Delivery-Report` no report is sent,
/// since its sender does not know reports.
///
/// # Errors
/// The list is missing, malformed or empty, refers to another list, or contains something that is not an address.
pub fn with_secondary_to(request: &Request) -> Result<Request, Error> {
    let content_type = request.fields().first("Content-Type").unwrap_or_default();
    if !media_type(content_type).starts_with("multipart/") {
        return Err(Error::whole(SUBJECT, "no multipart body"));
    }
    let parts =
        parts(content_type, &request.body()).ok_or_else(|| Error::whole(SUBJECT, "no parts, or too many"))?;
    let (list, others) = divide(&parts)?;
    let charset = parameter(list.content_type(), "charset");
    let people = read_list(&list.content(), charset.as_deref())?;
    let Some((first, further)) = people.split_first() else {
        return Err(Error::whole(SUBJECT, "nobody in it"));
    };
    let (content_type, body) = join(&others, content_type)?;
    let mut edit = Edit::request(request)
        .remove_token("Require", RECIPIENT_LIST)
        .remove("Content-Disposition")
        .remove("Secondary-To")
        .set("To", first)
        .set("Content-Type", content_type)
        .body(body);
    if !further.is_empty() {
        edit = edit.set("Secondary-To", further.join(", "));
    }
    if request.fields().first("Delivery-Report").is_none() {
        edit = edit.set("Delivery-Report", "none");
    }
    match parse(edit.print())? {
        Message::Request(request) => Ok(request),
        Message::Response(_) => Err(Error::whole(SUBJECT, "no request")),
    }
}

/// Separates the list from the other parts of the body.
fn divide(parts: &[Part]) -> Result<(&Part, Vec<&Part>), Error> {
    let (lists, others): (Vec<_>, Vec<_>) = parts.iter().partition(|part| is_list(part));
    match (lists.as_slice(), others.is_empty()) {
        ([_], true) => Err(Error::whole(SUBJECT, "no message beside it")),
        ([list], false) => Ok((list, others)),
        ([], _) => Err(Error::whole(SUBJECT, "missing")),
        (_, _) => Err(Error::whole(SUBJECT, "more than one")),
    }
}

fn is_list(part: &Part) -> bool {
    media_type(part.content_type()) == "application/resource-lists+xml"
}

/// `<sip:bill@example.com>;copy=bcc` for each entry. A document type, and with it every entity, is refused.
fn read_list(xml: &[u8], charset: Option<&str>) -> Result<Vec<String>, Error> {
    let text = decoded(xml, charset).map_err(|what| Error::whole(SUBJECT, what))?;
    let mut xml = Xml::new(&text);
    let mut people = Vec::new();
    let mut has_root = false;
    loop {
        let node = xml.next().map_err(|what| Error::in_line(SUBJECT, what, xml.line()))?;
        let element = match node {
            None => return Ok(people),
            Some(Node::Text(_) | Node::End) => continue,
            Some(Node::Start(element)) => element,
        };
        if !std::mem::replace(&mut has_root, true) && element.name != "resource-lists" {
            return Err(Error::whole(SUBJECT, "no resource-lists"));
        }
        let wrong = |what| Error::in_line(SUBJECT, what, xml.line());
        match element.name.as_str() {
            "entry" => people.push(read_entry(&element).map_err(wrong)?),
            // RFC 5363 §4.1: references to other lists are not followed.
            "external" | "entry-ref" => return Err(wrong("refers to another list")),
            _ => {}
        }
    }
}

fn read_entry(entry: &Element) -> Result<String, &'static str> {
    let text = entry.attribute("uri").ok_or("entry without uri")?;
    let uri = Uri::parse(text.trim()).map_err(|_error| "no address")?;
    // RFC 5364 §3: entries that neither a copy nor a list may name to others.
    let is_hidden =
        entry.attribute("copyControl") == Some("bcc") || entry.attribute("anonymize") == Some("true");
    Ok(format!("<{uri}>{}", if is_hidden { ";copy=bcc" } else { "" }))
}

/// The message without the list: the one remaining part, or a multipart of the remaining ones.
fn join(others: &[&Part], content_type: &str) -> Result<(String, Bytes), Error> {
    if let [only] = others {
        return Ok((only.content_type().to_owned(), only.content()));
    }
    let boundary = parameter(content_type, "boundary")
        .ok_or_else(|| Error::whole(SUBJECT, "multipart body without boundary"))?;
    let mut body = Vec::new();
    for part in others {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        body.extend_from_slice(&part.whole);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((content_type.to_owned(), body.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5365 §8's example, shortened, with RFC 5364's list in it.
    fn request(list: &str, message: &str) -> Result<Request, Error> {
        let body = format!(
            "--boundary1\n{message}\n--boundary1\nContent-Type: application/resource-lists+xml\n\
             Content-Disposition: recipient-list\n\n{list}\n--boundary1--\n"
        )
        .replace('\n', "\r\n");
        let head = format!(
            "MESSAGE sip:list-service.example.com SIP/2.0\nVia: SIP/2.0/TCP uac.example.com;branch=z9hG4bKhjhs8ass83\n\
             Max-Forwards: 70\nTo: MESSAGE URI-list service <sip:list-service.example.com>\n\
             From: Carol <sip:carol@example.com>;tag=32331\nCall-ID: d432fa84b4c76e66710\nCSeq: 1 MESSAGE\n\
             Require: recipient-list-message\nContent-Type: multipart/mixed;boundary=\"boundary1\"\n\
             Content-Length: {}\n\n",
            body.len()
        )
        .replace('\n', "\r\n");
        let Ok(Message::Request(request)) = parse(Bytes::from(head + &body)) else {
            panic!("it can be read")
        };
        with_secondary_to(&request)
    }

    const HELLO: &str = "Content-Type: text/plain;\n charset=utf-8\n\nHello World!";
    const LIST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="urn:ietf:params:xml:ns:copycontrol">
 <list>
  <entry uri="sip:bill@example.com" cp:copyControl="to" />
  <entry uri="sip:joe@example.org" cp:copyControl="cc"><display-name>Joe</display-name></entry>
  <list><entry uri="im:ted@example.net" cp:copyControl="bcc" /></list>
  <entry uri="sip:ann&amp;co@example.net" cp:copyControl="to" cp:anonymize="true" />
 </list>
</resource-lists>"#;

    #[test]
    fn w26_a_list_becomes_to_and_secondary_to() {
        let request = request(LIST, HELLO).unwrap();
        let fields = request.fields();
        assert_eq!(fields.first("To"), Some("<sip:bill@example.com>"));
        let further =
            "<sip:joe@example.org>, <im:ted@example.net>;copy=bcc, <sip:ann&co@example.net>;copy=bcc";
        assert_eq!(fields.first("Secondary-To"), Some(further));
        assert_eq!(fields.first("Content-Type"), Some("text/plain; charset=utf-8"));
        assert_eq!((fields.first("Require"), fields.first("Delivery-Report")), (None, Some("none")));
        assert_eq!(&request.body()[..], b"Hello World!");
        assert_eq!(fields.first("Content-Length"), Some("12"));
        assert_eq!(fields.call_id(), "d432fa84b4c76e66710");
    }

    #[test]
    fn w26_what_else_is_in_the_body_stays_together() {
        let two = format!("{HELLO}\n--boundary1\nContent-Type: image/png\n\npixels");
        let request = request(LIST, &two).unwrap();
        assert_eq!(request.fields().first("Content-Type"), Some("multipart/mixed;boundary=\"boundary1\""));
        let content = super::super::content("multipart/mixed;boundary=\"boundary1\"", &request.body());
        assert_eq!(content.text.trim_end(), "Hello World!");
        assert_eq!(&content.files[0].bytes[..], b"pixels");
        assert!(memchr::memmem::find(&request.body(), b"resource").is_none());
    }

    #[test]
    fn w26_a_list_that_cannot_be_read_is_named_with_its_line() {
        let entry = |inner: &str| format!("<resource-lists>\n<list>{inner}</list></resource-lists>");
        let bomb = "<!DOCTYPE x [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;\">]>\n<resource-lists><list/></resource-lists>";
        let many = entry(&"<entry uri=\"sip:a@b\"/>".repeat(20_000));
        let deep = format!("{}{}", "<list>".repeat(9_000), "</list>".repeat(9_000));
        let attributes: String = (0..20_000).map(|number| format!(" a{number:x}=\"\"")).collect();
        let attributes = format!("<list{attributes}/>");
        let table = [
            ("<resource-lists>\n<list></other>", "Bad recipient list: broken XML in line 2"),
            ("<resource-lists>\n<list>", "Bad recipient list: broken XML in line 2"),
            ("<other/>", "Bad recipient list: no resource-lists"),
            (&entry(""), "Bad recipient list: nobody in it"),
            (&entry("<entry/>"), "Bad recipient list: entry without uri in line 2"),
            (&entry("<entry uri=\"&lt;sip:a@b&gt;\"/>"), "Bad recipient list: no address in line 2"),
            (&entry("<entry uri=\"sip:a@b&#13;&#10;X: y\"/>"), "Bad recipient list: no address in line 2"),
            (
                &entry("<external anchor=\"http://x\"/>"),
                "Bad recipient list: refers to another list in line 2",
            ),
            (bomb, "Bad recipient list: has a document type in line 1"),
            (&many, "Bad recipient list: too many elements in line 2"),
            (&entry(&deep), "Bad recipient list: nested too deep in line 2"),
            (&entry(&attributes), "Bad recipient list: too many attributes in line 2"),
            (&entry(&" ".repeat(600_000)), "Bad recipient list: too long"),
        ];
        for (list, said) in table {
            assert_eq!(request(list, HELLO).unwrap_err().reason(), said);
        }
    }
}
