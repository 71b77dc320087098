//! From stored rows to what the window shows: pure functions that combine rows and names.

use std::time::Duration;

use super::delivery::best;
use super::journal::{AttemptRow, DeliveryRow, DeliveryState, IncomingRow, OpenRows, OutgoingRow, Way};
use super::names::Names;
use super::snapshot::{DeliveryView, MessageView, Person, Tally};
use super::text::shown;
use crate::time::Timestamp;

/// If the sender's clock differs by more than this, the difference is shown.
const CLOCK_DIFFERENCE_SHOWN: Duration = Duration::from_secs(5 * 60);

/// A message of ours, with the best of all attempts for each recipient.
#[must_use]
pub fn message_view(rows: &OpenRows, names: &Names) -> MessageView {
    let outgoing = &rows.outgoing;
    let shown = shown(&outgoing.content_type, &outgoing.body);
    let known = best(&rows.deliveries, outgoing.recipients.len());
    let deliveries: Vec<_> = outgoing
        .recipients
        .iter()
        .zip(known)
        .map(|(row, known)| delivery_view(outgoing, names.person(row), known))
        .collect();
    MessageView {
        id: outgoing.id,
        at: outgoing.at,
        sent_at: None,
        from: None,
        text: shown.text,
        files: shown.files,
        attempts: u32::try_from(rows.attempts.len()).unwrap_or(u32::MAX),
        call_ids: rows.attempts.iter().flat_map(AttemptRow::call_ids).collect(),
        way: rows.attempts.last().map_or(Way::FanOut, |attempt| attempt.way),
        tally: Tally::of(deliveries.iter().map(|delivery| delivery.state)),
        deliveries,
        verified: true,
    }
}

/// A message of somebody else.
#[must_use]
pub fn incoming_view(row: &IncomingRow, names: &Names) -> MessageView {
    let shown = shown(&row.content_type, &row.body);
    MessageView {
        id: row.id,
        at: row.at,
        sent_at: row.sent_at.filter(|sent| differs(*sent, row.at)),
        from: Some(names.person(&row.from)),
        text: shown.text,
        files: shown.files,
        attempts: 0,
        call_ids: Vec::new(),
        way: Way::FanOut,
        deliveries: Vec::new(),
        verified: row.verified,
        tally: Tally::default(),
    }
}

/// How many recipients of a message of ours are in each state.
#[must_use]
pub fn tally(rows: &OpenRows) -> Tally {
    let known = best(&rows.deliveries, rows.outgoing.recipients.len());
    Tally::of(known.into_iter().map(|row| row.map_or(DeliveryState::Queued, |row| row.state)))
}

fn delivery_view(outgoing: &OutgoingRow, person: Person, known: Option<&DeliveryRow>) -> DeliveryView {
    let mut view = DeliveryView {
        person,
        state: DeliveryState::Queued,
        status: None,
        phrase: Default::default(),
        at: outgoing.at,
        after: None,
        attempt: 1,
    };
    if let Some(row) = known {
        show(&mut view, row);
    }
    view
}

fn show(view: &mut DeliveryView, row: &DeliveryRow) {
    view.state = row.state;
    view.status = row.status;
    view.phrase = row.phrase.visible();
    view.at = row.at;
    view.after = row.after;
    view.attempt = row.attempt;
}

/// Shows the state of one recipient of a message of ours; all that is shown of the others stays.
pub fn move_delivery(view: &mut MessageView, row: &DeliveryRow) {
    let place = usize::try_from(row.recipient).ok().and_then(|index| view.deliveries.get_mut(index));
    if let Some(place) = place {
        view.tally.moved(place.state, row.state);
        show(place, row);
    }
}

