//! Deletes messages in steps, each small enough that what arrives meanwhile is stored in time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::limits::{DELETED_AT_ONCE_MAX, QUESTIONS_WAITING_MAX};
use crate::model::deletion::{Deletion, Doomed};
use crate::model::journal::{ConversationId, LastRow, MessageId};
use crate::model::snapshot::Tally;
use crate::model::text::{preview, shown};
use crate::model::view::tally;
use crate::store::history::{History, ReadError, Reader, StoredMessage};
use crate::store::own_backup::OwnBackup;

/// What is to be deleted, as the history was read for it.
type Plan = Result<Vec<Deletion>, ReadError>;

/// Deletions that are planned or under way.
#[derive(Debug)]
pub(super) struct Deleting {
    tell: mpsc::Sender<Plan>,
    plans: mpsc::Receiver<Plan>,
    /// Plans that the reader still owes.
    asked: usize,
    steps: VecDeque<Deletion>,
    is_under_way: bool,
}

impl Deleting {
    /// Nothing is to be deleted yet.
    pub(super) fn new() -> Self {
        let (tell, plans) = mpsc::channel(QUESTIONS_WAITING_MAX);
        Self { tell, plans, asked: 0, steps: VecDeque::new(), is_under_way: false }
    }

    /// Has the reader find out what is to be deleted and what is left then; false if it is too busy. The backup, which
    /// has these messages too, is removed first.
    pub(super) fn begin(
        &mut self,
        history: &History,
        doomed: Doomed,
        backup: Option<Arc<OwnBackup>>,
    ) -> bool {
        let tell = self.tell.clone();
        let is_asked = self.asked < QUESTIONS_WAITING_MAX
            && history.ask(move |reader| {
                if let Some(Err(error)) = backup.map(|backup| backup.remove()) {
                    tracing::warn!(%error, "the backup still has messages that are deleted");
                }
                // There is room for each that was asked; if the engine is gone, nothing is deleted.
                tell.try_send(plan(reader, &doomed)).ok();
            });
        self.asked += usize::from(is_asked);
        is_asked
    }

    /// The next plan, once the reader has made it.
    pub(super) async fn planned(&mut self) -> Plan {
        match self.plans.recv().await {
            Some(plan) => {
                self.asked = self.asked.saturating_sub(1);
                plan
            }
            // Never: the other end is kept here.
            None => std::future::pending().await,
        }
    }

    /// Takes in a plan.
    pub(super) fn take(&mut self, steps: Vec<Deletion>) {
        self.steps.extend(steps);
    }

    /// A step has ended; if it failed, so would those that follow.
    pub(super) fn ended(&mut self, is_done: bool) {
        self.is_under_way = false;
        if !is_done {
            self.steps.clear();
        }
    }

    /// Nothing more is deleted: the store is another one.
    pub(super) fn forget(&mut self) {
        *self = Self::new();
    }

    /// The next step, unless one is under way.
    pub(super) fn next(&mut self) -> Option<Deletion> {
        if self.is_under_way {
            return None;
        }
        let step = self.steps.pop_front()?;
        self.is_under_way = true;
        Some(step)
    }

    /// All steps that are left, and whether more are being planned.
    pub(super) fn rest(&mut self) -> (Vec<Deletion>, bool) {
        (self.steps.drain(..).collect(), self.asked > 0)
    }
}

/// The steps of a deletion.
fn plan(reader: &dyn Reader, doomed: &Doomed) -> Plan {
    let mut steps = Vec::new();
    match doomed {
        Doomed::Messages { conversation, messages } => {
            let messages = messages.iter().copied().collect();
            steps.extend(steps_of(reader, *conversation, &|id| BTreeSet::contains(&messages, &id))?);
        }
        Doomed::Conversation { conversation, up_to } => {
            steps.extend(steps_of(reader, *conversation, &|id| id <= *up_to)?);
        }
        Doomed::OlderThan(at) => {
            let mut old: BTreeMap<ConversationId, BTreeSet<MessageId>> = BTreeMap::new();
            for (conversation, message) in reader.older_than(*at)? {
                old.entry(conversation).or_default().insert(message);
            }
            for (conversation, messages) in old {
                steps.extend(steps_of(reader, conversation, &|id| messages.contains(&id))?);
            }
        }
    }
    Ok(steps)
}

fn steps_of(
    reader: &dyn Reader,
    conversation: ConversationId,
    is_doomed: &dyn Fn(MessageId) -> bool,
) -> Result<Vec<Deletion>, ReadError> {
    let outline = reader.outline(conversation, None)?;
    let (doomed, left): (Vec<_>, Vec<_>) = outline.into_iter().partition(|row| is_doomed(row.id));
    let last = left.last().map(|row| reader.message(row.id)).transpose()?.flatten().map(last_row);
    let step = |rows: &[crate::store::history::OutlineRow]| Deletion {
        conversation,
        messages: rows.iter().map(|row| row.id).collect(),
        received: rows.iter().filter(|row| row.recipients == 0).map(|row| row.id).collect(),
        last: last.clone(),
    };
    Ok(doomed.chunks(DELETED_AT_ONCE_MAX).map(step).collect())
}

fn last_row(stored: StoredMessage) -> (LastRow, Option<Tally>) {
    match stored {
        StoredMessage::Ours(rows) => {
            let row = &rows.outgoing;
            let preview = preview(&shown(&row.content_type, &row.body));
            let tally = tally(&rows);
            (LastRow { id: row.id, at: row.at, preview, mine: true, verified: true }, Some(tally))
        }
        StoredMessage::Theirs(row) => {
            let preview = preview(&shown(&row.content_type, &row.body));
            (LastRow { id: row.id, at: row.at, preview, mine: false, verified: row.verified }, None)
        }
    }
}
