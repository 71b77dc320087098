//! Who is ticked among the contacts, and the name that typed letters jump to.

use std::collections::BTreeSet;

use egui::Ui;

use crate::model::names::{KnownList, Names};
use crate::model::snapshot::Person;
use crate::ui::compose::recipients::Recipients;

/// The contacts that are ticked, by address key.
#[derive(Debug, Default)]
pub(crate) struct Chosen(BTreeSet<String>);

impl Chosen {
    /// Nobody is ticked.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this person is ticked.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains(key)
    }

    pub(super) fn toggle(&mut self, key: &str) {
        if !self.0.remove(key) {
            self.0.insert(key.to_owned());
        }
    }

    /// Nobody is ticked any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The ticked people, who are ticked no more.
    pub(crate) fn take(&mut self, names: &Names) -> Vec<Person> {
        let people = self.people(names);
        self.0.clear();
        people
    }

    /// The ticked people, in the order of the contacts; list members who are not contacts come last.
    pub(super) fn people(&self, names: &Names) -> Vec<Person> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let listed = names.lists().iter().flat_map(|list| list.keys.iter().zip(&list.members));
        let known = names.contacts().iter().map(|known| (&known.key, &known.person)).chain(listed);
        let mut seen = BTreeSet::new();
        known
            .filter(|(key, _)| self.has(key) && seen.insert(*key))
            .map(|(_, person)| person.clone())
            .collect()
    }
}

/// Whom the ticks stand for. There is one selection: while a new message is written, its recipients.
#[derive(Debug)]
pub(crate) enum Ticks<'a> {
    /// Those chosen here.
    Chosen(&'a mut Chosen),
    /// The recipients of the new message.
    Recipients(&'a mut Recipients),
}

impl Ticks<'_> {
    pub(super) fn has(&self, key: &str) -> bool {
        match self {
            Self::Chosen(chosen) => chosen.has(key),
            Self::Recipients(recipients) => recipients.has(key),
        }
    }

    pub(super) fn toggle(&mut self, key: &str, person: &Person) {
        match self {
            Self::Chosen(chosen) => chosen.toggle(key),
            Self::Recipients(recipients) => recipients.toggle(person.clone()),
        }
    }

    pub(super) fn set(&mut self, list: &KnownList, ticked: bool) {
        for (key, person) in list.keys.iter().zip(&list.members) {
            if self.has(key) != ticked {
                self.toggle(key, person);
            }
        }
    }
}

/// Letters typed to jump to a name, when the last of them was typed in egui's seconds, and the row that is to be shown.
#[derive(Debug, Default)]
pub(crate) struct Jump {
    letters: String,
    at: f64,
    pub(super) row: Option<usize>,
}

/// Letters typed within this time belong together.
const LETTERS_SECS: f64 = 1.0;

impl Jump {
    /// Takes the letters typed in this frame, unless a field has the focus.
    pub(super) fn take_letters(&mut self, ui: &Ui, names: &Names, found: &[usize]) {
        let focused = ui.memory(egui::Memory::focused);
        let in_field = focused.is_some_and(|id| egui::text_edit::TextEditState::load(ui.ctx(), id).is_some());
        let typed: String = ui.input(|input| {
            let text = |event: &egui::Event| {
                if let egui::Event::Text(text) = event { Some(text.clone()) } else { None }
            };
            input.events.iter().filter_map(text).collect()
        });
        // A blank ticks the row that has the focus.
        if in_field || typed.trim().is_empty() || !ui.is_enabled() {
            return;
        }
        let now = ui.input(|input| input.time);
        if now - self.at > LETTERS_SECS {
            self.letters.clear();
        }
        self.at = now;
        self.letters.push_str(&typed);
        let first = names.first_from(&self.letters);
        let row = found.iter().position(|index| *index >= first);
        self.row = row.or_else(|| found.len().checked_sub(1));
    }
}
