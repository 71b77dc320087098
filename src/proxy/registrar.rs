//! The registrar: turns REGISTER into bindings (RFC 3261 §10.3).
//!
//! A client that registers flows is reached over them (RFC 5626). Bindings take effect, and the 200 leaves, once they
//! are on stable storage.

pub(super) mod outbound;
mod path;

use std::collections::BTreeSet;
use std::time::Duration;

use super::core::{Action, Core, Registration, Rejection};
use super::journal::{BindingRow, Write};
use super::location::{Binding, binding_bytes};
use super::routing::router::is_routable;
use crate::limits::{
    AORS_MAX, BINDING_BYTES_MAX, BINDING_EXPIRES_DEFAULT_SECS, BINDING_EXPIRES_MAX_SECS,
    BINDING_EXPIRES_MIN_SECS, BINDINGS_BYTES_MAX, BINDINGS_PER_AOR_MAX, CONTACT_PARAMS_MAX,
    CONTACTS_PER_REGISTER_MAX, FLOW_TIMER_SECS, REGISTERS_WAITING_BYTES_MAX,
};
use crate::machine::Flow;
use crate::sip::{Aor, Compose, Contacts, NameAddr, Request, SECONDARY_TO, Scheme};
use crate::time::Now;
use crate::transaction::ServerKey;

/// The preference of a binding without a q (RFC 3261 §10.2.1.2 leaves it open).
const Q_DEFAULT: u16 = 1000;

/// Handles a REGISTER: asks for the commit of its changes, or refuses it.
pub(super) fn register(
    core: &mut Core,
    key: ServerKey,
    request: &Request,
    flow: Flow,
    now: Now,
) -> Result<(), Rejection> {
    let aor = whose(core, request)?;
    // Counted before they are read, which costs more.
    let contacts = request.fields().tokens("Contact").take(CONTACTS_PER_REGISTER_MAX + 1).count();
    if contacts > CONTACTS_PER_REGISTER_MAX {
        return Err(too_many_bindings());
    }
    let bytes = request.bytes().len();
    if core.registering + bytes > REGISTERS_WAITING_BYTES_MAX {
        return Err(Rejection::busy());
    }
    let writes = match request.fields().contacts()? {
        Contacts::All => remove_all(core, request, &aor, now)?,
        Contacts::List(contacts) => change(core, request, (&aor, flow), &contacts, now)?,
    };
    for write in &writes {
        core.write(write.clone());
    }
    let registration = Registration { key, request: request.clone(), flow, aor, writes };
    if registration.writes.is_empty() {
        answer(core, &registration, now);
    } else {
        core.registering += bytes;
        core.promise(Action::Registered(Box::new(registration)));
    }
    Ok(())
}

/// The changes are on stable storage: applies them and answers the client.
pub(super) fn committed(core: &mut Core, registration: &Registration, now: Now) {
    for write in &registration.writes {
        core.location.apply(write, now);
    }
    answer(core, registration, now);
}

/// Answers 200 with all bindings, the date, and the proof of W6 (RFC 3261 §10.3 step 8).
fn answer(core: &mut Core, registration: &Registration, now: Now) {
    let Registration { key, request, flow, aor, writes } = registration;
    let tag = core.random.token(12);
    let mut message = Compose::response(request, 200, None, &tag, flow.remote);
    for binding in core.location.bindings(aor, now.mono) {
        let row = &binding.row;
        let left = binding.ends.saturating_duration_since(now.mono).as_millis().div_ceil(1000);
        let q =
            if row.q_permille == Q_DEFAULT { String::new() } else { format!(";q=0.{:03}", row.q_permille) };
        message = message.field("Contact", format_args!("<{}>{q};expires={left}", row.contact));
    }
    let is_outbound = writes.iter().any(|write| matches!(write, Write::Bind(row) if row.reg_id.is_some()));
    if is_outbound {
        // RFC 5626 §6, §5.4.
        message = message.field("Require", "outbound");
        if outbound::is_direct(request) {
            message = message.field("Flow-Timer", FLOW_TIMER_SECS);
        }
    }
    for way in path::told(request, writes) {
        message = message.field("Path", way);
    }
    let bytes = message
        .field("Supported", format_args!("{SECONDARY_TO}, outbound, path"))
        .field("Date", core.date(now.wall))
        .finish();
    core.sender.respond(*key, 200, bytes, now.mono);
}

