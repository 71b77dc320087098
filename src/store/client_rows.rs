//! How the client's journal is stored as rows.

use std::convert::Infallible;
use std::time::Duration;

use rusqlite::{Connection, Row, params};

use crate::limits::{ASKING_LOADED_MAX, COMMITS_APART, COMMITS_AT_ONCE, OPEN_LOADED_MAX};
use crate::model::journal::{
    AttemptRow, AttemptStage, ConversationId, ConversationRow, DeliveryRow, IncomingRow, KeyRow, MessageId,
    OpenRows, OutgoingRow, PersonRow, Rows, Way, Write,
};
use crate::model::reason::{LocalReason, Phrase};
use crate::sip::{Content, ReportOptions, content};
use crate::store::columns::{Json, millis, people, people_column, signed, timestamp, unsigned};
use crate::store::tables::Journal;
use crate::store::{Pace, Schema};

mod heads;

mod texts;

mod reports;

mod drafts;

mod deletion;

mod words;

pub(super) use heads::preview;
pub(super) use texts::unfilled_count;

use words::{state, way, way_word};

/// The tables of a client.
#[derive(Debug)]
pub struct ClientSchema;

impl Schema for ClientSchema {
    type Write = Write;
    type Rows = Rows;
    type Streamed = Infallible;
    const NAME: &'static str = "client";
    const APPLICATION_ID: i32 = 0x4641_4e43; // "FANC"
    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("client_1.sql"),
        include_str!("client_2.sql"),
        include_str!("client_3.sql"),
        include_str!("client_4.sql"),
        include_str!("client_5.sql"),
        include_str!("client_6.sql"),
        include_str!("client_7.sql"),
        include_str!("client_8.sql"),
    ];
    const PACE: Option<Pace> = Some(Pace { every: COMMITS_APART, at_once: COMMITS_AT_ONCE });

    fn apply(connection: &Connection, write: &Write) -> rusqlite::Result<()> {
        match write {
            Write::Conversation(conversation) => put_conversation(connection, conversation),
            Write::Outgoing(outgoing) => put_outgoing(connection, outgoing),
            Write::People { conversation, people } => {
                let sql = "UPDATE conversation SET people = ?2 WHERE id = ?1";
                let values = params![signed(conversation.0), people_column(people)];
                connection.prepare_cached(sql)?.execute(values).map(drop)
            }
            Write::Recipients { message, people } => {
                let sql = "UPDATE message SET people = ?2 WHERE id = ?1";
                let values = params![signed(message.0), people_column(people)];
                connection.prepare_cached(sql)?.execute(values).map(drop)
            }
            Write::Attempt(attempt) => put_attempt(connection, attempt),
            Write::Delivery(delivery) => put_delivery(connection, delivery),
            Write::Stranger(stranger) => reports::put_stranger(connection, stranger),
            Write::Report(report) => reports::put_report(connection, report),
            Write::Draft { row, has_new_files } => drafts::put_draft(connection, row, *has_new_files),
            Write::ForgetDraft(place) => drafts::forget_draft(connection, *place),
            Write::Delete { conversation, messages } => deletion::delete(connection, *conversation, messages),
            Write::Incoming(incoming) => put_incoming(connection, incoming),
            Write::Seen { conversation, message } => put_seen(connection, *conversation, *message),
            Write::ForgetKeysBefore(at) => {
                let sql = "DELETE FROM inbox_key WHERE at < ?1";
                connection.prepare_cached(sql)?.execute([at.as_millis_i64()]).map(drop)
            }
        }
    }

    fn mend(connection: &Connection) -> rusqlite::Result<bool> {
        texts::empty_if_damaged(connection)
    }

    fn tend(connection: &Connection) -> rusqlite::Result<bool> {
        texts::fill(connection)
    }

    fn reader(connection: &Connection) -> &<Write as Journal>::Reader {
        connection
    }

    fn load(connection: &Connection) -> rusqlite::Result<Rows> {
        // Where messages were deleted, no number is given again up to which messages were seen, or are still to be indexed.
        let last = "SELECT (SELECT coalesce(max(id), 0) FROM conversation),
                           max((SELECT coalesce(max(id), 0) FROM message),
                               (SELECT coalesce(max(seen), 0) FROM conversation),
                               (SELECT below - 1 FROM text_fill))";
        let (last_conversation, last_message) =
            connection.query_row(last, [], |row| Ok((unsigned(row.get(0)?), unsigned(row.get(1)?))))?;
        Ok(Rows {
            conversations: heads::heads(connection)?,
            open: open(connection)?,
            keys: keys(connection)?,
            unseen: heads::unseen(connection)?,
            drafts: drafts::drafts(connection)?,
            last_conversation,
            last_message,
            instance: Some(instance(connection)?),
        })
    }
}

