//! What names led to a moment ago, so that messages to the same people do not ask DNS each time.
//!
//! Only the addresses are kept, and not what DNS said: its answers have up to 64 KB, and whoever owns a domain writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::resolve::{Found, Name};
use crate::limits::{NAME_HOLDS_MAX, NAME_HOLDS_UNSAID, NAMES_KNOWN_MAX};
use crate::machine::Hop;

/// See the module documentation.
#[derive(Debug, Default)]
pub(super) struct NameCache {
    known: BTreeMap<Name, (Vec<Hop>, Instant)>,
    /// By when they end.
    by_end: BTreeSet<(Instant, Name)>,
}

impl NameCache {
    /// Where a name leads, if that is known.
    pub(super) fn get(&mut self, name: &Name, now: Instant) -> Option<Vec<Hop>> {
        while let Some((end, _)) = self.by_end.first()
            && *end <= now
            && let Some((_, old)) = self.by_end.pop_first()
        {
            self.known.remove(&old);
        }
        self.known.get(name).map(|(hops, _)| hops.clone())
    }

    /// It leads there.
    pub(super) fn put(&mut self, name: &Name, found: &Found, now: Instant) {
        let said = found.holds.filter(|_| !found.hops.is_empty());
        let holds = said.unwrap_or(NAME_HOLDS_UNSAID).min(NAME_HOLDS_MAX);
        if holds == Duration::ZERO {
            return;
        }
        let end = now + holds;
        if let Some((_, before)) = self.known.insert(name.clone(), (found.hops.clone(), end)) {
            self.by_end.remove(&(before, name.clone()));
        }
        self.by_end.insert((end, name.clone()));
        if self.known.len() > NAMES_KNOWN_MAX
            && let Some((_, next)) = self.by_end.pop_first()
        {
            self.known.remove(&next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::resolve::{Route, route};
    use crate::sip::{Transport, Uri};

    fn name(host: &str) -> Name {
        let Route::Name(name) = route(&Uri::parse(&format!("sip:{host}")).unwrap()) else { panic!("{host}") };
        name
    }

    fn found(secs: Option<u64>) -> Found {
        let hop = Hop { transport: Transport::Udp, remote: "192.0.2.1:5060".parse().unwrap() };
        Found { hops: vec![hop], holds: secs.map(Duration::from_secs) }
    }

    #[test]
    fn what_was_found_holds_as_long_as_dns_says_and_no_longer_than_a_minute() {
        let now = crate::time::Clock::start().now().mono;
        let after = |secs: u64| now + Duration::from_secs(secs);
        let mut cache = NameCache::default();
        let nowhere = Found { hops: Vec::new(), holds: Some(Duration::from_secs(86_400)) };
        for (host, found, holds) in [
            ("short.example", found(Some(5)), 5),
            ("long.example", found(Some(86_400)), 60),
            ("unsaid.example", found(None), 10),
            ("nowhere.example", nowhere, 10),
        ] {
            cache.put(&name(host), &found, now);
            assert_eq!(cache.get(&name(host), after(holds - 1)), Some(found.hops), "{host}");
            assert_eq!(cache.get(&name(host), after(holds)), None, "{host}");
        }
        cache.put(&name("zero.example"), &found(Some(0)), now);
        assert_eq!(cache.get(&name("zero.example"), now), None);
        assert!(cache.known.is_empty() && cache.by_end.is_empty());
    }

    #[test]
    fn the_names_that_are_known_have_an_end() {
        let now = crate::time::Clock::start().now().mono;
        let mut cache = NameCache::default();
        for number in 0..2 * NAMES_KNOWN_MAX {
            cache.put(&name(&format!("n{number}.example")), &found(Some(60)), now);
            cache.put(&name("again.example"), &found(Some(60)), now + Duration::from_secs(1));
        }
        assert_eq!((cache.known.len(), cache.by_end.len()), (NAMES_KNOWN_MAX, NAMES_KNOWN_MAX));
        assert!(cache.get(&name("again.example"), now).is_some());
    }
}
