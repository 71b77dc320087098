//! Holds the house: reads the sources as text and fails with `file:line: rule` where one of them is not where,
//! or not how, ARCHITECTURE.md says. The rules themselves are tested on sample text below them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of a test: what is not as thought has to end it"
)]

#[path = "tidy/picture.rs"]
mod picture;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The lines of ARCHITECTURE.md, lowest first: who may name whom. Rooms on one line never know each other.
const LEVELS: &[&[&str]] = &[
    &["limits", "random", "terminal", "time"],
    &["sip"],
    &["machine"],
    &["model", "transaction"],
    &["client", "person", "proxy"],
    &["net", "store"],
    &["config"],
    &["runtime"],
    &["demo"],
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
const LEFT_BEHIND: &[&str] = &["todo!", "unimplemented!", "dbg!", "#[ignore"];
/// Lines of a file without its tests.
const FILE_LINES_MAX: usize = 400;
/// Lines of a function, from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        collect(root, &root.join(folder), &mut files);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.iter().any(|file| file.path == "src/lib.rs"), "no sources found");
    let mut complaints: Vec<String> = files.iter().flat_map(|file| complaints_about(file, &files)).collect();
    complaints.extend(dead_files(&files));
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn what_was_tried_with_programs_of_others_is_tried_by_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(root, &root.join("tests/real"), &mut files);
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let complaints = missing_tests(&read("docs/compatibility.md"), &read("script/interop"), &files);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn each_line_of_what_a_stranger_may_do_and_of_the_exit_statuses_names_a_test_that_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        collect(root, &root.join(folder), &mut files);
    }
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let mut complaints = lines_without_a_test("docs/security.md", &read("docs/security.md"), &files);
    let operating = read("docs/operating.md");
    let statuses = operating.split_once("## Exit statuses\n").unwrap().1;
    let statuses = statuses.split("\n## ").next().unwrap();
    complaints.extend(lines_without_a_test("docs/operating.md", statuses, &files));
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// A document of this folder.
fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Rows of a document's tables whose last column names no test, or one that is not in its file: `FILE::TEST`, in backquotes.
fn lines_without_a_test(path: &str, document: &str, files: &[Source]) -> Vec<String> {
    let is_row = |line: &&str| line.starts_with("| ") && !line.trim_end().ends_with("| test |");
    let rows: Vec<&str> = document.lines().filter(is_row).collect();
    assert!(!rows.is_empty(), "no tables");
    let mut found = Vec::new();
    for row in rows {
        let last = row.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let named: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            found.push(format!("{path}: no test in: {row}"));
        }
        for name in named {
            let is_there = name.split_once("::").is_some_and(|(path, test)| {
                let holds = |file: &&Source| file.path == path && file.code.contains(&format!("fn {test}("));
                files.iter().any(|file| holds(&file))
            });
            if !is_there {
                found.push(format!("{path}: there is no test {name}"));
            }
        }
    }
    found
}

/// Tests that the table names and that there are not, or that the script of the table does not run.
fn missing_tests(table: &str, script: &str, files: &[Source]) -> Vec<String> {
    let there: Vec<String> = files.iter().flat_map(real_tests).collect();
    let filters: Vec<&str> = script
        .lines()
        .filter_map(|line| line.split_once(" -- "))
        .flat_map(|(_, rest)| rest.split(' '))
        .collect();
    let rows = table.lines().filter(|line| line.starts_with('|'));
    let is_test = |name: &&str| name.contains("::") && name.starts_with(|c: char| c.is_ascii_lowercase());
    let named: Vec<&str> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).filter(is_test).collect();
    assert!(!named.is_empty() && !filters.is_empty(), "no table or no script");
    let mut found = Vec::new();
    for name in named {
        let start = name.trim_end_matches('\u{2026}');
        let mut meant = there.iter().filter(|test| test.starts_with(start)).peekable();
        if meant.peek().is_none() {
            found.push(format!("docs/compatibility.md: there is no test {name}"));
        }
        if !meant.all(|test| filters.iter().any(|filter| test.contains(filter))) {
            found.push(format!("script/interop: does not run {name}"));
        }
    }
    found
}

/// The tests of one file of the real suite, as a filter names them.
fn real_tests(file: &Source) -> Vec<String> {
    let place = file.path.trim_start_matches("tests/real/").trim_end_matches(".rs").replace('/', "::");
    let tests = file.code.split("#[test]").skip(1);
    let names = tests.filter_map(|test| test.split_once("fn ")?.1.split(['(', '<']).next());
    names.map(|name| format!("{place}::{name}")).collect()
}

