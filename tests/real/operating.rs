//! What an operator does and is told: reloaded settings, warnings, files that have vanished.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use crate::common::{Proxy, assert_busy, free_address};
use crate::program::{Program, fanfare, fanfare_command, fanfare_reading};
use crate::socket::{Answering, Phone, submission};
use crate::tls::write_private;

#[test]
fn a_folder_before_the_command_is_an_error_and_none_at_all_is_a_warning() {
    let folder = TempDir::new().unwrap();
    let (data, listen) = (folder.path().to_str().unwrap(), format!("udp:{}", free_address()));
    let proxy = ["proxy", "--domain", "domain.com", "--listen", &listen];
    for command in [&proxy[..], &["proxy", "user", "list"]] {
        let refused = fanfare(&[&["--data", data], command].concat()).end();
        assert_eq!(refused.code(), 2, "{refused:?}");
        let words = "fanfare: --data before the command is for the window only; put it at the end: fanfare COMMAND ... --data DIR";
        assert_eq!(refused.err, [words], "{refused:?}");
    }
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing is made");

    let program = fanfare(&proxy);
    program.complaint_with("without --data nothing is kept");
    program.signal("TERM");
    assert_eq!(program.end().code(), 0);
    let program = fanfare(&[&proxy[..], &["--data", data]].concat());
    program.line_with("listening udp");
    program.signal("TERM");
    let ended = program.end();
    assert_eq!((ended.code(), ended.err.len()), (0, 0), "{ended:?}");
    let program = fanfare(&[&proxy[..], &["--data", data, "--auth", "on"]].concat());
    program.complaint_with("there are no users yet: fanfare proxy user add NAME@domain.com --data");
    program.signal("TERM");
    assert_eq!(program.end().code(), 0);
}

#[test]
fn w13_sighup_reads_the_settings_again_and_says_what_needs_a_restart() {
    let folder = TempDir::new().unwrap();
    let (address, file) = (free_address(), folder.path().join("proxy.ron"));
    let settings = |more: &str| {
        let text = format!(
            "(domains: [\"domain.com\"], listens: [\"udp:{address}\"], data: {:?}, {more})",
            folder.path().join("data").to_str().unwrap()
        );
        fs::write(&file, text).unwrap();
    };
    settings("recipients_max: 2");
    let program = fanfare(&["proxy", "--config", file.to_str().unwrap()]);
    program.line_with("listening udp");
    let james = Phone::new();
    let people = ["im:a@domain.com", "im:b@domain.com"];
    let ask = || {
        let request = submission(james.address, &people, "Delivery-Report: none\r\n", "Hi");
        james.ask(address, &request).start().to_owned()
    };
    assert_eq!(ask(), "SIP/2.0 202 Accepted");

    settings("recipients_max: 1, t1: \"1s\", log: \"debug\"");
    program.signal("HUP");
    program.complaint_with(
        "SIGHUP: the settings were read again; changed: recipients_max: 2 -> 1; log: not set -> debug",
    );
    program.complaint_with("SIGHUP: these changes need a restart: t1: not set -> 1000ms");
    assert!(ask().starts_with("SIP/2.0 403 "), "the limit of now");
    program.complaint_with("DEBUG");

    settings("recipients_max: \"many\"");
    program.signal("HUP");
    program.complaint_with("SIGHUP: nothing was reloaded, the old settings stay in use: ");
    assert!(ask().starts_with("SIP/2.0 403 "), "the limit of before");
    program.signal("TERM");
    assert_eq!(program.end().code(), 0);
}

