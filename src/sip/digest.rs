//! Digest authentication: challenges, credentials, proof of a password (RFC 7616, RFC 8760; RFC 3261 §22).
//!
//! SHA-512-256, SHA-256 and MD5, on the client side also their `-sess` forms; qop `auth`, or none as in RFC 2069
//! (RFC 7616 §3.4.1 for a challenge that offers none). Unknown challenges are skipped: one we know is enough.

mod credentials;
mod strength;
mod grammar;

use std::fmt;

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

use self::credentials::Counted;
use self::grammar::{challenges, digests, params_of_one};
use super::charset::HeaderCharset;
use super::cursor::{Cursor, quote};
use super::fields::Fields;
use super::header::Params;
use super::names::Method;

pub use self::credentials::Credentials;
pub use self::strength::{Protection, Strength};

/// The hash algorithm, weakest first (RFC 7616 §3.2, RFC 8760 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// For old peers.
    Md5,
    /// Mandatory for everybody (RFC 8760 §2.2).
    Sha256,
    /// SHA-512 truncated to 256 bits (FIPS 180-4).
    Sha512_256,
}

/// The hash of user, realm and password; never shown, as it replaces the password in its realm (RFC 7616 §3.4.2).
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1 {
    algorithm: Algorithm,
    hex: String,
}

/// A server's challenge. Its fields are public and unchecked: this is what the server says, trusted or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The realm in which the password is valid.
    pub realm: String,
    /// The nonce to answer with.
    pub nonce: String,
    /// Returned unchanged.
    pub opaque: Option<String>,
    /// The hash algorithm.
    pub algorithm: Algorithm,
    /// The algorithm as written, returned unchanged; none if the challenge names none.
    pub algorithm_name: Option<String>,
    /// Whether requests are counted.
    pub protection: Protection,
    /// The password was right, but the nonce is too old.
    pub stale: bool,
    /// How realm, nonce and opaque were read: they go back with the bytes that they came with.
    pub charset: HeaderCharset,
}

