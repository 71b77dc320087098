//! TLS on streams (RFC 8446, RFC 5246): our certificate, whom we trust, and the names in a server's certificate
//! (RFC 5922; W32).

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use webpki::KeyUsage;

use super::certificate::{Fingerprint, check_own_authority, is_by_wildcard, names, names_sip_domain};
use super::identity::{Identity, Renewed, TlsFileError, certificates_in, provider};
use super::pinned::{Pin, Pinned, RefusedCertificate};

/// The files that TLS needs, all PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Proves who we are; without it we cannot listen.
    pub identity: Option<Identity>,
    /// Certificates of the authorities to trust, instead of those that this system trusts.
    pub authorities: Option<PathBuf>,
    /// A server's certificate may use a wildcard (`*.domain.com`), which RFC 5922 §7.2 forbids but providers use.
    pub wildcards: bool,
}

/// The server that the user gave by its IP address: a certificate for that address names it as well as one for the domain
/// (as RFC 2818 §3.1 has it; RFC 5922 §7.1 reads no addresses, since it begins with a domain).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedServer {
    /// The domain that its certificate may name instead.
    pub domain: Arc<str>,
    /// The address.
    pub address: IpAddr,
}

/// Reads a file of authorities to check whether it can be used.
///
/// # Errors
/// It cannot be used.
pub fn check_authorities(path: &Path) -> Result<(), TlsFileError> {
    roots_of(&certificates_in(path)?, path).map(drop)
}

/// The server and client sides of TLS, built from the files.
pub(super) struct Tls {
    acceptor: Option<TlsAcceptor>,
    /// The certificate that the acceptor presents.
    shown: Option<Arc<Renewed>>,
    authorities: Option<PathBuf>,
    /// Built at the first connection if the system's authorities are used: reading them takes a while.
    connector: Mutex<Option<TlsConnector>>,
    /// See [`TlsFiles::wildcards`].
    wildcards: bool,
    pin: Option<Pin>,
    refused: Arc<Mutex<Option<RefusedCertificate>>>,
    typed: Option<TypedServer>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the given files.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub(super) fn new(
        files: &TlsFiles,
        pin: Option<Pin>,
        typed: Option<TypedServer>,
    ) -> Result<Self, TlsFileError> {
        let shown = files.identity.clone().map(Renewed::start).transpose()?.map(Arc::new);
        let acceptor = shown.clone().map(acceptor).transpose()?;
        let (wildcards, refused) = (files.wildcards, Arc::default());
        let (authorities, connector) = (files.authorities.clone(), Mutex::default());
        let tls = Self { acceptor, shown, authorities, connector, wildcards, pin, refused, typed };
        tls.read_authorities()?;
        Ok(tls)
    }

    /// Reads the files again; new connections use their new content.
    ///
    /// # Errors
    /// One of them cannot be used: the previous one stays in use.
    pub(super) fn reload(&self) -> Result<(), TlsFileError> {
        self.shown.as_ref().map_or(Ok(()), |shown| shown.renew())?;
        self.read_authorities()
    }

    /// The system's authorities are read only when they are needed.
    fn read_authorities(&self) -> Result<(), TlsFileError> {
        let own = self.authorities.as_deref().map(certificates_in).transpose()?;
        let connector = match (&self.authorities, own) {
            (Some(path), Some(own)) => Some(connector_trusting(roots_of(&own, path)?, self.trust(&own))?),
            _ => None,
        };
        *self.connector.lock().unwrap_or_else(PoisonError::into_inner) = connector;
        Ok(())
    }

    fn trust(&self, own: &[CertificateDer<'_>]) -> Trust {
        let pinned = Pinned::new(self.pin.clone(), Arc::clone(&self.refused));
        let (wildcards, typed) = (self.wildcards, self.typed.clone());
        Trust { pinned, own: own.iter().map(Fingerprint::of).collect(), wildcards, typed }
    }

    /// The certificate refused last, unless a server was trusted since.
    pub(super) fn refused(&self) -> Option<RefusedCertificate> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For connections that peers open.
    ///
    /// # Errors
    /// There is no certificate to present.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, TlsFileError> {
        self.acceptor.clone().ok_or(TlsFileError::NoIdentity)
    }

    /// For connections that we open.
    ///
    /// # Errors
    /// The TLS library rejects this system's authorities.
    pub(super) fn connector(&self) -> Result<TlsConnector, TlsFileError> {
        let mut connector = self.connector.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = &*connector {
            return Ok(made.clone());
        }
        let made = connector_trusting(authorities_of_system(), self.trust(&[]))?;
        *connector = Some(made.clone());
        Ok(made)
    }
}

