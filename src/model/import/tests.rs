//! What is understood of literal files and texts, and what is said of the rest.

use super::*;
use crate::limits::{IMPORT_ENTRIES_MAX, IMPORT_MISREAD_MAX, NAME_CHARS_MAX};

fn import(text: impl AsRef<[u8]>) -> Import {
    Import::read(text.as_ref(), &AddressBook::default()).unwrap()
}

/// `name|address` of everybody, and `line: text: why` of what was not understood.
fn lines(import: &Import) -> (Vec<String>, Vec<String>) {
    let people = import.people.iter().map(|(entry, _)| format!("{}|{}", entry.name, entry.address));
    let misread = import.misread.iter().map(|it| format!("{}: {}: {}", it.line, it.text, it.why));
    (people.collect(), misread.collect())
}

fn check(text: impl AsRef<[u8]>, people: &[&str], misread: &[&str]) {
    let shown = String::from_utf8_lossy(text.as_ref()).into_owned();
    let (good, bad) = lines(&import(text));
    assert_eq!((good, bad), (to_owned(people), to_owned(misread)), "{shown}");
}

fn to_owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

const MAIL: &str = "this vCard has no SIP address; an e-mail address is not taken for one";
const NONE: &str = "there is no SIP address in it";

#[test]
fn cards_give_the_sip_addresses_of_each_person() {
    let cards: [(&str, &[&str]); 12] = [
        ("VERSION:4.0\r\nFN:Ann Lee\r\nIMPP:sip:ann@example.com\r\n", &["Ann Lee|sip:ann@example.com"]),
        (
            "VERSION:4.0\r\nFN:Ann\r\nIMPP;PREF=1:xmpp:ann@x.org\r\nIMPP:SIPS:ann@example.com\r\n",
            &["Ann|SIPS:ann@example.com"],
        ),
        (
            "VERSION:3.0\r\nFN:Ann\r\nitem1.X-SIP:ann@example.com\r\nTEL;TYPE=work:+1 555 1\r\nTEL;VALUE=uri:sip:+15551@example.com\r\n",
            &["Ann|sip:ann@example.com", "Ann|sip:+15551@example.com"],
        ),
        (
            "VERSION:3.0\r\nN:Lee;Ann;M.;Dr.;\r\nX-SIP:sip:ann@example.com\r\n",
            &["Dr. Ann M. Lee|sip:ann@example.com"],
        ),
        (
            "VERSION:3.0\r\nFN:Lee\\, Ann\\; jr.\r\nIMPP;X-SERVICE-TYPE=SIP:ann@example.com\r\n",
            &["Lee, Ann; jr.|sip:ann@example.com"],
        ),
        (
            "VERSION:3.0\r\nFN:A very lo\r\n ng name\r\nIMPP:sip:ann@exam\r\n ple.com\r\n",
            &["A very long name|sip:ann@example.com"],
        ),
        (
            "VERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=9Cnal;Ay=C5=\r\n=9Fe;;;\r\nX-SIP:ayse@example.com\r\n",
            &["Ayşe Ünal|sip:ayse@example.com"],
        ),
        (
            "VERSION:2.1\r\nFN;CHARSET=ISO-8859-1;QUOTED-PRINTABLE:Jos=E9\r\nX-SIP:jose@example.com\r\n",
            &["José|sip:jose@example.com"],
        ),
        (
            "VERSION:3.0\nORG:Example;Sales\nURL:sip:sales@example.com\n",
            &["Example, Sales|sip:sales@example.com"],
        ),
        ("VERSION:4.0\r\nFN:sip:ann@example.com\r\nIMPP:sip:ann@example.com\r\n", &["|sip:ann@example.com"]),
        ("VERSION:4.0\r\nFN:\r\nIMPP:im:ann@example.com\r\n", &["|im:ann@example.com"]),
        (
            "VERSION:2.1\r\nFN:Boss\r\nAGENT:\r\nBEGIN:VCARD\r\nFN:Agent\r\nX-SIP:agent@x.org\r\nEND:VCARD\r\nX-SIP:boss@x.org\r\n",
            &["Boss|sip:boss@x.org"],
        ),
    ];
    for (card, people) in cards {
        check(format!("BEGIN:VCARD\r\n{card}END:VCARD\r\n"), people, &[]);
    }
    check(
        b"begin:vcard\nFN:Jos\xe9\nX-SIP:jose@example.com\nend:vcard\n",
        &["José|sip:jose@example.com"],
        &[],
    );
    check(b"\xef\xbb\xbfBEGIN:VCARD\rFN:A\rX-SIP:a@x.org\rEND:VCARD\r", &["A|sip:a@x.org"], &[]);
    let wide: Vec<u8> = "\u{feff}BEGIN:VCARD\r\nFN:Åsa\r\nX-SIP:asa@x.org\r\nEND:VCARD\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    check(wide, &["Åsa|sip:asa@x.org"], &[]);
}

