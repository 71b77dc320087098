//! The certificate of the hosted server: made once, signed by itself, and known by its fingerprint.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

use super::HostError;
use crate::net::{Identity, names_of_others};

/// The certificate for this domain and its key in this folder; made if there is none yet for this domain.
pub(super) fn identity(folder: &Path, domain: &str) -> Result<Identity, HostError> {
    let identity = Identity { chain: folder.join("certificate.pem"), key: folder.join("key.pem") };
    let is_there = identity.chain.exists() && identity.key.exists();
    if !is_there || names_of_others(&identity, &[domain.to_owned()]).is_some() {
        make(&identity, domain)?;
    }
    Ok(identity)
}

fn make(identity: &Identity, domain: &str) -> Result<(), HostError> {
    let mut params = CertificateParams::new(vec![domain.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, domain);
    // RFC 5922 §7.1.
    params.subject_alt_names.push(SanType::URI(format!("sip:{domain}").try_into()?));
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    put(&identity.key, &key.serialize_pem())?;
    put(&identity.chain, &certificate.pem())?;
    Ok(())
}

/// Nobody else can read it, from its first byte on.
fn put(path: &Path, text: &str) -> io::Result<()> {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::fingerprint_of;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_certificate_is_made_once_and_nobody_else_reads_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let made = identity(folder.path(), "office.local").unwrap();
        assert_eq!(fs::metadata(&made.key).unwrap().permissions().mode() & 0o777, 0o600);
        let first = fingerprint_of(&made).unwrap();
        let again = identity(folder.path(), "office.local").unwrap();
        assert_eq!(fingerprint_of(&again).unwrap(), first);
        let others = |domain: &str| names_of_others(&made, &[domain.to_owned()]);
        assert_eq!(others("office.local"), None);
        assert!(others("other.local").is_some());
        identity(folder.path(), "other.local").unwrap();
        assert_eq!(others("other.local"), None, "one for another domain is of no use");
    }
}
