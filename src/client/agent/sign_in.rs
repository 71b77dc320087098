//! Answers to challenges: digest credentials (RFC 3261 §22.2, §22.3; RFC 8760 §2.4; W30).
//!
//! A nonce is kept and reused with increasing counts until the server gives another one, so that most requests are not
//! challenged at all.
//!
//! **Invariant:** whoever receives credentials can use them to test guesses of the password. So they are sent only for
//! realms that the account names, that our own server used when we registered, or that are our own domain.

use std::collections::BTreeMap;

use crate::limits::{CHALLENGES_ANSWERED_MAX, REALM_CHARS_TOLD, REALMS_MAX, REALMS_PER_REQUEST_MAX};
use crate::model::account::{Password, SignIn};
use crate::model::reason::{LocalReason, Phrase};
use crate::model::sign_in_fault::SignInFault;
use crate::model::text::visible;
use crate::random::Random;
use crate::sip::digest::{Challenge, next_nonce};
use crate::sip::{Compose, Method, Response, Uri};

/// Who sent a challenge, which decides the header field and the requests that carry the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asker {
    /// A registrar: 401 to REGISTER.
    Registrar,
    /// A server that challenges other requests: 401.
    Server,
    /// A proxy: 407.
    Proxy,
}

impl Asker {
    /// The asker behind `WWW-Authenticate`.
    fn of_server(method: &Method) -> Self {
        if *method == Method::Register { Self::Registrar } else { Self::Server }
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

/// What to do about a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heeded {
    /// Send the same request again under the next CSeq.
    Again,
    /// There is no answer left to give.
    Refused,
}

/// Which challenges one request has answered, over all its repetitions. A server can make us repeat it at most
/// [`REALMS_PER_REQUEST_MAX`] times [`CHALLENGES_ANSWERED_MAX`] times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answered {
    realms: Vec<(Asker, String, u8)>,
    /// How often the request was sent again because of them.
    rounds: u32,
}

impl Answered {
    /// How often the request was sent again; each time it is a new request (RFC 3261 §22.2).
    pub(crate) const fn rounds(&self) -> u32 {
        self.rounds
    }

    /// Notes that a challenge is answered now. False if the same credentials were refused: the first answer may have
    /// used an older nonce; after that, only a stale nonce justifies another.
    fn note(&mut self, asker: Asker, challenge: &Challenge) -> bool {
        let known = self.realms.iter_mut().find(|(who, realm, _)| *who == asker && *realm == challenge.realm);
        if let Some((_, _, times)) = known {
            let is_reason = challenge.stale && *times < CHALLENGES_ANSWERED_MAX;
            *times += u8::from(is_reason);
            return is_reason;
        }
        let is_room = self.realms.len() < REALMS_PER_REQUEST_MAX;
        if is_room {
            self.realms.push((asker, challenge.realm.clone(), 1));
        }
        is_room
    }
}

/// See the top of this file.
#[derive(Debug)]
pub(crate) struct Challenges {
    sign_in: SignIn,
    domain: String,
    sessions: BTreeMap<(Asker, String), Session>,
    /// Whether our requests go to the server that the account names, or to one in its domain. Elsewhere, after a
    /// redirect, no realm is trusted just because it is asked for.
    is_at_home: bool,
    /// Why the latest challenge was not answered.
    unanswered: Option<SignInFault>,
}

impl Challenges {
    /// For an account in this domain.
    pub(crate) const fn new(sign_in: SignIn, domain: String) -> Self {
        Self { sign_in, domain, sessions: BTreeMap::new(), is_at_home: true, unanswered: None }
    }

    /// Sets the password, for the first time or anew.
    pub(crate) fn set_password(&mut self, password: Password) {
        self.sign_in.password = password;
    }

