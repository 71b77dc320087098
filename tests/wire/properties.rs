//! read(print(x)) = x, for everything that we print.

use std::time::Duration;

use bytes::Bytes;
use fanfare::sip::{
    Addressed, Compose, Leg, LegTemplate, Message, Method, NameAddr, Params, ReportLine, ReportMode,
    ReportOptions, ReportState, Uri, parse, read_report, recipients, write_report,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::printing::agrees;

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9]([a-zA-Z0-9_-]{0,8}[a-z0-9])?(\\.[a-z][a-z0-9-]{0,6}[a-z])?\\.[a-zA-Z]{2,4}\\.?",
        any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
    ]
}

fn any_host() -> impl Strategy<Value = String> {
    prop_oneof![host(), any::<std::net::Ipv6Addr>().prop_map(|ip| format!("[{ip}]"))]
}

const USER: &str = "([a-zA-Z0-9_.!~*'()&=+$,;?/-]|%[0-9A-Fa-f]{2}){1,12}";

type UriParts = (String, Option<String>, String, Option<u16>, Vec<(String, Option<String>)>);

/// Scheme, user, host, port, parameters: the text, and what must be read of it.
fn uri_parts() -> impl Strategy<Value = UriParts> {
    let params =
        vec(("[a-zA-Z][a-zA-Z0-9-]{0,6}", option::of("([a-zA-Z0-9/:&+$_-]|%[0-9a-f]{2}){1,8}")), 0..3);
    ("sip|sips|im|pres|SIP|Im", option::of(USER), any_host(), option::of(any::<u16>()), params)
}

fn uri_text() -> impl Strategy<Value = String> {
    uri_parts().prop_map(|parts| text_of(&parts))
}

fn text_of((scheme, user, host, port, params): &UriParts) -> String {
    let user = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let value = |value: &Option<String>| value.as_ref().map(|value| format!("={value}")).unwrap_or_default();
    let params: String = params.iter().map(|(name, text)| format!(";{name}{}", value(text))).collect();
    format!("{scheme}:{user}{host}{port}{params}")
}

/// Any text that fits a display name: whatever people write, but for line ends, which become blanks.
fn display() -> impl Strategy<Value = Option<String>> {
    option::of("[^\\r\\n]{1,12}")
}

fn name_addr() -> impl Strategy<Value = NameAddr> {
    let params = vec(("[a-zA-Z0-9.!%*_+`'~-]{1,8}", option::of("[^\\r\\n]{0,10}")), 0..4);
    (display(), uri_text(), params).prop_map(|(display, uri, params)| NameAddr {
        display,
        uri: Uri::parse(&uri).unwrap(),
        params: Params(params),
    })
}

fn recipient() -> impl Strategy<Value = Addressed> {
    (display(), uri_text(), any::<bool>()).prop_map(|(display, uri, bcc)| Addressed {
        uri: Uri::parse(&uri).unwrap(),
        display,
        bcc,
    })
}

fn spelled(recipient: &Addressed) -> String {
    let params = if recipient.bcc { vec![("copy".to_owned(), Some("bcc".to_owned()))] } else { vec![] };
    NameAddr { display: recipient.display.clone(), uri: recipient.uri.clone(), params: Params(params) }
        .to_string()
}

fn report_line() -> impl Strategy<Value = ReportLine> {
    let state = prop_oneof![
        Just(ReportState::Success),
        Just(ReportState::Failure),
        Just(ReportState::Pending),
        Just(ReportState::Deferred),
        "later[a-z]{0,5}".prop_map(ReportState::Unknown),
    ];
    let after = option::of((0..u64::MAX / 2).prop_map(Duration::from_millis));
    let detail = (option::of(any::<u16>()), option::of("[^\\r\\n]{0,20}"), option::of(any::<u32>()), after);
    (uri_text(), state, detail).prop_map(|(address, state, (status, reason, tries, after))| ReportLine {
        address,
        state,
        status,
        reason,
        tries,
        after,
    })
}

fn submission(first: &Addressed, fields: &[(String, String)], body: &[u8]) -> Bytes {
    let mut composed = Compose::request(&Method::Message, &Uri::parse("sip:ann@domain.com").unwrap())
        .field("Via", "SIP/2.0/UDP h;branch=z9hG4bK1")
        .field("From", "<im:james@domain.com>;tag=1")
        .field("To", spelled(first))
        .field("Call-ID", "x@h")
        .field("CSeq", "1 MESSAGE");
    for (name, value) in fields {
        composed = composed.field(name, value);
    }
    composed.body("application/octet-stream", body)
}

fn request(bytes: Bytes) -> fanfare::sip::Request {
    match parse(bytes) {
        Ok(Message::Request(request)) => request,
        other => panic!("no request: {other:?}"),
    }
}