#[test]
fn a_card_that_is_not_understood_takes_no_other_with_it() {
    let text = "BEGIN:VCARD\nFN:Mail Only\nEMAIL:mail@example.com\nTEL:+1 555\nEND:VCARD\n\
                stray\n\
                BEGIN:VCARD\nFN:Open\nX-SIP:open@x.org\n\
                BEGIN:VCARD\nFN:Bad\nX-SIP:sip:bad@\nEND:VCARD\n\
                BEGIN:VCARD\nFN:No colon\nrubbish\nEND:VCARD\n\
                BEGIN:VCARD\nFN:Good\nX-SIP:good@x.org\nEND:VCARD\n\
                BEGIN:VCARD\nFN:Cut\n";
    check(
        text,
        &["Good|sip:good@x.org"],
        &[
            &format!("1: Mail Only: {MAIL}"),
            "6: stray: this line is in no vCard",
            "7: FN:Open: this vCard does not end",
            "10: Bad: sip:bad@: this is not a SIP address",
            "14: FN:No colon: this vCard cannot be read",
            "22: FN:Cut: this vCard does not end",
        ],
    );
}

#[test]
fn tables_are_known_by_their_header_or_by_what_is_in_them() {
    let tables: [(&str, &[&str]); 11] = [
        (
            "Name,SIP address\nAnn Lee,ann@example.com\n\"Cole, Ben\",sip:ben@example.com\n",
            &["Ann Lee|sip:ann@example.com", "Cole, Ben|sip:ben@example.com"],
        ),
        (
            "E-Mail;Vorname;Nachname;SIP-Adresse\nann@mail.org;Ann;Lee;ann@example.com\n",
            &["Ann Lee|sip:ann@example.com"],
        ),
        ("sep=;\r\nDisplay Name;SIP URI\r\nAnn;ann@example.com\r\n", &["Ann|sip:ann@example.com"]),
        (
            "First Name\tLast Name\tE-mail Address\tPhone\nAnn\tLee\tann@mail.org\tsip:ann@example.com\n",
            &["Ann Lee|sip:ann@example.com"],
        ),
        ("Name,IM 1 - Service,IM 1 - Value\nAnn,SIP,ann@example.com\n", &["Ann|sip:ann@example.com"]),
        (
            "sip address\nann@example.com\nben@example.com\n",
            &["|sip:ann@example.com", "|sip:ben@example.com"],
        ),
        (
            "Ann Lee,ann@example.com\nBen,ben@example.com\n",
            &["Ann Lee|sip:ann@example.com", "Ben|sip:ben@example.com"],
        ),
        (
            "ann@example.com\tAnn Lee\nben@example.com\tBen\n",
            &["Ann Lee|sip:ann@example.com", "Ben|sip:ben@example.com"],
        ),
        (
            "Ann,ann@mail.org,sip:ann@example.com\nBen,ben@mail.org,sip:ben@example.com\n",
            &["Ann|sip:ann@example.com", "Ben|sip:ben@example.com"],
        ),
        (
            "Name,SIP\n\"Ann\nLee\",ann@example.com\n\nBen,ben@example.com\n",
            &["Ann Lee|sip:ann@example.com", "Ben|sip:ben@example.com"],
        ),
        (
            "Name,SIP address,Mobile\nAnn,ann@example.com,sip:+1555@example.com\n",
            &["Ann|sip:ann@example.com", "Ann|sip:+1555@example.com"],
        ),
    ];
    for (table, people) in tables {
        check(table, people, &[]);
    }
    check(b"Name;SIP address\nJos\xe9;jose@example.com\n", &["José|sip:jose@example.com"], &[]);
}

#[test]
fn a_row_that_is_not_understood_is_kept_with_its_number() {
    check(
        "Name,Email,SIP address\n\
         Ann,ann@mail.org,\n\
         \"Open,open@x.org,open@x.org\n\
         Ben,ben@mail.org,ben\n\
         Cy,,mailto:cy@x.org\n\
         Dana,,dana@example.com\n\
         ,,\n\
         Eve\n",
        &["Dana|sip:dana@example.com"],
        &[
            "2: Ann · ann@mail.org: there is no SIP address in it; an e-mail address is not taken for one",
            "3: \"Open,open@x.org,open@x.org: a quote in this line does not end",
            &format!("4: Ben · ben@mail.org · ben: {NONE}"),
            "5: Cy · mailto:cy@x.org: mailto: is not the beginning of a SIP address",
            &format!("8: Eve: {NONE}"),
        ],
    );
}

