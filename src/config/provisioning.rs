//! A provisioning file: an account as an operator hands it out, in RON. It fills in the form of an account; nothing is signed
//! in to before the user says so.
//!
//! **Invariant:** nothing of it is taken if a part of it is wrong, and no error shows its password.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::limits::{PROVISION_AUTHORITY_BYTES_MAX, PROVISION_BYTES_MAX, PROVISION_CHARS_MAX};
use crate::model::account::{Account, Password, SignIn};
use crate::net::check_authorities;
use crate::sip::Uri;
use crate::store::ron_file;

/// One week: how long a message of a new account waits for a recipient who is offline, if the server stores it (W8).
pub const EXPIRES_DEFAULT_SECS: u32 = 604_800;
/// What an authority begins with that is in the file itself.
const PEM: &str = "-----BEGIN ";

/// The file's contents.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provision {
    /// `sip:james@example.com`.
    #[serde(deserialize_with = "address")]
    address: String,
    /// The display name.
    #[serde(default, deserialize_with = "line")]
    name: String,
    /// The server's name or IP address; if empty, the one that DNS names for the domain.
    #[serde(default, deserialize_with = "line")]
    server: String,
    #[serde(default)]
    port: Option<u16>,
    #[serde(default)]
    transport: Option<Over>,
    /// If empty, the user part of the address.
    #[serde(default, deserialize_with = "line")]
    sign_in_name: String,
    #[serde(default, deserialize_with = "line")]
    realm: String,
    /// Certificates in PEM, or the path of a file of them, seen from the folder of this one.
    #[serde(default)]
    authority: String,
    #[serde(default, deserialize_with = "line")]
    password: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Over {
    Udp,
    Tcp,
    Tls,
}

/// Reads such a file. What it names as authority is copied into the folder `settings`, as the file may be gone tomorrow.
///
/// # Errors
/// What is wrong with it, as a sentence that names the file and, where there is one, the line and column.
pub fn read(path: &Path, settings: Option<&Path>) -> Result<Account, String> {
    let shown = path.display();
    let bytes =
        bounded(path, PROVISION_BYTES_MAX).map_err(|error| format!("{shown} cannot be read: {error}."))?;
    let found: Provision = ron_file::from_bytes(&bytes, path).map_err(|error| format!("{error}."))?;
    let authority = found.authority.trim();
    let tls_ca = if authority.is_empty() { None } else { Some(kept(authority, path, settings)?) };
    let account = Account {
        proxy: found.proxy(),
        address: found.address,
        name: found.name,
        sign_in: SignIn {
            username: found.sign_in_name,
            realm: found.realm,
            password: Password::new(found.password),
        },
        expires_secs: Some(EXPIRES_DEFAULT_SECS),
        tls_ca,
        worked: false,
        ..Account::default()
    };
    account.check().map_err(|error| format!("{shown}: {error}."))?;
    Ok(account)
}

impl Provision {
    /// The server as it is written in an account: `tls:sip.example.com:5061`.
    fn proxy(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        if self.server.is_empty() && self.transport.is_none() && port.is_empty() {
            return String::new();
        }
        let home = || self.address.rsplit('@').next().unwrap_or_default().to_owned();
        let server = if self.server.is_empty() { home() } else { self.server.clone() };
        let server =
            if server.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{server}]") } else { server };
        match self.transport {
            Some(Over::Udp) => format!("udp:{server}{port}"),
            Some(Over::Tcp) => format!("tcp:{server}{port}"),
            Some(Over::Tls) => format!("tls:{server}{port}"),
            None => format!("{server}{port}"),
        }
    }
}

/// All of a regular file.
fn bounded(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    // One more than is taken, so that a larger file is noticed.
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        return Err(io::Error::other(format!("it is larger than {} KiB", bytes_max / 1024)));
    }
    Ok(bytes)
}

/// Keeps the certificates that `authority` contains or names, in a file of their own whose name follows from them: none that
/// another account uses is ever overwritten.
fn kept(authority: &str, path: &Path, settings: Option<&Path>) -> Result<PathBuf, String> {
    let wrong = |what: String| format!("{}: authority: {what}.", path.display());
    let is_inside = authority.starts_with(PEM);
    let named = path.with_file_name(authority);
    let bytes = if is_inside {
        authority.as_bytes().to_vec()
    } else {
        let read = bounded(&named, PROVISION_AUTHORITY_BYTES_MAX);
        read.map_err(|error| wrong(format!("{} cannot be read: {error}", named.display())))?
    };
    let folder = settings.ok_or_else(|| wrong("there is no folder to keep it in".to_owned()))?;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let place = folder.join(format!("authority-{:016x}.pem", hasher.finish()));
    ron_file::write_bytes(&place, &bytes)
        .map_err(|error| wrong(format!("{} cannot be written: {error}", place.display())))?;
    check_authorities(&place).map_err(|error| {
        std::fs::remove_file(&place).unwrap_or_default();
        let source = if is_inside { "the certificate".to_owned() } else { named.display().to_string() };
        wrong(error.to_string().replace(&place.display().to_string(), &source))
    })?;
    Ok(place)
}