#[test]
fn an_unknown_log_level_is_refused_and_a_bad_file_is_told_however_little_is_logged() {
    let folder = TempDir::new().unwrap();
    let (address, file) = (free_address(), folder.path().join("proxy.ron"));
    let settings = |log: &str| {
        let text = format!("(domains: [\"domain.com\"], listens: [\"udp:{address}\"], log: {log:?})");
        fs::write(&file, text).unwrap();
    };
    let name = file.to_str().unwrap();
    let words = "\"wran\" is not a log level; the levels are off, error, warn, info, debug, trace";
    settings("wran");
    let refused = fanfare(&["proxy", "--config", name]).end();
    assert_eq!(refused.code(), 2, "{refused:?}");
    assert!(refused.err[0].starts_with(&format!("fanfare: {name}: log: {words}")), "{refused:?}");

    let mut command =
        fanfare_command(&["proxy", "--domain", "domain.com", "--listen", &format!("udp:{address}")]);
    command.env("FANFARE_LOG", "wran");
    let refused = Program::start("fanfare", command, None).end();
    assert_eq!(refused.code(), 2, "{refused:?}");
    assert!(refused.err[0].starts_with(&format!("fanfare: FANFARE_LOG: {words}")), "{refused:?}");

    settings("off");
    let program = fanfare(&["proxy", "--config", name]);
    program.line_with("listening udp");
    settings("wran");
    program.signal("HUP");
    let told = program.complaint_with("SIGHUP: nothing was reloaded");
    assert!(told.contains(" ERROR ") && told.contains(words), "{told}");
    program.signal("TERM");
    assert_eq!(program.end().code(), 0);
}

#[test]
fn w32_sighup_says_when_a_certificate_cannot_be_used() {
    let folder = TempDir::new().unwrap();
    let certificate = folder.path().join("server.pem");
    let made = rcgen::generate_simple_self_signed(vec!["domain.com".to_owned()]).unwrap();
    let pem = made.cert.pem() + &made.signing_key.serialize_pem();
    write_private(&certificate, &pem);
    let name = certificate.to_str().unwrap();
    let listen = format!("tls:{}", free_address());
    let program = fanfare(&["proxy", "--domain", "domain.com", "--listen", &listen, "--tls-cert", name]);
    program.line_with("listening tls");
    program.signal("HUP");
    program.complaint_with("SIGHUP: there is no --config file to read, so the settings stay as they are");
    program.complaint_with("SIGHUP: the certificates were read again");
    fs::write(&certificate, "no certificate").unwrap();
    program.signal("HUP");
    let told = program.complaint_with("SIGHUP: the old certificates stay in use: ");
    assert!(told.contains(name), "{told}");
    program.signal("TERM");
    assert_eq!(program.end().code(), 0);
}

#[test]
fn w13_a_folder_that_is_removed_while_the_proxy_runs_is_503() {
    let proxy = Proxy::start();
    let james = Phone::new();
    let ask = |text: &str| {
        let request = submission(james.address, &["im:a@domain.com"], "Delivery-Report: none\r\n", text);
        james.ask(proxy.address, &request)
    };
    assert_eq!(ask("Before.").start(), "SIP/2.0 202 Accepted");
    for file in fs::read_dir(proxy.folder.path()).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    assert_busy(&ask("Into nothing."));
    assert_busy(&ask("Once more."));
    proxy.program.complaint_with("is gone, or another file is in its place");
}

#[test]
fn w10_send_says_that_what_is_kept_will_be_tried_again_and_it_is() {
    let (kept, address) = (TempDir::new().unwrap(), free_address());
    let over = format!("udp:{address}");
    let args = ["send", "--from", "im:james@domain.com", "--proxy", &over, "--to", "im:bob@domain.com"];
    let data = ["--data", kept.path().to_str().unwrap()];
    let lost = fanfare(&[&args[..], &data, &["--text", "First.", "--timeout", "2s"]].concat()).end();
    assert_eq!(lost.code(), 2, "{lost:?}");
    let told = &lost.out[0];
    assert!(told.starts_with("not confirmed, will be tried again with this --data folder: "), "{lost:?}");
    let lost = fanfare(&[&args[..], &["--text", "Not kept.", "--timeout", "1s"]].concat()).end();
    assert_eq!(lost.code(), 2, "{lost:?}");
    assert!(!lost.said().contains("will be tried again with"), "{lost:?}");

    let _proxy = Proxy::start_again(address, TempDir::new().unwrap());
    let bob = Phone::new();
    bob.register("bob", address);
    let bob = Answering::new(bob, |_, _| Some("200 OK"));
    let sent = fanfare(&[&args[..], &data, &["--text", "Second."]].concat()).end();
    assert_eq!(sent.code(), 0, "{sent:?}");
    let texts: Vec<String> = bob.wait("both", |seen| {
        let texts: Vec<String> = seen.iter().map(|leg| leg.body().to_owned()).collect();
        (texts.len() > 1).then_some(texts)
    });
    assert_eq!(texts, ["First.", "Second."]);
}

