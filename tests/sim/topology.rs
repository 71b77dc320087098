//! The members of a world: proxies, clients, scripted people.

use std::time::Duration;

use fanfare::client::AgentConfig;
use fanfare::injection::{Conduct, Injection};
use fanfare::machine::Hop;
use fanfare::model::account::Account;
use fanfare::person::Script;
use fanfare::proxy::{MailboxConfig, ProxyConfig};
use fanfare::sip::{Transport, Uri};

use crate::world::World;
use fanfare::simulation::{Body, HostId, Station};

/// A domain and the proxy that serves it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Realm {
    pub(crate) host: &'static str,
    pub(crate) domain: &'static str,
    pub(crate) proxy: &'static str,
}

/// Where most people live.
pub(crate) const HOME: Realm = Realm { host: "proxy", domain: "domain.com", proxy: "192.0.2.100:5060" };
/// Where the others live.
pub(crate) const ABROAD: Realm =
    Realm { host: "abroad", domain: "biloxi.example", proxy: "192.0.2.101:5060" };

/// A domain that each proxy believes the other serves.
const LOOP: &str = "loop.example";
/// A domain that is known, but has no server.
const DESERT: (&str, &str) = ("desert.example", "192.0.2.200:5060");

/// The proxy of a realm, which trusts the other realm's proxy.
pub(crate) fn proxy(world: &mut World, realm: Realm, mailbox: MailboxConfig) -> HostId {
    let listens = [Transport::Udp, Transport::Tcp].map(|transport| (transport, realm.proxy.parse().unwrap()));
    let mut config = ProxyConfig::new(vec![realm.domain.to_owned()], listens.to_vec());
    config.trust = [HOME, ABROAD]
        .map(|realm| format!("udp:{}", realm.proxy.trim_end_matches(":5060")).parse().unwrap())
        .to_vec();
    config.mailbox = Some(mailbox);
    for (domain, address) in [(realm.domain, realm.proxy), (LOOP, realm.proxy), DESERT] {
        let hop = |transport| Hop { transport, remote: address.parse().unwrap() };
        let hops = world.names.entry(domain.to_owned()).or_default();
        hops.extend([Transport::Udp, Transport::Tcp].map(hop));
    }
    world.add(realm.host, realm.proxy, Body::Proxy(Box::new(Station::new(config))))
}

/// How a client is set up; `over` is `udp` or `tcp`.
fn agent_config(own: &str, address: &str, over: &str, realm: Realm) -> AgentConfig {
    let proxy = format!("{over}:{}", realm.proxy);
    let account = Account { address: own.to_owned(), proxy, ..Account::default() };
    let local = address.parse().unwrap();
    let locals = vec![(Transport::Udp, local), (Transport::Tcp, local)];
    AgentConfig { profile: account.check().unwrap(), locals }
}

/// A client with our user agent, on a host with the name of its user.
pub(crate) fn agent(world: &mut World, name: &str, address: &str, over: &str, realm: Realm) -> HostId {
    let config = agent_config(&format!("im:{name}@{}", realm.domain), address, over, realm);
    world.add(name, address, Body::Agent(Box::new(Station::new(config))))
}

/// One of several devices of a user at home, identified by `+sip.instance`.
pub(crate) fn device(world: &mut World, name: &str, number: u32, address: &str) -> HostId {
    let config = agent_config(&format!("im:{name}@{}", HOME.domain), address, "udp", HOME);
    let id = world.add(&format!("{name}-{number}"), address, Body::Agent(Box::new(Station::new(config))));
    world.host_mut(id).instance = Some(format!("<urn:uuid:00000000-0000-4000-8000-00000000000{number}>"));
    id
}

/// A scripted person at home who always does the same, in the words of a tester's fault.
pub(crate) fn person(world: &mut World, name: &str, address: &str, words: &str) -> HostId {
    let own = |name: &str| Uri::parse(&format!("sip:{name}@{}", HOME.domain)).unwrap();
    let (address_of, replies_to) = (own(name), own("nobody"));
    let script = Script {
        address: address_of,
        name: name.to_owned(),
        conduct: conduct(name, words),
        replies: Vec::new(),
        replies_to,
    };
    let setup = (script, address.parse().unwrap(), HOME.proxy.parse().unwrap());
    world.add(name, address, Body::Person(Box::new(Station::new(setup))))
}

fn conduct(name: &str, words: &str) -> Conduct {
    match format!("{name}:{words}").parse() {
        Ok(Injection::Person { conduct, .. }) => conduct,
        other => panic!("{words}: {other:?}"),
    }
}

/// Long enough for everyone to register in good weather.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);
