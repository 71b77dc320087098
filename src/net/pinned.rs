//! A certificate that a person trusts by its fingerprint, and what is shown of one that nobody vouches for.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, Error};
use sha2::{Digest, Sha256};

use super::Net;

/// The SHA-256 hash of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    fn of(certificate: &CertificateDer<'_>) -> Self {
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

/// A certificate that is good for one server, whoever issued it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The name, or the address, that the server is to prove.
    pub server: String,
    /// The certificate.
    pub sha256: Fingerprint,
}

/// A server's certificate that was not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCertificate {
    /// Whose it was to be.
    pub server: String,
    /// Whom it names: `CN=sip.example.com`.
    pub subject: String,
    /// Its fingerprint.
    pub sha256: Fingerprint,
    /// Its end, in seconds since 1970.
    pub not_after_secs: i64,
}

/// What a person trusts, and the last certificate that was refused.
#[derive(Debug, Default)]
pub(super) struct Pinned {
    pin: Option<Pin>,
    refused: Arc<Mutex<Option<RefusedCertificate>>>,
}

impl Pinned {
    pub(super) fn new(pin: Option<Pin>, refused: Arc<Mutex<Option<RefusedCertificate>>>) -> Self {
        Self { pin, refused }
    }

    /// Whether the person trusts this certificate for this server.
    pub(super) fn trusts(&self, certificate: &CertificateDer<'_>, server: &ServerName<'_>) -> bool {
        self.pin.as_ref().is_some_and(|pin| {
            pin.server.eq_ignore_ascii_case(&server.to_str()) && pin.sha256 == Fingerprint::of(certificate)
        })
    }

    /// Remembers what was refused, where a person may decide otherwise; forgets it once a server is trusted.
    pub(super) fn remember(
        &self,
        certificate: &CertificateDer<'_>,
        server: &ServerName<'_>,
        refusal: Option<&Error>,
    ) {
        let refused = refusal.filter(|error| may_be_trusted(error)).and_then(|_| {
            let about = About::read(certificate)?;
            Some(RefusedCertificate {
                server: server.to_str().into_owned(),
                subject: about.subject,
                sha256: Fingerprint::of(certificate),
                not_after_secs: about.not_after_secs,
            })
        });
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }
}

impl Net {
    /// The certificate of a server that was refused last, unless one was trusted since.
    #[must_use]
    pub fn refused_certificate(&self) -> Option<RefusedCertificate> {
        self.tls.refused()
    }
}

/// Nobody vouches for it, or not for this name or this day: a person may. What is forged, revoked or no certificate stays
/// refused.
const fn may_be_trusted(refusal: &Error) -> bool {
    matches!(
        refusal,
        Error::InvalidCertificate(
            CertificateError::UnknownIssuer
                | CertificateError::Other(_)
                | CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. }
        )
    )
}

/// What a person can tell a certificate by. The TLS library has read it before, and does not say this.
#[derive(Debug, PartialEq, Eq)]
struct About {
    subject: String,
    not_after_secs: i64,
}

impl About {
    /// Walks to the two fields (RFC 5280 §4.1): `Certificate { TBSCertificate { [0] version, serialNumber, signature,
    /// issuer, validity, subject, … } … }`.
    fn read(certificate: &[u8]) -> Option<Self> {
        let (certificate, _) = element(certificate, SEQUENCE)?;
        let (mut fields, _) = element(certificate, SEQUENCE)?;
        if let Some((_, rest)) = element(fields, VERSION) {
            fields = rest;
        }
        for before in [INTEGER, SEQUENCE, SEQUENCE] {
            fields = element(fields, before)?.1;
        }
        let (validity, rest) = element(fields, SEQUENCE)?;
        let (subject, _) = element(rest, SEQUENCE)?;
        Some(Self { subject: names(subject), not_after_secs: end_of(validity)? })
    }
}

const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xA0;

