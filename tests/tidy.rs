//! Holds the house: reads the sources with `syn` and fails with `file:line: rule` where one of them is not where, or not
//! how, ARCHITECTURE.md says. The rules themselves are tested on sample text in `tests/tidy/rules.rs`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of a test: what is not as thought has to end it"
)]

#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/drawn.rs"]
mod drawn;
#[path = "tidy/picture.rs"]
mod picture;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/texts.rs"]
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use source::{Source, collect, find, read_tree, references};

/// The lines of ARCHITECTURE.md, lowest first: who may name whom. Rooms on one line never know each other.
const LEVELS: &[&[&str]] = &[
    &["limits", "random", "terminal", "time"],
    &["sip"],
    &["machine"],
    &["injection", "model", "transaction"],
    &["client", "inspect", "person", "proxy"],
    &["net", "store"],
    &["config", "simulation"],
    &["runtime"],
    &["check", "demo", "hosting"],
    &["ui"],
    &["cli", "main"],
];
/// Rooms above the line of the machines: here begin sockets, files, threads and clocks.
const MACHINES: usize = 4;
/// A room that sees only some parts of another one: from, to, parts.
const WINDOWS: &[(&str, &str, &[&str])] = &[
    ("store", "proxy", &["journal"]),
    // The store and the window know the values of the model, never the machine.
    ("store", "client", &[]),
    ("ui", "client", &[]),
    ("ui", "runtime", &["engine"]),
];
/// What only a shell may name.
const SHELL_WORDS: &[&str] = &[
    "tokio",
    "async",
    "await",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "std::fs",
    "std::thread",
    "std::env",
    "Instant::now",
    "SystemTime::now",
    "HashMap",
    "HashSet",
    "rusqlite",
];
/// What only some files may name: word, files or folders.
const AT_HOME: &[(&str, &[&str])] = &[
    ("rsip", &["src/sip/second_reader.rs"]),
    ("rusqlite", &["src/store.rs", "src/store/"]),
    (
        "tokio",
        &[
            "src/net.rs",
            "src/net/",
            "src/store.rs",
            "src/store/",
            "src/runtime.rs",
            "src/runtime/",
            "src/check/live.rs",
            "src/check/live/",
            "src/demo.rs",
            "src/demo/",
            "src/cli.rs",
            "src/cli/",
            "src/main.rs",
            // The notification service is asked over D-Bus, on a thread of its own.
            "src/ui/desktop/notifications.rs",
            "src/ui/desktop/service.rs",
        ],
    ),
    // One way out to a terminal, so that nothing of a stranger reaches it as it came.
    ("stdout", &["src/runtime/console.rs"]),
    ("stderr", &["src/runtime/console.rs", "src/runtime/logs.rs"]),
    ("egui", &["src/ui.rs", "src/ui/"]),
    ("eframe", &["src/ui.rs", "src/ui/"]),
    ("notify_rust", &["src/ui.rs", "src/ui/"]),
    ("anyhow", &["src/main.rs", "src/cli.rs", "src/cli/", "src/demo.rs", "src/demo/"]),
];
/// What nobody may leave behind.
const LEFT_BEHIND: &[&str] = &["todo!", "unimplemented!", "dbg!", "# [ ignore"];
/// Lines of a file without its tests.
const FILE_LINES_MAX: usize = 400;
/// Lines of a function, from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// All sources under these folders.
fn sources(folders: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in folders {
        collect(root, &root.join(folder), &mut files);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!files.is_empty(), "no sources found");
    files
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn the_house_is_tidy() {
    assert_none(&complaints(&sources(&["src", "tests", "benches"])));
}

/// All that is wrong with these files.
fn complaints(files: &[Source]) -> Vec<String> {
    let mut found: Vec<String> = files.iter().flat_map(|file| complaints_about(file, files)).collect();
    found.extend(dead_files(files));
    found.extend(names_used_twice(files));
    found
}

/// All that is wrong with one file.
fn complaints_about(file: &Source, all: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    if !file.text.starts_with("//! ") {
        found.push((1, "a file opens with `//!` and says what lives here".to_owned()));
    }
    nothing_left_behind(file, &mut found);
    if file.path.starts_with("src/") {
        words_stay_at_home(file, &mut found);
        lower_rooms_only(file, &mut found);
        later_parts_only(file, all, &mut found);
        lengths_are_kept(file, &mut found);
    }
    found.into_iter().map(|(line, rule)| format!("{}:{line}: {rule}", file.path)).collect()
}

/// A line, and the rule that it breaks.
type Complaint = (usize, String);

fn nothing_left_behind(file: &Source, found: &mut Vec<Complaint>) {
    for word in LEFT_BEHIND {
        let places = find(&file.whole, word);
        found.extend(places.into_iter().map(|line| (line, format!("`{word}` is left behind"))));
    }
    for (index, line) in file.text.lines().enumerate() {
        if let Some((before, comment)) = line.split_once("// TODO")
            && !before.contains('"')
            && !comment.contains('#')
        {
            found.push((index + 1, "a TODO names an issue".to_owned()));
        }
    }
}

fn words_stay_at_home(file: &Source, found: &mut Vec<Complaint>) {
    for (word, homes) in AT_HOME {
        if !homes.iter().any(|home| file.path.starts_with(home)) {
            let places = find(&file.product, word);
            let homes = homes.join(", ");
            found.extend(places.into_iter().map(|line| (line, format!("`{word}` is for {homes} only"))));
        }
    }
    if level_of(file.room()).is_none_or(|level| level > MACHINES) {
        return;
    }
    for word in SHELL_WORDS {
        let is_the_clock = file.path == "src/time.rs" && word.ends_with("::now");
        // A measured hot table may be hashed; it says so just above.
        let expected =
            if word.starts_with("Hash") { find(&file.product, "disallowed_types") } else { Vec::new() };
        let is_measured = |line: usize| expected.iter().any(|above| (*above..*above + 6).contains(&line));
        let places =
            find(&file.product, word).into_iter().filter(|line| !is_the_clock && !is_measured(*line));
        found.extend(places.map(|line| (line, format!("`{word}` has no place in a core"))));
    }
}

fn lower_rooms_only(file: &Source, found: &mut Vec<Complaint>) {
    let room = file.room();
    if matches!(room, "lib" | "main") {
        return;
    }
    let Some(level) = level_of(room) else {
        return found.push((1, format!("the room `{room}` has no line in tests/tidy.rs")));
    };
    for (line, names) in references(&file.product, "crate") {
        let other = names[0].as_str();
        let Some(other_level) = level_of(other).filter(|_| other != room) else { continue };
        if other_level >= level {
            found.push((line, format!("`{room}` may not know `{other}`")));
        }
        let window = WINDOWS.iter().find(|(from, to, _)| *from == room && *to == other);
        if let Some((_, _, parts)) = window
            && !names.get(1).is_some_and(|part| parts.contains(&part.as_str()))
        {
            found.push((line, format!("of `{other}`, `{room}` sees only {}", parts.join(", "))));
        }
    }
}

/// Inside a room a part uses those that its front door lists after it, never one before.
fn later_parts_only(file: &Source, all: &[Source], found: &mut Vec<Complaint>) {
    let room = file.room();
    let Some(part) = file.part() else { return };
    let Some(door) = all.iter().find(|other| other.path == format!("src/{room}.rs")) else { return };
    let Some(own) = door.modules.iter().position(|name| name == part) else { return };
    let shown = shown_at_the_door(door);
    let by_crate = references(&file.product, "crate").into_iter().filter(|(_, names)| names[0] == room);
    let by_crate = by_crate.map(|(line, names)| (line, names[1..].to_vec()));
    for (line, names) in by_crate.chain(references(&file.product, "super")) {
        let Some(name) = names.first() else { continue };
        let other = shown.get(name).unwrap_or(name);
        if door.modules.iter().position(|listed| listed == other).is_some_and(|place| place < own) {
            found.push((line, format!("`{part}` may not know `{other}`, which the room lists before it")));
        }
    }
}

/// Names that a front door shows again, and the part that each comes from.
fn shown_at_the_door(door: &Source) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    let tokens = &door.product;
    for at in (0..tokens.len()).filter(|at| tokens[*at].text == "use") {
        let is_self = tokens.get(at + 1).is_some_and(|token| token.text == "self");
        let from = if is_self { at + 3 } else { at + 1 };
        let Some(part) = tokens.get(from).map(|token| &token.text).filter(|part| door.modules.contains(part))
        else {
            continue;
        };
        let mut tree = Vec::new();
        read_tree(tokens, from + 1, &mut Vec::new(), &mut tree);
        shown.extend(tree.iter().filter_map(|names| Some((names.last()?.clone(), part.clone()))));
    }
    shown
}

