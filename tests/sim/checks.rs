//! Safety: what may never be seen, looked at whenever bytes leave, a disk takes a batch, or an owner is told.

use fanfare::client::command::Event;
use fanfare::client::journal::{self as client, DeliveryRow, DeliveryState, MessageId};
use fanfare::proxy::journal::{self as proxy, DispatchId, OutcomeRow, OutcomeState};

use crate::disk::{AgentStore, ProxyStore};
use crate::host::{Durable, Host, HostId, Told};
use crate::model::{Accepted, Model, Place, rank};
use crate::text::{body, branch, field, user};

type Checked = Result<(), String>;

/// What is to be true; the sentence else.
pub(crate) fn ensure(is_true: bool, or_else: impl FnOnce() -> String) -> Checked {
    if is_true { Ok(()) } else { Err(or_else()) }
}

/// Whether the disk of the client of that name holds this message; true for people without a disk.
fn has_received(hosts: &[Host], name: &str, text: &str) -> bool {
    let store = hosts.iter().find(|host| host.name == name).and_then(Host::agent_store);
    store.is_none_or(|store| store.incoming.values().any(|row| row.body == text))
}

/// Bytes leave.
pub(crate) fn transmitted(model: &mut Model, hosts: &[Host], id: HostId, bytes: &[u8]) -> Checked {
    let text = String::from_utf8_lossy(bytes);
    let (host, method) = (&hosts[id.0], text.split(' ').next().unwrap_or_default());
    if let Some(store) = host.proxy_store() {
        return match method {
            "MESSAGE" => leg(model, &text),
            "NOTIFY" => report(model, store, &text),
            _ if text.starts_with("SIP/2.0 202 ") => acceptance(model, &text),
            _ => Ok(()),
        };
    }
    let cseq = field(&text, "CSeq").unwrap_or_default();
    match host.agent_store() {
        Some(store) if text.starts_with("SIP/2.0 200 ") && cseq.ends_with(" MESSAGE") => taken(store, &text),
        Some(store) if text.starts_with("SIP/2.0 200 ") && cseq.ends_with(" NOTIFY") => {
            learned(model, store, &text)
        }
        Some(_) | None => Ok(()),
    }
}

/// W11: a 202 rests on a committed message.
fn acceptance(model: &Model, text: &str) -> Checked {
    let call_id = field(text, "Call-ID").unwrap_or_default();
    ensure(model.accepted.values().any(|accepted| accepted.call_id == call_id), || {
        format!("W11: a 202 to {call_id}, which is not committed")
    })
}

/// W11, W15: a leg rests on a committed message, and leaves only for who had no outcome when the proxy started,
/// nor has answered since.
fn leg(model: &mut Model, text: &str) -> Checked {
    let (to, message) = (user(field(text, "To").unwrap_or_default()), body(text));
    let own = || model.accepted.iter().filter(|(_, accepted)| accepted.text == message);
    let mut places = own().filter_map(|(id, accepted)| Some((*id, accepted.place_of(to)?))).peekable();
    ensure(places.peek().is_some(), || format!("W11: a leg to {to} of a message that is not committed"))?;
    ensure(places.any(|place| !model.settled_at_start.contains(&place)), || {
        format!("W15: a leg to {to} again, whose outcome was committed before the start")
    })?;
    let branch = branch(text).unwrap_or_default();
    model.sent.insert(branch.to_owned());
    ensure(!model.answered.contains(branch), || format!("W15: {branch} again to {to}, who has answered 2xx"))
}

/// W23: a report leaves after its outcomes and its CSeq are committed.
fn report(model: &mut Model, store: &ProxyStore, text: &str) -> Checked {
    let call_id = field(text, "Call-ID").unwrap_or_default();
    let cseq = field(text, "CSeq").unwrap_or_default();
    let number: u32 = cseq.split(' ').next().unwrap_or_default().parse().unwrap_or(0);
    let Some((id, accepted)) = model.accepted.iter().find(|(_, accepted)| accepted.call_id == call_id) else {
        return Err(format!("a report on {call_id}, which is not committed"));
    };
    let Some(rows) = store.dispatches.get(id) else {
        return Err(format!("a report on {call_id}, which is forgotten"));
    };
    let committed = rows.report.map_or(0, |report| report.cseq);
    ensure(number <= committed, || format!("W23: report {number} of {call_id}, committed are {committed}"))?;
    for line in body(text).lines() {
        let Some((address, state)) = line.split_once(" delivery ") else {
            return Err(format!("W20: {line:?} is no line of a report"));
        };
        let wanted = match state.split(';').next().unwrap_or_default() {
            "success" => OutcomeState::Delivered,
            "failure" => OutcomeState::Failed,
            "pending" => continue,
            other => return Err(format!("W20: {other:?} is reported")),
        };
        let known = accepted.place_of(user(address)).and_then(|place| outcome_of(&rows.outcomes, place));
        ensure(known == Some(wanted), || format!("W23: {line:?} is reported, committed is {known:?}"))?;
    }
    model.reports.insert((call_id.to_owned(), cseq.to_owned()), body(text).to_owned());
    Ok(())
}

