//! What a client must never do: confirm what is not stored, show a message twice or too early, move a state back.

use fanfare::model::command::Event;
use fanfare::model::journal::{DeliveryRow, DeliveryState, IncomingRow, MessageId, Write};
use fanfare::model::reason::Phrase;

use super::{Checked, Scene, ensure, index};
use crate::model::{Accepted, Model, Place, rank};
use crate::text::{field, is_notification, number, user};
use fanfare::simulation::{HostId, Told};
use fanfare::store::memory::ClientMemory;

/// Checks bytes that leave a client.
pub(super) fn transmitted(model: &mut Model, scene: Scene<'_>, store: &ClientMemory, text: &str) -> Checked {
    let cseq = field(text, "CSeq").unwrap_or_default();
    let call_id = field(text, "Call-ID").unwrap_or_default();
    match cseq.split_once(' ') {
        _ if is_notification(text) => said(model, scene.id, store, text),
        // The answer to a notification, whose content is checked when it reaches the disk.
        Some((_, "MESSAGE")) if model.said.values().any(|known| known == call_id) => Ok(()),
        _ if text.starts_with("MESSAGE ") => kept(store, text),
        Some((_, "MESSAGE")) if text.starts_with("SIP/2.0 200 ") => taken(store, text),
        Some((_, "NOTIFY")) if text.starts_with("SIP/2.0 200 ") => learned(model, store, text),
        Some(_) | None => Ok(()),
    }
}

/// W28: a notification that a message was delivered or seen matches the disk, and uses one call only.
fn said(model: &mut Model, id: HostId, store: &ClientMemory, text: &str) -> Checked {
    let of = text.split("<message-id>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
    let what = if text.contains("<displayed/>") { "displayed" } else { "delivered" };
    let name = format!("\r\nimdn.Message-ID: {of}\r\n");
    let is_of = |row: &&IncomingRow| String::from_utf8_lossy(&row.body).contains(&name);
    let is_true = |row: &IncomingRow| what == "delivered" || store.has_seen(row);
    ensure(store.incoming.values().filter(is_of).any(is_true), || {
        format!("W28: {of} is said to be {what}, which is not committed")
    })?;
    let call_id = field(text, "Call-ID").unwrap_or_default().to_owned();
    let known = model.said.entry((id, of.to_owned(), what)).or_insert_with(|| call_id.clone());
    ensure(*known == call_id, || format!("W28: {of} is said to be {what} a second time"))
}

/// W10: a message is on the disk before its first byte leaves.
fn kept(store: &ClientMemory, text: &str) -> Checked {
    let call_id = field(text, "Call-ID").unwrap_or_default();
    ensure(store.attempts.values().any(|attempt| attempt.call_id == call_id), || {
        format!("W10: {call_id} leaves, which is not committed")
    })
}

/// A client's 200 to a message needs the message committed.
fn taken(store: &ClientMemory, text: &str) -> Checked {
    let call_id = field(text, "Call-ID").unwrap_or_default();
    ensure(store.incoming.values().any(|row| row.key.ends_with(call_id)), || {
        format!("a 200 to {call_id}, which is not committed")
    })
}

/// W25: the 200 to a report leaves after its contents are committed.
fn learned(model: &Model, store: &ClientMemory, text: &str) -> Checked {
    let call_id = field(text, "Call-ID").unwrap_or_default();
    let cseq = number(text, "CSeq").unwrap_or_default();
    let Some(said) = model.reports.get(&(call_id.to_owned(), cseq)) else {
        return Err(format!("a 200 to a report on {call_id} that was never sent"));
    };
    for line in said.lines() {
        let state = if line.contains(" delivery success") {
            DeliveryState::Delivered
        } else if line.contains(" delivery failure") {
            DeliveryState::Failed
        } else if line.contains(" delivery deferred") {
            DeliveryState::Deferred
        } else {
            DeliveryState::Accepted
        };
        let name = user(line.split(' ').next().unwrap_or_default());
        let known = best_of(store, call_id, name);
        ensure(known.is_some_and(|row| far(row) >= rank(state, &Phrase::default())), || {
            format!("W25: a 200 to {line:?}, committed is {known:?}")
        })?;
    }
    Ok(())
}

/// The most advanced state on a client's disk for a recipient of the submission with this Call-ID. A withdrawn resend
/// with the same Call-ID counts for nothing: the previous one may have arrived.
pub(crate) fn best_of<'a>(store: &'a ClientMemory, call_id: &str, name: &str) -> Option<&'a DeliveryRow> {
    let attempts = store.attempts.values().filter(|attempt| attempt.call_id == call_id);
    let rows = attempts.flat_map(|attempt| {
        let people = &store.outgoing[&attempt.message].recipients;
        let is_meant = |recipient: u32| user(&people[usize::try_from(recipient).unwrap()].address) == name;
        let rows = store
            .deliveries_of(attempt.message)
            .filter(|row| row.attempt == attempt.number && row.state != DeliveryState::Cancelled);
        rows.filter(move |row| is_meant(row.recipient))
    });
    rows.max_by_key(|row| far(row))
}

