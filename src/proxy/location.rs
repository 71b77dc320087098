//! The location service: the bindings of each address-of-record, and when they expire (RFC 3261 §10).
//!
//! **Invariant:** it holds what the store holds: the registrar decides, and applies changes once they are committed.

mod devices;
mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Instant;

use self::devices::Devices;
use self::places::Places;
pub(super) use self::places::{Maker, user_at_place};
use super::journal::{BindingRow, Reach, Write};
use crate::sip::{Aor, Transport, Uri};
use crate::time::Now;

/// A binding, and when it expires.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    pub(super) row: BindingRow,
    pub(super) ends: Instant,
    /// When it was last made or refreshed.
    pub(super) since: Instant,
}

/// All bindings.
#[derive(Debug, Default)]
pub(super) struct LocationService {
    bindings: BTreeMap<Aor, Vec<Binding>>,
    ends: BTreeSet<(Instant, Aor)>,
    /// Which users are registered at which place.
    places: Places,
    /// How many bindings there are, and their bytes.
    count: usize,
    bytes: usize,
    pub(super) devices: Devices,
}

/// The bytes that a binding takes: those of its texts, and a fixed amount.
pub(super) fn binding_bytes(row: &BindingRow) -> usize {
    const EMPTY: usize = 512;
    let instance = row.instance.as_ref().map_or(0, String::len);
    let path: usize = row.path.iter().map(String::len).sum();
    EMPTY + path + 2 * row.aor.as_str().len() + row.contact.as_str().len() + row.call_id.len() + instance
}

/// The port of a URI, explicit or by default (RFC 3261 §19.1.2).
pub(super) fn port_of(uri: &Uri) -> u16 {
    uri.port().unwrap_or_else(|| uri.transport().unwrap_or(Transport::Udp).default_port())
}

/// The place of a device: its Contact if that is numeric, else where it registered from.
pub(super) fn place_of(row: &BindingRow) -> SocketAddr {
    let contact = row.contact.ip().filter(|_| row.reach == Reach::Contact);
    contact.map_or_else(
        || SocketAddr::new(row.flow.remote.ip().to_canonical(), row.flow.remote.port()),
        |ip| SocketAddr::new(ip.to_canonical(), port_of(&row.contact)),
    )
}

impl LocationService {
    /// The bindings that are valid at `now`, best first (RFC 3261 §16.6: by q).
    pub(super) fn bindings(&self, aor: &Aor, now: Instant) -> impl Iterator<Item = &Binding> {
        self.bindings.get(aor).into_iter().flatten().filter(move |binding| binding.ends > now)
    }

    /// Who has registered this place for anybody.
    pub(super) fn makers(&self, place: SocketAddr) -> impl Iterator<Item = Maker> {
        self.places.makers(place)
    }

    /// The bindings of devices at this place that were made so: all, or those with that user part in their Contact.
    pub(super) fn at(
        &self,
        (place, maker): (SocketAddr, Maker),
        user: Option<&str>,
        now: Instant,
    ) -> impl Iterator<Item = &Binding> {
        self.places.people(place, maker, user).flat_map(move |(user, aor)| {
            let is_it = move |row: &BindingRow| {
                place_of(row) == place && Maker::of(row) == maker && user_at_place(&row.contact) == user
            };
            self.bindings(aor, now).filter(move |binding| is_it(&binding.row))
        })
    }

    /// True if `aor` has made or refreshed a binding after `start`, for that device if one is given.
    pub(super) fn is_registered_since(&self, aor: &Aor, device: Option<&str>, start: Instant) -> bool {
        let bindings = self.bindings.get(aor).into_iter().flatten();
        let mut of_device =
            bindings.filter(|binding| device.is_none() || binding.row.instance.as_deref() == device);
        of_device.any(|binding| binding.since > start)
    }

    /// How many addresses-of-record have a binding.
    pub(super) fn len(&self) -> usize {
        self.bindings.len()
    }

    /// How many bindings there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Bytes of all bindings.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Applies a write that is on stable storage.
    pub(super) fn apply(&mut self, write: &Write, now: Now) {
        match write {
            Write::Bind(row) => self.bind(row.clone(), now),
            Write::Unbind { aor, contact } => self.unbind(aor, contact),
            Write::Device(row) => self.devices.put(row),
            Write::ForgetDevice { aor, instance } => self.devices.take(aor, instance),
            Write::Secret(_)
            | Write::Accept(_)
            | Write::Outcomes { .. }
            | Write::Report { .. }
            | Write::Moved { .. }
            | Write::Remember(_)
            | Write::Recall(_)
            | Write::Forget(_)
            | Write::Purge { .. } => {}
        }
    }

    /// Removes everything that is known of a user.
    pub(super) fn forget(&mut self, aor: &Aor) {
        self.unbind_all(aor);
        self.devices.forget(aor);
    }

    /// Removes all bindings of a user, whose devices stay known.
    pub(super) fn unbind_all(&mut self, aor: &Aor) {
        for binding in self.bindings.remove(aor).unwrap_or_default() {
            self.ends.remove(&(binding.ends, aor.clone()));
            self.release(&binding.row);
        }
    }

    /// When the next binding expires.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.ends.first().map(|(ends, _)| *ends)
    }

    /// Removes what has expired at `now`, and returns the writes for that.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Write> {
        let mut gone = Vec::new();
        while let Some((ends, aor)) = self.ends.first().cloned().filter(|(ends, _)| *ends <= now) {
            self.ends.remove(&(ends, aor.clone()));
            let Some(bindings) = self.bindings.get_mut(&aor) else {
                continue;
            };
            let over: Vec<_> = bindings.extract_if(.., |binding| binding.ends <= now).collect();
            for binding in over {
                self.release(&binding.row);
                gone.push(Write::Unbind { aor: aor.clone(), contact: binding.row.contact });
            }
            self.drop_empty(&aor);
        }
        gone
    }

    fn bind(&mut self, row: BindingRow, now: Now) {
        let ends = now.mono_at(row.expires_at);
        self.unbind(&row.aor, &row.contact);
        self.ends.insert((ends, row.aor.clone()));
        self.count += 1;
        self.bytes += binding_bytes(&row);
        self.places.put(&row);
        let bindings = self.bindings.entry(row.aor.clone()).or_default();
        let place = bindings.partition_point(|other| other.row.q_permille >= row.q_permille);
        bindings.insert(place, Binding { row, ends, since: now.mono });
    }

    fn unbind(&mut self, aor: &Aor, contact: &Uri) {
        let Some(bindings) = self.bindings.get_mut(aor) else {
            return;
        };
        let gone: Vec<_> = bindings.extract_if(.., |binding| binding.row.contact == *contact).collect();
        for binding in gone {
            // Two bindings of one address that expire at the same instant share an entry; the sweep looks at both.
            let mut others = self.bindings.get(aor).into_iter().flatten();
            if !others.any(|other| other.ends == binding.ends) {
                self.ends.remove(&(binding.ends, aor.clone()));
            }
            self.release(&binding.row);
        }
        self.drop_empty(aor);
    }

    /// A binding is gone: frees its bytes and its place.
    fn release(&mut self, row: &BindingRow) {
        self.count = self.count.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(binding_bytes(row));
        self.places.take(row);
    }

    fn drop_empty(&mut self, aor: &Aor) {
        if self.bindings.get(aor).is_some_and(Vec::is_empty) {
            self.bindings.remove(aor);
        }
    }
}
