//! W19: NAPTR, SRV and addresses from a real DNS server (dnsmasq) on loopback.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;

/// A name server with these records.
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
        let known = net.resolve(ResolveId(1), &Uri::parse(uri).unwrap());
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
        // Both fail when it has ended by itself, which is as good.
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
        // A transport in the URI decides, a port too (RFC 3263 §4.1, §4.2).
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
        assert!(net.resolve(ResolveId(1), &Uri::parse("sip:plain.example").unwrap()).is_none());
        let Some(NetEvent::ResolveFailed { why, .. }) = net.receive().await else { panic!("failed") };
        assert!(
            why.starts_with("DNS did not answer: NAPTR of plain.example, SRV of _sips._tcp.plain.example, "),
            "{why}"
        );
        assert!(why.contains(", A of plain.example") && why.contains(", AAAA of plain.example"), "{why}");
    });
}
