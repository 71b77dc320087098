//! How well a name fits what was typed, letters left out included: `nsh` finds *Night shift*.

use crate::model::fold::fold;

/// What was typed, prepared to be compared.
#[derive(Debug, Default)]
pub(super) struct Wanted(Vec<String>);

impl Wanted {
    /// Words between blanks, each of which has to fit.
    pub(super) fn of(typed: &str) -> Self {
        Self(typed.split_whitespace().map(fold).collect())
    }

    /// How far a folded name is from what was typed, 0 for the same beginning; none if it does not fit.
    pub(super) fn distance(&self, folded: &str) -> Option<usize> {
        self.0.iter().map(|word| distance(folded, word)).sum()
    }
}

/// A letter left out is worse than any place of the whole word.
const APART: usize = 10;

fn distance(name: &str, word: &str) -> Option<usize> {
    if name.starts_with(word) {
        return Some(0);
    }
    let begins_word = |(at, _): (usize, &str)| {
        name.get(..at)
            .and_then(|before| before.chars().next_back())
            .is_some_and(|letter| !letter.is_alphanumeric())
    };
    let mut places = name.match_indices(word).peekable();
    if places.peek().is_some() {
        return Some(if places.any(begins_word) { 1 } else { 2 });
    }
    scattered(name, word)
}

/// The letters in order, others between them: the fewer runs they stand in, the better.
fn scattered(name: &str, word: &str) -> Option<usize> {
    let mut wanted = word.chars().peekable();
    let (mut runs, mut is_in_run) = (0, false);
    for letter in name.chars() {
        if wanted.next_if_eq(&letter).is_some() {
            runs += usize::from(!is_in_run);
            is_in_run = true;
        } else {
            is_in_run = false;
        }
    }
    // Letters that stand alone everywhere fit anything.
    let few = runs <= 1 + word.chars().count() / 2;
    (wanted.peek().is_none() && few).then_some(APART * runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'n>(typed: &str, names: &[&'n str]) -> Vec<&'n str> {
        let wanted = Wanted::of(typed);
        let mut found: Vec<_> =
            names.iter().filter_map(|name| Some((wanted.distance(&fold(name))?, *name))).collect();
        found.sort();
        found.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn beginnings_come_before_words_within_and_letters_left_out_come_last() {
        let names = ["Ann Lee", "Leanne Roy", "Night shift", "Zoë Ångström", "Settings"];
        assert_eq!(best("ann", &names), ["Ann Lee", "Leanne Roy"]);
        assert_eq!(best("lee", &names), ["Ann Lee", "Leanne Roy"]);
        assert_eq!(best("le an", &names), ["Ann Lee", "Leanne Roy"]);
        assert_eq!(best("nsh", &names), ["Night shift"]);
        assert_eq!(best("zoe ang", &names), ["Zoë Ångström"]);
        assert_eq!(best("stngs", &names), ["Settings"]);
        assert_eq!(best("xyz", &names), [""; 0]);
        assert_eq!(best("", &names).len(), 5, "nothing typed fits all");
    }
}
