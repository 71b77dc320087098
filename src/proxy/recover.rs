//! The machine after a start: bindings and messages from the rows of the store, and what was under way goes on (W11, W15).

use super::aliases::Aliases;
use super::core::{Core, Due};
use super::dispatch::{Dispatch, Dispatches, Known, make};
use super::journal::{AcceptedRow, DispatchRows, Write, expand};
use super::notifier::Extent;
use super::submission::{Line, Lists, Person, Submission};
use crate::limits::DEVICE_REMEMBERED;
use crate::machine::Flow;
use crate::time::{Now, Timestamp};

/// Puts the rows back; recipients with an outcome are never sent again, and the reports that are owed come.
pub(super) fn recover(core: &mut Core, dispatches: &mut Dispatches, rows: super::journal::Rows, now: Now) {
    core.aliases = Aliases::new(&rows.aliases);
    for mut row in rows.bindings {
        row.flow = without_connection(row.flow);
        if row.expires_at > now.wall {
            core.location.apply(&Write::Bind(row), now);
        } else {
            core.write(Write::Unbind { aor: row.aor, contact: row.contact });
        }
    }
    for row in rows.devices {
        if now.wall.since(row.seen_at) < DEVICE_REMEMBERED {
            core.location.apply(&Write::Device(row), now);
        } else {
            core.write(Write::ForgetDevice { aor: row.aor, instance: row.instance });
        }
    }
    core.users.replace(&rows.users);
    for rows in rows.dispatches {
        take_up(core, dispatches, rows, now);
    }
    dispatches.call_all(core, now);
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
    let (extent, since) = (dispatch.extent(), known_since.unwrap_or(accepted.accepted_at));
    match extent {
        Extent::Interim => {}
        Extent::Waiting => dispatch.report.remember_since(since),
        Extent::Complete => finish(&mut dispatch, since),
    }
    let (report, sender) = (dispatch.report.row(), dispatch.report.sender.clone());
    let is_told = extent == Extent::Waiting && report.cseq > 0 && report.answered == report.cseq;
    dispatches.insert(core, dispatch, now);
    dispatches.restore(core, id, now);
    match (extent, report.due_at.filter(|_| !report.closed)) {
        (Extent::Interim, _) => dispatches.start(core, id, now),
        (Extent::Waiting | Extent::Complete, Some(due)) => {
            core.agenda.add(now.mono_at(due), Due::Round(id));
            dispatches.wait_for(sender, id);
        }
        (Extent::Waiting, None) if is_told => {}
        (Extent::Waiting | Extent::Complete, None) => dispatches.complete(core, id, now),
    }
}

/// The message from its row: the submission is read again.
fn remake(core: &mut Core, row: &AcceptedRow, known: Known) -> Option<Dispatch> {
    let (request, all) = row.read_back().ok()?;
    let lists = Lists::Stored(&row.lists);
    let mut submission = Submission::read(request, &core.domains, core.secret, lists).ok()?;
    let all = expand(&all, &row.lists);
    // The stored choice holds, also where the domains of the settings have changed since.
    let person = |place: &u32| {
        let united = submission.recipients.iter().find(|person| person.place == *place);
        united.cloned().or_else(|| {
            let (_, addressed) = all.get(usize::try_from(*place).ok()?)?.clone();
            Some(Person { place: *place, route: addressed.uri.to_sip(), addressed })
        })
    };
    let recipients: Vec<Person> = row.recipients.iter().map(person).collect::<Option<_>>()?;
    let has_line = |person: &&Person| submission.lines.iter().any(|line| line.places.contains(&person.place));
    let missing: Vec<Line> = recipients.iter().filter(|person| !has_line(person)).map(Line::of).collect();
    submission.lines.extend(missing);
    submission.recipients = recipients;
    Some(make(core, row, submission, Some(known)))
}

/// Every outcome is known: only the report is kept, unless somebody's device has yet to get it.
fn finish(dispatch: &mut Dispatch, since: Timestamp) {
    let detail = dispatch.report.detail;
    if let Some(legs) = &dispatch.legs {
        dispatch.report.remember(legs.report(detail), since);
    }
    // A device that is owed the message needs the legs still (W16).
    dispatch.legs.take_if(|legs| !legs.is_owed());
}

/// No connection outlives its process; its number may be another one's now.
const fn without_connection(flow: Flow) -> Flow {
    Flow { connection: None, ..flow }
}