fn lengths_are_kept(file: &Source, found: &mut Vec<Complaint>) {
    let lines = file.product_lines;
    if lines > FILE_LINES_MAX {
        found.push((1, format!("{lines} lines without tests; {FILE_LINES_MAX} are the most")));
    }
    for (line, length) in &file.outline.functions {
        if *length > FUNCTION_LINES_MAX {
            found.push((*line, format!("a function of {length} lines; {FUNCTION_LINES_MAX} are the most")));
        }
    }
}

/// A type that other files know (`pub(super)`, `pub(crate)`) has a name of its own in its room.
fn names_used_twice(all: &[Source]) -> Vec<String> {
    let mut first: BTreeMap<(&str, &str), (&Source, bool)> = BTreeMap::new();
    let mut found = Vec::new();
    for file in all.iter().filter(|file| file.path.starts_with("src/")) {
        for (line, name, is_shared) in &file.outline.types {
            match first.get(&(file.room(), name.as_str())) {
                Some((other, others)) if other.path != file.path && (*is_shared || *others) => {
                    found.push(format!(
                        "{}:{line}: `{name}` is the name of a type in {} too",
                        file.path, other.path
                    ));
                }
                Some(_) => {}
                None => drop(first.insert((file.room(), name), (file, *is_shared))),
            }
        }
    }
    found
}

