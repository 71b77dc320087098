//! The people of conversations: whose address is corrected, and who may get messages from us that no person sends
//! (notifications, and that the user is typing).

use super::{Conversations, people_key, shown_people};
use crate::model::contacts::{address_key, uri_key};
use crate::model::journal::{ConversationId, PersonRow};
use crate::model::names::readdress;
use crate::sip::{Scheme, Uri};

impl Conversations {
    /// One of a conversation's people has another address than was thought: returns all of them, as they are from now
    /// on. None if it stays as it is, because that person is not in it or there is a conversation with the others.
    pub(in crate::client) fn readdress(
        &mut self,
        id: ConversationId,
        (from, to): (&str, &str),
    ) -> Option<Vec<PersonRow>> {
        let conversation = self.all.get_mut(&id)?;
        let (wrong, right) = (address_key(from), address_key(to));
        let mut people = conversation.row.people.clone();
        if people.iter().any(|person| address_key(&person.address) == right && right != wrong) {
            return None;
        }
        let person = people.iter_mut().find(|person| address_key(&person.address) == wrong)?;
        let _former = readdress(person, to.to_owned());
        let hidden = conversation.row.hidden;
        let (old, new) = (people_key(&conversation.row.people, hidden), people_key(&people, hidden));
        if self.by_people.get(&new).is_some_and(|other| *other != id) {
            return None;
        }
        self.by_people.remove(&old);
        self.by_people.insert(new, id);
        conversation.row.people.clone_from(&people);
        conversation.people = shown_people(&people, &self.names);
        self.note_written_to(&people);
        Some(people)
    }

    /// Whether automatic messages may go to this address: it is that of a contact or of somebody to whom we have written,
    /// and it says no more than who that is. Anybody can write to us under an address that leads to a telephone network,
    /// or to a port or transport of his choice.
    pub(in crate::client) fn may_notify(&self, uri: &Uri) -> bool {
        is_plain(uri) && self.is_acquainted(uri)
    }

    /// Whether this is a contact, or somebody to whom we have written.
    pub(in crate::client) fn is_acquainted(&self, uri: &Uri) -> bool {
        let key = uri_key(uri);
        self.names.knows(&key) || self.written_to.contains(&key)
    }

    /// We have written to these people.
    pub(super) fn note_written_to(&mut self, people: &[PersonRow]) {
        self.written_to.extend(people.iter().map(|person| address_key(&person.address)));
    }
}

/// Whether this is a user at a host and nothing else: no port, parameter, password or header.
fn is_plain(uri: &Uri) -> bool {
    let parts = uri.as_str().split_once(':').and_then(|(_, rest)| rest.rsplit_once('@'));
    matches!(uri.scheme(), Scheme::Sip | Scheme::Sips | Scheme::Im | Scheme::Pres)
        && uri.names_somebody()
        && uri.port().is_none()
        && parts.is_some_and(|(user, host)| !user.contains([':', ';', '?']) && !host.contains([';', '?']))
}
