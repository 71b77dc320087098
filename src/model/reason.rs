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

/// Why somebody was not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Their address has changed.
    Moved,
    /// Their program does not read such a message.
    Unreadable,
    /// Somebody asked us to sign in, in vain.
    SignInRefused,
    /// It was forbidden.
    Refused,
    /// Nobody has that address.
    NoSuchAddress,
    /// Their server has heard nothing from their device.
    NoDevice,
    /// Nobody has that address any more.
    Gone,
    /// It is larger than they take.
    TooLong,
    /// They are not there.
    Offline,
    /// It went round in circles.
    Loop,
    /// They are busy.
    Busy,
    /// Their server has too much to do.
    ServerBusy,
    /// Their server failed with this status.
    ServerProblem(u16),
    /// They do not want it.
    Declined,
    /// Nothing more is known.
    NotDelivered,
    /// The server did not answer.
    ServerSilent,
    /// The connection to the server broke.
    ConnectionBroke,
    /// They are reached over TLS only.
    NeedsTls,
    /// It is larger than the way to the server takes.
    TooLongForWay,
    /// Nobody has heard anything from their device.
    DeviceSilent,
    /// The server does not fan out.
    NoFanOut,
    /// It was not written to the disk, and so not sent.
    NotStored,
}

impl Cause {
    /// In English: a sentence without its full stop, after "Not delivered:".
    #[must_use]
    pub fn words(self) -> Cow<'static, str> {
        self.table().0
    }

    /// What the user can do.
    #[must_use]
    pub fn fix(self) -> Fix {
        self.table().1
    }

    fn table(self) -> (Cow<'static, str>, Fix) {
        let (words, fix) = match self {
            Self::Moved => ("Has moved to another address", Fix::UpdateContact),
            Self::Unreadable => ("Their app could not read this message", Fix::SendAsText),
            Self::SignInRefused => ("Sign-in was refused", Fix::CheckPassword),
            Self::Refused => ("They, or their server, refused it", Fix::Nothing),
            Self::NoSuchAddress => ("No such address", Fix::EditAddress),
            Self::NoDevice => ("No answer from their device", Fix::Resend),
            Self::Gone => ("This address no longer exists", Fix::EditAddress),
            Self::TooLong => ("Message too long for them", Fix::Shorten),
            Self::Offline => ("Offline right now", Fix::Resend),
            Self::Loop => ("Routing loop on the way", Fix::TellAdministrator),
            Self::Busy => ("Busy", Fix::Resend),
            Self::ServerBusy => ("Their server is busy", Fix::Resend),
            Self::ServerProblem(status) => {
                let words = format!("Their server had a problem ({status})");
                return (words.into(), Fix::Resend);
            }
            Self::Declined => ("They declined it", Fix::Nothing),
            Self::NotDelivered => ("Not delivered", Fix::Details),
            Self::ServerSilent => {
                ("The server did not answer: they may have got it, or not", Fix::ResendMayDouble)
            }
            Self::ConnectionBroke => {
                ("The connection to the server broke: they may have got it, or not", Fix::ResendMayDouble)
            }
            Self::NeedsTls => {
                ("They can be reached over TLS only, which this account does not use", Fix::Details)
            }
            Self::TooLongForWay => ("Message too long for the way to the server", Fix::Shorten),
            Self::DeviceSilent => {
                ("No answer from their device: they may have got it, or not", Fix::ResendMayDouble)
            }
            Self::NoFanOut => (NO_FAN_OUT, Fix::Resend),
            Self::NotStored => ("It could not be written to the disk. Is the disk full?", Fix::Resend),
        };
        (words.into(), fix)
    }
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
pub const fn cause(status: Option<u16>, phrase: &Phrase) -> Cause {
    match phrase {
        Phrase::Local(found) => local_cause(status, found),
        Phrase::Verbatim(_) => status_cause(status),
    }
}

const fn status_cause(status: Option<u16>) -> Cause {
    match status {
        Some(301 | 302) => Cause::Moved,
        Some(400 | 405 | 406 | 415 | 488) => Cause::Unreadable,
        Some(401 | 407) => Cause::SignInRefused,
        Some(403) => Cause::Refused,
        Some(404 | 604) => Cause::NoSuchAddress,
        Some(408) => Cause::NoDevice,
        Some(410) => Cause::Gone,
        Some(413) => Cause::TooLong,
        Some(480) => Cause::Offline,
        Some(482 | 483) => Cause::Loop,
        Some(486 | 600) => Cause::Busy,
        Some(503) => Cause::ServerBusy,
        Some(code @ 500..=599) => Cause::ServerProblem(code),
        Some(603) => Cause::Declined,
        None | Some(_) => Cause::NotDelivered,
    }
}

const fn local_cause(status: Option<u16>, found: &LocalReason) -> Cause {
    match found {
        LocalReason::NoAnswer => Cause::ServerSilent,
        LocalReason::NoConnection => Cause::ConnectionBroke,
        LocalReason::NoTls => Cause::NeedsTls,
        LocalReason::TooLarge => Cause::TooLongForWay,
        LocalReason::NoFinalAnswer => Cause::DeviceSilent,
        LocalReason::NoFanOut => Cause::NoFanOut,
        LocalReason::NotStored => Cause::NotStored,
        LocalReason::TheirProgram
        | LocalReason::NotReached(_)
        | LocalReason::Redirected(_)
        | LocalReason::SignIn(_)
        | LocalReason::ListServer => status_cause(status),
    }
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
                let cause = cause(Some(*code), &"whatever it says".into());
                assert_eq!((cause.words().as_ref(), cause.fix().label()), (*words, *fix), "{code}");
            }
        }
        assert_eq!(cause(None, &Phrase::default()).words(), "Not delivered");
        assert_eq!(cause(None, &Phrase::default()).fix(), Fix::Details);
    }

    #[test]
    fn no_answer_to_the_submission_says_that_it_may_arrive_twice() {
        let ambiguous = cause(Some(408), &LocalReason::NoAnswer.into()).fix();
        assert_eq!(ambiguous, Fix::ResendMayDouble);
        assert!(ambiguous.label().unwrap().contains("may arrive twice"));
        assert_eq!(cause(Some(408), &"Request Timeout".into()).fix(), Fix::Resend);
    }

    #[test]
    fn a_sentence_of_ours_that_somebody_else_sends_is_only_a_sentence() {
        let sent = Phrase::from("No answer from the server");
        assert!(!sent.is_guess());
        assert_eq!(cause(Some(486), &sent).words(), "Busy");
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
