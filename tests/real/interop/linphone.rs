//! linphonec, Linphone without window and sound; it takes commands on standard input.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{ChildStdin, Command};

use tempfile::TempDir;

use crate::common::wait_for_binding;
use crate::peers::installed;
use crate::program::Program;

/// A registered linphonec, ended when this is dropped.
#[derive(Debug)]
pub(super) struct Linphone {
    program: Program,
    commands: ChildStdin,
    _home: TempDir,
}

impl Linphone {
    /// Registers for a user of domain.com at a server, over `udp` or `tcp`.
    pub(super) fn register(user: &str, server: SocketAddr, transport: &str) -> Self {
        let this = Self::start(user, &format!("sip:{server};transport={transport}"), "");
        wait_for_binding(user, server);
        this
    }

    /// Registers at a server over TLS, on this port of localhost, whose certificate is from the authority in this file.
    pub(super) fn register_securely(user: &str, server: SocketAddr, (port, authority): (u16, &str)) -> Self {
        let trust = format!("root_ca={authority}\nverify_server_certs=1\nverify_server_cn=1\n");
        let this = Self::start(user, &format!("sip:localhost:{port};transport=tls"), &trust);
        wait_for_binding(user, server);
        this
    }

    fn start(user: &str, server: &str, more: &str) -> Self {
        let home = TempDir::new().unwrap();
        let settings = home.path().join("linphonerc");
        // It stores its messages there, but does not create the folders.
        for folder in [".local/share/linphone", ".config/linphone"] {
            fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        let account = format!(
            "[sip]\nbind_address=127.0.0.1\nsip_port=-1\nsip_tcp_port=-1\nsip_tls_port=-1\nuse_ipv6=0\nguess_hostname=0\n\
             contact=\"{user}\" <sip:{user}@127.0.0.1>\ndefault_proxy=0\nauto_net_state_mon=0\n\
             register_only_when_network_is_up=0\n{more}\n\
             [sound]\nplayback_dev_id=ANULL\ncapture_dev_id=ANULL\nringer_dev_id=ANULL\n\n\
             [proxy_0]\nreg_proxy=<{server}>\nreg_route=<{server};lr>\n\
             reg_identity=<sip:{user}@domain.com>\nreg_expires=3600\nreg_sendregister=1\npublish=0\n"
        );
        fs::write(&settings, account).unwrap();
        // Programs started here have no HOME, but linphonec needs one.
        let mut command = Command::new("env");
        command.arg(format!("HOME={}", home.path().display()));
        command.arg(installed("linphonec", "linphone-cli")).arg("-a").arg("-c").arg(settings);
        let (program, commands) = Program::start_conversing("linphonec", command);
        Self { program, commands, _home: home }
    }

    /// Waits until it shows a message; the sender's line comes first.
    pub(super) fn wait_for(&self, from: &str, text: &str) {
        self.program.line_with(&format!("Message received from {from}: {text}"));
    }

    /// Writes to somebody.
    pub(super) fn write(&mut self, to: &str, text: &str) {
        self.say(&format!("chat {to} {text}"));
    }

    /// Calls somebody, who answers automatically.
    pub(super) fn dial(&mut self, uri: &str) {
        self.say(&format!("call {uri}"));
    }

    pub(super) fn hang_up(&mut self) {
        self.say("terminate");
    }

    /// Waits until it reports this state for its call of that number; the first call is 1.
    pub(super) fn wait_for_call(&self, number: u32, with: &str, state: &str) {
        self.program.line_with(&format!("Call {number} with {with} {state}"));
    }

    fn say(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
        self.commands.flush().unwrap();
    }
}
