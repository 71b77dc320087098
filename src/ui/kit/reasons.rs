//! Why something failed, in words: what `model` knows as a value is said in the language of the user.
//!
//! The same in English as the values print themselves, which is what the command line and the log show.

use crate::machine::{CertificateFault, Hop, TlsFault, Untrusted};
use crate::model::account::AccountError;
use crate::model::outage::Outage;
use crate::model::reason::{Cause, LocalReason, Phrase};
use crate::model::sign_in_fault::SignInFault;
use crate::model::slip;
use crate::model::snapshot::PasswordPlace;
use crate::model::text::visible;
use crate::ui::text::say;

/// Why somebody was not reached: a sentence without its full stop.
pub(crate) fn cause(cause: Cause) -> String {
    match cause {
        Cause::Moved => say!("why-moved"),
        Cause::Unreadable => say!("why-unreadable"),
        Cause::SignInRefused => say!("why-sign-in"),
        Cause::Refused => say!("why-refused"),
        Cause::NoSuchAddress => say!("why-no-address"),
        Cause::NoDevice => say!("why-no-device"),
        Cause::Gone => say!("why-gone"),
        Cause::TooLong => say!("why-too-long"),
        Cause::Offline => say!("why-offline"),
        Cause::Loop => say!("why-loop"),
        Cause::Busy => say!("why-busy"),
        Cause::ServerBusy => say!("why-server-busy"),
        Cause::ServerProblem(status) => return say!("why-server-problem", status = status),
        Cause::Declined => say!("why-declined"),
        Cause::NotDelivered => say!("why-not-delivered"),
        Cause::ServerSilent => say!("why-server-silent"),
        Cause::ConnectionBroke => say!("why-broke"),
        Cause::NeedsTls => say!("why-tls"),
        Cause::TooLongForWay => say!("why-too-long-way"),
        Cause::DeviceSilent => say!("why-maybe"),
        Cause::NoFanOut => say!("why-no-fan-out"),
        Cause::NotStored => say!("why-not-stored"),
    }
    .to_owned()
}

/// The same in a word or two, after a name.
pub(crate) fn short(cause: Cause) -> &'static str {
    match cause {
        Cause::Moved => say!("short-moved"),
        Cause::Unreadable => say!("short-unreadable"),
        Cause::SignInRefused => say!("short-sign-in"),
        Cause::Refused => say!("short-refused"),
        Cause::NoSuchAddress => say!("short-no-address"),
        Cause::NoDevice | Cause::DeviceSilent => say!("short-no-answer"),
        Cause::Gone => say!("short-gone"),
        Cause::TooLong | Cause::TooLongForWay => say!("short-too-long"),
        Cause::Offline => say!("short-offline"),
        Cause::Loop => say!("short-loop"),
        Cause::Busy => say!("short-busy"),
        Cause::ServerBusy => say!("short-server-busy"),
        Cause::ServerProblem(_) => say!("short-server-problem"),
        Cause::Declined => say!("short-declined"),
        Cause::NotDelivered => say!("short-not-delivered"),
        Cause::ServerSilent => say!("short-server-silent"),
        Cause::ConnectionBroke => say!("short-broke"),
        Cause::NeedsTls => say!("short-tls"),
        Cause::NoFanOut | Cause::NotStored => say!("short-not-sent"),
    }
}

/// What explains a recipient's state: words of others as they came.
pub(crate) fn phrase(phrase: &Phrase) -> String {
    let found = match phrase {
        Phrase::Verbatim(words) => return words.clone(),
        Phrase::Local(found) => found,
    };
    match found {
        LocalReason::NoAnswer => say!("local-no-answer"),
        LocalReason::NoConnection => say!("local-no-connection"),
        LocalReason::NoFinalAnswer => say!("local-no-final"),
        LocalReason::TheirProgram => say!("local-their-program"),
        LocalReason::NoFanOut => say!("why-no-fan-out"),
        LocalReason::TooLarge => say!("local-too-large"),
        LocalReason::NoTls => say!("local-no-tls"),
        LocalReason::NotReached(place) => return say!("local-not-reached", place = visible(place)),
        LocalReason::Redirected(place) => return say!("local-redirected", place = visible(place)),
        LocalReason::SignIn(fault) => return say!("local-sign-in", why = sign_in(fault)),
        LocalReason::ListServer => say!("local-list-server"),
        LocalReason::NotStored => say!("why-not-stored"),
    }
    .to_owned()
}

