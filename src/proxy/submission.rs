//! A MESSAGE read as a submission: who it goes to, what tells its double, what its sender wants to know
//! (W1 to W3, W7 to W9, W12).

use std::collections::BTreeMap;

use super::router::Domains;
use super::secret::Secret;
use crate::sip::{Addressed, Aor, Error, Method, ReportWish, Request, Uri, recipients};

/// A request that wants fan-out, read but not yet judged.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) request: Request,
    /// The From address without what does not tell people apart.
    pub(super) sender: Aor,
    /// Everybody once, in the order of submission, in the spelling that came first.
    pub(super) recipients: Vec<Person>,
    pub(super) wish: ReportWish,
    /// Seconds that it is worth delivering (W8).
    pub(super) expires: Option<u32>,
    /// What tells a double (W12).
    pub(super) key: String,
    /// The number of what may not differ under one key.
    pub(super) content: u128,
}

/// One recipient.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// Its place among all addresses of the submission.
    pub(super) place: u32,
    pub(super) addressed: Addressed,
    /// Where it is routed: `sip:`, or `sips:` where any spelling had that (W3).
    pub(super) route: Uri,
}

/// True for a MESSAGE that asks for more than an ordinary one (W14).
pub(super) fn is_submission(request: &Request) -> bool {
    let fields = request.fields();
    *request.method() == Method::Message
        && (fields.first("Secondary-To").is_some()
            || fields.first("Delivery-Report").is_some()
            || fields.has_token("Proxy-Require", super::core::SECONDARY_TO))
}

impl Submission {
    /// Reads it.
    ///
    /// # Errors
    /// One of the header fields that concern us is broken.
    pub(super) fn read(request: Request, domains: &Domains, secret: Secret) -> Result<Self, Error> {
        let fields = request.fields();
        let (people, mut names) = unite(recipients(fields)?, domains);
        let wish = ReportWish::of(fields)?;
        let expires = fields.expires()?;
        let sender = domains.person(&fields.from().uri);
        let key = key(&request, &sender, &wish);
        names.sort_unstable();
        let content = secret.content(names.iter().map(String::as_str), &request.body());
        Ok(Self { sender, recipients: people, wish, expires, key, content, request })
    }
}

/// What tells the double of a submission, without reading who it goes to (W12).
///
/// # Errors
/// Its wish for a report is broken.
pub(super) fn double_key(request: &Request, domains: &Domains) -> Result<String, Error> {
    let fields = request.fields();
    Ok(key(request, &domains.person(&fields.from().uri), &ReportWish::of(fields)?))
}

fn key(request: &Request, sender: &Aor, wish: &ReportWish) -> String {
    let fields = request.fields();
    match &wish.id {
        Some(id) => format!("{sender} id {id}"),
        None => {
            let tag = fields.from().tag().unwrap_or("-").to_owned();
            format!("{sender} tag {tag} {} {}", fields.call_id(), fields.cseq())
        }
    }
}

/// Everybody once (W3): in a served domain `user@domain` alone decides, elsewhere RFC 3261 §19.1.4 on the `sip:` form.
/// Beside them the name of each by which he is compared.
fn unite(all: Vec<Addressed>, domains: &Domains) -> (Vec<Person>, Vec<String>) {
    let mut people: Vec<Person> = Vec::with_capacity(all.len());
    let mut names = Vec::with_capacity(all.len());
    // By address without parameters, so that only few are compared in full.
    let mut known: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, addressed) in (0..).zip(all) {
        let served = domains.aor(&addressed.uri);
        let route = addressed.uri.to_sip();
        let name = served.as_ref().map_or_else(|| addressed.uri.aor(), Clone::clone).to_string();
        let alike = known.entry(name).or_default();
        let is_same = |index: &usize| {
            served.is_some() || people.get(*index).is_some_and(|other| other.route.same_as(&route))
        };
        match alike.iter().copied().find(is_same) {
            Some(index) => {
                if let Some(person) = people.get_mut(index) {
                    merge(person, addressed.bcc, route);
                }
            }
            None => {
                names.push(served.map_or_else(|| route.to_string(), |aor| aor.to_string()));
                alike.push(people.len());
                people.push(Person { place, addressed, route });
            }
        }
    }
    (people, names)
}

/// The same person once more: hidden if any spelling was bcc, over TLS if any was `sips`.
fn merge(person: &mut Person, bcc: bool, route: Uri) {
    person.addressed.bcc |= bcc;
    if *route.scheme() == crate::sip::Scheme::Sips {
        person.route = route;
    }
}
