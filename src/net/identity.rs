//! What we prove who we are with over TLS: the files, what is wrong with them, and their renewal.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::Error;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::Instant;

use super::certificate::{Described, Fingerprint, names};
use crate::sip::Uri;
use crate::terminal::{quoted, system_words};

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Our certificate first, then the chain to the authority.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
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
    /// Others may use the key too.
    #[error(
        "{} holds a private key, and {who} (mode {mode:04o}); make it private with: chmod 600 {}",
        path.display(),
        quoted(path)
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Who may do what, in words.
        who: &'static str,
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

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

pub(super) fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let unreadable =
        |why: pem::Error| TlsFileError::Unreadable { path: path.to_owned(), why: pem_words(&why) };
    let found = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(unreadable)?;
    if found.is_empty() { Err(TlsFileError::NoCertificate(path.to_owned())) } else { Ok(found) }
}

/// What is wrong with a file that should be PEM.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add to its faults")]
fn pem_words(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => system_words(error),
        pem::Error::NoItemsFound => "it holds no private key in PEM".to_owned(),
        _ => "it is not a sound PEM file".to_owned(),
    }
}

fn certified_key(identity: &Identity) -> Result<CertifiedKey, TlsFileError> {
    let chain = certificates_in(&identity.chain)?;
    let key = private_key(&identity.key)?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|why| TlsFileError::NoPair {
        chain: identity.chain.clone(),
        key: identity.key.clone(),
        why,
    })
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    let unreadable =
        |why: pem::Error| TlsFileError::Unreadable { path: path.to_owned(), why: pem_words(&why) };
    let file = File::open(path).map_err(|error| unreadable(pem::Error::Io(error)))?;
    let key = PrivateKeyDer::from_pem_reader(&file).map_err(unreadable)?;
    let mode = file.metadata().map_or(0, |found| mode(&found));
    match exposure(mode) {
        Some(who) => Err(TlsFileError::Exposed { path: path.to_owned(), mode, who }),
        None => Ok(key),
    }
}

/// Who else may use a key with this mode. Its group may read it: systems keep keys for a group of servers.
const fn exposure(mode: u32) -> Option<&'static str> {
    if mode & 0o004 != 0 {
        Some("everybody may read it")
    } else if mode & 0o022 != 0 {
        Some("others may change it")
    } else {
        None
    }
}

#[cfg(unix)]
fn mode(found: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    // A pipe was passed on purpose.
    if found.is_file() { found.permissions().mode() & 0o7777 } else { 0 }
}

/// On other systems, others are kept out by the folder.
#[cfg(not(unix))]
const fn mode(_found: &Metadata) -> u32 {
    0
}

/// Our certificate, read again when its files change, so that no restart is needed.
#[derive(Debug)]
pub(super) struct Renewed {
    identity: Identity,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    stamp: Stamp,
    /// When the stamp was taken.
    asked: Instant,
    key: Arc<CertifiedKey>,
}

/// For so long the files are not looked at again, however many peers say hello.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);

/// The modification times and modes by which a changed pair of files is detected.
type Stamp = [Option<(SystemTime, u32)>; 2];

impl Renewed {
    pub(super) fn start(identity: Identity) -> Result<Self, TlsFileError> {
        let current = Mutex::new(read(&identity)?);
        Ok(Self { identity, current })
    }

    /// Reads the files now, changed or not.
    pub(super) fn renew(&self) -> Result<(), TlsFileError> {
        let read = read(&self.identity)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    /// The certificate to present at this time.
    fn at(&self, now: Instant) -> Arc<CertifiedKey> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(current.asked) >= LOOKED_AT_EVERY {
            current.asked = now;
            self.look(&mut current);
        }
        Arc::clone(&current.key)
    }

    fn look(&self, current: &mut Current) {
        let stamp = stamp(&self.identity);
        if stamp == current.stamp {
            return;
        }
        current.stamp = stamp;
        match certified_key(&self.identity) {
            Ok(key) => {
                tracing::info!("the renewed certificate is used from now on");
                current.key = Arc::new(key);
            }
            Err(error) => tracing::warn!(%error, "the renewed certificate is not used"),
        }
    }
}

impl ResolvesServerCert for Renewed {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.at(Instant::now()))
    }
}

fn read(identity: &Identity) -> Result<Current, TlsFileError> {
    // Before the key is read, so that a change meanwhile is noticed.
    let (stamp, asked) = (stamp(identity), Instant::now());
    Ok(Current { stamp, asked, key: Arc::new(certified_key(identity)?) })
}

fn stamp(identity: &Identity) -> Stamp {
    [&identity.chain, &identity.key].map(|path| {
        let found = path.metadata().ok()?;
        Some((found.modified().ok()?, mode(&found)))
    })
}