/// A UUID of version 4 (RFC 9562 §5.4), from random bits that the store got when it was created.
fn instance(connection: &Connection) -> rusqlite::Result<String> {
    let hex: String = connection.query_row("SELECT bits FROM device", [], |row| row.get(0))?;
    let part = |range| hex.get(range).unwrap_or_default();
    Ok(format!(
        "urn:uuid:{}-{}-4{}-a{}-{}",
        part(0..8),
        part(8..12),
        part(13..16),
        part(17..20),
        part(20..32)
    ))
}

fn put_conversation(connection: &Connection, conversation: &ConversationRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO conversation (id, people, hidden) VALUES (?1, ?2, ?3)";
    let people = people_column(&conversation.people);
    connection
        .prepare_cached(sql)?
        .execute(params![signed(conversation.id.0), people, conversation.hidden])
        .map(drop)
}

/// The columns of `message` that both directions share.
const INSERT_MESSAGE: &str =
    "INSERT INTO message (id, conversation, at, sent_at, from_address, from_name, people,
                                                   content_type, chars, newlines, recipient_count, body, unverified)
                              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

fn put_outgoing(connection: &Connection, outgoing: &OutgoingRow) -> rusqlite::Result<()> {
    let content = content(&outgoing.content_type, &outgoing.body);
    let (chars, newlines) = extent(&content);
    let nobody: Option<&str> = None;
    connection.prepare_cached(INSERT_MESSAGE)?.execute(params![
        signed(outgoing.id.0),
        signed(outgoing.conversation.0),
        outgoing.at.as_millis_i64(),
        None::<i64>,
        nobody,
        nobody,
        people_column(&outgoing.recipients),
        outgoing.content_type,
        chars,
        newlines,
        count(&outgoing.recipients),
        outgoing.body.as_ref(),
        false,
    ])?;
    texts::put_text(connection, signed(outgoing.id.0), &content)
}

fn put_incoming(connection: &Connection, incoming: &IncomingRow) -> rusqlite::Result<()> {
    let content = content(&incoming.content_type, &incoming.body);
    let (chars, newlines) = extent(&content);
    connection.prepare_cached(INSERT_MESSAGE)?.execute(params![
        signed(incoming.id.0),
        signed(incoming.conversation.0),
        incoming.at.as_millis_i64(),
        incoming.sent_at.map(|at| at.as_millis_i64()),
        incoming.from.address,
        incoming.from.name,
        people_column(&incoming.also_to),
        incoming.content_type,
        chars,
        newlines,
        0,
        incoming.body.as_ref(),
        !incoming.verified,
    ])?;
    texts::put_text(connection, signed(incoming.id.0), &content)?;
    let sql = "INSERT OR REPLACE INTO inbox_key (key, at) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute(params![incoming.key, incoming.at.as_millis_i64()]).map(drop)
}

fn put_attempt(connection: &Connection, attempt: &AttemptRow) -> rusqlite::Result<()> {
    let (stage, to_tag) = match &attempt.stage {
        AttemptStage::Queued => ("queued", None),
        AttemptStage::Sent => ("sent", None),
        AttemptStage::Accepted { to_tag } => ("accepted", Some(to_tag)),
        AttemptStage::Closed => ("closed", None),
    };
    // The To tag is kept after the attempt is closed, because a late report is still recognized by it (W25).
    let sql = "INSERT INTO attempt (message, number, recipients, call_id, from_tag, cseq, report, way, stage, to_tag,
                                    at, by_list, asks)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
               ON CONFLICT (message, number) DO UPDATE SET recipients = ?3, call_id = ?4, from_tag = ?5, cseq = ?6,
                   report = ?7, way = ?8, stage = ?9, to_tag = coalesce(?10, to_tag), at = ?11,
                   by_list = ?12, asks = ?13";
    connection
        .prepare_cached(sql)?
        .execute(params![
            signed(attempt.message.0),
            attempt.number,
            Json(&attempt.recipients),
            attempt.call_id,
            attempt.from_tag,
            attempt.cseq,
            attempt.report.to_string(),
            way_word(attempt.way),
            stage,
            to_tag,
            attempt.at.as_millis_i64(),
            attempt.way == Way::ByList,
            attempt.asks,
        ])
        .map(drop)
}

