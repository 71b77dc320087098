//! The texts on the screen: names, times, counts. They say who and what to do, in sentence case.

use std::time::Duration;

pub(crate) use super::look::Look;
use super::reasons;
use super::states;
use super::states::accessible_name;
pub(crate) use super::states::state_word;
use crate::model::account::RegistrationState;
use crate::model::journal::DeliveryState;
use crate::model::reason::{Cause, cause};
use crate::model::sign_in_fault::SignInFault;
use crate::model::snapshot::{
    DeliveryView, MessageView, PasswordPlace, Person, Snapshot, UntrustedCertificate,
};
use crate::model::text::{self, visible};
use crate::ui::text::{decimal, say};

impl Look {
    /// When the next attempt to reach the server is due.
    fn retry(&self, snapshot: &Snapshot) -> String {
        match snapshot.retry_at {
            Some(at) if at > self.now => say!("offline-retry", wait = rough(at.since(self.now))),
            Some(_) | None => say!("offline-retrying").to_owned(),
        }
    }

    /// The account's status, shown beside our own name.
    pub(crate) fn account(&self, snapshot: &Snapshot) -> String {
        match &snapshot.registration {
            RegistrationState::Idle if snapshot.password == PasswordPlace::Coming => {
                say!("waiting-keyring").to_owned()
            }
            RegistrationState::Idle if snapshot.account.as_ref().is_some_and(|it| it.signed_out) => {
                say!("signed-out").to_owned()
            }
            RegistrationState::Idle => say!("not-connected").to_owned(),
            RegistrationState::Connecting(_) => say!("connecting").to_owned(),
            RegistrationState::Connected | RegistrationState::ByList | RegistrationState::NoFanOut => {
                match &snapshot.redirected_to {
                    Some(place) => say!("connected-redirected", place = place),
                    None => say!("connected").to_owned(),
                }
            }
            RegistrationState::Refused { status: 401 | 407, .. } if has_no_password(snapshot) => {
                say!("password-needed").to_owned()
            }
            RegistrationState::Refused { status, .. } => {
                let refused = if matches!(status, 401 | 407) {
                    say!("sign-in-refused")
                } else {
                    reasons::account(*status)
                };
                match snapshot.retry_at.filter(|at| *at > self.now) {
                    Some(at) => say!("refused-next-try", refused = refused, wait = rough(at.since(self.now))),
                    None => refused.to_owned(),
                }
            }
            RegistrationState::Offline { .. } if changed_certificate(snapshot).is_some() => {
                say!("certificate-changed").to_owned()
            }
            // The cause matters more than when the next attempt is.
            RegistrationState::Offline { .. } => outage(snapshot).unwrap_or_else(|| self.retry(snapshot)),
        }
    }
}

fn has_no_password(snapshot: &Snapshot) -> bool {
    snapshot.account.as_ref().is_some_and(|account| account.sign_in.password.is_empty())
}

/// Why the server refused the account, in sentences that name the status code and phrase, or the realm; none if it did
/// not.
pub(crate) fn refusal(snapshot: &Snapshot) -> Option<String> {
    let RegistrationState::Refused { status, reason, why, .. } = &snapshot.registration else {
        return None;
    };
    let is_sign_in = matches!(status, 401 | 407);
    if is_sign_in && let Some(SignInFault::WrongPassword(realm)) = why {
        return Some(say!("wrong-password-realm", status = status, realm = realm));
    }
    let code = format!("{status} {}", visible(reason));
    if is_sign_in && has_no_password(snapshot) {
        return Some(say!("asks-for-password", code = code));
    }
    let words = match why {
        None if is_sign_in => say!("wrong-password"),
        Some(_) | None => reasons::account(*status),
    };
    let why = why.as_ref().map(|why| format!(" {}.", sentence(&reasons::sign_in(why)))).unwrap_or_default();
    Some(format!("{words} ({code}).{why}"))
}