/// The content of an element in DER with this tag (X.690 §8.1), and what follows it.
fn element(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = any_element(input)?;
    (found == tag).then_some((content, rest))
}

fn any_element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, short], rest) = input.split_first_chunk()?;
    let (length, rest) = match short {
        0..=0x7F => (usize::from(short), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(short & 0x0F))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `CN=sip.example.com, O=Example`; attributes that are no names of people or places are left out.
fn names(mut subject: &[u8]) -> String {
    let mut found = Vec::new();
    while let Some((set, rest)) = element(subject, SET) {
        subject = rest;
        let attribute = element(set, SEQUENCE).and_then(|(attribute, _)| {
            let (kind, value) = element(attribute, OBJECT_IDENTIFIER)?;
            let kind = match kind {
                [0x55, 4, 3] => "CN",
                [0x55, 4, 6] => "C",
                [0x55, 4, 7] => "L",
                [0x55, 4, 10] => "O",
                [0x55, 4, 11] => "OU",
                _ => return None,
            };
            let (_, text, _) = any_element(value)?;
            Some(format!("{kind}={}", String::from_utf8_lossy(text)))
        });
        found.extend(attribute);
    }
    found.join(", ")
}

/// The second of two times, in seconds since 1970: `491231235959Z` with two digits of the year until 2049, else with four.
fn end_of(validity: &[u8]) -> Option<i64> {
    let (_, _, rest) = any_element(validity)?;
    let (tag, text, _) = any_element(rest)?;
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        UTC_TIME if text.starts_with(['5', '6', '7', '8', '9']) => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        _ => text.to_owned(),
    };
    let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", &text).ok()?;
    // One that never ends says the last second of the year 9999 (RFC 5280 §4.1.2.5), which is past the calendar's end here.
    let end = jiff::tz::TimeZone::UTC.to_timestamp(time).unwrap_or(jiff::Timestamp::MAX);
    Some(end.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_not_shown() {
        let certificate = |not_after: &str, subject: &[u8]| {
            let time = |text: &str| {
                [&[if text.len() == 13 { 0x17 } else { 0x18 }, text.len() as u8], text.as_bytes()].concat()
            };
            let within = |tag: u8, content: &[u8]| {
                let length = content.len() as u16;
                [&[tag, 0x82], &length.to_be_bytes()[..], content].concat()
            };
            let validity = within(SEQUENCE, &[time("240101000000Z"), time(not_after)].concat());
            let version = [VERSION, 3, INTEGER, 1, 2];
            let fields = [
                &version[..],
                &[INTEGER, 1, 9, SEQUENCE, 0, SEQUENCE, 0],
                &validity,
                &within(SEQUENCE, subject),
            ];
            within(SEQUENCE, &within(SEQUENCE, &fields.concat()))
        };
        let subject = b"\x31\x0c\x30\x0a\x06\x03\x55\x04\x0a\x0c\x03Hol\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03a\xffb";
        let whole = certificate("491231235959Z", subject);
        let about = About { subject: "O=Hol, CN=a\u{fffd}b".to_owned(), not_after_secs: 2_524_607_999 };
        assert_eq!(About::read(&whole), Some(about));
        let far = About::read(&certificate("99991231235959Z", b"")).unwrap();
        assert_eq!((far.subject.as_str(), far.not_after_secs), ("", jiff::Timestamp::MAX.as_second()));
        for end in 0..whole.len() {
            assert_eq!(About::read(&whole[..end]), None, "{end}");
        }
        for broken in ["991301000000Z", "49123123595Z", "never"] {
            assert_eq!(About::read(&certificate(broken, subject)), None, "{broken}");
        }
        // Whatever stands in place of one byte, nothing breaks.
        for (place, byte) in (0..whole.len()).flat_map(|place| (0..=255).map(move |byte| (place, byte))) {
            let mut other = whole.clone();
            other[place] = byte;
            drop(About::read(&other));
        }
    }
}
