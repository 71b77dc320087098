//! Randomness for the machines: a seeded generator of tokens and jitter.
//!
//! **Invariant:** a machine owns its [`Random`]; the same seed gives the same branches, tags, Call-IDs and jitter.

use std::time::Duration;

use rand::rngs::{ChaCha12Rng, SysRng};
use rand::{Rng, SeedableRng, TryRng};

/// Digits and small letters: legal in any `token` (RFC 3261 §25.1), and unaffected by case folding.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghijkmnpqrstuvwx";

/// The source of branches, tags, Call-IDs, nonces and jitter.
#[derive(Debug)]
pub struct Random(ChaCha12Rng);

impl Random {
    /// Seeded from the operating system (RFC 3261 §19.3 requires unguessable tags).
    ///
    /// # Errors
    /// The operating system's generator could not be read.
    pub fn from_os() -> std::io::Result<Self> {
        let mut seed = [0; 32];
        SysRng.try_fill_bytes(&mut seed).map_err(std::io::Error::other)?;
        Ok(Self(ChaCha12Rng::from_seed(seed)))
    }

    /// The same sequence for the same seed: for tests and the simulation.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // The bias of a plain remainder is below 2^-40 for every range that we use.
        self.bits().checked_rem(end).unwrap_or(0)
    }

    /// A token of `length` characters, with 5 random bits in each.
    pub fn token(&mut self, length: usize) -> String {
        let mut bits = 0;
        (0..length)
            .map(|index| {
                if index % 12 == 0 {
                    bits = self.bits();
                }
                let letter = usize::try_from(bits & 31).unwrap_or(0);
                bits >>= 5;
                ALPHABET.get(letter).map_or('x', |byte| char::from(*byte))
            })
            .collect()
    }

    /// `duration` spread evenly between 85 % and 100 % of itself, so that many clients do not act at once.
    pub fn jitter(&mut self, duration: Duration) -> Duration {
        let permille = u32::try_from(850 + self.below(151)).unwrap_or(1000);
        duration / 1000 * permille
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_one_story() {
        let (mut one, mut two) = (Random::from_seed(7), Random::from_seed(7));
        assert_eq!(one.token(30), two.token(30));
        assert_eq!(one.bits(), two.bits());
        assert_ne!(one.token(30), Random::from_seed(8).token(30));
    }

    #[test]
    fn tokens_have_their_length_and_only_token_characters() {
        let token = Random::from_seed(1).token(64);
        assert_eq!(token.len(), 64);
        assert!(token.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
    }

    #[test]
    fn jitter_stays_in_its_bounds() {
        let mut random = Random::from_seed(3);
        for _ in 0..1000 {
            let spread = random.jitter(Duration::from_secs(10));
            assert!((Duration::from_millis(8500)..=Duration::from_secs(10)).contains(&spread));
        }
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn the_system_seeds_differ() {
        let tokens: Vec<_> = (0..2).map(|_| Random::from_os().unwrap().token(20)).collect();
        assert_ne!(tokens[0], tokens[1]);
    }
}