    /// Handles a response: a 401 or 407 may be answered, and may hold several realms at once or one after the other
    /// (RFC 3261 §22.3, §16.7 step 7). `answered` holds what this request has answered so far, and is updated.
    pub(crate) fn heed(&mut self, response: &Response, answered: &mut Answered) -> Heeded {
        self.unanswered = None;
        if !matches!(response.status(), 401 | 407) {
            self.take_next_nonces(response);
            return Heeded::Refused;
        }
        let method = response.fields().cseq_method();
        let mut is_new = false;
        for asker in [Asker::of_server(method), Asker::Proxy] {
            for challenge in self.answerable(response, asker) {
                if answered.note(asker, &challenge) {
                    is_new = true;
                    self.remember(asker, challenge);
                } else {
                    // Refused: these credentials are not sent again to anybody.
                    self.unanswered = Some(SignInFault::WrongPassword(told(&challenge.realm)));
                    self.sessions.remove(&(asker, challenge.realm));
                }
            }
        }
        if !is_new {
            return Heeded::Refused;
        }
        answered.rounds += 1;
        Heeded::Again
    }

    /// Why the challenge in this response, the latest one, was not answered, if a person can do something about it.
    pub(crate) fn fault_of(&self, response: &Response) -> Option<&SignInFault> {
        self.unanswered.as_ref().filter(|_| matches!(response.status(), 401 | 407))
    }

    /// The reason phrase of a refusal, or what prevents signing in if that is the cause.
    pub(crate) fn reason(&self, response: &Response) -> Phrase {
        match self.fault_of(response) {
            Some(fault) => LocalReason::SignIn(fault.clone()).into(),
            None => response.reason().into(),
        }
    }

    /// Sets whether our requests now go to the account's own server.
    pub(crate) const fn set_at_home(&mut self, is_at_home: bool) {
        self.is_at_home = is_at_home;
    }

    /// The strongest challenge of each realm that may be answered; for the others the reason is kept.
    fn answerable(&mut self, response: &Response, asker: Asker) -> Vec<Challenge> {
        let (fields, name) = (response.fields(), asker.challenge_field());
        let method = fields.cseq_method();
        let mut strongest: BTreeMap<String, Challenge> = BTreeMap::new();
        for challenge in Challenge::all(fields, name) {
            let known = strongest.get(&challenge.realm);
            if known.is_none_or(|known| known.algorithm < challenge.algorithm) {
                strongest.insert(challenge.realm.clone(), challenge);
            }
        }
        for realm in Challenge::realms(fields, name) {
            let why = if !self.may_answer(&realm, method) {
                let ours = &self.sign_in.realm;
                let ours = if ours.is_empty() { &self.domain } else { ours };
                SignInFault::OtherRealm { asked: told(&realm), ours: told(ours) }
            } else if self.sign_in.password.is_empty() {
                SignInFault::NoPassword(told(&realm))
            } else if !strongest.contains_key(&realm) {
                SignInFault::UnknownAlgorithm(told(&realm))
            } else {
                continue;
            };
            strongest.remove(&realm);
            self.unanswered = Some(why);
        }
        strongest.into_values().collect()
    }

    fn remember(&mut self, asker: Asker, challenge: Challenge) {
        let key = (asker, challenge.realm.clone());
        if self.sessions.len() >= REALMS_MAX && !self.sessions.contains_key(&key) {
            self.sessions.pop_first();
        }
        self.sessions.insert(key, Session { challenge, count: 0 });
    }

    /// With a success the server may name the nonce to use next (RFC 7616 §3.5). It does not say for which realm, so it
    /// is used only if there is just one.
    fn take_next_nonces(&mut self, response: &Response) {
        let method = response.fields().cseq_method();
        let fields =
            [(Asker::of_server(method), "Authentication-Info"), (Asker::Proxy, "Proxy-Authentication-Info")];
        for (asker, name) in fields {
            let Some(nonce) = next_nonce(response.fields(), name) else {
                continue;
            };
            let mut of_asker = self.sessions.iter_mut().filter(|((who, _), _)| *who == asker);
            if let (Some((_, session)), None) = (of_asker.next(), of_asker.next()) {
                session.challenge.nonce = nonce;
                session.count = 0;
            }
        }
    }

    /// Adds credentials for the challenges received so far.
    pub(crate) fn authorize(
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
        // Our REGISTER and OPTIONS go only to our own server, unless it redirected us.
        self.is_at_home && matches!(method, Method::Register | Method::Options)
            || realm.eq_ignore_ascii_case(&self.domain)
            || self.sessions.keys().any(|(_, known)| known == realm)
    }
}

/// A realm is foreign text.
fn told(realm: &str) -> String {
    visible(&realm.chars().take(REALM_CHARS_TOLD).collect::<String>())
}
