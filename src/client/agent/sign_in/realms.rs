//! The realms in which our server has asked for the password, and the strongest challenge of each in a response.

use std::collections::BTreeMap;

use super::Asker;
use crate::limits::REALMS_MAX;
use crate::sip::Response;
use crate::sip::digest::{Challenge, Strength};

/// Each with the weakest proof that our server was content with.
#[derive(Debug, Default)]
pub(super) struct Realms(BTreeMap<String, Strength>);

impl Realms {
    /// Our server asks like this.
    pub(super) fn note(&mut self, challenge: &Challenge) {
        let realm = &challenge.realm;
        if self.0.len() >= REALMS_MAX && !self.0.contains_key(realm) {
            self.0.pop_first();
        }
        let strength = challenge.strength();
        let weakest = self.0.entry(realm.clone()).or_insert(strength);
        *weakest = strength.weaker(*weakest);
    }

    /// Whether our server has asked in this realm.
    pub(super) fn knows(&self, realm: &str) -> bool {
        self.0.contains_key(realm)
    }

    /// Whether this asks for a weaker proof than our server did in the same realm.
    pub(super) fn is_weaker(&self, challenge: &Challenge) -> bool {
        let asked = self.0.get(&challenge.realm);
        asked.is_some_and(|asked| !challenge.strength().is_as_strong_as(*asked))
    }

    /// Whether it has asked in none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The strongest challenge of each realm that we can answer.
pub(super) fn strongest(response: &Response, asker: Asker) -> BTreeMap<String, Challenge> {
    let order = |it: &Challenge| (it.algorithm, it.protection);
    let mut strongest: BTreeMap<String, Challenge> = BTreeMap::new();
    for challenge in Challenge::all(response.fields(), asker.challenge_field()) {
        let known = strongest.get(&challenge.realm);
        if known.is_none_or(|known| order(known) < order(&challenge)) {
            strongest.insert(challenge.realm.clone(), challenge);
        }
    }
    strongest
}
