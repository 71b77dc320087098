//! Accounts, people, messages and conversations to show.

use super::*;

pub(crate) fn account() -> Account {
    Account {
        address: "sip:james@example.com".into(),
        name: "James Holt".into(),
        proxy: "udp:192.0.2.1:5060".into(),
        expires_secs: Some(604_800),
        ..Account::default()
    }
}

pub(crate) fn person(name: &str) -> Person {
    let user = name.to_lowercase().replace(' ', ".");
    Person { address: format!("sip:{user}@example.com"), name: name.into(), simulated: false }
}

pub(crate) fn people(names: &[&str]) -> Vec<Person> {
    names.iter().map(|name| person(name)).collect()
}

pub(crate) fn book() -> AddressBook {
    let contact = |name: &str| Contact { address: person(name).address, name: name.into(), simulated: false };
    AddressBook {
        contacts: ["Ann Lee", "Ben Okafor", "Cy Young", "Dana Weiss", "Eli Brandt", "Fay Moreau"]
            .map(contact)
            .to_vec(),
        lists: vec![List {
            name: "Night shift".into(),
            members: people(&["Ann Lee", "Ben Okafor", "Cy Young"]).into_iter().map(|p| p.address).collect(),
        }],
        ..AddressBook::default()
    }
}

/// So many minutes ago.
pub(crate) fn ago(minutes: u64) -> Timestamp {
    Timestamp::from_millis(NOW - minutes * 60_000)
}

/// How one recipient stands.
pub(crate) fn delivery(person: &Person, state: DeliveryState, at: Timestamp) -> DeliveryView {
    let (status, phrase) = match state {
        DeliveryState::Failed => (Some(480), "Temporarily Unavailable"),
        DeliveryState::PassedOn => (Some(202), "Accepted"),
        DeliveryState::Delivered | DeliveryState::Read => (Some(200), "OK"),
        DeliveryState::Queued
        | DeliveryState::Sending
        | DeliveryState::Accepted
        | DeliveryState::NoReport
        | DeliveryState::Deferred
        | DeliveryState::Cancelled => (None, ""),
    };
    let known = matches!(
        state,
        DeliveryState::Delivered | DeliveryState::Read | DeliveryState::Failed | DeliveryState::PassedOn
    );
    DeliveryView {
        person: person.clone(),
        state,
        status,
        phrase: phrase.into(),
        at: at.plus(Duration::from_millis(7_400)),
        after: known.then(|| Duration::from_millis(430)),
        attempt: 1,
    }
}

/// A message of ours, with a state per person.
pub(crate) fn own(id: u64, at: Timestamp, text: &str, states: &[(&Person, DeliveryState)]) -> MessageView {
    let deliveries: Vec<DeliveryView> =
        states.iter().map(|(person, state)| delivery(person, *state, at)).collect();
    own_of(id, at, text, deliveries)
}

pub(crate) fn own_of(id: u64, at: Timestamp, text: &str, deliveries: Vec<DeliveryView>) -> MessageView {
    MessageView {
        verified: true,
        id: MessageId(id),
        at,
        sent_at: None,
        from: None,
        text: text.into(),
        files: Vec::new(),
        attempts: deliveries.iter().map(|delivery| delivery.attempt).max().unwrap_or(1),
        call_ids: vec![format!("call-{id}@192.0.2.1")],
        way: Way::FanOut,
        tally: Tally::of(deliveries.iter().map(|delivery| delivery.state)),
        deliveries,
    }
}

/// A message of somebody else.
pub(crate) fn from(id: u64, at: Timestamp, person: &Person, text: &str) -> MessageView {
    MessageView {
        verified: true,
        id: MessageId(id),
        at,
        sent_at: None,
        from: Some(person.clone()),
        text: text.into(),
        files: Vec::new(),
        attempts: 0,
        call_ids: Vec::new(),
        way: Way::FanOut,
        deliveries: Vec::new(),
        tally: Tally::default(),
    }
}

pub(super) fn thread(id: u64, people: &[Person], messages: Vec<MessageView>) -> Thread {
    let outline = messages.iter().map(|message| Outline {
        id: message.id,
        chars: message.text.chars().count() as u32,
        newlines: message.text.matches('\n').count() as u32,
        recipients: message.deliveries.len() as u32,
    });
    Thread {
        conversation: ConversationId(id),
        people: people.to_vec().into(),
        hidden: false,
        outline: outline.collect(),
        first: 0,
        messages: messages.into_iter().map(Arc::new).collect(),
        unread_from: None,
    }
}

pub(super) fn head(thread: &Thread, unread: u32) -> ConversationHead {
    let last = thread.messages.last();
    let latest_failed = thread.messages.iter().rfind(|it| it.tally.failed > 0);
    ConversationHead {
        id: thread.conversation,
        newest: last.map_or(MessageId(0), |message| message.id),
        people: Arc::clone(&thread.people),
        hidden: thread.hidden,
        preview: last.map(|message| message.text.replace('\n', " ")).unwrap_or_default().into(),
        at: last.map_or(Timestamp::from_millis(NOW), |message| message.at),
        last: last.filter(|message| message.from.is_none()).map(|message| message.tally),
        verified: last.is_none_or(|message| message.verified),
        unread,
        failed: thread.messages.iter().map(|message| message.tally.failed).sum(),
        failed_unseen: 0,
        failed_messages: thread.messages.iter().filter(|it| it.tally.failed > 0).count() as u32,
        failed_latest: latest_failed.map_or(0, |message| message.tally.failed),
        failed_at: latest_failed.map(|message| message.at),
    }
}
