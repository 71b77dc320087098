//! Contacts and saved lists, as people keep them in a RON file.

use serde::{Deserialize, Serialize};

/// Somebody to write to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// A URI, as written.
    pub address: String,
    /// What we call them.
    #[serde(default)]
    pub name: String,
    /// A scripted person of the demo, shown as simulated.
    #[serde(default, skip_serializing_if = "is_false")]
    pub simulated: bool,
}

/// Several contacts under one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// What we call it.
    pub name: String,
    /// Addresses, as in the contacts.
    pub members: Vec<String>,
}

/// The contacts file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddressBook {
    /// Everybody, in the order shown.
    pub contacts: Vec<Contact>,
    /// Saved lists.
    pub lists: Vec<List>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
