//! Why a TLS handshake failed, in words for the person who wants to sign in.

use std::io;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use super::identity::system_words;
use super::tls::WILDCARD_ALONE;

/// A sentence without full stop that says what is wrong with `server`.
pub(super) fn words(error: &io::Error, server: &str) -> String {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match cause {
        Some(Error::InvalidCertificate(fault)) => certificate_words(fault, server),
        Some(Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ))
        | Some(Error::AlertReceived(AlertDescription::ProtocolVersion)) => {
            format!(
                "the server {server} speaks TLS only in a version that is no longer safe (older than 1.2)"
            )
        }
        Some(Error::General(why)) if why == WILDCARD_ALONE => format!(
            "the certificate names {server} by a wildcard (*.) alone, which RFC 5922 forbids; a client takes it without \
             tls_strict"
        ),
        Some(Error::InvalidMessage(_)) => no_tls(server),
        Some(Error::AlertReceived(AlertDescription::UnknownCA | AlertDescription::CertificateRequired)) => {
            format!("the server {server} asks for a client certificate, which this program does not have")
        }
        Some(Error::AlertReceived(AlertDescription::UnrecognisedName)) => {
            format!("the server {server} does not know itself by that name")
        }
        Some(Error::AlertReceived(_)) => format!("the server {server} refused the TLS connection"),
        Some(_) => format!("the TLS connection to {server} failed"),
        None if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            no_tls(server)
        }
        None => format!("the TLS connection to {server} broke ({})", system_words(error)),
    }
}

/// What came back was not TLS, or nothing came back.
pub(super) fn no_tls(server: &str) -> String {
    format!("the server {server} did not answer with TLS; check that its port is one for TLS")
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
        // The second is an authority's certificate used as a server's, as self-signed ones often are.
        CertificateError::UnknownIssuer | CertificateError::Other(_) => {
            format!("the certificate of {server} was not issued by anyone this computer trusts")
        }
        CertificateError::BadEncoding => format!("what {server} shows is not a certificate"),
        CertificateError::Revoked => format!("the certificate of {server} was revoked"),
        CertificateError::BadSignature => {
            format!("the certificate of {server} is forged: its signature is wrong")
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            format!("the certificate of {server} is not one for a server")
        }
        _ => format!("the certificate of {server} cannot be trusted"),
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