/// Why a challenge was not answered: a sentence without its full stop, that begins small.
pub(crate) fn sign_in(fault: &SignInFault) -> String {
    match fault {
        SignInFault::NoPassword(realm) => say!("fault-no-password", realm = realm),
        SignInFault::OtherRealm { asked, ours } if ours.is_empty() => {
            say!("fault-another-realm", asked = asked)
        }
        SignInFault::OtherRealm { asked, ours } => say!("fault-other-realm", asked = asked, ours = ours),
        SignInFault::WrongPassword(realm) => say!("fault-wrong-password", realm = realm),
        SignInFault::UnknownAlgorithm(realm) => say!("fault-algorithm", realm = realm),
        SignInFault::NotOurServer(realm) => say!("fault-not-our-server", realm = realm),
        SignInFault::WeakerProof(realm) => say!("fault-weaker", realm = realm),
    }
}

/// Why the account's own server refuses us: a sentence without its full stop.
pub(crate) fn account(status: u16) -> &'static str {
    match status {
        300..=399 => say!("account-moved"),
        401 | 407 => say!("why-sign-in"),
        403 => say!("account-refused"),
        404 | 604 => say!("account-unknown"),
        420 => say!("why-no-fan-out"),
        423 => say!("account-interval"),
        483 => say!("account-loop"),
        _ => say!("account-other"),
    }
}

/// Why the server is not reached: a sentence without its full stop, that begins small; none if nobody answers.
pub(crate) fn outage(outage: &Outage) -> Option<String> {
    Some(match outage {
        Outage::NoAnswer => return None,
        Outage::NotGranted => say!("outage-not-granted").to_owned(),
        Outage::NotFound { server, fault: None } => say!("outage-not-found", server = visible(server)),
        Outage::NotFound { server, fault: Some(why) } => {
            say!("outage-not-found-why", server = visible(server), why = visible(why))
        }
        Outage::ConnectionRefused(Hop { transport, remote }) => {
            let place = format!("{}:{remote}", transport.as_str().to_ascii_lowercase());
            say!("outage-refused", place = place)
        }
        Outage::Answered { status, reason } => {
            say!("outage-answered", answer = format!("{status} {}", visible(reason)).trim_end())
        }
        Outage::NoDescriptor => say!("outage-descriptors").to_owned(),
        Outage::Untrusted(untrusted) => tls(untrusted),
        Outage::NotStarted(why) => why.to_string(),
    })
}

fn tls(Untrusted { server, fault }: &Untrusted) -> String {
    match fault {
        TlsFault::NoSuchName => say!("tls-no-such-name", server = server),
        TlsFault::Settings(why) => why.to_string(),
        TlsFault::NoTls => say!("tls-none", server = server),
        TlsFault::OldVersion => say!("tls-old", server = server),
        TlsFault::AsksForCertificate => say!("tls-client-certificate", server = server),
        TlsFault::UnknownName => say!("tls-unknown-name", server = server),
        TlsFault::Refused => say!("tls-refused", server = server),
        TlsFault::Failed => say!("tls-failed", server = server),
        TlsFault::Broken(why) => say!("tls-broke", server = server, why = why),
        TlsFault::Certificate(fault) => certificate(server, fault),
    }
}

