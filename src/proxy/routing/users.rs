//! The users of the served domains, as the owner last handed them over (W30).

use std::collections::{BTreeMap, BTreeSet};

use crate::proxy::config::{Auth, ProxyConfig};
use crate::proxy::journal::UserRow;
use crate::sip::Aor;
use crate::sip::digest::{Algorithm, Ha1};

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Users {
    auth: Auth,
    all: BTreeMap<Aor, KnownUser>,
}

#[derive(Debug)]
struct KnownUser {
    sha256: Ha1,
    md5: Ha1,
    blocked: BTreeSet<Aor>,
}

impl Users {
    pub(crate) const fn new(config: &ProxyConfig) -> Self {
        Self { auth: config.auth, all: BTreeMap::new() }
    }

    /// Replaces all users.
    pub(crate) fn replace(&mut self, rows: &[UserRow]) {
        let user = |row: &UserRow| {
            let blocked = row.blocked.iter().cloned().collect();
            (row.aor.clone(), KnownUser { sha256: row.sha256.clone(), md5: row.md5.clone(), blocked })
        };
        self.all = rows.iter().map(user).collect();
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
        let domain = || Aor::parse(sender.domain());
        let plain = || sender.without_user_params();
        user.blocked.contains(sender)
            || plain().is_some_and(|plain| user.blocked.contains(&plain))
            || domain().is_some_and(|domain| user.blocked.contains(&domain))
    }
}
