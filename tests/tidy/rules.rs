//! Each rule of `tests/tidy.rs`, tried on sample text that breaks it.

use super::documents::{lines_without_a_test, missing_tests};
use super::*;

fn complaints(files: &[(&str, &str)]) -> Vec<String> {
    super::complaints(&files.iter().map(|(path, text)| Source::new(path, text)).collect::<Vec<_>>())
}

/// Complaints about one file of a core, beside a library that leads to it.
fn complaints_in_the_proxy(text: &str) -> Vec<String> {
    complaints(&[("src/lib.rs", "//! Map.\nmod proxy;\n"), ("src/proxy.rs", text)])
}

#[test]
fn a_file_without_its_doc_is_seen() {
    assert_eq!(complaints_in_the_proxy("//! Proxy.\n"), [""; 0]);
    assert_eq!(
        complaints_in_the_proxy("use std::fmt;\n"),
        ["src/proxy.rs:1: a file opens with `//!` and says what lives here"]
    );
}

#[test]
fn words_of_the_shell_in_a_core_are_seen_and_in_words_strings_and_tests_are_not() {
    for (line, seen) in [
        ("use tokio::net::UdpSocket;", 3),
        ("async fn f() {}", 1),
        ("fn f() { let now = Instant::now(); }", 1),
        ("fn f() { let map: HashMap<u8, u8>; }", 1),
        ("// tokio is not known here", 0),
        ("/* nor /* is */ tokio */", 0),
        ("const A: &str = \"tokio\";", 0),
        ("const B: &str = r#\"a \" tokio\"#;", 0),
        ("const C: char = '\"'; const D: char = '\\''; // tokio", 0),
        ("fn f<'a>(x: &'a str, y: &'a str) -> &'a str { x } // tokio '", 0),
        ("#[cfg(test)]\nmod tests { use std::thread; fn f() { Instant::now(); } }", 0),
        ("fn f() { let my_tokio_like = 1; }", 0),
        ("struct A { #[cfg(test)] at: Instant::now, b: u8 }", 0),
        ("impl A { /** Of tests. */ #[cfg(test)] fn f(a: u8, b: u8) { tokio() } }", 0),
    ] {
        let found = complaints_in_the_proxy(&format!("//! Proxy.\n{line}\n"));
        assert_eq!(found.len(), seen, "{line}: {found:?}");
    }
}

#[test]
fn a_hashed_table_needs_its_reason() {
    let bare = "//! Proxy.\nstruct A { map: HashMap<u8, u8> }\n";
    assert_eq!(complaints_in_the_proxy(bare), ["src/proxy.rs:2: `HashMap` has no place in a core"]);
    let measured =
        "//! Proxy.\n#[expect(clippy::disallowed_types, reason = \"hot\")]\ntype A = HashMap<u8, u8>;\n";
    assert_eq!(complaints_in_the_proxy(measured), [""; 0]);
}

#[test]
fn only_the_clock_reads_the_clock() {
    let files =
        [("src/lib.rs", "//! Map.\nmod time;\n"), ("src/time.rs", "//! Time.\nfn f() { Instant::now(); }\n")];
    assert_eq!(complaints(&files), [""; 0]);
    assert_eq!(complaints_in_the_proxy("//! P.\nfn f() { SystemTime::now(); }\n").len(), 1);
}

#[test]
fn a_room_may_know_lower_ones_only() {
    let good =
        "//! Proxy.\nuse crate::sip::{Uri, message::Request};\nuse crate::{machine::Flow, time::Now};\n";
    assert_eq!(complaints_in_the_proxy(good), [""; 0]);
    let bad = "//! Proxy.\nuse crate::{\n    client::Command,\n    sip::Uri,\n};\nfn f() -> crate::store::Store {}\n";
    assert_eq!(
        complaints_in_the_proxy(bad),
        ["src/proxy.rs:2: `proxy` may not know `client`", "src/proxy.rs:6: `proxy` may not know `store`"]
    );
}

#[test]
fn some_rooms_see_only_a_part_of_another() {
    let lib = ("src/lib.rs", "//! Map.\nmod store;\n");
    let good =
        ("src/store.rs", "//! Store.\nuse crate::proxy::journal::Write;\nuse crate::model::journal;\n");
    assert_eq!(complaints(&[lib, good]), [""; 0]);
    let bad = ("src/store.rs", "//! Store.\nuse crate::proxy::{journal::Write, dispatch};\n");
    assert_eq!(complaints(&[lib, bad]), ["src/store.rs:2: of `proxy`, `store` sees only journal"]);
}

