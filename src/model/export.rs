//! Contacts and saved lists as vCard 4.0 (RFC 6350), which [`import`](super::import) reads back to the same.

use super::contacts::AddressBook;
use crate::sip::Uri;

/// Most bytes of a line besides its end (section 3.2).
const LINE_BYTES_MAX: usize = 75;

/// All contacts, and each saved list as a card of `KIND:group`. A contact whose address cannot be read is left out.
#[must_use]
pub fn cards(book: &AddressBook) -> String {
    let mut text = String::new();
    for contact in &book.contacts {
        let Ok(uri) = Uri::typed(&contact.address) else { continue };
        let name = if contact.name.is_empty() { uri.as_str() } else { &contact.name };
        card(&mut text, [("FN", &*escaped(name)), ("IMPP", uri.as_str())]);
    }
    for list in &book.lists {
        let members = list.members.iter().filter_map(|member| Uri::typed(member).ok());
        let members: Vec<Uri> = members.collect();
        let head = [("KIND", "group"), ("FN", &*escaped(&list.name))];
        card(&mut text, head.into_iter().chain(members.iter().map(|member| ("MEMBER", member.as_str()))));
    }
    text
}

fn card<'a>(text: &mut String, properties: impl IntoIterator<Item = (&'a str, &'a str)>) {
    text.push_str("BEGIN:VCARD\r\nVERSION:4.0\r\n");
    for (name, value) in properties {
        folded(text, &format!("{name}:{value}"));
    }
    text.push_str("END:VCARD\r\n");
}

/// Section 3.4.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\\' | ',' | ';' => text.extend(['\\', letter]),
            '\n' => text.push_str("\\n"),
            letter if letter.is_control() => {}
            letter => text.push(letter),
        }
    }
    text
}

/// Section 3.2: no character is split.
fn folded(text: &mut String, line: &str) {
    let mut bytes = 0;
    for letter in line.chars() {
        if bytes + letter.len_utf8() > LINE_BYTES_MAX {
            text.push_str("\r\n ");
            bytes = 1;
        }
        text.push(letter);
        bytes += letter.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contacts::{Contact, List};
    use crate::model::import::Import;

    fn book() -> AddressBook {
        let contact = |address: &str, name: &str| Contact {
            address: address.into(),
            name: name.into(),
            simulated: false,
        };
        AddressBook {
            contacts: vec![
                contact("sip:ann@example.com;transport=tcp", "Lee, Ann; \"the\\ first\""),
                contact(
                    "sips:ben%3B@example.com:5061",
                    "Ünal Ayşe, der Leiter der Abteilung für große Straßenfeste in Köln",
                ),
                contact("tel:+49-30-1", ""),
            ],
            lists: vec![List {
                name: "Team; A".into(),
                members: vec!["sip:ann@example.com".into(), "im:eve@x.org".into()],
            }],
            ..AddressBook::default()
        }
    }

    #[test]
    fn what_is_exported_is_read_back_to_the_same() {
        let text = cards(&book());
        let read = Import::read(text.as_bytes(), &AddressBook::default()).unwrap();
        assert_eq!((read.contacts(), read.lists), (book().contacts, book().lists), "{text}");
        assert_eq!(read.misread, []);
    }

    #[test]
    fn a_card_is_as_the_rfc_writes_it() {
        let text = cards(&book());
        assert!(text.starts_with(
            "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Lee\\, Ann\\; \"the\\\\ first\"\r\nIMPP:sip:ann@example.com;transport=tcp\r\nEND:VCARD\r\n"
        ), "{text}");
        assert!(
            text.contains(
                "KIND:group\r\nFN:Team\\; A\r\nMEMBER:sip:ann@example.com\r\nMEMBER:im:eve@x.org\r\n"
            )
        );
        assert!(text.lines().all(|line| line.len() <= LINE_BYTES_MAX), "{text}");
    }
}
