//! What the proxy makes durable, and what it gets back after a restart, as plain data.
//!
//! **Invariant:** no SQL and no file here; `store/proxy_rows.rs` maps these to rows.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::machine::Flow;
use crate::sip::digest::Ha1;
use crate::sip::{Addressed, Aor, Message, ReportOptions, Request, Uri, parse, recipients};
use crate::time::Timestamp;

/// The number of an accepted message, unique among all that this proxy ever accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DispatchId(pub u64);

/// One durable change. A batch of changes applies as a whole, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// The key behind our branches and tags; written once, when the store is new.
    Secret([u8; 16]),
    /// A binding made or refreshed: the key is its address-of-record and its contact.
    Bind(BindingRow),
    /// A binding removed or expired.
    Unbind {
        /// The user.
        aor: Aor,
        /// The Contact.
        contact: Uri,
    },
    /// A device of an address-of-record that is new or was seen again (W16).
    Device(DeviceRow),
    /// A device that was not seen for too long, or that exceeds the maximum.
    ForgetDevice {
        /// The user.
        aor: Aor,
        /// Its `+sip.instance`.
        instance: String,
    },
    /// A message accepted, before its 202 leaves (W11).
    Accept(AcceptedRow),
    /// Outcomes as they become known; one for a recipient replaces an earlier one.
    Outcomes {
        /// The message.
        dispatch: DispatchId,
        /// What became known.
        outcomes: Vec<OutcomeRow>,
    },
    /// The state of the report (W22, W23); replaces what was stored.
    Report {
        /// The message.
        dispatch: DispatchId,
        /// Its state.
        report: ReportRow,
    },
    /// The flow for the report changed, because the submission was repeated on another one (W12).
    Moved {
        /// The message.
        dispatch: DispatchId,
        /// The flow that it last came in on.
        flow: Flow,
    },
    /// Nothing more is owed of a message: its body is dropped, and a restart reads this row instead of the others
    /// (W12).
    Remember(RememberedRow),
    /// The submission was repeated, so its report is owed again: a restart restores the whole message.
    Recall(DispatchId),
    /// A message was remembered long enough (W12): all its rows are deleted.
    Forget(DispatchId),
    /// Orders from outside are carried out (W30): the bindings and devices of removed users are deleted, the bindings of
    /// those with a new password too, and with them the orders.
    Purge {
        /// The removed users.
        aors: Vec<Aor>,
        /// Users with a new password.
        signed_out: Vec<Aor>,
        /// Orders up to this number are carried out.
        up_to: u64,
    },
}

/// What recognises a repetition of a message of which nothing is owed, and answers it (W12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RememberedRow {
    /// Its number.
    pub id: DispatchId,
    /// The hash of its key.
    pub double: [u8; 16],
    /// The hash of its recipients and body, which may not differ under one key.
    pub content: [u8; 16],
    /// Tag of its 202.
    pub to_tag: Tag,
    /// Whether a report was sent, which a repetition gets again.
    pub is_reported: bool,
    /// Bytes of its header section, which stays in the store for that report.
    pub head_bytes: u32,
    /// When it may be forgotten.
    pub keep_until: Timestamp,
}

/// A tag of ours, stored inline without an allocation.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Tag([u8; Self::BYTES_MAX]);

impl Tag {
    /// Bytes of the longest tag that we give.
    pub const BYTES_MAX: usize = 16;

