//! Reads a MESSAGE as a submission: its recipients, the key that tells a repetition, what report its sender wants
//! (W1 to W3, W7 to W9, W12).

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::{MEMBERS_PER_MESSAGE_MAX, SPELLINGS_COMPARED_MAX};
use crate::proxy::core::Rejection;
use crate::proxy::journal::{ListRow, expand};
use crate::proxy::routing::aliases::{Aliases, ExpandFault};
use crate::proxy::routing::domains::Domains;
use crate::proxy::secret::Secret;
use crate::sip::{
    Addressed, Aor, Error, Method, RECIPIENT_LIST, ReportMode, ReportOptions, Request, SECONDARY_TO, Uri,
    recipients,
};

/// The marks of the lists that a message has been through.
pub(crate) const LIST_TRAIL: &str = "List-Trail";

/// A request that wants fan-out, read but not yet judged.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) request: Request,
    /// What was received, if that had another form (W26): this is what is answered.
    received: Option<Request>,
    /// The From address, without what does not distinguish people.
    pub(crate) sender: Aor,
    /// Everybody once, lists resolved, in the order of the submission, in the first spelling.
    pub(crate) recipients: Vec<Addressee>,
    /// Each address of the submission once: these are the lines of the report (W20).
    pub(crate) lines: Vec<AddressEntry>,
    /// Whom the lists among them stand for (W16).
    pub(crate) lists: Vec<ListRow>,
    pub(crate) report: ReportOptions,
    /// For how many seconds it is worth delivering (W8).
    pub(crate) expires: Option<u32>,
    /// The key that a repetition shares (W12).
    pub(crate) key: String,
    /// A hash of what may not differ under one key.
    pub(crate) content: u128,
}

/// One address of a submission.
#[derive(Clone, Debug)]
pub(crate) struct AddressEntry {
    pub(crate) addressed: Addressed,
    pub(crate) stands: Stands,
    /// The recipients that it stands for: one, except for a list.
    pub(crate) places: Vec<u32>,
}

/// Whether an address stands for itself or for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// Somebody's own address.
    ForItself,
    /// An alias or a list.
    ForOthers,
}

impl AddressEntry {
    /// The entry of somebody whom the submission names.
    pub(crate) fn of(person: &Addressee) -> Self {
        Self { addressed: person.addressed.clone(), stands: Stands::ForItself, places: vec![person.place] }
    }
}