fn acceptor(shown: Arc<Renewed>) -> Result<TlsAcceptor, TlsFileError> {
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn connector_trusting(roots: RootCertStore, trust: Trust) -> Result<TlsConnector, TlsFileError> {
    let roots = Arc::new(roots);
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider()).build();
    let inner = inner.map_err(|error| Error::General(error.to_string()))?;
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(SipVerifier { inner, roots, trust }))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn authorities_of_system() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (taken, left_out) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        let why = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
        tracing::warn!(left_out, why, "no certificate authority of this system can be used");
    }
    roots
}

fn roots_of(authorities: &[CertificateDer<'static>], path: &Path) -> Result<RootCertStore, TlsFileError> {
    let mut roots = RootCertStore::empty();
    for certificate in authorities {
        let added = roots.add(certificate.clone());
        added.map_err(|why| TlsFileError::NoAuthority { path: path.to_owned(), why })?;
    }
    Ok(roots)
}

/// What is trusted besides what the authorities have issued.
#[derive(Debug)]
struct Trust {
    pinned: Pinned,
    /// The authorities configured by file.
    own: Vec<Fingerprint>,
    /// See [`TlsFiles::wildcards`].
    wildcards: bool,
    typed: Option<TypedServer>,
}

impl Trust {
    /// The typed address, if it is what the certificate of this server names.
    fn typed(
        &self,
        certificate: &CertificateDer<'_>,
        server: &ServerName<'_>,
    ) -> Option<ServerName<'static>> {
        let typed =
            self.typed.as_ref().filter(|typed| typed.domain.eq_ignore_ascii_case(&server.to_str()))?;
        let address = ServerName::from(typed.address);
        (!names(certificate, server) && names(certificate, &address)).then_some(address)
    }
}

/// The usual checks, which also accept a certificate that the user trusts and the names that RFC 5922 §7.1 adds (a
/// domain's `sip:` URI without a user) or the user typed (an IP address), and the purpose that RFC 5924 adds, but refuse
/// the wildcards that §7.2 forbids, unless they are allowed.
#[derive(Debug)]
struct SipVerifier {
    inner: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
    trust: Trust,
}

impl SipVerifier {
    /// Checks a certificate that may not be used by web servers: it may be for SIP (RFC 5924 §5).
    ///
    /// # Errors
    /// It is not, or not valid: `otherwise`, unless nobody is known who vouches for it, or it names another server.
    fn verify_for_sip(
        &self,
        (end_entity, intermediates): (&CertificateDer<'_>, &[CertificateDer<'_>]),
        server_name: &ServerName<'_>,
        now: UnixTime,
        otherwise: Error,
    ) -> Result<ServerCertVerified, Error> {
        let Ok(read) = webpki::EndEntityCert::try_from(end_entity) else { return Err(otherwise) };
        let (known, usage) = (provider().signature_verification_algorithms, KeyUsage::required(SIP_DOMAIN));
        let roots = &self.roots.roots;
        match read.verify_for_usage(known.all, roots, intermediates, now, usage, None, None) {
            Ok(_) => {}
            Err(webpki::Error::UnknownIssuer) => return Err(CertificateError::UnknownIssuer.into()),
            Err(_) => return Err(otherwise),
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        Ok(ServerCertVerified::assertion())
    }
}

impl ServerCertVerifier for SipVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // The handshake's signature still proves that the server has its key.
        if self.trust.pinned.trusts(end_entity, server_name) {
            self.trust.pinned.remember(end_entity, server_name, None);
            return Ok(ServerCertVerified::assertion());
        }
        let (shown, typed) = (server_name, self.trust.typed(end_entity, server_name));
        let server_name = typed.as_ref().unwrap_or(server_name);
        let verdict =
            self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let verdict = match verdict {
            Err(Error::InvalidCertificate(
                why @ (CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. }),
            )) => self.verify_for_sip((end_entity, intermediates), server_name, now, why.into()),
            verdict => verdict,
        };
        let verdict = match verdict {
            // The name is checked last: everything else about the certificate is valid.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if names_sip_domain(end_entity, server_name) => Ok(ServerCertVerified::assertion()),
            // As `openssl req -x509` makes it: one certificate that is both the authority's and the server's.
            Err(Error::InvalidCertificate(CertificateError::Other(_)))
                if self.trust.own.contains(&Fingerprint::of(end_entity)) =>
            {
                check_own_authority(end_entity, server_name, now).map(|()| ServerCertVerified::assertion())
            }
            verdict => verdict,
        };
        let verdict = match verdict {
            Ok(_) if !self.trust.wildcards && is_by_wildcard(end_entity, server_name) => {
                Err(Error::General(WILDCARD_ALONE.to_owned()))
            }
            verdict => verdict,
        };
        self.trust.pinned.remember(end_entity, shown, verdict.as_ref().err());
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// id-kp-sipDomain, 1.3.6.1.5.5.7.3.20 (RFC 5924 §4.1).
const SIP_DOMAIN: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 20];
/// The error of a certificate that would be valid but for its wildcard.
pub(super) const WILDCARD_ALONE: &str = "named by a wildcard alone";
