//! Messages received: check, detect duplicates, store, tell the owner, and only then answer 200 (RFC 3428 §7, W15).

pub(super) mod receipts;

pub(super) mod composing;

mod quota;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use self::composing::Composing;
use self::quota::{Quota, Spent, Taken};
use super::agent::capabilities::ACCEPT;
use super::agent::core::{Action, Core, IncomingRequest, PendingResponse};
use super::agent::own_contact::Named;
use crate::client::conversation::Conversations;
use crate::limits::{BATCHES_WAITING_MAX, INBOX_KEYS_MAX, INBOX_REMEMBERED, RECIPIENTS_MAX};
use crate::model::account::Profile;
use crate::model::command::{Event, WindowEvent};
use crate::model::contacts::{address_key, uri_key};
use crate::model::journal::{ConversationId, IncomingRow, KeyRow, PersonRow, Write};
use crate::model::text::{Shown, shown};
use crate::sip::date;
use crate::sip::{
    Fields, NameAddr, Params, Request, also_to, file_name, inner_media_type, media_type, parameter,
    transfer_decoded,
};
use crate::time::{Now, Timestamp};

/// How often, while messages arrive, keys too old to matter are removed.
const FORGET_EVERY: Duration = Duration::from_secs(24 * 3600);

/// The keys of received messages, by which duplicates are detected.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    keys: BTreeMap<String, Kept>,
    by_age: VecDeque<KeyRow>,
    looked_at: Timestamp,
    /// What strangers may still have stored today.
    quota: Quota,
}

/// Whether a message is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Yes,
    NotYet,
}

/// Why a message is refused.
struct Rejection {
    status: u16,
    field: Option<(&'static str, String)>,
}

impl Inbox {
    /// Restores the keys from the store.
    pub(super) fn recover(mut by_age: Vec<KeyRow>, now: Now) -> Self {
        by_age.sort();
        let keys = by_age.iter().map(|row| (row.key.clone(), Kept::Yes)).collect();
        Self { keys, by_age: by_age.into(), looked_at: now.wall, quota: Quota::default() }
    }

    /// Handles a MESSAGE.
    pub(super) fn message(
        &mut self,
        core: &mut Core,
        conversations: &mut Conversations,
        asked: IncomingRequest<'_>,
        now: Now,
    ) {
        if let Err(rejection) = check(asked.request, core) {
            let mut begun = core.answer(asked, rejection.status);
            if let Some((name, value)) = rejection.field {
                begun = begun.field(name, value);
            }
            return core.answer_now(asked, rejection.status, begun.finish(), now);
        }
        // As with somebody whom the proxy blocks for us (W32).
        let from = uri_key(&asked.request.fields().from().uri);
        if conversations.names().is_blocked(&from) {
            let answer = core.plain_answer(asked, 403);
            return core.answer_now(asked, answer.status, answer.bytes, now);
        }
        if content_is(asked.request, "application/im-iscomposing+xml") {
            let answer = core.plain_answer(asked, 200);
            core.answer_now(asked, answer.status, answer.bytes, now);
            return composing(core, conversations, asked.request, now);
        }
        let (kept, lost) = (core.plain_answer(asked, 200), core.busy_answer(asked));
        if core.batches_waiting() >= BATCHES_WAITING_MAX {
            return core.answer_now(asked, lost.status, lost.bytes, now);
        }
        let key = double_key(asked.request);
        if self.keys.contains_key(&key) {
            return core.promise(Action::Repeated { key, kept, lost });
        }
        let people = participants(asked.request.fields());
        if let Some(wait) = self.over_quota(core, conversations, (asked.request, &people), now) {
            let bytes = core.answer(asked, 413).field("Retry-After", wait).finish();
            return core.answer_now(asked, 413, bytes, now);
        }
        let Some(row) = self.row(core, conversations, (asked, &key, &people), now) else {
            return core.answer_now(asked, lost.status, lost.bytes, now);
        };
        self.remember(core, key, now);
        core.write(Write::Incoming(row.clone()));
        core.promise(Action::Incoming { row: Box::new(row), kept, lost });
    }