/// Where to look up whom a list stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lists<'a> {
    /// The current table.
    Table(&'a Aliases),
    /// What the table said when the submission was accepted.
    Stored(&'a [ListRow]),
}

/// One recipient.
#[derive(Clone, Debug)]
pub(crate) struct Addressee {
    /// Its position among all addresses of the submission; members have the position of their list.
    pub(crate) place: u32,
    pub(crate) addressed: Addressed,
    /// Where it is routed: `sip:`, or `sips:` if any spelling had that (W3).
    pub(crate) route: Uri,
}

/// True for a MESSAGE that asks for more than an ordinary one does (W14).
pub(crate) fn is_submission(request: &Request) -> bool {
    let fields = request.fields();
    *request.method() == Method::Message
        && (fields.first("Secondary-To").is_some()
            || fields.first("Delivery-Report").is_some()
            || fields.has_token("Proxy-Require", SECONDARY_TO))
}

/// True for a MESSAGE with its recipients in its body (RFC 5365, W26).
pub(crate) fn has_list(request: &Request) -> bool {
    *request.method() == Method::Message && request.fields().has_token("Require", RECIPIENT_LIST)
}

impl Submission {
    /// Reads a submission.
    ///
    /// # Errors
    /// A header field that concerns us is broken, or a list is too large.
    pub(crate) fn read(
        request: Request,
        domains: &Domains,
        secret: Secret,
        lists: Lists<'_>,
    ) -> Result<Self, Rejection> {
        let all = recipients(request.fields())?;
        Self::to(all, request, domains, secret, lists)
    }

    /// Reads everything except the addresses, which are given.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(crate) fn to(
        all: Vec<Addressed>,
        request: Request,
        domains: &Domains,
        secret: Secret,
        lists: Lists<'_>,
    ) -> Result<Self, Rejection> {
        let fields = request.fields();
        let mut report = ReportOptions::of(fields)?;
        if !is_submission(&request) {
            // An ordinary message to a list: nobody asked for a report (W16).
            report.mode = ReportMode::None;
        }
        // One that cannot be read says nothing of how long the message may wait, and is not worth the message.
        let expires = fields.expires().ok().flatten();
        let sender = domains.person(&fields.from().uri);
        let key = key(&request, &sender, &report);
        let lists = match lists {
            Lists::Table(aliases) if aliases.is_empty() => Vec::new(),
            Lists::Table(aliases) => look_up(aliases, &request, &all, (domains, secret))?,
            Lists::Stored(lists) => lists.to_vec(),
        };
        let Resolved { recipients, lines, mut names } = resolve(all, &lists, domains);
        names.sort_unstable();
        let content = secret.content(names.iter().map(String::as_str), &request.body());
        Ok(Self { sender, recipients, lines, lists, report, expires, key, content, request, received: None })
    }

    /// The same, but rewritten from what was received (W26).
    pub(crate) fn answering(self, received: Request) -> Self {
        Self { received: Some(received), ..self }
    }

    /// The marks of the lists that send it to other domains: two proxies whose lists name each other would send it to and
    /// fro, each time to all members, until Max-Forwards is used up.
    pub(crate) fn trail(&self, domains: &Domains, secret: Secret) -> Vec<String> {
        let leaves = |list: &&ListRow| list.members.iter().any(|member| domains.aor(member).is_none());
        let lists: Vec<_> = self.lists.iter().filter(leaves).collect();
        if lists.is_empty() {
            return Vec::new();
        }
        let all = recipients(self.request.fields()).unwrap_or_default();
        let is_ordinary = !is_submission(&self.request);
        let address = |list: &ListRow| {
            if is_ordinary {
                return Some(self.request.uri());
            }
            all.get(usize::try_from(list.place).ok()?).map(|addressed| &addressed.uri)
        };
        let marks = lists.into_iter().filter_map(|list| domains.aor(address(list)?));
        marks.map(|list| secret.list(&list)).collect()
    }

    /// The request that is answered.
    pub(crate) fn to_answer(&self) -> &Request {
        self.received.as_ref().unwrap_or(&self.request)
    }
}

/// Looks up the lists among the addresses. An ordinary message is for its Request-URI.
///
/// # Errors
/// There are too many members, or the message comes back to a list that has sent it to another domain.
fn look_up(
    aliases: &Aliases,
    request: &Request,
    all: &[Addressed],
    (domains, secret): (&Domains, Secret),
) -> Result<Vec<ListRow>, Rejection> {
    let is_ordinary = !is_submission(request);
    let trail: BTreeSet<&str> = request.fields().tokens(LIST_TRAIL).collect();
    let sender = domains.person(&request.fields().from().uri);
    let mut lists = Vec::new();
    let mut count = 0;
    for (place, addressed) in (0..).zip(all) {
        let uri = if is_ordinary { request.uri() } else { &addressed.uri };
        let Some(mut members) = aliases.members(uri, domains)? else { continue };
        let mark = domains.aor(uri).filter(|_| !trail.is_empty()).map(|list| secret.list(&list));
        if mark.is_some_and(|mark| trail.contains(mark.as_str())) {
            return Err(Rejection::new(482));
        }
        if members.len() > 1 {
            // A sender who is on the list does not get the own message.
            members.retain(|member| domains.person(member) != sender);
        }
        count += members.len();
        if count > MEMBERS_PER_MESSAGE_MAX {
            return Err(ExpandFault::TooLarge.into());
        }
        lists.push(ListRow { place, members });
    }
    Ok(lists)
}

impl From<ExpandFault> for Rejection {
    fn from(fault: ExpandFault) -> Self {
        Self::because(
            403,
            match fault {
                ExpandFault::TooDeep => "Too Many Lists Within Lists",
                ExpandFault::TooLarge => "Too Many Recipients",
            },
        )
    }
}

/// Who gets it, whom each address stands for, and the addresses by their comparison names.
struct Resolved {
    recipients: Vec<Addressee>,
    lines: Vec<AddressEntry>,
    names: Vec<String>,
}