#[test]
fn a_room_without_a_line_is_seen() {
    let files = [("src/lib.rs", "//! Map.\nmod util;\n"), ("src/util.rs", "//! Things.\n")];
    assert_eq!(complaints(&files), ["src/util.rs:1: the room `util` has no line in tests/tidy.rs"]);
}

#[test]
fn a_part_may_know_those_listed_after_it_only() {
    let lib = ("src/lib.rs", "//! Map.\nmod proxy;\n");
    let door = (
        "src/proxy.rs",
        "//! Door.\nmod dispatch;\nmod branch;\npub use dispatch::{Dispatch, Status as S};\n",
    );
    let dispatch = ("src/proxy/dispatch.rs", "//! D.\nuse super::branch::Branch;\nuse super::Proxy;\n");
    for (line, seen) in [
        ("use super::dispatch::Thing;", 1),
        ("use super::{Proxy, Dispatch};", 1),
        ("use crate::proxy::{dispatch::Thing, Proxy};", 1),
        ("fn f() -> super::Dispatch {}", 1),
        ("pub(super) fn f() {}", 0),
        ("use super::Proxy;", 0),
        ("#[cfg(test)]\nmod tests { use super::super::dispatch::Thing; }", 0),
    ] {
        let branch = format!("//! B.\n{line}\n");
        let found = complaints(&[lib, door, dispatch, ("src/proxy/branch.rs", &branch)]);
        assert_eq!(found.len(), seen, "{line}: {found:?}");
    }
}

#[test]
fn crates_stay_in_their_rooms() {
    let lib = ("src/lib.rs", "//! Map.\nmod config;\nmod ui;\n");
    let config =
        ("src/config.rs", "//! C.\nuse tokio::fs;\nuse rsip::Uri;\nuse rusqlite::Row;\nuse egui::Ui;\n");
    let ui = ("src/ui.rs", "//! U.\nuse eframe::egui;\n");
    let found = complaints(&[lib, config, ui]);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().all(|line| line.starts_with("src/config.rs:")), "{found:?}");
}

#[test]
fn a_long_file_is_seen_and_its_tests_do_not_count() {
    let body = "const A: u8 = 1;\n".repeat(FILE_LINES_MAX - 1);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{body}}}\n");
    assert_eq!(complaints_in_the_proxy(&format!("//! P.\n{body}{tests}")), [""; 0]);
    let found = complaints_in_the_proxy(&format!("//! P.\n{body}const B: u8 = 2;\n{tests}"));
    assert_eq!(found, ["src/proxy.rs:1: 401 lines without tests; 400 are the most"]);
}

#[test]
fn a_long_function_is_seen() {
    let body = "    a();\n".repeat(FUNCTION_LINES_MAX - 2);
    let short = format!("//! P.\nfn f(a: [u8; 3]) -> Vec<u8> {{\n{body}}}\n");
    assert_eq!(complaints_in_the_proxy(&short), [""; 0]);
    let long =
        format!("//! P.\ntrait A {{ fn g(&self); }}\nimpl A for B {{\nfn f() {{\n{body}{{}}\n}}\n}}\n");
    assert_eq!(complaints_in_the_proxy(&long), ["src/proxy.rs:4: a function of 71 lines; 70 are the most"]);
}

#[test]
fn a_file_that_no_mod_leads_to_is_seen() {
    let lib = ("src/lib.rs", "//! Map.\nmod proxy;\n// mod store;\n");
    let door = ("src/proxy.rs", "//! Door.\nmod branch;\n#[cfg(test)]\nmod tests;\n");
    let files = [
        lib,
        door,
        ("src/proxy/branch.rs", "//! B.\n"),
        ("src/proxy/tests.rs", "//! T.\n"),
        ("src/proxy/old.rs", "//! O.\n"),
        ("src/store.rs", "//! S.\n"),
        ("tests/real/main.rs", "//! M.\nmod common;\n"),
        (
            "tests/real/common.rs",
            "//! C.\n#[path = \"../shared.rs\"]\nmod shared;\n#[path = \"by_name.rs\"]\nmod named;\n",
        ),
        ("tests/real/by_name.rs", "//! N.\n"),
        ("tests/real/lost.rs", "//! L.\n"),
    ];
    assert_eq!(
        complaints(&files),
        [
            "src/proxy/old.rs:1: no `mod` leads here",
            "src/store.rs:1: no `mod` leads here",
            "tests/real/lost.rs:1: no `mod` leads here",
        ]
    );
}