/// Why the server was not reached, as a sentence without full stop; none if all we know is that nobody answered.
pub(crate) fn outage(snapshot: &Snapshot) -> Option<String> {
    let RegistrationState::Offline { why, .. } = &snapshot.registration else {
        return None;
    };
    let why = reasons::outage(why)?;
    Some(match changed_certificate(snapshot) {
        Some(shown) => say!("certificate-changed-of", server = shown.server),
        None => sentence(&why),
    })
}

/// The server's certificate, if it blocks the connection and differs from the one the user trusts for that server.
fn changed_certificate(snapshot: &Snapshot) -> Option<&UntrustedCertificate> {
    snapshot.untrusted.as_deref().filter(|shown| shown.trusted_before.is_some())
}

/// Which servers a certificate is for, as a sentence, if it is not for the server that presented it.
pub(crate) fn other_names(shown: &UntrustedCertificate) -> Option<String> {
    let (names, server) = (shown.other_names.as_deref()?, &shown.server);
    // A server can put any number of names into its certificate.
    let first: Vec<&str> = names.iter().take(CERTIFICATE_NAMES_SHOWN).map(String::as_str).collect();
    Some(if first.is_empty() {
        say!("certificate-names-none", server = server)
    } else {
        say!("certificate-names-others", names = listed(&first, names.len() - first.len()), server = server)
    })
}

/// How many names of a certificate are shown.
const CERTIFICATE_NAMES_SHOWN: usize = 4;

/// `text` with its first letter capitalized.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Who is typing: `Ann is writing`, `Ann and Ben are writing`.
pub(crate) fn writing(names: &[&str]) -> Option<String> {
    Some(match names {
        [] => return None,
        [one] => say!("one-writes", name = one),
        [one, two] => say!("two-write", one = one, two = two),
        [one, rest @ ..] => say!("many-write", one = one, more = rest.len()),
    })
}

/// `812 bytes`, `12 KB`, `1.2 MB`.
fn size_of(bytes: u64) -> String {
    if bytes < 1_000 { say!("bytes", count = bytes) } else { decimal(&text::size(bytes)) }
}

/// `12 ms`, `0.4 s`, `12 s`, `3 min`: how long something took.
pub(crate) fn latency(took: Duration) -> String {
    decimal(&crate::time::latency(took))
}

/// `812 bytes`, `12 KB`, `1.2 MB`.
pub(crate) fn size(bytes: usize) -> String {
    size_of(bytes as u64)
}

/// `8 s`, `3 min`: the time until something, rounded up.
fn rough(wait: Duration) -> String {
    let secs = wait.as_millis().div_ceil(1000);
    if secs < 60 { format!("{secs} s") } else { format!("{} min", secs.div_ceil(60)) }
}

/// `Ann, Ben and 4 more`, with at most `names` names; one person alone with the address, if the name proves nothing.
pub(crate) fn people(people: &[Person], names: usize) -> String {
    if let [only] = people {
        return only.told_apart();
    }
    let shown: Vec<&str> = people.iter().take(names).map(|person| person.name.as_str()).collect();
    listed(&shown, people.len().saturating_sub(shown.len()))
}

/// `Ann, Ben and Cy`, or `Ann, Ben and 4 more`.
fn listed(names: &[&str], rest: usize) -> String {
    match (rest, names.split_last()) {
        (_, None) => say!("nobody").to_owned(),
        (0, Some((only, []))) => (*only).to_owned(),
        (0, Some((last, others))) => say!("names-and", names = others.join(", "), last = last),
        (rest, Some(_)) => say!("names-and-more", names = names.join(", "), more = rest),
    }
}

/// `1 message`, `6 messages`.
pub(crate) fn messages_count(count: usize) -> String {
    say!("messages-count", count = count)
}

/// `1 person`, `6 people`.
pub(crate) fn people_count(count: usize) -> String {
    say!("people-count", count = count)
}

