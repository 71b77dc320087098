//! The disks: batches are applied in memory, after a delay, as the store's tables would apply them.
//!
//! A batch becomes durable some time after the request, and the machine is told some time after that; a crash in
//! between loses the batch or only the answer. A batch is applied whole or not at all.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;

use fanfare::machine::{Batch, BatchId};
use fanfare::model::delivery::is_reached;
use fanfare::model::journal as client;
use fanfare::proxy::journal as proxy;
use fanfare::random::Random;
use fanfare::sip::without_body;

use client::{AttemptStage, ConversationId, DeliveryState, MessageId};
use proxy::DispatchId;

/// How the disk handles batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Mode {
    /// Accepts them.
    #[default]
    Works,
    /// Refuses all of them.
    Full,
    /// Refuses a third of them, at random.
    Failing,
}

impl Mode {
    /// Whether the next batch is accepted, or why not.
    pub(crate) fn judge(self, random: &mut Random) -> Result<(), &'static str> {
        match self {
            Self::Works => Ok(()),
            Self::Full => Err("disk full"),
            Self::Failing if random.below(3) == 0 => Err("disk error"),
            Self::Failing => Ok(()),
        }
    }
}

/// The rows of one machine, and what a start gets of them.
pub(crate) trait Store: Clone + Debug + Default {
    type Write: Clone + Debug;
    type Rows;

    /// Applies one write; an error is the constraint of the tables that it violates.
    fn apply(&mut self, write: Self::Write) -> Result<(), String>;
    /// Everything that a start needs.
    fn load(&self) -> Self::Rows;
}

/// The disk of one machine; it survives the machine.
pub(crate) struct Disk<S: Store> {
    pub(crate) store: S,
    pub(crate) mode: Mode,
    waiting: VecDeque<Batch<S::Write>>,
    /// A batch was refused since the last start, so later ones that depend on it may violate a constraint.
    has_refused: bool,
}

/// The result for a batch.
#[derive(Debug)]
pub(crate) struct Outcome<W> {
    pub(crate) batch: BatchId,
    /// What became durable, or why nothing did.
    pub(crate) written: Result<Vec<W>, String>,
}

impl<S: Store> Disk<S> {
    pub(crate) fn new() -> Self {
        Self { store: S::default(), mode: Mode::default(), waiting: VecDeque::new(), has_refused: false }
    }

    pub(crate) fn commit(&mut self, batch: Batch<S::Write>) {
        self.waiting.push_back(batch);
    }

    /// Applies the oldest batch to the tables, or refuses it.
    pub(crate) fn write_next(&mut self, verdict: Result<(), &'static str>) -> Option<Outcome<S::Write>> {
        let Batch { id, writes } = self.waiting.pop_front()?;
        let written = match verdict {
            _ if writes.is_empty() => Ok(writes),
            Ok(()) => self.transact(writes),
            Err(why) => Err(why.to_owned()),
        };
        self.has_refused |= written.is_err();
        Some(Outcome { batch: id, written })
    }

    fn transact(&mut self, writes: Vec<S::Write>) -> Result<Vec<S::Write>, String> {
        let mut next = self.store.clone();
        for write in writes.clone() {
            if let Err(why) = next.apply(write) {
                // Without an earlier refusal, the machine has written an invalid batch.
                assert!(self.has_refused, "the tables refuse a batch: {why}: {writes:#?}");
                return Err(why);
            }
        }
        self.store = next;
        Ok(writes)
    }

