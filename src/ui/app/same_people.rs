//! Which conversation is with the same people.

use super::App;
use crate::model::contacts::address_key;
use crate::model::journal::ConversationId;
use crate::model::snapshot::ConversationHead;

impl App {
    /// The conversation with exactly these people, besides ourselves.
    pub(super) fn conversation_of(&self, people: &[String], hidden: bool) -> Option<ConversationId> {
        let own = self.own_key();
        conversation_of(&self.snapshot.conversations, people, hidden, own.as_deref())
    }
}

/// The conversation with exactly these people; our own address among them does not count, as a conversation is with
/// others.
fn conversation_of(
    heads: &[ConversationHead],
    people: &[String],
    hidden: bool,
    own: Option<&str>,
) -> Option<ConversationId> {
    let keys = |addresses: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        let mut keys: Vec<String> =
            addresses.map(address_key).filter(|key| Some(key.as_str()) != own).collect();
        keys.sort();
        keys.dedup();
        keys
    };
    let wanted = keys(&mut people.iter().map(String::as_str));
    // With a single recipient there is nobody to hide from.
    let hidden = hidden && wanted.len() > 1;
    heads
        .iter()
        .filter(|head| head.hidden == hidden && head.people.len() == wanted.len())
        .find(|head| keys(&mut head.people.iter().map(|person| person.address.as_str())) == wanted)
        .map(|head| head.id)
}
