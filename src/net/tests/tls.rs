//! W32: TLS on loopback, with valid and invalid certificates.

mod files;
mod thread;

use std::io::{Read, Write};
use std::path::PathBuf;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, SanType, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use tempfile::TempDir;

use super::*;
use crate::machine::{TlsFault, Untrusted};

/// Our own authority, and a folder for what it signs.
struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate for these names, modified by `change`, in a file with its key.
    fn sign(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (chain, path) = (self.path("cert.pem"), self.path("key.pem"));
        std::fs::write(&chain, certificate.pem()).unwrap();
        write_private(&path, &key.serialize_pem());
        Identity { chain, key: path }
    }

    fn server(&self, identity: Identity) -> NetSettings {
        let tls =
            TlsFiles { identity: Some(identity), authorities: Some(self.path("ca.pem")), wildcards: false };
        NetSettings { tls, ..NetSettings::default() }
    }

    fn client(&self) -> NetSettings {
        let tls = TlsFiles { identity: None, authorities: Some(self.path("ca.pem")), wildcards: true };
        NetSettings { tls, ..NetSettings::default() }
    }
}

/// Writes a file that only its owner may read.
pub(super) fn write_private(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn dial(net: &mut Net, number: u64, remote: SocketAddr, domain: &str) -> Option<NetEvent> {
    net.connect(ConnectId(number), Hop { transport: Transport::Tls, remote }, Some(domain.into()))
}

async fn connected(net: &mut Net) -> Flow {
    match net.receive().await {
        Some(NetEvent::Connected { flow, .. }) => flow,
        other => panic!("{other:?}"),
    }
}

async fn distrusted(net: &mut Net) -> String {
    match net.receive().await {
        Some(NetEvent::ConnectFailed { fault: ConnectFault::Untrusted(why), .. }) => why.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn w32_messages_go_both_ways_over_one_tls_connection_of_each_domain() {
    run(async {
        let authority = Authority::new("ours");
        for local in ["127.0.0.1:0", "[::1]:0"] {
            let identity = authority.sign(&["domain.com", "other.com"], |_| ());
            let listens = [(Transport::Tls, local.parse().unwrap())];
            let mut server = Net::open(&listens, &authority.server(identity)).await.unwrap();
            let mut client = Net::open(&[], &authority.client()).await.unwrap();
            let remote = server.locals()[0].1;
            dial(&mut client, 1, remote, "domain.com");
            let flow = connected(&mut client).await;
            assert_eq!((flow.transport, flow.remote), (Transport::Tls, remote));
            assert!(client.transmit(&Transmit::new(flow, Bytes::from_static(MESSAGE))).is_none());
            let Some(NetEvent::Received { flow: back, bytes }) = server.receive().await else {
                panic!("received")
            };
            assert_eq!(bytes, MESSAGE);
            assert_eq!((back.transport, back.remote), (Transport::Tls, flow.local));
            assert!(server.transmit(&Transmit::new(back, bytes)).is_none());
            assert!(
                matches!(client.receive().await, Some(NetEvent::Received { flow: on, .. }) if on == flow)
            );

            // The same domain uses the same connection; another one must be proven anew (RFC 5923 §9.3).
            let again = dial(&mut client, 2, remote, "domain.com");
            assert!(matches!(again, Some(NetEvent::Connected { flow: on, .. }) if on == flow));
            assert!(dial(&mut client, 3, remote, "other.com").is_none());
            assert_ne!(connected(&mut client).await, flow);
            // A peer that connected to us has proven nothing: it is not reused for a domain, nor for an address.
            let hop = Hop { transport: Transport::Tls, remote: back.remote };
            assert!(server.connect(ConnectId(9), hop, None).is_none());
        }
    });
}

#[test]
fn w32_a_certificate_names_a_domain_an_address_or_a_sip_uri() {
    run(async {
        let authority = Authority::new("ours");
        let uri = |text: &str| SanType::URI(text.try_into().unwrap());
        let identity = authority.sign(&["*.domain.com", "127.0.0.1"], |params| {
            params.subject_alt_names.extend([
                uri("sip:Example.com"),
                uri("sip:james@person.com"),
                uri("https://web.com"),
            ]);
        });
        let server = Net::open(&[any(Transport::Tls)], &authority.server(identity)).await.unwrap();
        let mut client = Net::open(&[], &authority.client()).await.unwrap();
        let remote = server.locals()[0].1;
        for (number, name) in ["sip.domain.com", "example.com", "127.0.0.1"].iter().enumerate() {
            dial(&mut client, number as u64, remote, name);
            connected(&mut client).await;
        }
        // RFC 5922 §7.1: a URI with a user, or of another scheme, does not name a domain.
        for (number, name) in ["person.com", "web.com", "a.b.domain.com"].iter().enumerate() {
            dial(&mut client, 100 + number as u64, remote, name);
            let why = distrusted(&mut client).await;
            assert!(why.starts_with("the certificate is for ") && why.ends_with(name), "{why}");
        }
    });
}

#[test]
fn rfc_5924_a_certificate_that_is_for_sip_alone_is_taken_and_still_has_to_name_the_server() {
    run(async {
        let (authority, stranger) = (Authority::new("ours"), Authority::new("a stranger"));
        for (issuer, is_expired, name, fault) in [
            (&authority, false, "domain.com", None),
            (
                &authority,
                false,
                "elsewhere.com",
                Some("the certificate is for elsewhere.com, not for domain.com"),
            ),
            (&authority, true, "domain.com", Some("the certificate of domain.com has expired on 2024-05-17")),
            (
                &stranger,
                false,
                "domain.com",
                Some("the certificate of domain.com was not issued by anyone this computer trusts"),
            ),
        ] {
            let identity = issuer.sign(&[name], |params| {
                let sip = rcgen::ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 5, 5, 7, 3, 20]);
                params.extended_key_usages = vec![sip];
                if is_expired {
                    params.not_after = date_time_ymd(2024, 5, 17);
                }
            });
            let server = Net::open(&[any(Transport::Tls)], &issuer.server(identity)).await.unwrap();
            let mut client = Net::open(&[], &authority.client()).await.unwrap();
            dial(&mut client, 1, server.locals()[0].1, "domain.com");
            match fault {
                None => drop(connected(&mut client).await),
                Some(words) => assert_eq!(distrusted(&mut client).await, words),
            }
        }
    });
}

#[test]
fn a_server_that_was_typed_as_an_address_may_prove_that_address() {
    run(async {
        let authority = Authority::new("ours");
        let identity = authority.sign(&["127.0.0.1"], |_| ());
        let server = Net::open(&[any(Transport::Tls)], &authority.server(identity)).await.unwrap();
        let remote = server.locals()[0].1;
        let typed = |domain: &str, address: &str| {
            Some(TypedServer { domain: domain.into(), address: address.parse().unwrap() })
        };
        let words = "the certificate is for 127.0.0.1, not for domain.com";
        for (number, (typed, is_taken)) in [
            (typed("domain.com", "127.0.0.1"), true),
            (typed("domain.com", "127.0.0.2"), false),
            (typed("other.com", "127.0.0.1"), false),
            (None, false),
        ]
        .into_iter()
        .enumerate()
        {
            let mut settings = authority.client();
            (settings.typed, settings.tls.wildcards) = (typed, false);
            let mut client = Net::open(&[], &settings).await.unwrap();
            dial(&mut client, number as u64, remote, "domain.com");
            if is_taken {
                connected(&mut client).await;
            } else {
                assert_eq!(distrusted(&mut client).await, words);
            }
        }
    });
}

#[test]
fn w32_a_wildcard_is_taken_where_that_is_allowed_and_for_one_label() {
    run(async {
        let authority = Authority::new("ours");
        let identity = authority.sign(&["*.domain.com", "named.domain.com"], |params| {
            params.subject_alt_names.push(SanType::URI("sip:uri.domain.com".try_into().unwrap()));
        });
        let server = Net::open(&[any(Transport::Tls)], &authority.server(identity)).await.unwrap();
        let remote = server.locals()[0].1;
        let mut number = 0;
        for (wildcards, name, is_taken) in [
            (true, "sip.domain.com", true),
            (true, "SIP.Domain.com", true),
            (true, "domain.com", false),
            (true, "a.sip.domain.com", false),
            (false, "sip.domain.com", false),
            (false, "named.domain.com", true),
            (false, "NAMED.domain.com", true),
            (false, "uri.domain.com", true),
        ] {
            let mut settings = authority.client();
            settings.tls.wildcards = wildcards;
            let mut client = Net::open(&[], &settings).await.unwrap();
            number += 1;
            assert!(dial(&mut client, number, remote, name).is_none());
            if is_taken {
                connected(&mut client).await;
                continue;
            }
            let why = distrusted(&mut client).await;
            let forbidden = "the certificate names sip.domain.com by a wildcard (*.) alone, which RFC 5922 forbids; a \
                             client takes it without tls_strict";
            assert!(
                if wildcards { why.starts_with("the certificate is for ") } else { why == forbidden },
                "{why}"
            );
        }
    });
}

#[test]
fn w32_each_fault_of_a_certificate_has_its_own_sentence() {
    run(async {
        let (authority, stranger) = (Authority::new("ours"), Authority::new("a stranger"));
        type Change = fn(&mut CertificateParams);
        let cases: [(&Authority, &str, Change, &str); 5] = [
            (
                &authority,
                "domain.com",
                |params| params.not_after = date_time_ymd(2024, 5, 17),
                "the certificate of domain.com has expired on 2024-05-17",
            ),
            (
                &authority,
                "domain.com",
                |params| params.not_before = date_time_ymd(2999, 1, 2),
                "the certificate of domain.com is not valid before 2999-01-02; is this computer's clock right?",
            ),
            (&authority, "elsewhere.com", |_| (), "the certificate is for elsewhere.com, not for domain.com"),
            (
                &stranger,
                "domain.com",
                |_| (),
                "the certificate of domain.com was not issued by anyone this computer trusts",
            ),
            (
                &authority,
                "domain.com",
                |params| params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth],
                "the certificate of domain.com is not one for a server",
            ),
        ];
        for (issuer, name, change, words) in cases {
            let settings = issuer.server(issuer.sign(&[name], change));
            let server = Net::open(&[any(Transport::Tls)], &settings).await.unwrap();
            let mut client = Net::open(&[], &authority.client()).await.unwrap();
            dial(&mut client, 1, server.locals()[0].1, "domain.com");
            assert_eq!(distrusted(&mut client).await, words);
        }
    });
}

