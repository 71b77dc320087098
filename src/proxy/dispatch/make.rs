//! Makes a message in memory: from a submission, or again from its rows after a restart or when it is repeated.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::legs::{Legs, MayWait};
use super::notifier::{Extent, Report};
use super::submission::{AddressEntry, Addressee, LIST_TRAIL, Lists, Submission};
use super::{Dispatch, EXPIRES_MAX, StoredRows};
use crate::machine::Flow;
use crate::proxy::core::Core;
use crate::proxy::identity;
use crate::proxy::in_dialog::InDialog;
use crate::proxy::journal::{AcceptedRow, DispatchRows, expand};
use crate::sip::LegTemplate;
use crate::time::Timestamp;

/// Makes a message from its row and the submission in it; `known` is what else the store knew.
pub(super) fn make(
    core: &mut Core,
    row: &AcceptedRow,
    submission: Submission,
    known: Option<StoredRows>,
) -> Dispatch {
    let (outcomes, begun) = known.unzip();
    let report = Report::new(core, &submission, begun.flatten());
    let addressed: Vec<_> = submission.lines.iter().map(|line| line.addressed.clone()).collect();
    let template = LegTemplate::new(&submission.request, &addressed, core.date(row.accepted_at));
    let trail = submission.trail(&core.domains, core.secret);
    let template = if trail.is_empty() { template } else { template.with(LIST_TRAIL, trail.join(", ")) };
    let dialog = InDialog::of(core, &submission.request);
    let asked = submission.expires.filter(|secs| *secs > 0).map(|secs| Duration::from_secs(secs.into()));
    let kept = core.config.mailbox.map_or(EXPIRES_MAX, |mailbox| mailbox.kept);
    let may_wait = core.config.mailbox.is_some() && asked.is_some_and(|asked| asked > core.config.timers.f());
    let sender = identity::sender(core, &submission.request, row.flow);
    Dispatch {
        id: row.id,
        double: core.secret.double(&row.key),
        content: submission.content,
        to_tag: row.to_tag.clone(),
        accepted_at: row.accepted_at,
        lifetime: asked.map(|asked| asked.min(kept)),
        waits: if may_wait { MayWait::May } else { MayWait::MayNot },
        expire_at: None,
        forget_at: None,
        bytes: submission.request.bytes().len(),
        head_bytes: u32::try_from(submission.request.bytes().len() - submission.request.body().len())
            .unwrap_or(u32::MAX),
        payer: core.payer(&sender),
        sender,
        asserted: identity::asserted(core, &submission.request, row.flow),
        flow: row.flow,
        pending: None,
        legs: Some(Box::new(Legs::new(
            (template, dialog),
            &submission.lines,
            submission.recipients,
            outcomes,
        ))),
        report,
        is_save_due: false,
        report_bytes: 0,
        may_be_brief: false,
    }
}

/// Makes a message from its rows, with the time since when all that was known; `None` if its submission is unreadable.
pub(crate) fn remake(core: &mut Core, rows: DispatchRows) -> Option<(Dispatch, Timestamp)> {
    let DispatchRows { mut accepted, outcomes, report, content } = rows;
    let known_since = outcomes.iter().map(|outcome| accepted.accepted_at.plus(outcome.after)).max();
    let since = known_since.unwrap_or(accepted.accepted_at);
    accepted.flow = without_connection(accepted.flow);
    let submission = submission(core, &accepted)?;
    let mut dispatch = make(core, &accepted, submission, Some((outcomes, report)));
    if let Some(content) = content {
        dispatch.content = u128::from_be_bytes(content);
    }
    match dispatch.extent() {
        Extent::Interim => {}
        Extent::Waiting => dispatch.report.remember_since(since),
        Extent::Complete => finish(&mut dispatch, since),
    }
    Some((dispatch, since))
}

/// Reads the stored submission again.
fn submission(core: &Core, row: &AcceptedRow) -> Option<Submission> {
    let (request, all) = row.read_back().ok()?;
    let lists = Lists::Stored(&row.lists);
    let mut submission = Submission::read(request, &core.domains, core.secret, lists).ok()?;
    let all = expand(&all, &row.lists);
    let united: BTreeMap<u32, &Addressee> =
        submission.recipients.iter().map(|person| (person.place, person)).collect();
    // The stored choice of recipients holds, even if the configured domains have changed since.
    let person = |place: &u32| {
        united.get(place).map(|person| (*person).clone()).or_else(|| {
            let (_, addressed) = all.get(usize::try_from(*place).ok()?)?.clone();
            Some(Addressee { place: *place, route: addressed.uri.to_sip(), addressed })
        })
    };
    let recipients: Vec<Addressee> = row.recipients.iter().map(person).collect::<Option<_>>()?;
    let in_lines: BTreeSet<u32> = submission.lines.iter().flat_map(|line| &line.places).copied().collect();
    let missing = recipients.iter().filter(|person| !in_lines.contains(&person.place)).map(AddressEntry::of);
    submission.lines.extend(missing.collect::<Vec<_>>());
    submission.recipients = recipients;
    Some(submission)
}

/// Every outcome is known: keeps the report only, unless a device still needs the message.
fn finish(dispatch: &mut Dispatch, since: Timestamp) {
    let detail = dispatch.report.detail;
    if let Some(legs) = &dispatch.legs {
        dispatch.report.remember(legs.report(detail), since);
    }
    // While a device is owed the message, the legs are needed (W16).
    dispatch.legs.take_if(|legs| !legs.is_owed());
}

/// A flow without its connection: no connection outlives its process, and its number may now be another one's.
const fn without_connection(flow: Flow) -> Flow {
    Flow { connection: None, ..flow }
}
