//! Answers to challenges: who we are, said with a nonce of the server (RFC 3261 §22.2, §22.3; RFC 8760 §2.4; W30).
//!
//! A nonce is kept and used with the next number until the server gives another one, so that most requests are asked once.
//!
//! **Invariant:** an answer is worth guesses at the password to whoever gets it. So it is made for realms alone that the
//! account names, that our own server asked for as we registered, or that are our own domain, whoever else may ask.

use std::collections::BTreeMap;

use crate::client::account::{Password, SignIn};
use crate::limits::{CHALLENGES_ANSWERED_MAX, REALMS_MAX};
use crate::random::Random;
use crate::sip::digest::Challenge;
use crate::sip::{Compose, Method, Response, Uri};

/// Who asked, and so in which field and to which requests it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asker {
    /// A registrar: 401 to REGISTER.
    Registrar,
    /// Whoever answers other requests: 401.
    Server,
    /// A proxy: 407.
    Proxy,
}

impl Asker {
    fn of(status: u16, method: &Method) -> Self {
        match (status, method) {
            (401, Method::Register) => Self::Registrar,
            (401, _) => Self::Server,
            _ => Self::Proxy,
        }
    }

    fn hears(self, method: &Method) -> bool {
        match self {
            Self::Registrar => *method == Method::Register,
            Self::Server => *method != Method::Register,
            Self::Proxy => true,
        }
    }

    const fn challenge_field(self) -> &'static str {
        match self {
            Self::Registrar | Self::Server => "WWW-Authenticate",
            Self::Proxy => "Proxy-Authenticate",
        }
    }

    const fn answer_field(self) -> &'static str {
        match self {
            Self::Registrar | Self::Server => "Authorization",
            Self::Proxy => "Proxy-Authorization",
        }
    }
}

/// A challenge, and how many requests were sent under its nonce.
#[derive(Debug)]
struct Session {
    challenge: Challenge,
    count: u32,
}

/// What is to be done about a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heeded {
    /// The same request again, under the next CSeq.
    Again,
    /// There is no answer that was not given.
    Refused,
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Challenges {
    sign_in: SignIn,
    domain: String,
    sessions: BTreeMap<(Asker, String), Session>,
}

impl Challenges {
    /// Of an account in this domain.
    pub(super) const fn new(sign_in: SignIn, domain: String) -> Self {
        Self { sign_in, domain, sessions: BTreeMap::new() }
    }

    /// The password came, or is another one from now on.
    pub(super) fn set_password(&mut self, password: Password) {
        self.sign_in.password = password;
    }

    /// Takes in a response: a 401 or 407 may be answered. `answered` says how many the same request had before, and counts on.
    pub(super) fn heed(&mut self, response: &Response, answered: &mut u8) -> Heeded {
        if !matches!(response.status(), 401 | 407) {
            return Heeded::Refused;
        }
        let method = response.fields().cseq_method();
        let asker = Asker::of(response.status(), method);
        let asked = Challenge::all(response.fields(), asker.challenge_field());
        let answerable = asked.into_iter().filter(|challenge| self.may_answer(&challenge.realm, method));
        let strongest = answerable.max_by_key(|challenge| challenge.algorithm);
        let Some(challenge) = strongest.filter(|_| !self.sign_in.password.is_empty()) else {
            return Heeded::Refused;
        };
        // The first answer may have been to an older nonce. After that only a nonce that was too old is a reason.
        let is_reason = *answered == 0 || challenge.stale;
        if !is_reason || *answered >= CHALLENGES_ANSWERED_MAX {
            self.sessions.remove(&(asker, challenge.realm));
            return Heeded::Refused;
        }
        *answered += 1;
        if self.sessions.len() >= REALMS_MAX {
            self.sessions.pop_first();
        }
        self.sessions.insert((asker, challenge.realm.clone()), Session { challenge, count: 0 });
        Heeded::Again
    }

    /// Adds what is to be said to those who asked before.
    pub(super) fn authorize(
        &mut self,
        mut begun: Compose,
        (method, uri): (&Method, &Uri),
        random: &mut Random,
    ) -> Compose {
        let SignIn { username, password, .. } = &self.sign_in;
        for ((asker, _), session) in &mut self.sessions {
            if !asker.hears(method) {
                continue;
            }
            session.count = session.count.saturating_add(1);
            let answer = session.challenge.answer(
                (username, password.as_str()),
                (method, uri.as_str()),
                (session.count, &random.token(16)),
            );
            begun = begun.field(asker.answer_field(), answer);
        }
        begun
    }

    fn may_answer(&self, realm: &str, method: &Method) -> bool {
        if !self.sign_in.realm.is_empty() {
            return self.sign_in.realm == realm;
        }
        // REGISTER and OPTIONS of ours go to our own server and nowhere else.
        matches!(method, Method::Register | Method::Options)
            || realm.eq_ignore_ascii_case(&self.domain)
            || self.sessions.keys().any(|(_, known)| known == realm)
    }
}
