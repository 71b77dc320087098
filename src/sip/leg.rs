//! Prints the legs of one submission (W15): their common part is built once, and each leg is patched from it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bytes::Bytes;

use super::aor::Aor;
use super::compose::{OneLine, write_field};
use super::edit::without_token;
use super::header::{NameAddr, write_address};
use super::message::Request;
use super::names::is_name;
use super::scan::Head;
use super::secondary_to::{Addressed, SECONDARY_TO, also_to};
use super::uri::Uri;
use crate::limits::{MAX_BREADTH, RECIPIENTS_MAX};

const ALSO_TO: &str = "Also-To: ";
const MAX_FORWARDS_DEFAULT: u8 = 70;

/// Fields that no leg copies from the sender: those that we set, those meant for us, and those of the previous hop.
const TAKEN_OUT: [&str; 21] = [
    "Via",
    "Route",
    "Record-Route",
    "Max-Forwards",
    "Max-Breadth",
    "From",
    "To",
    "Also-To",
    "Secondary-To",
    "Delivery-Report",
    "Call-ID",
    "CSeq",
    "Contact",
    "Expires",
    "Authorization",
    "Proxy-Authorization",
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "P-Served-User",
    "Remote-Party-ID",
    "Content-Length",
];

/// One submission prepared for its legs (W15): their common part is built once, and each leg is patched from it.
#[derive(Clone, Debug)]
pub struct LegTemplate {
    /// From the end of Via's value to the From tag.
    middle: Vec<u8>,
    /// An `Also-To` line for each recipient and for those whom the sender names besides, the bcc ones at the end.
    names: Vec<u8>,
    /// The range of each recipient in `names`.
    places: Vec<std::ops::Range<usize>>,
    /// Where in `names` those end who are named to others.
    named_end: usize,
    /// Each leg's share of the submission's Max-Breadth, if it has one (RFC 5393 §5.3).
    breadth: Option<u32>,
    /// Everything copied unchanged, including the body.
    tail: Vec<u8>,
}

/// The values specific to one leg.
#[derive(Debug)]
pub struct Leg<'a> {
    /// The recipient's index in the list that the template was made with.
    pub recipient: usize,
    /// The Request-URI.
    pub uri: &'a Uri,
    /// Our Via, including its branch.
    pub via: &'a str,
    /// Our From tag.
    pub from_tag: &'a str,
    /// The leg's Call-ID.
    pub call_id: &'a str,
    /// The leg's CSeq.
    pub cseq: u32,
    /// Inside a dialog, its further values (W29).
    pub dialog: Option<&'a Dialog>,
    /// The Routes of the target's Path, in order (RFC 3327).
    pub routes: &'a [String],
    /// The remaining part of the submission's Expires, in seconds.
    pub expires: Option<u32>,
    /// How many branches the recipient's leg has.
    pub branches: usize,
    /// The value of P-Asserted-Identity, for those who may see it (RFC 3325).
    pub asserted: Option<&'a str>,
}

/// The values of a request within a dialog besides Call-ID, From tag and CSeq (RFC 3261 §12.2.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// The To tag.
    pub to_tag: String,
    /// The Route values, in order.
    pub routes: Vec<String>,
}

/// A member of a list that the submission names.
#[derive(Debug)]
pub struct Member<'a> {
    /// His address, for To.
    pub address: &'a Uri,
    /// The index of the address that stands for him alone and is not named to him; none if there is none.
    pub line: Option<usize>,
    /// Whether the other recipients are named to him.
    pub sees: Sees,
}

/// Which recipients a leg names in Also-To (W7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sees {
    /// Everybody who is not bcc.
    Others,
    /// Nobody.
    Nobody,
}

