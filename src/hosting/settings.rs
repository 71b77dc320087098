//! What is kept of a hosted server in its folder, and the names that are made of what people call it and each other.

use std::path::Path;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::HostError;
use crate::limits::{HOSTED_NAME_BYTES_MAX, HOSTED_NAME_CHARS_MAX};
use crate::random::Random;
use crate::store::ron_file;

const FILE: &str = "host.ron";

/// The file of a hosted server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hosted {
    /// Its name.
    pub(super) name: String,
    /// The domain of its addresses.
    pub(super) domain: String,
    /// The port for UDP and TCP.
    pub(super) port: u16,
    /// The port for TLS.
    pub(super) tls_port: u16,
    /// It is started with the window.
    pub(super) is_automatic: bool,
}

impl Hosted {
    pub(super) fn named(name: &str) -> Result<Self, HostError> {
        let name: String = name.trim().chars().take(HOSTED_NAME_CHARS_MAX).collect();
        let name = cut(&name, HOSTED_NAME_BYTES_MAX).to_owned();
        let domain = format!("{}.local", label(&name)?);
        Ok(Self { name, domain, port: 5060, tls_port: 5061, is_automatic: true })
    }

    pub(super) fn read(folder: &Path) -> Result<Self, HostError> {
        ron_file::read(&folder.join(FILE))?.ok_or(HostError::Unknown)
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), HostError> {
        Ok(ron_file::write(&folder.join(FILE), self)?)
    }
}

/// The beginning of a text, of at most so many bytes.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// `Zoë's office` becomes `zoe-s-office`: letters and digits that every client can type and every resolver takes.
pub(super) fn label(name: &str) -> Result<String, HostError> {
    let plain = name.nfkd().filter(char::is_ascii).map(|c| c.to_ascii_lowercase());
    let marked: String = plain.map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = marked.split('-').filter(|word| !word.is_empty()).collect();
    let label = words.join("-");
    let label = cut(&label, HOSTED_NAME_BYTES_MAX).trim_end_matches('-');
    if label.is_empty() { Err(HostError::NoName(name.to_owned())) } else { Ok(label.to_owned()) }
}

/// Letters and digits of a password that nobody takes for another: no 0 and o, 1 and l.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A password of four groups: 80 random bits, for whoever has heard a digest and tries to guess.
pub(super) fn password(random: &mut Random) -> String {
    let mut letter = || {
        let index = usize::try_from(random.below(32)).unwrap_or(0);
        char::from(LETTERS.get(index).copied().unwrap_or(b'a'))
    };
    let groups: Vec<String> = (0..4).map(|_| (0..4).map(|_| letter()).collect()).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_labels_that_every_client_can_type() {
        for (name, expected) in [
            ("James's office", "james-s-office"),
            (" Zoë  Ångström ", "zoe-angstrom"),
            ("Büro 2", "buro-2"),
            ("--", ""),
            ("日本", ""),
        ] {
            assert_eq!(label(name).unwrap_or_default(), expected, "{name}");
        }
        assert!(label(&"x".repeat(500)).unwrap().len() <= 63);
        let hosted = Hosted::named(&"é".repeat(100)).unwrap();
        assert!(hosted.name.len() <= 63 && hosted.domain.len() <= 69, "{hosted:?}");
    }

    #[test]
    fn a_password_is_long_and_another_one_each_time() {
        let mut random = Random::from_seed(1);
        let (one, other) = (password(&mut random), password(&mut random));
        assert!(
            one != other && one.len() == 19 && one.chars().all(|c| c == '-' || c.is_ascii_alphanumeric())
        );
    }
}
