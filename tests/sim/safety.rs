//! Safety checks: what must never happen, checked whenever bytes leave, a disk takes a batch, or an owner is told
//! something. The checks for proxies are here, those for clients in `safety/client.rs`.

mod client;

use std::time::Duration;

use fanfare::model::journal::IncomingRow;
use fanfare::proxy::journal::{DispatchId, OutcomeRow, OutcomeState, Write};
use fanfare::time::Timestamp;

pub(crate) use self::client::{best_of, told};
use crate::model::{Accepted, Model, Owed};
use crate::text::{body, branch, field, fields, holds, is_notification, number, user};
use fanfare::simulation::{Durable, Host, HostId};
use fanfare::store::memory::{ClientMemory, ProxyMemory};

pub(crate) type Checked = Result<(), String>;

/// How long a flow may be looked up before a leg leaves on it: one Timer F.
const LOOKING: Duration = Duration::from_secs(32);

/// Most hops of a leg: Max-Forwards, plus the proxy that created it. A loop has ended by then (RFC 3261 16.3).
const HOPS_MAX: usize = 71;

/// Where something happened.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) hosts: &'a [Host],
    pub(crate) id: HostId,
    /// The host's calendar time.
    pub(crate) wall: Timestamp,
}

impl Scene<'_> {
    /// Whether the disk of a client of that user holds this message; true for people without a disk.
    fn has_received(&self, name: &str, text: &str) -> bool {
        let mut stores = self.of_user(name).filter_map(Host::agent_store).peekable();
        stores.peek().is_none()
            || stores.any(|store| store.incoming.values().any(|row| holds(&row.body, text)))
    }

    /// Whether the disk of a client of that user records this message as seen.
    fn has_read(&self, name: &str, text: &str) -> bool {
        let is_it = |store: &ClientMemory, row: &IncomingRow| holds(&row.body, text) && store.has_seen(row);
        let mut stores = self.of_user(name).filter_map(Host::agent_store);
        stores.any(|store| store.incoming.values().any(|row| is_it(store, row)))
    }

    fn of_user(&self, name: &str) -> impl Iterator<Item = &Host> {
        self.hosts.iter().filter(move |host| host.user() == name)
    }
}

/// Ok if `is_true`; otherwise the sentence.
pub(crate) fn ensure(is_true: bool, or_else: impl FnOnce() -> String) -> Checked {
    if is_true { Ok(()) } else { Err(or_else()) }
}

/// Checks bytes that leave a host.
pub(crate) fn transmitted(model: &mut Model, scene: Scene<'_>, bytes: &[u8]) -> Checked {
    let text = String::from_utf8_lossy(bytes);
    let host = &scene.hosts[scene.id.0];
    if let Some(store) = host.proxy_store() {
        return match text.split(' ').next().unwrap_or_default() {
            // A relayed ordinary message: the proxy owes it to nobody.
            "MESSAGE" if is_notification(&text) => Ok(()),
            "MESSAGE" => leg(model, scene, &text),
            "NOTIFY" => report(model, scene.id, store, &text),
            _ if text.starts_with("SIP/2.0 202 ") => acceptance(model, &text),
            _ => Ok(()),
        };
    }
    host.agent_store().map_or(Ok(()), |store| client::transmitted(model, scene, store, &text))
}

/// W11: a 202 needs a committed message.
fn acceptance(model: &Model, text: &str) -> Checked {
    let call_id = field(text, "Call-ID").unwrap_or_default();
    ensure(model.accepted.values().any(|accepted| accepted.call_id == call_id), || {
        format!("W11: a 202 to {call_id}, which is not committed")
    })
}

/// W11, W15: a leg needs a committed message. It leaves only for recipients who had no outcome when the proxy started
/// and have not answered since, and not after the message has expired (W8). A leg relayed from another proxy is checked
/// there.
fn leg(model: &mut Model, scene: Scene<'_>, text: &str) -> Checked {
    let (to, message) = (user(field(text, "To").unwrap_or_default()), body(text));
    let is_passing = fields(text, "Via").count() > 1;
    let is_own = |id: &Owed| is_passing || id.0 == scene.id;
    let of_text = || model.accepted.iter().filter(|(id, it)| it.text == message && is_own(id));
    let places: Vec<_> = of_text().filter_map(|(id, it)| Some((*id, it.place_of(to)?))).collect();
    ensure(!places.is_empty(), || format!("W11: a leg to {to} of a message that is not committed"))?;
    if is_passing {
        let hops = fields(text, "Via").count();
        return ensure(hops <= HOPS_MAX, || {
            format!("W13: a leg to {to} has come by {hops} times, and goes on")
        });
    }
    // Each device of a user who has several must get it (W16).
    let is_owed = scene.of_user(to).count() > 1;
    ensure(is_owed || places.iter().any(|place| !model.settled_at_start.contains(place)), || {
        format!("W15: a leg to {to} again, whose outcome was committed before the start")
    })?;
    let branch = (scene.id, branch(text).unwrap_or_default().to_owned());
    let is_late = of_text().all(|(_, it)| it.ends_at.is_some_and(|end| end.plus(LOOKING) < scene.wall));
    let is_first = !model.sent.contains(&branch);
    ensure(!(is_first && is_late) || model.stepped.contains(&scene.id), || {
        format!("W8: a leg to {to} of a message that has expired")
    })?;
    ensure(!model.answered.contains(&branch), || format!("W15: a leg again to {to}, who has answered 2xx"))?;
    model.sent.insert(branch);
    Ok(())
}