    /// A tag from text; `None` if it is longer than ours are.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; Self::BYTES_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self(bytes)).filter(|tag| tag.as_str() == text)
    }

    /// The tag as it stands in a header field.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.0.split(|byte| *byte == 0).next().unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A binding of an address-of-record (RFC 3261 §10.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingRow {
    /// The user.
    pub aor: Aor,
    /// The Contact.
    pub contact: Uri,
    /// Preference in thousandths, 0 to 1000.
    pub q_permille: u16,
    /// Call-ID of the REGISTER that made it.
    pub call_id: String,
    /// CSeq of that REGISTER.
    pub cseq: u32,
    /// `+sip.instance` of the device, when it said so (RFC 5626).
    pub instance: Option<String>,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The flow that the REGISTER came in on.
    pub flow: Flow,
    /// How it is reached.
    pub reach: Reach,
    /// Which of its device's flows it is, if the client registers flows (RFC 5626 §4.2).
    pub reg_id: Option<u32>,
    /// The Path: the Routes of requests to it, the nearest to us first (RFC 3327 §5.3); empty for none.
    pub path: Vec<String>,
}

/// How a binding is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// At its Contact; also over its flow, if that is a live connection.
    Contact,
    /// Only over its flow; without that, not at all.
    Flow,
}

/// A device of an address-of-record, remembered beyond its bindings (W16; RFC 5626's instance).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// The user.
    pub aor: Aor,
    /// Its `+sip.instance`.
    pub instance: String,
    /// When it last registered, to the day.
    pub seen_at: Timestamp,
}

/// An address that stands for others, changed from outside and only read by the proxy (W16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasRow {
    /// The address.
    pub alias: Aor,
    /// Whom it stands for: one for an alias, more for a list.
    pub members: Vec<Uri>,
}

/// The members of a list in a submission, as of its acceptance (W16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    /// Its position among the submission's addresses.
    pub place: u32,
    /// Its members, including those of nested lists.
    pub members: Vec<Uri>,
}

/// A user who may sign in, changed from outside and only read by the proxy (W30).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// The user.
    pub aor: Aor,
    /// The SHA-256 hash for digest authentication.
    pub sha256: Ha1,
    /// The MD5 hash of the same password, for old clients.
    pub md5: Ha1,
    /// Blocked senders; one without a user part stands for its whole domain.
    pub blocked: Vec<Aor>,
}

/// An order from outside to purge what is a user's (W30).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedRow {
    /// The number of the order; numbers grow.
    pub number: u64,
    /// The user.
    pub aor: Aor,
    /// How much of it.
    pub what: RemovedPart,
}

/// What an order from outside takes from a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovedPart {
    /// Everything: the user was removed.
    User,
    /// The bindings that were made so far: the user has a new password.
    Bindings,
}

/// An accepted message, with everything that its legs and its report need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedRow {
    /// Its number.
    pub id: DispatchId,
    /// The key that a repetition shares (W12), as text.
    pub key: String,
    /// Tag that our 202 put into To, and From of the reports (W22).
    pub to_tag: String,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The flow that it came in on.
    pub flow: Flow,
    /// The submission as received.
    pub request: Bytes,
    /// The recipients after merging duplicates (W3), as positions among the submission's addresses (`sip::recipients`);
    /// members have the position of their list ([`expand`]). This keeps the spelling that came first.
    pub recipients: Vec<u32>,
    /// The lists among these addresses.
    pub lists: Vec<ListRow>,
}

impl AcceptedRow {
    /// Reads the stored submission and its addresses again, so that the open legs can go on.
    ///
    /// # Errors
    /// Which part cannot be read; then nothing more can be done for its recipients.
    pub fn read_back(&self) -> Result<(Request, Vec<Addressed>), &'static str> {
        let Ok(Message::Request(request)) = parse(self.request.clone()) else {
            return Err("its request cannot be read");
        };
        let fields = request.fields();
        let all = recipients(fields).map_err(|_unread| "its addresses cannot be read")?;
        ReportOptions::of(fields).map_err(|_unread| "the report that it asks for cannot be read")?;
        if self.recipients.is_empty() {
            return Err("it has no recipients");
        }
        let count = expand(&all, &self.lists).len();
        let is_there = |place: &u32| usize::try_from(*place).is_ok_and(|place| place < count);
        if !self.recipients.iter().all(is_there) {
            return Err("it has a recipient whom its request does not name");
        }
        Ok((request, all))
    }
}

