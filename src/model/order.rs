//! The order of names on the screen: by the Unicode Collation Algorithm, `ä` beside `a`, without regard to case.

use std::cmp::Ordering;
use std::fmt;

use icu_collator::options::CollatorOptions;
use icu_collator::{CollatorBorrowed, CollatorPreferences};

/// Compares names.
pub struct Order(Option<CollatorBorrowed<'static>>);

impl Default for Order {
    /// The root order of Unicode, which suits most languages.
    fn default() -> Self {
        Self(CollatorBorrowed::try_new(CollatorPreferences::default(), CollatorOptions::default()).ok())
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order").finish_non_exhaustive()
    }
}

impl Order {
    /// Which of two names comes first.
    #[must_use]
    pub fn compare(&self, one: &str, other: &str) -> Ordering {
        match &self.0 {
            Some(collator) => collator.compare(one, other),
            None => one.to_lowercase().cmp(&other.to_lowercase()),
        }
    }
}
