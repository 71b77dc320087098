//! What the TLS library and the system say of a handshake that failed, as a [`TlsFault`].

use std::io;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use super::tls::WILDCARD_ALONE;
use crate::machine::{CertificateFault, TlsFault};
use crate::terminal::system_words;

/// Why the handshake failed.
pub(super) fn fault(error: &io::Error) -> TlsFault {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match cause {
        Some(Error::InvalidCertificate(fault)) => TlsFault::Certificate(of_certificate(fault)),
        Some(
            Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            )
            | Error::AlertReceived(AlertDescription::ProtocolVersion),
        ) => TlsFault::OldVersion,
        Some(Error::General(why)) if why == WILDCARD_ALONE => {
            TlsFault::Certificate(CertificateFault::WildcardAlone)
        }
        Some(Error::InvalidMessage(_)) => TlsFault::NoTls,
        Some(Error::AlertReceived(AlertDescription::UnknownCA | AlertDescription::CertificateRequired)) => {
            TlsFault::AsksForCertificate
        }
        Some(Error::AlertReceived(AlertDescription::UnrecognisedName)) => TlsFault::UnknownName,
        Some(Error::AlertReceived(_)) => TlsFault::Refused,
        Some(_) => TlsFault::Failed,
        None if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            TlsFault::NoTls
        }
        None => TlsFault::Broken(system_words(error).into()),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library has many more faults, and may add to them")]
fn of_certificate(fault: &CertificateError) -> CertificateFault {
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => CertificateFault::Expired(day(*not_after)),
        CertificateError::Expired => CertificateFault::Expired(None),
        CertificateError::NotValidYetContext { not_before, .. } => {
            CertificateFault::NotYetValid(day(*not_before))
        }
        CertificateError::NotValidYet => CertificateFault::NotYetValid(None),
        CertificateError::NotValidForNameContext { presented, .. } => {
            CertificateFault::OtherNames(presented.iter().map(|name| bare(name).to_owned()).collect())
        }
        CertificateError::NotValidForName => CertificateFault::OtherNames(Vec::new()),
        // The second is an authority's certificate used as a server's, as self-signed ones often are.
        CertificateError::UnknownIssuer | CertificateError::Other(_) => CertificateFault::UnknownIssuer,
        CertificateError::BadEncoding => CertificateFault::NoCertificate,
        CertificateError::Revoked => CertificateFault::Revoked,
        CertificateError::BadSignature => CertificateFault::Forged,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            CertificateFault::NotForServers
        }
        _ => CertificateFault::Other,
    }
}

/// `DnsName("a.example")` as `a.example`, and `IpAddress(192.0.2.1)` as `192.0.2.1`: the library gives no more than such
/// words.
fn bare(name: &str) -> &str {
    let within = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    within.split('"').nth(1).unwrap_or(within)
}

/// The day in UTC; none if it is too far away.
fn day(time: UnixTime) -> Option<Date> {
    let seconds = i64::try_from(time.as_secs()).ok()?;
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    Some(TimeZone::UTC.to_datetime(time).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_in_a_certificate_are_told_without_the_words_of_the_library() {
        let told = [
            ("DnsName(\"a.example\")", "a.example"),
            ("IpAddress(192.0.2.1)", "192.0.2.1"),
            ("IpAddress(2001:db8::1)", "2001:db8::1"),
            ("UniformResourceIdentifier(\"sip:a.example\")", "sip:a.example"),
            ("DirectoryName", "DirectoryName"),
            ("a.example", "a.example"),
        ];
        for (name, expected) in told {
            assert_eq!(bare(name), expected);
        }
    }
}
