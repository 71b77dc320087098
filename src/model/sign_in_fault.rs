//! Why a server's challenge was not answered (RFC 3261 §22, W30).

use std::fmt;

/// Why a challenge was not answered: printed, a sentence for people, without full stop. Realms are printable already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInFault {
    /// There is no password for this realm.
    NoPassword(String),
    /// The account names another realm, or nothing shows that this one is our server's.
    OtherRealm {
        /// The realm of the challenge.
        asked: String,
        /// The realm in which the password may be used; empty if that is no longer known.
        ours: String,
    },
    /// The password was tried in this realm and is wrong.
    WrongPassword(String),
    /// This realm takes only algorithms or qop values that we do not support.
    UnknownAlgorithm(String),
    /// The answer to a message asks for it, perhaps the recipient, in a realm in which our server has not asked.
    NotOurServer(String),
    /// The answer to a message asks for a weaker proof than our server did.
    WeakerProof(String),
}

impl SignInFault {
    /// The code under which it is stored, never changed once released.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoPassword(_) => "no-password",
            Self::OtherRealm { .. } => "other-realm",
            Self::WrongPassword(_) => "wrong-password",
            Self::UnknownAlgorithm(_) => "unknown-algorithm",
            Self::NotOurServer(_) => "not-our-server",
            Self::WeakerProof(_) => "weaker-proof",
        }
    }

    /// The realm of the challenge, which is stored beside the code.
    #[must_use]
    pub fn realm(&self) -> &str {
        match self {
            Self::NoPassword(realm)
            | Self::WrongPassword(realm)
            | Self::UnknownAlgorithm(realm)
            | Self::NotOurServer(realm)
            | Self::WeakerProof(realm) => realm,
            Self::OtherRealm { asked, .. } => asked,
        }
    }

    /// Reads a code and the realm beside it; none for a code that we do not know.
    #[must_use]
    pub fn of(code: &str, realm: &str) -> Option<Self> {
        let realm = realm.to_owned();
        Some(match code {
            "no-password" => Self::NoPassword(realm),
            "other-realm" => Self::OtherRealm { asked: realm, ours: String::new() },
            "wrong-password" => Self::WrongPassword(realm),
            "unknown-algorithm" => Self::UnknownAlgorithm(realm),
            "not-our-server" => Self::NotOurServer(realm),
            "weaker-proof" => Self::WeakerProof(realm),
            _ => return None,
        })
    }
}

impl fmt::Display for SignInFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPassword(realm) => {
                write!(
                    f,
                    "the server asks for a password in the realm \"{realm}\", and this account has none"
                )
            }
            Self::OtherRealm { asked, ours } => {
                write!(
                    f,
                    "the server asks for the realm \"{asked}\", and this account uses its password for "
                )?;
                if ours.is_empty() {
                    f.write_str("another one")?;
                } else {
                    write!(f, "\"{ours}\"")?;
                }
                write!(f, " alone; if that is your server, set the realm to \"{asked}\" (--realm)")
            }
            Self::WrongPassword(realm) => write!(f, "the password is not right for the realm \"{realm}\""),
            Self::UnknownAlgorithm(realm) => write!(
                f,
                "the server asks in the realm \"{realm}\" for a kind of proof that this program does not know (it knows MD5, \
                 SHA-256 and SHA-512-256 with qop=auth)"
            ),
            Self::NotOurServer(realm) => write!(
                f,
                "somebody, perhaps the recipient, asks for your password in the realm \"{realm}\", in which your server has \
                 not asked for it; if it is your server, set the realm to \"{realm}\" (--realm)"
            ),
            Self::WeakerProof(realm) => write!(
                f,
                "somebody, perhaps the recipient, asks in the realm \"{realm}\" for a proof of your password that is weaker \
                 than what your server asks for, or needlessly long"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_stored_by_a_code_of_its_own_and_comes_back_without_the_accounts_own_realm() {
        let realm = || "far.test".to_owned();
        let all = [
            (SignInFault::NoPassword(realm()), "no-password"),
            (SignInFault::OtherRealm { asked: realm(), ours: String::new() }, "other-realm"),
            (SignInFault::WrongPassword(realm()), "wrong-password"),
            (SignInFault::UnknownAlgorithm(realm()), "unknown-algorithm"),
            (SignInFault::NotOurServer(realm()), "not-our-server"),
            (SignInFault::WeakerProof(realm()), "weaker-proof"),
        ];
        for (fault, code) in all {
            assert_eq!((fault.code(), fault.realm()), (code, "far.test"));
            assert_eq!(SignInFault::of(fault.code(), fault.realm()), Some(fault));
        }
        assert_eq!(SignInFault::of("made-up", "far.test"), None);
        assert_eq!(
            SignInFault::OtherRealm { asked: realm(), ours: String::new() }.to_string(),
            "the server asks for the realm \"far.test\", and this account uses its password for another one alone; if \
             that is your server, set the realm to \"far.test\" (--realm)"
        );
    }
}
