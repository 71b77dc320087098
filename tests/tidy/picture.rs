//! The picture of the house in ARCHITECTURE.md, drawn from the levels that the other tests hold, so that it cannot go stale.

use std::fmt::Write;

use super::{LEVELS, MACHINES, WINDOWS, read};

/// Set by `script/picture`, which draws it anew.
const DRAW: &str = "FANFARE_DRAW";
const BEGIN: &str = "<!-- Drawn by script/picture from tests/tidy.rs. -->\n";
const END: &str = "<!-- The end of the picture. -->\n";

/// A line for each level, the highest first, and what single rooms see of others.
fn picture() -> String {
    let mut drawn = String::from("```text\n");
    for (level, rooms) in LEVELS.iter().enumerate().rev() {
        let boxes: Vec<String> = rooms.iter().map(|room| format!("[ {room} ]")).collect();
        writeln!(drawn, "{level:>4}   {}", boxes.join(" ")).unwrap();
        if level == MACHINES + 1 {
            drawn += "     ───── above: sockets, files, threads, the clock; below: machines and plain values ─────\n";
        }
    }
    drawn += "       A room uses the levels below it; rooms on one level do not know each other.\n";
    for (from, to, parts) in WINDOWS {
        let seen = if parts.is_empty() { "nothing".to_owned() } else { format!("only {}", parts.join(", ")) };
        writeln!(drawn, "       {from} sees {seen} of {to}.").unwrap();
    }
    drawn + "```\n"
}

#[test]
fn the_picture_of_the_house_is_not_stale() {
    let text = read("ARCHITECTURE.md");
    let (before, rest) = text.split_once(BEGIN).expect("the beginning of the picture");
    let (drawn, after) = rest.split_once(END).expect("its end");
    let picture = picture();
    if std::env::var_os(DRAW).is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
        return std::fs::write(path, format!("{before}{BEGIN}{picture}{END}{after}")).unwrap();
    }
    assert_eq!(drawn, picture, "run script/picture");
}
