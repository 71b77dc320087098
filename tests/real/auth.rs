//! Passwords: users managed by command, digests computed with coreutils, and third-party programs that sign in (W12,
//! W13, W30).

mod peers;
mod users;

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::baresip::{Account, Baresip};
use crate::common::{free_address, objects, outcomes};
use crate::kamailio::Kamailio;
use crate::peers::installed;
use crate::program::{Ended, Program, WAIT, fanfare, fanfare_command, fanfare_reading};
use crate::socket::{Answering, Message, Phone, register, submission, unique};

/// A proxy that requires passwords.
struct Asking {
    program: Program,
    address: SocketAddr,
    folder: TempDir,
}

impl Asking {
    /// With James, Ann and Bob; each password is the name twice.
    fn start() -> Self {
        Self::offering("on")
    }

    fn offering(auth: &str) -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["james", "ann", "bob"] {
            let added =
                user(folder.path(), &["add", &format!("{name}@domain.com")], &format!("{name}{name}\n"));
            assert_eq!(added.code(), 0, "{added:?}");
        }
        let address = free_address();
        let program = run(address, folder.path(), auth);
        Self { program, address, folder }
    }

    fn udp(&self) -> String {
        format!("udp:{}", self.address)
    }
}

fn run(address: SocketAddr, folder: &Path, auth: &str) -> Program {
    let (udp, tcp) = (format!("udp:{address}"), format!("tcp:{address}"));
    let data = folder.to_str().unwrap();
    let args = ["--listen", &udp, "--listen", &tcp, "--data", data, "--t1", "20ms", "--auth", auth];
    let program = fanfare(&[&["proxy", "--domain", "domain.com"], &args[..]].concat());
    program.line_with("listening tcp");
    program
}

/// Runs `fanfare proxy user VERB ... --data DIR` until it ends.
fn user(folder: &Path, args: &[&str], input: &str) -> Ended {
    let data = folder.to_str().unwrap();
    let ended = fanfare_reading(&[&["proxy", "user"], args, &["--data", data]].concat(), input).end();
    ended.assert_no_panic();
    ended
}