/// All that is wrong with one file.
fn complaints_about(file: &Source, all: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    opens_with_a_doc(file, &mut found);
    nothing_left_behind(file, &mut found);
    if file.path.starts_with("src/") {
        words_stay_at_home(file, &mut found);
        lower_rooms_only(file, &mut found);
        later_parts_only(file, all, &mut found);
        lengths_are_kept(file, &mut found);
    }
    found
}

fn opens_with_a_doc(file: &Source, found: &mut Vec<String>) {
    if !file.text.starts_with("//! ") {
        found.push(format!("{}:1: a file opens with `//!` and says what lives here", file.path));
    }
}

fn nothing_left_behind(file: &Source, found: &mut Vec<String>) {
    for word in LEFT_BEHIND {
        for place in places_of(&file.code, word) {
            found.push(format!("{}:{}: `{word}` is left behind", file.path, file.line_of(place)));
        }
    }
    for (index, line) in file.text.lines().enumerate() {
        if let Some((before, comment)) = line.split_once("// TODO")
            && !before.contains('"')
            && !comment.contains('#')
        {
            found.push(format!("{}:{}: a TODO names an issue", file.path, index + 1));
        }
    }
}

fn words_stay_at_home(file: &Source, found: &mut Vec<String>) {
    for (word, homes) in AT_HOME {
        if homes.iter().any(|home| file.path.starts_with(home)) {
            continue;
        }
        for place in places_of(&file.product, word) {
            found.push(format!(
                "{}:{}: `{word}` is for {} only",
                file.path,
                file.line_of(place),
                homes.join(", ")
            ));
        }
    }
    if level_of(file.room()).is_none_or(|level| level > MACHINES) {
        return;
    }
    for word in SHELL_WORDS {
        for place in places_of(&file.product, word) {
            let the_clock = file.path == "src/time.rs" && word.ends_with("::now");
            let measured = word.starts_with("Hash") && file.expects_disallowed_type(place);
            if !the_clock && !measured {
                let line = file.line_of(place);
                found.push(format!("{}:{line}: `{word}` has no place in a core", file.path));
            }
        }
    }
}

fn lower_rooms_only(file: &Source, found: &mut Vec<String>) {
    let room = file.room();
    if matches!(room, "lib" | "main") {
        return;
    }
    let Some(level) = level_of(room) else {
        found.push(format!("{}:1: the room `{room}` has no line in tests/tidy.rs", file.path));
        return;
    };
    for reference in references(&file.product, "crate") {
        let line = file.line_of(reference.place);
        let Some(other) = reference.names.first().map(String::as_str) else {
            continue;
        };
        let Some(other_level) = level_of(other) else {
            continue;
        };
        if other == room {
            continue;
        }
        if other_level >= level {
            found.push(format!("{}:{line}: `{room}` may not know `{other}`", file.path));
        }
        let window = WINDOWS.iter().find(|(from, to, _)| *from == room && *to == other);
        if let Some((_, _, parts)) = window
            && !reference.names.get(1).is_some_and(|part| parts.contains(&part.as_str()))
        {
            found.push(format!(
                "{}:{line}: of `{other}`, `{room}` sees only {}",
                file.path,
                parts.join(", ")
            ));
        }
    }
}

/// Inside a room a part uses those that its front door lists after it, never one before.
fn later_parts_only(file: &Source, all: &[Source], found: &mut Vec<String>) {
    let room = file.room();
    let Some(part) = file.part() else { return };
    let Some(door) = all.iter().find(|other| other.path == format!("src/{room}.rs")) else {
        return;
    };
    let parts = door.declared_modules();
    let Some(own) = parts.iter().position(|name| name == part) else {
        return;
    };
    let shown = shown_at_the_door(door, &parts);
    let by_crate = references(&file.product, "crate")
        .into_iter()
        .filter(|reference| reference.names.first().is_some_and(|name| name == room))
        .map(|reference| Reference { place: reference.place, names: reference.names[1..].to_vec() });
    let by_super = references(&file.product, "super");
    for reference in by_crate.chain(by_super) {
        let Some(name) = reference.names.first() else {
            continue;
        };
        let other = shown.get(name).unwrap_or(name);
        if parts.iter().position(|listed| listed == other).is_some_and(|place| place < own) {
            let line = file.line_of(reference.place);
            found.push(format!(
                "{}:{line}: `{part}` may not know `{other}`, which the room lists before it",
                file.path
            ));
        }
    }
}

