//! The users of the served domains, as the owner last handed them over (W30).

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::BLOCKED_LABELS_MAX;
use crate::proxy::config::{Auth, ProxyConfig};
use crate::proxy::journal::UserRow;
use crate::sip::Aor;
use crate::sip::digest::{Algorithm, Ha1};

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Users {
    auth: Auth,
    all: BTreeMap<Aor, KnownUser>,
    /// Who has blocked each sender or domain.
    blockers: BTreeMap<Aor, BTreeSet<Aor>>,
}

#[derive(Debug)]
struct KnownUser {
    sha256: Ha1,
    md5: Ha1,
    blocked: BTreeSet<Aor>,
}

impl Users {
    pub(crate) const fn new(config: &ProxyConfig) -> Self {
        Self { auth: config.auth, all: BTreeMap::new(), blockers: BTreeMap::new() }
    }

    /// Replaces all users.
    pub(crate) fn replace(&mut self, rows: &[UserRow]) {
        let user = |row: &UserRow| {
            let blocked = row.blocked.iter().cloned().collect();
            (row.aor.clone(), KnownUser { sha256: row.sha256.clone(), md5: row.md5.clone(), blocked })
        };
        self.all = rows.iter().map(user).collect();
        self.blockers.clear();
        for (sender, row) in rows.iter().flat_map(|row| row.blocked.iter().map(move |sender| (sender, row))) {
            self.blockers.entry(sender.clone()).or_default().insert(row.aor.clone());
        }
    }

    /// Whether users must authenticate.
    pub(crate) fn asks(&self) -> bool {
        self.auth != Auth::Off
    }

    /// The digest algorithms that we offer, best first (RFC 8760 §2.4).
    pub(crate) const fn offered(&self) -> &'static [Algorithm] {
        match self.auth {
            Auth::Off | Auth::On => &[Algorithm::Sha256, Algorithm::Md5],
            Auth::Md5 => &[Algorithm::Md5],
        }
    }

    /// The hash that a user's credentials are checked against; `None` if there is no such user, or no such hash.
    pub(crate) fn ha1(&self, user: &Aor, algorithm: Algorithm) -> Option<&Ha1> {
        let user = self.all.get(user)?;
        match algorithm {
            Algorithm::Sha256 => Some(&user.sha256),
            Algorithm::Md5 => Some(&user.md5),
            Algorithm::Sha512_256 => None,
        }
    }

    /// True for an address of ours that nobody has (W18); without authentication, anybody may be anybody.
    pub(crate) fn lack(&self, user: &Aor) -> bool {
        self.asks() && !self.all.contains_key(user)
    }

    /// Whether `user` has blocked `sender`.
    pub(crate) fn block(&self, user: &Aor, sender: &Aor) -> bool {
        let Some(user) = self.all.get(user).filter(|user| !user.blocked.is_empty()) else {
            return false;
        };
        names_of(sender).any(|name| user.blocked.contains(&name))
    }

    /// Those who have blocked `sender`; one may come twice.
    pub(crate) fn blockers(&self, sender: &Aor) -> impl Iterator<Item = &Aor> {
        names_of(sender).filter_map(move |name| self.blockers.get(&name)).flatten()
    }
}

/// The names under which somebody may be blocked: his address, that without the parameters of its user part, his domain,
/// and each domain above it, as a ban means them too (`Party::has_sender`).
fn names_of(sender: &Aor) -> impl Iterator<Item = Aor> {
    let names: [fn(&Aor) -> Option<Aor>; 2] = [|sender| Some(sender.clone()), Aor::without_user_params];
    names.into_iter().filter_map(move |name| name(sender)).chain(domains_of(sender))
}

/// A domain and those above it, from the top: no more than `BLOCKED_LABELS_MAX`, since the sender may have made it up.
fn domains_of(sender: &Aor) -> impl Iterator<Item = Aor> {
    let domain = sender.domain();
    let above = domain.rmatch_indices('.').filter_map(|(dot, _)| domain.get(dot + 1..));
    above.take(BLOCKED_LABELS_MAX).chain([domain]).filter_map(Aor::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_blocked_somebody_is_found_by_his_name_in_each_form_that_blocks_him() {
        let mut users = Users { auth: Auth::On, all: BTreeMap::new(), blockers: BTreeMap::new() };
        let aor = |text: &str| Aor::parse(text).unwrap();
        let row = |name: &str, blocked: &[&str]| UserRow {
            aor: aor(&format!("{name}@domain.com")),
            sha256: Ha1::stored(Algorithm::Sha256, String::new()),
            md5: Ha1::stored(Algorithm::Md5, String::new()),
            blocked: blocked.iter().map(|text| aor(text)).collect(),
        };
        users.replace(&[row("ann", &["eve@evil.org"]), row("bob", &["evil.org"]), row("ceo", &[])]);
        let by = |users: &Users, text: &str| -> Vec<String> {
            users.blockers(&aor(text)).map(ToString::to_string).collect()
        };
        assert_eq!(by(&users, "eve@evil.org"), ["ann@domain.com", "bob@domain.com"]);
        assert_eq!(by(&users, "eve;x=1@evil.org"), ["ann@domain.com", "bob@domain.com"]);
        assert_eq!(by(&users, "mallory@evil.org"), ["bob@domain.com"]);
        assert_eq!(by(&users, "ann@domain.com"), [] as [&str; 0]);
        // A blocked domain is blocked with all that is below it, and nothing else is.
        assert_eq!(by(&users, "eve@mail.evil.org"), ["bob@domain.com"]);
        assert_eq!(by(&users, &format!("eve@{}evil.org", "a.".repeat(90))), ["bob@domain.com"]);
        assert_eq!(by(&users, "eve@notevil.org"), [] as [&str; 0]);
        assert_eq!(by(&users, "eve@org"), [] as [&str; 0]);
        assert!(users.block(&aor("bob@domain.com"), &aor("eve@mail.evil.org")));
        for name in ["eve@evil.org", "eve;x=1@evil.org"] {
            assert!(
                users.block(&aor("ann@domain.com"), &aor(name))
                    && !users.block(&aor("ceo@domain.com"), &aor(name))
            );
        }
        users.replace(&[row("ann", &[])]);
        assert_eq!(by(&users, "eve@evil.org"), [] as [&str; 0]);
    }
}