/// Up to two letters for a person.
pub(crate) fn initials(name: &str) -> String {
    let words: Vec<&str> = name
        .split(|c: char| c.is_whitespace() || c == '-')
        .filter(|word| first_letter(word).is_some())
        .collect();
    let letters: Vec<char> = match words.as_slice() {
        [] => name.chars().next().into_iter().collect(),
        [only] => only.chars().filter(|c| c.is_alphanumeric()).take(2).collect(),
        [first, .., last] => first_letter(first).into_iter().chain(first_letter(last)).collect(),
    };
    let mut upper = letters.into_iter();
    upper.next().into_iter().flat_map(char::to_uppercase).chain(upper).collect()
}

fn first_letter(word: &str) -> Option<char> {
    word.chars().find(|c| c.is_alphanumeric())
}

/// An address for display: without `sip:`, and with characters that reverse the writing direction made visible.
pub(crate) fn address(uri: &str) -> String {
    visible(uri.strip_prefix("sip:").unwrap_or(uri))
}

/// The name of a message for screen readers and tests.
pub(crate) fn message_name(message: &MessageView) -> String {
    match &message.from {
        Some(from) => {
            let files: Vec<&str> = message.files.iter().map(|file| file.name.as_str()).collect();
            let name = from.told_apart();
            if files.is_empty() {
                say!("message-from", name = name)
            } else {
                say!("message-from-with", name = name, files = files.join(", "))
            }
        }
        None => accessible_name(&message.tally),
    }
}

/// A message as a quotation, ready for a reply below it.
pub(crate) fn quoted(message: &MessageView) -> String {
    let lines: String = message.text.lines().map(|line| format!("> {line}\n")).collect();
    match &message.from {
        Some(from) => format!("{}\n{lines}", say!("wrote", name = from.plain_name())),
        None => lines,
    }
}

/// The line below one of our own messages.
pub(crate) fn message_line(message: &MessageView) -> String {
    let waiting = message.deliveries.iter().filter(|delivery| delivery.state == DeliveryState::Deferred);
    let names: Vec<&str> = waiting.map(|delivery| delivery.person.name.as_str()).collect();
    states::line(&message.tally, &names)
}

/// The delivery state of one recipient in words (the table of states in screen.md).
pub(crate) fn state(delivery: &DeliveryView, look: &Look) -> String {
    match delivery.state {
        DeliveryState::Queued => say!("state-queued").to_owned(),
        DeliveryState::Sending => say!("state-sending").to_owned(),
        DeliveryState::Accepted => say!("state-accepted").to_owned(),
        DeliveryState::Delivered => {
            say!("state-delivered-at", time = look.clock_secs(delivery.at)) + &took(delivery)
        }
        DeliveryState::Read => say!("state-read-at", time = look.clock(delivery.at)),
        DeliveryState::PassedOn => say!("state-passed-on").to_owned(),
        DeliveryState::Deferred => {
            say!("state-deferred", name = delivery.person.name)
        }
        DeliveryState::Failed => reasons::cause(cause(delivery.status, &delivery.phrase)),
        DeliveryState::NoReport => say!("state-no-report").to_owned(),
        DeliveryState::Cancelled => say!("state-cancelled").to_owned(),
    }
}

/// `Ben: not delivered, offline right now`: the accessible name of a painted icon.
pub(crate) fn state_name(delivery: &DeliveryView, look: &Look) -> String {
    let words = lower_first(&state(delivery, look));
    let name = &delivery.person.name;
    match delivery.state {
        DeliveryState::Failed if cause(delivery.status, &delivery.phrase) == Cause::NotDelivered => {
            say!("name-not-delivered", name = name)
        }
        DeliveryState::Failed => say!("name-not-delivered-why", name = name, why = words),
        DeliveryState::Queued
        | DeliveryState::Sending
        | DeliveryState::Accepted
        | DeliveryState::NoReport
        | DeliveryState::Deferred
        | DeliveryState::Cancelled
        | DeliveryState::PassedOn
        | DeliveryState::Delivered
        | DeliveryState::Read => format!("{name}: {words}"),
    }
}