#[test]
fn a_mix_of_addresses_is_understood_line_by_line() {
    let mixes: [(&str, &[&str], &[&str]); 14] = [
        ("ann@example.com", &["|sip:ann@example.com"], &[]),
        (
            "ann@example.com, ben@example.com; cy@example.com\tdana@example.com eve@example.com",
            &[
                "|sip:ann@example.com",
                "|sip:ben@example.com",
                "|sip:cy@example.com",
                "|sip:dana@example.com",
                "|sip:eve@example.com",
            ],
            &[],
        ),
        (
            "Ann Lee <ann@example.com>\r\n\"Lee, Ben\" <sip:ben@example.com;transport=tcp>",
            &["Ann Lee|sip:ann@example.com", "Lee, Ben|sip:ben@example.com;transport=tcp"],
            &[],
        ),
        ("Ann Lee ann@example.com", &["Ann Lee|sip:ann@example.com"], &[]),
        ("Ann Lee, ann@example.com", &["Ann Lee|sip:ann@example.com"], &[]),
        ("ann@example.com Ann Lee", &["Ann Lee|sip:ann@example.com"], &[]),
        ("ann@example.com <sip:ann@example.com>", &["|sip:ann@example.com"], &[]),
        (
            "sip:ann@example.com;transport=tcp;ben@x.org",
            &["|sip:ann@example.com;transport=tcp", "|sip:ben@x.org"],
            &[],
        ),
        ("<sips:ann@example.com> tel:+49301", &["|sips:ann@example.com", "|tel:+49301"], &[]),
        ("Ann\nben@example.com", &["|sip:ben@example.com"], &["1: Ann: there is no SIP address in it"]),
        (
            "Ann \"the <ann@example.com>\nBen <ben@example.com>\n",
            &["Ann \"the|sip:ann@example.com", "Ben|sip:ben@example.com"],
            &[],
        ),
        (
            "ann@, ben@example.com, @x.org",
            &["|sip:ben@example.com"],
            &["1: ann@: this is not a SIP address", "1: @x.org: this is not a SIP address"],
        ),
        (
            "https://example.com/ann",
            &[],
            &["1: https://example.com/ann: https: is not the beginning of a SIP address"],
        ),
        ("", &[], &[]),
    ];
    for (text, people, misread) in mixes {
        check(text, people, misread);
    }
}

#[test]
fn who_is_known_already_is_named_and_stays() {
    let contact =
        |address: &str, name: &str| Contact { address: address.into(), name: name.into(), simulated: false };
    let book = AddressBook {
        contacts: vec![
            contact("sip:ann@example.com", "Ann"),
            contact("ben@example.com", "Ben"),
            contact("sip:cy@x.org", ""),
        ],
        lists: vec![List { name: "Team".into(), members: vec![] }],
        ..AddressBook::default()
    };
    let text = "Ann <im:ann@EXAMPLE.com>\nBenjamin <ben@example.com>\nsip:cy@x.org\nDana <dana@x.org>\nsip:dana@x.org:5060";
    let import = Import::read(text.as_bytes(), &book).unwrap();
    let standings: Vec<Standing> = import.people.iter().map(|(_, standing)| standing.clone()).collect();
    let expected = [
        Standing::Known,
        Standing::OtherName { known_as: "Ben".into() },
        Standing::Known,
        Standing::New,
        Standing::Again { line: 4 },
    ];
    assert_eq!(standings, expected);
    assert_eq!((import.contacts(), import.new_count()), (vec![contact("sip:dana@x.org", "Dana")], 1));
    let group = "BEGIN:VCARD\nKIND:group\nFN:Team\nMEMBER:sip:ann@example.com\nEND:VCARD\n";
    let import = Import::read(group.as_bytes(), &book).unwrap();
    assert_eq!((import.lists, import.known_lists), (vec![], vec!["Team".to_owned()]));
}

#[test]
fn what_is_pasted_as_recipients_is_the_same_mix() {
    let found = |text: &str| -> Vec<String> {
        recipients(text).iter().map(|piece| format!("{}|{}", piece.name, piece.address)).collect()
    };
    assert_eq!(
        found("Ann, Family; ben@x.org"),
        ["|Ann", "|Family", "|ben@x.org"],
        "names of contacts and lists"
    );
    assert_eq!(found("Ann\tann@x.org\nBen\tben@x.org\n"), ["Ann|sip:ann@x.org", "Ben|sip:ben@x.org"]);
    assert_eq!(found("BEGIN:VCARD\nFN:Ann\nX-SIP:ann@x.org\nEND:VCARD"), ["Ann|sip:ann@x.org"]);
}

#[test]
fn an_import_has_bounds() {
    let many: String = (0..IMPORT_ENTRIES_MAX + 3).map(|number| format!("p{number}@x.org\n")).collect();
    let found = import(many);
    assert_eq!((found.people.len(), found.left_out), (IMPORT_ENTRIES_MAX, 3));
    let bad = "nothing\n".repeat(IMPORT_MISREAD_MAX + 5);
    let found = import(bad);
    assert_eq!(
        (found.misread.len(), found.misread_more, found.misread_count()),
        (IMPORT_MISREAD_MAX, 5, IMPORT_MISREAD_MAX + 5)
    );
    let long = format!("{} <ann@x.org>", "x ".repeat(50_000));
    assert_eq!(import(long).people[0].0.name.chars().count(), NAME_CHARS_MAX);
    assert_eq!(Import::read(&vec![b'x'; IMPORT_BYTES_MAX + 1], &AddressBook::default()), Err(TooLarge));
    // Each of these made a slow reader go over the rest of the text again and again.
    for hostile in
        ["\"a\n", "BEGIN:VCARD\n", "<\"", "a@b ", ";=", "BEGIN:VCARD\nAGENT:\nBEGIN:VCARD\n", " \t"]
    {
        let found = import(hostile.repeat(40_000));
        assert!(found.new_count() <= 1, "{hostile}");
    }
}
