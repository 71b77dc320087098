//! Attackers over real sockets, while an honest user goes on: each attack ends at a named limit (W13, W25, W31; the
//! table is in docs/promises.md).

mod connections;
mod loops;
mod messages;

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::common::{Proxy, outcomes};
use crate::program::{Program, WAIT};
use crate::socket::{Answering, Phone, Wire, submission};

/// James, who writes to Bob during the attacks.
struct Honest {
    james: Phone,
    bob: Answering,
}

impl Honest {
    fn at(proxy: &Proxy) -> Self {
        let phone = Phone::new();
        phone.register("bob", proxy.address);
        Self { james: Phone::new(), bob: Answering::new(phone, |_, _| Some("200 OK")) }
    }

    /// Checks that a message over UDP and one over a separate connection arrive and are reported.
    fn is_served(&self, proxy: &Proxy) {
        let until = Instant::now() + WAIT;
        let ask = || {
            let request = submission(self.james.address, &["im:bob@domain.com"], "", "By datagram.");
            self.james.ask(proxy.address, &request)
        };
        let mut answer = ask();
        // While thousands disconnect at once the proxy is briefly overloaded, and says so with a 503.
        while answer.start() == "SIP/2.0 503 Service Unavailable" && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(500));
            answer = ask();
        }
        assert_eq!(answer.start(), "SIP/2.0 202 Accepted", "{}", answer.text);
        let report = self.james.receive_the("NOTIFY");
        self.james.answer(&report, "200 OK");
        assert_eq!(outcomes(&report), [("im:bob@domain.com".to_owned(), "success".to_owned())]);

        // 40 kB: more than a connection may buffer without being counted.
        let mut wire = Wire::to(proxy.address);
        let text = format!("By stream. {}", "x".repeat(40_000));
        let request = submission(wire.address, &["im:bob@domain.com"], "Delivery-Report: none\r\n", &text);
        wire.send(&request.replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
        let answer = wire.receive().expect("an answer");
        assert_eq!(answer.start(), "SIP/2.0 202 Accepted", "{}", answer.text);
        self.bob.wait("the large message", |legs| legs.iter().any(|leg| leg.body() == text).then_some(()));
    }
}

/// Ends the proxy and checks its output.
fn ends_well(proxy: Proxy) {
    proxy.program.signal("TERM");
    let ended = proxy.program.end();
    ended.assert_no_panic();
    assert_eq!(ended.code(), 0, "{ended:?}");
}

/// The peak memory of a process, in MiB.
fn peak_mib(program: &Program) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", program.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

/// Connects from an address of our choice: all of 127.0.0.0/8 is this computer.
fn connect_from(host: [u8; 4], proxy: SocketAddr) -> TcpStream {
    // Without CLOEXEC, thousands of these would stay open in every program that other tests start, and baresip accepts
    // no descriptor over 1023.
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
    rustix::net::bind(&socket, &SocketAddr::from((host, 0))).unwrap();
    rustix::net::connect(&socket, &proxy).unwrap();
    TcpStream::from(socket)
}

/// Raises this process's limit of open files as far as the system allows; returns it.
fn raise_open_files() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    maximum.map_or(usize::MAX, |maximum| usize::try_from(maximum).unwrap())
}