/// Steps 1 and 5: the address-of-record, which must be in a domain that we serve.
fn whose(core: &Core, request: &Request) -> Result<Aor, Rejection> {
    if core.domains.serving(request.uri()).is_none() {
        return Err(Rejection::because(403, "Not A Domain Of This Registrar"));
    }
    let to = request.fields().to().uri;
    core.domains.claimed(&to).filter(|aor| !aor.user().is_empty()).ok_or(Rejection::new(404))
}

/// Step 6 for `Contact: *`.
fn remove_all(core: &Core, request: &Request, aor: &Aor, now: Now) -> Result<Vec<Write>, Rejection> {
    if request.fields().expires()? != Some(0) || request.fields().every("Contact").count() != 1 {
        return Err(Rejection::because(400, "Contact * Needs Expires 0 And No Other Contact"));
    }
    let mut writes = Vec::new();
    for binding in core.location.bindings(aor, now.mono) {
        if in_order(&binding.row, request)? {
            writes.push(Write::Unbind { aor: aor.clone(), contact: binding.row.contact.clone() });
        }
    }
    Ok(writes)
}

/// Steps 6 and 7 for named contacts.
fn change(
    core: &Core,
    request: &Request,
    (aor, flow): (&Aor, Flow),
    contacts: &[NameAddr],
    now: Now,
) -> Result<Vec<Write>, Rejection> {
    contacts.iter().try_for_each(|contact| check_contact(request, contact))?;
    let path = path::of(core, request)?;
    let known: Vec<&Binding> = core.location.bindings(aor, now.mono).collect();
    let named = Named::by(contacts, &known);
    // The contacts that the table will have.
    let mut after: BTreeSet<&str> = known.iter().map(|binding| binding.row.contact.as_str()).collect();
    let mut writes = Vec::new();
    let mut bytes = 0;
    for (place, contact) in contacts.iter().enumerate() {
        let expires = expires_of(request, contact)?;
        let row = binding_row(request, (aor, flow), contact, (expires, now));
        let wanted = BindingRow { path: path.clone(), ..row };
        let (over, is_repeat) = replaced(request, &wanted, expires, (&known, &named, place))?;
        for row in over {
            if after.remove(row.contact.as_str()) {
                writes.push(Write::Unbind { aor: aor.clone(), contact: row.contact.clone() });
            }
        }
        if expires > 0 && !is_repeat {
            let size = binding_bytes(&wanted);
            if size > BINDING_BYTES_MAX {
                return Err(Rejection::because(403, "Binding Too Large"));
            }
            after.insert(contact.uri.as_str());
            bytes += size;
            writes.extend(core.location.devices.seen(&wanted, now.wall));
            writes.push(Write::Bind(wanted));
        }
    }
    check_room(core, after.len())?;
    if core.location.bytes() + bytes > BINDINGS_BYTES_MAX {
        return Err(Rejection::busy());
    }
    Ok(writes)
}

