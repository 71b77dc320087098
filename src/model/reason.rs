//! A SIP status in plain words, with the remedy on offer (RFC 3261 §21, screen.md's table of reasons).
//!
//! The code and the phrase are shown verbatim underneath; this is only what a person reads first.

use std::borrow::Cow;
use std::fmt;

use super::sign_in_fault::SignInFault;
use super::text::visible;

/// What explains a recipient's state: the words of whoever answered, or what this program found itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phrase {
    /// A reason phrase as it came; empty if none came.
    Verbatim(String),
    /// What this program found.
    Local(LocalReason),
}

/// What this program found itself, without an answer that says so. Stored by [`LocalReason::code`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalReason {
    /// The submission got no answer at all: it is unknown whether the server has it.
    NoAnswer,
    /// The submission broke off with its connection each time.
    NoConnection,
    /// The recipient's own MESSAGE got no answer at all (W6).
    NoFinalAnswer,
    /// The recipient's own program reported a failure (RFC 5438).
    TheirProgram,
    /// The server gave no proof of fan-out (W6): stored by earlier versions for recipients they sent nothing to.
    NoFanOut,
    /// Too large for a datagram, and no connection could be opened.
    TooLarge,
    /// To be reached over TLS only, and the account does not use TLS (W32).
    NoTls,
    /// Redirected to this address, where nobody was reached.
    NotReached(String),
    /// Redirected to this address, which answered with the status.
    Redirected(String),
    /// Our server, or theirs, asked us to sign in, which was not possible.
    SignIn(SignInFault),
    /// Named to a list server, which says only that it has the message (W27).
    ListServer,
    /// The attempt could not be stored, so nothing was sent.
    NotStored,
}

impl Phrase {
    /// Whether it stands for a failure that is only our guess: nobody answered, so the recipient may have the message.
    #[must_use]
    pub const fn is_guess(&self) -> bool {
        matches!(
            self,
            Self::Local(LocalReason::NoAnswer | LocalReason::NoFinalAnswer | LocalReason::NoConnection)
        )
    }

    /// The same with control characters removed and direction marks made visible.
    #[must_use]
    pub fn visible(&self) -> Self {
        match self {
            Self::Verbatim(text) => Self::Verbatim(visible(text)),
            Self::Local(LocalReason::NotReached(place)) => {
                Self::Local(LocalReason::NotReached(visible(place)))
            }
            Self::Local(LocalReason::Redirected(place)) => {
                Self::Local(LocalReason::Redirected(visible(place)))
            }
            Self::Local(known) => Self::Local(known.clone()),
        }
    }
}

impl Default for Phrase {
    fn default() -> Self {
        Self::Verbatim(String::new())
    }
}

impl From<String> for Phrase {
    fn from(text: String) -> Self {
        Self::Verbatim(text)
    }
}

impl From<&str> for Phrase {
    fn from(text: &str) -> Self {
        Self::Verbatim(text.to_owned())
    }
}

impl From<LocalReason> for Phrase {
    fn from(found: LocalReason) -> Self {
        Self::Local(found)
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verbatim(text) => f.write_str(text),
            Self::Local(found) => found.fmt(f),
        }
    }
}

impl LocalReason {
    /// The code under which it is stored, never changed once released.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoAnswer => "no-answer",
            Self::NoConnection => "no-connection",
            Self::NoFinalAnswer => "no-final-answer",
            Self::TheirProgram => "their-program",
            Self::NoFanOut => "no-fan-out",
            Self::TooLarge => "too-large",
            Self::NoTls => "no-tls",
            Self::NotReached(_) => "not-reached",
            Self::Redirected(_) => "redirected",
            Self::SignIn(fault) => fault.code(),
            Self::ListServer => "list-server",
            Self::NotStored => "not-stored",
        }
    }

    /// The text stored beside the code.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::NotReached(place) | Self::Redirected(place) => place,
            Self::SignIn(fault) => fault.realm(),
            Self::NoAnswer
            | Self::NoConnection
            | Self::NoFinalAnswer
            | Self::TheirProgram
            | Self::NoFanOut
            | Self::TooLarge
            | Self::NoTls
            | Self::ListServer
            | Self::NotStored => "",
        }
    }

    /// Reads a code and the text beside it; none for a code that we do not know.
    #[must_use]
    pub fn of(code: &str, detail: &str) -> Option<Self> {
        Some(match code {
            "no-answer" => Self::NoAnswer,
            "no-connection" => Self::NoConnection,
            "no-final-answer" => Self::NoFinalAnswer,
            "their-program" => Self::TheirProgram,
            "no-fan-out" => Self::NoFanOut,
            "too-large" => Self::TooLarge,
            "no-tls" => Self::NoTls,
            "not-reached" => Self::NotReached(detail.to_owned()),
            "redirected" => Self::Redirected(detail.to_owned()),
            "list-server" => Self::ListServer,
            "not-stored" => Self::NotStored,
            _ => return SignInFault::of(code, detail).map(Self::SignIn),
        })
    }
}

