//! baresip without sound and screen; its console is a TCP connection.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::common::{free_address, wait_for_binding};
use crate::peers::installed;
use crate::program::{Program, WAIT};

/// A baresip, registered. It is ended when this is dropped.
#[derive(Debug)]
pub(super) struct Baresip {
    console: TcpStream,
    shown: String,
    _program: Program,
    _folder: TempDir,
}

impl Baresip {
    /// Registered for a user of domain.com at a server, over `udp` or `tcp`; the friend is whom it writes to.
    pub(super) fn register(user: &str, server: SocketAddr, transport: &str, friend: &str) -> Self {
        // On a busy machine one does now and then come up without its console.
        let this = (0..3).find_map(|_| Self::start(user, server, transport, friend));
        let this = this.expect("a baresip with a console");
        wait_for_binding(user, server);
        this
    }

    fn start(user: &str, server: SocketAddr, transport: &str, friend: &str) -> Option<Self> {
        let (folder, console) = (TempDir::new().unwrap(), free_address());
        let config = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:0\nnet_interface 127.0.0.1\n\
             module_path /usr/lib/baresip/modules\nmodule cons.so\nmodule_tmp account.so\n\
             module_app menu.so\nmodule_app contact.so\ncons_listen {console}\n"
        );
        let account = format!(
            "<sip:{user}@domain.com;transport={transport}>;outbound=\"sip:{server};transport={transport}\";regint=600;\
             auth_pass=none\n"
        );
        fs::write(folder.path().join("config"), config).unwrap();
        fs::write(folder.path().join("accounts"), account).unwrap();
        fs::write(folder.path().join("contacts"), format!("\"Friend\" <{friend}>\n")).unwrap();
        let mut command = Command::new(installed("baresip", "baresip-core"));
        command.arg("-f").arg(folder.path());
        let program = Program::start("baresip", command, None);
        let console = connect(console)?;
        Some(Self { console, shown: String::new(), _program: program, _folder: folder })
    }

    /// Waits until its console shows these words.
    pub(super) fn wait_for(&mut self, words: &str) {
        let until = Instant::now() + WAIT;
        let mut buffer = [0; 4096];
        while !self.shown.contains(words) {
            assert!(Instant::now() < until, "baresip does not show {words:?}, but {:?}", self.shown);
            if let Ok(length) = self.console.read(&mut buffer) {
                assert!(length > 0, "baresip ended; it showed {:?}", self.shown);
                self.shown.push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        }
    }

    /// Writes to the friend.
    pub(super) fn write(&mut self, text: &str) {
        self.console.write_all(b"/contact_next\n").unwrap();
        self.wait_for("Current contact: Friend");
        self.console.write_all(format!("/message {text}\n").as_bytes()).unwrap();
    }
}

fn connect(console: SocketAddr) -> Option<TcpStream> {
    let until = Instant::now() + WAIT / 3;
    while Instant::now() < until {
        if let Ok(stream) = TcpStream::connect(console) {
            stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            return Some(stream);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}
