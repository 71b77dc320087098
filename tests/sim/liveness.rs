//! Liveness checks: some time after the last storm every message has a final outcome, everybody who is owed it knows
//! it, and nothing is in progress.

use std::time::Duration;

use fanfare::machine::{Machine, TimerReason};
use fanfare::model::account::RegistrationState;
use fanfare::model::delivery::{is_reached, is_refused_by_type};
use fanfare::model::journal::{AttemptRow, AttemptStage, DeliveryRow, DeliveryState};
use fanfare::proxy::journal::{DispatchRows, OutcomeState};
use fanfare::sip::ReportMode;

use crate::model::{Accepted, Model};
use crate::safety::{best_of, ensure, outcome_of};
use crate::topology::{ABROAD, HOME};
use crate::world::World;
use fanfare::simulation::{Body, Host, HostId};
use fanfare::store::memory::ClientMemory;

/// Checks that everything has ended.
pub(crate) fn settled(world: &World) -> Result<(), String> {
    for (place, host) in world.hosts.iter().enumerate() {
        ensure(host.is_up(), || format!("{} is down", host.name))?;
        ensure(host.batches_waiting() == 0, || format!("batches of {} wait for the disk", host.name))?;
        if let Some(store) = host.proxy_store() {
            for (id, rows) in &store.dispatches {
                let accepted = &world.model.accepted[&(HostId(place), *id)];
                let is_refused = world.model.refused.contains(&(HostId(place), accepted.call_id.clone()));
                dispatch_settled(accepted, rows, is_refused)
                    .map_err(|why| format!("{}: {why}", accepted.call_id))?;
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

/// A proxy is sending a report, or should be.
pub(crate) fn sends_reports(world: &World) -> bool {
    let dispatches =
        world.hosts.iter().filter_map(Host::proxy_store).flat_map(|store| store.dispatches.values());
    let mut reports = dispatches.filter_map(|rows| rows.report);
    reports.any(|report| !report.closed && report.due_at.is_none())
}

fn connected(host: &Host) -> Result<(), String> {
    let Body::Agent(station) = &host.body else {
        return Ok(());
    };
    let state = station.machine.as_ref().map(|machine| machine.registration().clone());
    ensure(state == Some(RegistrationState::Connected), || format!("{} is {state:?}", host.name))
}

/// A report that one place refuses and another does not answer may stay open for a day: its sender may be at the silent
/// one (W23, W24).
fn dispatch_settled(accepted: &Accepted, rows: &DispatchRows, is_refused: bool) -> Result<(), String> {
    for (place, name) in accepted.people.iter().enumerate() {
        let outcome = outcome_of(&rows.outcomes, place);
        let is_end = outcome.is_some_and(|outcome| outcome != OutcomeState::Deferred);
        ensure(is_end, || format!("{name} has no end, but {outcome:?}"))?;
    }
    let is_closed = rows.report.is_some_and(|report| report.closed || is_refused && report.due_at.is_some());
    ensure(is_closed, || format!("the report is open: {:?}", rows.report))
}

/// Unreported here, but delivered by another attempt: after a restart nobody waits for this one.
fn is_made_good(store: &ClientMemory, missed: &DeliveryRow) -> bool {
    let mut rows = store.deliveries_of(missed.message).filter(|row| row.recipient == missed.recipient);
    missed.state == DeliveryState::NoReport && rows.any(|row| is_reached(row.state))
}

fn attempt_settled(store: &ClientMemory, attempt: &AttemptRow) -> Result<(), String> {
    ensure(attempt.stage == AttemptStage::Closed, || format!("an attempt is open: {attempt:?}"))?;
    let is_reported = attempt.report.mode != ReportMode::None;
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
            | DeliveryState::Delivered
            | DeliveryState::Read => true,
        };
        ensure(is_final || is_made_good(store, row), || format!("no end: {row:?} of {attempt:?}"))?;
    }
    Ok(())
}

/// The last thing an owner was told must match the disk; a new start shows the disk's state by itself.
fn owner_knows(model: &Model, id: HostId, store: &ClientMemory) -> Result<(), String> {
    let of_host = model.told_since_start.iter().filter(|(place, _)| place.0 == id);
    for ((_, message, attempt, recipient), told) in of_host {
        let row = &store.deliveries[&(*message, *attempt, *recipient)];
        let kept = row.state;
        // A recipient who accepts no CPIM gets the text alone; the owner is told about that refusal (W28).
        let is_refusal = is_refused_by_type(row) && asks(store, row);
        ensure(kept == *told || is_refusal, || {
            format!("recipient {recipient} of message {}: kept is {kept:?}, told is {told:?}", message.0)
        })?;
    }
    Ok(())
}

/// Every sender knows what the sender's proxy knows.
fn agreement(world: &World) -> Result<(), String> {
    for (proxy, host) in world.hosts.iter().enumerate() {
        for (id, rows) in host.proxy_store().into_iter().flat_map(|store| &store.dispatches) {
            agreed(world, &world.model.accepted[&(HostId(proxy), *id)], rows)?;
        }
    }
    Ok(())
}

fn agreed(
    world: &World,
    Accepted { call_id, people, .. }: &Accepted,
    rows: &DispatchRows,
) -> Result<(), String> {
    let stores = world.hosts.iter().filter_map(Host::agent_store);
    let is_sender =
        |store: &&ClientMemory| store.attempts.values().any(|attempt| attempt.call_id == *call_id);
    let Some(store) = stores.into_iter().find(is_sender) else {
        return Err(format!("nobody has sent {call_id}"));
    };
    let is_reported =
        |attempt: &&AttemptRow| attempt.call_id == *call_id && attempt.report.mode != ReportMode::None;
    if store.attempts.values().find(is_reported).is_none() {
        return Ok(());
    }
    for (place, name) in people.iter().enumerate() {
        let outcome = outcome_of(&rows.outcomes, place);
        let row = best_of(store, call_id, name);
        let known = row.map(|row| row.state);
        let agrees = match outcome {
            // Another attempt delivered it, and after a restart nobody waits for this one any more.
            Some(_) if row.is_some_and(|row| is_made_good(store, row)) => true,
            Some(OutcomeState::Delivered) => {
                matches!(known, Some(DeliveryState::Delivered | DeliveryState::Read))
            }
            // The 200 was lost, but the recipient client's own notification was not (W28).
            Some(OutcomeState::Failed) if row.is_some_and(|row| asks(store, row)) => {
                matches!(known, Some(DeliveryState::Failed | DeliveryState::Delivered | DeliveryState::Read))
            }
            Some(OutcomeState::Failed) => known == Some(DeliveryState::Failed),
            Some(OutcomeState::Deferred) | None => false,
        };
        ensure(agrees, || format!("{call_id}: {name} is {outcome:?} at the proxy, {known:?} at the sender"))?;
    }
    Ok(())
}

/// Whether the recipient's client was asked for a notification (W28).
fn asks(store: &ClientMemory, row: &DeliveryRow) -> bool {
    store.attempts.get(&(row.message, row.attempt)).is_some_and(|attempt| attempt.asks)
}

/// Everybody has got all messages with this text.
pub(crate) fn reached(world: &World, text: &str) -> Result<(), String> {
    for host in &world.hosts {
        let Some(store) = host.agent_store() else {
            continue;
        };
        for message in store.outgoing.values().filter(|message| message.body.starts_with(text.as_bytes())) {
            for row in store.deliveries_of(message.id) {
                ensure(matches!(row.state, DeliveryState::Delivered | DeliveryState::Read), || {
                    format!("{}: not reached: {row:?}", host.name)
                })?;
            }
        }
    }
    Ok(())
}

/// All remaining timers are far away: for a while there is nothing to do except to stay registered.
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

/// Reasons of timers that recur forever, or last a day.
const IDLE: [TimerReason; 6] = [
    TimerReason::RegistrationRefresh,
    TimerReason::KeepAlive,
    TimerReason::BindingEnds,
    TimerReason::MessageForgotten,
    TimerReason::MessageExpires,
    TimerReason::ReportAgain,
];

/// Whether a client registers at that proxy.
fn is_home(world: &World, host: &Host, proxy: HostId) -> bool {
    let own = host.profile().map(|profile| profile.address.host());
    let name = world.host(proxy).name.as_str();
    [HOME, ABROAD].iter().any(|realm| realm.host == name && Some(realm.domain) == own)
}

/// What one of a user's devices has received, the others have too, once they are back in time (W16). A proxy that
/// merely relays owes a message to the person only: it does not know the devices.
pub(crate) fn devices_served(world: &World) -> Result<(), String> {
    let Model { accepted, outcomes, stepped, all_there_at, .. } = &world.model;
    let in_time = all_there_at.unwrap_or_default().plus(IN_TIME);
    for (id, message) in accepted.iter().filter(|(id, _)| !stepped.contains(&id.0)) {
        if !message.may_wait || message.ends_at.is_none_or(|end| end < in_time) {
            continue;
        }
        let of_proxy = |host: &&Host| host.instance.is_some() && is_home(world, host, id.0);
        for device in world.hosts.iter().filter(of_proxy) {
            let place = message.place_of(device.user()).map(|place| (*id, place));
            let is_owed = place.is_some_and(|place| outcomes.get(&place) == Some(&OutcomeState::Delivered));
            let store = device.agent_store().into_iter().flat_map(|store| store.incoming.values());
            let has_it = || store.into_iter().any(|row| row.body == message.text);
            ensure(!is_owed || has_it(), || {
                format!("W16: {} is owed {} to its end, and has it not", device.name, message.call_id)
            })?;
        }
    }
    Ok(())
}

/// A message with at least this lifetime left once all are there must reach all devices.
const IN_TIME: Duration = Duration::from_secs(120);

/// A recipient who was away gets everything that could wait, in the order in which the recipient's own proxy accepted
/// it (W18). A foreign proxy keeps trying meanwhile, and lets others pass a message that failed twice.
pub(crate) fn came_home(world: &World, id: HostId) -> Result<(), String> {
    let host = world.host(id);
    let arrived = host.agent_store().into_iter().flat_map(|store| store.incoming.values());
    let arrived: Vec<_> = arrived.map(|row| String::from_utf8_lossy(&row.body).into_owned()).collect();
    for proxy in (0..world.hosts.len()).map(HostId) {
        if host.instance.is_some() && !is_home(world, host, proxy) {
            continue;
        }
        let waited = world.model.accepted.iter().filter(|((at, _), message)| {
            let is_kept = message.lifetime.is_some_and(|lifetime| lifetime > LONG);
            let is_for_him = message.place_of(host.user()).is_some();
            *at == proxy && is_kept && is_for_him && message.text.contains("while away")
        });
        let mut meant: Vec<_> = waited.map(|(_, message)| &message.text).collect();
        let mut came: Vec<_> = arrived.iter().filter(|text| meant.contains(text)).collect();
        if !is_home(world, host, proxy) {
            meant.sort();
            came.sort();
        }
        ensure(came == meant, || format!("W18: {} has {came:?}, meant for it were {meant:?}", host.name))?;
    }
    Ok(())
}

/// Lifetimes above this are longer than anybody is away.
const LONG: Duration = Duration::from_secs(900);
