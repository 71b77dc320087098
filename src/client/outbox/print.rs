//! A submission as bytes: the first recipient in To, a Secondary-To for each further one (W1, W2).

use bytes::Bytes;

use super::entry::{Attempt, Entry, Form};
use crate::client::core::{Core, name_addr};
use crate::client::date;
use crate::machine::Flow;
use crate::sip::{Method, Uri};

/// A submission ready to leave.
#[derive(Debug)]
pub(super) struct Printed {
    /// What it leaves on.
    pub(super) flow: Flow,
    /// Of its Via.
    pub(super) branch: String,
    /// The request.
    pub(super) bytes: Bytes,
}

/// Prints a submission. None when it has no recipient that can be read, which cannot be in what we kept.
pub(super) fn print(core: &mut Core, entry: &Entry, attempt: &Attempt, flow: Flow) -> Option<Printed> {
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
    begun = begun
        .field("Contact", core.contact(flow))
        .field("Call-ID", &attempt.row.call_id)
        .field("CSeq", format_args!("{} MESSAGE", attempt.row.cseq))
        .field("Proxy-Require", "secondary-to")
        .field("Delivery-Report", &attempt.row.report);
    if let Some(written) = date::print(entry.row.at) {
        begun = begun.field("Date", written);
    }
    if let Some(expires_secs) = core.profile.expires_secs {
        begun = begun.field("Expires", expires_secs);
    }
    Some(Printed { flow, branch, bytes: begun.body(&entry.row.content_type, &entry.row.body) })
}
