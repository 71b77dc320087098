//! Which users have a device at which place, by who registered it and by the user part of its Contact: thousands may share the
//! place of a proxy in front of them, and a request to one of them must not look at all the others.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::place_of;
use crate::machine::Flow;
use crate::proxy::journal::{BindingRow, Reach};
use crate::sip::{Aor, Uri};

/// Who has registered a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Maker {
    /// The place itself: the REGISTER came from that address and port, or its flow is the place.
    Itself,
    /// Somebody else, over a flow from that address, whatever its ports.
    Other(Flow),
}

impl Maker {
    pub(crate) fn of(row: &BindingRow) -> Self {
        let (place, peer) = (place_of(row), row.flow.remote);
        let is_made_there = SocketAddr::new(peer.ip().to_canonical(), peer.port()) == place;
        if row.reach == Reach::Flow || is_made_there {
            return Self::Itself;
        }
        let remote = SocketAddr::new(peer.ip().to_canonical(), 0);
        Self::Other(Flow { transport: row.flow.transport, local: remote, remote, connection: None })
    }
}

/// How many bindings each user has, by the user part of their Contact.
type People = BTreeMap<String, BTreeMap<Aor, usize>>;

/// See the module documentation.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<SocketAddr, BTreeMap<Maker, People>>);

/// The user part by which people at one place are told apart.
pub(crate) fn user_at_place(uri: &Uri) -> String {
    uri.aor().user().to_owned()
}

impl Places {
    pub(super) fn put(&mut self, row: &BindingRow) {
        let people = self.0.entry(place_of(row)).or_default().entry(Maker::of(row)).or_default();
        let named = people.entry(user_at_place(&row.contact)).or_default();
        *named.entry(row.aor.clone()).or_default() += 1;
    }

    pub(super) fn take(&mut self, row: &BindingRow) {
        let (place, maker, user) = (place_of(row), Maker::of(row), user_at_place(&row.contact));
        let Some(makers) = self.0.get_mut(&place) else { return };
        let Some(people) = makers.get_mut(&maker) else { return };
        let Some(named) = people.get_mut(&user) else { return };
        if let Some(count) = named.get_mut(&row.aor) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                named.remove(&row.aor);
            }
        }
        if named.is_empty() {
            people.remove(&user);
        }
        if people.is_empty() {
            makers.remove(&maker);
        }
        if makers.is_empty() {
            self.0.remove(&place);
        }
    }

    /// Who has registered that place for anybody.
    pub(super) fn makers(&self, place: SocketAddr) -> impl Iterator<Item = Maker> {
        self.0.get(&place).into_iter().flat_map(|makers| makers.keys().copied())
    }

    /// The users for whom that one has registered that place, all or those with that user part. A user may come twice.
    pub(super) fn people(
        &self,
        place: SocketAddr,
        maker: Maker,
        user: Option<&str>,
    ) -> impl Iterator<Item = (&str, &Aor)> {
        let people = self.0.get(&place).and_then(|makers| makers.get(&maker));
        let named = user.and_then(|user| people?.get_key_value(user));
        let all = people.filter(|_| user.is_none()).into_iter().flatten();
        named
            .into_iter()
            .chain(all)
            .flat_map(|(user, named)| named.keys().map(move |aor| (user.as_str(), aor)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn row(number: usize, from: &str, contact: &str, reach: Reach) -> BindingRow {
        BindingRow {
            aor: Aor::parse(&format!("u{number}@domain.com")).unwrap(),
            contact: Uri::parse(contact).unwrap(),
            q_permille: 1000,
            call_id: "c".to_owned(),
            cseq: 1,
            instance: None,
            expires_at: Timestamp::from_millis(0),
            flow: Flow::udp("192.0.2.100:5060".parse().unwrap(), from.parse().unwrap()),
            reach,
            reg_id: None,
            path: Vec::new(),
        }
    }

    #[test]
    fn of_thousands_at_one_place_one_is_found_by_the_user_part_and_by_who_registered_it() {
        let (mut places, place) = (Places::default(), "192.0.2.50:5060".parse().unwrap());
        let rows: Vec<_> = (0..5000)
            .map(|number| {
                row(number, "192.0.2.50:5060", &format!("sip:u{number}@192.0.2.50"), Reach::Contact)
            })
            .collect();
        rows.iter().for_each(|row| places.put(row));
        let elsewhere = row(7, "192.0.2.9:5060", "sip:u7@192.0.2.50:5060", Reach::Contact);
        let by_ports =
            [1, 2].map(|port| row(8, &format!("192.0.2.50:4000{port}"), "sip:u8@192.0.2.50", Reach::Contact));
        places.put(&elsewhere);
        by_ports.iter().for_each(|row| places.put(row));
        let found = |places: &Places, maker, user| -> Vec<String> {
            places.people(place, maker, user).map(|(_, aor)| aor.to_string()).collect()
        };
        assert_eq!(found(&places, Maker::Itself, Some("u7")), ["u7@domain.com"]);
        assert_eq!(found(&places, Maker::Itself, Some("nobody")), [] as [&str; 0]);
        assert_eq!(found(&places, Maker::Itself, None).len(), 5000);
        assert_eq!(found(&places, Maker::of(&elsewhere), Some("u7")), ["u7@domain.com"]);
        // Those who register from other ports of it are together, however many ports they use.
        assert_eq!(Maker::of(&by_ports[0]), Maker::of(&by_ports[1]));
        assert_eq!(found(&places, Maker::of(&by_ports[0]), None), ["u8@domain.com"]);
        assert_eq!(places.makers(place).count(), 3);
        places.take(&by_ports[0]);
        assert_eq!(found(&places, Maker::of(&by_ports[1]), None).len(), 1, "one binding of two is left");
        rows.iter().chain([&elsewhere, &by_ports[1]]).for_each(|row| places.take(row));
        assert!(places.0.is_empty(), "nothing stays behind");
    }
}
