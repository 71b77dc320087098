//! Credentials of a request: whose they are, and whether they prove a password (RFC 7616 §3.4, RFC 3261 §22).

use std::collections::BTreeSet;
use std::fmt;

use subtle::ConstantTimeEq;

use super::grammar::digests;
use super::{Algorithm, Ha1};
use crate::sip::error::Error;
use crate::sip::fields::{CREDENTIALS_FIELDS, Fields};
use crate::sip::header::Params;
use crate::sip::names::Method;

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
pub(super) struct Counted {
    pub(super) nc: String,
    pub(super) cnonce: String,
}

impl Credentials {
    /// The credentials of a request for one realm. Those for others, and what cannot be read and so is for nobody that we
    /// know, are not ours to judge (RFC 3261 §16.3 step 1, §22.3). Those for a registrar are in `Authorization` and those
    /// for a proxy in `Proxy-Authorization` (§22.2, §22.3), so that field comes first.
    ///
    /// # Errors
    /// All those for the realm are such as nobody may send (RFC 7616 §3.4).
    pub fn in_realm(fields: &Fields, realm: &str) -> Result<Vec<Self>, Error> {
        let (mut all, mut fault) = (Vec::new(), None);
        let mut names = CREDENTIALS_FIELDS;
        if *fields.cseq_method() != Method::Register {
            names.reverse();
        }
        for name in names {
            for (field, value) in fields.every(name).enumerate() {
                if !is_digest(value) {
                    continue;
                }
                let Some(found) = digests(value).ok().filter(|found| is_for(found, realm)) else { continue };
                match Self::of(found) {
                    Ok(credentials) => all.push(credentials),
                    Err(error) => drop(fault.get_or_insert_with(|| error.within(name, 0).in_field(field))),
                }
            }
        }
        fault.filter(|_| all.is_empty()).map_or(Ok(all), Err)
    }

    /// The realms in one field's value, none in one of another scheme; `None` if it cannot be read.
    #[must_use]
    pub fn realms_in(value: &str) -> Option<Vec<String>> {
        if !is_digest(value) {
            return Some(Vec::new());
        }
        let found = digests(value).ok()?;
        let realms = found.iter().flat_map(|params| &params.0);
        let realms = realms.filter(|(name, _)| name.eq_ignore_ascii_case("realm"));
        Some(realms.filter_map(|(_, value)| value.clone()).collect())
    }

    pub(super) fn of(mut found: Vec<Params>) -> Result<Self, Error> {
        let (Some(params), true) = (found.pop(), found.is_empty()) else {
            return Err(Error::whole("", "not one set of credentials"));
        };
        let mut names = BTreeSet::new();
        if !params.0.iter().all(|(name, _)| names.insert(name.to_ascii_lowercase())) {
            return Err(Error::whole("", "a parameter twice"));
        }
        let needed = |name: &str, fault| params.get(name).ok_or_else(|| Error::whole("", fault));
        Ok(Self {
            username: needed("username", "no username")?.to_owned(),
            realm: needed("realm", "no realm")?.to_owned(),
            nonce: needed("nonce", "no nonce")?.to_owned(),
            uri: needed("uri", "no uri")?.to_owned(),
            response: needed("response", "no response")?.to_ascii_lowercase(),
            algorithm: params.get("algorithm").map_or(Some(Algorithm::Md5), Algorithm::parse),
            counted: Counted::of(&params)?,
        })
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
        let right = ha1.response(self.nonce.as_bytes(), self.counted.as_ref(), method, &self.uri);
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

fn is_digest(value: &str) -> bool {
    value.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("digest"))
}

/// True if any of these names the realm.
fn is_for(found: &[Params], realm: &str) -> bool {
    found.iter().any(|params| params.get("realm") == Some(realm))
}
