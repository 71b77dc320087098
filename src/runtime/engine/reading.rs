//! Queries to the history and their results: one at a time, executed on the reader's thread.

use std::collections::BTreeSet;

use tokio::sync::mpsc;

use crate::limits::SNAPSHOT_MESSAGES_MAX;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::snapshot::Outline;
use crate::store::history::{History, OutlineRow, ReadError, Reader, StoredMessage};

/// Which part of a conversation to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The whole outline, and the last messages.
    End,
    /// The whole outline, and the messages around this index in it.
    Around(usize),
    /// Everything after this message.
    After(MessageId),
}

/// One query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Question {
    /// A part of a conversation.
    pub(super) part: Option<(ConversationId, Part)>,
    /// Single messages.
    pub(super) messages: BTreeSet<MessageId>,
}

/// The part of a conversation that was read.
#[derive(Debug)]
pub(super) struct ReadPart {
    pub(super) conversation: ConversationId,
    pub(super) part: Part,
    /// The whole outline, or its new end.
    pub(super) outline: Vec<Outline>,
    /// The index in that outline where `messages` begin.
    pub(super) first: usize,
    pub(super) messages: Vec<StoredMessage>,
}

/// What was read.
#[derive(Debug)]
pub(super) struct ReadResult {
    pub(super) part: Option<ReadPart>,
    pub(super) messages: Vec<StoredMessage>,
}

/// Hands a query to the reader; false if too many are waiting there.
pub(super) fn ask(
    history: &History,
    question: Question,
    answers: &mpsc::Sender<Result<ReadResult, ReadError>>,
) -> bool {
    let answers = answers.clone();
    history.ask(move |reader| {
        // The channel has room, as queries go one at a time; if the engine is gone, nobody needs the answer.
        answers.try_send(answer(reader, &question)).ok();
    })
}

fn answer(reader: &dyn Reader, question: &Question) -> Result<ReadResult, ReadError> {
    let part = question.part.map(|(conversation, part)| read_part(reader, conversation, part)).transpose()?;
    let single: Result<Vec<_>, _> = question.messages.iter().map(|id| reader.message(*id)).collect();
    Ok(ReadResult { part, messages: single?.into_iter().flatten().collect() })
}

fn read_part(reader: &dyn Reader, conversation: ConversationId, part: Part) -> Result<ReadPart, ReadError> {
    let after = match part {
        Part::End | Part::Around(_) => None,
        Part::After(id) => Some(id),
    };
    let rows = reader.outline(conversation, after)?;
    let outline: Vec<Outline> = rows.into_iter().map(outline_entry).collect();
    let first = match part {
        Part::End | Part::After(_) => outline.len().saturating_sub(SNAPSHOT_MESSAGES_MAX),
        Part::Around(index) => first_around(index, outline.len()),
    };
    let end = outline.len().min(first + SNAPSHOT_MESSAGES_MAX);
    let messages = match outline.get(first..end) {
        Some([only]) => reader.messages(conversation, only.id, only.id)?,
        Some([start, .., end]) => reader.messages(conversation, start.id, end.id)?,
        Some([]) | None => Vec::new(),
    };
    Ok(ReadPart { conversation, part, outline, first, messages })
}

const fn outline_entry(row: OutlineRow) -> Outline {
    Outline { id: row.id, chars: row.chars, newlines: row.newlines, recipients: row.recipients }
}

/// Start of the range of messages centered on this index, shifted to stay within the outline.
fn first_around(index: usize, length: usize) -> usize {
    index.saturating_sub(SNAPSHOT_MESSAGES_MAX / 2).min(length.saturating_sub(SNAPSHOT_MESSAGES_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_lies_around_its_place_and_within_the_conversation() {
        let half = SNAPSHOT_MESSAGES_MAX / 2;
        assert_eq!(first_around(0, 10), 0);
        assert_eq!(first_around(half + 7, 10_000), 7);
        assert_eq!(first_around(9_999, 10_000), 10_000 - SNAPSHOT_MESSAGES_MAX);
        assert_eq!(first_around(usize::MAX, 10_000), 10_000 - SNAPSHOT_MESSAGES_MAX);
    }
}
