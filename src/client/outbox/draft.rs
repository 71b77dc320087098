//! Checks a draft before anything of it is stored: who gets it, each person once, and whether it can be sent at all.

use std::collections::BTreeSet;

use super::Outbox;
use crate::client::agent::core::Core;
use crate::client::conversation::Conversations;
use crate::limits::{
    FILES_PER_MESSAGE_MAX, HEAD_BYTES_MAX, MESSAGE_BYTES_MAX, OUTBOX_WAITING_MAX, RECIPIENTS_MAX,
};
use crate::model::account::Profile;
use crate::model::command::Draft;
use crate::model::contacts::uri_key;
use crate::model::journal::{ConversationId, PersonRow};
use crate::model::slip;
use crate::sip::{Scheme, Transport, Uri};

/// Bytes allowed for the rest of each address's header field, and for all fields that are always present.
const FIELD_BYTES: usize = 32;
const HEAD_BYTES: usize = 1024;
/// Bytes around a file in a multipart body.
const FILE_HEAD_BYTES: usize = 512;

impl Outbox {
    /// Whom a draft goes to, and its conversation.
    ///
    /// # Errors
    /// A plain sentence that says why it cannot be sent.
    pub(super) fn place(
        &self,
        core: &mut Core,
        conversations: &mut Conversations,
        draft: &Draft,
    ) -> Result<(Vec<PersonRow>, ConversationId), String> {
        if self.unsent() >= OUTBOX_WAITING_MAX {
            return Err(format!("{OUTBOX_WAITING_MAX} messages are waiting to be sent already."));
        }
        let people = recipients(draft, &core.profile)?;
        let conversation = conversations.place(core, &people, draft.hidden);
        let conversation = conversation.ok_or_else(|| "There are too many conversations.".to_owned())?;
        Ok((people, conversation))
    }
}

/// The recipients of a draft, each person once, in the order and spelling in which they first appear.
///
/// # Errors
/// A plain sentence that says why this draft cannot be sent.
fn recipients(draft: &Draft, profile: &Profile) -> Result<Vec<PersonRow>, String> {
    if draft.text.is_empty() && draft.files.is_empty() {
        return Err("There is no text to send.".to_owned());
    }
    let mut seen = BTreeSet::new();
    let mut people = Vec::new();
    for person in &draft.to {
        let uri = recipient(&person.address, profile)?;
        if seen.insert(person_key(&uri, profile)) {
            people.push(PersonRow { address: uri.as_str().to_owned(), name: person.name.clone() });
        }
    }
    if people.is_empty() {
        return Err("Pick somebody to send this to.".to_owned());
    }
    if people.len() > RECIPIENTS_MAX {
        return Err(format!(
            "{} people are too many for one message: {RECIPIENTS_MAX} at most.",
            people.len()
        ));
    }
    let head: usize =
        people.iter().map(|person| person.address.len() + FIELD_BYTES).sum::<usize>() + HEAD_BYTES;
    if draft.files.len() > FILES_PER_MESSAGE_MAX {
        return Err(format!(
            "{} files are too many for one message: {FILES_PER_MESSAGE_MAX} at most.",
            draft.files.len()
        ));
    }
    let whole = head + body_bytes(draft);
    if head > HEAD_BYTES_MAX || whole > MESSAGE_BYTES_MAX {
        return Err(format!(
            "This message is too long to be sent: {whole} bytes, and {MESSAGE_BYTES_MAX} is the most."
        ));
    }
    Ok(people)
}

/// The approximate size of the body.
fn body_bytes(draft: &Draft) -> usize {
    draft.text.len() + draft.files.iter().map(|file| file.bytes.len() + FILE_HEAD_BYTES).sum::<usize>()
}

/// The address of a recipient as typed.
///
/// # Errors
/// A plain sentence that says why nothing can be sent to it.
pub(super) fn recipient(address: &str, profile: &Profile) -> Result<Uri, String> {
    let uri = Uri::typed(address.trim()).map_err(|why| {
        let slip = slip::words(address);
        slip.unwrap_or_else(|| format!("{address:?} is not a valid address: {why}."))
    })?;
    let uri = in_own_domain(&uri, &profile.address).unwrap_or(uri);
    match uri.scheme() {
        Scheme::Sip | Scheme::Im | Scheme::Pres if uri.host().is_empty() => {
            Err(format!("{address:?} does not say at which domain."))
        }
        Scheme::Sip | Scheme::Sips | Scheme::Im | Scheme::Pres if !uri.names_somebody() => Err(format!(
            "{address:?} does not say who at that domain; write it like sip:ann@{}.",
            profile.address.host()
        )),
        Scheme::Sip | Scheme::Im | Scheme::Pres => Ok(uri),
        // W32: a `sips:` address is reached over TLS only, so the account must be certain to use it.
        Scheme::Sips if profile.server.transport().is_some_and(Transport::is_secure) => Ok(uri),
        Scheme::Sips => Err(format!(
            "{address:?} asks for TLS all the way, and this account may use something else: give its proxy as tls:… first."
        )),
        // Passed unchanged to our server, which knows a gateway or answers that there is none.
        Scheme::Tel if uri.names_somebody() => Ok(uri),
        Scheme::Tel | Scheme::Other(_) => Err(format!("{address:?} is not an address that SIP can send to.")),
    }
}