    /// The machine is gone: what was not yet durable is lost.
    pub(crate) fn crash(&mut self) {
        self.waiting.clear();
        self.has_refused = false;
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// A machine without a disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct NoStore;

impl Store for NoStore {
    type Write = std::convert::Infallible;
    type Rows = ();

    fn apply(&mut self, write: Self::Write) -> Result<(), String> {
        match write {}
    }

    fn load(&self) {}
}

/// The proxy's tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProxyStore {
    secret: Option<[u8; 16]>,
    bindings: Vec<proxy::BindingRow>,
    devices: Vec<proxy::DeviceRow>,
    pub(crate) dispatches: BTreeMap<DispatchId, proxy::DispatchRows>,
    /// Messages with nothing more due: a start gets only these rows of them.
    remembered: BTreeMap<DispatchId, proxy::RememberedRow>,
}

impl ProxyStore {
    fn dispatch(&mut self, id: DispatchId) -> Result<&mut proxy::DispatchRows, String> {
        self.dispatches.get_mut(&id).ok_or_else(|| format!("no dispatch {}", id.0))
    }
}

impl Store for ProxyStore {
    type Write = proxy::Write;
    type Rows = proxy::Rows;

    fn apply(&mut self, write: proxy::Write) -> Result<(), String> {
        match write {
            proxy::Write::Secret(key) => {
                if self.secret.replace(key).is_some() {
                    return Err("a second secret".to_owned());
                }
            }
            proxy::Write::Bind(row) => {
                self.bindings.retain(|old| old.aor != row.aor || old.contact != row.contact);
                self.bindings.push(row);
            }
            proxy::Write::Unbind { aor, contact } => {
                self.bindings.retain(|old| old.aor != aor || old.contact != contact);
            }
            proxy::Write::Device(row) => {
                self.devices.retain(|old| old.aor != row.aor || old.instance != row.instance);
                self.devices.push(row);
            }
            proxy::Write::ForgetDevice { aor, instance } => {
                self.devices.retain(|old| old.aor != aor || old.instance != instance);
            }
            proxy::Write::Accept(accepted) => {
                let rows =
                    proxy::DispatchRows { accepted, outcomes: Vec::new(), report: None, content: None };
                if let Some(old) = self.dispatches.insert(rows.accepted.id, rows) {
                    return Err(format!("dispatch {} is there", old.accepted.id.0));
                }
            }
            proxy::Write::Outcomes { dispatch, outcomes } => {
                let known = &mut self.dispatch(dispatch)?.outcomes;
                known.retain(|old| outcomes.iter().all(|new| new.recipient != old.recipient));
                known.extend(outcomes);
            }
            proxy::Write::Report { dispatch, report } => self.dispatch(dispatch)?.report = Some(report),
            // SQL's UPDATE of a missing row changes nothing and is not an error.
            proxy::Write::Moved { dispatch, flow } => {
                if let Some(rows) = self.dispatches.get_mut(&dispatch) {
                    rows.accepted.flow = flow;
                }
            }
            proxy::Write::Remember(row) => {
                if let Some(rows) = self.dispatches.get_mut(&row.id) {
                    rows.accepted.request = without_body(&rows.accepted.request);
                    rows.content = Some(row.content);
                    self.remembered.insert(row.id, row);
                }
            }
            proxy::Write::Recall(id) => drop(self.remembered.remove(&id)),
            proxy::Write::Forget(id) => {
                self.dispatches.remove(&id);
                self.remembered.remove(&id);
            }
            proxy::Write::Purge { aors, .. } => {
                self.bindings.retain(|row| !aors.contains(&row.aor));
                self.devices.retain(|row| !aors.contains(&row.aor));
            }
        }
        Ok(())
    }

    fn load(&self) -> proxy::Rows {
        let whole = self.dispatches.values().filter(|rows| !self.remembered.contains_key(&rows.accepted.id));
        proxy::Rows {
            users: Vec::new(),
            removed: Vec::new(),
            secret: self.secret,
            bindings: self.bindings.clone(),
            aliases: Vec::new(),
            devices: self.devices.clone(),
            remembered: self.remembered.values().copied().collect(),
            dispatches: whole.cloned().collect(),
        }
    }
}

/// A client's tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct AgentStore {
    conversations: BTreeMap<ConversationId, (client::ConversationRow, Option<MessageId>)>,
    pub(crate) outgoing: BTreeMap<MessageId, client::OutgoingRow>,
    pub(crate) incoming: BTreeMap<MessageId, client::IncomingRow>,
    pub(crate) attempts: BTreeMap<(MessageId, u32), client::AttemptRow>,
    /// By message, attempt and recipient.
    pub(crate) deliveries: BTreeMap<(MessageId, u32, u32), client::DeliveryRow>,
    drafts: BTreeMap<client::DraftPlace, client::DraftRow>,
    keys: BTreeMap<String, fanfare::time::Timestamp>,
}

