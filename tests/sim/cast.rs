//! Who is in a world: a proxy, clients, scripted people.

use std::time::Duration;

use fanfare::client::AgentConfig;
use fanfare::client::account::Account;
use fanfare::person::{Answer, Script};
use fanfare::proxy::ProxyConfig;
use fanfare::sip::{Transport, Uri};

use crate::host::{Body, HostId, Station};
use crate::world::World;

/// Where the proxy listens.
pub(crate) const PROXY: &str = "192.0.2.100:5060";

/// A proxy of domain.com.
pub(crate) fn proxy(world: &mut World) -> HostId {
    let listens = [Transport::Udp, Transport::Tcp].map(|transport| (transport, PROXY.parse().unwrap()));
    let config = ProxyConfig::new(vec!["domain.com".to_owned()], listens.to_vec());
    world.add("proxy", PROXY, Body::Proxy(Box::new(Station::new(config))))
}

/// How a client is set up.
pub(crate) fn agent_config(own: &str, address: &str, proxy: &str) -> AgentConfig {
    let account = Account { address: own.to_owned(), proxy: proxy.to_owned(), ..Account::default() };
    let local = address.parse().unwrap();
    let locals = vec![(Transport::Udp, local), (Transport::Tcp, local)];
    AgentConfig { profile: account.check().unwrap(), locals }
}

/// A client with our user agent; `over` is `udp` or `tcp`.
pub(crate) fn agent(world: &mut World, name: &str, address: &str, over: &str) -> HostId {
    let config = agent_config(&format!("im:{name}@domain.com"), address, &format!("{over}:{PROXY}"));
    world.add(name, address, Body::Agent(Box::new(Station::new(config))))
}

/// Somebody who does always the same.
pub(crate) fn person(world: &mut World, name: &str, address: &str, answer: Answer) -> HostId {
    let own = |name: &str| Uri::parse(&format!("sip:{name}@domain.com")).unwrap();
    let (address_of, replies_to) = (own(name), own("nobody"));
    let script =
        Script { address: address_of, name: name.to_owned(), answer, replies: Vec::new(), replies_to };
    let setup = (script, address.parse().unwrap(), PROXY.parse().unwrap());
    world.add(name, address, Body::Person(Box::new(Station::new(setup))))
}

/// Long enough for everybody to be registered in good weather.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);