/// Files that no `mod` leads to are not compiled, so nothing else would notice them.
fn dead_files(all: &[Source]) -> Vec<String> {
    let mut alive = BTreeSet::new();
    let mut waiting: Vec<String> =
        all.iter().map(|file| file.path.clone()).filter(|path| is_a_root(path)).collect();
    while let Some(path) = waiting.pop() {
        let Some(file) = all.iter().find(|file| file.path == path) else { continue };
        if !alive.insert(path.clone()) {
            continue;
        }
        let beside = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let is_folder = is_a_root(&path) || path.ends_with("/mod.rs");
        let folder = if is_folder { beside } else { path.trim_end_matches(".rs") };
        for module in &file.modules {
            waiting.push(format!("{folder}/{module}.rs"));
            waiting.push(format!("{folder}/{module}/mod.rs"));
        }
        waiting.extend(file.named_paths.iter().map(|named| format!("{beside}/{named}")));
    }
    let dead = all.iter().filter(|file| !alive.contains(&file.path));
    dead.map(|file| format!("{}:1: no `mod` leads here", file.path)).collect()
}

/// What cargo compiles by itself.
fn is_a_root(path: &str) -> bool {
    let mut pieces = path.split('/');
    let folder = pieces.next();
    matches!(
        (folder, pieces.next(), pieces.next(), pieces.next()),
        (Some("src"), Some("lib.rs" | "main.rs"), None, None)
            | (Some("tests" | "benches"), Some(_), None | Some("main.rs"), None)
    )
}

fn level_of(room: &str) -> Option<usize> {
    LEVELS.iter().position(|rooms| rooms.contains(&room))
}