#[test]
fn a_test_that_the_table_of_peers_names_is_there_and_is_run() {
    let tests = "//! T.\n#[test]\nfn w1_kamailio_does() {}\nfn w2_helps() {}\n";
    let files = [Source::new("tests/real/interop/edge.rs", tests)];
    let script = "exec script/test --test real -- interop:: nat::\n";
    for (row, expected) in [
        ("| Kamailio | `interop::edge::w1_kamailio\u{2026}` |\n", 0),
        ("| Kamailio | `interop::edge::w1_kamailio_does` |\n", 0),
        ("| Kamailio on `[::]` | `interop::edge::w1\u{2026}` |\n", 0),
        ("| Kamailio | `interop::edge::w2\u{2026}` |\n", 1),
        ("| Kamailio | `edge::w1\u{2026}` |\n", 1),
    ] {
        assert_eq!(missing_tests(row, script, &files).len(), expected, "{row}");
    }
    let row = "| Kamailio | `interop::edge::w1\u{2026}` |\n";
    assert_eq!(missing_tests(row, "exec script/test -- peers::\n", &files).len(), 1);
}

#[test]
fn a_line_about_strangers_without_a_test_is_seen() {
    let files = [Source::new("src/a.rs", "//! A.\n#[test]\nfn it_holds() {}\n")];
    let table = |last: &str| format!("| what | test |\n|---|---|\n| a stranger knocks | {last} |\n");
    assert_eq!(lines_without_a_test("a.md", &table("`src/a.rs::it_holds`"), &files), [""; 0]);
    for last in ["", "`src/a.rs`", "`src/a.rs::it_hold`", "`src/b.rs::it_holds`"] {
        assert_eq!(lines_without_a_test("a.md", &table(last), &files).len(), 1, "{last}");
    }
}

#[test]
fn what_is_left_behind_is_seen_in_tests_too() {
    for line in [
        "fn f() { todo!() }",
        "#[ignore = \"slow\"] fn f() {}",
        "fn f() { dbg!(1); }",
        "fn f() { unimplemented!(); }",
        "// TODO mend",
    ] {
        let found = complaints(&[("tests/a.rs", &format!("//! A.\n{line}\n"))]);
        assert_eq!(found.len(), 1, "{line}: {found:?}");
    }
    assert_eq!(complaints(&[("tests/a.rs", "//! A.\n// TODO(#7) mend\n// \"todo!\"\n")]), [""; 0]);
}

#[test]
fn a_name_that_other_files_know_is_used_once_in_its_room() {
    let lib = ("src/lib.rs", "//! Map.\nmod proxy;\nmod sip;\n");
    let door = ("src/proxy.rs", "//! Door.\nmod a;\nmod b;\n");
    let (a, sip) =
        (("src/proxy/a.rs", "//! A.\npub(super) struct Rows;\n"), ("src/sip.rs", "//! S.\nstruct Rows;\n"));
    for (text, seen) in [
        ("pub(super) enum Rows {}", 1),
        ("pub(crate) enum Rows {}", 1),
        ("type Rows = u8;", 1),
        ("pub trait Rows {}", 1),
        ("struct Others;", 0),
        ("#[cfg(test)] struct Rows;", 0),
    ] {
        let found = complaints(&[lib, door, a, sip, ("src/proxy/b.rs", &format!("//! B.\n{text}\n"))]);
        assert_eq!(found.len(), seen, "{text}: {found:?}");
    }
    let found = complaints(&[lib, door, a, sip, ("src/proxy/b.rs", "//! B.\npub(super) struct Rows;\n")]);
    assert_eq!(found, ["src/proxy/b.rs:2: `Rows` is the name of a type in src/proxy/a.rs too"]);
    let private = ("src/proxy/a.rs", "//! A.\nstruct Rows;\n");
    for (text, seen) in [("pub(crate) struct Rows;", 1), ("pub struct Rows;", 0), ("struct Rows;", 0)] {
        let found = complaints(&[lib, door, private, sip, ("src/proxy/b.rs", &format!("//! B.\n{text}\n"))]);
        assert_eq!(found.len(), seen, "{text}: {found:?}");
    }
}
