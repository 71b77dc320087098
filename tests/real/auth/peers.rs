//! Programs that others wrote: they sign in with us, and we sign in with them.

use super::*;

/// SIPp as James: it gets the challenge, and is accepted with its answer.
fn sipp(proxy: SocketAddr, scratch: &Path) -> Ended {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/peers/sign_in.xml");
    let mut command = Command::new(installed("sipp", "sip-tester"));
    command.current_dir(scratch).env("TERM", "dumb").args(["-nostdin", "-m", "1", "-timeout", "25s"]);
    command.args(["-timeout_error", "-i", "127.0.0.1", "-auth_uri", "domain.com", "-sf"]).arg(scenario);
    command.arg("-p").arg(free_address().port().to_string()).arg(proxy.to_string());
    Program::start("sipp", command, None).end()
}

#[test]
fn w30_sipp_and_baresip_sign_in_by_md5_and_give_up_at_what_they_do_not_know() {
    let proxy = Asking::offering("md5");
    let added = user(proxy.folder.path(), &["add", "bella@domain.com"], "bellabella\n");
    assert_eq!(added.code(), 0, "{added:?}");
    // The running proxy knows her within a second, but baresip retries only rarely.
    let (over, until) = (proxy.udp(), Instant::now() + WAIT);
    let args = [
        "send",
        "--from",
        "sip:bella@domain.com",
        "--proxy",
        &over,
        "--to",
        "im:james@domain.com",
        "--text",
        "I.",
    ];
    while signed_in(&args, "bellabella").end().code() == 2 {
        assert!(Instant::now() < until, "Bella is not known");
        // Slowly enough not to count as guessing.
        std::thread::sleep(Duration::from_millis(300));
    }
    let scratch = TempDir::new().unwrap();
    let ended = sipp(proxy.address, scratch.path());
    assert_eq!(ended.code(), 0, "{ended:?}");
    let _bella = Baresip::sign_in(Account {
        user: "bella",
        server: proxy.address,
        transport: "udp",
        friend: "sip:james@domain.com",
        password: Some("bellabella"),
    });
    let ended = send(&proxy, "jamesjames", &["--to", "im:bella@domain.com"]);
    assert_eq!(ended.code(), 0, "{ended:?}");
    // This is why there is --auth md5.
    let other = Asking::start();
    let ended = sipp(other.address, scratch.path());
    assert_ne!(ended.code(), 0, "SIPp knows SHA-256 by now: {ended:?}");
}

#[test]
fn w30_we_sign_in_at_a_kamailio_that_counts_by_md5_and_by_sha_256() {
    let configuration = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/peers/digest.cfg");
    for algorithm in [&[][..], &["-A", "SHA"]] {
        let kamailio = Kamailio::start_with(configuration.to_str().unwrap(), algorithm);
        let over = kamailio.udp();
        let bob = signed_in(&["listen", "--as", "sip:bob@domain.com", "--proxy", &over], "sesame");
        let to = ["--to", "sip:bob@domain.com"];
        let until = Instant::now() + WAIT;
        // 404 until he has registered.
        loop {
            let ended = send_over(&over, "sesame", &to);
            if ended.code() == 0 {
                break;
            }
            assert!(Instant::now() < until, "{algorithm:?}: {ended:?}");
        }
        bob.line_with("Psst.");
        let ended = send_over(&over, "wrong", &to);
        assert_eq!(objects(&ended.out)[0]["status"], 407, "{algorithm:?}: {ended:?}");
        bob.signal("TERM");
        assert_eq!(bob.end().code(), 0);
    }
}
