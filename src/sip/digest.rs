//! Digest authentication: challenges, credentials, proof of a password (RFC 7616, RFC 8760; RFC 3261 §22).
//!
//! SHA-512-256, SHA-256 and MD5, on the client side also their `-sess` forms; qop `auth`, or none as in RFC 2069
//! (RFC 7616 §3.4.1 for a challenge that offers none). Unknown challenges are skipped: one we know is enough.

mod strength;
mod grammar;

use std::collections::BTreeSet;
use std::fmt;

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};
use subtle::ConstantTimeEq;

use self::grammar::{challenges, digests, params_of_one};
use super::cursor::{Cursor, quote};
use super::error::Error;
use super::fields::Fields;
use super::header::Params;
use super::names::Method;
use crate::limits::CREDENTIALS_MAX;

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
}

/// A client's proof of its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub username: String,
    /// The realm.
    pub realm: String,
    /// The challenge's nonce.
    pub nonce: String,
    /// The Request-URI.
    pub uri: String,
    /// None for an unknown one.
    pub algorithm: Option<Algorithm>,
    counted: Option<Counted>,
    response: String,
}

/// The number of a request under its nonce, as written, and the client's own nonce.
#[derive(Clone, PartialEq, Eq)]
struct Counted {
    nc: String,
    cnonce: String,
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
    fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
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
        Self { algorithm, hex: algorithm.hash(&[username, realm, password]) }
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
    fn response(&self, nonce: &str, counted: Option<&Counted>, method: &Method, uri: &str) -> String {
        let ha2 = self.algorithm.hash(&[method.as_str(), uri]);
        match counted {
            Some(Counted { nc, cnonce }) => {
                self.algorithm.hash(&[&self.hex, nonce, nc, cnonce, "auth", &ha2])
            }
            None => self.algorithm.hash(&[&self.hex, nonce, &ha2]),
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
        let readable = fields.every(name).filter_map(|value| digests(value).ok());
        readable.flatten().filter_map(|params| Self::of(&params)).collect()
    }

    /// The realms of all challenges in fields of that name, including those that we cannot answer.
    #[must_use]
    pub fn realms(fields: &Fields, name: &str) -> Vec<String> {
        let readable = fields.every(name).filter_map(|value| digests(value).ok());
        readable.flatten().filter_map(|params| params.get("realm").map(str::to_owned)).collect()
    }

    /// The realms of all challenges in one field's value, of any scheme.
    #[must_use]
    pub fn realms_in(value: &str) -> Vec<String> {
        let challenges = challenges(value).into_iter().flatten();
        challenges.filter_map(|(_, params)| params.get("realm").map(str::to_owned)).collect()
    }

    fn of(params: &Params) -> Option<Self> {
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
        })
    }

    /// The value of `Authorization` or `Proxy-Authorization` for one request; `count` counts from 1 under this nonce.
    #[must_use]
    pub fn answer(
        &self,
        (username, password): (&str, &str),
        (method, uri): (&Method, &str),
        (count, cnonce): (u32, &str),
    ) -> String {
        let mut ha1 = Ha1::new(self.algorithm, username, &self.realm, password);
        if self.algorithm_name.as_deref().and_then(session_base).is_some() {
            // RFC 7616 §3.4.2; each of our answers is its own session.
            ha1.hex = self.algorithm.hash(&[&ha1.hex, &self.nonce, cnonce]);
        }
        let counted = match self.protection {
            Protection::None => None,
            Protection::Auth => Some(Counted { nc: format!("{count:08x}"), cnonce: cnonce.to_owned() }),
        };
        let response = ha1.response(&self.nonce, counted.as_ref(), method, uri);
        let mut out = String::from("Digest ");
        write_quoted("username", username, &mut out);
        write_quoted(", realm", &self.realm, &mut out);
        write_quoted(", nonce", &self.nonce, &mut out);
        write_quoted(", uri", uri, &mut out);
        write_quoted(", response", &response, &mut out);
        if let Some(opaque) = &self.opaque {
            write_quoted(", opaque", opaque, &mut out);
        }
        // RFC 7616 §3.4: repeats what the challenge named, and nothing if it named none.
        if let Some(name) = &self.algorithm_name {
            out.push_str(", algorithm=");
            out.push_str(name);
        }
        if let Some(Counted { nc, cnonce }) = &counted {
            write_quoted(", cnonce", cnonce, &mut out);
            out.push_str(", qop=auth, nc=");
            out.push_str(nc);
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
    params.get("nextnonce").filter(|nonce| !nonce.is_empty()).map(str::to_owned)
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

impl Credentials {
    /// All credentials of a request; other schemes are skipped. Those for a registrar are in `Authorization` and those for
    /// a proxy in `Proxy-Authorization` (RFC 3261 §22.2, §22.3), so that field comes first.
    ///
    /// # Errors
    /// One of them does not follow the grammar.
    pub fn all(fields: &Fields) -> Result<Vec<Self>, Error> {
        let mut all = Vec::new();
        let mut names = ["Proxy-Authorization", "Authorization"];
        if *fields.cseq_method() == Method::Register {
            names.reverse();
        }
        for name in names {
            for (field, value) in fields.every(name).enumerate() {
                if all.len() >= CREDENTIALS_MAX {
                    return Err(Error::whole(name, "too many"));
                }
                all.extend(Self::read(value).map_err(|error| error.within(name, 0).in_field(field))?);
            }
        }
        Ok(all)
    }

    /// The realm in one field's value, if readable.
    #[must_use]
    pub fn realm_of(value: &str) -> Option<String> {
        Self::read(value).ok().flatten().map(|credentials| credentials.realm)
    }

    fn read(value: &str) -> Result<Option<Self>, Error> {
        let is_digest = value.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("digest"));
        if !is_digest {
            return Ok(None);
        }
        let mut found = digests(value)?;
        let (Some(params), true) = (found.pop(), found.is_empty()) else {
            return Err(Error::whole("", "not one set of credentials"));
        };
        let mut names = BTreeSet::new();
        if !params.0.iter().all(|(name, _)| names.insert(name.to_ascii_lowercase())) {
            return Err(Error::whole("", "a parameter twice"));
        }
        let needed = |name: &str, fault| params.get(name).ok_or_else(|| Error::whole("", fault));
        Ok(Some(Self {
            username: needed("username", "no username")?.to_owned(),
            realm: needed("realm", "no realm")?.to_owned(),
            nonce: needed("nonce", "no nonce")?.to_owned(),
            uri: needed("uri", "no uri")?.to_owned(),
            response: needed("response", "no response")?.to_ascii_lowercase(),
            algorithm: params.get("algorithm").map_or(Some(Algorithm::Md5), Algorithm::parse),
            counted: Counted::of(&params)?,
        }))
    }

    /// The number of the request under its nonce; none for an RFC 2069 client, which does not count.
    #[must_use]
    pub fn count(&self) -> Option<u32> {
        self.counted.as_ref().and_then(|counted| u32::from_str_radix(&counted.nc, 16).ok())
    }

    /// Whether they were made with the password behind `ha1` for a request of this method. Takes the same time for any
    /// wrong answer.
    #[must_use]
    pub fn prove(&self, ha1: &Ha1, method: &Method) -> bool {
        let right = ha1.response(&self.nonce, self.counted.as_ref(), method, &self.uri);
        right.as_bytes().ct_eq(self.response.as_bytes()).into()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("realm", &self.realm).finish_non_exhaustive()
    }
}

impl Counted {
    fn of(params: &Params) -> Result<Option<Self>, Error> {
        match params.get("qop") {
            None => return Ok(None),
            Some(qop) if qop.eq_ignore_ascii_case("auth") => {}
            Some(_) => return Err(Error::whole("", "a qop that was not offered")),
        }
        let nc = params.get("nc").unwrap_or_default();
        if nc.len() != 8 || !nc.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::whole("", "no nc of 8 hexadecimal digits"));
        }
        let cnonce = params.get("cnonce").ok_or_else(|| Error::whole("", "no cnonce"))?;
        Ok(Some(Self { nc: nc.to_owned(), cnonce: cnonce.to_owned() }))
    }
}

#[cfg(test)]
mod tests;
