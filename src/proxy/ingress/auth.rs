//! Authentication: who somebody is, and whether they may act under the name given (W13, W30; RFC 3261 §22, RFC 8760).
//!
//! The user name is the user part of an address, the realm its domain. A trusted peer has authenticated its users
//! itself (RFC 3325), and is believed.

use crate::machine::Flow;
use crate::proxy::core::{Core, Rejection};
use crate::proxy::event::RefusalKind;
use crate::proxy::guard::login_throttle::GuessKey;
use crate::proxy::guard::nonces::{Freshness, Use};
use crate::proxy::guard::source::{NoncePlace, Source};
use crate::proxy::identity;
use crate::proxy::registrar::outbound::is_direct;
use crate::sip::digest::{Algorithm, Challenge, Credentials, Ha1, Protection};
use crate::sip::{Aor, HeaderCharset, Request, Transport, Uri};
use crate::time::Now;

/// In which role we authenticate (RFC 3261 §22.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// As a registrar: To must be the user's.
    Registrar,
    /// As a proxy: From must be the user's.
    Proxy,
    /// As a proxy for a call: the same, but statelessly a request cannot be told from its retransmission, so one nonce
    /// and count may be used again (W29).
    Caller,
}

/// Checks that a request may act for the user of ours whom it names; if it names none, there is nothing to prove.
///
/// # Errors
/// 401 or 407 if credentials are missing, wrong or stale; 403 if they are another user's, or were wrong too often.
pub(crate) fn check(
    core: &mut Core,
    request: &Request,
    flow: Flow,
    role: Role,
    now: Now,
) -> Result<(), Rejection> {
    let is_own = |proved: &Proved| proved.user == proved.claimed;
    if prove(core, request, flow, role, now)?.is_none_or(|proved| is_own(&proved)) {
        return Ok(());
    }
    Err(another_users(role))
}

/// An authenticated user, and the user of ours whom the request names.
#[derive(Clone, Debug)]
pub(crate) struct Proved {
    pub(crate) user: Aor,
    pub(crate) claimed: Aor,
}

/// The refusal of a name that belongs to another user than the credentials.
pub(crate) fn another_users(role: Role) -> Rejection {
    Rejection::because(
        403,
        match role {
            Role::Registrar => "To Is Another User's",
            Role::Proxy | Role::Caller => "From Is Another User's",
        },
    )
}

/// Authenticates without comparing names as [`check`] does; `None` if there is nothing to prove.
///
/// # Errors
/// 401 or 407 if credentials are missing, wrong or stale; 403 if they were wrong too often.
pub(crate) fn prove(
    core: &mut Core,
    request: &Request,
    flow: Flow,
    role: Role,
    now: Now,
) -> Result<Option<Proved>, Rejection> {
    if !core.users.asks() || core.config.trusts(flow) {
        return Ok(None);
    }
    let fields = request.fields();
    let named = match role {
        Role::Registrar => fields.to().uri,
        Role::Proxy | Role::Caller => fields.from().uri,
    };
    let Some(claimed) = core.domains.claimed(&named) else {
        return Ok(None);
    };
    let Some(credentials) = identity::credentials(core, request, &claimed)? else {
        return Err(challenge(core, (flow, role), &claimed, Freshness::Fresh, now));
    };
    let user = proved_user(core, request, (flow, role), (&credentials, &claimed), now)?;
    Ok(Some(Proved { user, claimed }))
}

