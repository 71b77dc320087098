//! Prints what is sent: a submission with the first recipient in To and a Secondary-To for each further one (W1, W2) or
//! with a list of all in its body (W27), or an ordinary MESSAGE for one recipient (RFC 3428 §4, W6).

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::entry::{Attempt, Form, OutboxEntry};
use crate::client::agent::core::{Core, name_addr};
use crate::client::agent::route::{Printed, domain_of};
use crate::limits::ALSO_TO_BYTES_MAX;
use crate::machine::Flow;
use crate::model::journal::{AttemptRow, OutgoingRow};
use crate::sip::date;
use crate::sip::{Compose, Copy, Enclosed, Envelope, Method, RECIPIENT_LIST, SECONDARY_TO, Uri, with_list};

/// Stands in for several recipients (RFC 3323 §4.1.1.3).
const NOBODY: &str = "sip:anonymous@anonymous.invalid";

/// Prints a submission. None if it has no readable recipient, which what we stored always has.
pub(super) fn print(core: &mut Core, entry: &OutboxEntry, attempt: &Attempt, flow: Flow) -> Option<Printed> {
    let form = |uri: &Uri| match attempt.form {
        Form::AsWritten => uri.clone(),
        Form::Sip => uri.to_sip(),
    };
    let mut recipients =
        attempt.row.recipients.iter().filter_map(|index| Uri::parse(entry.address(*index)).ok());
    let primary = recipients.next()?;
    let own = form(&core.profile.address);
    let copy = if entry.hidden { ";copy=bcc" } else { "" };
    let (mut begun, branch) = core.request(&Method::Message, &primary.to_sip(), flow);
    begun = begun
        .field("From", name_addr(&core.profile.name, &own, &attempt.row.from_tag))
        .field("To", format_args!("<{}>{copy}", form(&primary)));
    for further in recipients {
        begun = begun.field("Secondary-To", format_args!("<{}>{copy}", form(&further)));
    }
    for other in not_written_to(entry, attempt) {
        begun = begun.field("Also-To", format_args!("<{other}>"));
    }
    begun = begun
        .field("Contact", core.contact(flow))
        .field("Call-ID", &attempt.row.call_id)
        .field("CSeq", format_args!("{} MESSAGE", attempt.row.cseq))
        .field("Proxy-Require", SECONDARY_TO)
        .field("Delivery-Report", attempt.row.report.to_string());
    let (content_type, body) = enclosed(core, entry, attempt);
    let bytes = dated(core, entry, begun).body(content_type, &body);
    Some(Printed { flow, branch, bytes })
}

/// Prints a submission for a list server, addressed to our own domain: in `sip:` form, the one that other programs
/// know. Contact is for the report of one of our proxies that may be behind it (W24, W26). Printed again, it is
/// identical to the byte except for its Via.
pub(super) fn print_list(
    core: &mut Core,
    entry: &OutboxEntry,
    attempt: &Attempt,
    flow: Flow,
) -> Option<Printed> {
    let people = attempt.row.recipients.iter().filter_map(|index| Uri::parse(entry.address(*index)).ok());
    let people: Vec<_> = people.map(|uri| uri.to_sip()).collect();
    people.first()?;
    let own = core.profile.address.to_sip();
    let service = domain_of(&own);
    let (begun, branch) = core.request(&Method::Message, &service, flow);
    let begun = begun
        .field("From", name_addr(&core.profile.name, &own, &attempt.row.from_tag))
        .field("To", format_args!("<{service}>"))
        .field("Contact", core.contact(flow))
        .field("Call-ID", &attempt.row.call_id)
        .field("CSeq", format_args!("{} MESSAGE", attempt.row.cseq))
        .field("Require", RECIPIENT_LIST)
        .field("Delivery-Report", attempt.row.report.to_string());
    let copy = if entry.hidden { Copy::Bcc } else { Copy::To };
    let (content_type, body) = enclosed(core, entry, attempt);
    // The boundary is drawn after the text was written, so that the text cannot contain it; and it is the same after a
    // crash.
    let (content_type, body) = with_list((content_type, &body), &people, copy, &attempt.row.call_id);
    let bytes = dated(core, entry, begun).body(&content_type, &body);
    Some(Printed { flow, branch, bytes })
}

/// The target and identity of the MESSAGE for one recipient.
#[derive(Clone, Copy, Debug)]
pub(super) struct SingleRequest<'a> {
    /// The recipient's index.
    pub(super) recipient: u32,
    /// Its CSeq.
    pub(super) cseq: u32,
    /// The Request-URI to which it was redirected, if it was; then it carries no credentials.
    pub(super) redirected: Option<&'a Uri>,
}

