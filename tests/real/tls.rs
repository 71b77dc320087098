//! W32: TLS between real processes, and with OpenSSL on one side.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, date_time_ymd};
use tempfile::TempDir;

use crate::common::{free_address, objects};
use crate::program::{Program, fanfare};
use crate::stream::{Line, register_on};

/// A test's certificate authority, and its server's certificate.
pub(crate) struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(folder: TempDir) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "authority of the test");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { folder, issuer };
        std::fs::write(authority.file("ca.pem"), authority.issuer.pem()).unwrap();
        authority
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.file(name).to_str().unwrap().to_owned()
    }

    /// Replaces the certificate with a new one, whose key is in the same file.
    pub(crate) fn certify(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        write_private(&self.file("server.pem"), &(certificate.pem() + &key.serialize_pem()));
    }
}

/// Writes a file that only its owner may read, as a key has to be.
pub(crate) fn write_private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// A proxy for domain.com that listens with TLS only, with an authority of its own.
struct Secure {
    program: Option<Program>,
    address: SocketAddr,
    authority: Authority,
}

impl Secure {
    /// The running proxy looks for a new certificate once a second, and picks it up by itself.
    fn certify_anew(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) {
        self.authority.certify(name, change);
        std::thread::sleep(std::time::Duration::from_millis(1200));
    }

    fn start() -> Self {
        Self::on(free_address())
    }

    fn on(address: SocketAddr) -> Self {
        let mut secure = Self { program: None, address, authority: Authority::new(TempDir::new().unwrap()) };
        secure.authority.certify("domain.com", |_| ());
        secure.run();
        secure
    }

    fn run(&mut self) {
        let (listen, cert) = (format!("tls:{}", self.address), self.authority.path("server.pem"));
        let data = self.authority.path("data");
        let program = fanfare(&[
            "proxy",
            "--domain",
            "domain.com",
            "--listen",
            &listen,
            "--tls-cert",
            &cert,
            "--data",
            &data,
            "--t1",
            "50ms",
        ]);
        assert_eq!(program.line_with("listening"), format!("listening tls {}", self.address));
        self.program = Some(program);
    }

    fn server(&self) -> String {
        format!("tls:{}", self.address)
    }

    fn openssl(&self) -> Line {
        Line::tls(self.address, "domain.com", &self.authority.file("ca.pem"))
    }

    fn send(&self, to: &[&str], text: &str) -> Program {
        let (server, ca) = (self.server(), self.authority.path("ca.pem"));
        let mut args = vec!["send", "--from", "im:james@domain.com", "--proxy", &server, "--tls-ca", &ca];
        args.extend(to.iter().flat_map(|to| ["--to", to]));
        args.extend(["--text", text, "--json", "--timeout", "20s"]);
        fanfare(&args)
    }
}

/// Registers a user over a stream and checks that it was accepted.
fn register(line: &mut Line, user: &str, extra: &str) {
    let contact = format!("<sip:{user}@behind.invalid;transport=tls>");
    let answer = line.ask(&register_on("TLS", user, &contact, extra));
    assert_eq!(answer.start(), "SIP/2.0 200 OK", "{}", answer.text);
}

#[test]
fn w32_one_message_to_two_over_tls_one_of_them_through_openssl() {
    for address in [free_address(), SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, free_address().port()))]
    {
        let secure = Secure::on(address);
        let mut ann = secure.openssl();
        register(&mut ann, "ann", "");
        let (server, ca) = (secure.server(), secure.authority.path("ca.pem"));
        let args = ["listen", "--as", "im:bob@domain.com", "--proxy", &server, "--tls-ca", &ca, "--json"];
        let bob = fanfare(&args);
        let mut query = secure.openssl();
        let until = std::time::Instant::now() + crate::program::WAIT;
        while query
            .ask(&register_on("TLS", "bob", "", "").replace("Contact: \r\n", ""))
            .values("Contact")
            .is_empty()
        {
            assert!(std::time::Instant::now() < until, "bob registers");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        // Too large for a datagram (W4); one recipient has a sips: address.
        let text = "0123456789".repeat(400);
        let sent = secure.send(&["sips:ann@domain.com", "im:bob@domain.com"], &text);
        let leg = ann.receive();
        assert!(leg.start().starts_with("MESSAGE sip:ann@behind.invalid;transport=tls "), "{}", leg.text);
        assert!(leg.value("Via").starts_with("SIP/2.0/TLS "), "{}", leg.text);
        assert_eq!(leg.body(), text);
        ann.answer(&leg, "200 OK");
        let ended = sent.end();
        assert_eq!(ended.code(), 0, "{ended:?}");
        let line = bob.line_with("\"message\"");
        assert_eq!(objects(&[line])[0]["text"].as_str(), Some(text.as_str()));
    }
}