impl AgentStore {
    fn has_conversation(&self, id: ConversationId) -> Result<(), String> {
        self.conversations.get(&id).map(drop).ok_or_else(|| format!("no conversation {}", id.0))
    }

    fn has_room_for(&self, id: MessageId) -> Result<(), String> {
        let is_taken = self.outgoing.contains_key(&id) || self.incoming.contains_key(&id);
        if is_taken { Err(format!("message {} is there", id.0)) } else { Ok(()) }
    }

    fn has_outgoing(&self, id: MessageId) -> Result<(), String> {
        self.outgoing.get(&id).map(drop).ok_or_else(|| format!("no message {}", id.0))
    }

    fn add_conversation(&mut self, row: client::ConversationRow) -> Result<(), String> {
        match self.conversations.insert(row.id, (row, None)) {
            Some((old, _)) => Err(format!("conversation {} is there", old.id.0)),
            None => Ok(()),
        }
    }

    fn add_incoming(&mut self, row: client::IncomingRow) -> Result<(), String> {
        self.has_conversation(row.conversation)?;
        self.has_room_for(row.id)?;
        self.keys.insert(row.key.clone(), row.at);
        self.incoming.insert(row.id, row);
        Ok(())
    }

    /// In progress, not delivered to somebody in any attempt, last of its conversation, or waiting for a read receipt.
    fn is_open(&self, message: &client::OutgoingRow) -> bool {
        let id = message.id;
        let mut attempts = self.attempts.range((id, 0)..=(id, u32::MAX)).map(|(_, attempt)| attempt);
        // There are too few messages here to reach the limit of those loaded for pending receipts.
        if attempts.any(|attempt| attempt.stage != AttemptStage::Closed || attempt.asks) {
            return true;
        }
        let is_missed = |state| matches!(state, DeliveryState::Failed | DeliveryState::NoReport);
        let rows = || self.deliveries_of(id);
        let made_good =
            |recipient| rows().any(|other| other.recipient == recipient && is_reached(other.state));
        let missed = rows().any(|row| is_missed(row.state) && !made_good(row.recipient));
        missed || self.last_in(message.conversation) == Some(id)
    }

    pub(crate) fn deliveries_of(&self, id: MessageId) -> impl Iterator<Item = &client::DeliveryRow> {
        self.deliveries.range((id, 0, 0)..=(id, u32::MAX, u32::MAX)).map(|(_, row)| row)
    }

    fn last_in(&self, conversation: ConversationId) -> Option<MessageId> {
        let sent = self.outgoing.values().filter(|row| row.conversation == conversation).map(|row| row.id);
        let received = self.incoming.values().filter(|row| row.conversation == conversation);
        sent.max().max(received.map(|row| row.id).max())
    }

    pub(crate) fn conversations(&self) -> impl Iterator<Item = ConversationId> {
        self.conversations.keys().copied()
    }

    /// Whether the client's owner has seen a received message.
    pub(crate) fn has_seen(&self, row: &client::IncomingRow) -> bool {
        let seen = self.conversations.get(&row.conversation).and_then(|(_, seen)| *seen);
        Some(row.id) <= seen
    }