impl Algorithm {
    /// The token on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Sha512_256 => "SHA-512-256",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let known = [Self::Md5, Self::Sha256, Self::Sha512_256];
        known.into_iter().find(|algorithm| text.eq_ignore_ascii_case(algorithm.as_str()))
    }

    /// The hash of the parts joined by colons, in lowercase hexadecimal.
    fn hash(self, parts: &[&[u8]]) -> String {
        let text = parts.join(&b':');
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
            Self::Sha512_256 => hex(&Sha512_256::digest(text)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Ha1 {
    /// Computed from a password.
    #[must_use]
    pub fn new(algorithm: Algorithm, username: &str, realm: &str, password: &str) -> Self {
        Self::of(algorithm, username, realm.as_bytes(), password)
    }

    fn of(algorithm: Algorithm, username: &str, realm: &[u8], password: &str) -> Self {
        Self { algorithm, hex: algorithm.hash(&[username.as_bytes(), realm, password.as_bytes()]) }
    }

    /// Restored from stored text.
    #[must_use]
    pub fn stored(algorithm: Algorithm, hex: String) -> Self {
        Self { algorithm, hex }
    }

    /// For storage where nobody else can read it.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The response value (RFC 7616 §3.4.1).
    fn response(&self, nonce: &[u8], counted: Option<&Counted>, method: &Method, uri: &str) -> String {
        let ha2 = self.algorithm.hash(&[method.as_str().as_bytes(), uri.as_bytes()]);
        let (hex, ha2) = (self.hex.as_bytes(), ha2.as_bytes());
        match counted {
            Some(Counted { nc, cnonce }) => {
                self.algorithm.hash(&[hex, nonce, nc.as_bytes(), cnonce.as_bytes(), b"auth", ha2])
            }
            None => self.algorithm.hash(&[hex, nonce, ha2]),
        }
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ha1({})", self.algorithm.as_str())
    }
}

impl Challenge {
    /// The challenges in all fields of that name (`WWW-Authenticate`, `Proxy-Authenticate`) that we can answer.
    #[must_use]
    pub fn all(fields: &Fields, name: &str) -> Vec<Self> {
        let read = |(value, charset)| digests(value).ok().map(|all| (all, charset));
        let readable = fields.every_with_charset(name).filter_map(read);
        readable
            .flat_map(|(all, charset)| all.into_iter().filter_map(move |params| Self::of(&params, charset)))
            .collect()
    }

    /// The realms of all challenges in fields of that name, including those that we cannot answer.
    #[must_use]
    pub fn realms(fields: &Fields, name: &str) -> Vec<String> {
        let readable = fields.every(name).filter_map(|value| digests(value).ok());
        readable.flatten().filter_map(|params| params.get("realm").map(str::to_owned)).collect()
    }

    /// The realms of all challenges in one field's value, of any scheme; `None` if somebody else might find another one
    /// there: the value cannot be read, or one that asks for a password does not name one realm (RFC 7616 §3.3, RFC 7617 §2).
    #[must_use]
    pub fn realms_in(value: &str) -> Option<Vec<String>> {
        let mut all = Vec::new();
        for (scheme, params) in challenges(value).ok()? {
            let before = all.len();
            let realms = params.0.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case("realm"));
            all.extend(realms.map(|(_, realm)| realm.unwrap_or_default()));
            let asks = ["digest", "basic"].iter().any(|asking| scheme.eq_ignore_ascii_case(asking));
            if asks && all.len() != before + 1 {
                return None;
            }
        }
        Some(all)
    }

    fn of(params: &Params, charset: HeaderCharset) -> Option<Self> {
        let is_offered = |qop: &str| qop.split(',').any(|word| word.trim().eq_ignore_ascii_case("auth"));
        let given = |name: &str| params.get(name).filter(|value| !value.trim().is_empty());
        let protection = match given("qop") {
            None => Protection::None,
            Some(qop) if is_offered(qop) => Protection::Auth,
            Some(_) => return None,
        };
        let name = given("algorithm");
        let base = name.and_then(session_base);
        // The client nonce that such an answer needs is only sent with qop.
        if base.is_some() && protection == Protection::None {
            return None;
        }
        Some(Self {
            realm: params.get("realm")?.to_owned(),
            nonce: params.get("nonce")?.to_owned(),
            opaque: params.get("opaque").map(str::to_owned),
            algorithm: base.or(name).map_or(Some(Algorithm::Md5), Algorithm::parse)?,
            algorithm_name: name.map(str::to_owned),
            protection,
            stale: params.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            charset,
        })
    }

    /// The value of `Authorization` or `Proxy-Authorization` for one request; `count` counts from 1 under this nonce.
    #[must_use]
    pub fn answer(
        &self,
        (username, password): (&str, &str),
        (method, uri): (&Method, &str),
        (count, cnonce): (u32, &str),
    ) -> Vec<u8> {
        let nonce = self.charset.bytes(&self.nonce);
        let mut ha1 = Ha1::of(self.algorithm, username, &self.charset.bytes(&self.realm), password);
        if self.algorithm_name.as_deref().and_then(session_base).is_some() {
            // RFC 7616 §3.4.2; each of our answers is its own session.
            ha1.hex = self.algorithm.hash(&[ha1.hex.as_bytes(), &nonce, cnonce.as_bytes()]);
        }
        let counted = match self.protection {
            Protection::None => None,
            Protection::Auth => Some(Counted { nc: format!("{count:08x}"), cnonce: cnonce.to_owned() }),
        };
        let response = ha1.response(&nonce, counted.as_ref(), method, uri);
        let mut out = b"Digest ".to_vec();
        let (ours, theirs) = (HeaderCharset::Utf8, self.charset);
        push_quoted("username", (username, ours), &mut out);
        push_quoted(", realm", (&self.realm, theirs), &mut out);
        push_quoted(", nonce", (&self.nonce, theirs), &mut out);
        push_quoted(", uri", (uri, ours), &mut out);
        push_quoted(", response", (&response, ours), &mut out);
        if let Some(opaque) = &self.opaque {
            push_quoted(", opaque", (opaque, theirs), &mut out);
        }
        // RFC 7616 §3.4: repeats what the challenge named, and nothing if it named none.
        if let Some(name) = &self.algorithm_name {
            out.extend_from_slice(b", algorithm=");
            out.extend_from_slice(name.as_bytes());
        }
        if let Some(Counted { nc, cnonce }) = &counted {
            push_quoted(", cnonce", (cnonce, ours), &mut out);
            out.extend_from_slice(b", qop=auth, nc=");
            out.extend_from_slice(nc.as_bytes());
        }
        out
    }
}

/// `MD5` for `MD5-sess`; none for an algorithm without sessions.
fn session_base(name: &str) -> Option<&str> {
    let (base, form) = name.split_at_checked(name.len().checked_sub("-sess".len())?)?;
    form.eq_ignore_ascii_case("-sess").then_some(base)
}

/// The nonce for the next request, if the server names one in a success (RFC 7616 §3.5).
#[must_use]
pub fn next_nonce(fields: &Fields, name: &str) -> Option<String> {
    let params = params_of_one(&mut Cursor::new(fields.first(name)?)).ok()?;
    // One that would go back in another charset than the challenge's is left: the old nonce does, or is `stale`.
    params.get("nextnonce").filter(|nonce| !nonce.is_empty() && nonce.is_ascii()).map(str::to_owned)
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::from("Digest ");
        write_quoted("realm", &self.realm, &mut out);
        write_quoted(", nonce", &self.nonce, &mut out);
        if let Some(opaque) = &self.opaque {
            write_quoted(", opaque", opaque, &mut out);
        }
        out.push_str(", algorithm=");
        out.push_str(self.algorithm.as_str());
        if self.protection == Protection::Auth {
            write_quoted(", qop", "auth", &mut out);
        }
        if self.stale {
            out.push_str(", stale=true");
        }
        f.write_str(&out)
    }
}

fn write_quoted(name: &str, value: &str, out: &mut String) {
    out.push_str(name);
    out.push('=');
    // Writing to a string cannot fail.
    quote(value, out).unwrap_or_default();
}

fn push_quoted(name: &str, (value, charset): (&str, HeaderCharset), out: &mut Vec<u8>) {
    let mut text = String::new();
    write_quoted(name, value, &mut text);
    out.extend_from_slice(&charset.bytes(&text));
}

#[cfg(test)]
mod tests;