/// `james` or `sip:james` is somebody in our own domain; none for other input. A name with a dot is a domain or an IP
/// address.
fn in_own_domain(uri: &Uri, own: &Uri) -> Option<Uri> {
    let (scheme, name) = uri.as_str().split_once(':')?;
    let is_name = uri.user().is_none() && name == uri.host();
    if !is_name || name.contains(['.', '[']) || name.eq_ignore_ascii_case(own.host()) {
        return None;
    }
    let port = own.port().map(|port| format!(":{port}")).unwrap_or_default();
    Uri::parse(&format!("{scheme}:{name}@{}{port}", own.host())).ok()
}

/// W3: only `user@domain` decides; if the host is an IP address and not our own domain, the port does too.
pub(super) fn person_key(uri: &Uri, profile: &Profile) -> String {
    let aor = uri.aor();
    if aor.domain() == profile.address.aor().domain() { aor.as_str().to_owned() } else { uri_key(uri) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::account::{Account, SignIn};
    use crate::sip::ReportOptions;

    fn profile() -> Profile {
        let account = Account {
            address: "im:james@domain.com".into(),
            proxy: "udp:127.0.0.1:5060".into(),
            sign_in: SignIn::default(),
            register: false,
            ..Account::default()
        };
        account.check().unwrap()
    }

    fn draft(to: &[&str], text: &str) -> Draft {
        let to = to
            .iter()
            .map(|address| PersonRow { address: (*address).to_owned(), name: String::new() })
            .collect();
        Draft {
            to,
            text: text.to_owned(),
            files: Vec::new(),
            hidden: false,
            report: ReportOptions::default(),
        }
    }

    #[test]
    fn w3_one_person_is_one_recipient_in_the_spelling_that_came_first() {
        let draft = draft(
            &[
                "im:ann@domain.com",
                "sip:ann@domain.com:5070",
                " bob@domain.com ",
                "sip:cy@192.0.2.1:5071",
                "sip:cy@192.0.2.1:5072",
                "pres:cy@192.0.2.1:5072",
                "tel:+49-30-123",
                "tel:+49(30)123",
            ],
            "x",
        );
        let people = recipients(&draft, &profile()).unwrap();
        let addresses: Vec<_> = people.iter().map(|person| person.address.as_str()).collect();
        assert_eq!(
            addresses,
            [
                "im:ann@domain.com",
                "sip:bob@domain.com",
                "sip:cy@192.0.2.1:5071",
                "sip:cy@192.0.2.1:5072",
                "tel:+49-30-123"
            ]
        );
    }

    #[test]
    fn a_name_without_a_domain_is_somebody_in_our_own() {
        let draft = draft(&["bob", "sip:Cy", "im:dana", "bob@domain.com", "sip:eve@elsewhere.com"], "x");
        let address = |own: &str| {
            let people =
                recipients(&draft, &Profile { address: Uri::parse(own).unwrap(), ..profile() }).unwrap();
            people.into_iter().map(|person| person.address).collect::<Vec<_>>()
        };
        assert_eq!(
            address("im:james@domain.com"),
            ["sip:bob@domain.com", "sip:Cy@domain.com", "im:dana@domain.com", "sip:eve@elsewhere.com"]
        );
        assert_eq!(address("sip:james@localhost:5070")[0], "sip:bob@localhost:5070");
    }

    #[test]
    fn w32_a_sips_address_is_written_to_over_tls_alone() {
        let over = |proxy: &str| {
            let address = "james@domain.com".to_owned();
            let profile = Account { address, proxy: proxy.to_owned(), ..Account::default() }.check().unwrap();
            recipients(&draft(&["sips:ann@domain.com"], "x"), &profile)
        };
        assert_eq!(over("tls:127.0.0.1").unwrap()[0].address, "sips:ann@domain.com");
        // What RFC 3263 finds for a bare domain need not be TLS.
        for unsure in ["udp:127.0.0.1", "tcp:127.0.0.1", "domain.com", ""] {
            assert!(over(unsure).unwrap_err().contains("TLS"), "{unsure}");
        }
    }

    #[test]
    fn what_cannot_be_sent_is_said_in_a_sentence() {
        let many: Vec<String> =
            (0..=RECIPIENTS_MAX).map(|index| format!("sip:u{index}@domain.com")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let table = [
            (draft(&["sip:ann@domain.com"], ""), "no text"),
            (draft(&[], "x"), "Pick somebody"),
            (draft(&["not an address"], "x"), "not a valid address"),
            (draft(&["ann@domain,com"], "x"), "a domain has no comma. Did you mean ann@domain.com?"),
            (draft(&["elsewhere.com"], "x"), "does not say who"),
            (draft(&["sip:192.0.2.1"], "x"), "does not say who"),
            (draft(&["domain.com"], "x"), "like sip:ann@domain.com."),
            (draft(&["sips:ann@domain.com"], "x"), "TLS"),
            (draft(&["tel:home"], "x"), "not an address that SIP"),
            (draft(&["mailto:ann@domain.com"], "x"), "not an address that SIP"),
            (draft(&many, "x"), "too many"),
            (draft(&["sip:ann@domain.com"], &"x".repeat(MESSAGE_BYTES_MAX)), "too long"),
        ];
        for (draft, words) in table {
            let why = recipients(&draft, &profile()).unwrap_err();
            assert!(why.contains(words) && why.ends_with(['.', '?']), "{why}");
        }
    }
}