    /// A message is committed: from here on it counts as received.
    pub(super) fn kept(
        &mut self,
        conversations: &mut Conversations,
        row: &IncomingRow,
        profile: &Profile,
    ) -> Event {
        if let Some(kept) = self.keys.get_mut(&row.key) {
            *kept = Kept::Yes;
        }
        let shown = shown(&row.content_type, &row.body);
        conversations.received(row, &shown, is_own(row, profile));
        let Shown { text, files } = shown;
        Event::Received {
            conversation: row.conversation,
            message: row.id,
            from: row.from.clone(),
            also_to: row.also_to.clone(),
            content_type: row.content_type.clone(),
            text,
            files,
            verified: row.verified,
            at: row.at,
            // The last part of the key that a double is known by.
            call_id: row.key.rsplit(' ').next().unwrap_or_default().into(),
            body: row.body.clone(),
        }
    }

    /// A message could not be stored: if it comes again, it is treated as new.
    pub(super) fn lost(
        &mut self,
        conversations: &mut Conversations,
        key: &str,
        conversation: ConversationId,
    ) {
        self.keys.remove(key);
        self.by_age.retain(|known| known.key != key);
        conversations.not_kept(conversation);
    }

    /// The answer to a duplicate: that of the first copy, or a 503 if that one was not stored.
    pub(super) fn repeated(
        &self,
        key: &str,
        kept: PendingResponse,
        lost: PendingResponse,
    ) -> PendingResponse {
        if self.keys.get(key) == Some(&Kept::Yes) { kept } else { lost }
    }

    fn row(
        &self,
        core: &mut Core,
        conversations: &mut Conversations,
        (asked, key, people): (IncomingRequest<'_>, &str, &[PersonRow]),
        now: Now,
    ) -> Option<IncomingRow> {
        let fields = asked.request.fields();
        let conversation = conversations.place(core, people, false)?;
        let (from, also_to) = people.split_first()?;
        Some(IncomingRow {
            id: core.next_message(),
            conversation,
            at: now.wall,
            sent_at: fields.first("Date").and_then(date::read),
            from: from.clone(),
            also_to: also_to.to_vec(),
            content_type: content_type(fields),
            body: body(asked.request),
            key: key.to_owned(),
            verified: core.is_from_server(asked.request, asked.flow),
        })
    }

    /// Counts a message of a stranger. If what strangers have today is used up, the seconds until there is more; the owner
    /// is told once a day.
    fn over_quota(
        &mut self,
        core: &mut Core,
        conversations: &Conversations,
        (request, people): (&Request, &[PersonRow]),
        now: Now,
    ) -> Option<u64> {
        let from = request.fields().from().uri;
        let is_harmless = core.instance.is_none() || conversations.is_acquainted(&from);
        if is_harmless || uri_key(&from) == uri_key(&core.profile.address) {
            return None;
        }
        let begins_one = conversations.find(people, core).is_none();
        let message = Spent { bytes: request.bytes().len(), conversations: usize::from(begins_one) };
        match self.quota.take(from.aor().domain(), message, now.mono) {
            Taken::Yes => None,
            Taken::No { wait, is_first } => {
                if is_first {
                    core.tell(Event::StrangersRefused);
                }
                Some(wait)
            }
        }
    }

    fn remember(&mut self, core: &mut Core, key: String, now: Now) {
        self.keys.insert(key.clone(), Kept::NotYet);
        self.by_age.push_back(KeyRow { at: now.wall, key });
        if self.by_age.len() > INBOX_KEYS_MAX
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.keys.remove(&oldest.key);
        }
        if now.wall.since(self.looked_at) >= FORGET_EVERY {
            self.looked_at = now.wall;
            self.forget_old(core, now);
        }
    }