/// One line of text.
fn line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.chars().count() > PROVISION_CHARS_MAX {
        return Err(D::Error::custom(format!("this is longer than {PROVISION_CHARS_MAX} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(D::Error::custom("a line break or another control character has no place in this text"));
    }
    Ok(text.trim().to_owned())
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = line(deserializer)?;
    let uri = Uri::typed(&text).ok().filter(|uri| uri.user().is_some_and(|user| !user.is_empty()));
    match uri {
        Some(uri) if !uri.host().is_empty() => Ok(text),
        Some(_) | None => Err(D::Error::custom("an address is wanted here, like \"sip:james@example.com\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("james.ron");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn read_text(text: &str) -> Result<Account, String> {
        let (folder, path) = written(text);
        let read = read(&path, Some(&folder.path().join("settings")));
        read.map_err(|why| why.replace(&format!("{}/", folder.path().display()), ""))
    }

    fn authority() -> String {
        rcgen::generate_simple_self_signed(vec!["example.com".to_owned()]).unwrap().cert.pem()
    }

    /// The example of the manual is one that works.
    #[test]
    fn the_example_of_the_manual_is_read() {
        let manual = include_str!("../../docs/operating.md");
        let example = manual.split("```ron\n// A provisioning file").nth(1).unwrap();
        let example = format!("// A provisioning file{}", example.split("```").next().unwrap());
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("example-ca.pem"), authority()).unwrap();
        let path = folder.path().join("james.ron");
        std::fs::write(&path, example).unwrap();
        let account = read(&path, Some(&folder.path().join("settings"))).unwrap();
        assert_eq!(account.address, "sip:james@example.com");
        assert_eq!(
            (account.name.as_str(), account.proxy.as_str()),
            ("James Holt", "tls:sip.example.com:5061")
        );
        assert!(!account.worked, "the window asks before it signs in");
        let kept = account.tls_ca.unwrap();
        assert!(kept.starts_with(folder.path().join("settings")), "{kept:?}");
        assert_eq!(std::fs::read_to_string(kept).unwrap(), authority_of(folder.path()));
    }

    fn authority_of(folder: &Path) -> String {
        std::fs::read_to_string(folder.join("example-ca.pem")).unwrap()
    }

    #[test]
    fn an_address_alone_is_enough_and_a_password_is_shown_nowhere() {
        let account = read_text("(address: \"james@example.com\")").unwrap();
        assert_eq!((account.proxy.as_str(), account.tls_ca), ("", None));
        let full = "(address: \"sip:j@example.com\", transport: tcp, port: 5070, sign_in_name: \"j7\", password: \"sesame\")";
        let account = read_text(full).unwrap();
        assert_eq!(account.proxy, "tcp:example.com:5070");
        assert_eq!((account.sign_in.username.as_str(), account.sign_in.password.as_str()), ("j7", "sesame"));
        assert!(!format!("{account:?}").contains("sesame"));
        for wrong in
            ["(address: \"sip:j@example.com\", password: \"sesame\", port: 0x)", "(password: \"sesame\")"]
        {
            let why = read_text(wrong).unwrap_err();
            assert!(!why.contains("sesame"), "{why}");
        }
    }

    #[test]
    fn an_authority_may_stand_in_the_file() {
        let text = format!("(address: \"sip:j@example.com\", authority: {:?})", authority());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.ron");
        std::fs::write(&path, text).unwrap();
        let kept = read(&path, Some(folder.path())).unwrap().tls_ca.unwrap();
        check_authorities(&kept).unwrap();
    }

    #[test]
    fn what_is_wrong_is_said_with_line_column_and_what_was_expected() {
        let long = format!("(address: \"sip:j@example.com\", name: \"{}\")", "x".repeat(257));
        for (text, words) in [
            (
                "(\n    adress: \"sip:j@example.com\",\n)",
                "james.ron:2:5: there is no field \"adress\" here; the fields are address, ",
            ),
            ("(name: \"James\")", "the field \"address\" is missing"),
            (
                "(address: \"example.com\")",
                "james.ron:1:12: address: an address is wanted here, like \"sip:james@example.com\"",
            ),
            (
                "(address: \"sip:j@example.com\", transport: sctp)",
                "transport: \"sctp\" is not one of udp, tcp, tls",
            ),
            (
                "(address: \"sip:j@example.com\", port: 70000)",
                "james.ron:1:38: port: this number is too large, or too small",
            ),
            (
                "(address: \"sip:j@example.com\", server: \"two words\")",
                "james.ron: proxy: \"two words\" is not a server address",
            ),
            (
                "(address: \"sip:j@example.com\", name: \"a\\nb\")",
                "a line break or another control character",
            ),
            (&long, "longer than 256 characters"),
            (
                "(address: \"sip:j@example.com\", authority: \"ca.pem\")",
                "authority: ca.pem cannot be read: No such file",
            ),
            (
                "(address: \"sip:j@example.com\", authority: \"-----BEGIN NOTHING-----\")",
                "james.ron: authority: cannot read the certificate: it is not a sound PEM file",
            ),
        ] {
            let why = read_text(text).unwrap_err();
            assert!(why.contains(words), "{text}: {why}");
            assert!(why.starts_with("james.ron"), "{why}");
        }
    }

    #[test]
    fn a_provisioning_file_has_a_size_and_is_a_file() {
        let large = format!("(address: \"sip:j@example.com\") // {}", "x".repeat(PROVISION_BYTES_MAX));
        assert!(read_text(&large).unwrap_err().ends_with("it is larger than 64 KiB."));
        let folder = tempfile::tempdir().unwrap();
        let why = read(folder.path(), None).unwrap_err();
        assert!(why.ends_with("it is not a file."), "{why}");
        let why = read(Path::new("/dev/zero"), None).unwrap_err();
        assert!(why.ends_with("it is not a file."), "{why}");
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, vec![b'x'; PROVISION_AUTHORITY_BYTES_MAX + 1]).unwrap();
        let path = folder.path().join("j.ron");
        std::fs::write(&path, "(address: \"sip:j@example.com\", authority: \"ca.pem\")").unwrap();
        let why = read(&path, Some(folder.path())).unwrap_err();
        assert!(why.ends_with("ca.pem cannot be read: it is larger than 256 KiB."), "{why}");
    }
}
