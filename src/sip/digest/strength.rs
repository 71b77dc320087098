//! How strong the proof is that a challenge asks for.

use super::{Algorithm, Challenge};

/// How hard a challenge makes it to test guesses of the password with an answer to it: whoever chooses the nonce can
/// prepare the hashes of many passwords, unless the client adds a nonce of its own (RFC 7616 §5.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    algorithm: Algorithm,
    protection: Protection,
}

/// Quality of protection (qop), weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protection {
    /// None, as in RFC 2069.
    None,
    /// Each request under a nonce is numbered.
    Auth,
}

impl Challenge {
    /// How strong the proof is that this asks for.
    #[must_use]
    pub const fn strength(&self) -> Strength {
        Strength { algorithm: self.algorithm, protection: self.protection }
    }
}

impl Strength {
    /// Whether this is at least as strong as the other in every respect.
    #[must_use]
    pub fn is_as_strong_as(self, other: Self) -> bool {
        self.algorithm >= other.algorithm && self.protection >= other.protection
    }

    /// The weaker of both in each respect.
    #[must_use]
    pub fn weaker(self, other: Self) -> Self {
        Self {
            algorithm: self.algorithm.min(other.algorithm),
            protection: self.protection.min(other.protection),
        }
    }
}