    fn forget_old(&mut self, core: &mut Core, now: Now) {
        let kept_ms = u64::try_from(INBOX_REMEMBERED.as_millis()).unwrap_or(u64::MAX);
        let before = Timestamp::from_millis(now.wall.as_millis().saturating_sub(kept_ms));
        while let Some(old) = self.by_age.pop_front_if(|row| row.at < before) {
            self.keys.remove(&old.key);
        }
        core.write(Write::ForgetKeysBefore(before));
    }
}

/// Whether a MESSAGE that we accept is not for a person but reports what became of one of ours (RFC 5438).
pub(super) fn is_notification(request: &Request, core: &Core) -> bool {
    content_is(request, "message/imdn+xml") && check(request, core).is_ok()
}

/// RFC 3261 §8.2: whether it is addressed to us, and we support what it requires and can show its body.
fn check(request: &Request, core: &Core) -> Result<(), Rejection> {
    let plain = |status| Rejection { status, field: None };
    if core.own_contact.named(request.uri()) == Named::Other {
        // Somebody else used our port before, and his binding still exists (§8.2.2.1).
        return Err(plain(404));
    }
    let fields = request.fields();
    let required: Vec<_> = fields.tokens("Require").collect();
    if !required.is_empty() {
        return Err(Rejection { status: 420, field: Some(("Unsupported", required.join(", "))) });
    }
    let encoded = fields.tokens("Content-Encoding").any(|coding| !coding.eq_ignore_ascii_case("identity"));
    if encoded {
        return Err(Rejection { status: 415, field: Some(("Accept-Encoding", "identity".to_owned())) });
    }
    if !is_taken(&media_type(fields.first("Content-Type").unwrap_or_default())) {
        return Err(Rejection { status: 415, field: Some(("Accept", ACCEPT.to_owned())) });
    }
    Ok(())
}

/// Text is shown; pictures and files can be saved. Unknown signals between programs are refused: they are nothing
/// that a person could read, so accepting them would report as delivered what is in fact lost.
fn is_taken(media_type: &str) -> bool {
    let Some((kind, subtype)) = media_type.split_once('/') else {
        return false;
    };
    match kind {
        "text" | "image" | "audio" | "video" | "multipart" => true,
        "message" => matches!(subtype, "cpim" | "imdn+xml"),
        "application" => !matches!(subtype, "delivery-report" | "sdp" | "resource-lists+xml"),
        _ => false,
    }
}

/// The Content-Type, with the file name if Content-Disposition gives one (RFC 2183 §2.3).
fn content_type(fields: &Fields) -> String {
    let written = fields.first("Content-Type").unwrap_or("text/plain");
    let name = fields.first("Content-Disposition").and_then(|value| file_name(value, "filename"));
    match name.filter(|_| parameter(written, "name").is_none()) {
        Some(name) => format!("{written}{}", Params(vec![("name".to_owned(), Some(name))])),
        None => written.to_owned(),
    }
}

/// The body, readable. A transfer encoding is no part of SIP, but gateways from mail and SMS send one.
fn body(request: &Request) -> Bytes {
    let encoding = request.fields().first("Content-Transfer-Encoding").unwrap_or_default();
    transfer_decoded(encoding, &request.body())
}

/// True for a copy of what this user wrote.
pub(super) fn is_own(row: &IncomingRow, profile: &Profile) -> bool {
    address_key(&row.from.address) == uri_key(&profile.address)
}

fn content_is(request: &Request, media_type: &str) -> bool {
    let written = request.fields().first("Content-Type").unwrap_or_default();
    inner_media_type(written, &body(request)) == media_type
}

/// Somebody is typing, or has stopped (RFC 3994): passed to the owner, not stored. Ignored if there is no
/// conversation with that person yet.
fn composing(core: &mut Core, conversations: &Conversations, request: &Request, now: Now) {
    let from = person(&request.fields().from());
    let Some(composing) = Composing::parse(&body(request)) else {
        return;
    };
    if let Some(conversation) = conversations.find(std::slice::from_ref(&from), core) {
        let until = composing.refresh.map(|refresh| now.mono + refresh);
        core.tell(Event::Window(WindowEvent::Composing { conversation, from, until }));
    }
}

/// What a message that came before has in common with this one (W15). Who sent it and what it says belong to it: whoever
/// has seen the tag and the Call-ID of somebody else's message could have it taken for a double of his own otherwise,
/// and answered as received.
fn double_key(request: &Request) -> String {
    let fields = request.fields();
    let from = fields.from();
    let hash = Sha256::digest(request.body());
    let content: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = from.tag().unwrap_or("-");
    format!("{} {tag} {content} {} {}", uri_key(&from.uri), fields.cseq(), fields.call_id())
}

/// The sender, then those who got it too. Replies go to everybody, so a conversation is all of them; Also-To is empty if
/// we got a hidden copy (W7).
fn participants(fields: &Fields) -> Vec<PersonRow> {
    let also_to = also_to(fields);
    std::iter::once(&fields.from()).chain(also_to.iter().take(RECIPIENTS_MAX)).map(person).collect()
}

fn person(address: &NameAddr) -> PersonRow {
    PersonRow { address: address.uri.as_str().to_owned(), name: address.display.clone().unwrap_or_default() }
}
