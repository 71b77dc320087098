//! Kamailio from Debian with Debian's own configuration: a server that everybody runs, and that knows nothing of
//! `Secondary-To`.

use std::net::SocketAddr;
use std::process::Command;

use tempfile::TempDir;

use crate::common::free_address;
use crate::peers::installed;
use crate::program::Program;
use crate::socket::{Phone, unique};

/// Debian's, as the package brings it.
pub(crate) const CONFIGURATION: &str = "/etc/kamailio/kamailio.cfg";

/// A Kamailio that serves domain.com on loopback, UDP and TCP on one port. It is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Kamailio {
    pub(crate) address: SocketAddr,
    program: Option<Program>,
    _scratch: TempDir,
}

impl Kamailio {
    /// Only where it listens, and for which domain, is said to it; the configuration is read as it is.
    pub(crate) fn start() -> Self {
        Self::start_with(CONFIGURATION, &[])
    }

    /// With a configuration and further arguments of one's own.
    pub(crate) fn start_with(configuration: &str, extra: &[&str]) -> Self {
        let (address, scratch) = (free_address(), TempDir::new().unwrap());
        let folder = scratch.path().to_str().unwrap();
        let mut command = Command::new(installed("kamailio", "kamailio"));
        command.args(["-f", configuration, "-DD", "-E", "-n", "2", "-N", "2", "-m", "64", "-M", "8"]);
        command.args(["-l", &format!("udp:{address}"), "-l", &format!("tcp:{address}")]);
        command.args(["--alias=domain.com", "-Y", folder, "-w", folder]).args(extra);
        let program = Some(Program::start("kamailio", command, None));
        wait_until_it_answers(address);
        Self { address, program, _scratch: scratch }
    }

    /// `udp:127.0.0.1:5060`.
    pub(crate) fn udp(&self) -> String {
        format!("udp:{}", self.address)
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Killed, it would leave its children behind.
        if let Some(program) = self.program.take() {
            program.signal("TERM");
            program.end();
        }
    }
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
    assert_eq!(answer.start(), "SIP/2.0 200 Keepalive", "{}", answer.text);
}
