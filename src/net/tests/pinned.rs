//! A certificate that no trusted authority issued: its details are shown, and it is accepted once the user trusts it.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::*;

/// Self-signed certificates, as people make them for their own server.
struct OwnServer {
    folder: TempDir,
    net: Net,
}

impl OwnServer {
    async fn new(is_ca: IsCa) -> Self {
        Self::named(is_ca, "sip.domain.com").await
    }

    async fn named(is_ca: IsCa, name: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "sip.domain.com");
        params.not_after = date_time_ymd(2099, 1, 2);
        params.is_ca = is_ca;
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (chain, path) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&chain, certificate.pem()).unwrap();
        tls::write_private(&path, &key.serialize_pem());
        let tls = TlsFiles { identity: Some(Identity { chain, key: path }), ..TlsFiles::default() };
        let settings = NetSettings { tls, ..NetSettings::default() };
        let net = Net::open(&[any(Transport::Tls)], &settings).await.unwrap();
        Self { folder, net }
    }

    /// The result for a client with this pin and an unrelated authority.
    async fn meets(&self, pin: Option<Pin>, name: &str) -> (Result<(), String>, Option<RefusedCertificate>) {
        self.meets_with(Self::other_authority(&self.folder), pin, name).await
    }

    /// The result for a client with this pin and the authorities in a file.
    async fn meets_with(
        &self,
        authorities: std::path::PathBuf,
        pin: Option<Pin>,
        name: &str,
    ) -> (Result<(), String>, Option<RefusedCertificate>) {
        let tls = TlsFiles { authorities: Some(authorities), ..TlsFiles::default() };
        let mut client = Net::open(&[], &NetSettings { tls, pin, ..NetSettings::default() }).await.unwrap();
        let hop = Hop { transport: Transport::Tls, remote: self.net.locals()[0].1 };
        client.connect(ConnectId(1), hop, Some(name.into()));
        let met = match client.receive().await {
            Some(NetEvent::Connected { .. }) => Ok(()),
            Some(NetEvent::ConnectFailed { fault: ConnectFault::Untrusted(why), .. }) => Err(why.to_string()),
            other => panic!("{other:?}"),
        };
        (met, client.refused_certificate())
    }

    /// An unrelated authority.
    fn other_authority(folder: &TempDir) -> std::path::PathBuf {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let path = folder.path().join("other.pem");
        std::fs::write(&path, params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()).unwrap();
        path
    }
}

#[test]
fn w32_a_certificate_that_signs_itself_is_shown_and_good_once_it_is_trusted_for_that_server_alone() {
    run(async {
        for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
            let server = OwnServer::new(is_ca).await;
            let (met, refused) = server.meets(None, "sip.domain.com").await;
            let words = "the certificate of sip.domain.com was not issued by anyone this computer trusts";
            assert_eq!(met, Err(words.to_owned()));
            let refused = refused.unwrap();
            assert_eq!((refused.server.as_str(), refused.not_after_secs), ("sip.domain.com", 4_070_995_200));
            assert!(refused.subject.contains("CN=sip.domain.com"), "{}", refused.subject);
            let shown = refused.sha256.to_string();
            assert!(shown.len() == 95 && shown.split(':').all(|byte| byte.len() == 2), "{shown}");

            let pin = |server: &str, sha256| Some(Pin { server: server.to_owned(), sha256 });
            let trusted = pin("SIP.domain.com", refused.sha256);
            assert_eq!(server.meets(trusted.clone(), "sip.domain.com").await, (Ok(()), None));
            // It does not count for another server, and another certificate of this server has to be trusted anew.
            let (met, refused_there) = server.meets(trusted.clone(), "other.com").await;
            let refused_there = refused_there.unwrap();
            assert!(met.is_err() && refused_there.trusted_before.is_none());
            assert_eq!(refused_there.other_names, Some(vec!["sip.domain.com".to_owned()]));
            let changed = OwnServer::new(IsCa::NoCa).await;
            let (met, asked_anew) = changed.meets(trusted, "sip.domain.com").await;
            let asked_anew = asked_anew.unwrap();
            assert!(met.is_err() && asked_anew.sha256 != refused.sha256);
            assert_eq!((asked_anew.trusted_before, asked_anew.other_names), (Some(refused.sha256), None));
        }
    });
}

#[test]
fn w32_a_certificate_given_as_an_authority_is_good_for_the_server_that_it_names() {
    run(async {
        // `openssl req -x509` makes the first kind unless told otherwise.
        for is_ca in [IsCa::Ca(BasicConstraints::Unconstrained), IsCa::NoCa] {
            let server = OwnServer::new(is_ca).await;
            let file = server.folder.path().join("cert.pem");
            assert_eq!(server.meets_with(file.clone(), None, "sip.domain.com").await, (Ok(()), None));
            let (met, _) = server.meets_with(file, None, "other.com").await;
            assert!(met.unwrap_err().ends_with("not for other.com"));
        }
        let server = OwnServer::named(IsCa::Ca(BasicConstraints::Unconstrained), "*.domain.com").await;
        let (met, _) = server.meets_with(server.folder.path().join("cert.pem"), None, "sip.domain.com").await;
        assert!(
            met.unwrap_err().starts_with("the certificate names sip.domain.com by a wildcard (*.) alone")
        );
    });
}

#[test]
fn w32_who_shows_a_trusted_certificate_without_its_key_is_nobody() {
    run(async {
        let server = OwnServer::new(IsCa::NoCa).await;
        let (_, refused) = server.meets(None, "sip.domain.com").await;
        let pin = Some(Pin { server: "sip.domain.com".to_owned(), sha256: refused.unwrap().sha256 });
        // The same certificate with another key: what a thief of the certificate alone has.
        let chain = server.folder.path().join("cert.pem");
        let thief = tls::server_with_stolen_certificate(&chain).await;
        let tls =
            TlsFiles { authorities: Some(OwnServer::other_authority(&server.folder)), ..TlsFiles::default() };
        let mut client = Net::open(&[], &NetSettings { tls, pin, ..NetSettings::default() }).await.unwrap();
        let hop = Hop { transport: Transport::Tls, remote: thief };
        client.connect(ConnectId(1), hop, Some("sip.domain.com".into()));
        let met = client.receive().await;
        assert!(matches!(met, Some(NetEvent::ConnectFailed { .. })), "{met:?}");
    });
}