/// Presents this certificate, whatever it is.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl rustls::server::ResolvesServerCert for Shows {
    fn resolve(&self, _hello: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

#[test]
fn w32_what_is_no_certificate_is_said() {
    run(async {
        let authority = Authority::new("ours");
        let identity = authority.sign(&["domain.com"], |_| ());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::from_pem_file(&identity.key).unwrap();
        let key = provider.key_provider.load_private_key(key).unwrap();
        let garbage = vec![CertificateDer::from(b"I am no certificate".to_vec())];
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Shows(Arc::new(CertifiedKey::new(garbage, key)))));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let remote = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(stream).await.map(drop)
        });
        let mut client = Net::open(&[], &authority.client()).await.unwrap();
        dial(&mut client, 1, remote, "domain.com");
        assert_eq!(distrusted(&mut client).await, "what domain.com shows is not a certificate");
        assert!(server.await.unwrap().is_err());
    });
}

/// A server that presents a certificate without having its key.
pub(super) async fn server_with_stolen_certificate(chain: &std::path::Path) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(KeyPair::generate().unwrap().serialize_der()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let stolen = CertificateDer::pem_file_iter(chain).unwrap().map(Result::unwrap).collect();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shows(Arc::new(CertifiedKey::new(stolen, key)))));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let remote = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        drop(tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(stream).await);
    });
    remote
}