/// Names that a front door shows again, and the part that each comes from.
fn shown_at_the_door(door: &Source, parts: &[String]) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    for part in parts {
        for prefix in [format!("use {part}"), format!("use self::{part}")] {
            for place in places_of(&door.product, &prefix) {
                let mut tree = Vec::new();
                read_tree(&door.product[place + prefix.len()..], &mut Vec::new(), &mut tree);
                shown.extend(tree.iter().filter_map(|names| Some((names.last()?.clone(), part.clone()))));
            }
        }
    }
    shown
}

fn lengths_are_kept(file: &Source, found: &mut Vec<String>) {
    let lines = file.product_lines();
    if lines > FILE_LINES_MAX {
        found.push(format!("{}:1: {lines} lines without tests; {FILE_LINES_MAX} are the most", file.path));
    }
    for (line, length) in functions(file) {
        if length > FUNCTION_LINES_MAX {
            let path = &file.path;
            found.push(format!(
                "{path}:{line}: a function of {length} lines; {FUNCTION_LINES_MAX} are the most"
            ));
        }
    }
}

/// Files that no `mod` leads to are not compiled, so nothing else would notice them.
fn dead_files(all: &[Source]) -> Vec<String> {
    let mut alive = BTreeSet::new();
    let mut waiting: Vec<String> =
        all.iter().map(|file| file.path.clone()).filter(|path| is_a_root(path)).collect();
    while let Some(path) = waiting.pop() {
        let Some(file) = all.iter().find(|file| file.path == path) else {
            continue;
        };
        if !alive.insert(path.clone()) {
            continue;
        }
        let folder = if is_a_root(&path) || path.ends_with("/mod.rs") {
            path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned())
        } else {
            path.trim_end_matches(".rs").to_owned()
        };
        for module in file.declared_modules() {
            waiting.push(format!("{folder}/{module}.rs"));
            waiting.push(format!("{folder}/{module}/mod.rs"));
        }
        let beside = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        waiting.extend(file.named_paths().into_iter().map(|named| format!("{beside}/{named}")));
    }
    all.iter()
        .filter(|file| !alive.contains(&file.path))
        .map(|file| format!("{}:1: no `mod` leads here", file.path))
        .collect()
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

/// One file: as it is, without comments and strings, and of that what is not a test.
struct Source {
    path: String,
    text: String,
    code: String,
    product: String,
    test_lines: usize,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let code = without_comments_and_strings(text);
        let (product, test_lines) = if path.ends_with("/tests.rs") || path.contains("/tests/") {
            (blank(&code), text.lines().count())
        } else {
            without_tests(&code)
        };
        Self { path: path.to_owned(), text: text.to_owned(), code, product, test_lines }
    }

    /// The first folder or file under `src`.
    fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split(['/', '.']).next().unwrap_or(inside)
    }

    /// The part of the room that this file is in, if it is not the front door.
    fn part(&self) -> Option<&str> {
        self.path.strip_prefix("src/")?.split_once('/')?.1.split(['/', '.']).next()
    }

    fn line_of(&self, place: usize) -> usize {
        self.code[..place].matches('\n').count() + 1
    }

    /// `mod name;` in the order of the file, tests too.
    fn declared_modules(&self) -> Vec<String> {
        let declared = places_of(&self.code, "mod").into_iter().filter_map(|place| {
            let (name, _) = self.code[place + 3..].split_once([';', '{'])?;
            self.code[place + 3 + name.len()..].starts_with(';').then(|| name.trim().to_owned())
        });
        declared.collect()
    }

    /// What `#[path = "…"]` leads to; the folder is that of this file.
    fn named_paths(&self) -> Vec<&str> {
        let named = places_of(&self.code, "#[path")
            .into_iter()
            .filter_map(|place| self.text[place..].split('"').nth(1));
        named.collect()
    }

    /// Lines without the tests; comments count, they are to be read too.
    fn product_lines(&self) -> usize {
        self.text.lines().count() - self.test_lines
    }

    /// A measured hot table may be hashed; it says so just above.
    fn expects_disallowed_type(&self, place: usize) -> bool {
        let line = self.line_of(place);
        let above = self.code.lines().skip(line.saturating_sub(5)).take(5);
        above.into_iter().any(|text| text.contains("clippy::disallowed_types"))
    }
}

/// A path that begins with `crate` or `super`, one for each leaf of a `use` tree.
#[derive(Debug, PartialEq, Eq)]
struct Reference {
    place: usize,
    names: Vec<String>,
}

