//! Summarizes a proxy's rows, and finds those that break its promises (W11, W12, W23).

use rusqlite::Connection;

use super::{ProxySchema, dispatches};
use crate::model::text::counted;
use crate::proxy::journal::{DispatchRows, OutcomeState, Rows};
use crate::store::columns::unsigned;
use crate::store::{Audit, Audited, Schema};

/// Most faults reported; a store with more of them is lost in any case.
const FAULTS_TOLD_MAX: usize = 1000;

impl Audited for ProxySchema {
    fn audit(connection: &Connection) -> rusqlite::Result<Audit> {
        let rows = Self::recover(connection)?;
        let mut faults = Vec::new();
        let bindings: usize =
            connection.query_row("SELECT count(*) FROM binding", [], |row| row.get::<_, u32>(0))? as usize;
        let unread = bindings.saturating_sub(rows.bindings.len());
        if unread > 0 {
            faults.push(format!("{unread} of {} cannot be read", counted(bindings, "binding", "bindings")));
        }
        let mut sum = Sum::default();
        let mut of_messages = Vec::new();
        dispatches::each_row(connection, |dispatch| {
            sum.add(&dispatch);
            if of_messages.len() < FAULTS_TOLD_MAX {
                let told = faults_of(&dispatch).into_iter();
                of_messages.extend(told.map(|what| format!("message {}: {what}", dispatch.accepted.id.0)));
            }
        })?;
        if rows.secret.is_none() && sum.messages > 0 {
            faults.push("the key that signs the branches of the legs is missing".to_owned());
        }
        doubles(connection, &mut faults)?;
        remembered(connection, &mut faults)?;
        faults.append(&mut of_messages);
        Ok(Audit { contents: contents(&rows, &sum), faults })
    }
}

/// Totals over all messages.
#[derive(Debug, Default)]
struct Sum {
    messages: usize,
    going_on: usize,
    open_legs: usize,
    deferred: usize,
    owed: usize,
}

impl Sum {
    fn add(&mut self, dispatch: &DispatchRows) {
        let open = open_legs(dispatch);
        self.messages += 1;
        self.going_on += usize::from(open > 0);
        self.open_legs += open;
        self.deferred += deferred(dispatch);
        self.owed += usize::from(dispatch.report.is_some_and(|report| !report.closed));
    }
}

fn contents(rows: &Rows, sum: &Sum) -> Vec<String> {
    vec![
        format!("{} accepted", counted(sum.messages, "message", "messages")),
        format!(
            "{} at the next start, to {}",
            counted(sum.going_on, "of them goes on", "of them go on"),
            counted(sum.open_legs, "recipient", "recipients")
        ),
        counted(sum.deferred, "of these waits in the mailbox", "of these wait in the mailbox"),
        format!("{} begun and not yet answered", counted(sum.owed, "report", "reports")),
        counted(rows.bindings.len(), "binding", "bindings"),
        counted(rows.users.len(), "user", "users"),
        counted(rows.aliases.len(), "alias or list", "aliases and lists"),
    ]
}

/// Recipients without an outcome, or still waiting for one.
fn open_legs(dispatch: &DispatchRows) -> usize {
    let is_known = |state: OutcomeState| match state {
        OutcomeState::Delivered | OutcomeState::Failed => true,
        OutcomeState::Deferred => false,
    };
    let known = dispatch.outcomes.iter().filter(|outcome| is_known(outcome.state)).count();
    dispatch.accepted.recipients.len().saturating_sub(known)
}

/// Recipients who are absent (W18).
fn deferred(dispatch: &DispatchRows) -> usize {
    dispatch.outcomes.iter().filter(|outcome| outcome.state == OutcomeState::Deferred).count()
}

/// Finds two messages with the same key (W12).
fn doubles(connection: &Connection, faults: &mut Vec<String>) -> rusqlite::Result<()> {
    let sql =
        "SELECT id, next FROM (SELECT id, lead(id) OVER (PARTITION BY key ORDER BY id) AS next FROM dispatch)
               WHERE next IS NOT NULL LIMIT ?1";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([i64::try_from(FAULTS_TOLD_MAX).unwrap_or(i64::MAX)])?;
    while let Some(row) = rows.next()? {
        let (first, id) = (unsigned(row.get(0)?), unsigned(row.get(1)?));
        faults.push(format!("messages {first} and {id} are the same submission"));
    }
    Ok(())
}

/// Every message that a start does not read whole must be among the remembered ones (W12).
fn remembered(connection: &Connection, faults: &mut Vec<String>) -> rusqlite::Result<()> {
    let sql = "SELECT count(*) FROM dispatch LEFT JOIN remembered ON remembered.dispatch = dispatch.id
               WHERE is_brief <> (remembered.dispatch IS NOT NULL)";
    let count: u32 = connection.query_row(sql, [], |row| row.get(0))?;
    if count > 0 {
        let of = counted(usize::try_from(count).unwrap_or(usize::MAX), "message", "messages");
        faults.push(format!("for {of} it is not clear whether anything is still owed"));
    }
    Ok(())
}

fn faults_of(dispatch: &DispatchRows) -> Vec<String> {
    let accepted = &dispatch.accepted;
    let mut faults = Vec::new();
    if let Err(why) = accepted.read_back() {
        faults.push(why.to_owned());
    }
    if accepted.to_tag.is_empty() {
        faults.push("the tag of its 202 is missing".to_owned());
    }
    for outcome in &dispatch.outcomes {
        let is_there =
            usize::try_from(outcome.recipient).is_ok_and(|recipient| recipient < accepted.recipients.len());
        if !is_there {
            faults.push(format!(
                "it has an outcome for recipient {}, but no such recipient",
                outcome.recipient
            ));
        }
    }
    faults
}