proptest! {
    #[test]
    fn uris_are_read_as_their_parts(parts in uri_parts()) {
        let text = text_of(&parts);
        let uri = Uri::parse(&text).unwrap();
        let (_, user, host, port, params) = &parts;
        prop_assert_eq!(uri.as_str(), &text);
        prop_assert_eq!((uri.user(), uri.host(), uri.port()), (user.as_deref(), host.as_str(), *port));
        for (name, _) in params {
            let first = params.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).unwrap();
            prop_assert_eq!(uri.param(name), Some(first.1.as_deref().unwrap_or_default()));
        }
        prop_assert_eq!(Uri::parse(uri.to_sip().as_str()).unwrap(), uri.to_sip());
        let names: std::collections::BTreeSet<_> = params.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        if names.len() == params.len() {
            prop_assert!(uri.same_as(&uri));
        }
        let aor = uri.aor();
        prop_assert_eq!(fanfare::sip::Aor::parse(aor.as_str()), Some(aor.clone()));
        prop_assert_eq!(Uri::parse(&format!("sip:{aor}")).unwrap().aor(), aor);
    }

    #[test]
    fn addresses_come_back(address in name_addr()) {
        prop_assert_eq!(NameAddr::parse(&address.to_string()), Ok(address));
    }

    /// W2, W7: whatever the separators and the number of fields.
    #[test]
    fn w2_recipients_come_back(first in recipient(), more in vec((recipient(), 0..4_u8), 0..6)) {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (recipient, joint) in &more {
            let spelled = spelled(recipient);
            match (fields.last_mut(), joint) {
                (Some((_, value)), 1) => *value += &format!(", {spelled}"),
                (Some((_, value)), 2) => *value += &format!(";{spelled}"),
                (Some((_, value)), 3) => *value += &format!(" ; {spelled}"),
                _ => fields.push(("Secondary-To".to_owned(), spelled)),
            }
        }
        let request = request(submission(&first, &fields, b""));
        let wanted: Vec<_> = std::iter::once(first).chain(more.into_iter().map(|(recipient, _)| recipient)).collect();
        prop_assert_eq!(recipients(request.fields()), Ok(wanted));
    }

    #[test]
    fn w9_report_wishes_come_back(mode in 0..3_usize, detail: bool, id in option::of("[^\\r\\n]{0,10}")) {
        let mode = [ReportMode::Final, ReportMode::Each, ReportMode::None][mode];
        let wish = ReportOptions { mode, detail, id };
        let first = Addressed { uri: Uri::parse("im:b@d").unwrap(), display: None, bcc: false };
        let fields = [("Delivery-Report".to_owned(), wish.to_string())];
        prop_assert_eq!(ReportOptions::of(request(submission(&first, &fields, b"")).fields()), Ok(wish));
    }

    #[test]
    fn w21_reports_come_back(lines in vec(report_line(), 0..8)) {
        prop_assert_eq!(read_report(write_report(&lines, true).as_bytes()), Ok(lines.clone()));
        let plain: Vec<_> = lines.into_iter().map(|line| ReportLine { status: None, reason: None, tries: None, after: None, ..line }).collect();
        prop_assert_eq!(read_report(write_report(&plain, false).as_bytes()), Ok(plain));
    }

    /// W4, W15: any body and unknown fields go through submission and leg; rsip reads every leg as we do.
    #[test]
    fn w15_legs_carry_what_the_submission_said(
        list in vec(recipient(), 1..5),
        name in "X-[A-Za-z]{1,8}",
        value in "([!-~][ -~]{0,20}[!-~])?",
        body in vec(any::<u8>(), 0..64),
        expires in option::of(any::<u32>()),
        target in (USER, host()),
    ) {
        let secondary: Vec<_> = list.iter().skip(1).map(|one| ("Secondary-To".to_owned(), spelled(one))).collect();
        let fields: Vec<_> = secondary.into_iter().chain([(name.clone(), value.clone())]).collect();
        let submission = request(submission(&list[0], &fields, &body));
        let recipients = recipients(submission.fields()).unwrap();
        let template = LegTemplate::new(&submission, &recipients, "Sat, 15 Oct 2005 04:44:56 GMT");
        // rsip takes a `:`, `;` or `?` of the user for the end of it, so the target's has none.
        let user: String = target.0.chars().filter(|character| !";?".contains(*character)).collect();
        let target = Uri::parse(&format!("sip:u{user}@{}", target.1)).unwrap();
        for recipient in 0..recipients.len() {
            let leg = Leg { recipient, uri: &target, via: "SIP/2.0/UDP p;branch=z9hG4bKb", from_tag: "t", call_id: "c", cseq: 1, dialog: None, routes: &[], expires, branches: 1, asserted: None };
            let Message::Request(leg) = agrees(&template.print(&leg)) else { panic!("no request") };
            let fields = leg.fields();
            prop_assert_eq!(leg.body(), &body[..]);
            prop_assert_eq!(fields.first(&name), Some(value.as_str()));
            prop_assert_eq!(fields.expires(), Ok(expires));
            prop_assert_eq!(fields.to().uri, recipients[recipient].uri.to_sip());
            prop_assert_eq!(fields.to().display, recipients[recipient].display.clone());
            let others = recipients.iter().enumerate().filter(|(at, one)| {
                *at != recipient && !one.bcc && !recipients[recipient].bcc
            });
            let wanted: Vec<_> = others.map(|(_, one)| (one.display.clone(), one.uri.to_sip())).collect();
            let named: Vec<_> = fanfare::sip::also_to(fields).into_iter().map(|one| (one.display, one.uri)).collect();
            prop_assert_eq!(named, wanted);
        }
    }
}
