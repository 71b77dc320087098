//! Answers to challenges: digest credentials (RFC 3261 §22.2, §22.3; RFC 8760 §2.4; W30).
//!
//! A nonce is kept and reused with increasing counts until the server gives another one, so that most requests are not
//! challenged at all.
//!
//! **Invariant:** whoever receives credentials can use them to test guesses of the password. So our server gets them only
//! in realms that the account names, that it used when we registered, or that are our own domain. The answer to a
//! request that our server passes on may be the recipient's: it gets them only in a realm that the account names or that
//! our server used before, never with a weaker algorithm than there, and its nonce goes into no request to anybody else.

mod realms;

mod recipients;

use std::collections::BTreeMap;

use self::realms::{Realms, strongest};
use self::recipients::RecipientSessions;
use crate::limits::{
    CHALLENGE_BYTES_MAX, CHALLENGES_ANSWERED_MAX, REALM_CHARS_TOLD, REALMS_MAX, REALMS_PER_REQUEST_MAX,
};
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

/// Who can have written the answer to a request of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answerer<'a> {
    /// Our server alone: it does not pass on REGISTER, OPTIONS and what it sends to several people itself.
    Server,
    /// Also the person with this address, or whoever answers there: our server passes the request on.
    Recipient(&'a Uri),
}

/// A challenge, and how many requests were sent under its nonce.
#[derive(Debug)]
struct Session {
    challenge: Challenge,
    count: u32,
}

impl Session {
    const fn new(challenge: Challenge) -> Self {
        Self { challenge, count: 0 }
    }

    fn go_on_under(&mut self, nonce: String) {
        self.challenge.nonce = nonce;
        self.count = 0;
    }
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
    /// Opened by our server.
    sessions: BTreeMap<(Asker, String), Session>,
    /// Opened by the answers to requests that our server passed on.
    of_recipients: RecipientSessions,
    realms: Realms,
    /// Whether our requests go to the server that the account names, or to one in its domain. Elsewhere, after a
    /// redirect, no realm is trusted just because it is asked for.
    is_at_home: bool,
    /// Why the latest challenge was not answered.
    unanswered: Option<SignInFault>,
}

impl Challenges {
    /// For an account in this domain.
    pub(crate) fn new(sign_in: SignIn, domain: String) -> Self {
        Self {
            sign_in,
            domain,
            sessions: BTreeMap::new(),
            of_recipients: RecipientSessions::default(),
            realms: Realms::default(),
            is_at_home: true,
            unanswered: None,
        }
    }

    /// Sets the password, for the first time or anew.
    pub(crate) fn set_password(&mut self, password: Password) {
        self.sign_in.password = password;
    }

    /// Handles a response: a 401 or 407 may be answered, and may hold several realms at once or one after the other
    /// (RFC 3261 §22.3, §16.7 step 7). `answered` holds what this request has answered so far, and is updated.
    pub(crate) fn heed(
        &mut self,
        response: &Response,
        answerer: Answerer<'_>,
        answered: &mut Answered,
    ) -> Heeded {
        self.unanswered = None;
        if !matches!(response.status(), 401 | 407) {
            self.take_next_nonces(response, answerer);
            return Heeded::Refused;
        }
        let method = response.fields().cseq_method();
        let mut is_new = false;
        for asker in [Asker::of_server(method), Asker::Proxy] {
            for challenge in self.answerable(response, asker, answerer) {
                if answered.note(asker, &challenge) {
                    is_new = true;
                    self.remember(asker, challenge, answerer);
                } else {
                    self.refused(asker, &challenge.realm, answerer);
                }
            }
        }
        if !is_new {
            if let Answerer::Recipient(uri) = answerer {
                self.of_recipients.forget(uri, |_| true);
            }
            return Heeded::Refused;
        }
        answered.rounds += 1;
        Heeded::Again
    }

