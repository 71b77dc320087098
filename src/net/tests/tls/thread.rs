//! The thread on which handshakes are computed.

use super::*;

/// Presents a certificate, and notes on which thread it was asked for.
#[derive(Debug)]
struct Watches(Arc<CertifiedKey>, std::sync::mpsc::SyncSender<Option<String>>);

impl rustls::server::ResolvesServerCert for Watches {
    fn resolve(&self, _hello: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.1.send(std::thread::current().name().map(str::to_owned)).unwrap();
        Some(Arc::clone(&self.0))
    }
}

#[test]
fn w31_a_handshake_of_a_stranger_is_not_computed_on_the_thread_of_the_loop() {
    run(async {
        let authority = Authority::new("ours");
        let identity = authority.sign(&["domain.com"], |_| ());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key =
            provider.key_provider.load_private_key(PrivateKeyDer::from_pem_file(&identity.key).unwrap());
        let chain = CertificateDer::pem_file_iter(&identity.chain).unwrap().map(Result::unwrap).collect();
        let (sender, threads) = std::sync::mpsc::sync_channel(16);
        let watches = Watches(Arc::new(CertifiedKey::new(chain, key.unwrap())), sender);
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(watches));
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let origins = Arc::new(Origins::default());
        for (greeting, is_served) in
            [(Greeting::Tls(acceptor.clone()), true), (Greeting::WebSocket(Some(acceptor), origins), false)]
        {
            let mut server = Net::bind(&[]).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let remote = listener.local_addr().unwrap();
            let (greetings, pool) = (Arc::clone(&server.greetings), Arc::clone(&server.connections));
            server.tasks.spawn(tcp::accept(listener, greeting, greetings, pool));
            let mut client = Net::open(&[], &authority.client()).await.unwrap();
            dial(&mut client, 1, remote, "domain.com");
            let flow = connected(&mut client).await;
            assert_eq!(threads.recv().unwrap().as_deref(), Some(greetings::thread::NAME));
            // The connection itself is the loop's.
            assert!(client.transmit(&Transmit::new(flow, Bytes::from_static(MESSAGE))).is_none());
            if is_served {
                assert!(matches!(server.receive().await, Some(NetEvent::Received { .. })));
            } else {
                assert!(
                    matches!(client.receive().await, Some(NetEvent::Disconnected { .. })),
                    "no WebSocket"
                );
            }
        }
    });
}