/// W23: a report leaves only after its outcomes and its CSeq are committed.
fn report(model: &mut Model, proxy: HostId, store: &ProxyMemory, text: &str) -> Checked {
    let call_id = field(text, "Call-ID").unwrap_or_default();
    let cseq = number(text, "CSeq").unwrap_or_default();
    let is_it = |(id, accepted): &(&Owed, &Accepted)| id.0 == proxy && accepted.call_id == call_id;
    let Some((id, accepted)) = model.accepted.iter().find(is_it) else {
        return Err(format!("a report on {call_id}, which is not committed"));
    };
    let Some(rows) = store.dispatches.get(&id.1) else {
        return Err(format!("a report on {call_id}, which is forgotten"));
    };
    let committed = rows.report.map_or(0, |report| report.cseq);
    ensure(cseq <= committed.into(), || {
        format!("W23: report {cseq} of {call_id}, committed are {committed}")
    })?;
    for line in body(text).lines() {
        let Some((address, state)) = line.split_once(" delivery ") else {
            return Err(format!("W20: {line:?} is no line of a report"));
        };
        let place = accepted.place_of(user(address));
        let known = place.and_then(|place| outcome_of(&rows.outcomes, place));
        let is_true = match state.split(';').next().unwrap_or_default() {
            "pending" => place.is_some(),
            // It may have got its final outcome since this report was written.
            "deferred" => place.is_some_and(|place| model.deferred.contains(&(*id, place))),
            "success" => known == Some(OutcomeState::Delivered),
            "failure" => known == Some(OutcomeState::Failed),
            other => return Err(format!("W20: {other:?} is reported")),
        };
        ensure(is_true, || format!("W23: {line:?} is reported, committed is {known:?}"))?;
    }
    model.reports.insert((call_id.to_owned(), cseq), body(text).to_owned());
    Ok(())
}

/// What a proxy's disk knows about a recipient.
pub(crate) fn outcome_of(outcomes: &[OutcomeRow], place: usize) -> Option<OutcomeState> {
    let of_place = |outcome: &&OutcomeRow| usize::try_from(outcome.recipient).unwrap() == place;
    outcomes.iter().find(of_place).map(|outcome| outcome.state)
}

/// Checks a batch that a disk has taken.
pub(crate) fn durable(model: &mut Model, scene: Scene<'_>, durable: &Durable) -> Checked {
    match durable {
        Durable::Proxy(writes) => writes.iter().try_for_each(|write| proxy_wrote(model, scene, write)),
        Durable::Agent(writes) => writes.iter().try_for_each(|write| client::wrote(model, scene, write)),
        Durable::Nothing => Ok(()),
    }
}

fn proxy_wrote(model: &mut Model, scene: Scene<'_>, write: &Write) -> Checked {
    match write {
        Write::Accept(row) => {
            let accepted = Accepted::of(row);
            let is_double = model.accepted.values().any(|known| known.call_id == accepted.call_id);
            ensure(!is_double, || format!("W12: {} is accepted a second time", accepted.call_id))?;
            model.accepted.insert((scene.id, row.id), accepted);
            Ok(())
        }
        Write::Outcomes { dispatch, outcomes } => {
            outcomes.iter().try_for_each(|outcome| outcome_wrote(model, scene, *dispatch, outcome))
        }
        Write::Secret(_)
        | Write::Bind(_)
        | Write::Unbind { .. }
        | Write::Device(_)
        | Write::ForgetDevice { .. }
        | Write::Report { .. }
        | Write::Moved { .. }
        | Write::Remember(_)
        | Write::Recall(_)
        | Write::Forget(_)
        | Write::Purge { .. } => Ok(()),
    }
}

/// Success needs the message on the recipient's disk. A recipient may be deferred only if the message may wait (W8);
/// before it expires, only the recipient's own answer can end the wait (W18). A final outcome never changes.
fn outcome_wrote(model: &mut Model, scene: Scene<'_>, id: DispatchId, outcome: &OutcomeRow) -> Checked {
    let id = (scene.id, id);
    let accepted = &model.accepted[&id];
    let place = index(outcome.recipient);
    let name = &accepted.people[place];
    let known = model.outcomes.insert((id, place), outcome.state);
    match outcome.state {
        OutcomeState::Delivered => ensure(scene.has_received(name, &accepted.text), || {
            format!("the proxy holds {name} for reached, who has nothing")
        })?,
        OutcomeState::Deferred => {
            ensure(accepted.may_wait, || format!("W8: {name} is deferred without an Expires that lets him"))?;
            model.deferred.insert((id, place));
        }
        OutcomeState::Failed => {
            let is_temporary = matches!(outcome.status, 408 | 430 | 480 | 503 | 504);
            let has_room = outcome.reason != "Mailbox Full";
            let is_early = accepted.ends_at.is_some_and(|end| scene.wall < end);
            let is_given_up = accepted.may_wait && is_temporary && has_room && is_early;
            ensure(!is_given_up || model.stepped.contains(&scene.id), || {
                format!("W18: {name} is given up before the message expires: {outcome:?}")
            })?;
        }
    }
    let is_end = |state| state != OutcomeState::Deferred;
    ensure(known.is_none_or(|known| !is_end(known) || known == outcome.state), || {
        format!("{name} was {known:?} on the disk, and is {:?} now", outcome.state)
    })
}

/// A list index.
fn index(place: u32) -> usize {
    usize::try_from(place).unwrap()
}
