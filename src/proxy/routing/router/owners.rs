//! Whose device is at a place, and who of them has blocked a sender.
//!
//! **Invariant:** thousands may share one place. A question about one of them costs no more for that: who may be meant is found by
//! the user part of the URI, and who blocks a sender is found by the sender.

use std::net::SocketAddr;

use super::{Router, place_of};
use crate::proxy::location::{Binding, Maker, place_of as place_of_binding, user_at_place};
use crate::sip::{Aor, Uri};
use crate::time::Now;

impl Router<'_> {
    /// Whether the owner of an address has blocked `sender`. A device's numeric address belongs to whoever registered
    /// it, so that nobody gets around a block by using that.
    pub(crate) fn is_blocked(&self, address: &Uri, sender: &Aor, now: Now) -> bool {
        let owner = self.domains.claimed(address);
        if owner.is_some_and(|owner| self.users.block(&owner, sender)) {
            return true;
        }
        let Some(place) = self.place_of_device(address) else { return false };
        if !self.is_blocked_by_any(sender) {
            return false;
        }
        // Several people may share one address; the user part tells them apart.
        let mut named = self.meant_at(place, address, now).peekable();
        match named.peek() {
            Some(_) => named.any(|binding| self.users.block(&binding.row.aor, sender)),
            None => self.users.blockers(sender).any(|user| self.is_owner_at(user, place, now)),
        }
    }

    /// Whether everybody whose device is at this place has blocked `sender`: a Route, or anybody's host name, may lead
    /// there. There may be many people behind a proxy, so one block is not enough.
    pub(crate) fn is_blocked_at(&self, place: SocketAddr, sender: &Aor, now: Now) -> bool {
        if !self.is_blocked_by_any(sender) {
            return false;
        }
        let mut owners = self.owners_at(place, None, now).peekable();
        owners.peek().is_some() && owners.all(|binding| self.users.block(&binding.row.aor, sender))
    }

    /// The same for a request with this Request-URI on its way to that place: of people who share it, the user part of
    /// the URI tells who is meant, whoever registered that URI.
    pub(crate) fn is_blocked_on_way(&self, (uri, place): (&Uri, SocketAddr), sender: &Aor, now: Now) -> bool {
        self.is_blocked_by_any(sender)
            && (self.is_blocked_at(place, sender, now)
                || self.meant_at(place, uri, now).any(|binding| self.users.block(&binding.row.aor, sender)))
    }

    /// Whether the device at this place is that user's, if it is one of ours; of people who share the place, the user
    /// part of the Request-URI tells who is meant.
    pub(crate) fn is_device_of(
        &self,
        place: SocketAddr,
        (uri, user): (&Uri, Option<&Aor>),
        now: Now,
    ) -> Option<bool> {
        let mut meant = self.meant_at(place, uri, now).peekable();
        if meant.peek().is_some() {
            return Some(meant.all(|binding| Some(&binding.row.aor) == user));
        }
        let is_anybodys = self.owners_at(place, None, now).next().is_some();
        is_anybodys.then(|| user.is_some_and(|user| self.is_owner_at(user, place, now)))
    }

    /// The bindings of our users whose device is at a numeric address.
    pub(crate) fn owners(&self, address: &Uri, now: Now) -> impl Iterator<Item = &Binding> {
        let place = self.place_of_device(address);
        place.into_iter().flat_map(move |place| self.owners_at(place, None, now))
    }

    /// Whether a device at a numeric address is that user's, perhaps among others.
    pub(crate) fn is_owner(&self, user: &Aor, address: &Uri, now: Now) -> bool {
        self.place_of_device(address).is_some_and(|place| self.is_owner_at(user, place, now))
    }

    fn is_blocked_by_any(&self, sender: &Aor) -> bool {
        self.users.blockers(sender).next().is_some()
    }

    fn place_of_device(&self, address: &Uri) -> Option<SocketAddr> {
        let place = place_of(address).filter(|_| self.domains.aor(address).is_none());
        place.map(canonical)
    }

    fn is_owner_at(&self, user: &Aor, place: SocketAddr, now: Now) -> bool {
        let place = canonical(place);
        let mut his =
            self.location.bindings(user, now.mono).filter(|binding| place_of_binding(&binding.row) == place);
        his.any(|binding| {
            self.is_there(Maker::of(&binding.row))
                || (!self.has_any_there(place, now) && self.is_received_at(&binding.row, now))
        })
    }

    /// Of the bindings of our users at a place, those with the user part of that URI.
    fn meant_at(&self, place: SocketAddr, uri: &Uri, now: Now) -> impl Iterator<Item = &Binding> {
        let user = user_at_place(uri);
        // Few have the same user part.
        let meant: Vec<_> = self.owners_at(place, Some(&user), now).collect();
        meant.into_iter()
    }

    /// The owners of a place, all or those with that user part. It belongs to those who registered from that very address and
    /// port, or whom a trusted peer registered there. If there are none, it belongs to those who registered it and have
    /// registered from its address: behind one NAT that may be several. Registering a foreign address makes nobody its
    /// owner.
    fn owners_at<'a>(
        &'a self,
        place: SocketAddr,
        user: Option<&str>,
        now: Now,
    ) -> impl Iterator<Item = &'a Binding> {
        let place = canonical(place);
        let has_any = self.has_any_there(place, now);
        let makers = self.location.makers(place).filter(move |maker| !has_any || self.is_there(*maker));
        let all = makers.flat_map(move |maker| self.location.at((place, maker), user, now.mono));
        all.filter(move |binding| has_any || self.is_received_at(&binding.row, now))
    }

    /// Whether any binding at a place was made from there, or by a trusted peer.
    pub(super) fn has_any_there(&self, place: SocketAddr, now: Now) -> bool {
        let mut makers = self.location.makers(place).filter(|maker| self.is_there(*maker));
        makers.any(|maker| self.location.at((place, maker), None, now.mono).next().is_some())
    }

    /// Whether a place itself, or a trusted peer, has registered anybody there.
    pub(crate) fn is_known_place(&self, place: SocketAddr) -> bool {
        self.location.makers(place).any(|maker| self.is_there(maker))
    }

    /// True for what a place itself, or a trusted peer, has registered there.
    pub(super) fn is_there(&self, maker: Maker) -> bool {
        match maker {
            Maker::Itself => true,
            Maker::Other(flow) => self.config.trusts(flow),
        }
    }
}

const fn canonical(place: SocketAddr) -> SocketAddr {
    SocketAddr::new(place.ip().to_canonical(), place.port())
}