/// A server that always sends the same bytes, whatever it receives.
fn parrot(says: &'static [u8]) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let remote = listener.local_addr().unwrap();
    let speak = move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert_ne!(stream.read(&mut [0; 4096]).unwrap(), 0, "a hello");
        stream.write_all(says).unwrap();
    };
    std::thread::Builder::new().name("parrot".to_owned()).spawn(speak).unwrap();
    remote
}

#[test]
fn w32_a_server_that_speaks_no_tls_of_today_is_told_apart() {
    run(async {
        let authority = Authority::new("ours");
        for (says, words) in [
            // Alert, fatal, protocol_version (RFC 5246 §7.2).
            (
                &b"\x15\x03\x01\x00\x02\x02\x46"[..],
                "the server domain.com speaks TLS only in a version that is no longer safe (older than 1.2)",
            ),
            // Alert, fatal, handshake_failure.
            (b"\x15\x03\x03\x00\x02\x02\x28", "the server domain.com refused the TLS connection"),
            (
                b"SIP/2.0 400 Bad Request\r\n\r\n",
                "the server domain.com did not answer with TLS; check that its port is one for TLS",
            ),
            (b"", "the server domain.com did not answer with TLS; check that its port is one for TLS"),
        ] {
            let mut client = Net::open(&[], &authority.client()).await.unwrap();
            dial(&mut client, 1, parrot(says), "domain.com");
            assert_eq!(distrusted(&mut client).await, words);
        }
    });
}

#[test]
fn a_server_that_answers_no_hello_is_one_without_tls() {
    run(async {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let remote = silent.local_addr().unwrap();
        let stream = tokio::net::TcpStream::connect(remote).await.unwrap();
        let authority = Authority::new("ours");
        let tls = Tls::new(&authority.client().tls, None, None).unwrap();
        let opened = tcp::secure(stream, (Some("domain.com"), remote), &tls, Duration::from_millis(20)).await;
        let untrusted = Untrusted { server: "domain.com".into(), fault: TlsFault::NoTls };
        assert_eq!(opened.unwrap_err(), ConnectFault::Untrusted(untrusted.into()));
    });
}

#[test]
fn w32_who_connects_and_says_nothing_holds_nobody_up() {
    run(async {
        let authority = Authority::new("ours");
        let identity = authority.sign(&["domain.com"], |_| ());
        let server = Net::open(&[any(Transport::Tls)], &authority.server(identity)).await.unwrap();
        let remote = server.locals()[0].1;
        let _silent = std::net::TcpStream::connect(remote).unwrap();
        let mut client = Net::open(&[], &authority.client()).await.unwrap();
        dial(&mut client, 1, remote, "domain.com");
        connected(&mut client).await;
    });
}
