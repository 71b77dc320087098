//! The devices of each address-of-record, by `+sip.instance` (RFC 5626 §4.1), remembered beyond their bindings: a
//! device that was away is owed what another device took (W16).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::limits::{DEVICE_NAME_BYTES_MAX, DEVICE_REMEMBERED, DEVICES_MAX, DEVICES_PER_AOR_MAX};
use crate::proxy::journal::{BindingRow, DeviceRow, Write};
use crate::sip::Aor;
use crate::time::Timestamp;

/// How often a device that keeps registering is written again.
const SEEN_AGAIN: Duration = Duration::from_secs(24 * 3600);

/// All devices.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    by_aor: BTreeMap<Aor, BTreeMap<String, Timestamp>>,
    by_age: BTreeSet<(Timestamp, Aor, String)>,
}

impl Devices {
    /// The devices of `aor` that are not forgotten at `now`.
    pub(crate) fn of(&self, aor: &Aor, now: Timestamp) -> impl Iterator<Item = &str> {
        let known = self.by_aor.get(aor).into_iter().flatten();
        known
            .filter(move |(_, seen)| now.since(**seen) < DEVICE_REMEMBERED)
            .map(|(device, _)| device.as_str())
    }

    /// What to write when a binding is made: its device, and which devices must make room for it.
    pub(crate) fn seen(&self, binding: &BindingRow, now: Timestamp) -> Vec<Write> {
        let Some(instance) = &binding.instance else {
            return Vec::new();
        };
        if instance.len() > DEVICE_NAME_BYTES_MAX {
            return Vec::new();
        }
        let others = self.by_aor.get(&binding.aor);
        let known = others.and_then(|others| others.get(instance));
        if known.is_some_and(|seen| now.since(*seen) < SEEN_AGAIN) {
            return Vec::new();
        }
        let (aor, instance) = (binding.aor.clone(), instance.clone());
        let mut writes = vec![Write::Device(DeviceRow { aor, instance, seen_at: now })];
        if known.is_none() {
            if let Some(others) = others.filter(|others| others.len() >= DEVICES_PER_AOR_MAX)
                && let Some((instance, _)) = others.iter().min_by_key(|(_, seen)| **seen)
            {
                writes.push(Write::ForgetDevice { aor: binding.aor.clone(), instance: instance.clone() });
            }
            if let Some((seen, aor, instance)) = self.by_age.first()
                && (self.by_age.len() >= DEVICES_MAX || now.since(*seen) >= DEVICE_REMEMBERED)
            {
                writes.push(Write::ForgetDevice { aor: aor.clone(), instance: instance.clone() });
            }
        }
        writes
    }

    pub(crate) fn put(&mut self, row: &DeviceRow) {
        self.take(&row.aor, &row.instance);
        self.by_aor.entry(row.aor.clone()).or_default().insert(row.instance.clone(), row.seen_at);
        self.by_age.insert((row.seen_at, row.aor.clone(), row.instance.clone()));
    }

    pub(crate) fn forget(&mut self, aor: &Aor) {
        for (instance, seen) in self.by_aor.remove(aor).unwrap_or_default() {
            self.by_age.remove(&(seen, aor.clone(), instance));
        }
    }

    pub(crate) fn take(&mut self, aor: &Aor, instance: &str) {
        let Some(devices) = self.by_aor.get_mut(aor) else {
            return;
        };
        if let Some(seen) = devices.remove(instance) {
            self.by_age.remove(&(seen, aor.clone(), instance.to_owned()));
        }
        if devices.is_empty() {
            self.by_aor.remove(aor);
        }
    }
}
