//! What a server's certificate states: the names in it, its expiry, and its fingerprint.

use std::fmt;

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::sip::{Scheme, Uri};

/// The SHA-256 hash of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// `4F:0A:…`, as browsers and openssl print it.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let colon = if place > 0 { ":" } else { "" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

/// What lets a person recognize a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Described {
    /// `CN=sip.example.com, O=Example`
    pub(super) subject: String,
    /// When it expires, in seconds since 1970.
    pub(super) not_after_secs: i64,
    /// The servers that it names: DNS names, addresses and `sip:` URIs (RFC 5922 §7.1).
    pub(super) names: Vec<String>,
}

impl Described {
    /// Parses a certificate; `None` if it is not one.
    pub(super) fn read(certificate: &[u8]) -> Option<Self> {
        let (_, read) = X509Certificate::from_der(certificate).ok()?;
        let names = read.subject_alternative_name().ok().flatten();
        let names = names.iter().flat_map(|names| &names.value.general_names).filter_map(server_named);
        Some(Self {
            subject: read.subject().to_string(),
            not_after_secs: read.validity().not_after.timestamp(),
            names: names.collect(),
        })
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "people, directories and the like are not servers")]
fn server_named(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::URI(uri) if sip_domain(uri).is_some() => Some((*uri).to_owned()),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(std::net::Ipv4Addr::new(a, b, c, d).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    }
}

/// The domain in a server's `sip:` URI, which has no user.
fn sip_domain(text: &str) -> Option<String> {
    let uri = Uri::parse(text).ok()?;
    let names_server = matches!(uri.scheme(), Scheme::Sip) && uri.user().is_none();
    names_server.then(|| uri.host().to_ascii_lowercase())
}

/// Whether a certificate names this server, in any of the ways of RFC 5922 §7.1.
pub(super) fn names(certificate: &CertificateDer<'_>, server: &ServerName<'_>) -> bool {
    let Ok(parsed) = webpki::EndEntityCert::try_from(certificate) else { return false };
    parsed.verify_is_valid_for_subject_name(server).is_ok() || names_sip_domain(certificate, server)
}

/// Whether a certificate names this server by a `sip:` URI.
pub(super) fn names_sip_domain(certificate: &CertificateDer<'_>, server: &ServerName<'_>) -> bool {
    let ServerName::DnsName(server) = server else { return false };
    let Ok(parsed) = webpki::EndEntityCert::try_from(certificate) else { return false };
    let names =
        |uri: &str| sip_domain(uri).is_some_and(|domain| domain.eq_ignore_ascii_case(server.as_ref()));
    parsed.valid_uri_names().any(names)
}

/// Whether a certificate that names this server does so by a wildcard, and in no other way.
pub(super) fn is_by_wildcard(certificate: &CertificateDer<'_>, server: &ServerName<'_>) -> bool {
    let ServerName::DnsName(name) = server else { return false };
    let Ok(parsed) = webpki::EndEntityCert::try_from(certificate) else { return true };
    let is_named = parsed.valid_dns_names().any(|dns| dns.eq_ignore_ascii_case(name.as_ref()));
    !is_named && !names_sip_domain(certificate, server)
}

/// Checks a certificate that was itself configured as an authority and that the server presents as its own: there is no
/// issuer to ask, so only its dates and names are left to check.
///
/// # Errors
/// It is not valid now, or names another server.
pub(super) fn check_own_authority(
    certificate: &CertificateDer<'_>,
    server: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), Error> {
    let (_, read) = X509Certificate::from_der(certificate)
        .map_err(|_not_a_certificate| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let unix = |seconds: i64| {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
    };
    let (not_before, not_after) =
        (read.validity().not_before.timestamp(), read.validity().not_after.timestamp());
    let fault = if seconds > not_after {
        CertificateError::ExpiredContext { time: now, not_after: unix(not_after) }
    } else if seconds < not_before {
        CertificateError::NotValidYetContext { time: now, not_before: unix(not_before) }
    } else if !names(certificate, server) {
        CertificateError::NotValidForName
    } else {
        return Ok(());
    };
    Err(Error::InvalidCertificate(fault))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, DnValue, KeyPair, SanType, date_time_ymd};

    fn certificate(change: impl Fn(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        change(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_says_whom_it_names_and_until_when() {
        let whole = certificate(|params| {
            params.distinguished_name = rcgen::DistinguishedName::new();
            params.distinguished_name.push(DnType::OrganizationName, "Hol");
            params.distinguished_name.push(DnType::CommonName, DnValue::Utf8String("sip.domain.com".into()));
            params.not_after = date_time_ymd(2049, 12, 31);
            params.subject_alt_names = vec![
                SanType::DnsName("a.domain.com".try_into().unwrap()),
                SanType::IpAddress("192.0.2.1".parse().unwrap()),
                SanType::IpAddress("2001:db8::1".parse().unwrap()),
                SanType::URI("sip:domain.com".try_into().unwrap()),
                SanType::URI("sip:james@domain.com".try_into().unwrap()),
                SanType::Rfc822Name("james@domain.com".try_into().unwrap()),
            ];
        });
        let described = Described::read(&whole).unwrap();
        assert_eq!(described.subject, "O=Hol, CN=sip.domain.com");
        assert_eq!(described.not_after_secs, 2_524_521_600);
        assert_eq!(described.names, ["a.domain.com", "192.0.2.1", "2001:db8::1", "sip:domain.com"]);
        let bare = certificate(|params| params.not_after = date_time_ymd(9999, 12, 31));
        let bare = Described::read(&bare).unwrap();
        assert_eq!((bare.names.len(), bare.not_after_secs), (0, 253_402_214_400));
    }

    #[test]
    fn what_is_not_a_certificate_is_not_described() {
        let whole = certificate(|_| ());
        for end in 0..whole.len() {
            assert_eq!(Described::read(&whole[..end]), None, "{end}");
        }
        // Whatever replaces any one byte, nothing panics.
        for (place, byte) in (0..whole.len()).flat_map(|place| (0..=255).map(move |byte| (place, byte))) {
            let mut other = whole.clone();
            other[place] = byte;
            drop(Described::read(&other));
        }
    }
}