#[test]
fn w30_a_password_file_that_others_may_read_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "sesame\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (file, over) = (file.to_str().unwrap(), format!("udp:{}", free_address()));
    for command in [
        vec!["send", "--from", "im:j@domain.com", "--to", "im:a@domain.com", "--text", "Hi"],
        vec!["listen", "--as", "im:j@domain.com"],
    ] {
        let refused = fanfare(&[&command[..], &["--proxy", &over, "--password-file", file]].concat()).end();
        assert_eq!(refused.code(), 2, "{refused:?}");
        let words = format!(
            "fanfare: {file} holds a password, and others may read or change it (mode 0644); make it private with: \
             chmod 600 {file}"
        );
        assert_eq!(refused.err, [words], "{refused:?}");
    }
}

#[test]
fn a_user_of_a_domain_that_the_settings_do_not_name_is_warned_of_before_the_first_start() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("proxy.ron"));
    fs::write(&file, format!("(domains: [\"domain.com\"], data: {data:?})")).unwrap();
    let add = |user: &str| {
        fanfare_reading(&["proxy", "user", "add", user, "--config", file.to_str().unwrap()], "sesame\n").end()
    };
    let added = add("bob@domian.com");
    assert_eq!(added.code(), 0, "{added:?}");
    assert!(
        added.said().contains("warning: this proxy does not serve the domain of bob@domian.com"),
        "{added:?}"
    );
    let added = add("bob@domain.com");
    assert_eq!((added.code(), added.err.len()), (0, 0), "{added:?}");
}

#[test]
fn what_may_be_a_mistake_in_users_and_lists_is_said() {
    let proxy = Proxy::start();
    let data = proxy.folder.path().to_str().unwrap();
    let change =
        |args: &[&str]| fanfare_reading(&[&["proxy"], args, &["--data", data]].concat(), "sesame\n").end();
    let added = change(&["user", "add", "ann@elsewhere.com"]);
    assert_eq!(added.code(), 0, "{added:?}");
    assert!(added.said().contains("warning: this proxy does not serve the domain of ann@elsewhere.com"));
    let added = change(&["user", "add", "ann@domain.com"]);
    assert_eq!((added.code(), added.err.len()), (0, 0), "{added:?}");
    let refused = change(&["alias", "add", "ann@domain.com", "bob@domain.com"]);
    assert_eq!(refused.code(), 1, "{refused:?}");
    assert!(refused.said().contains("ann@domain.com is a user"), "{refused:?}");
    let added = change(&["alias", "add", "team@domain.com", "ann@domain.com", "nobody@domain.com"]);
    assert_eq!(added.code(), 0, "{added:?}");
    assert_eq!(added.err.len(), 1, "{added:?}");
    assert!(added.err[0].contains("warning: nobody@domain.com is neither a user nor a list"), "{added:?}");
    let refused = change(&["user", "add", "team@domain.com"]);
    assert_eq!(refused.code(), 1, "{refused:?}");
    let removed = change(&["user", "remove", "ann@domain.com"]);
    assert_eq!(removed.code(), 0, "{removed:?}");
    assert!(
        removed.said().contains("warning: ann@domain.com is still a member of team@domain.com"),
        "{removed:?}"
    );
}