impl fmt::Display for LocalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAnswer => "No answer from the server",
            Self::NoConnection => "The connection to the server broke each time",
            Self::NoFinalAnswer => "No answer came back",
            Self::TheirProgram => "Their program could not deliver it",
            Self::NoFanOut => NO_FAN_OUT,
            Self::TooLarge => "Too large for UDP, and the server accepts no TCP connection",
            Self::NoTls => "Asks for TLS all the way, and this account does not use TLS",
            Self::NotReached(place) => {
                return write!(f, "Redirected, and nobody is reached at {}", visible(place));
            }
            Self::Redirected(place) => return write!(f, "Redirected to {}", visible(place)),
            Self::SignIn(fault) => return write!(f, "Sign-in failed: {fault}"),
            Self::ListServer => "The server passes it on and does not say who got it",
            Self::NotStored => "It could not be written to the disk. Is the disk full?",
        })
    }
}

const NO_FAN_OUT: &str = "The server does not send one message to several people";

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
pub fn reason(status: Option<u16>, phrase: &Phrase) -> Reason {
    match phrase {
        Phrase::Local(found) => local_reason(status, found),
        Phrase::Verbatim(_) => status_reason(status),
    }
}

fn status_reason(status: Option<u16>) -> Reason {
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

fn local_reason(status: Option<u16>, found: &LocalReason) -> Reason {
    let (words, short, fix) = match found {
        LocalReason::NoAnswer => (
            "The server did not answer: they may have got it, or not",
            "no answer from the server",
            Fix::ResendMayDouble,
        ),
        LocalReason::NoConnection => (
            "The connection to the server broke: they may have got it, or not",
            "no connection to the server",
            Fix::ResendMayDouble,
        ),
        LocalReason::NoTls => {
            ("They can be reached over TLS only, which this account does not use", "needs TLS", Fix::Details)
        }
        LocalReason::TooLarge => {
            ("Message too long for the way to the server", "message too long", Fix::Shorten)
        }
        LocalReason::NoFinalAnswer => {
            ("No answer from their device: they may have got it, or not", "no answer", Fix::ResendMayDouble)
        }
        LocalReason::NoFanOut => (NO_FAN_OUT, "not sent", Fix::Resend),
        LocalReason::NotStored => {
            ("It could not be written to the disk. Is the disk full?", "not sent", Fix::Resend)
        }
        LocalReason::TheirProgram
        | LocalReason::NotReached(_)
        | LocalReason::Redirected(_)
        | LocalReason::SignIn(_)
        | LocalReason::ListServer => return status_reason(status),
    };
    Reason { words: Cow::Borrowed(words), short, fix }
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
                let reason = reason(Some(*code), &"whatever it says".into());
                assert_eq!((reason.words.as_ref(), reason.fix.label()), (*words, *fix), "{code}");
            }
        }
        assert_eq!(reason(None, &Phrase::default()).words, "Not delivered");
        assert_eq!(reason(None, &Phrase::default()).fix, Fix::Details);
    }

    #[test]
    fn no_answer_to_the_submission_says_that_it_may_arrive_twice() {
        let ambiguous = reason(Some(408), &LocalReason::NoAnswer.into());
        assert_eq!(ambiguous.fix, Fix::ResendMayDouble);
        assert!(ambiguous.fix.label().unwrap().contains("may arrive twice"));
        assert_eq!(reason(Some(408), &"Request Timeout".into()).fix, Fix::Resend);
    }

    #[test]
    fn a_sentence_of_ours_that_somebody_else_sends_is_only_a_sentence() {
        let sent = Phrase::from("No answer from the server");
        assert!(!sent.is_guess());
        assert_eq!(reason(Some(486), &sent).words, "Busy");
        assert!(Phrase::from(LocalReason::NoAnswer).is_guess());
        assert_eq!(Phrase::from(LocalReason::NoAnswer).to_string(), sent.to_string());
    }

    #[test]
    fn each_local_reason_is_stored_by_a_code_of_its_own_and_comes_back() {
        let all = [
            (LocalReason::NoAnswer, "no-answer"),
            (LocalReason::NoConnection, "no-connection"),
            (LocalReason::NoFinalAnswer, "no-final-answer"),
            (LocalReason::TheirProgram, "their-program"),
            (LocalReason::NoFanOut, "no-fan-out"),
            (LocalReason::TooLarge, "too-large"),
            (LocalReason::NoTls, "no-tls"),
            (LocalReason::NotReached("sip:ann@far.test".to_owned()), "not-reached"),
            (LocalReason::Redirected("sip:ann@far.test".to_owned()), "redirected"),
            (LocalReason::SignIn(SignInFault::WrongPassword("far.test".to_owned())), "wrong-password"),
            (LocalReason::ListServer, "list-server"),
            (LocalReason::NotStored, "not-stored"),
        ];
        for (found, code) in all {
            assert_eq!(found.code(), code);
            assert_eq!(LocalReason::of(found.code(), found.detail()), Some(found));
        }
        assert_eq!(LocalReason::of("made-up", ""), None);
        let far = LocalReason::NotReached("sip:a\u{202E}nn@far.test".to_owned());
        assert_eq!(far.to_string(), "Redirected, and nobody is reached at sip:a⟨U+202E⟩nn@far.test");
    }
}