/// Prints the MESSAGE for one recipient of an attempt like a leg from a proxy (W15): in `sip:` form, without Contact,
/// naming the others for the recipient's program to show.
pub(super) fn print_single(
    core: &mut Core,
    (entry, attempt): (&OutboxEntry, &Attempt),
    SingleRequest { recipient, cseq, redirected }: SingleRequest<'_>,
    flow: Flow,
) -> Option<Printed> {
    let to = Uri::parse(entry.address(recipient)).ok()?.to_sip();
    let own = core.profile.address.to_sip();
    let (mut begun, branch) = match redirected {
        Some(uri) => core.request_to_anybody(&Method::Message, uri, flow),
        None => core.request_to_person(&to, flow),
    };
    begun = begun
        .field("From", name_addr(&core.profile.name, &own, &single_from_tag(attempt, recipient)))
        .field("To", format_args!("<{to}>"));
    for other in also_to(entry, recipient) {
        begun = begun.field("Also-To", format_args!("<{other}>"));
    }
    begun = begun
        .field("Call-ID", attempt.row.single_call_id(recipient))
        .field("CSeq", format_args!("{cseq} MESSAGE"));
    let (content_type, body) = enclosed(core, entry, attempt);
    let bytes = dated(core, entry, begun).body(content_type, &body);
    Some(Printed { flow, branch, bytes })
}

/// The body: the text as it is, or in CPIM if the attempt asks for notifications (RFC 5438 §6, W28). It follows from
/// stored facts, so that the same request has the same body after a restart.
fn enclosed<'a>(core: &Core, entry: &'a OutboxEntry, attempt: &Attempt) -> (&'a str, Bytes) {
    let OutgoingRow { content_type, body, recipients, at, .. } = &entry.row;
    if !attempt.row.asks {
        return (content_type, body.clone());
    }
    // With several recipients, To would show a hidden one to the others.
    let to = match recipients.as_slice() {
        [person] => {
            Uri::parse(&person.address).map_or_else(|_| NOBODY.to_owned(), |uri| uri.to_sip().to_string())
        }
        _ => NOBODY.to_owned(),
    };
    let own = core.profile.address.to_sip();
    let envelope = Envelope {
        from: own.as_str(),
        to: &to,
        date_time: &date::print_iso(*at),
        message_id: &attempt.row.call_id,
        content: Enclosed::Asking(content_type),
    };
    ("message/cpim", envelope.print(body))
}

fn dated(core: &Core, entry: &OutboxEntry, mut begun: Compose) -> Compose {
    if let Some(written) = date::print(entry.row.at) {
        begun = begun.field("Date", written);
    }
    if let Some(expires_secs) = core.profile.expires_secs {
        begun = begun.field("Expires", expires_secs);
    }
    begun
}

/// As with the Call-ID, the first recipient's From tag is the submission's, and each other one has his own, from which the
/// submission's does not follow. So he cannot write a report on it.
fn single_from_tag(attempt: &Attempt, recipient: u32) -> String {
    let AttemptRow { from_tag, call_id, recipients, .. } = &attempt.row;
    if recipients.first() == Some(&recipient) {
        return from_tag.clone();
    }
    let hash = Sha256::digest(format!("{from_tag} {call_id} {recipient}"));
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The recipients of the message to whom this attempt does not go, as they have it already. The proxy names them to the
/// others, who see the whole group in a resend too (W15).
fn not_written_to(entry: &OutboxEntry, attempt: &Attempt) -> Vec<Uri> {
    if entry.hidden {
        return Vec::new();
    }
    let all = (0_u32..).zip(&entry.row.recipients);
    let others = all.filter(|(index, _)| !attempt.row.recipients.contains(index));
    others.filter_map(|(_, person)| Uri::parse(&person.address).ok()).map(|uri| uri.to_sip()).collect()
}

/// The other recipients of the message: all or none, as the people named make the conversation.
fn also_to(entry: &OutboxEntry, recipient: u32) -> Vec<Uri> {
    if entry.hidden {
        return Vec::new();
    }
    let others = (0_u32..).zip(&entry.row.recipients).filter(|(index, _)| *index != recipient);
    let others: Vec<_> =
        others.filter_map(|(_, person)| Uri::parse(&person.address).ok()).map(|uri| uri.to_sip()).collect();
    let bytes: usize = others.iter().map(|uri| uri.as_str().len()).sum();
    if bytes <= ALSO_TO_BYTES_MAX { others } else { Vec::new() }
}