/// The addresses of a submission, with each list replaced by its members. Beside each address is the position that it,
/// or its list, has in the submission.
#[must_use]
pub fn expand(all: &[Addressed], lists: &[ListRow]) -> Vec<(u32, Addressed)> {
    let mut expanded = Vec::with_capacity(all.len());
    for (place, addressed) in (0..).zip(all) {
        let Some(list) = lists.iter().find(|list| list.place == place) else {
            expanded.push((place, addressed.clone()));
            continue;
        };
        let member = |uri: &Uri| (place, Addressed { uri: uri.clone(), display: None, bcc: addressed.bcc });
        expanded.extend(list.members.iter().map(member));
    }
    expanded
}

/// What is known of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeRow {
    /// Which recipient, by position in [`AcceptedRow::recipients`].
    pub recipient: u32,
    /// The outcome.
    pub state: OutcomeState,
    /// SIP status that is reported (W18).
    pub status: u16,
    /// Reason phrase that is reported.
    pub reason: String,
    /// Transmissions over all its branches.
    pub tries: u32,
    /// The time since acceptance.
    pub after: Duration,
    /// What is still to be tried for the recipient, if anything.
    pub waits: Option<WaitRow>,
}

/// What a later attempt for one recipient needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitRow {
    /// How many branches the attempts have used, so that the next one is a new transaction.
    pub branches: u32,
    /// Devices that are owed the message though another one took it (W16); empty if the recipient waits as a whole.
    pub devices: Vec<String>,
}

/// The final or deferred outcome of one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeState {
    /// A 2xx came.
    Delivered,
    /// Nothing will be tried again.
    Failed,
    /// Waits for the recipient to register (W18).
    Deferred,
}

/// The state of the reports of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// CSeq of the latest NOTIFY; 0 before the first.
    pub cseq: u32,
    /// CSeq of the latest answered NOTIFY among those that named who waits in the mailbox (W9); 0 before.
    pub answered: u32,
    /// How many rounds of the latest NOTIFY failed (W23).
    pub rounds: u32,
    /// When the next round is due, if one is.
    pub due_at: Option<Timestamp>,
    /// True once the last report was answered, or is no longer wanted.
    pub closed: bool,
}

/// Everything that a store holds for a proxy. A restart gets it without the messages, which follow as [`Stored`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The key behind our branches and tags.
    pub secret: Option<[u8; 16]>,
    /// Bindings, expired ones too.
    pub bindings: Vec<BindingRow>,
    /// Devices that have registered.
    pub devices: Vec<DeviceRow>,
    /// Addresses that stand for others.
    pub aliases: Vec<AliasRow>,
    /// Who may sign in.
    pub users: Vec<UserRow>,
    /// Orders from outside that are not carried out yet.
    pub removed: Vec<RemovedRow>,
    /// Messages of which nothing is owed.
    pub remembered: Vec<RememberedRow>,
    /// The other messages, with what is known of each.
    pub dispatches: Vec<DispatchRows>,
}

impl Rows {
    /// Adds a message.
    pub fn add(&mut self, stored: Stored) {
        match stored {
            Stored::Remembered(row) => self.remembered.push(row),
            Stored::Whole(rows) => self.dispatches.push(*rows),
        }
    }
}

/// One message, as a restart gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// A message of which nothing is owed.
    Remembered(RememberedRow),
    /// Any other message.
    Whole(Box<DispatchRows>),
}

/// The rows of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchRows {
    /// The acceptance (its flow is the latest known).
    pub accepted: AcceptedRow,
    /// The latest outcome of each recipient that has one.
    pub outcomes: Vec<OutcomeRow>,
    /// The report, if one was begun.
    pub report: Option<ReportRow>,
    /// The hash of its recipients and body, if the body was dropped because nothing was owed for a while.
    pub content: Option<[u8; 16]>,
}
