//! TLS on streams (RFC 8446, RFC 5246): our certificate, whom we trust, and the names in a server's certificate
//! (RFC 5922; W32).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::certificate::{Fingerprint, check_own_authority, is_by_wildcard, names_sip_domain};
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

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Our certificate first, then the chain to the authority.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Reads a file of authorities to check whether it can be used.
///
/// # Errors
/// It cannot be used.
pub fn check_authorities(path: &Path) -> Result<(), TlsFileError> {
    roots_of(&certificates_in(path)?, path).map(drop)
}

/// Why one of the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsFileError {
    /// It cannot be read or is not PEM.
    #[error("cannot read {}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system or the parser.
        why: String,
    },
    /// It contains no certificate.
    #[error("{} holds no certificate in PEM", .0.display())]
    NoCertificate(PathBuf),
    /// One of its certificates is not usable as an authority.
    #[error("{} contains something that is not a certificate of an authority", path.display())]
    NoAuthority {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        why: Error,
    },
    /// Certificate and key do not match, or are of an unsupported kind.
    #[error("{} and {} cannot be used together: {why}", chain.display(), key.display())]
    NoPair {
        /// The certificate.
        chain: PathBuf,
        /// The key.
        key: PathBuf,
        /// The TLS library's error.
        why: Error,
    },
    /// There is no certificate to present.
    #[error("TLS needs a certificate and its key: give --tls-cert and --tls-key")]
    NoIdentity,
    /// The TLS library rejects its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Library(#[from] Error),
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
    pub(super) fn new(files: &TlsFiles, pin: Option<Pin>) -> Result<Self, TlsFileError> {
        let shown = files.identity.clone().map(Renewed::start).transpose()?.map(Arc::new);
        let acceptor = shown.clone().map(acceptor).transpose()?;
        let (wildcards, refused) = (files.wildcards, Arc::default());
        let (authorities, connector) = (files.authorities.clone(), Mutex::default());
        let tls = Self { acceptor, shown, authorities, connector, wildcards, pin, refused };
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
        Trust { pinned, own: own.iter().map(Fingerprint::of).collect(), wildcards: self.wildcards }
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

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn acceptor(shown: Arc<Renewed>) -> Result<TlsAcceptor, TlsFileError> {
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn connector_trusting(roots: RootCertStore, trust: Trust) -> Result<TlsConnector, TlsFileError> {
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    let inner = inner.map_err(|error| Error::General(error.to_string()))?;
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(SipVerifier { inner, trust }))
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

fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let unreadable =
        |why: pem::Error| TlsFileError::Unreadable { path: path.to_owned(), why: pem_words(&why) };
    let found = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(unreadable)?;
    if found.is_empty() { Err(TlsFileError::NoCertificate(path.to_owned())) } else { Ok(found) }
}

/// The system's error without its number: `Connection reset by peer`.
pub(super) fn system_words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words).to_owned()
}

/// What is wrong with a file that should be PEM.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add to its faults")]
fn pem_words(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => system_words(error),
        pem::Error::NoItemsFound => "it holds nothing in PEM of the kind that is wanted".to_owned(),
        _ => "it is not a sound PEM file".to_owned(),
    }
}

fn certified_key(identity: &Identity) -> Result<CertifiedKey, TlsFileError> {
    let chain = certificates_in(&identity.chain)?;
    let key = PrivateKeyDer::from_pem_file(&identity.key)
        .map_err(|why| TlsFileError::Unreadable { path: identity.key.clone(), why: pem_words(&why) })?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|why| TlsFileError::NoPair {
        chain: identity.chain.clone(),
        key: identity.key.clone(),
        why,
    })
}

/// Our certificate, read again when its files change, so that no restart is needed.
#[derive(Debug)]
struct Renewed {
    identity: Identity,
    current: Mutex<(Stamp, Arc<CertifiedKey>)>,
}

/// The modification times by which a changed pair of files is detected.
type Stamp = [Option<SystemTime>; 2];

impl Renewed {
    fn start(identity: Identity) -> Result<Self, TlsFileError> {
        let stamp = stamp(&identity);
        let key = certified_key(&identity)?;
        Ok(Self { identity, current: Mutex::new((stamp, Arc::new(key))) })
    }

    /// Reads the files now, changed or not.
    fn renew(&self) -> Result<(), TlsFileError> {
        let stamp = stamp(&self.identity);
        let key = certified_key(&self.identity)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = (stamp, Arc::new(key));
        Ok(())
    }
}

impl ResolvesServerCert for Renewed {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&self.identity);
        if stamp != current.0 {
            current.0 = stamp;
            match certified_key(&self.identity) {
                Ok(key) => {
                    tracing::info!("the renewed certificate is used from now on");
                    current.1 = Arc::new(key);
                }
                Err(error) => tracing::warn!(%error, "the renewed certificate is not used"),
            }
        }
        Some(Arc::clone(&current.1))
    }
}

fn stamp(identity: &Identity) -> Stamp {
    [&identity.chain, &identity.key].map(|path| path.metadata().and_then(|found| found.modified()).ok())
}

/// What is trusted besides what the authorities have issued.
#[derive(Debug)]
struct Trust {
    pinned: Pinned,
    /// The authorities configured by file.
    own: Vec<Fingerprint>,
    /// See [`TlsFiles::wildcards`].
    wildcards: bool,
}

/// The usual checks, which also accept a certificate that the user trusts and the names that RFC 5922 §7.1 adds (a
/// domain's `sip:` URI without a user), but refuse the wildcards that §7.2 forbids, unless they are allowed.
#[derive(Debug)]
struct SipVerifier {
    inner: Arc<WebPkiServerVerifier>,
    trust: Trust,
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
        let verdict =
            self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
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
        self.trust.pinned.remember(end_entity, server_name, verdict.as_ref().err());
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

/// The error of a certificate that would be valid but for its wildcard.
pub(super) const WILDCARD_ALONE: &str = "named by a wildcard alone";
