//! Words of the grammar: where one is wrong, which known one is nearest, and values that several words have.

use std::fmt;
use std::time::Duration;

use crate::time;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Bytes before the wrong word.
    pub at: usize,
    /// A sentence without a full stop.
    pub why: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.at + 1, self.why)
    }
}

impl std::error::Error for Wrong {}

/// The words of a text with commas between them, and where each begins.
pub(super) fn words(text: &str, start: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut next = start;
    text.split(',').map(move |word| {
        let at = next;
        next += word.len() + 1;
        (at, word)
    })
}

/// The known word that is most like this one; None if none is like it.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distance = |other: &&str| strsim::osa_distance(&word, &other.to_lowercase());
    let near = known.into_iter().min_by_key(distance)?;
    let is_like = distance(&near) <= word.chars().count().max(near.chars().count()).div_ceil(3)
        && distance(&near) < near.chars().count();
    is_like.then_some(near)
}

/// `; did you mean loss?`, or nothing.
pub(super) fn did_you_mean(word: &str, known: &[&str]) -> String {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    nearest(name, known.iter().copied()).map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

/// A time of at least 1 ms; an error shows the correct form.
pub(super) fn time_of(word: &str, value: &str, max: Duration) -> Result<Duration, String> {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    match time::duration(value) {
        Some(time) if !time.is_zero() && time <= max => Ok(time),
        Some(_) => Err(format!("{word:?} is not between 1ms and {} s", max.as_secs())),
        None => Err(format!("{word:?} has no time; write it like {name}=3s or {name}=500ms")),
    }
}

/// A count of at least one.
pub(super) fn count_of(word: &str, value: &str, max: u32) -> Result<u32, String> {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    match value.parse() {
        Ok(count) if (1..=max).contains(&count) => Ok(count),
        Ok(_) | Err(_) => Err(format!("{word:?} is not {name}=1 to {name}={max}")),
    }
}

/// A share of 1 to 100 %.
pub(super) fn share_of(word: &str, value: &str) -> Result<u8, String> {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    match value.strip_suffix('%').and_then(|number| number.parse().ok()) {
        Some(share @ 1..=100) => Ok(share),
        Some(_) | None => Err(format!("{word:?} is not {name}=1% to {name}=100%")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_like_it_or_there_is_none() {
        let known = ["loss", "delay", "jitter", "silent"];
        for (word, near) in [
            ("los", Some("loss")),
            ("LOSS", Some("loss")),
            ("dealy", Some("delay")),
            ("jiter", Some("jitter")),
            ("quiet", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, known), near, "{word}");
        }
    }
}
