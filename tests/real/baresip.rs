//! baresip without sound and screen: it takes commands on standard input, and prints what it shows on standard error.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{ChildStdin, Command};

use tempfile::TempDir;

use crate::peers::installed;
use crate::program::Program;

/// Its SIP sockets are on loopback, at any port; modules are loaded from Debian's folder. It has a codec to negotiate
/// in a call, but no audio source or player module, so it needs no sound card; its media ports are none that
/// `free_address` gives out.
const CONFIGURATION: &str = "poll_method epoll\nsip_listen 127.0.0.1:0\nnet_interface 127.0.0.1\nrtp_ports 10000-19998\n\
    module_path /usr/lib/baresip/modules\nmodule stdio.so\nmodule g711.so\nmodule_tmp account.so\n\
    module_app menu.so\nmodule_app contact.so\n";

/// The account of a baresip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account<'a> {
    /// A user of domain.com.
    pub(crate) user: &'a str,
    pub(crate) server: SocketAddr,
    /// `udp`, `tcp` or `tls`.
    pub(crate) transport: &'a str,
    /// The person it writes to.
    pub(crate) friend: &'a str,
    pub(crate) password: Option<&'a str>,
}

/// A registered baresip, ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Baresip {
    program: Program,
    commands: ChildStdin,
    _folder: TempDir,
}

impl Baresip {
    /// Registers for a user of domain.com at a server without authentication.
    pub(crate) fn register(user: &str, server: SocketAddr, transport: &str, friend: &str) -> Self {
        Self::sign_in(Account { user, server, transport, friend, password: None })
    }

    /// Returns once baresip itself reports that it is registered.
    pub(crate) fn sign_in(account: Account<'_>) -> Self {
        let folder = TempDir::new().unwrap();
        let Account { user, server, transport, friend, password } = account;
        // Without one it would ask at the keyboard.
        let password = password.unwrap_or("none");
        let account = format!(
            "<sip:{user}@domain.com;transport={transport}>;outbound=\"sip:{server};transport={transport}\";regint=600;\
             answermode=auto;auth_pass={password}\n"
        );
        fs::write(folder.path().join("config"), CONFIGURATION).unwrap();
        fs::write(folder.path().join("accounts"), account).unwrap();
        fs::write(folder.path().join("contacts"), format!("\"Friend\" <{friend}>\n")).unwrap();
        let mut command = Command::new(installed("baresip", "baresip-core"));
        command.arg("-v").arg("-f").arg(folder.path());
        let (program, commands) = Program::start_conversing("baresip", command);
        program.complaint_with("registered successfully");
        Self { program, commands, _folder: folder }
    }

    /// Waits until it shows these words.
    pub(crate) fn wait_for(&self, words: &str) {
        self.program.complaint_with(words);
    }

    /// Waits until it reports a call in these words.
    pub(crate) fn tells(&self, words: &str) {
        self.program.line_with(words);
    }

    /// Calls somebody, who answers automatically.
    pub(crate) fn dial(&mut self, uri: &str) {
        self.say(&format!("/dial {uri}\n"));
    }

    pub(crate) fn hang_up(&mut self) {
        self.say("/hangup\n");
    }

    /// Writes to the friend.
    pub(crate) fn write(&mut self, text: &str) {
        self.say(&format!("/contact_next\n/message {text}\n"));
    }

    fn say(&mut self, commands: &str) {
        self.commands.write_all(commands.as_bytes()).unwrap();
    }
}
