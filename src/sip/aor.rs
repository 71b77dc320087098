//! The canonical address-of-record, which identifies a person (RFC 3261 §10.3 step 5; W3).

use std::fmt;

use super::uri_grammar::{canonical_host, unescaped};

/// Canonical address-of-record `user@domain`: unneeded escapes decoded, host in lower case, no port, parameters or
/// scheme. Without a user it is the domain alone; a tel: or unknown URI is kept whole before the `@`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aor {
    text: String,
    /// Offset of the domain.
    domain: usize,
}

impl Aor {
    pub(super) fn of(user: Option<&str>, host: &str) -> Self {
        let mut text = String::new();
        if let Some(user) = user {
            text.push_str(&unescaped(user));
            text.push('@');
        }
        let domain = text.len();
        text.push_str(&canonical_host(host));
        Self { text, domain }
    }

    pub(super) fn opaque(uri: &str) -> Self {
        let text = format!("{uri}@");
        Self { domain: text.len(), text }
    }

    /// Escaped where necessary; empty if there is none.
    #[must_use]
    pub fn user(&self) -> &str {
        self.text.get(..self.domain.saturating_sub(1)).unwrap_or_default()
    }

    /// The host in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.text.get(self.domain..).unwrap_or_default()
    }

    /// The same person without what follows `;` in the user part (RFC 3261 §19.1.1): a domain's owner can put anything
    /// there.
    #[must_use]
    pub fn without_user_params(&self) -> Option<Self> {
        let user = self.user();
        let end = [";", "%3B", "%3b"].into_iter().filter_map(|mark| user.find(mark)).min()?;
        let user = user.get(..end)?;
        Self::parse(&format!("{user}@{}", self.domain()))
    }

    /// `user@domain`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// From stored text; `None` if it is empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        Some(match text.rsplit_once('@') {
            Some((_, "")) => Self { text: text.to_owned(), domain: text.len() },
            Some((user, domain)) => Self::of(Some(user), domain),
            None => Self::of(None, text),
        })
    }
}

impl fmt::Display for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
