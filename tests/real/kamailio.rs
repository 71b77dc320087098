//! Kamailio from Debian with Debian's configuration: a widespread server that does not know `Secondary-To`.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::common::free_address;
use crate::peers::installed;
use crate::program::Program;
use crate::socket::{Phone, unique};

/// Debian's configuration, as packaged.
pub(crate) const CONFIGURATION: &str = "/etc/kamailio/kamailio.cfg";

/// A Kamailio that serves domain.com on loopback, UDP and TCP on one port; ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Kamailio {
    pub(crate) address: SocketAddr,
    program: Option<Program>,
    tls: Option<SocketAddr>,
    scratch: TempDir,
}

impl Kamailio {
    /// Only its addresses and domain are set; the configuration is used unchanged.
    pub(crate) fn start() -> Self {
        Self::start_with(CONFIGURATION, &[])
    }

    /// With another configuration and further arguments.
    pub(crate) fn start_with(configuration: &str, extra: &[&str]) -> Self {
        Self::start_in(TempDir::new().unwrap(), configuration, extra)
    }

    fn start_in(scratch: TempDir, configuration: &str, extra: &[&str]) -> Self {
        let address = free_address();
        let folder = scratch.path().to_str().unwrap();
        let mut command = Command::new(installed("kamailio", "kamailio"));
        command.args(["-f", configuration, "-DD", "-E", "-n", "2", "-N", "2", "-m", "64", "-M", "8"]);
        command.args(["-l", &format!("udp:{address}"), "-l", &format!("tcp:{address}")]);
        command.args(["--alias=domain.com", "-Y", folder, "-w", folder]).args(extra);
        let program = Some(Program::start("kamailio", command, None));
        wait_until_it_answers(address);
        Self { address, program, tls: None, scratch }
    }

    /// Debian's configuration with some of its switches on, among them TLS, with a certificate for domain.com. The
    /// authority's PEM file is `authority`.
    pub(crate) fn with_tls(switches: impl FnOnce(&Path) -> String) -> Self {
        let scratch = TempDir::new().unwrap();
        let file = |name: &str| scratch.path().join(name);
        let (tls, configuration) = (free_address(), file("kamailio.cfg"));
        certify(scratch.path());
        let switches = switches(scratch.path());
        fs::write(file("kamailio-local.cfg"), format!("{switches}#!define WITH_TLS\n")).unwrap();
        let stock = fs::read_to_string(CONFIGURATION).unwrap();
        let stock = stock.replace("/etc/kamailio/tls.cfg", file("tls.cfg").to_str().unwrap());
        fs::write(&configuration, stock).unwrap();
        let listen = format!("tls:{tls}");
        let mut kamailio = Self::start_in(scratch, configuration.to_str().unwrap(), &["-l", &listen]);
        kamailio.tls = Some(tls);
        kamailio
    }

    /// The same, with authentication: MD5 digest without qop; the users are in text files, each with the password
    /// `secret`.
    pub(crate) fn asking_passwords(users: &[&str]) -> Self {
        Self::with_tls(|folder| {
            let tables = Path::new("/usr/share/kamailio/dbtext/kamailio");
            let mut subscribers = fs::read_to_string(tables.join("subscriber")).unwrap();
            for (number, user) in (1..).zip(users) {
                subscribers.push_str(&format!("{number}:{user}:domain.com:secret:-:-\n"));
            }
            fs::write(folder.join("subscriber"), subscribers).unwrap();
            fs::copy(tables.join("version"), folder.join("version")).unwrap();
            let database = folder.display();
            format!("loadmodule \"db_text.so\"\n#!define WITH_AUTH\n#!define DBURL \"text://{database}\"\n")
        })
    }

    /// The authority of its certificate.
    pub(crate) fn authority(&self) -> String {
        self.scratch.path().join("authority.pem").to_str().unwrap().to_owned()
    }

    /// `udp:127.0.0.1:5060`, and its other addresses.
    pub(crate) fn servers(&self) -> Vec<String> {
        let tls = self.tls.map(|tls| format!("tls:{tls}"));
        [self.udp(), format!("tcp:{}", self.address)].into_iter().chain(tls).collect()
    }

    /// `udp:127.0.0.1:5060`.
    pub(crate) fn udp(&self) -> String {
        format!("udp:{}", self.address)
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // If killed, it would leave its child processes behind.
        if let Some(program) = self.program.take() {
            program.signal("TERM");
            program.end();
        }
    }
}

/// Creates a certificate for domain.com and its authority, and the configuration that names them.
fn certify(folder: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["domain.com".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let (own, private) = (folder.join("certificate.pem"), folder.join("key.pem"));
    fs::write(folder.join("authority.pem"), issuer.pem()).unwrap();
    fs::write(&own, certificate.pem()).unwrap();
    fs::write(&private, key.serialize_pem()).unwrap();
    let settings = format!(
        "[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\n\
         private_key = {}\ncertificate = {}\n",
        private.display(),
        own.display()
    );
    fs::write(folder.join("tls.cfg"), settings).unwrap();
}

fn wait_until_it_answers(address: SocketAddr) {
    let (phone, number) = (Phone::new(), unique());
    let options = format!(
        "OPTIONS sip:{address} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {};branch=z9hG4bKo{number};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:test@domain.com>;tag=o{number}\r\n\
         To: <sip:{address}>\r\n\
         Call-ID: o{number}@bare\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n",
        phone.address
    );
    let answer = phone.ask(address, &options);
    assert!(answer.start().starts_with("SIP/2.0 200 "), "{}", answer.text);
}