fn certificate(server: &str, fault: &CertificateFault) -> String {
    match fault {
        CertificateFault::WildcardAlone => say!("cert-wildcard", server = server),
        CertificateFault::Expired(Some(day)) => {
            say!("cert-expired-on", server = server, day = day.to_string())
        }
        CertificateFault::Expired(None) => say!("cert-expired", server = server),
        CertificateFault::NotYetValid(Some(day)) => {
            say!("cert-not-before", server = server, day = day.to_string())
        }
        CertificateFault::NotYetValid(None) => say!("cert-not-yet", server = server),
        CertificateFault::OtherNames(names) if names.is_empty() => say!("cert-not-for", server = server),
        CertificateFault::OtherNames(names) => {
            say!("cert-for-others", names = names.join(", "), server = server)
        }
        CertificateFault::UnknownIssuer => say!("cert-unknown-issuer", server = server),
        CertificateFault::NoCertificate => say!("cert-none", server = server),
        CertificateFault::Revoked => say!("cert-revoked", server = server),
        CertificateFault::Forged => say!("cert-forged", server = server),
        CertificateFault::NotForServers => say!("cert-not-for-servers", server = server),
        CertificateFault::Other => say!("cert-other", server = server),
    }
}

/// Where the password is kept, as a sentence; none if none is kept.
pub(crate) fn password(place: &PasswordPlace) -> Option<String> {
    Some(match place {
        PasswordPlace::None => return None,
        PasswordPlace::Coming => say!("password-coming").to_owned(),
        PasswordPlace::Unanswered => say!("password-unanswered").to_owned(),
        PasswordPlace::Keyring => say!("password-keyring").to_owned(),
        PasswordPlace::File(path) => say!("password-file", path = path.display()),
    })
}

/// The same where the user has to know it by itself: a plain file is a surprise.
pub(crate) fn password_told(place: &PasswordPlace) -> String {
    let words = password(place).unwrap_or_default();
    match place {
        PasswordPlace::File(_) => say!("no-keyring", words = words),
        PasswordPlace::None | PasswordPlace::Coming | PasswordPlace::Unanswered | PasswordPlace::Keyring => {
            words
        }
    }
}

/// What is wrong with an address in whose domain a comma stands, for below its field.
pub(crate) fn slip_in(address: &str) -> Option<String> {
    slip::meant(address).map(|meant| say!("slip-short", meant = meant))
}