fn references(code: &str, root: &str) -> Vec<Reference> {
    let mut found = Vec::new();
    for place in places_of(code, root) {
        // `super::super::x` leads out of the room's parts; `pub(super)` leads nowhere.
        let before = code[..place].trim_end();
        if before.ends_with("::") {
            continue;
        }
        let mut tree = Vec::new();
        read_tree(&code[place + root.len()..], &mut Vec::new(), &mut tree);
        found.extend(tree.into_iter().map(|names| Reference { place, names }));
    }
    found
}

/// Reads `::a::{b, c::d}` and what follows it; gives what is left after the tree.
fn read_tree<'a>(code: &'a str, path: &mut Vec<String>, tree: &mut Vec<Vec<String>>) -> &'a str {
    let Some(after) = code.trim_start().strip_prefix("::") else {
        if !path.is_empty() {
            tree.push(path.clone());
        }
        return code;
    };
    let after = after.trim_start();
    if let Some(mut inside) = after.strip_prefix('{') {
        loop {
            inside = inside.trim_start_matches([',', ' ', '\n', '\t']);
            if let Some(rest) = inside.strip_prefix('}') {
                return rest;
            }
            if inside.is_empty() {
                return inside;
            }
            inside = read_name(inside, path, tree);
        }
    }
    read_name(after, path, tree)
}

fn read_name<'a>(code: &'a str, path: &mut Vec<String>, tree: &mut Vec<Vec<String>>) -> &'a str {
    let length = code.find(|c: char| !is_word(c) && c != '*').unwrap_or(code.len());
    if length == 0 {
        // Not a path after all (`<`, say): step over it.
        return code.char_indices().nth(1).map_or("", |(next, _)| &code[next..]);
    }
    let depth = path.len();
    if &code[..length] != "self" {
        path.push(code[..length].to_owned());
    }
    let mut rest = read_tree(&code[length..], path, tree);
    path.truncate(depth);
    if let Some(renamed) = rest.trim_start().strip_prefix("as ") {
        rest = renamed.trim_start().trim_start_matches(is_word);
    }
    rest
}

