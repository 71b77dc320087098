//! Tells the other person of a conversation that the user is typing (RFC 3994).
//!
//! **Invariant:** in each conversation at most one `active` leaves within [`TYPING_REFRESH`], and at most one `idle`
//! after it. Nothing of it is stored, no screen shows a failure, and a program that refuses it is not told again until
//! the next start. Groups are told nothing: each status would be a message to everybody. Nor is anybody who is no contact
//! and to whom we never wrote.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use super::agent::core::{Core, Task, name_addr};
use super::agent::route::{Printed, Route, Wanted, route};
use super::agent::sign_in::{Answered, Answerer, Heeded};
use super::conversation::Conversations;
use crate::limits::{CONNECT_WAIT, TYPING_IDLE, TYPING_MAX, TYPING_REFRESH, TYPING_REFUSERS_MAX};
use crate::machine::{Flow, TimerReason};
use crate::model::journal::ConversationId;
use crate::sip::{Method, Response, Uri};
use crate::time::Now;

/// Who was told what.
#[derive(Debug, Default)]
pub(super) struct Typing {
    told: BTreeMap<ConversationId, Told>,
    /// Conversations whose other program does not accept it.
    refused: BTreeSet<ConversationId>,
    waiting: VecDeque<Status>,
    under_way: BTreeMap<u64, Status>,
    last: u64,
}

/// What the other person was told last.
#[derive(Debug)]
struct Told {
    active_at: Instant,
    /// When the user counts as idle; none if that was said, or need not be.
    idle_at: Option<Instant>,
}

/// One status message.
#[derive(Debug)]
struct Status {
    conversation: ConversationId,
    to: Uri,
    is_active: bool,
    call_id: String,
    tag: String,
    cseq: u32,
    challenges: Answered,
}

impl Typing {
    /// The user has changed the text of a message to this conversation.
    pub(super) fn typed(
        &mut self,
        core: &mut Core,
        conversations: &Conversations,
        id: ConversationId,
        now: Now,
    ) {
        let idle_at = Some(now.mono + TYPING_IDLE);
        let is_fresh = |told: &Told| now.mono < told.active_at + TYPING_REFRESH;
        if let Some(told) = self.told.get_mut(&id).filter(|told| is_fresh(told)) {
            if told.idle_at.is_some() {
                told.idle_at = idle_at;
            }
            return;
        }
        self.told.retain(|_, told| is_fresh(told));
        let other = other(core, conversations, id).filter(|_| !self.refused.contains(&id));
        if let Some(to) = other.filter(|_| self.told.len() < TYPING_MAX) {
            self.told.insert(id, Told { active_at: now.mono, idle_at });
            self.say(core, (id, to), true);
        }
    }

    /// The user has deleted the text, or has typed nothing for some time.
    pub(super) fn stopped(&mut self, core: &mut Core, conversations: &Conversations, id: ConversationId) {
        let was_active = self.told.get_mut(&id).and_then(|told| told.idle_at.take()).is_some();
        if let Some(to) = other(core, conversations, id).filter(|_| was_active) {
            self.say(core, (id, to), false);
        }
    }

    /// The user has sent a message, which says as much as `idle`.
    pub(super) fn wrote(&mut self, id: ConversationId) {
        if let Some(told) = self.told.get_mut(&id) {
            told.idle_at = None;
        }
        self.waiting.retain(|status| status.conversation != id);
    }