/// What is wrong with an account, as a sentence that does not name its field; none for what no field is there for.
pub(crate) fn account_error(error: &AccountError) -> Option<String> {
    Some(match error {
        AccountError::Address { text, why } => {
            say!("account-bad-address", text = text, why = why.to_string())
        }
        AccountError::Comma(address) => {
            say!("slip-long", address = address.trim(), meant = slip::meant(address)?)
        }
        AccountError::NoUser(text) => say!("account-no-user", text = text),
        AccountError::Proxy(text) => say!("account-bad-proxy", text = text),
        AccountError::ProxyClear(text) => say!("account-proxy-clear", text = text),
        AccountError::ProxyWebSocket(text) => say!("account-proxy-websocket", text = text),
        AccountError::T1(_) | AccountError::ReportWindow(_) | AccountError::Fingerprint(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::model::reason;
    use crate::sip::Transport;

    fn local() -> Vec<LocalReason> {
        let realm = || "far.test".to_owned();
        let faults = [
            SignInFault::NoPassword(realm()),
            SignInFault::OtherRealm { asked: realm(), ours: String::new() },
            SignInFault::OtherRealm { asked: realm(), ours: "near.test".to_owned() },
            SignInFault::WrongPassword(realm()),
            SignInFault::UnknownAlgorithm(realm()),
            SignInFault::NotOurServer(realm()),
            SignInFault::WeakerProof(realm()),
        ];
        let mut all = vec![
            LocalReason::NoAnswer,
            LocalReason::NoConnection,
            LocalReason::NoFinalAnswer,
            LocalReason::TheirProgram,
            LocalReason::NoFanOut,
            LocalReason::TooLarge,
            LocalReason::NoTls,
            LocalReason::NotReached("ann@far.test".to_owned()),
            LocalReason::Redirected("ann@far.test".to_owned()),
            LocalReason::ListServer,
            LocalReason::NotStored,
        ];
        all.extend(faults.into_iter().map(LocalReason::SignIn));
        all
    }

    #[test]
    fn in_english_a_reason_is_what_it_prints_itself() {
        for local in local() {
            let local = Phrase::Local(local);
            assert_eq!(phrase(&local), local.to_string());
            for status in (300..700).map(Some).chain([None]) {
                for found in [&local, &Phrase::from("Busy Here")] {
                    let known = reason::cause(status, found);
                    assert_eq!(cause(known), known.words());
                }
            }
        }
    }

    #[test]
    fn in_english_an_outage_is_what_it_prints_itself() {
        let (server, why): (Arc<str>, Arc<str>) = ("domain.com".into(), "no answer".into());
        let day = jiff::civil::date(2026, 12, 24);
        let certificates = [
            CertificateFault::WildcardAlone,
            CertificateFault::Expired(Some(day)),
            CertificateFault::Expired(None),
            CertificateFault::NotYetValid(Some(day)),
            CertificateFault::NotYetValid(None),
            CertificateFault::OtherNames(vec!["a.com".to_owned(), "b.com".to_owned()]),
            CertificateFault::OtherNames(Vec::new()),
            CertificateFault::UnknownIssuer,
            CertificateFault::NoCertificate,
            CertificateFault::Revoked,
            CertificateFault::Forged,
            CertificateFault::NotForServers,
            CertificateFault::Other,
        ];
        let mut faults = vec![
            TlsFault::NoSuchName,
            TlsFault::Settings(Arc::clone(&why)),
            TlsFault::NoTls,
            TlsFault::OldVersion,
            TlsFault::AsksForCertificate,
            TlsFault::UnknownName,
            TlsFault::Refused,
            TlsFault::Failed,
            TlsFault::Broken(Arc::clone(&why)),
        ];
        faults.extend(certificates.into_iter().map(TlsFault::Certificate));
        let untrusted = |fault| Outage::Untrusted(Arc::new(Untrusted { server: Arc::clone(&server), fault }));
        let mut outages: Vec<Outage> = faults.into_iter().map(untrusted).collect();
        let hop = Hop { transport: Transport::Tls, remote: "127.0.0.1:5061".parse().unwrap() };
        outages.extend([
            Outage::NoAnswer,
            Outage::NotFound { server: Arc::clone(&server), fault: None },
            Outage::NotFound { server, fault: Some(Arc::clone(&why)) },
            Outage::ConnectionRefused(hop),
            Outage::Answered { status: 503, reason: String::new() },
            Outage::Answered { status: 503, reason: "Service Unavailable".to_owned() },
            Outage::NotGranted,
            Outage::NoDescriptor,
            Outage::NotStarted(why),
        ]);
        for found in outages {
            assert_eq!(outage(&found), found.words());
        }
    }

    #[test]
    fn in_english_an_account_and_its_password_are_told_as_they_print_themselves() {
        let places = [
            PasswordPlace::None,
            PasswordPlace::Coming,
            PasswordPlace::Unanswered,
            PasswordPlace::Keyring,
            PasswordPlace::File(PathBuf::from("/home/james/account.ron")),
        ];
        for place in places {
            assert_eq!(password(&place), place.in_words());
        }
        let text = || "ann@domain,com".to_owned();
        let errors = [
            AccountError::Comma(text()),
            AccountError::NoUser(text()),
            AccountError::Proxy(text()),
            AccountError::ProxyClear(text()),
            AccountError::ProxyWebSocket(text()),
        ];
        for error in errors {
            let printed = error.to_string();
            let printed = printed.split_once(": ").map_or("", |(_, rest)| rest);
            assert_eq!(account_error(&error).unwrap().trim_end_matches('.'), printed);
        }
    }
}
