//! What the user has set for a single conversation. It is kept with the settings of the window, on this computer alone.

use serde::{Deserialize, Serialize};

use super::contacts::{Person, address_key};

/// The user's settings for one conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Marks {
    /// Which conversation: [`Marks::key`] of its people.
    pub with: String,
    /// The name that the user gave it; empty if none.
    pub name: String,
    /// It stays at the top of the list.
    pub pinned: bool,
    /// Its messages raise no notification and are not counted in the title.
    pub muted: bool,
    /// That somebody did not get a message raises no notification either.
    pub silent: bool,
    /// It is shown only among the archived ones, unless something in it is unread.
    pub archived: bool,
    /// The user wants to read it later.
    pub unread: bool,
}

impl Marks {
    /// The key of the conversation with these people, however their addresses are spelled.
    #[must_use]
    pub fn key(people: &[Person], hidden: bool) -> String {
        let mut keys: Vec<String> = people.iter().map(|person| address_key(&person.address)).collect();
        keys.sort();
        let keys = keys.join(" ");
        if hidden { format!("hidden {keys}") } else { keys }
    }

    /// Nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self { with: self.with.clone(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_conversation_has_one_key() {
        let person = |address: &str| Person { address: address.into(), name: "X".into(), simulated: false };
        let key = Marks::key(&[person("sip:ben@x.com"), person("im:ann@X.com")], false);
        assert_eq!(key, Marks::key(&[person("sip:ann@x.com:5060"), person("sip:ben@x.com")], false));
        assert_ne!(key, Marks::key(&[person("sip:ann@x.com"), person("sip:ben@x.com")], true));
        assert!(Marks { with: key, ..Marks::default() }.is_empty());
        assert!(!Marks { muted: true, ..Marks::default() }.is_empty());
    }
}