/// The user whose credentials these are, if they are valid.
///
/// A password with a nonce that is not ours, too old, or given to another address or port is neither checked nor counted, and
/// the answer does not depend on it. So nobody can try passwords from an address at which they do not receive, and
/// nobody gets an answer about a password that is not counted.
fn proved_user(
    core: &mut Core,
    request: &Request,
    (flow, role): (Flow, Role),
    (credentials, claimed): (&Credentials, &Aor),
    now: Now,
) -> Result<Aor, Rejection> {
    let (source, place) = (Source::of(flow.remote.ip()), NoncePlace::of(flow));
    if core.nonces.look(&credentials.nonce, place, now.mono) == Freshness::Stale {
        return Err(challenge(core, (flow, role), claimed, Freshness::Stale, now));
    }
    let user = identity::user_of(credentials, claimed);
    let is_web = matches!(flow.transport, Transport::Ws | Transport::Wss);
    let guess = GuessKey { user: core.secret.user(&user), source, is_web };
    let used = Use { nonce: &credentials.nonce, place, user: guess.user };
    let wait = core.guesses.wait(guess, now.mono);
    if let Some(wait) = wait.filter(|_| !is_known_here(core, request, (flow, used), &user, now)) {
        let secs = wait.as_millis().div_ceil(1000);
        return Err(Rejection::because(403, "Too Many Wrong Passwords")
            .with("Retry-After", secs)
            .telling(RefusalKind::LockedOut, &user));
    }
    let algorithm = credentials.algorithm.unwrap_or(Algorithm::Md5);
    // For an unknown user we do the same work, so that the time does not reveal which users exist.
    let nobody = Ha1::stored(algorithm, String::new());
    let ha1 = core.users.ha1(&user, algorithm);
    let is_right = credentials.prove(ha1.unwrap_or(&nobody), request.method()) & ha1.is_some();
    if !is_right {
        core.guesses.wrong(guess, now.mono);
        let is_last = wait.is_none() && core.guesses.wait(guess, now.mono).is_some();
        let kind = if is_last { RefusalKind::LockedOut } else { RefusalKind::WrongPassword };
        return Err(challenge(core, (flow, role), claimed, Freshness::Fresh, now).telling(kind, &user));
    }
    if !is_for(&credentials.uri, request.uri()) {
        // RFC 7616 §3.4.6.
        return Err(Rejection::because(400, "Credentials Are For Another Request-URI"));
    }
    let freshness = match role {
        Role::Registrar | Role::Proxy => core.nonces.take(used, credentials.count(), now.mono),
        Role::Caller => Freshness::Fresh,
    };
    match freshness {
        Freshness::Fresh => Ok(user),
        Freshness::Stale => Err(challenge(core, (flow, role), claimed, Freshness::Stale, now)),
    }
}

/// True for a user who must not be locked out by neighbours behind the same NAT: one who has authenticated with this
/// nonce before, or whose binding has this very flow, without a proxy in between that others use too.
fn is_known_here(
    core: &Core,
    request: &Request,
    (flow, used): (Flow, Use<'_>),
    user: &Aor,
    now: Now,
) -> bool {
    let is_here = || core.location.bindings(user, now.mono).any(|binding| binding.row.flow == flow);
    core.nonces.has_proved(used, now.mono) || (is_direct(request) && is_here())
}

fn is_for(written: &str, uri: &Uri) -> bool {
    written == uri.as_str() || Uri::parse(written).is_ok_and(|written| written.same_as(uri))
}

/// Makes a challenge; it tells a stale nonce from a wrong password.
fn challenge(
    core: &mut Core,
    (flow, role): (Flow, Role),
    claimed: &Aor,
    nonce: Freshness,
    now: Now,
) -> Rejection {
    let (status, name) = match role {
        Role::Registrar => (401, "WWW-Authenticate"),
        Role::Proxy | Role::Caller => (407, "Proxy-Authenticate"),
    };
    let mut challenge = Challenge {
        realm: claimed.domain().to_owned(),
        nonce: core.nonces.issue(&mut core.random, NoncePlace::of(flow), now.mono),
        opaque: None,
        algorithm: Algorithm::Sha256,
        algorithm_name: None,
        protection: Protection::Auth,
        stale: nonce == Freshness::Stale,
        charset: HeaderCharset::Utf8,
    };
    let mut rejection = Rejection::new(status);
    for algorithm in core.users.offered() {
        challenge.algorithm = *algorithm;
        rejection = rejection.with(name, &challenge);
    }
    rejection
}
