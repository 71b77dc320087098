//! W19: NAPTR, SRV and address records from a real DNS server (dnsmasq) on loopback.

mod bounds;
mod fallback;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::limits::{
    LOOKUP_HOPS_MAX, LOOKUP_PLACES_MAX, LOOKUPS_PER_PAYER_MAX, LOOKUPS_WAITING_MAX, LOOKUPS_WAITING_PART,
    LOOKUPS_WITHIN_ZONE_MAX,
};
use crate::machine::LookupPayer;

/// A name server with given records.
struct Dns {
    server: Child,
    address: SocketAddr,
}

impl Dns {
    fn with(records: &[&str]) -> Self {
        let address = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let server = Command::new("/usr/sbin/dnsmasq")
            .args(["--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces"])
            .args(["--listen-address=127.0.0.1", "--local=/example/", "--pid-file=", "--user=", "--group="])
            .arg(format!("--port={}", address.port()))
            .args(records)
            .stderr(Stdio::piped())
            .spawn()
            .expect("dnsmasq is there");
        let mut dns = Self { server, address };
        let lines = BufReader::new(dns.server.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        for line in lines.map_while(Result::ok) {
            if line.contains("started") {
                return dns;
            }
            said.push(line);
        }
        panic!("dnsmasq does not start: {said:?}");
    }

    async fn hops(&self, uri: &str) -> Vec<String> {
        let settings = NetSettings { dns: Some(self.address), ..NetSettings::default() };
        let mut net = Net::open(&[], &settings).await.unwrap();
        let known = net.resolve(ResolveId(1), &Uri::parse(uri).unwrap(), LookupTerms::default());
        let event = match known {
            Some(event) => Some(event),
            None => net.receive().await,
        };
        let Some(NetEvent::Resolved { hops, .. }) = event else { panic!("{event:?}") };
        hops.iter().map(|hop| format!("{} {}", hop.transport, hop.remote)).collect()
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        // Both fail if it has already exited, which is fine.
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

const HOSTS: [&str; 4] = [
    "--host-record=one.example,127.0.0.11",
    "--host-record=two.example,127.0.0.12",
    "--host-record=six.example,127.0.0.16,::1",
    "--host-record=plain.example,127.0.0.20",
];

#[test]
fn w19_naptr_says_which_transports_and_in_which_order() {
    run(async {
        let dns = Dns::with(
            &[
                &HOSTS[..],
                &[
                    "--naptr-record=a.example,20,10,s,SIP+D2U,,_sip._udp.a.example",
                    "--naptr-record=a.example,10,20,s,SIP+D2T,,_sip._tcp.a.example",
                    "--naptr-record=a.example,10,10,s,SIPS+D2T,,_tls.elsewhere.example",
                    "--naptr-record=a.example,5,10,s,E2U+sip,,_nothing.a.example",
                    "--srv-host=_tls.elsewhere.example,one.example,5071,10,0",
                    "--srv-host=_sip._tcp.a.example,two.example,5072,10,0",
                    "--srv-host=_sip._udp.a.example,one.example,5073,10,0",
                ],
            ]
            .concat(),
        );
        let all = ["TLS 127.0.0.11:5071", "TCP 127.0.0.12:5072", "UDP 127.0.0.11:5073"];
        assert_eq!(dns.hops("sip:a.example").await, all);
        assert_eq!(dns.hops("im:ann@a.example").await, all);
        // W32.
        assert_eq!(dns.hops("sips:a.example").await, ["TLS 127.0.0.11:5071"]);
        // A transport in the URI decides, and so does a port (RFC 3263 §4.1, §4.2).
        assert_eq!(dns.hops("sip:a.example;transport=tcp").await, ["TCP 127.0.0.12:5072"]);
        assert_eq!(dns.hops("sip:one.example:5099;transport=tls").await, ["TLS 127.0.0.11:5099"]);
    });
}

#[test]
fn w19_srv_without_naptr_gives_the_servers_by_priority() {
    run(async {
        let dns = Dns::with(
            &[
                &HOSTS[..],
                &[
                    "--srv-host=_sip._udp.b.example,two.example,5082,20,0",
                    "--srv-host=_sip._udp.b.example,one.example,5081,10,0",
                    "--srv-host=_sips._tcp.b.example,one.example,5061,10,0",
                    "--srv-host=_sip._tcp.b.example,.,0,0,0",
                ],
            ]
            .concat(),
        );
        let all = ["TLS 127.0.0.11:5061", "UDP 127.0.0.11:5081", "UDP 127.0.0.12:5082"];
        assert_eq!(dns.hops("sip:b.example").await, all);
        assert_eq!(dns.hops("sip:b.example;transport=udp").await, all[1..]);
        assert_eq!(dns.hops("sips:b.example").await, all[..1]);
    });
}

#[test]
fn w19_without_either_the_addresses_of_the_name_count() {
    run(async {
        let dns = Dns::with(&HOSTS);
        assert_eq!(dns.hops("sip:plain.example").await, ["UDP 127.0.0.20:5060"]);
        assert_eq!(dns.hops("sips:plain.example").await, ["TLS 127.0.0.20:5061"]);
        assert_eq!(dns.hops("sip:six.example").await, ["UDP 127.0.0.16:5060", "UDP [::1]:5060"]);
        assert!(dns.hops("sip:nobody.example").await.is_empty());
        assert!(dns.hops("sip:ann@browser.invalid;transport=ws").await.is_empty());
    });
}

#[test]
fn w19_a_name_server_that_is_not_there_is_no_route() {
    run(async {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        drop(socket);
        let settings = NetSettings { dns: Some(address), ..NetSettings::default() };
        let mut net = Net::open(&[], &settings).await.unwrap();
        assert!(
            net.resolve(ResolveId(1), &Uri::parse("sip:plain.example").unwrap(), LookupTerms::default())
                .is_none()
        );
        let Some(NetEvent::ResolveFailed { why, .. }) = net.receive().await else { panic!("failed") };
        assert!(
            why.starts_with("DNS did not answer: NAPTR of plain.example, SRV of _sips._tcp.plain.example, "),
            "{why}"
        );
        assert!(why.contains(", A of plain.example") && why.contains(", AAAA of plain.example"), "{why}");
    });
}

/// A name server with the faults of some real ones: answers written byte by byte (RFC 1035 §4).
struct Odd {
    records: Vec<(&'static str, u16, Vec<u8>)>,
    /// Queries of these types get no answer at all.
    drops: &'static [u16],
    /// Queries of this type get this code.
    refuses: Option<(u16, u8)>,
    /// Every query gets this code.
    fails: Option<u8>,
    /// It supports EDNS.
    edns: bool,
    /// Queries of names that end so get no answer at all.
    silent: Option<&'static str>,
    /// Over UDP it claims that the answer is truncated (TC).
    truncates: bool,
    /// With an alias it also sends what `behind.example` has, as a recursive name server does.
    follows: bool,
}

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
const SRV: u16 = 33;
const NAPTR: u16 = 35;

/// The queries received: name, type, and whether over TCP.
type Asked = Arc<std::sync::Mutex<Vec<(String, u16, bool)>>>;

impl Odd {
    /// `_sip._udp.odd.example` leads to port 5070 of `a.odd.example`, which is 127.0.0.5.
    fn usual() -> Self {
        let records = vec![
            ("_sip._udp.odd.example", SRV, srv(1, 5070, "a.odd.example")),
            ("a.odd.example", A, vec![127, 0, 0, 5]),
        ];
        Self {
            records,
            drops: &[],
            refuses: None,
            fails: None,
            edns: true,
            silent: None,
            truncates: false,
            follows: false,
        }
    }

    /// Runs until the program ends; returns its address and the queries it receives.
    fn start(self) -> (SocketAddr, Asked) {
        let (udp, tcp) = loop {
            let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            if let Ok(udp) = std::net::UdpSocket::bind(tcp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let (address, asked) = (udp.local_addr().unwrap(), Asked::default());
        let odd = Arc::new(self);
        let (same, noted) = (Arc::clone(&odd), Arc::clone(&asked));
        named(move || {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = udp.recv_from(&mut buffer) {
                if let Some(answer) = odd.answer(&buffer[..length], false, &noted) {
                    udp.send_to(&answer, from).unwrap();
                }
            }
        });
        let noted = Arc::clone(&asked);
        named(move || {
            for stream in tcp.incoming().map_while(Result::ok) {
                same.serve(stream, &noted);
            }
        });
        (address, asked)
    }

    /// Answers over one connection until it closes.
    fn serve(&self, mut stream: std::net::TcpStream, asked: &Asked) {
        let mut length = [0; 2];
        while stream.read_exact(&mut length).is_ok() {
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut question).unwrap();
            let Some(answer) = self.answer(&question, true, asked) else { continue };
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            stream.write_all(&[&length[..], &answer].concat()).unwrap();
        }
    }

    fn answer(&self, message: &[u8], over_tcp: bool, asked: &Asked) -> Option<Vec<u8>> {
        let (mut at, mut asked_for) = (12, Vec::new());
        while message[at] != 0 {
            let end = at + 1 + usize::from(message[at]);
            asked_for.push(String::from_utf8_lossy(&message[at + 1..end]).to_lowercase());
            at = end;
        }
        let (name, kind) = (asked_for.join("."), u16::from_be_bytes([message[at + 1], message[at + 2]]));
        let question = &message[12..at + 5];
        asked.lock().unwrap().push((name.clone(), kind, over_tcp));
        if self.drops.contains(&kind) || self.silent.is_some_and(|end| name.ends_with(end)) {
            return None;
        }
        let reply = |flags: u16, answers: &[u8], count: usize| {
            let counts = [1, u16::try_from(count).unwrap(), 0, 0].map(u16::to_be_bytes).concat();
            Some([&message[..2], &flags.to_be_bytes(), &counts, question, answers].concat())
        };
        let has_edns = u16::from_be_bytes([message[10], message[11]]) > 0;
        if has_edns && !self.edns {
            return reply(0x8181, &[], 0);
        }
        let refused = self.refuses.filter(|(refused, _)| *refused == kind).map(|(_, code)| code);
        if let Some(code) = self.fails.or(refused) {
            return reply(0x8180 | u16::from(code), &[], 0);
        }
        let of_name = |name: &str| {
            let is_it =
                |record: &&(&str, u16, Vec<u8>)| record.0 == name && [kind, CNAME].contains(&record.1);
            self.records.iter().filter(is_it).collect::<Vec<_>>()
        };
        let mut found = of_name(&name);
        if self.follows && found.iter().any(|record| record.1 == CNAME) {
            found.extend(of_name("behind.example"));
        }
        if self.truncates && !over_tcp && !found.is_empty() {
            return reply(0x8380, &[], 0);
        }
        let records = found.iter().flat_map(|(owner, kind, data)| {
            let length = u16::try_from(data.len()).unwrap().to_be_bytes();
            let owner = if *owner == name { vec![0xc0, 12] } else { labels(owner) };
            [&owner[..], &kind.to_be_bytes(), &[0, 1, 0, 0, 0, 60], &length, data].concat()
        });
        let is_known = self.records.iter().any(|(owner, ..)| owner.ends_with(&name));
        reply(if is_known { 0x8580 } else { 0x8583 }, &records.collect::<Vec<_>>(), found.len())
    }
}

/// Runs something until it or the program ends.
fn named(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().name("odd name server".to_owned()).spawn(work).unwrap();
}

fn srv(priority: u16, port: u16, target: &str) -> Vec<u8> {
    [[priority, 1, port].map(u16::to_be_bytes).concat(), labels(target)].concat()
}

/// A name as it is written in a message.
fn labels(name: &str) -> Vec<u8> {
    let written = |label: &str| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat();
    name.split('.').map(written).chain([vec![0]]).collect::<Vec<_>>().concat()
}

/// The hops of `sip:odd.example`, or why there are none; and the queries.
async fn look_up(odd: Odd) -> (Result<Vec<String>, String>, Vec<(String, u16, bool)>) {
    let (address, asked) = odd.start();
    let settings = NetSettings { dns: Some(address), ..NetSettings::default() };
    let mut net = Net::open(&[], &settings).await.unwrap();
    assert!(
        net.resolve(ResolveId(1), &Uri::parse("sip:odd.example").unwrap(), LookupTerms::default()).is_none()
    );
    let found = match net.receive().await {
        Some(NetEvent::Resolved { hops, .. }) => {
            Ok(hops.iter().map(|hop| format!("{} {}", hop.transport, hop.remote)).collect())
        }
        Some(NetEvent::ResolveFailed { why, .. }) => Err(why.to_string()),
        other => panic!("{other:?}"),
    };
    let asked = asked.lock().unwrap().clone();
    (found, asked)
}