impl LegTemplate {
    /// `recipients`: all of them in order, so that leg i omits its own Also-To (bcc recipients are named to nobody, and
    /// a bcc leg names nobody, W7). A resend goes to some people of its message alone, and its sender names the others
    /// in an Also-To of his own: the legs name them too. `date`: an RFC 1123 date, used if the submission has none.
    #[must_use]
    pub fn new(submission: &Request, recipients: &[Addressed], date: &str) -> Self {
        let mut names = Vec::with_capacity(recipients.len() * 48);
        let mut places = vec![0..0; recipients.len()];
        let mut write_names = |bcc: bool, names: &mut Vec<u8>| {
            for (place, recipient) in
                places.iter_mut().zip(recipients).filter(|(_, recipient)| recipient.bcc == bcc)
            {
                let start = names.len();
                write_also_to(names, recipient);
                *place = start..names.len();
            }
        };
        write_names(false, &mut names);
        named_besides(submission, recipients).iter().for_each(|other| write_also_to(&mut names, other));
        let named_end = names.len();
        write_names(true, &mut names);
        let legs = u32::try_from(recipients.len()).unwrap_or(u32::MAX).max(1);
        let breadth = submission.fields().max_breadth().map(|breadth| breadth / legs);
        let (middle, tail) = (middle(submission), tail(submission, date));
        Self { middle, names, places, named_end, breadth, tail }
    }

    /// Adds a field to every leg.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let mut field = Vec::new();
        write_field(&mut field, name, value);
        self.tail.splice(0..0, field);
        self
    }

    /// The leg's bytes. An index outside the list gives a leg to its Request-URI that names nobody.
    #[must_use]
    pub fn print(&self, leg: &Leg<'_>) -> Bytes {
        match self.places.get(leg.recipient) {
            Some(place) => self.print_with(leg, |out| self.push_names(out, place, leg.dialog)),
            None => self.print_with(leg, |out| push_to(out, leg.uri)),
        }
    }

    /// The leg of a list's member: his own To, and the list's address among those of the others (W16). The leg's
    /// recipient index is not used here.
    #[must_use]
    pub fn print_for(&self, member: &Member<'_>, leg: &Leg<'_>) -> Bytes {
        self.print_with(leg, |out| {
            push_to(out, member.address);
            if member.sees == Sees::Others {
                self.push_others(out, member.line.and_then(|line| self.places.get(line)));
            }
        })
    }

    fn print_with(&self, leg: &Leg<'_>, push_people: impl FnOnce(&mut Vec<u8>)) -> Bytes {
        let fixed = self.middle.len() + self.named_end + self.tail.len() + 160;
        let own = 2 * leg.uri.as_str().len() + leg.via.len() + leg.from_tag.len() + leg.call_id.len();
        let own_line = self.places.get(leg.recipient).map_or(0, std::ops::Range::len);
        let mut out = Vec::with_capacity(fixed + own + own_line);
        out.extend_from_slice(b"MESSAGE ");
        out.extend_from_slice(leg.uri.as_str().as_bytes());
        out.extend_from_slice(b" SIP/2.0\r\nVia: ");
        push_clean(&mut out, leg.via);
        out.extend_from_slice(&self.middle);
        push_clean(&mut out, leg.from_tag);
        out.extend_from_slice(b"\r\nTo: ");
        push_people(&mut out);
        out.extend_from_slice(b"Call-ID: ");
        push_clean(&mut out, leg.call_id);
        out.extend_from_slice(b"\r\n");
        write_field(&mut out, "CSeq", format_args!("{} MESSAGE", leg.cseq));
        for route in leg.routes.iter().chain(leg.dialog.iter().flat_map(|dialog| &dialog.routes)) {
            write_field(&mut out, "Route", route);
        }
        if let Some(expires) = leg.expires {
            write_field(&mut out, "Expires", expires);
        }
        if self.breadth.is_some() || leg.branches > 1 {
            let branches = u32::try_from(leg.branches).unwrap_or(u32::MAX).max(1);
            write_field(&mut out, "Max-Breadth", (self.breadth.unwrap_or(MAX_BREADTH) / branches).max(1));
        }
        if let Some(asserted) = leg.asserted {
            write_field(&mut out, "P-Asserted-Identity", asserted);
        }
        out.extend_from_slice(&self.tail);
        out.into()
    }

    /// Writes the value of To, its CRLF, and Also-To for the others.
    fn push_names(&self, out: &mut Vec<u8>, place: &std::ops::Range<usize>, dialog: Option<&Dialog>) {
        let to = self.names.get(place.start + ALSO_TO.len()..place.end).unwrap_or_default();
        match dialog {
            None => out.extend_from_slice(to),
            Some(dialog) => {
                out.extend_from_slice(to.trim_ascii_end());
                out.extend_from_slice(b";tag=");
                push_clean(out, &dialog.to_tag);
                out.extend_from_slice(b"\r\n");
            }
        }
        if place.start < self.named_end {
            self.push_others(out, Some(place));
        }
    }

    /// Writes Also-To for everybody who may be named, except one.
    fn push_others(&self, out: &mut Vec<u8>, but: Option<&std::ops::Range<usize>>) {
        let names = |range: std::ops::Range<usize>| self.names.get(range).unwrap_or_default();
        let but = but.filter(|place| place.start < self.named_end);
        out.extend_from_slice(names(0..but.map_or(0, |place| place.start)));
        out.extend_from_slice(names(but.map_or(0, |place| place.end)..self.named_end));
    }
}

