//! The domains that a proxy serves. It records them in its store at the start, so that commands can warn about
//! addresses that never reach it.

use std::fmt;

use percent_encoding::percent_decode_str;
use rusqlite::{Connection, OptionalExtension};

use crate::model::text::visible;
use crate::sip::{Aor, Uri};
use crate::store::{ProxySchema, Store};

/// A warning about a change that was made but may be a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The address is in a domain that the proxy does not serve.
    NotServed {
        /// The address.
        address: Aor,
        /// The domains it serves.
        served: Vec<String>,
    },
    /// There is no user or list with this address.
    Nobody(Aor),
    /// Another address differs from it in the case of letters only.
    LooksLike {
        /// The new address.
        address: Aor,
        /// The other one.
        other: Aor,
    },
    /// It contains characters that nobody sees; shown with their codes.
    Hidden(String),
    /// It has a `*`, which stands for nothing but itself.
    Star(Aor),
    /// A list still leads to a user who was removed.
    StillMember {
        /// The list.
        list: Aor,
        /// The removed user.
        user: Aor,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotServed { address, served } => write!(
                f,
                "this proxy does not serve the domain of {address} (it serves {}), so nothing will reach that address",
                served.join(", ")
            ),
            Self::Nobody(address) => {
                write!(
                    f,
                    "{address} is neither a user nor a list of this proxy, so nothing will reach that address"
                )
            }
            Self::LooksLike { address, other } => write!(
                f,
                "{address} and {other} are different addresses, because upper and lower case differ before the @; people \
                 may take one for the other"
            ),
            Self::Hidden(shown) => {
                write!(
                    f,
                    "the address contains characters that nobody can see, shown here by their codes: {shown}"
                )
            }
            Self::Star(address) => {
                write!(f, "the * in {address} stands for no other characters: this is a single address")
            }
            Self::StillMember { list, user } => write!(
                f,
                "{user} is still a member of {list}, as the next owner of the address will be; to remove it, use: fanfare \
                 proxy alias remove {list} {user}"
            ),
        }
    }
}

/// Records the served domains. Only warnings depend on them, so a failing disk does not prevent the start.
pub fn note_served(store: &Store<ProxySchema>, domains: &[String]) {
    let connection = &store.file.connection;
    let wanted = names(domains);
    if served(connection).is_ok_and(|known| known == wanted) {
        return;
    }
    if let Err(error) = replace(connection, &wanted) {
        tracing::debug!(%error, "what is served cannot be noted");
    }
}

/// Records the domains that will be served, if the proxy has never started.
pub(super) fn expect(connection: &Connection, domains: &[String]) -> rusqlite::Result<()> {
    if domains.is_empty() || !served(connection)?.is_empty() {
        return Ok(());
    }
    replace(connection, &names(domains))
}

/// The domains served at the last start, by name; empty before the first.
pub(super) fn served(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT domain FROM served ORDER BY domain")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// The warnings about a new address of ours.
pub(super) fn doubts_about(connection: &Connection, address: &Aor) -> rusqlite::Result<Vec<Doubt>> {
    let served = served(connection)?;
    let is_served = served.is_empty() || served.iter().any(|domain| domain == address.domain());
    let mut doubts = Vec::new();
    if !is_served {
        doubts.push(Doubt::NotServed { address: address.clone(), served });
    }
    if let Some(other) = looks_like(connection, address)? {
        doubts.push(Doubt::LooksLike { address: address.clone(), other });
    }
    let read = percent_decode_str(address.as_str()).decode_utf8_lossy();
    let shown = visible(&read);
    if shown != read {
        doubts.push(Doubt::Hidden(shown));
    }
    if address.user().contains('*') {
        doubts.push(Doubt::Star(address.clone()));
    }
    Ok(doubts)
}

/// A user or list whose address differs only in the case of its letters (RFC 3261 §19.1.4: the user part keeps its case).
fn looks_like(connection: &Connection, address: &Aor) -> rusqlite::Result<Option<Aor>> {
    let sql = "SELECT aor FROM user WHERE lower(aor) = lower(?1) AND aor <> ?1
               UNION SELECT alias FROM alias WHERE lower(alias) = lower(?1) AND alias <> ?1
               ORDER BY 1 LIMIT 1";
    let other: Option<String> = connection.query_row(sql, [address.as_str()], |row| row.get(0)).optional()?;
    Ok(other.as_deref().and_then(Aor::parse))
}

/// The warning about a new list member, if any. Without any users the proxy does not authenticate anybody, so every
/// address is accepted.
pub(super) fn doubt_about_member(connection: &Connection, member: &Uri) -> rusqlite::Result<Option<Doubt>> {
    let aor = member.aor();
    let sql = "SELECT EXISTS (SELECT 1 FROM user)
               AND EXISTS (SELECT 1 FROM served WHERE domain = ?2)
               AND NOT EXISTS (SELECT 1 FROM user WHERE aor = ?1)
               AND NOT EXISTS (SELECT 1 FROM alias WHERE alias = ?1)";
    let is_nobody: bool = connection.query_row(sql, [aor.as_str(), aor.domain()], |row| row.get(0))?;
    Ok(is_nobody.then_some(Doubt::Nobody(aor)))
}

fn replace(connection: &Connection, domains: &[String]) -> rusqlite::Result<()> {
    let change = connection.unchecked_transaction()?;
    change.execute("DELETE FROM served", [])?;
    for domain in domains {
        change.execute("INSERT INTO served (domain) VALUES (?1)", [domain])?;
    }
    change.commit()
}

/// Domain names without ports, as in addresses.
fn names(domains: &[String]) -> Vec<String> {
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let name = |domain: &String| match domain.rsplit_once(':') {
        Some((host, port)) if is_port(port) && !host.ends_with(':') => host.to_ascii_lowercase(),
        Some(_) | None => domain.to_ascii_lowercase(),
    };
    let mut names: Vec<String> = domains.iter().map(name).collect();
    names.sort_unstable();
    names.dedup();
    names
}