    fn unseen(&self) -> Vec<client::UnseenRow> {
        let is_unseen =
            |row: &&client::IncomingRow| row.content_type == "message/cpim" && !self.has_seen(row);
        let unseen = self.incoming.values().filter(is_unseen).map(|row| client::UnseenRow {
            id: row.id,
            conversation: row.conversation,
            at: row.at,
            from: row.from.address.clone(),
            body: row.body.clone(),
        });
        unseen.collect()
    }

    fn head(
        &self,
        (row, seen): &(client::ConversationRow, Option<MessageId>),
    ) -> client::ConversationHeadRow {
        let last = self.last_in(row.id).map(|id| {
            let sent = self.outgoing.get(&id).map(|row| (row.at, &row.body));
            let received = self.incoming.get(&id).map(|row| (row.at, &row.body));
            let (at, body) = sent.or(received).unwrap();
            let preview = String::from_utf8_lossy(body).chars().take(200).collect();
            let verified = self.incoming.get(&id).is_none_or(|row| row.verified);
            client::LastRow { id, at, preview, mine: sent.is_some(), verified }
        });
        let is_unread =
            |message: &&client::IncomingRow| message.conversation == row.id && Some(message.id) > *seen;
        let unread = u32::try_from(self.incoming.values().filter(is_unread).count()).unwrap();
        client::ConversationHeadRow { row: row.clone(), last, unread, seen: *seen }
    }
}

impl Store for AgentStore {
    type Write = client::Write;
    type Rows = client::Rows;

    fn apply(&mut self, write: client::Write) -> Result<(), String> {
        match write {
            client::Write::Conversation(row) => self.add_conversation(row)?,
            client::Write::Outgoing(row) => {
                self.has_conversation(row.conversation)?;
                self.has_room_for(row.id)?;
                self.outgoing.insert(row.id, row);
            }
            client::Write::Attempt(row) => {
                self.has_outgoing(row.message)?;
                self.attempts.insert((row.message, row.number), row);
            }
            client::Write::Delivery(row) => {
                self.has_outgoing(row.message)?;
                self.deliveries.insert((row.message, row.attempt, row.recipient), row);
            }
            // What reports said is for the record, and no machine reads it.
            client::Write::Stranger(client::StrangerRow { message, .. })
            | client::Write::Report(client::ReportRow { message, .. }) => self.has_outgoing(message)?,
            client::Write::Draft { row, .. } => drop(self.drafts.insert(row.place, row)),
            client::Write::ForgetDraft(place) => drop(self.drafts.remove(&place)),
            client::Write::Incoming(row) => self.add_incoming(row)?,
            client::Write::Seen { conversation, message } => {
                if let Some((_, seen)) = self.conversations.get_mut(&conversation) {
                    *seen = (*seen).max(Some(message));
                }
            }
            client::Write::ForgetKeysBefore(before) => self.keys.retain(|_, at| *at >= before),
        }
        Ok(())
    }

    fn load(&self) -> client::Rows {
        let open = self.outgoing.values().filter(|message| self.is_open(message));
        let open = open.map(|outgoing| client::OpenRows {
            outgoing: outgoing.clone(),
            attempts: self.attempts.values().filter(|row| row.message == outgoing.id).cloned().collect(),
            deliveries: self.deliveries_of(outgoing.id).cloned().collect(),
        });
        let last = |messages: Option<MessageId>| messages.map_or(0, |id| id.0);
        let last_sent = self.outgoing.last_key_value().map(|(id, _)| *id);
        let last_received = self.incoming.last_key_value().map(|(id, _)| *id);
        client::Rows {
            drafts: self.drafts.values().cloned().collect(),
            conversations: self.conversations.values().map(|row| self.head(row)).collect(),
            open: open.collect(),
            unseen: self.unseen(),
            keys: self.keys.iter().map(|(key, at)| (key.clone(), *at)).collect(),
            last_conversation: self.conversations.last_key_value().map_or(0, |(id, _)| id.0),
            last_message: last(last_sent.max(last_received)),
            instance: None,
        }
    }
}