fn differs(sent: Timestamp, came: Timestamp) -> bool {
    sent.since(came).max(came.since(sent)) > CLOCK_DIFFERENCE_SHOWN
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::journal::{AttemptRow, ConversationId, MessageId, PersonRow};

    fn person(address: &str) -> PersonRow {
        PersonRow { address: address.to_owned(), name: String::new() }
    }

    fn delivery(recipient: u32, attempt: u32, state: DeliveryState, status: Option<u16>) -> DeliveryRow {
        DeliveryRow {
            message: MessageId(7),
            attempt,
            recipient,
            state,
            status,
            phrase: "Busy\u{202E} Here".into(),
            tries: None,
            after: Some(Duration::from_millis(40)),
            at: Timestamp::from_millis(9),
        }
    }

    fn attempt(number: u32) -> AttemptRow {
        AttemptRow::closed(MessageId(7), number)
    }

    /// To three people: one got it at once, one with the second attempt, of one nothing is known.
    fn two_attempts() -> OpenRows {
        OpenRows {
            outgoing: OutgoingRow {
                id: MessageId(7),
                conversation: ConversationId(1),
                at: Timestamp::from_millis(5),
                content_type: "text/plain;charset=utf-8".into(),
                body: Bytes::from_static(b"Come here.\x00"),
                recipients: vec![
                    person("im:ann@domain.com"),
                    person("im:bob@domain.com"),
                    person("im:cy@domain.com"),
                ],
            },
            attempts: vec![attempt(1), attempt(2)],
            deliveries: vec![
                delivery(0, 1, DeliveryState::Failed, Some(486)),
                delivery(1, 1, DeliveryState::Delivered, Some(200)),
                delivery(0, 2, DeliveryState::Delivered, Some(200)),
            ],
        }
    }

    #[test]
    fn a_message_shows_each_person_once_with_the_best_state() {
        let rows = two_attempts();
        let view = message_view(&rows, &Names::default());
        assert_eq!((view.text.as_str(), view.attempts), ("Come here.", 2));
        let shown: Vec<_> =
            view.deliveries.iter().map(|it| (it.person.name.as_str(), it.state, it.attempt)).collect();
        assert_eq!(
            shown,
            [
                ("ann", DeliveryState::Delivered, 2),
                ("bob", DeliveryState::Delivered, 1),
                ("cy", DeliveryState::Queued, 1)
            ]
        );
        assert_eq!(view.tally, Tally { total: 3, delivered: 2, queued: 1, ..Tally::default() });
        assert_eq!(view.tally, tally(&rows));
        assert_eq!(view.deliveries[1].phrase, "Busy⟨U+202E⟩ Here".into());
    }

    #[test]
    fn one_recipient_moves_and_the_view_is_as_if_all_were_read_anew() {
        let mut rows = two_attempts();
        let mut view = message_view(&rows, &Names::default());
        let news = DeliveryRow { status: Some(200), ..delivery(2, 1, DeliveryState::Delivered, None) };
        rows.deliveries.push(news.clone());
        assert_ne!(view, message_view(&rows, &Names::default()));
        move_delivery(&mut view, &news);
        assert_eq!(view, message_view(&rows, &Names::default()));
        assert_eq!((view.tally.delivered, view.tally.queued), (3, 0));
        move_delivery(&mut view, &delivery(9, 1, DeliveryState::Failed, None));
        assert_eq!(view, message_view(&rows, &Names::default()), "nobody has that number");
    }

    #[test]
    fn the_senders_time_is_shown_only_where_it_differs_by_more_than_five_minutes() {
        let minutes = |count: u64| Timestamp::from_millis(count * 60_000);
        let mut row = IncomingRow {
            id: MessageId(1),
            conversation: ConversationId(1),
            at: minutes(100),
            sent_at: Some(minutes(95)),
            from: person("sip:ann@domain.com"),
            also_to: vec![],
            content_type: "image/png".into(),
            body: Bytes::from_static(b"\x89"),
            key: String::new(),
            verified: true,
        };
        let view = incoming_view(&row, &Names::default());
        assert_eq!((view.sent_at, view.files[0].name.as_str()), (None, "image/png"));
        assert_eq!(view.from.unwrap().name, "ann");
        for far in [94, 106] {
            row.sent_at = Some(minutes(far));
            assert_eq!(incoming_view(&row, &Names::default()).sent_at, row.sent_at);
        }
    }
}