pub(crate) fn outcome_of(outcomes: &[OutcomeRow], place: usize) -> Option<OutcomeState> {
    let of_place = |outcome: &&OutcomeRow| usize::try_from(outcome.recipient).unwrap() == place;
    outcomes.iter().find(of_place).map(|outcome| outcome.state)
}

/// A client's 200 rests on the committed message.
fn taken(store: &AgentStore, text: &str) -> Checked {
    let call_id = field(text, "Call-ID").unwrap_or_default();
    ensure(store.incoming.values().any(|row| row.key.ends_with(call_id)), || {
        format!("a 200 to {call_id}, which is not committed")
    })
}

/// W25: the 200 to a report leaves after what it said is committed.
fn learned(model: &Model, store: &AgentStore, text: &str) -> Checked {
    let call_id = field(text, "Call-ID").unwrap_or_default();
    let cseq = field(text, "CSeq").unwrap_or_default();
    let Some(said) = model.reports.get(&(call_id.to_owned(), cseq.to_owned())) else {
        return Err(format!("a 200 to a report on {call_id} that was never sent"));
    };
    for line in said.lines().filter(|line| line.contains(" delivery success")) {
        let name = user(line.split(' ').next().unwrap_or_default());
        ensure(best_of(store, call_id, name) == Some(DeliveryState::Delivered), || {
            format!("W25: a 200 to {line:?}, which is not committed")
        })?;
    }
    Ok(())
}

/// The furthest that a client's disk knows of somebody in the submission with this Call-ID.
pub(crate) fn best_of(store: &AgentStore, call_id: &str, name: &str) -> Option<DeliveryState> {
    let attempts = store.attempts.values().filter(|attempt| attempt.call_id == call_id);
    let states = attempts.flat_map(|attempt| {
        let people = &store.outgoing[&attempt.message].recipients;
        let is_meant = |recipient: u32| user(&people[usize::try_from(recipient).unwrap()].address) == name;
        let rows = store.deliveries_of(attempt.message).filter(|row| row.attempt == attempt.number);
        rows.filter(move |row| is_meant(row.recipient)).map(|row| row.state)
    });
    states.max_by_key(|state| rank(*state))
}

/// A disk has taken a batch.
pub(crate) fn durable(model: &mut Model, hosts: &[Host], id: HostId, durable: &Durable) -> Checked {
    match durable {
        Durable::Proxy(writes) => writes.iter().try_for_each(|write| proxy_wrote(model, hosts, write)),
        Durable::Agent(writes) => writes.iter().try_for_each(|write| agent_wrote(model, hosts, id, write)),
        Durable::Nothing => Ok(()),
    }
}

/// A place in a list.
fn index(place: u32) -> usize {
    usize::try_from(place).unwrap()
}

fn proxy_wrote(model: &mut Model, hosts: &[Host], write: &proxy::Write) -> Checked {
    match write {
        proxy::Write::Accept(row) => {
            let accepted = Accepted::of(row);
            let is_double = model.accepted.values().any(|known| known.call_id == accepted.call_id);
            ensure(!is_double, || format!("W12: {} is accepted a second time", accepted.call_id))?;
            model.accepted.insert(row.id, accepted);
            Ok(())
        }
        proxy::Write::Outcomes { dispatch, outcomes } => {
            outcomes.iter().try_for_each(|outcome| outcome_wrote(model, hosts, *dispatch, outcome))
        }
        proxy::Write::Secret(_)
        | proxy::Write::Bind(_)
        | proxy::Write::Unbind { .. }
        | proxy::Write::Device(_)
        | proxy::Write::ForgetDevice { .. }
        | proxy::Write::Report { .. }
        | proxy::Write::Moved { .. }
        | proxy::Write::Forget(_) => Ok(()),
    }
}

