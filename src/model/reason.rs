//! A SIP status in plain words, with the remedy on offer (RFC 3261 §21, screen.md's table of reasons).
//!
//! The code and the phrase are shown verbatim underneath; this is only what a person reads first.

use std::borrow::Cow;

/// Phrase for a recipient whose submission got no answer at all: it is unknown whether the server has it.
pub const NO_ANSWER: &str = "No answer from the server";
/// Phrase for a failure reported by the recipient's own program (RFC 5438).
pub const THEIR_PROGRAM_FAILED: &str = "Their program could not deliver it";
/// Phrase for a recipient whose own MESSAGE got no answer at all (W6).
pub const NO_FINAL_ANSWER: &str = "No answer came back";
/// The server gave no proof of fan-out (W6): phrase stored by earlier versions for recipients they sent nothing to.
pub const NO_FAN_OUT: &str = "The server does not send one message to several people";
/// Phrase for a recipient whose message is too large for a datagram, when no connection could be opened.
pub const TOO_LARGE: &str = "Too large for UDP, and the server takes no TCP connection";
/// Phrase for a recipient who may be reached over TLS only, when the account does not use TLS (W32).
pub const NO_TLS: &str = "Asks for TLS all the way, and this account does not use TLS";
/// Put before the address to which a recipient's message was redirected, when nobody was reached there.
pub const NOT_REACHED: &str = "Redirected, and nobody is reached at";
/// Phrase for a recipient whose submission repeatedly broke off with its connection.
pub const NO_CONNECTION: &str = "The connection to the server broke each time";

/// Phrase for a recipient named to a list server, which tells nothing but that it has the message (W27).
pub const TOLD_TO_A_LIST_SERVER: &str = "The server sends it on and does not tell who got it";

/// Why somebody was not reached, and what can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// A sentence without its full stop, after "Not delivered:".
    pub words: Cow<'static, str>,
    /// The same in a word or two, after a name: `Ben: offline`.
    pub short: &'static str,
    /// What the user can do.
    pub fix: Fix,
}

/// The remedy offered beside a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fix {
    /// No remedy.
    Nothing,
    /// Send it again.
    Resend,
    /// Send it again; it may arrive twice, as it is unknown whether it arrived.
    ResendMayDouble,
    /// The contact has another address now.
    UpdateContact,
    /// Their program reads plain text only.
    SendAsText,
    /// Check the account's password.
    CheckPassword,
    /// Check the contact's address.
    EditAddress,
    /// Shorten the message.
    Shorten,
    /// The servers' administrator has to fix it.
    TellAdministrator,
    /// Look at the details.
    Details,
}

impl Fix {
    /// The label of the button; none if nothing is offered.
    #[must_use]
    pub const fn label(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Resend => Some("Resend"),
            Self::ResendMayDouble => Some("Resend (may arrive twice)"),
            Self::UpdateContact => Some("Update contact and resend"),
            Self::SendAsText => Some("Send the text alone"),
            Self::CheckPassword => Some("Check password"),
            Self::EditAddress => Some("Edit address"),
            Self::Shorten => Some("Shorten and resend"),
            Self::TellAdministrator => Some("Tell your administrator"),
            Self::Details => Some("Details"),
        }
    }
}

/// Why a recipient was not reached, from the status and phrase of the failure.
#[must_use]
pub fn reason(status: Option<u16>, phrase: &str) -> Reason {
    if let Some(own) = own_reason(phrase) {
        return own;
    }
    let (words, short, fix) = match status {
        Some(301 | 302) => ("Has moved to another address", "moved", Fix::UpdateContact),
        Some(400 | 405 | 406 | 415 | 488) => {
            ("Their app could not read this message", "could not read it", Fix::SendAsText)
        }
        Some(401 | 407) => ("Sign-in was refused", "sign-in refused", Fix::CheckPassword),
        Some(403) => ("They, or their server, refused it", "refused", Fix::Nothing),
        Some(404 | 604) => ("No such address", "no such address", Fix::EditAddress),
        Some(408) => ("No answer from their device", "no answer", Fix::Resend),
        Some(410) => ("This address no longer exists", "address no longer exists", Fix::EditAddress),
        Some(413) => ("Message too long for them", "message too long", Fix::Shorten),
        Some(480) => ("Offline right now", "offline", Fix::Resend),
        Some(482 | 483) => ("Routing loop on the way", "routing loop", Fix::TellAdministrator),
        Some(486 | 600) => ("Busy", "busy", Fix::Resend),
        Some(503) => ("Their server is busy", "server busy", Fix::Resend),
        Some(code @ 500..=599) => return server_problem(code),
        Some(603) => ("They declined it", "declined", Fix::Nothing),
        None | Some(_) => ("Not delivered", "not delivered", Fix::Details),
    };
    Reason { words: Cow::Borrowed(words), short, fix }
}