fn push_to(out: &mut Vec<u8>, address: &Uri) {
    out.push(b'<');
    out.extend_from_slice(address.as_str().as_bytes());
    out.extend_from_slice(b">\r\n");
}

fn push_clean(out: &mut Vec<u8>, text: &str) {
    // Our own clean text is simply copied. Otherwise line ends are replaced, so that no value can end its field.
    if text.bytes().any(|byte| matches!(byte, b'\r' | b'\n')) {
        OneLine(out).write_str(text).unwrap_or_default();
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Whom the sender names in Also-To without writing to them now, each once.
fn named_besides(submission: &Request, recipients: &[Addressed]) -> Vec<Addressed> {
    if submission.fields().first("Also-To").is_none() {
        return Vec::new();
    }
    let mut known: BTreeSet<Aor> = recipients.iter().map(|recipient| recipient.uri.to_sip().aor()).collect();
    let named = also_to(submission.fields()).into_iter().take(RECIPIENTS_MAX);
    let named = named.filter(|other| other.uri.headers().is_none() && known.insert(other.uri.to_sip().aor()));
    named.map(|NameAddr { uri, display, .. }| Addressed { uri, display, bcc: false }).collect()
}

fn write_also_to(out: &mut Vec<u8>, recipient: &Addressed) {
    out.extend_from_slice(ALSO_TO.as_bytes());
    // Writing to memory cannot fail.
    write_address(recipient.display.as_deref(), &recipient.uri.to_sip(), &mut OneLine(out))
        .unwrap_or_default();
    out.extend_from_slice(b"\r\n");
}

fn middle(submission: &Request) -> Vec<u8> {
    let fields = submission.fields();
    let left =
        fields.max_forwards().ok().flatten().map_or(MAX_FORWARDS_DEFAULT, |left| left.saturating_sub(1));
    let from = fields.from();
    let mut out = Vec::with_capacity(128);
    out.extend_from_slice(b"\r\n");
    write_field(&mut out, "Max-Forwards", left);
    out.extend_from_slice(b"From: ");
    // Writing to memory cannot fail.
    write_address(from.display.as_deref(), &from.uri.to_sip(), &mut OneLine(&mut out)).unwrap_or_default();
    out.extend_from_slice(b";tag=");
    out
}

fn tail(submission: &Request, date: &str) -> Vec<u8> {
    let (fields, body) = (submission.fields(), submission.body());
    let mut out = Vec::with_capacity(submission.bytes().len());
    for span in fields.spans() {
        let name = fields.head().name(span);
        if is_name(name, "Proxy-Require") {
            let others = without_token(&Head::raw_value(span, submission.bytes()), SECONDARY_TO);
            if !others.is_empty() {
                for piece in [b"Proxy-Require: ", others.as_slice(), b"\r\n"] {
                    out.extend_from_slice(piece);
                }
            }
        } else if !TAKEN_OUT.iter().any(|taken| is_name(name, taken)) {
            out.extend_from_slice(submission.bytes().get(span.line()).unwrap_or_default());
        }
    }
    if fields.first("Date").is_none() {
        write_field(&mut out, "Date", date);
    }
    write_field(&mut out, "Content-Length", body.len());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&body);
    out
}
