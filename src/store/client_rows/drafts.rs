//! Messages that are being written.

use rusqlite::{Connection, Row, params};

use crate::model::journal::{ConversationId, DraftPlace, DraftRow};
use crate::sip::File;
use crate::store::columns::{people, people_column, signed, timestamp, unsigned};

/// Those that are sent later come before 0, in the order of their numbers.
const LATER_FROM: i64 = -(1 << 32);

fn number(place: DraftPlace) -> i64 {
    match place {
        DraftPlace::Later(number) => LATER_FROM + i64::from(number),
        DraftPlace::NewMessage => 0,
        DraftPlace::In(ConversationId(id)) => signed(id),
    }
}

fn place(number: i64) -> DraftPlace {
    match number {
        0 => DraftPlace::NewMessage,
        1.. => DraftPlace::In(ConversationId(unsigned(number))),
        _ => DraftPlace::Later(u32::try_from(number - LATER_FROM).unwrap_or_default()),
    }
}

pub(super) fn put_draft(
    connection: &Connection,
    row: &DraftRow,
    has_new_files: bool,
) -> rusqlite::Result<()> {
    let place = number(row.place);
    let sql = "INSERT OR REPLACE INTO draft (place, at, text, people, hidden) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(params![
        place,
        row.at.as_millis_i64(),
        row.text,
        people_column(&row.people),
        row.hidden
    ])?;
    if !has_new_files {
        return Ok(());
    }
    connection.prepare_cached("DELETE FROM draft_file WHERE place = ?1")?.execute([place])?;
    let sql = "INSERT INTO draft_file (place, number, name, media_type, body) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut statement = connection.prepare_cached(sql)?;
    for (number, file) in (0_u32..).zip(&row.files) {
        statement.execute(params![place, number, file.name, file.media_type, file.bytes.as_ref()])?;
    }
    Ok(())
}

pub(super) fn forget_draft(connection: &Connection, place: DraftPlace) -> rusqlite::Result<()> {
    let place = number(place);
    connection.prepare_cached("DELETE FROM draft WHERE place = ?1")?.execute([place])?;
    connection.prepare_cached("DELETE FROM draft_file WHERE place = ?1")?.execute([place]).map(drop)
}

pub(super) fn drafts(connection: &Connection) -> rusqlite::Result<Vec<DraftRow>> {
    let mut statement =
        connection.prepare("SELECT place, at, text, people, hidden FROM draft ORDER BY place")?;
    let mut drafts: Vec<(i64, DraftRow)> =
        statement.query_map([], draft)?.collect::<rusqlite::Result<_>>()?;
    let sql = "SELECT name, media_type, body FROM draft_file WHERE place = ?1 ORDER BY number";
    let mut statement = connection.prepare(sql)?;
    for (place, row) in &mut drafts {
        row.files = statement.query_map([*place], file)?.collect::<rusqlite::Result<_>>()?;
    }
    Ok(drafts.into_iter().map(|(_, row)| row).collect())
}

fn draft(row: &Row<'_>) -> rusqlite::Result<(i64, DraftRow)> {
    let number: i64 = row.get("place")?;
    let draft = DraftRow {
        place: place(number),
        at: timestamp(row, "at")?,
        text: row.get("text")?,
        people: people(row, "people")?,
        hidden: row.get("hidden")?,
        files: Vec::new(),
    };
    Ok((number, draft))
}

fn file(row: &Row<'_>) -> rusqlite::Result<File> {
    Ok(File {
        name: row.get("name")?,
        media_type: row.get("media_type")?,
        bytes: row.get::<_, Vec<u8>>("body")?.into(),
    })
}
