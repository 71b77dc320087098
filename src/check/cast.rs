//! Who takes part, as machines are started.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::read::{CheckedPerson, CheckedScript};
use super::stage::Unplayable;
use crate::client::AgentConfig;
use crate::injection::Conduct;
use crate::model::account::Account;
use crate::person::Script as PersonScript;
use crate::proxy::journal::AliasRow;
use crate::proxy::{Proxy, ProxyConfig};
use crate::simulation::{Body, Host, Station};
use crate::sip::{Aor, Transport, Uri};
use crate::transaction::Timers;

/// Where the proxy is in virtual time.
pub(super) const PROXY_AT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 250)), 5060);
/// Where the sender is.
pub(super) const SENDER_AT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);

/// How a person is started.
pub(super) fn person_script(person: &CheckedPerson, conduct: Conduct) -> PersonScript {
    PersonScript {
        address: person.address.clone(),
        name: person.name.clone(),
        conduct,
        replies: Vec::new(),
        replies_to: person.address.clone(),
    }
}

/// A person in virtual time.
pub(super) fn person_host(person: &CheckedPerson, conduct: Conduct, number: u8) -> Host {
    let address = SocketAddr::from(([192, 0, 2, number], 5060));
    let setup = (person_script(person, conduct), address, PROXY_AT);
    Host::new(&person.name, address, Body::Person(Box::new(Station::new(setup))))
}

/// The settings of the built-in proxy.
pub(super) fn proxy_config(checked: &CheckedScript, listens: Vec<(Transport, SocketAddr)>) -> ProxyConfig {
    let mut config = ProxyConfig::new(vec![checked.script.domain.clone()], listens);
    config.timers = Timers::new(checked.script.t1.0);
    config.mailbox = Some(Default::default());
    config
}

/// The proxy in virtual time.
pub(super) fn proxy_host(checked: &CheckedScript) -> Result<Host, Unplayable> {
    let listens = [Transport::Udp, Transport::Tcp].map(|transport| (transport, PROXY_AT));
    let station: Station<Proxy> = Station::new(proxy_config(checked, listens.to_vec()));
    let aliases = aliases(checked)?;
    station.disk.store.changes().change(|outside| outside.aliases = aliases);
    Ok(Host::new("proxy", PROXY_AT, Body::Proxy(Box::new(station))))
}

/// The lists as the proxy keeps them.
pub(super) fn aliases(checked: &CheckedScript) -> Result<Vec<AliasRow>, Unplayable> {
    let mut rows = Vec::new();
    for list in &checked.script.lists {
        let address = checked.address(&list.name).unwrap_or_default();
        let alias = Uri::parse(&address).map(|uri| uri.aor());
        let alias: Aor =
            alias.map_err(|error| Unplayable(format!("{address:?} is not an address: {error}")))?;
        let members = list.members.0.iter().filter_map(|name| checked.address(name));
        let members = members.filter_map(|address| Uri::parse(&address).ok()).map(|uri| uri.to_sip());
        rows.push(AliasRow { alias, members: members.collect() });
    }
    Ok(rows)
}

/// The sender's account.
pub(super) fn account(checked: &CheckedScript, proxy: String) -> Account {
    let expires = checked.script.expires.map(|span| u32::try_from(span.0.as_secs()).unwrap_or(u32::MAX));
    Account {
        address: checked.sender(),
        proxy,
        t1_ms: u64::try_from(checked.script.t1.0.as_millis()).unwrap_or(500),
        expires_secs: expires,
        receipts: checked.script.receipts,
        ..Account::default()
    }
}

/// The sender in virtual time.
pub(super) fn sender_host(checked: &CheckedScript) -> Result<Host, Unplayable> {
    let profile = account(checked, format!("udp:{PROXY_AT}")).check();
    let profile = profile.map_err(|error| Unplayable(error.to_string()))?;
    let locals = vec![(Transport::Udp, SENDER_AT), (Transport::Tcp, SENDER_AT)];
    let station = Station::new(AgentConfig { profile, locals });
    Ok(Host::new("sender", SENDER_AT, Body::Agent(Box::new(station))))
}
