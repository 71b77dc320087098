//! Liveness: some time after the last storm every message has an end, everybody who is owed it knows it, and nothing
//! is under way.

use fanfare::client::account::RegistrationState;
use fanfare::client::journal::{AttemptRow, AttemptStage, DeliveryState};
use fanfare::machine::Machine;
use fanfare::proxy::journal::{DispatchRows, OutcomeState};

use crate::checks::{best_of, ensure, outcome_of};
use crate::disk::AgentStore;
use crate::host::{Body, Host, HostId};
use crate::model::{Accepted, Model};
use crate::world::World;

/// Everything has come to its end.
pub(crate) fn settled(world: &World) -> Result<(), String> {
    for (place, host) in world.hosts.iter().enumerate() {
        ensure(host.is_up(), || format!("{} is down", host.name))?;
        ensure(host.batches_waiting() == 0, || format!("batches of {} wait for the disk", host.name))?;
        if let Some(store) = host.proxy_store() {
            for (id, rows) in &store.dispatches {
                let accepted = &world.model.accepted[id];
                dispatch_settled(accepted, rows).map_err(|why| format!("{}: {why}", accepted.call_id))?;
            }
        }
        if let Some(store) = host.agent_store() {
            connected(host)?;
            for attempt in store.attempts.values() {
                attempt_settled(store, attempt).map_err(|why| format!("{}: {why}", host.name))?;
            }
            owner_knows(&world.model, HostId(place), store).map_err(|why| format!("{}: {why}", host.name))?;
        }
    }
    agreement(world)
}

fn connected(host: &Host) -> Result<(), String> {
    let Body::Agent(station) = &host.body else {
        return Ok(());
    };
    let state = station.machine.as_ref().map(|machine| machine.registration().clone());
    ensure(state == Some(RegistrationState::Connected), || format!("{} is {state:?}", host.name))
}

fn dispatch_settled(accepted: &Accepted, rows: &DispatchRows) -> Result<(), String> {
    for (place, name) in accepted.people.iter().enumerate() {
        let outcome = outcome_of(&rows.outcomes, place);
        ensure(outcome.is_some(), || format!("{name} has no outcome"))?;
    }
    let is_closed = rows.report.is_some_and(|report| report.closed);
    ensure(is_closed, || format!("the report is open: {:?}", rows.report))
}

fn attempt_settled(store: &AgentStore, attempt: &AttemptRow) -> Result<(), String> {
    ensure(attempt.stage == AttemptStage::Closed, || format!("an attempt is open: {attempt:?}"))?;
    let is_reported = !attempt.report.starts_with("none");
    for row in store.deliveries_of(attempt.message).filter(|row| row.attempt == attempt.number) {
        let is_final = match row.state {
            DeliveryState::Accepted => !is_reported,
            DeliveryState::Queued
            | DeliveryState::Sending
            | DeliveryState::NoReport
            | DeliveryState::Deferred => false,
            DeliveryState::Failed
            | DeliveryState::Cancelled
            | DeliveryState::PassedOn
            | DeliveryState::Delivered => true,
        };
        ensure(is_final, || format!("no end: {row:?} of {attempt:?}"))?;
    }
    Ok(())
}

/// What an owner was told last is what the disk has; a new start shows what the disk has by itself.
fn owner_knows(model: &Model, id: HostId, store: &AgentStore) -> Result<(), String> {
    let of_host = model.told_since_start.iter().filter(|(place, _)| place.0 == id);
    for ((_, message, attempt, recipient), told) in of_host {
        let kept = store.deliveries[&(*message, *attempt, *recipient)].state;
        ensure(kept == *told, || {
            format!("recipient {recipient} of message {}: kept is {kept:?}, told is {told:?}", message.0)
        })?;
    }
    Ok(())
}

/// Every sender knows what the proxy knows.
fn agreement(world: &World) -> Result<(), String> {
    let proxy = world.hosts.iter().find_map(Host::proxy_store).unwrap();
    for (id, rows) in &proxy.dispatches {
        let Accepted { call_id, people, .. } = &world.model.accepted[id];
        let stores = world.hosts.iter().filter_map(Host::agent_store);
        let is_sender =
            |store: &&AgentStore| store.attempts.values().any(|attempt| attempt.call_id == *call_id);
        let Some(store) = stores.into_iter().find(is_sender) else {
            return Err(format!("nobody has sent {call_id}"));
        };
        let is_reported =
            |attempt: &&AttemptRow| attempt.call_id == *call_id && !attempt.report.starts_with("none");
        if store.attempts.values().find(is_reported).is_none() {
            continue;
        }
        for (place, name) in people.iter().enumerate() {
            let (outcome, known) = (outcome_of(&rows.outcomes, place), best_of(store, call_id, name));
            let agrees = match outcome {
                Some(OutcomeState::Delivered) => known == Some(DeliveryState::Delivered),
                Some(OutcomeState::Failed) => known == Some(DeliveryState::Failed),
                Some(OutcomeState::Deferred) | None => false,
            };
            ensure(agrees, || {
                format!("{call_id}: {name} is {outcome:?} at the proxy, {known:?} at the sender")
            })?;
        }
    }
    Ok(())
}

/// Everybody of `names` has been reached by all messages with this text.
pub(crate) fn reached(world: &World, text: &str) -> Result<(), String> {
    for host in &world.hosts {
        let Some(store) = host.agent_store() else {
            continue;
        };
        for message in store.outgoing.values().filter(|message| message.body.starts_with(text.as_bytes())) {
            for row in store.deliveries_of(message.id) {
                ensure(row.state == DeliveryState::Delivered, || {
                    format!("{}: not reached: {row:?}", host.name)
                })?;
            }
        }
    }
    Ok(())
}

/// Whatever timers are left are far apart: nobody has anything to do for a while but to stay registered.
pub(crate) fn idle(world: &World) -> Result<(), String> {
    for host in &world.hosts {
        let next = match &host.body {
            Body::Proxy(station) => station.machine.as_ref().and_then(Machine::poll_timeout),
            Body::Agent(station) => station.machine.as_ref().and_then(Machine::poll_timeout),
            Body::Person(_) => None,
        };
        let is_idle = next.is_none_or(|(_, why)| IDLE.contains(&why));
        ensure(is_idle, || format!("{} is not idle: {next:?}", host.name))?;
    }
    Ok(())
}

/// Reasons of timers that go on for ever, or for a day.
const IDLE: [&str; 3] = ["registration refresh", "a binding ends", "a message is forgotten"];
