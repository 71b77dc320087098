//! Certificates and keys in files: renewed while we run, and what is said of a bad one.

use super::*;

#[test]
fn a_renewed_certificate_is_used_without_a_restart_and_a_broken_one_is_not() {
    run(async {
        let authority = Authority::new("ours");
        let identity = authority.sign(&["old.com"], |_| ());
        let server = Net::open(&[any(Transport::Tls)], &authority.server(identity)).await.unwrap();
        let mut client = Net::open(&[], &authority.client()).await.unwrap();
        let remote = server.locals()[0].1;
        dial(&mut client, 1, remote, "old.com");
        connected(&mut client).await;
        let identity = authority.sign(&["new.com"], |_| ());
        // The files are looked at once a second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        dial(&mut client, 2, remote, "new.com");
        connected(&mut client).await;
        std::fs::write(identity.chain, "half a file").unwrap();
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let mut client = Net::open(&[], &authority.client()).await.unwrap();
        dial(&mut client, 3, remote, "new.com");
        connected(&mut client).await;
    });
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_name() {
    run(async {
        let authority = Authority::new("ours");
        let good = authority.sign(&["domain.com"], |_| ());
        let empty = authority.path("empty.pem");
        std::fs::write(&empty, "").unwrap();
        let other_key = authority.path("other.pem");
        write_private(&other_key, &KeyPair::generate().unwrap().serialize_pem());
        let missing = authority.path("missing.pem");
        let with = |chain: &PathBuf, key: &PathBuf, authorities: Option<&PathBuf>| TlsFiles {
            identity: Some(Identity { chain: chain.clone(), key: key.clone() }),
            authorities: authorities.cloned(),
            wildcards: false,
        };
        for (tls, words) in [
            (with(&missing, &good.key, None), "cannot read /"),
            (with(&empty, &good.key, None), "empty.pem holds no certificate in PEM"),
            (with(&good.chain, &good.chain, None), "cannot read /"),
            (with(&good.chain, &other_key, None), "cannot be used together: "),
            (with(&good.chain, &good.key, Some(&empty)), "empty.pem holds no certificate in PEM"),
        ] {
            let said =
                Net::open(&[], &NetSettings { tls, ..NetSettings::default() }).await.unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
        let said = Net::bind(&[any(Transport::Tls)]).await.unwrap_err().to_string();
        assert!(
            said.ends_with("TLS needs a certificate and its key: give --tls-cert and --tls-key"),
            "{said}"
        );
    });
}