fn put_delivery(connection: &Connection, delivery: &DeliveryRow) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO delivery (message, recipient, attempt, state, status, phrase, tries, after_ms, at, local)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let (code, phrase) = match &delivery.phrase {
        Phrase::Verbatim(text) => (None, text.as_str()),
        Phrase::Local(found) => (Some(found.code()), found.detail()),
    };
    connection
        .prepare_cached(sql)?
        .execute(params![
            signed(delivery.message.0),
            delivery.recipient,
            delivery.attempt,
            delivery.state.word(),
            delivery.status,
            phrase,
            delivery.tries,
            delivery.after.map(millis),
            delivery.at.as_millis_i64(),
            code,
        ])
        .map(drop)
}

fn put_seen(
    connection: &Connection,
    conversation: ConversationId,
    message: MessageId,
) -> rusqlite::Result<()> {
    let sql = "UPDATE conversation SET seen = max(coalesce(seen, 0), ?2) WHERE id = ?1";
    connection.prepare_cached(sql)?.execute([signed(conversation.0), signed(message.0)]).map(drop)
}

/// Characters and line breaks of a body's text, for the outline.
fn extent(content: &Content) -> (u32, u32) {
    let text = &content.text;
    let newlines = text.bytes().filter(|byte| *byte == b'\n').count();
    (u32::try_from(text.chars().count()).unwrap_or(u32::MAX), u32::try_from(newlines).unwrap_or(u32::MAX))
}

fn count(people: &[PersonRow]) -> u32 {
    u32::try_from(people.len()).unwrap_or(u32::MAX)
}