/// Why the account's own server refuses us, as a sentence without its full stop.
#[must_use]
pub const fn account_words(status: u16) -> &'static str {
    match status {
        300..=399 => "The server has moved to another address: change it in the settings",
        401 | 407 => "Sign-in was refused",
        403 => "The server refused this address",
        404 | 604 => "The server does not know this address",
        420 => NO_FAN_OUT,
        423 => "The server and this program do not agree on how often to sign in",
        483 => "Routing loop on the way to the server",
        _ => "The server refused to connect this address",
    }
}

/// Failures that this program detected itself, recognized by our own phrases.
fn own_reason(phrase: &str) -> Option<Reason> {
    let (words, short, fix) = match phrase {
        NO_ANSWER => (
            "The server did not answer: they may have got it, or not",
            "no answer from the server",
            Fix::ResendMayDouble,
        ),
        NO_CONNECTION => (
            "The connection to the server broke: they may have got it, or not",
            "no connection to the server",
            Fix::ResendMayDouble,
        ),
        NO_TLS => {
            ("They are reached under TLS only, which this account does not use", "needs TLS", Fix::Details)
        }
        TOO_LARGE => ("Message too long for the way to the server", "message too long", Fix::Shorten),
        NO_FINAL_ANSWER => {
            ("No answer from their device: they may have got it, or not", "no answer", Fix::ResendMayDouble)
        }
        NO_FAN_OUT => (NO_FAN_OUT, "not sent", Fix::Resend),
        _ => return None,
    };
    Some(Reason { words: Cow::Borrowed(words), short, fix })
}

fn server_problem(code: u16) -> Reason {
    let words = Cow::Owned(format!("Their server had a problem ({code})"));
    Reason { words, short: "server problem", fix: Fix::Resend }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_of_reasons_stands() {
        let table: &[(&[u16], &str, Option<&str>)] = &[
            (&[301, 302], "Has moved to another address", Some("Update contact and resend")),
            (
                &[400, 405, 406, 415, 488],
                "Their app could not read this message",
                Some("Send the text alone"),
            ),
            (&[401, 407], "Sign-in was refused", Some("Check password")),
            (&[403], "They, or their server, refused it", None),
            (&[404, 604], "No such address", Some("Edit address")),
            (&[408], "No answer from their device", Some("Resend")),
            (&[410], "This address no longer exists", Some("Edit address")),
            (&[413], "Message too long for them", Some("Shorten and resend")),
            (&[480], "Offline right now", Some("Resend")),
            (&[482, 483], "Routing loop on the way", Some("Tell your administrator")),
            (&[486, 600], "Busy", Some("Resend")),
            (&[503], "Their server is busy", Some("Resend")),
            (&[500], "Their server had a problem (500)", Some("Resend")),
            (&[504], "Their server had a problem (504)", Some("Resend")),
            (&[603], "They declined it", None),
            (&[402, 481, 606], "Not delivered", Some("Details")),
        ];
        for (codes, words, fix) in table {
            for code in *codes {
                let reason = reason(Some(*code), "whatever it says");
                assert_eq!((reason.words.as_ref(), reason.fix.label()), (*words, *fix), "{code}");
            }
        }
        assert_eq!(reason(None, "").words, "Not delivered");
        assert_eq!(reason(None, "").fix, Fix::Details);
    }

    #[test]
    fn no_answer_to_the_submission_says_that_it_may_arrive_twice() {
        let ambiguous = reason(Some(408), NO_ANSWER);
        assert_eq!(ambiguous.fix, Fix::ResendMayDouble);
        assert!(ambiguous.fix.label().unwrap().contains("may arrive twice"));
        assert_eq!(reason(Some(408), "Request Timeout").fix, Fix::Resend);
    }
}
