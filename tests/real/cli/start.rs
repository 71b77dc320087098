//! The start of the proxy: what it says once it is ready, and why it does not start.

use super::*;

/// Runs `fanfare proxy` with settings it must refuse: it ends by itself, gives a reason, and does not panic.
fn refuses_to_start(args: &[&str]) -> String {
    let mut all = vec!["proxy", "--domain", "domain.com"];
    all.extend(args);
    let ended = fanfare(&all).end();
    assert_eq!(ended.code(), 2, "{ended:?}");
    ended.assert_no_panic();
    assert!(ended.out.is_empty(), "{ended:?}");
    assert_eq!(ended.err.len(), 1, "one clear line: {ended:?}");
    ended.said()
}

#[test]
fn the_proxy_names_each_socket_and_ends_cleanly_when_told_to() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    for signal in ["TERM", "INT"] {
        let proxy = fanfare(&[
            "proxy",
            "--domain",
            "domain.com",
            "--listen",
            "udp:127.0.0.1:0",
            "--listen",
            "tcp:127.0.0.1:0",
            "--listen",
            "udp:[::1]:0",
            "--data",
            data,
        ]);
        let udp = proxy.line_with("listening udp 127.0.0.1:");
        let port: u16 = udp.trim_start_matches("listening udp 127.0.0.1:").parse().unwrap();
        assert_ne!(port, 0);
        proxy.line_with("listening tcp 127.0.0.1:");
        proxy.line_with("listening udp [::1]:");
        assert_eq!(proxy.lines().len(), 3, "{:?}", proxy.lines());
        proxy.signal(signal);
        let ended = proxy.end();
        assert_eq!(ended.code(), 0, "{signal}: {ended:?}");
        assert!(ended.err.is_empty(), "{signal}: {ended:?}");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken = udp.local_addr().unwrap().to_string();
    let said = refuses_to_start(&["--listen", &format!("udp:{taken}")]);
    assert!(said.contains(&taken), "{said}");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = tcp.local_addr().unwrap().to_string();
    let said = refuses_to_start(&["--listen", &format!("tcp:{taken}")]);
    assert!(said.contains(&taken), "{said}");
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "not a folder").unwrap();
    for data in [file.join("data"), "/proc/fanfare-data".into()] {
        let data = data.to_str().unwrap();
        let said = refuses_to_start(&["--listen", "udp:127.0.0.1:0", "--data", data]);
        assert!(said.contains(data), "{said}");
        for verb in [
            &["listen", "--as", "im:bob@domain.com", "--proxy", "udp:127.0.0.1:5060", "--data", data][..],
            &[
                "send",
                "--from",
                "im:j@domain.com",
                "--proxy",
                "udp:127.0.0.1:5060",
                "--to",
                "im:a@b",
                "--data",
                data,
            ],
        ] {
            let ended = fanfare_reading(verb, "Hi").end();
            assert_ne!(ended.code(), 0, "{ended:?}");
            ended.assert_no_panic();
            assert!(ended.err.join("\n").contains(data), "{ended:?}");
        }
    }
}

#[test]
fn a_store_that_is_none_is_named_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    let proxy = fanfare(&["proxy", "--domain", "domain.com", "--listen", "udp:127.0.0.1:0", "--data", data]);
    proxy.line_with("listening");
    proxy.signal("TERM");
    assert_eq!(proxy.end().code(), 0);
    let stores: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let store =
        stores.iter().find(|path| path.extension().is_some_and(|kind| kind == "sqlite3")).expect("a store");
    for left in &stores {
        std::fs::remove_file(left).unwrap();
    }
    std::fs::write(store, "this was a letter to grandmother, and never a database\n".repeat(100)).unwrap();
    let before = std::fs::read(store).unwrap();
    let said = refuses_to_start(&["--listen", "udp:127.0.0.1:0", "--data", data]);
    assert!(said.contains(store.to_str().unwrap()), "{said}");
    assert_eq!(std::fs::read(store).unwrap(), before);
}

#[test]
fn a_broken_configuration_is_named_with_its_line() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("proxy.ron");
    std::fs::write(&file, "(\n    domains: [\"domain.com\"],\n    listens: oops\n)\n").unwrap();
    let name = file.to_str().unwrap();
    let said = refuses_to_start(&["--listen", "udp:127.0.0.1:0", "--config", name]);
    assert!(said.contains(&format!("{name}:3")), "file and line: {said}");
    assert!(file.exists(), "an operator's file stays where it is");

    let absent = folder.path().join("absent.ron");
    let said = refuses_to_start(&["--listen", "udp:127.0.0.1:0", "--config", absent.to_str().unwrap()]);
    assert!(said.contains(absent.to_str().unwrap()), "{said}");
}
