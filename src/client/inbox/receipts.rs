//! Notifications to senders who asked for them (RFC 5438): that their message was delivered, and that it was seen
//! (W28).
//!
//! **Invariant:** *delivered* leaves after the message is committed, *seen* after that fact is committed, and neither
//! leaves again after a restart. Both go to contacts and to people to whom we have written: nobody else learns where we
//! are, or has our server write in our name to wherever his From leads. We never ask for a notification about one of our notifications, and one that fails is
//! lost: no screen shows it, and no message waits for it.

use std::collections::{BTreeMap, VecDeque};

use crate::client::agent::core::{Core, Task, name_addr};
use crate::client::agent::route::{Printed, Route, Wanted, route};
use crate::client::agent::sign_in::{Answered, Answerer, Heeded};
use crate::client::conversation::Conversations;
use crate::limits::{CONNECT_WAIT, RECEIPTS_OPEN_MAX, RECEIPTS_OWED_MAX, RECEIPTS_WAITING_MAX};
use crate::machine::{DropReason, Flow};
use crate::model::account::Profile;
use crate::model::journal::{ConversationId, IncomingRow, MessageId, UnseenRow};
use crate::sip::date;
use crate::sip::{Cpim, Disposition, Enclosed, Envelope, Imdn, Method, Response, Uri, media_type};
use crate::time::Now;

/// The notifications that we send.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    /// Messages whose sender wants to know when they are seen.
    owed: BTreeMap<MessageId, Owed>,
    /// Those waiting to leave.
    waiting: VecDeque<Receipt>,
    /// Those sent and not answered yet.
    under_way: BTreeMap<u64, Receipt>,
    last: u64,
}

/// A message not seen yet.
#[derive(Debug)]
struct Owed {
    conversation: ConversationId,
    receipt: Receipt,
}

/// One notification.
#[derive(Clone, Debug)]
struct Receipt {
    /// The sender of the message.
    to: Uri,
    imdn: Imdn,
    date_time: String,
    call_id: String,
    tag: String,
    cseq: u32,
    challenges: Answered,
}

impl Receipts {
    /// Restores what was still owed when the program ended.
    pub(crate) fn recover(unseen: Vec<UnseenRow>, profile: &Profile) -> Self {
        let mut this = Self::default();
        if profile.receipts {
            for row in unseen {
                let asked = Cpim::parse(&row.body).filter(|cpim| cpim.asks_display);
                let made = asked.and_then(|cpim| receipt(profile, &row.from, &cpim, date::print_iso(row.at)));
                if let Some(receipt) = made {
                    this.owe(row.id, Owed { conversation: row.conversation, receipt });
                }
            }
        }
        this
    }

    /// A message is committed.
    pub(crate) fn came(&mut self, profile: &Profile, conversations: &Conversations, row: &IncomingRow) {
        if media_type(&row.content_type) != "message/cpim" {
            return;
        }
        let Some(cpim) = Cpim::parse(&row.body) else {
            return;
        };
        let Some(receipt) = receipt(profile, &row.from.address, &cpim, date::print_iso(row.at)) else {
            return;
        };
        if !conversations.may_notify(&receipt.to) {
            return;
        }
        // It tells no more than the 200 does, so the user's privacy setting does not matter here.
        if cpim.asks_delivery {
            self.wait(Receipt {
                imdn: Imdn { disposition: Disposition::Delivered, ..receipt.imdn.clone() },
                ..receipt.clone()
            });
        }
        if cpim.asks_display && profile.receipts {
            self.owe(row.id, Owed { conversation: row.conversation, receipt });
        }
    }

    /// The fact that everything up to this message was seen is committed.
    pub(crate) fn seen(
        &mut self,
        conversations: &Conversations,
        conversation: ConversationId,
        up_to: MessageId,
    ) {
        let is_seen = |id: &MessageId, owed: &Owed| owed.conversation == conversation && *id <= up_to;
        let seen: Vec<_> =
            self.owed.iter().filter(|(id, owed)| is_seen(id, owed)).map(|(id, _)| *id).collect();
        for id in seen {
            // After a start the contacts are known only now.
            let owed = self.owed.remove(&id).filter(|owed| conversations.may_notify(&owed.receipt.to));
            if let Some(owed) = owed {
                self.wait(owed.receipt);
            }
        }
    }