/// `404 Not Found`, verbatim; none if no status was reported.
pub(crate) fn code(delivery: &DeliveryView) -> Option<String> {
    let phrase = reasons::phrase(&delivery.phrase);
    delivery.status.map(|status| format!("{status} {phrase}").trim_end().to_owned())
}

fn took(delivery: &DeliveryView) -> String {
    delivery.after.map(|after| format!(" ({})", latency(after))).unwrap_or_default()
}

/// `words` with a small first letter.
pub(crate) fn lower_first(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::time::Timestamp;

    fn person(name: &str) -> Person {
        Person { address: format!("sip:{name}@example.com"), name: name.to_owned(), simulated: false }
    }

    fn look(now: u64) -> Look {
        Look { now: Timestamp::from_millis(now), zone: TimeZone::UTC }
    }

    #[test]
    fn names_are_cut_to_what_fits() {
        let four = ["Ann", "Ben", "Cy", "Dana"].map(person);
        assert_eq!(people(four.get(..1).unwrap(), 3), "Ann");
        assert_eq!(people(four.get(..2).unwrap(), 3), "Ann and Ben");
        assert_eq!(people(&four, 2), "Ann, Ben and 2 more");
        assert_eq!(people(&[], 2), "Nobody");
    }

    #[test]
    fn initials_are_two_letters_at_most() {
        assert_eq!(initials("Always Ann"), "AA");
        assert_eq!(initials("Jean-Luc Picard"), "JP");
        assert_eq!(initials("ben"), "Be");
        assert_eq!(initials("  "), " ");
        assert_eq!(initials(""), "");
        assert_eq!(initials("4711"), "47");
    }

    #[test]
    fn times_say_the_day_when_it_is_another_one() {
        let noon = 1_700_000_000_000 - 1_700_000_000_000 % 86_400_000 + 12 * 3_600_000; // Tue 14 Nov 2023
        let at = |days: u64| Timestamp::from_millis(noon - days * 86_400_000);
        let look = look(noon);
        assert_eq!((look.short(at(0)).as_str(), look.day(at(0)).as_str()), ("12:00", "Today"));
        assert_eq!((look.short(at(1)).as_str(), look.day(at(1)).as_str()), ("Yesterday", "Yesterday"));
        assert_eq!((look.short(at(3)).as_str(), look.day(at(3)).as_str()), ("Sat", "Saturday, 11 November"));
        assert_eq!((look.short(at(9)).as_str(), look.day(at(9)).as_str()), ("5 Nov", "5 November"));
        assert_eq!(
            (look.short(at(400)).as_str(), look.day(at(400)).as_str()),
            ("10 Oct 2022", "10 October 2022")
        );
    }

    #[test]
    fn an_address_cannot_turn_its_letters_round() {
        assert_eq!(address("sip:ann@example.com"), "ann@example.com");
        assert_eq!(address("im:ann@example.com"), "im:ann@example.com");
        assert!(!address("sip:a\u{202e}nn@x").contains('\u{202e}'));
    }

    #[test]
    fn a_shape_is_named_for_those_who_do_not_see_it() {
        let look = look(0);
        let delivery = |state, status, phrase: &str| DeliveryView {
            person: person("Ben"),
            state,
            status,
            phrase: phrase.into(),
            at: Timestamp::from_millis(7_000),
            after: Some(Duration::from_millis(400)),
            attempt: 1,
        };
        let name = |state, status, phrase| state_name(&delivery(state, status, phrase), &look);
        assert_eq!(name(DeliveryState::Failed, Some(480), ""), "Ben: not delivered, offline right now");
        assert_eq!(name(DeliveryState::Failed, None, ""), "Ben: not delivered");
        assert_eq!(name(DeliveryState::Delivered, Some(200), "OK"), "Ben: delivered 00:00:07 (0.4 s)");
        assert_eq!(
            code(&delivery(DeliveryState::Failed, Some(404), "Not Found")).as_deref(),
            Some("404 Not Found")
        );
        assert_eq!(code(&delivery(DeliveryState::Failed, Some(404), "")).as_deref(), Some("404"));
    }
}
