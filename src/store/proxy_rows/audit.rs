//! What a proxy's rows amount to, and what in them its promises could not rest on (W11, W12, W23).

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::ProxySchema;
use crate::proxy::journal::{DispatchRows, OutcomeState, Rows};
use crate::store::{Audit, Audited};

impl Audited for ProxySchema {
    fn audit(connection: &Connection, rows: &Rows) -> rusqlite::Result<Audit> {
        let mut faults = Vec::new();
        let bindings: usize =
            connection.query_row("SELECT count(*) FROM binding", [], |row| row.get::<_, u32>(0))? as usize;
        let unread = bindings.saturating_sub(rows.bindings.len());
        if unread > 0 {
            faults.push(format!("{unread} of {bindings} bindings cannot be read"));
        }
        if rows.secret.is_none() && !rows.dispatches.is_empty() {
            faults.push("the key behind the branches of the legs is not there".to_owned());
        }
        doubles(&rows.dispatches, &mut faults);
        for dispatch in &rows.dispatches {
            let told = faults_of(dispatch);
            faults.extend(told.into_iter().map(|what| format!("message {}: {what}", dispatch.accepted.id.0)));
        }
        Ok(Audit { contents: contents(rows), faults })
    }
}

fn contents(rows: &Rows) -> Vec<String> {
    let open: Vec<usize> = rows.dispatches.iter().map(open_legs).filter(|open| *open > 0).collect();
    let is_owed = |dispatch: &&DispatchRows| dispatch.report.is_some_and(|report| !report.closed);
    let owed = rows.dispatches.iter().filter(is_owed).count();
    vec![
        format!("{} messages accepted", rows.dispatches.len()),
        format!(
            "{} of them go on at the next start, to {} recipients",
            open.len(),
            open.iter().sum::<usize>()
        ),
        format!("{} of these wait in the mailbox", rows.dispatches.iter().map(deferred).sum::<usize>()),
        format!("{owed} reports begun and not yet answered"),
        format!("{} bindings", rows.bindings.len()),
        format!("{} users", rows.users.len()),
        format!("{} aliases and lists", rows.aliases.len()),
    ]
}

/// Recipients who have no outcome, or wait for one.
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

/// One key, one message (W12).
fn doubles(dispatches: &[DispatchRows], faults: &mut Vec<String>) {
    let mut known = BTreeMap::new();
    for dispatch in dispatches {
        let id = dispatch.accepted.id.0;
        if let Some(first) = known.insert(dispatch.accepted.key.as_str(), id) {
            faults.push(format!("messages {first} and {id} are the same submission"));
        }
    }
}

fn faults_of(dispatch: &DispatchRows) -> Vec<String> {
    let accepted = &dispatch.accepted;
    let mut faults = Vec::new();
    if let Err(why) = accepted.read_back() {
        faults.push(why.to_owned());
    }
    if accepted.to_tag.is_empty() {
        faults.push("the tag of its 202 is not there".to_owned());
    }
    for outcome in &dispatch.outcomes {
        let is_there =
            usize::try_from(outcome.recipient).is_ok_and(|recipient| recipient < accepted.recipients.len());
        if !is_there {
            faults.push(format!("an outcome of its recipient {}, whom it does not have", outcome.recipient));
        }
    }
    faults
}