    /// There is no server to send it to: what waits would be out of date later.
    pub(super) fn forget_waiting(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn handle_timeout(&mut self, core: &mut Core, conversations: &Conversations, now: Now) {
        let is_due = |told: &Told| told.idle_at.is_some_and(|at| at <= now.mono);
        let due: Vec<_> = self.told.iter().filter(|(_, told)| is_due(told)).map(|(id, _)| *id).collect();
        due.into_iter().for_each(|id| self.stopped(core, conversations, id));
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        let next = self.told.values().filter_map(|told| told.idle_at).min();
        next.map(|due| (due, TimerReason::TypingEnds))
    }

    fn say(&mut self, core: &mut Core, (conversation, to): (ConversationId, Uri), is_active: bool) {
        self.waiting.retain(|status| status.conversation != conversation);
        let (call_id, tag) = (core.random.token(24), core.random.token(10));
        let challenges = Answered::default();
        self.waiting.push_back(Status { conversation, to, is_active, call_id, tag, cseq: 1, challenges });
    }

    /// Sends what waits.
    pub(super) fn send_waiting(&mut self, core: &mut Core, now: Now) {
        while let Some(status) = self.waiting.pop_front() {
            let wanted = if status.to.is_sips() { Wanted::Tls } else { Wanted::Any };
            match route(core, wanted, |core, flow| Some(print(core, &status, flow))) {
                Some(Route::Leave(printed)) => {
                    self.last += 1;
                    let task = Task::Typing(self.last);
                    core.send(task, Method::Message, (printed.flow, &printed.branch), printed.bytes, now);
                    self.under_way.insert(self.last, status);
                }
                Some(Route::AwaitConnection) => {
                    core.open_stream(now.mono, CONNECT_WAIT);
                    return self.waiting.push_front(status);
                }
                Some(Route::NoLine | Route::TooLarge | Route::NoTls) | None => {}
            }
        }
    }

    /// A response: a challenge is answered, and a refusal that would come again ends it for this conversation.
    pub(super) fn heard(&mut self, core: &mut Core, number: u64, response: &Response) {
        if response.status() < 200 {
            return;
        }
        let Some(mut status) = self.under_way.remove(&number) else { return };
        if core.challenges.heed(response, Answerer::Recipient(&status.to), &mut status.challenges)
            == Heeded::Again
        {
            status.cseq += 1;
            return self.waiting.push_front(status);
        }
        if response.status() < 300 {
            return;
        }
        if let Some(told) = self.told.get_mut(&status.conversation) {
            told.idle_at = None;
        }
        // Not: absent, busy, overloaded.
        if !matches!(response.status(), 300..=399 | 404 | 408 | 480 | 486 | 500 | 502..=504 | 600) {
            self.refused.insert(status.conversation);
            if self.refused.len() > TYPING_REFUSERS_MAX {
                self.refused.pop_first();
            }
        }
    }

    /// A status message got no answer.
    pub(super) fn unanswered(&mut self, number: u64) {
        self.under_way.remove(&number);
    }
}

/// The address of the only other person in a conversation, if automatic messages may go there.
fn other(core: &Core, conversations: &Conversations, id: ConversationId) -> Option<Uri> {
    let (people, _) = conversations.people(id)?;
    let [person] = &*people else { return None };
    let uri = Uri::parse(&person.address).ok().filter(Uri::names_somebody)?;
    let may_hear = uri.aor() != core.profile.address.aor() && conversations.may_notify(&uri);
    may_hear.then(|| uri.to_sip())
}

/// An `isComposing` document (RFC 3994 §6) in a MESSAGE.
fn print(core: &mut Core, status: &Status, flow: Flow) -> Printed {
    let Status { to, is_active, call_id, tag, cseq, .. } = status;
    let own = core.profile.address.to_sip();
    let (begun, branch) = core.request_to_person(&to.to_target(), flow);
    let state = if *is_active {
        let refresh = TYPING_REFRESH.as_secs();
        format!("<state>active</state><contenttype>text/plain</contenttype><refresh>{refresh}</refresh>")
    } else {
        "<state>idle</state><contenttype>text/plain</contenttype>".to_owned()
    };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <isComposing xmlns=\"urn:ietf:params:xml:ns:im-iscomposing\">{state}</isComposing>\r\n"
    );
    let bytes = begun
        .field("From", name_addr(&core.profile.name, &own, tag))
        .field("To", format_args!("<{to}>"))
        .field("Call-ID", call_id)
        .field("CSeq", format_args!("{cseq} MESSAGE"))
        .body("application/im-iscomposing+xml", body.as_bytes());
    Printed { flow, branch, bytes }
}
