//! Where a 3xx sends a request: the addresses in its Contacts, best first (RFC 3261 §8.1.3.4, §20.10).
//!
//! **Invariant:** a request is redirected a bounded number of times and to each target once, and what had to go under
//! TLS goes nowhere without it.

use std::collections::VecDeque;

use crate::limits::{CONTACTS_READ_MAX, Nearness, REDIRECT_STEPS_MAX, REDIRECT_TARGETS_MAX};
use crate::sip::{NameAddr, Response, Transport, Uri};

/// The protection that a redirect must preserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// It may go anywhere.
    Nothing,
    /// TLS to the next hop, which the account uses to its server.
    Tls,
    /// TLS all the way, as the address is a `sips:` one (W32).
    Sips,
}

impl Keep {
    /// For a request to `uri` that left with or without TLS.
    pub(crate) fn of(uri: &Uri, is_secure: bool) -> Self {
        match (uri.is_sips(), is_secure) {
            (true, _) => Self::Sips,
            (false, true) => Self::Tls,
            (false, false) => Self::Nothing,
        }
    }

    fn admits(self, target: &Uri) -> bool {
        let is_secure = target.is_sips() || target.transport() == Some(Transport::Tls);
        match self {
            Self::Nothing => true,
            Self::Tls => is_secure,
            Self::Sips => target.is_sips(),
        }
    }
}

/// One target of a redirect.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Its address.
    pub(crate) uri: Uri,
    /// It is a proxy to pass through, and the Request-URI stays the same (305).
    pub(crate) is_proxy: bool,
    /// How near the server is that named it: it may be no nearer.
    pub(crate) named_from: Nearness,
}

/// The targets to which one request was redirected.
#[derive(Debug, Default)]
pub(crate) struct Redirects {
    waiting: VecDeque<Target>,
    /// Those already tried, including the original one.
    tried: Vec<Uri>,
    steps: u8,
}

impl Redirects {
    /// For a request first sent to `uri`.
    pub(crate) fn of(uri: Uri) -> Self {
        Self { tried: vec![uri], ..Self::default() }
    }

    /// Adds the targets of a 3xx from a server that is so near; one that is not known counts as a 300 (RFC 3261 §8.1.3.2).
    /// A 380 names another service in its body, not another address (§21.3.5), so it is ignored.
    pub(crate) fn take(&mut self, response: &Response, keep: Keep, named_from: Nearness) {
        let is_proxy = response.status() == 305;
        if !matches!(response.status(), 300..=379 | 381..=399) || self.steps >= REDIRECT_STEPS_MAX {
            return;
        }
        self.steps += 1;
        for uri in contacts(response).into_iter().filter(|uri| keep.admits(uri)) {
            let mut known = self.tried.iter().chain(self.waiting.iter().map(|target| &target.uri));
            let is_known = known.any(|known| known.same_as(&uri));
            if !is_known && self.tried.len() + self.waiting.len() < REDIRECT_TARGETS_MAX {
                self.waiting.push_back(Target { uri, is_proxy, named_from });
            }
        }
    }

    /// Whether another target is left.
    pub(crate) fn has_next(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next target, which then counts as tried.
    pub(crate) fn next_target(&mut self) -> Option<Target> {
        let target = self.waiting.pop_front()?;
        self.tried.push(target.uri.clone());
        Some(target)
    }
}

/// The SIP addresses in Contact to which requests can go, highest q first. Others (`tel:`, `mailto:`) are for people.
fn contacts(response: &Response) -> Vec<Uri> {
    let fields = response.fields();
    let read = fields.tokens("Contact").take(CONTACTS_READ_MAX).filter_map(|text| NameAddr::parse(text).ok());
    let mut found: Vec<(u16, Uri)> = read
        .filter(|contact| is_target(&contact.uri))
        .map(|contact| (permille(contact.params.get("q")), contact.uri.to_target()))
        .collect();
    found.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
    found.into_iter().map(|(_, uri)| uri).collect()
}

fn is_target(uri: &Uri) -> bool {
    let is_stream_of_browsers = matches!(uri.transport(), Some(Transport::Ws | Transport::Wss));
    uri.is_sip_or_sips() && !uri.host().is_empty() && uri.port() != Some(0) && !is_stream_of_browsers
}

/// `0.7` as 700; 1000 if it is missing or nonsense.
fn permille(q: Option<&str>) -> u16 {
    let number =
        q.and_then(|q| q.trim().parse::<f32>().ok()).filter(|q| (0.0..=1.0).contains(q)).unwrap_or(1.0);
    // Rounds to a whole number from 0 to 1000.
    (0..=1000).take_while(|step| f32::from(*step) <= number * 1000.0 + 0.5).last().unwrap_or(1000)
}
