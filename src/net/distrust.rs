//! Why a TLS handshake came to nothing, in words for the person who wants to sign in.

use std::io;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use super::tls::WILDCARD_ALONE;

/// A sentence without full stop about what is the matter with `server`.
pub(super) fn words(error: &io::Error, server: &str) -> String {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match cause {
        Some(Error::InvalidCertificate(fault)) => certificate_words(fault, server),
        Some(Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ))
        | Some(Error::AlertReceived(AlertDescription::ProtocolVersion)) => {
            format!("{server} speaks TLS in a version that is not safe any more (older than 1.2)")
        }
        Some(Error::General(why)) if why == WILDCARD_ALONE => format!(
            "the certificate names {server} by a wildcard (*.) alone, which RFC 5922 forbids; a client takes it without \
             tls_strict"
        ),
        Some(Error::InvalidMessage(_)) => format!("{server} does not speak TLS on this port"),
        Some(Error::AlertReceived(alert)) => format!("{server} refused the TLS connection ({alert:?})"),
        Some(other) => format!("the TLS connection to {server} failed ({other})"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("{server} hung up in the middle of the TLS handshake")
        }
        None => format!("the TLS connection to {server} broke ({error})"),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library has many more faults, and may add to them")]
fn certificate_words(fault: &CertificateError, server: &str) -> String {
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate of {server} has expired on {}", day(*not_after))
        }
        CertificateError::Expired => format!("the certificate of {server} has expired"),
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the certificate of {server} is not valid before {}; is this computer's clock right?",
            day(*not_before)
        ),
        CertificateError::NotValidYet => {
            format!("the certificate of {server} is not valid yet; is this computer's clock right?")
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
            format!("the certificate is for {}, not for {server}", names.join(", "))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("the certificate is not for {server}")
        }
        CertificateError::UnknownIssuer => format!(
            "the certificate of {server} was issued by nobody whom this computer trusts; for an authority of your \
             own, name its file (tls_ca)"
        ),
        CertificateError::BadEncoding => format!("what {server} shows is not a certificate"),
        CertificateError::Revoked => format!("the certificate of {server} was revoked"),
        CertificateError::BadSignature => {
            format!("the certificate of {server} is forged: its signature is wrong")
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            format!("the certificate of {server} is not one for a server")
        }
        other => format!("the certificate of {server} cannot be trusted ({other})"),
    }
}

/// `DnsName("a.example")` as `a.example`.
fn bare(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| "a day far away".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}
