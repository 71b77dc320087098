//! The disk of a proxy under test.

use crate::proxy::journal::{DispatchRows, OutcomeRow, Rows, Write};
use crate::sip::without_body;

/// Applies a write to a store in memory.
pub(super) fn apply(rows: &mut Rows, write: Write) {
    let find = |rows: &mut Rows, id| rows.dispatches.iter().position(|rows| rows.accepted.id == id);
    match write {
        Write::Secret(secret) => rows.secret = Some(secret),
        Write::Bind(row) => {
            rows.bindings.retain(|old| old.aor != row.aor || old.contact != row.contact);
            rows.bindings.push(row);
        }
        Write::Unbind { aor, contact } => {
            rows.bindings.retain(|old| old.aor != aor || old.contact != contact);
        }
        Write::Device(row) => {
            rows.devices.retain(|old| old.aor != row.aor || old.instance != row.instance);
            rows.devices.push(row);
        }
        Write::ForgetDevice { aor, instance } => {
            rows.devices.retain(|old| old.aor != aor || old.instance != instance);
        }
        Write::Accept(accepted) => {
            rows.dispatches.push(DispatchRows {
                accepted,
                outcomes: Vec::new(),
                report: None,
                content: None,
            });
        }
        Write::Outcomes { dispatch, outcomes } => {
            let Some(at) = find(rows, dispatch) else {
                return;
            };
            let known = &mut rows.dispatches[at].outcomes;
            known.retain(|old: &OutcomeRow| !outcomes.iter().any(|new| new.recipient == old.recipient));
            known.extend(outcomes);
        }
        Write::Report { dispatch, report } => {
            if let Some(at) = find(rows, dispatch) {
                rows.dispatches[at].report = Some(report);
            }
        }
        Write::Moved { dispatch, flow } => {
            if let Some(at) = find(rows, dispatch) {
                rows.dispatches[at].accepted.flow = flow;
            }
        }
        Write::Remember(row) => {
            rows.remembered.retain(|old| old.id != row.id);
            rows.remembered.push(row);
            if let Some(at) = find(rows, row.id) {
                let rows = &mut rows.dispatches[at];
                rows.accepted.request = without_body(&rows.accepted.request);
                rows.content = Some(row.content);
            }
        }
        Write::Recall(id) => rows.remembered.retain(|row| row.id != id),
        Write::Forget(id) => {
            rows.dispatches.retain(|rows| rows.accepted.id != id);
            rows.remembered.retain(|row| row.id != id);
        }
        Write::Purge { aors, signed_out, up_to } => {
            rows.bindings.retain(|row| !aors.contains(&row.aor) && !signed_out.contains(&row.aor));
            rows.devices.retain(|row| !aors.contains(&row.aor));
            rows.removed.retain(|row| row.number > up_to);
        }
    }
}
