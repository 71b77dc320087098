//! A certificate that a person trusts by its fingerprint, and what is shown of one that nobody vouches for.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, Error};

use super::Net;
use super::certificate::{Described, Fingerprint, names};

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
    /// The server that should have proven itself by it.
    pub server: String,
    /// The subject: `CN=sip.example.com`.
    pub subject: String,
    /// Its fingerprint.
    pub sha256: Fingerprint,
    /// Its end, in seconds since 1970.
    pub not_after_secs: i64,
    /// The servers that it names, if it does not name this one.
    pub other_names: Option<Vec<String>>,
    /// The certificate that the person trusts for this server, if it is another one.
    pub trusted_before: Option<Fingerprint>,
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
        self.trusted_for(server) == Some(Fingerprint::of(certificate))
    }

    fn trusted_for(&self, server: &ServerName<'_>) -> Option<Fingerprint> {
        let pin = self.pin.as_ref().filter(|pin| pin.server.eq_ignore_ascii_case(&server.to_str()));
        pin.map(|pin| pin.sha256)
    }

    /// Remembers what was refused, where a person may decide otherwise; forgets it once a server is trusted.
    pub(super) fn remember(
        &self,
        certificate: &CertificateDer<'_>,
        server: &ServerName<'_>,
        refusal: Option<&Error>,
    ) {
        let refused = refusal.filter(|error| may_be_trusted(error)).and_then(|_| {
            let described = Described::read(certificate)?;
            Some(RefusedCertificate {
                server: server.to_str().into_owned(),
                subject: described.subject,
                sha256: Fingerprint::of(certificate),
                not_after_secs: described.not_after_secs,
                other_names: (!names(certificate, server)).then_some(described.names),
                trusted_before: self.trusted_for(server),
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