#[test]
fn w24_a_report_goes_back_over_the_tls_connection_of_the_submission() {
    let secure = Secure::start();
    let mut james = secure.openssl();
    let to = ["im:nobody@domain.com", "im:noone@domain.com"];
    let submission =
        crate::socket::submission(secure.address, &to, "", "Anybody?").replace("SIP/2.0/UDP", "SIP/2.0/TLS");
    assert_eq!(james.ask(&submission).start(), "SIP/2.0 202 Accepted");
    let report = james.receive();
    assert_eq!(report.method(), "NOTIFY");
    james.answer(&report, "200 OK");
}

#[test]
fn w32_send_and_listen_say_what_is_the_matter_with_a_certificate() {
    let secure = Secure::start();
    type Change = fn(&mut CertificateParams);
    let cases: [(&str, Change, &str); 3] = [
        ("domain.com", |params| params.not_after = date_time_ymd(2024, 5, 17), "has expired on 2024-05-17"),
        (
            "domain.com",
            |params| params.not_before = date_time_ymd(2999, 1, 2),
            "is not valid before 2999-01-02",
        ),
        ("elsewhere.com", |_| (), "the certificate is for elsewhere.com, not for domain.com"),
    ];
    for (name, change, words) in cases {
        secure.certify_anew(name, change);
        let ended = secure.send(&["im:ann@domain.com"], "x").end();
        assert_eq!(ended.code(), 2, "{ended:?}");
        assert!(ended.said().contains(words), "{words}: {ended:?}");
        ended.assert_no_panic();
    }
    secure.certify_anew("domain.com", |_| ());
    let server = secure.server();
    // Without its authority nobody trusts it.
    let listening = fanfare(&["listen", "--as", "im:bob@domain.com", "--proxy", &server]);
    listening.complaint_with("was not issued by anyone this computer trusts");
    let ended = secure.send(&["im:ann@domain.com"], "x").end();
    assert_eq!(ended.code(), 1, "trusted again, and Ann is not there: {ended:?}");
}

#[test]
fn w32_openssl_and_we_agree_on_who_the_server_is_not() {
    let secure = Secure::start();
    secure.certify_anew("elsewhere.com", |_| ());
    let refused = std::process::Command::new("openssl")
        .args(["s_client", "-quiet", "-verify_return_error", "-verify_hostname", "domain.com", "-CAfile"])
        .arg(secure.authority.file("ca.pem"))
        .args(["-connect", &secure.address.to_string()])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("hostname mismatch"), "{refused:?}");
}

#[test]
fn w32_a_listener_without_a_certificate_says_what_it_needs() {
    let ended = fanfare(&["proxy", "--domain", "domain.com", "--listen", "tls:127.0.0.1:0"]).end();
    assert_eq!(ended.code(), 2);
    assert!(ended.said().contains("give --tls-cert and --tls-key"), "{ended:?}");
}

#[test]
fn w32_a_key_that_everybody_may_read_is_refused_at_the_start_and_at_a_reload() {
    let authority = Authority::new(TempDir::new().unwrap());
    authority.certify("domain.com", |_| ());
    let pem = authority.path("server.pem");
    let set = |mode| std::fs::set_permissions(&pem, Permissions::from_mode(mode)).unwrap();
    let why = format!(
        "{pem} holds a private key, and everybody may read it (mode 0644); make it private with: chmod 600 {pem}"
    );
    let listen = format!("tls:{}", free_address());
    let args = ["proxy", "--domain", "domain.com", "--listen", &listen, "--tls-cert", &pem];
    set(0o644);
    let refused = fanfare(&args).end();
    assert_eq!(refused.code(), 2, "{refused:?}");
    assert!(refused.said().contains(&why), "{refused:?}");
    set(0o600);
    let program = fanfare(&args);
    program.line_with("listening tls");
    set(0o644);
    program.signal("HUP");
    let told = program.complaint_with("SIGHUP: the old certificates stay in use: ");
    assert!(told.contains(&why), "{told}");
    program.signal("TERM");
    assert_eq!(program.end().code(), 0);
}

#[test]
fn w32_a_certificate_for_another_domain_is_warned_of_with_the_names_on_both_sides() {
    let authority = Authority::new(TempDir::new().unwrap());
    authority.certify("example.org", |_| ());
    let pem = authority.path("server.pem");
    let listen = format!("tls:{}", free_address());
    let program = fanfare(&[
        "proxy",
        "--domain",
        "domain.com",
        "--domain",
        "sip.domain.com",
        "--listen",
        &listen,
        "--tls-cert",
        &pem,
    ]);
    program.line_with("listening tls");
    let told = program.complaint_with("the certificate ");
    let expected = format!(
        "the certificate {pem} is for example.org and for none of the domains served here (domain.com, sip.domain.com); \
         clients and other servers will refuse it"
    );
    assert!(told.contains(&expected), "{told}");
    authority.certify("sip.domain.com", |_| ());
    program.signal("HUP");
    program.complaint_with("SIGHUP: the certificates were read again");
    program.signal("TERM");
    let ended = program.end();
    assert_eq!(ended.err.iter().filter(|line| line.contains("the certificate ")).count(), 1, "{ended:?}");
}