    /// A message is deleted: that it was seen will never be told.
    pub(crate) fn forget(&mut self, message: MessageId) {
        self.owed.remove(&message);
    }

    /// Sends what waits, up to the limit of pending requests.
    pub(crate) fn send_waiting(&mut self, core: &mut Core, now: Now) {
        while self.under_way.len() < RECEIPTS_OPEN_MAX {
            let Some(mut receipt) = self.waiting.pop_front() else {
                return;
            };
            if receipt.call_id.is_empty() {
                (receipt.call_id, receipt.tag) = (core.random.token(24), core.random.token(10));
            }
            let wanted = if receipt.to.is_sips() { Wanted::Tls } else { Wanted::Any };
            match route(core, wanted, |core, flow| Some(print(core, &receipt, flow))) {
                Some(Route::Leave(printed)) => {
                    self.last += 1;
                    let task = Task::Receipt(self.last);
                    core.send(task, Method::Message, (printed.flow, &printed.branch), printed.bytes, now);
                    self.under_way.insert(self.last, receipt);
                }
                Some(Route::AwaitConnection) => {
                    core.open_stream(now.mono, CONNECT_WAIT);
                    return self.waiting.push_front(receipt);
                }
                Some(Route::NoLine) => return self.waiting.push_front(receipt),
                Some(Route::TooLarge | Route::NoTls) | None => {}
            }
        }
    }

    /// A response to a notification: a challenge is answered, anything else ends it.
    pub(crate) fn heard(&mut self, core: &mut Core, number: u64, response: &Response) {
        if response.status() < 200 {
            return;
        }
        let Some(mut receipt) = self.under_way.remove(&number) else {
            return;
        };
        if core.challenges.heed(response, Answerer::Recipient(&receipt.to), &mut receipt.challenges)
            == Heeded::Again
        {
            receipt.cseq += 1;
            self.waiting.push_front(receipt);
        }
    }

    /// A notification got no answer.
    pub(crate) fn unanswered(&mut self, number: u64) {
        self.under_way.remove(&number);
    }

    fn wait(&mut self, receipt: Receipt) {
        self.waiting.push_back(receipt);
        if self.waiting.len() > RECEIPTS_WAITING_MAX {
            self.waiting.pop_front();
            DropReason::ReceiptForgotten.tell(None);
        }
    }

    fn owe(&mut self, message: MessageId, owed: Owed) {
        self.owed.insert(message, owed);
        if self.owed.len() > RECEIPTS_OWED_MAX {
            self.owed.pop_first();
            DropReason::ReceiptForgotten.tell(None);
        }
    }
}

/// The notification to a message's sender. None if the message has no ID to refer to, or is our own.
fn receipt(profile: &Profile, from: &str, cpim: &Cpim, came: String) -> Option<Receipt> {
    // Notifications are not notified about: two programs would go on for ever.
    if media_type(&cpim.content_type) == "message/imdn+xml" {
        return None;
    }
    // The From of the request, which the server has checked; CPIM's could be anybody.
    let to = Uri::parse(from).ok().filter(|uri| uri.aor() != profile.address.aor())?;
    Some(Receipt {
        to: to.to_sip(),
        imdn: Imdn { message_id: cpim.message_id.clone()?, disposition: Disposition::Displayed },
        date_time: cpim.date_time.clone().unwrap_or(came),
        call_id: String::new(),
        tag: String::new(),
        cseq: 1,
        challenges: Answered::default(),
    })
}

/// An IMDN (RFC 5438 §7.2.1.1) in a MESSAGE (RFC 3428 §4).
fn print(core: &mut Core, receipt: &Receipt, flow: Flow) -> Printed {
    let Receipt { to, imdn, date_time, call_id, tag, cseq, .. } = receipt;
    let own = core.profile.address.to_sip();
    let envelope = Envelope {
        from: own.as_str(),
        to: to.as_str(),
        date_time,
        message_id: call_id,
        content: Enclosed::Notification,
    };
    let body = envelope.print(imdn.print(date_time).as_bytes());
    let (begun, branch) = core.request_to_person(&to.to_target(), flow);
    let bytes = begun
        .field("From", name_addr(&core.profile.name, &own, tag))
        .field("To", format_args!("<{to}>"))
        .field("Call-ID", call_id)
        .field("CSeq", format_args!("{cseq} MESSAGE"))
        .body("message/cpim", &body);
    Printed { flow, branch, bytes }
}