/// Where each function with a body begins (its line), and how many lines it has.
fn functions(file: &Source) -> Vec<(usize, usize)> {
    let code = &file.product;
    let mut found = Vec::new();
    for place in places_of(code, "fn") {
        let mut depth = 0_usize;
        let mut brackets = 0_usize;
        for (offset, c) in code[place..].char_indices() {
            match c {
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets = brackets.saturating_sub(1),
                ';' | ',' if depth == 0 && brackets == 0 => break,
                '{' => depth += 1,
                '}' if depth <= 1 => {
                    if depth == 1 {
                        found.push((
                            file.line_of(place),
                            code[place..place + offset].matches('\n').count() + 1,
                        ));
                    }
                    break;
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    found
}

/// Every place where `word` stands by itself.
fn places_of(code: &str, word: &str) -> Vec<usize> {
    let is_alone = |place: &usize| {
        let before = code[..*place].chars().next_back();
        let after = code[place + word.len()..].chars().next();
        let begins_a_word = word.starts_with(is_word) && before.is_some_and(is_word);
        let ends_in_a_word = word.ends_with(is_word) && after.is_some_and(is_word);
        !begins_a_word && !ends_in_a_word
    };
    code.match_indices(word).map(|(place, _)| place).filter(is_alone).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The same text, with blanks for what no compiler reads; every place and line stays what it was.
fn without_comments_and_strings(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let previous = blanked.chars().next_back();
        let (kept, length) = match c {
            '/' if rest.starts_with("//") => (0, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (0, block_comment(rest)),
            'r' | 'b' | 'c' if !previous.is_some_and(is_word) => match string_prefix(rest) {
                Some(prefix) => (prefix, string_literal(rest, prefix)),
                None => (c.len_utf8(), c.len_utf8()),
            },
            '"' => (0, string_literal(rest, 0)),
            '\'' => (0, char_literal(rest)),
            _ => (c.len_utf8(), c.len_utf8()),
        };
        blanked.push_str(&rest[..kept]);
        blanked.push_str(&blank(&rest[kept..length]));
        rest = &rest[length..];
    }
    blanked
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut place = 0;
    while place < rest.len() {
        if rest[place..].starts_with("/*") {
            depth += 1;
            place += 2;
        } else if rest[place..].starts_with("*/") {
            depth -= 1;
            place += 2;
            if depth == 0 {
                return place;
            }
        } else {
            place += rest[place..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Letters before the quote of `r"`, `br#"`, `b"`, `c"` and the like.
fn string_prefix(rest: &str) -> Option<usize> {
    let letters = rest.find(|c| !matches!(c, 'b' | 'c' | 'r'))?;
    let raw = rest[..letters].contains('r');
    let hashes = rest[letters..].find(|c| c != '#')?;
    let quoted = rest[letters + hashes..].starts_with('"');
    (letters <= 2 && quoted && (raw || hashes == 0)).then_some(letters)
}

fn string_literal(rest: &str, prefix: usize) -> usize {
    let hashes = rest[prefix..].find('"').unwrap_or(0);
    let inside = prefix + hashes + 1;
    if rest[..prefix].contains('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        return rest[inside..].find(&end).map_or(rest.len(), |found| inside + found + end.len());
    }
    let mut escaped = false;
    for (offset, c) in rest[inside..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return inside + offset + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `'x'`, `'\n'`, `'\u{1F600}'`; or the single quote of a lifetime.
fn char_literal(rest: &str) -> usize {
    let mut after = rest[1..].chars();
    match (after.next(), after.next()) {
        (Some('\\'), Some(_)) => rest[3..].find('\'').map_or(1, |end| 3 + end + 1),
        (Some(c), Some('\'')) => 1 + c.len_utf8() + 1,
        _ => 1,
    }
}

/// Blanks out `#[cfg(test)]` items, and counts their lines.
fn without_tests(code: &str) -> (String, usize) {
    let mut product = code.to_owned();
    let mut lines = 0;
    while let Some((from, to)) = test_module(&product) {
        let blanked = blank(&product[from..to]);
        lines += blanked.matches('\n').count() + 1;
        product.replace_range(from..to, &blanked);
    }
    (product, lines)
}

/// As many bytes and the same lines, with nothing in them.
fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

/// The next item that is compiled for tests only.
fn test_module(code: &str) -> Option<(usize, usize)> {
    let from = code.find("#[cfg(test)]")?;
    let mut depth = 0_usize;
    for (offset, c) in code[from..].char_indices() {
        match c {
            ';' if depth == 0 => return Some((from, from + offset + 1)),
            '{' => depth += 1,
            '}' if depth <= 1 => return Some((from, from + offset + 1)),
            '}' => depth -= 1,
            _ => {}
        }
    }
    Some((from, code.len()))
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().expect("a name in UTF-8").to_owned();
            files.push(Source::new(&name, &fs::read_to_string(&path).unwrap()));
        }
    }
}

mod the_rules {
    use super::*;

    fn complaints(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
        let mut found: Vec<String> = files.iter().flat_map(|file| complaints_about(file, &files)).collect();
        found.extend(dead_files(&files));
        found
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
            ("let now = Instant::now();", 1),
            ("let map: HashMap<u8, u8>;", 1),
            ("// tokio is not known here", 0),
            ("/* nor /* is */ tokio */", 0),
            ("const A: &str = \"tokio\";", 0),
            ("const B: &str = r#\"a \" tokio\"#;", 0),
            ("const C: char = '\"'; const D: char = '\\''; // tokio", 0),
            ("fn f<'a>(x: &'a str, y: &'a str) -> &'a str { x } // tokio '", 0),
            ("#[cfg(test)]\nmod tests { use std::thread; fn f() { Instant::now(); } }", 0),
            ("let my_tokio_like = 1;", 0),
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
            "//! Proxy.\n#[expect(clippy::disallowed_types, reason = \"hot\")]\nmap: HashMap<u8, u8>,\n";
        assert_eq!(complaints_in_the_proxy(measured), [""; 0]);
    }

    #[test]
    fn only_the_clock_reads_the_clock() {
        let files = [
            ("src/lib.rs", "//! Map.\nmod time;\n"),
            ("src/time.rs", "//! Time.\nfn f() { Instant::now(); }\n"),
        ];
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
        assert_eq!(
            complaints_in_the_proxy(&long),
            ["src/proxy.rs:4: a function of 71 lines; 70 are the most"]
        );
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
        for line in
            ["fn f() { todo!() }", "#[ignore = \"slow\"]", "dbg!(1);", "unimplemented!();", "// TODO mend"]
        {
            let found = complaints(&[("tests/a.rs", &format!("//! A.\n{line}\n"))]);
            assert_eq!(found.len(), 1, "{line}: {found:?}");
        }
        assert_eq!(complaints(&[("tests/a.rs", "//! A.\n// TODO(#7) mend\n// \"todo!\"\n")]), [""; 0]);
    }
}