fn open(connection: &Connection) -> rusqlite::Result<Vec<OpenRows>> {
    // Messages in progress, not delivered to somebody in any attempt, last of their conversation, or recent and perhaps
    // unread.
    let sql = "SELECT message FROM attempt WHERE stage <> 'closed'
               UNION
               SELECT message FROM (
                   SELECT DISTINCT d.message FROM delivery d
                   WHERE d.state IN ('failed', 'no-report')
                     AND NOT EXISTS (SELECT 1 FROM delivery g
                                     WHERE g.message = d.message AND g.recipient = d.recipient
                                       AND g.state IN ('delivered', 'passed-on', 'read'))
                   ORDER BY d.message DESC LIMIT ?1)
               UNION
               SELECT m.id FROM message m
               WHERE m.recipient_count > 0
                 AND m.id IN (SELECT max(l.id) FROM message l GROUP BY l.conversation)
               UNION
               SELECT message FROM (SELECT DISTINCT message FROM attempt WHERE asks = 1
                                    ORDER BY message DESC LIMIT ?2)
               ORDER BY 1";
    let mut statement = connection.prepare(sql)?;
    let limit = i64::try_from(OPEN_LOADED_MAX).unwrap_or(i64::MAX);
    let asking = i64::try_from(ASKING_LOADED_MAX).unwrap_or(i64::MAX);
    let ids: Vec<i64> =
        statement.query_map([limit, asking], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    ids.into_iter().map(|id| open_rows(connection, id)).collect()
}

fn open_rows(connection: &Connection, id: i64) -> rusqlite::Result<OpenRows> {
    let sql = "SELECT id, conversation, at, content_type, body, people FROM message WHERE id = ?1";
    let outgoing = connection.prepare_cached(sql)?.query_row([id], outgoing)?;
    Ok(OpenRows { outgoing, attempts: attempts(connection, id)?, deliveries: deliveries(connection, id)? })
}

/// A row of `message` for a message written here.
pub(super) fn outgoing(row: &Row<'_>) -> rusqlite::Result<OutgoingRow> {
    Ok(OutgoingRow {
        id: MessageId(unsigned(row.get("id")?)),
        conversation: ConversationId(unsigned(row.get("conversation")?)),
        at: timestamp(row, "at")?,
        content_type: row.get("content_type")?,
        body: row.get::<_, Vec<u8>>("body")?.into(),
        recipients: people(row, "people")?,
    })
}

/// The attempts of one message, in order.
pub(super) fn attempts(connection: &Connection, message: i64) -> rusqlite::Result<Vec<AttemptRow>> {
    let sql =
        "SELECT message, number, recipients, call_id, from_tag, cseq, report, way, by_list, asks, stage, to_tag, at
               FROM attempt
               WHERE message = ?1 ORDER BY number";
    connection.prepare_cached(sql)?.query_map([message], attempt)?.collect()
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    let word: String = row.get("way")?;
    let Some(way) = way(&word, row.get("by_list")?) else {
        // Unreachable: the table's CHECK allows no other word.
        return Err(rusqlite::Error::InvalidColumnName(format!("way {word}")));
    };
    let stage = match row.get::<_, String>("stage")?.as_str() {
        "queued" => AttemptStage::Queued,
        "sent" => AttemptStage::Sent,
        "accepted" => {
            AttemptStage::Accepted { to_tag: row.get::<_, Option<String>>("to_tag")?.unwrap_or_default() }
        }
        _ => AttemptStage::Closed,
    };
    Ok(AttemptRow {
        message: MessageId(unsigned(row.get("message")?)),
        number: row.get("number")?,
        recipients: row.get::<_, Json<Vec<u32>>>("recipients")?.0,
        call_id: row.get("call_id")?,
        from_tag: row.get("from_tag")?,
        cseq: row.get("cseq")?,
        report: ReportOptions::parse(&row.get::<_, String>("report")?).unwrap_or_default(),
        way,
        asks: row.get("asks")?,
        stage,
        at: timestamp(row, "at")?,
    })
}

/// The delivery states of one message, by recipient and attempt.
pub(super) fn deliveries(connection: &Connection, message: i64) -> rusqlite::Result<Vec<DeliveryRow>> {
    let sql =
        "SELECT message, recipient, attempt, state, status, phrase, local, tries, after_ms, at FROM delivery
               WHERE message = ?1 ORDER BY attempt, recipient";
    connection.prepare_cached(sql)?.query_map([message], delivery)?.collect()
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    let word: String = row.get("state")?;
    let Some(state) = state(&word) else {
        // Unreachable: the table's CHECK allows no other word.
        return Err(rusqlite::Error::InvalidColumnName(format!("state {word}")));
    };
    let after: Option<i64> = row.get("after_ms")?;
    Ok(DeliveryRow {
        message: MessageId(unsigned(row.get("message")?)),
        attempt: row.get("attempt")?,
        recipient: row.get("recipient")?,
        state,
        status: row.get("status")?,
        phrase: phrase(row)?,
        tries: row.get("tries")?,
        after: after.map(|after| Duration::from_millis(unsigned(after))),
        at: timestamp(row, "at")?,
    })
}

/// A reason phrase, or the reason with the code in `local`; a code that we do not know leaves its detail.
fn phrase(row: &Row<'_>) -> rusqlite::Result<Phrase> {
    let (text, code): (String, Option<String>) = (row.get("phrase")?, row.get("local")?);
    let found = code.and_then(|code| LocalReason::of(&code, &text));
    Ok(found.map_or(Phrase::Verbatim(text), Phrase::Local))
}

fn keys(connection: &Connection) -> rusqlite::Result<Vec<KeyRow>> {
    // The machine deletes old keys with `ForgetKeysBefore`, so all that are here are still valid.
    let mut statement = connection.prepare("SELECT key, at FROM inbox_key ORDER BY at, key")?;
    statement.query_map([], |row| Ok(KeyRow { at: timestamp(row, "at")?, key: row.get("key")? }))?.collect()
}

#[cfg(test)]
mod tests;