/// The bindings that the contact with this place takes the place of, and whether the request is an old one that comes late.
fn replaced<'a>(
    request: &Request,
    wanted: &BindingRow,
    expires: u32,
    (known, named, place): (&[&'a Binding], &Named, usize),
) -> Result<(Vec<&'a BindingRow>, bool), Rejection> {
    let (mut over, mut is_repeat) = (Vec::new(), false);
    for (old, binding) in known.iter().enumerate() {
        let (is_named, row) = (named.is(place, old), &binding.row);
        let has_moved = is_same_device(row, wanted) && !named.by_any(old);
        if !is_named && !has_moved {
            continue;
        }
        is_repeat |= is_named && !in_order(row, request)?;
        // A refresh in the same spelling replaces the row by itself.
        if !is_repeat && (expires == 0 || row.contact != wanted.contact) {
            over.push(row);
        }
    }
    Ok((over, is_repeat))
}

fn check_contact(request: &Request, contact: &NameAddr) -> Result<(), Rejection> {
    if !is_routable(&contact.uri) || !matches!(contact.uri.scheme(), Scheme::Sip | Scheme::Sips) {
        return Err(Rejection::because(400, "Contact Is No SIP URI"));
    }
    // Contacts are compared with each other by all their parameters.
    if contact.uri.params().nth(CONTACT_PARAMS_MAX).is_some() {
        return Err(Rejection::because(403, "Contact Has Too Many Parameters"));
    }
    if outbound::lacks_outbound(request, contact) { Err(Rejection::new(439)) } else { Ok(()) }
}

/// Which contacts of a REGISTER name which bindings: found out once for each pair.
struct Named {
    /// By contact, the bindings that it names.
    by_contact: Vec<BTreeSet<usize>>,
    /// All of them.
    all: BTreeSet<usize>,
}

impl Named {
    fn by(contacts: &[NameAddr], known: &[&Binding]) -> Self {
        let names = |contact: &NameAddr| {
            let is_same = |(_, binding): &(usize, &&Binding)| binding.row.contact.same_as(&contact.uri);
            known.iter().enumerate().filter(is_same).map(|(place, _)| place).collect()
        };
        let by_contact: Vec<BTreeSet<usize>> = contacts.iter().map(names).collect();
        let all = by_contact.iter().flatten().copied().collect();
        Self { by_contact, all }
    }

    fn is(&self, contact: usize, binding: usize) -> bool {
        self.by_contact.get(contact).is_some_and(|named| named.contains(&binding))
    }

    fn by_any(&self, binding: usize) -> bool {
        self.all.contains(&binding)
    }
}

fn check_room(core: &Core, bindings: usize) -> Result<(), Rejection> {
    if bindings > BINDINGS_PER_AOR_MAX {
        return Err(too_many_bindings());
    }
    if bindings > 0 && core.location.len() >= AORS_MAX {
        return Err(Rejection::busy());
    }
    Ok(())
}

fn too_many_bindings() -> Rejection {
    Rejection::because(403, "Too Many Bindings")
}

fn binding_row(
    request: &Request,
    (aor, flow): (&Aor, Flow),
    contact: &NameAddr,
    (expires, now): (u32, Now),
) -> BindingRow {
    let fields = request.fields();
    BindingRow {
        aor: aor.clone(),
        contact: contact.uri.clone(),
        q_permille: contact.params.get("q").and_then(q_permille).unwrap_or(Q_DEFAULT),
        call_id: fields.call_id().to_owned(),
        cseq: fields.cseq(),
        instance: contact.params.get("+sip.instance").map(str::to_owned),
        expires_at: now.wall.plus(Duration::from_secs(expires.into())),
        flow,
        reach: outbound::reach(request, contact, flow),
        reg_id: outbound::reg_id(request, contact),
        path: Vec::new(),
    }
}

/// Step 7: within one Call-ID, a lower CSeq is out of order; an equal one changes nothing (a REGISTER accepted before a
/// crash, and repeated).
fn in_order(row: &BindingRow, request: &Request) -> Result<bool, Rejection> {
    let fields = request.fields();
    if row.call_id != fields.call_id() || row.cseq < fields.cseq() {
        return Ok(true);
    }
    if row.cseq == fields.cseq() { Ok(false) } else { Err(Rejection::because(400, "CSeq Out Of Order")) }
}

/// True if both are of one device (RFC 5626 instance), on one flow of it. If the old contact is not named, the device has
/// moved, and that contact leads nowhere.
fn is_same_device(row: &BindingRow, wanted: &BindingRow) -> bool {
    row.instance.is_some()
        && row.instance == wanted.instance
        && (row.reg_id == wanted.reg_id || row.reg_id.is_none() || wanted.reg_id.is_none())
}

/// The seconds of an expiry. One that cannot be read counts as the default (RFC 3261 §10.2.1.1), one over the range as
/// the most that there is.
fn seconds(text: &str) -> u32 {
    let text = text.split([' ', '\t', ';', '(']).next().unwrap_or_default();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return BINDING_EXPIRES_DEFAULT_SECS;
    }
    text.parse().unwrap_or(u32::MAX)
}

/// The expiry in seconds of a contact, within our bounds (RFC 3261 §10.3 step 6).
fn expires_of(request: &Request, contact: &NameAddr) -> Result<u32, Rejection> {
    let asked = match contact.params.get("expires") {
        Some(text) => seconds(text),
        None => request.fields().first("Expires").map_or(BINDING_EXPIRES_DEFAULT_SECS, seconds),
    };
    if asked > 0 && asked < BINDING_EXPIRES_MIN_SECS {
        return Err(Rejection::new(423).with("Min-Expires", BINDING_EXPIRES_MIN_SECS));
    }
    Ok(asked.min(BINDING_EXPIRES_MAX_SECS))
}

/// `0.7` as 700 (RFC 3261 §25.1 `qvalue`).
fn q_permille(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{part:0<3}").parse().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}