    /// The credentials in this realm are refused: they are not sent again to anybody.
    fn refused(&mut self, asker: Asker, realm: &str, answerer: Answerer<'_>) {
        self.unanswered = Some(SignInFault::WrongPassword(told(realm)));
        match answerer {
            Answerer::Server => drop(self.sessions.remove(&(asker, realm.to_owned()))),
            Answerer::Recipient(uri) => self.of_recipients.forget(uri, |it| it == realm),
        }
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
    fn answerable(&mut self, response: &Response, asker: Asker, answerer: Answerer<'_>) -> Vec<Challenge> {
        let (fields, name) = (response.fields(), asker.challenge_field());
        let method = fields.cseq_method();
        let mut strongest = strongest(response, asker);
        for realm in Challenge::realms(fields, name) {
            let why = if let Some(fault) = self.fault_in(&realm, method, answerer) {
                fault
            } else if self.sign_in.password.is_empty() {
                SignInFault::NoPassword(told(&realm))
            } else {
                match strongest.get(&realm).map(|challenge| self.is_weak(challenge, answerer)) {
                    None => SignInFault::UnknownAlgorithm(told(&realm)),
                    Some(true) => SignInFault::WeakerProof(told(&realm)),
                    Some(false) => continue,
                }
            };
            strongest.remove(&realm);
            self.unanswered = Some(why);
        }
        strongest.into_values().collect()
    }

    fn remember(&mut self, asker: Asker, challenge: Challenge, answerer: Answerer<'_>) {
        if let Answerer::Recipient(uri) = answerer {
            return self.of_recipients.open(uri, asker, challenge);
        }
        self.realms.note(&challenge);
        let key = (asker, challenge.realm.clone());
        if self.sessions.len() >= REALMS_MAX && !self.sessions.contains_key(&key) {
            self.sessions.pop_first();
        }
        self.sessions.insert(key, Session::new(challenge));
    }

    /// Whether a password is set and nothing is known yet of where it may be used.
    pub(crate) fn lacks_realm(&self) -> bool {
        let is_open = self.sign_in.realm.is_empty() && self.realms.is_empty();
        is_open && self.is_at_home && !self.sign_in.password.is_empty()
    }

    /// Learns from an answer of our server in which realms it asks for the password, without answering.
    pub(crate) fn learn_realms(&mut self, response: &Response) {
        if self.is_at_home && matches!(response.status(), 401 | 407) {
            let challenges = [Asker::Registrar, Asker::Proxy].map(|asker| strongest(response, asker));
            challenges.iter().flat_map(BTreeMap::values).for_each(|challenge| self.realms.note(challenge));
        }
    }

    /// With a success the server may name the nonce to use next (RFC 7616 §3.5). It does not say for which realm, so it
    /// is used only if there is just one.
    fn take_next_nonces(&mut self, response: &Response, answerer: Answerer<'_>) {
        if let Answerer::Recipient(uri) = answerer {
            // A nonce that a recipient may have made up is kept only while it works.
            if !(200..300).contains(&response.status()) {
                self.of_recipients.forget(uri, |_| true);
            }
            return;
        }
        let method = response.fields().cseq_method();
        let fields =
            [(Asker::of_server(method), "Authentication-Info"), (Asker::Proxy, "Proxy-Authentication-Info")];
        for (asker, name) in fields {
            let Some(nonce) = next_nonce(response.fields(), name) else {
                continue;
            };
            let mut of_asker = self.sessions.iter_mut().filter(|((who, _), _)| *who == asker);
            if let (Some((_, session)), None) = (of_asker.next(), of_asker.next()) {
                session.go_on_under(nonce);
            }
        }
    }

    /// Adds credentials for the challenges received so far from those who can answer this request. What a recipient asked
    /// for takes the place of what our server asked for in the same realm and field.
    pub(crate) fn authorize(
        &mut self,
        mut begun: Compose,
        (method, uri): (&Method, &Uri),
        answerer: Answerer<'_>,
        random: &mut Random,
    ) -> Compose {
        let SignIn { username, password, .. } = &self.sign_in;
        let of_recipient = match answerer {
            Answerer::Server => Vec::new(),
            Answerer::Recipient(uri) => self.of_recipients.of(uri),
        };
        let is_replaced = |asker: Asker, realm: &str| {
            of_recipient.iter().any(|(who, it)| *who == asker && it.challenge.realm == realm)
        };
        let of_server = self.sessions.iter_mut().map(|((asker, _), session)| (*asker, session));
        let mut sessions: Vec<_> = of_server
            .filter(|(asker, it)| asker.hears(method) && !is_replaced(*asker, &it.challenge.realm))
            .collect();
        sessions.extend(of_recipient);
        for (asker, session) in sessions {
            session.count = session.count.saturating_add(1);
            let answer = session.challenge.answer(
                (username, password.as_str()),
                (method, uri.as_str()),
                (session.count, &random.token(16)),
            );
            begun = begun.raw_field(asker.answer_field(), &answer);
        }
        begun
    }

    /// Why the password may not be used in this realm, whatever the challenge is; none if it may.
    fn fault_in(&self, realm: &str, method: &Method, answerer: Answerer<'_>) -> Option<SignInFault> {
        let named = &self.sign_in.realm;
        let other = |ours: &str| Some(SignInFault::OtherRealm { asked: told(realm), ours: told(ours) });
        if !named.is_empty() {
            return if named == realm { None } else { other(named) };
        }
        if self.realms.knows(realm) {
            return None;
        }
        match answerer {
            // Nothing shows that it is our server that asks.
            Answerer::Recipient(_) => Some(SignInFault::NotOurServer(told(realm))),
            // Our REGISTER and OPTIONS go only to our own server, unless it redirected us.
            Answerer::Server if self.is_at_home && matches!(method, Method::Register | Method::Options) => {
                None
            }
            Answerer::Server if realm.eq_ignore_ascii_case(&self.domain) => None,
            Answerer::Server => other(&self.domain),
        }
    }

    /// Whether a recipient, for all we know, asks for a proof that is easier to test guesses with than what our server
    /// asked for; or for more bytes than a challenge needs.
    fn is_weak(&self, challenge: &Challenge, answerer: Answerer<'_>) -> bool {
        let Answerer::Recipient(_) = answerer else {
            return false;
        };
        let bytes = challenge.nonce.len() + challenge.opaque.as_ref().map_or(0, String::len);
        bytes > CHALLENGE_BYTES_MAX || self.realms.is_weaker(challenge)
    }
}

/// A realm is foreign text.
fn told(realm: &str) -> String {
    visible(&realm.chars().take(REALM_CHARS_TOLD).collect::<String>())
}