/// The hash of a text, computed by a program of coreutils.
fn sum(program: &str, text: &str) -> String {
    let mut child =
        Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("coreutils");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    String::from_utf8(out.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

/// The nonce in the challenge for this algorithm.
fn nonce(asked: &Message, field: &str, algorithm: &str) -> String {
    let challenges = asked.values(field);
    let wanted = format!("algorithm={algorithm},");
    let found = challenges.iter().find(|value| value.contains(&wanted));
    let found = found.unwrap_or_else(|| panic!("no {algorithm} in {}", asked.text));
    found.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// The request again, with the next CSeq, another branch, and a digest in this header field.
fn with_digest(request: &str, field: &str, (name, password): (&str, &str), nonce: &str, nc: u32) -> String {
    let mut words = request.split(' ');
    let (method, uri) = (words.next().unwrap(), words.next().unwrap());
    let ha1 = sum("sha256sum", &format!("{name}:domain.com:{password}"));
    let ha2 = sum("sha256sum", &format!("{method}:{uri}"));
    let response = sum("sha256sum", &format!("{ha1}:{nonce}:{nc:08x}:7f:auth:{ha2}"));
    let value = format!(
        "Digest username=\"{name}\", realm=\"domain.com\", nonce=\"{nonce}\", uri=\"{uri}\", \
         algorithm=SHA-256, qop=auth, nc={nc:08x}, cnonce=\"7f\", response=\"{response}\""
    );
    request.replacen("branch=z9hG4bK", &format!("branch=z9hG4bK{}x", unique()), 1).replacen(
        "CSeq: 1 ",
        &format!("{field}: {value}\r\nCSeq: {} ", nc + 1),
        1,
    )
}

/// Registers a phone as this user; returns the nonce.
fn sign_in(phone: &Phone, name: &str, proxy: SocketAddr) -> String {
    let request = register(name, &format!("<{}>", phone.uri(name)), phone.address);
    let asked = phone.ask(proxy, &request);
    assert_eq!(asked.start(), "SIP/2.0 401 Unauthorized", "{}", asked.text);
    let nonce = nonce(&asked, "WWW-Authenticate", "SHA-256");
    let password = format!("{name}{name}");
    let answer = phone.ask(proxy, &with_digest(&request, "Authorization", (name, &password), &nonce, 1));
    assert_eq!(answer.start(), "SIP/2.0 200 OK", "{}", answer.text);
    nonce
}

#[test]
fn w30_bare_sockets_sign_in_with_digests_of_coreutils_and_nobody_writes_as_another() {
    let proxy = Asking::start();
    let ann = Phone::new();
    sign_in(&ann, "ann", proxy.address);
    let ann = Answering::new(ann, |_, _| Some("200 OK"));
    let james = Phone::new();
    let nonce = sign_in(&james, "james", proxy.address);
    let people = ["im:ann@domain.com", "im:nobody@domain.com"];
    let request = submission(james.address, &people, "Delivery-Report: final;detail\r\n", "Come here.");
    let asked = james.ask(proxy.address, &request);
    assert_eq!(asked.start(), "SIP/2.0 407 Proxy Authentication Required");
    let order: Vec<bool> =
        asked.values("Proxy-Authenticate").iter().map(|value| value.contains("algorithm=SHA-256")).collect();
    assert_eq!(order, [true, false], "RFC 8760: {}", asked.text);
    let said = |request: &str, password: &str, nc: u32| {
        with_digest(request, "Proxy-Authorization", ("james", password), &nonce, nc)
    };
    let wrong = james.ask(proxy.address, &said(&request, "guess", 2));
    assert_eq!(wrong.start(), "SIP/2.0 407 Proxy Authentication Required");
    let as_ann = request.replacen("im:james@", "im:ann@", 1);
    let forged = james.ask(proxy.address, &said(&as_ann, "jamesjames", 3));
    assert_eq!(forged.start(), "SIP/2.0 403 From Is Another User's");
    assert!(ann.seen().is_empty(), "W13: {:#?}", ann.seen());

    let answer = james.ask(proxy.address, &said(&request, "jamesjames", 4));
    assert_eq!(answer.start(), "SIP/2.0 202 Accepted", "{}", answer.text);
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    let told = outcomes(&report);
    assert!(told[0].1.starts_with("success;status=200"), "{told:?}");
    assert!(told[1].1.starts_with("failure;status=404"), "W18: {told:?}");
    let seen = ann.seen();
    assert!(seen.iter().all(|leg| !leg.text.contains("Digest")), "W15: {seen:#?}");
    // Credentials that were used once are not accepted again, wherever they come from.
    let thief = Phone::new();
    let other = submission(thief.address, &people, "", "Stolen.");
    let replayed = thief.ask(proxy.address, &said(&other, "jamesjames", 4));
    assert_eq!(replayed.start(), "SIP/2.0 407 Proxy Authentication Required");
    assert!(replayed.values("Proxy-Authenticate")[0].ends_with("stale=true"), "{}", replayed.text);
    drop(proxy.program);
}

/// `fanfare listen` or `fanfare send` with the password in the environment.
fn signed_in(args: &[&str], password: &str) -> Program {
    let mut command = fanfare_command(args);
    command.env("FANFARE_PASSWORD", password);
    Program::start("fanfare", command, None)
}

fn send(proxy: &Asking, password: &str, to: &[&str]) -> Ended {
    send_over(&proxy.udp(), password, to)
}

/// With a `sip:` address, because Kamailio's authentication answers 500 to `im:` in From.
fn send_over(over: &str, password: &str, to: &[&str]) -> Ended {
    let args = ["send", "--from", "sip:james@domain.com", "--proxy", over, "--json", "--text", "Psst."];
    let ended = signed_in(&[&args[..], to].concat(), password).end();
    ended.assert_no_panic();
    ended
}

#[test]
fn w30_our_own_programs_sign_in_and_a_wrong_password_is_told() {
    let proxy = Asking::start();
    let file = proxy.folder.path().join("password");
    fs::write(&file, "bobbob\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let (over, file) = (proxy.udp(), file.to_str().unwrap().to_owned());
    let bob = fanfare(&["listen", "--as", "im:bob@domain.com", "--proxy", &over, "--password-file", &file]);
    let to = ["--to", "im:bob@domain.com"];
    let until = Instant::now() + WAIT;
    // 480 until he has registered.
    let ended = loop {
        let ended = send(&proxy, "jamesjames", &to);
        if ended.code() == 0 || Instant::now() > until {
            break ended;
        }
    };
    assert_eq!(ended.code(), 0, "{ended:?}");
    bob.line_with("Psst.");
    for (password, status) in [("wrong", 407), ("", 407)] {
        let ended = send(&proxy, password, &to);
        assert_eq!(ended.code(), 2, "{ended:?}");
        assert_eq!(objects(&ended.out)[0]["status"], status, "{ended:?}");
    }
    let over = proxy.udp();
    let stranger = signed_in(&["listen", "--as", "im:ann@domain.com", "--proxy", &over], "wrong");
    let ended = stranger.end();
    assert_eq!(ended.code(), 2, "another password is needed, so it does not try again: {ended:?}");
    let words = format!(
        "fanfare: not registered as im:ann@domain.com at {over}: 401 Unauthorized: the password is not right"
    );
    assert!(ended.err.iter().any(|line| line.starts_with(&words)), "{ended:?}");
    bob.signal("TERM");
    assert_eq!(bob.end().code(), 0);
}

#[test]
fn w30_beyond_loopback_a_proxy_asks_for_passwords_or_does_not_start() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    let open = ["proxy", "--domain", "domain.com", "--listen", "udp:0.0.0.0:0"];
    for (more, says) in [
        (&["--auth", "off", "--data", data][..], "cannot listen on 0.0.0.0:0: without authentication"),
        (
            &[],
            "nobody could sign in, because with authentication the users are kept in the store: give its folder with --data",
        ),
    ] {
        let ended = fanfare(&[&open[..], more].concat()).end();
        assert_eq!(ended.code(), 2, "{ended:?}");
        assert!(ended.said().contains(says), "{ended:?}");
    }
    let proxy = fanfare(&[&open[..], &["--data", data]].concat());
    let line = proxy.line_with("listening udp 0.0.0.0:");
    let port: u16 = line.rsplit(':').next().unwrap().parse().unwrap();
    let phone = Phone::new();
    let request = register("ann", &format!("<{}>", phone.uri("ann")), phone.address);
    let asked = phone.ask(SocketAddr::from(([127, 0, 0, 1], port)), &request);
    assert_eq!(asked.start(), "SIP/2.0 401 Unauthorized");
}

#[test]
fn w30_datagrams_in_his_name_lock_nobody_out_and_a_guesser_is_named_in_the_log() {
    let proxy = Asking::start();
    let (james, other) = (Phone::new(), Phone::new());
    let request = register("james", &format!("<{}>", james.uri("james")), james.address);
    // His address, but a nonce that was never sent to it: a spoofing sender sees none.
    for number in 1..=20 {
        let guess = with_digest(&request, "Authorization", ("james", "wrong"), "x", number);
        let answer = other.ask(proxy.address, &guess);
        assert_eq!(answer.start(), "SIP/2.0 401 Unauthorized", "{}", answer.text);
        let challenges = answer.values("WWW-Authenticate");
        assert!(challenges.iter().all(|value| value.ends_with("stale=true")), "{}", answer.text);
    }
    sign_in(&james, "james", proxy.address);
    let asked = other.ask(proxy.address, &request);
    let given = nonce(&asked, "WWW-Authenticate", "SHA-256");
    for number in 1..=10 {
        let guess = with_digest(&request, "Authorization", ("james", "wrong"), &given, number);
        assert_eq!(other.ask(proxy.address, &guess).start(), "SIP/2.0 401 Unauthorized");
    }
    let right = with_digest(&request, "Authorization", ("james", "jamesjames"), &given, 11);
    assert_eq!(other.ask(proxy.address, &right).start(), "SIP/2.0 403 Too Many Wrong Passwords");
    for kind in ["wrong-password", "locked-out"] {
        let line = proxy.program.complaint_with(&format!("kind={kind}"));
        let told = format!(
            "refused source=127.0.0.1 kind={kind} verified=yes transport=udp count=1 who=james@domain.com"
        );
        assert!(line.contains(" WARN ") && line.ends_with(&told), "{line}");
    }
    // James himself can still sign in from where he registered.
    sign_in(&james, "james", proxy.address);
}
