//! A certificate that the user trusts by its fingerprint, and the details shown of one that is not trusted.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, Error};

use super::Net;
use super::certificate::{Described, Fingerprint, names};

/// A certificate accepted for one server, whoever issued it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The name or address that the server must prove.
    pub server: String,
    /// The certificate's fingerprint.
    pub sha256: Fingerprint,
}

/// A server's certificate that was not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCertificate {
    /// The server that presented it.
    pub server: String,
    /// The subject: `CN=sip.example.com`.
    pub subject: String,
    /// Its fingerprint.
    pub sha256: Fingerprint,
    /// When it expires, in seconds since 1970.
    pub not_after_secs: i64,
    /// The servers that it names, if it does not name this one.
    pub other_names: Option<Vec<String>>,
    /// The certificate that the user trusts for this server, if it is a different one.
    pub trusted_before: Option<Fingerprint>,
}

/// The certificate that the user trusts, and the last one that was refused.
#[derive(Debug, Default)]
pub(super) struct Pinned {
    pin: Option<Pin>,
    refused: Arc<Mutex<Option<RefusedCertificate>>>,
}

impl Pinned {
    pub(super) fn new(pin: Option<Pin>, refused: Arc<Mutex<Option<RefusedCertificate>>>) -> Self {
        Self { pin, refused }
    }

    /// Whether the user trusts this certificate for this server.
    pub(super) fn trusts(&self, certificate: &CertificateDer<'_>, server: &ServerName<'_>) -> bool {
        self.trusted_for(server) == Some(Fingerprint::of(certificate))
    }

    fn trusted_for(&self, server: &ServerName<'_>) -> Option<Fingerprint> {
        let pin = self.pin.as_ref().filter(|pin| pin.server.eq_ignore_ascii_case(&server.to_str()));
        pin.map(|pin| pin.sha256)
    }

    /// Remembers a refused certificate if the user may decide to trust it; forgets it once a server is trusted.
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
    /// The certificate refused last, unless a server was trusted since.
    #[must_use]
    pub fn refused_certificate(&self) -> Option<RefusedCertificate> {
        self.tls.refused()
    }
}

/// An unknown issuer, a wrong name or a wrong date can be overruled by the user. A forged, revoked or malformed
/// certificate stays refused.
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