fn resolve(all: Vec<Addressed>, lists: &[ListRow], domains: &Domains) -> Resolved {
    if lists.is_empty() {
        let United { people, names, .. } = unite((0..).zip(all), domains);
        let lines = people.iter().map(AddressEntry::of).collect();
        return Resolved { recipients: people, lines, names };
    }
    let United { people, names, .. } = unite((0..).zip(all.iter().cloned()), domains);
    let (origins, expanded): (Vec<u32>, Vec<Addressed>) = expand(&all, lists).into_iter().unzip();
    let United { people: recipients, owners, .. } = unite((0..).zip(expanded), domains);
    let mut owned: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (origin, owner) in origins.into_iter().zip(owners) {
        owned.entry(origin).or_default().push(owner);
    }
    let lists: BTreeSet<u32> = lists.iter().map(|list| list.place).collect();
    let line = |person: Addressee| {
        let own = owned.get(&person.place).into_iter().flatten();
        let mut known = BTreeSet::new();
        let places = own.filter_map(|owner| recipients.get(*owner)).map(|recipient| recipient.place);
        let places = places.filter(|place| known.insert(*place)).collect();
        let stands = if lists.contains(&person.place) { Stands::ForOthers } else { Stands::ForItself };
        AddressEntry { addressed: person.addressed, stands, places }
    };
    let lines = people.into_iter().map(line).collect();
    Resolved { recipients, lines, names }
}

/// The key that a repetition shares, computed without reading the recipients (W12).
///
/// # Errors
/// What it says of a report is malformed.
pub(crate) fn double_key(request: &Request, domains: &Domains) -> Result<String, Error> {
    let fields = request.fields();
    Ok(key(request, &domains.person(&fields.from().uri), &ReportOptions::of(fields)?))
}

fn key(request: &Request, sender: &Aor, report: &ReportOptions) -> String {
    let fields = request.fields();
    match &report.id {
        Some(id) => format!("{sender} id {id}"),
        None => {
            let tag = fields.from().tag().unwrap_or("-").to_owned();
            format!("{sender} tag {tag} {} {}", fields.call_id(), fields.cseq())
        }
    }
}

/// The recipients, each once.
struct United {
    people: Vec<Addressee>,
    /// The comparison name of each of them.
    names: Vec<String>,
    /// The owner of each address.
    owners: Vec<usize>,
}

/// Merges duplicates (W3): in a served domain by `user@domain` alone, elsewhere by RFC 3261 §19.1.4 on the `sip:` form.
fn unite(all: impl Iterator<Item = (u32, Addressed)>, domains: &Domains) -> United {
    let mut people: Vec<Addressee> = Vec::with_capacity(all.size_hint().0);
    let (mut names, mut owners) = (Vec::new(), Vec::new());
    // Grouped by address without parameters, so that only few are compared in full.
    let mut known: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, addressed) in all {
        let served = domains.aor(&addressed.uri);
        let route = addressed.uri.to_sip();
        // An address of ours is compared with nothing from elsewhere.
        let elsewhere = || format!("elsewhere {}", addressed.uri.aor());
        let name = served.as_ref().map_or_else(elsewhere, ToString::to_string);
        let alike = known.entry(name).or_default();
        let is_same = |index: &usize| {
            served.is_some() || people.get(*index).is_some_and(|other| other.route.same_as(&route))
        };
        match alike.iter().copied().take(SPELLINGS_COMPARED_MAX).find(is_same) {
            Some(index) => {
                owners.push(index);
                if let Some(person) = people.get_mut(index) {
                    merge(person, addressed.bcc, route);
                }
            }
            None => {
                names.push(served.map_or_else(|| route.to_string(), |aor| aor.to_string()));
                owners.push(people.len());
                alike.push(people.len());
                people.push(Addressee { place, addressed, route });
            }
        }
    }
    United { people, names, owners }
}

/// Merges the same person named again: hidden if any spelling was bcc, over TLS if any was `sips`.
fn merge(person: &mut Addressee, bcc: bool, route: Uri) {
    person.addressed.bcc |= bcc;
    if *route.scheme() == crate::sip::Scheme::Sips {
        person.route = route;
    }
}
