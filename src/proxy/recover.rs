//! The machine after a start: bindings and messages from the rows of the store, and what was under way goes on (W11, W15).

use super::core::{Core, Due};
use super::dispatch::{Dispatch, Dispatches, Known, make};
use super::journal::{AcceptedRow, DispatchRows, Write};
use super::notifier::Extent;
use super::submission::{Person, Submission};
use crate::machine::Flow;
use crate::time::{Now, Timestamp};

/// Puts the rows back; recipients with an outcome are never sent again, and the reports that are owed come.
pub(super) fn recover(core: &mut Core, dispatches: &mut Dispatches, rows: super::journal::Rows, now: Now) {
    for mut row in rows.bindings {
        row.flow = without_connection(row.flow);
        if row.expires_at > now.wall {
            core.location.apply(&Write::Bind(row), now);
        } else {
            core.write(Write::Unbind { aor: row.aor, contact: row.contact });
        }
    }
    for rows in rows.dispatches {
        take_up(core, dispatches, rows, now);
    }
}

fn take_up(core: &mut Core, dispatches: &mut Dispatches, rows: DispatchRows, now: Now) {
    let DispatchRows { mut accepted, outcomes, report } = rows;
    let id = accepted.id;
    let known_since = outcomes.iter().map(|outcome| accepted.accepted_at.plus(outcome.after)).max();
    accepted.flow = without_connection(accepted.flow);
    let Some(mut dispatch) = remake(core, &accepted, (outcomes, report)) else {
        // It was read when it was accepted, so this is a row of another make: nothing can be done with it.
        dispatches.skip(id);
        core.write(Write::Forget(id));
        return;
    };
    let is_complete = dispatch.extent() == Extent::Complete;
    if is_complete {
        finish(&mut dispatch, known_since.unwrap_or(accepted.accepted_at));
    }
    let (is_closed, due) = (dispatch.report.is_closed(), dispatch.report.row().due_at);
    let sender = dispatch.report.sender.clone();
    dispatches.insert(core, dispatch, now);
    match (is_complete, due.filter(|_| !is_closed)) {
        (false, _) => dispatches.start(core, id, now),
        (true, Some(due)) => {
            core.agenda.add(now.mono_at(due), Due::Round(id));
            dispatches.wait_for(sender, id);
        }
        (true, None) => dispatches.complete(core, id, now),
    }
}

/// The message from its row: the submission is read again.
fn remake(core: &mut Core, row: &AcceptedRow, known: Known) -> Option<Dispatch> {
    let (request, all) = row.read_back().ok()?;
    let mut submission = Submission::read(request, &core.domains, core.secret).ok()?;
    // The stored choice holds, also where the domains of the settings have changed since.
    let person = |place: &u32| {
        let united = submission.recipients.iter().find(|person| person.place == *place);
        united.cloned().or_else(|| {
            let addressed = all.get(usize::try_from(*place).ok()?)?.clone();
            Some(Person { place: *place, route: addressed.uri.to_sip(), addressed })
        })
    };
    submission.recipients = row.recipients.iter().map(person).collect::<Option<_>>()?;
    Some(make(core, row, submission, Some(known)))
}

/// Every outcome is known: only the report is kept.
fn finish(dispatch: &mut Dispatch, since: Timestamp) {
    let detail = dispatch.report.detail;
    if let Some(legs) = dispatch.legs.take() {
        dispatch.report.remember(legs.report(detail), since);
    }
}

/// No connection outlives its process; its number may be another one's now.
const fn without_connection(flow: Flow) -> Flow {
    Flow { connection: None, ..flow }
}