/// Success rests on the recipient's disk.
fn outcome_wrote(model: &Model, hosts: &[Host], id: DispatchId, outcome: &OutcomeRow) -> Checked {
    let accepted = &model.accepted[&id];
    let name = &accepted.people[index(outcome.recipient)];
    let is_true = outcome.state != OutcomeState::Delivered || has_received(hosts, name, &accepted.text);
    ensure(is_true, || format!("the proxy holds {name} for reached, who has nothing"))
}

fn agent_wrote(model: &mut Model, hosts: &[Host], id: HostId, write: &client::Write) -> Checked {
    match write {
        client::Write::Delivery(row) => {
            let place = (id, row.message, row.attempt, row.recipient);
            forward(model.kept.insert(place, row.state), row.state, || format!("on the disk, {row:?}"))
        }
        client::Write::Incoming(row) => {
            let name = &hosts[id.0].name;
            let is_new = model.keys.insert((id, row.key.clone()));
            ensure(is_new, || format!("W15: {name} has taken {} a second time", row.key))?;
            // A resend to somebody whose 200s were lost is another message, and shown as one.
            let mine = |accepted: &&Accepted| row.body == accepted.text && accepted.place_of(name).is_some();
            let meant = model.accepted.values().filter(mine).count();
            let store = hosts[id.0].agent_store().into_iter().flat_map(|store| store.incoming.values());
            let taken = store.filter(|other| other.body == row.body).count();
            ensure(taken <= meant, || format!("{name} has taken {taken} copies, meant for it were {meant}"))
        }
        client::Write::Conversation(_)
        | client::Write::Outgoing(_)
        | client::Write::Attempt(_)
        | client::Write::Seen { .. }
        | client::Write::ForgetKeysBefore(_) => Ok(()),
    }
}

/// States never go back.
fn forward(from: Option<DeliveryState>, to: DeliveryState, what: impl FnOnce() -> String) -> Checked {
    ensure(from.is_none_or(|from| rank(from) <= rank(to)), || {
        format!("a state goes back from {from:?} to {to:?}: {}", what())
    })
}

/// An owner is told.
pub(crate) fn told(model: &mut Model, hosts: &[Host], id: HostId, told: &Told) -> Checked {
    let (Told::Agent(event), Some(store)) = (told, hosts[id.0].agent_store()) else {
        return Ok(());
    };
    match event {
        Event::Delivery { message, attempt, recipient, address, state, .. } => {
            let place = (id, *message, *attempt, *recipient);
            delivery_told(model, store, place, *state)?;
            let text = store.outgoing[message].body.clone();
            let text = String::from_utf8_lossy(&text);
            let is_true = *state != DeliveryState::Delivered || has_received(hosts, user(address), &text);
            ensure(is_true, || format!("{address} is told to be reached, who has nothing"))
        }
        Event::Queued { message, .. } => ensure(store.outgoing.contains_key(message), || {
            format!("message {} is told to be kept, and is not", message.0)
        }),
        Event::Accepted { message, attempt, .. } => {
            let call_id = &store.attempts[&(*message, *attempt)].call_id;
            ensure(model.accepted.values().any(|accepted| accepted.call_id == *call_id), || {
                format!("{call_id} is told to be accepted, and is not committed")
            })
        }
        Event::Received { message, .. } => received_told(model, store, (id, *message)),
        Event::ReportedStranger { address, .. } => Err(format!("a stranger is reported: {address}")),
        Event::Registration(_)
        | Event::NotSent { .. }
        | Event::OneByOne { .. }
        | Event::Refused { .. }
        | Event::Reported { .. }
        | Event::Composing { .. }
        | Event::Changed { .. }
        | Event::Disconnected => Ok(()),
    }
}

fn received_told(model: &mut Model, store: &AgentStore, shown: (HostId, MessageId)) -> Checked {
    let number = shown.1.0;
    ensure(store.incoming.contains_key(&shown.1), || format!("message {number} is shown before it is kept"))?;
    ensure(model.shown.insert(shown), || format!("message {number} is shown twice"))
}

fn delivery_told(model: &mut Model, store: &AgentStore, place: Place, state: DeliveryState) -> Checked {
    let (_, message, attempt, recipient) = place;
    let row: Option<&DeliveryRow> = store.deliveries.get(&(message, attempt, recipient));
    ensure(row.is_some_and(|row| rank(row.state) >= rank(state)), || {
        format!("{state:?} is told, on the disk is {row:?}")
    })?;
    model.told_since_start.insert(place, state);
    forward(model.told.insert(place, state), state, || format!("told of {place:?}"))
}
