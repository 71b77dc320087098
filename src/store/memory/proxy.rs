//! A proxy's rows in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::apply_all;
use crate::machine::Batch;
use crate::proxy::journal::{
    BindingRow, DeviceRow, DispatchId, DispatchRows, RememberedRow, Rows, Stored, Write,
};
use crate::sip::without_body;
use crate::store::tables::{Changes, Journal, Outside, Tables, Unwritten};
use crate::store::{MessageReader, OpenError};

/// The rows of a proxy.
#[derive(Clone, Debug, Default)]
pub struct ProxyMemory {
    secret: Option<[u8; 16]>,
    /// By user and contact.
    bindings: BTreeMap<(String, String), BindingRow>,
    /// By user and instance.
    devices: BTreeMap<(String, String), DeviceRow>,
    /// The messages.
    pub dispatches: BTreeMap<DispatchId, DispatchRows>,
    /// Messages with nothing more due: a start gets only these rows of them.
    remembered: BTreeMap<DispatchId, RememberedRow>,
    outside: ChangesInMemory,
}

/// What is changed from outside, shared with whoever changes it.
#[derive(Clone, Debug, Default)]
pub struct ChangesInMemory {
    all: Arc<Mutex<(u64, Outside)>>,
    told: Option<u64>,
}

impl ChangesInMemory {
    /// Changes it.
    pub fn change(&self, change: impl FnOnce(&mut Outside)) {
        let mut all = self.lock();
        all.0 += 1;
        change(&mut all.1);
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Outside)> {
        // The data is complete at all times.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes for ChangesInMemory {
    fn changed(&mut self) -> Result<Option<Outside>, OpenError> {
        let (version, outside) = self.lock().clone();
        let is_new = self.told.replace(version) != Some(version);
        Ok(is_new.then_some(outside))
    }
}

impl ProxyMemory {
    /// What is changed from outside.
    #[must_use]
    pub fn changes(&self) -> ChangesInMemory {
        ChangesInMemory { told: None, ..self.outside.clone() }
    }

    fn dispatch(&mut self, id: DispatchId) -> Result<&mut DispatchRows, String> {
        self.dispatches.get_mut(&id).ok_or_else(|| format!("no dispatch {}", id.0))
    }

    fn apply_one(&mut self, write: Write) -> Result<(), String> {
        match write {
            Write::Secret(key) => {
                if self.secret.replace(key).is_some() {
                    return Err("a second secret".to_owned());
                }
            }
            Write::Bind(row) => {
                let key = (row.aor.as_str().to_owned(), row.contact.as_str().to_owned());
                self.bindings.insert(key, row);
            }
            Write::Unbind { aor, contact } => {
                self.bindings.remove(&(aor.as_str().to_owned(), contact.as_str().to_owned()));
            }
            Write::Device(row) => {
                self.devices.insert((row.aor.as_str().to_owned(), row.instance.clone()), row);
            }
            Write::ForgetDevice { aor, instance } => {
                self.devices.remove(&(aor.as_str().to_owned(), instance));
            }
            Write::Accept(accepted) => {
                let rows = DispatchRows { accepted, outcomes: Vec::new(), report: None, content: None };
                if let Some(old) = self.dispatches.insert(rows.accepted.id, rows) {
                    return Err(format!("dispatch {} is there", old.accepted.id.0));
                }
            }
            Write::Outcomes { outcomes, .. } if outcomes.is_empty() => {}
            Write::Outcomes { dispatch, outcomes } => {
                let known = &mut self.dispatch(dispatch)?.outcomes;
                known.retain(|old| outcomes.iter().all(|new| new.recipient != old.recipient));
                known.extend(outcomes);
                known.sort_by_key(|outcome| outcome.recipient);
            }
            Write::Report { dispatch, report } => self.dispatch(dispatch)?.report = Some(report),
            // A change of a row that is not there changes nothing and is not an error, as in SQL.
            Write::Moved { dispatch, flow } => {
                if let Some(rows) = self.dispatches.get_mut(&dispatch) {
                    rows.accepted.flow = flow;
                }
            }
            Write::Remember(row) => {
                if let Some(rows) = self.dispatches.get_mut(&row.id) {
                    rows.accepted.request = without_body(&rows.accepted.request);
                    rows.content = Some(row.content);
                    self.remembered.insert(row.id, row);
                }
            }
            Write::Recall(id) => drop(self.remembered.remove(&id)),
            Write::Forget(id) => {
                self.dispatches.remove(&id);
                self.remembered.remove(&id);
            }
            Write::Purge { aors, signed_out, .. } => {
                self.bindings.retain(|_, row| !aors.contains(&row.aor) && !signed_out.contains(&row.aor));
                self.devices.retain(|_, row| !aors.contains(&row.aor));
            }
        }
        Ok(())
    }
}

impl Tables for ProxyMemory {
    type Write = Write;
    type Rows = Rows;
    type Streamed = Stored;
    const NAME: &'static str = "proxy";

    fn apply(&mut self, group: &[Batch<Write>]) -> Result<(), Unwritten> {
        apply_all(self, group, Self::apply_one)?;
        for write in group.iter().flat_map(|batch| &batch.writes) {
            if let Write::Purge { up_to, .. } = write {
                self.outside.lock().1.removed.retain(|order| order.number > *up_to);
            }
        }
        Ok(())
    }

    fn recover(&self) -> Result<Rows, OpenError> {
        let Outside { aliases, users, removed } = self.outside.lock().1.clone();
        Ok(Rows {
            secret: self.secret,
            bindings: self.bindings.values().cloned().collect(),
            devices: self.devices.values().cloned().collect(),
            aliases,
            users,
            removed,
            ..Rows::default()
        })
    }

    fn each(&self, take: &mut dyn FnMut(Stored)) -> Result<(), OpenError> {
        self.remembered.values().for_each(|row| take(Stored::Remembered(*row)));
        let whole = self.dispatches.values().filter(|rows| !self.remembered.contains_key(&rows.accepted.id));
        whole.for_each(|rows| take(Stored::Whole(Box::new(rows.clone()))));
        Ok(())
    }

    fn reader(&self) -> &<Write as Journal>::Reader {
        self
    }
}

impl MessageReader for ProxyMemory {
    fn message(&self, id: DispatchId) -> Result<Option<DispatchRows>, String> {
        Ok(self.dispatches.get(&id).cloned())
    }
}