fn far(row: &DeliveryRow) -> u8 {
    rank(row.state, &row.phrase)
}

/// Checks what a client's disk has taken.
pub(super) fn wrote(model: &mut Model, scene: Scene<'_>, write: &Write) -> Checked {
    let host = &scene.hosts[scene.id.0];
    match write {
        Write::Delivery(row) => {
            if row.state == DeliveryState::Read {
                read(scene, row)?;
            }
            let place = (scene.id, row.message, row.attempt, row.recipient);
            forward(model.kept.insert(place, far(row)), far(row), || format!("on the disk, {row:?}"))
        }
        Write::Incoming(row) => {
            let name = host.user();
            let is_new = model.keys.insert((scene.id, row.key.clone()));
            ensure(is_new, || format!("W15: {} has taken {} a second time", host.name, row.key))?;
            // If a recipient's 200s were lost, the resend is a new message and is shown as one.
            let mine = |accepted: &&Accepted| row.body == accepted.text && accepted.place_of(name).is_some();
            let meant = model.accepted.values().filter(mine).count();
            let store = host.agent_store().into_iter().flat_map(|store| store.incoming.values());
            let taken = store.filter(|other| other.body == row.body).count();
            ensure(taken <= meant, || format!("{name} has taken {taken} copies, meant for it were {meant}"))
        }
        Write::Conversation(_)
        | Write::Outgoing(_)
        | Write::People { .. }
        | Write::Recipients { .. }
        | Write::Attempt(_)
        | Write::Stranger(_)
        | Write::Report(_)
        | Write::Draft { .. }
        | Write::ForgetDraft(_)
        | Write::Delete { .. }
        | Write::Seen { .. }
        | Write::ForgetKeysBefore(_) => Ok(()),
    }
}

/// W28: a recipient reported as having read a message has it on disk as seen.
fn read(scene: Scene<'_>, row: &DeliveryRow) -> Checked {
    let store = scene.hosts[scene.id.0].agent_store();
    let Some(message) = store.and_then(|store| store.outgoing.get(&row.message)) else {
        return Err(format!("a state of no message: {row:?}"));
    };
    let name = user(&message.recipients[index(row.recipient)].address);
    let text = String::from_utf8_lossy(&message.body);
    ensure(scene.has_read(name, &text), || format!("W28: {name} is said to have read {text:?}, and has not"))
}

/// States never go back.
fn forward(from: Option<u8>, to: u8, what: impl FnOnce() -> String) -> Checked {
    ensure(from.is_none_or(|from| from <= to), || format!("a state goes back: {}", what()))
}

/// Checks what an owner is told.
pub(crate) fn told(model: &mut Model, scene: Scene<'_>, told: &Told) -> Checked {
    let (Told::Agent(event), Some(store)) = (told, scene.hosts[scene.id.0].agent_store()) else {
        return Ok(());
    };
    match event {
        Event::Delivery { message, attempt, recipient, address, state, reason, .. } => {
            let place = (scene.id, *message, *attempt, *recipient);
            delivery_told(model, store, place, (*state, reason))?;
            let text = store.outgoing[message].body.clone();
            let text = String::from_utf8_lossy(&text);
            let is_true = *state != DeliveryState::Delivered || scene.has_received(user(address), &text);
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
        Event::Received { message, .. } => received_told(model, store, (scene.id, *message)),
        Event::ReportedStranger { address, .. } => Err(format!("a stranger is reported: {address}")),
        Event::Registration(_)
        | Event::NotSent { .. }
        | Event::OneByOne { .. }
        | Event::Unreported { .. }
        | Event::Refused { .. }
        | Event::Reported { .. }
        | Event::StrangersRefused
        | Event::Window(_)
        | Event::Disconnected => Ok(()),
    }
}

fn received_told(model: &mut Model, store: &ClientMemory, shown: (HostId, MessageId)) -> Checked {
    let number = shown.1.0;
    ensure(store.incoming.contains_key(&shown.1), || format!("message {number} is shown before it is kept"))?;
    ensure(model.shown.insert(shown), || format!("message {number} is shown twice"))
}

fn delivery_told(
    model: &mut Model,
    store: &ClientMemory,
    place: Place,
    (state, reason): (DeliveryState, &Phrase),
) -> Checked {
    let (_, message, attempt, recipient) = place;
    let row: Option<&DeliveryRow> = store.deliveries.get(&(message, attempt, recipient));
    let told = rank(state, reason);
    ensure(row.is_some_and(|row| far(row) >= told), || format!("{state:?} is told, on the disk is {row:?}"))?;
    let before = model.told_since_start.insert(place, state);
    let is_guess = model.told.get(&place).is_some_and(|known| *known < rank(state, &Phrase::default()));
    ensure(before != Some(state) || is_guess, || format!("{state:?} is told twice: {row:?}"))?;
    forward(model.told.insert(place, told), told, || format!("{state:?} is told of {place:?}"))
}