/// The fingerprint of our certificate, by which people know it.
///
/// # Errors
/// The file cannot be read, or has no certificate.
pub fn fingerprint_of(identity: &Identity) -> Result<Fingerprint, TlsFileError> {
    let chain = certificates_in(&identity.chain)?;
    let first = chain.first().ok_or_else(|| TlsFileError::NoCertificate(identity.chain.clone()))?;
    Ok(Fingerprint::of(first))
}

/// What our certificate names, if that is none of these domains: clients and other servers will refuse it then. None too
/// if it cannot be read.
#[must_use]
pub fn names_of_others(identity: &Identity, domains: &[String]) -> Option<Vec<String>> {
    let chain = certificates_in(&identity.chain).ok()?;
    let certificate = chain.first()?;
    let is_named = |domain: &String| {
        let uri = Uri::parse(&format!("sip:{domain}")).ok();
        let host = uri.as_ref().map_or(domain.as_str(), Uri::host).trim_matches(['[', ']']);
        ServerName::try_from(host).is_ok_and(|server| names(certificate, &server))
    };
    if domains.iter().any(is_named) { None } else { Described::read(certificate).map(|found| found.names) }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn w32_a_key_that_others_may_use_is_refused_with_the_command_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let (chain, key) = (folder.path().join("cert.pem"), folder.path().join("the key.pem"));
        let made = rcgen::generate_simple_self_signed(vec!["domain.com".to_owned()]).unwrap();
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let identity = Identity { chain, key: key.clone() };
        let set = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        for (mode, who) in [
            (0o600, None),
            (0o400, None),
            (0o640, None),
            (0o644, Some("everybody may read it")),
            (0o604, Some("everybody may read it")),
            (0o660, Some("others may change it")),
            (0o602, Some("others may change it")),
        ] {
            set(mode);
            let found = certified_key(&identity).map(drop).map_err(|error| error.to_string());
            let told = who.map_or(Ok(()), |who| {
                let path = key.display();
                Err(format!(
                    "{path} holds a private key, and {who} (mode {mode:04o}); make it private with: chmod 600 '{path}'"
                ))
            });
            assert_eq!(found, told);
        }
        // A mode that is mended is noticed as a change.
        let before = stamp(&identity);
        set(0o600);
        assert_ne!(stamp(&identity), before);
    }

    #[test]
    fn w31_the_files_are_looked_at_once_a_second_however_many_say_hello() {
        let folder = tempfile::tempdir().unwrap();
        let (chain, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let make = || {
            let made = rcgen::generate_simple_self_signed(vec!["domain.com".to_owned()]).unwrap();
            std::fs::write(&chain, made.cert.pem()).unwrap();
            std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
            made.cert.der().clone()
        };
        let first = make();
        let renewed = Renewed::start(Identity { chain: chain.clone(), key: key.clone() }).unwrap();
        let start = renewed.current.lock().unwrap().asked;
        let shown = |millis| renewed.at(start + Duration::from_millis(millis)).cert.first().cloned().unwrap();
        std::thread::sleep(Duration::from_millis(20));
        let second = make();
        assert_eq!((shown(0), shown(999)), (first.clone(), first));
        assert_eq!((shown(1000), shown(1001)), (second.clone(), second));
        std::thread::sleep(Duration::from_millis(20));
        let third = make();
        renewed.renew().unwrap();
        assert_eq!(shown(1002), third, "asked for, it is at once");
    }

    #[test]
    fn w32_a_certificate_for_others_is_told_with_the_names_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let chain = folder.path().join("cert.pem");
        let certify = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            std::fs::write(&chain, rcgen::generate_simple_self_signed(names).unwrap().cert.pem()).unwrap();
        };
        let identity = Identity { chain: chain.clone(), key: chain.clone() };
        let found = |domains: &[&str]| {
            let domains: Vec<_> = domains.iter().map(|domain| (*domain).to_owned()).collect();
            names_of_others(&identity, &domains)
        };
        certify(&["example.org", "*.example.net", "192.0.2.1"]);
        for domains in [
            &["example.org"][..],
            &["Example.ORG:5061"],
            &["a.example.net"],
            &["192.0.2.1"],
            &["x.com", "example.org."],
        ] {
            assert_eq!(found(domains), None, "{domains:?}");
        }
        let names = ["example.org", "*.example.net", "192.0.2.1"].map(str::to_owned).to_vec();
        for domains in [&["domain.com"][..], &["example.net"], &["[::1]"], &["192.0.2.2", "org"]] {
            assert_eq!(found(domains), Some(names.clone()), "{domains:?}");
        }
        certify(&[]);
        assert_eq!(found(&["domain.com"]), Some(Vec::new()));
        std::fs::remove_file(&chain).unwrap();
        assert_eq!(found(&["domain.com"]), None);
    }
}
