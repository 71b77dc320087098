//! The user part of our Contact. It carries an unguessable token, and a request must name it, from the first request on that
//! does, unless it comes over the connection that we opened to our server.
//!
//! Anybody can put our server's address on a datagram, and other programs on its computer, or behind the same NAT, can
//! connect from its address. Only our server was told the token, and it writes the Contact as
//! we registered it into the Request-URI of what it sends us (RFC 3261 §10.3, §16.5, §12.2.1.1). Some servers write the
//! account's user part instead; that is accepted until the server has named our Contact once, which nobody else can do.
//! Under TLS our own connection is the only way to us, and the Contact needs no token.

use memchr::memmem;

use crate::random::Random;
use crate::sip::Uri;

/// Characters of the token: 80 random bits, drawn anew at each start.
const TOKEN_CHARS: usize = 16;

/// See the top of this file.
#[derive(Debug)]
pub(crate) struct OwnContact {
    /// The user part of the account's address, as written.
    user: String,
    /// The same in the form used to compare addresses.
    canonical: String,
    token: String,
    /// Our server has named our Contact: so it writes it as we registered it.
    was_named: bool,
}

/// Who a Request-URI is addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// Us, by the token: whoever writes it has learned our Contact from our server.
    Us,
    /// The account with another token: from a binding of an earlier run that the server still holds.
    EarlierRun,
    /// The account without a token.
    Account,
    /// Somebody else.
    Other,
}

impl OwnContact {
    /// For the account with this address.
    pub(crate) fn new(address: &Uri, random: &mut Random) -> Self {
        let user = address.user().unwrap_or_default().to_owned();
        Self {
            user,
            canonical: address.aor().user().to_owned(),
            token: random.token(TOKEN_CHARS),
            was_named: false,
        }
    }

    /// The user part of the Contact, with the token unless that is reached under TLS.
    pub(crate) fn user(&self, is_secure: bool) -> String {
        if is_secure { self.user.clone() } else { format!("{}-{}", self.user, self.token) }
    }

    /// Notes that the server has named our Contact; from then on only the token counts as proof.
    pub(crate) fn hear(&mut self, uri: &Uri) {
        self.was_named |= self.named(uri) == Named::Us;
    }

    /// Whether a Request-URI is written the way our server writes it.
    pub(crate) fn is_as_the_server_writes(&self, uri: &Uri) -> bool {
        match self.named(uri) {
            Named::Us => true,
            Named::Account => !self.was_named,
            Named::EarlierRun | Named::Other => false,
        }
    }

    /// Who a Request-URI is addressed to.
    pub(crate) fn named(&self, uri: &Uri) -> Named {
        let aor = uri.aor();
        let Some(rest) = aor.user().strip_prefix(self.canonical.as_str()) else { return Named::Other };
        match rest.strip_prefix('-') {
            None if rest.is_empty() => Named::Account,
            Some(token) if token == self.token => Named::Us,
            Some(token) if token.len() == TOKEN_CHARS => Named::EarlierRun,
            Some(_) | None => Named::Other,
        }
    }

    /// Whether an unreadable request may be from our server: its first line contains the token, if the server is known
    /// to use it.
    pub(crate) fn may_name_us(&self, bytes: &[u8]) -> bool {
        if !self.was_named {
            return true;
        }
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        memmem::find(line, self.token.as_bytes()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_of_this_run_names_us_however_the_user_part_is_escaped() {
        let address = Uri::parse("im:j%20b@domain.com").unwrap();
        let mut own = OwnContact::new(&address, &mut Random::from_seed(1));
        let token = &own.token;
        assert_eq!(token.len(), 16, "80 bits");
        assert_eq!(own.user(false), format!("j%20b-{token}"));
        assert_eq!(own.user(true), "j%20b");
        let other = OwnContact::new(&address, &mut Random::from_seed(2)).token;
        assert_ne!(*token, other, "each start has its own");
        for (user, named) in [
            (format!("j%20b-{token}"), Named::Us),
            (format!("%6A%20b%2D{token}"), Named::Us),
            (format!("j%20b-{other}"), Named::EarlierRun),
            ("j%20b".to_owned(), Named::Account),
            (format!("j%20b{token}"), Named::Other),
            (format!("j%20b-{token}x"), Named::Other),
            ("j%20b-".to_owned(), Named::Other),
            (format!("ann-{token}"), Named::Other),
        ] {
            assert_eq!(own.named(&Uri::parse(&format!("sip:{user}@192.0.2.9")).unwrap()), named, "{user}");
        }
        let contact = Uri::parse(&format!("sip:j%20b-{token}@192.0.2.9")).unwrap();
        let torn = format!("MESSAGE sip:j%20b-{token}@192.0.2.9 SIP/2.0\r\nVia: rubbish");
        let elsewhere = format!("MESSAGE sip:x SIP/2.0\r\nTo: {token}");
        assert!(own.may_name_us(elsewhere.as_bytes()), "the server has not named us yet");
        own.hear(&contact);
        assert!(own.may_name_us(torn.as_bytes()) && !own.may_name_us(elsewhere.as_bytes()));
    }
}
