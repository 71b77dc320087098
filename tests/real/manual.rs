//! What packages bring besides the program: man pages and completions, which say what `--help` says, and the files of the
//! desktop.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::program::fanfare;

/// Options by command, as `--help` shows them: `["proxy", "user"]` and what is below it too.
fn told_by_help(command: &[String], found: &mut BTreeMap<Vec<String>, BTreeSet<String>>) {
    let args: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
    let ended = fanfare(&args).end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    let options = ended.out.iter().filter_map(|line| option_of(line)).collect();
    found.insert(command.to_vec(), options);
    let below = ended.out.iter().skip_while(|line| *line != "Commands:").skip(1);
    for line in below.take_while(|line| !line.is_empty()) {
        // What does not begin there goes on with the sentence above.
        let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '));
        let name = name.and_then(|rest| rest.split(' ').next()).filter(|name| *name != "help");
        if let Some(name) = name {
            let mut next = command.to_vec();
            next.push(name.to_owned());
            told_by_help(&next, found);
        }
    }
}

/// The long option that a line of help begins with.
fn option_of(line: &str) -> Option<String> {
    let line = line.trim_start();
    let long = line
        .strip_prefix("--")
        .or_else(|| line.split_once(", --").filter(|(short, _)| short.len() == 2).map(|(_, rest)| rest))?;
    let name = long.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').next()?;
    Some(format!("--{name}"))
}

/// The file as people read it, without roff's escapes.
fn page(path: &Path) -> String {
    fs::read_to_string(path).unwrap().replace("\\-", "-").replace("\\fB", "").replace("\\fR", "")
}

#[test]
fn every_command_and_option_has_its_place_in_a_man_page_and_in_the_completions() {
    let folder = TempDir::new().unwrap();
    let written = fanfare(&["manual", folder.path().to_str().unwrap()]).end();
    assert_eq!((written.code(), written.said().as_str()), (0, ""), "{written:?}");

    let mut told = BTreeMap::new();
    told_by_help(&[], &mut told);
    assert!(told.len() > 15 && told[&vec!["proxy".to_owned()]].contains("--tls-cert"), "{told:?}");
    let name = |command: &[String]| {
        format!("{}.1", ["fanfare".to_owned()].iter().chain(command).cloned().collect::<Vec<_>>().join("-"))
    };
    let pages: BTreeSet<String> = fs::read_dir(folder.path().join("man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(pages, told.keys().map(|command| name(command)).collect());

    let completions = ["fanfare.bash", "fanfare.fish", "_fanfare"]
        .map(|file| fs::read_to_string(folder.path().join("completions").join(file)).unwrap());
    for (command, options) in &told {
        let page = page(&folder.path().join("man1").join(name(command)));
        let title = format!(".TH {} 1 ", name(command).trim_end_matches(".1"));
        assert!(page.lines().any(|line| line.starts_with(&title)), "{title}: {page}");
        for option in options {
            let line = page.lines().find(|line| line.split([' ', ',']).any(|word| word == option));
            assert!(line.is_some(), "{} does not explain {option}: {page}", name(command));
        }
        if let Some((last, above)) = command.split_last() {
            let entry = format!("{}(1)", name(command).trim_end_matches(".1"));
            let above = self::page(&folder.path().join("man1").join(name(above)));
            assert!(above.lines().any(|line| line == entry), "{last} is not on the page above it: {above}");
        }
    }
    let [bash, fish, zsh] = &completions;
    for (command, options) in &told {
        for option in options {
            assert!(bash.contains(option.as_str()) && zsh.contains(option.as_str()), "{option}");
            // What makes those of fish goes two commands deep.
            let in_fish = format!("-l {}", option.trim_start_matches('-'));
            assert!(command.len() > 2 || fish.contains(&in_fish), "{option}");
        }
    }
    for text in &completions {
        assert!(!text.contains("manual"), "the command for packages is in the completions");
    }
    let reads =
        Command::new("bash").arg("-n").arg(folder.path().join("completions/fanfare.bash")).output().unwrap();
    assert!(reads.status.success() && reads.stderr.is_empty(), "{reads:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let ended = fanfare(&["manual", "/proc/nowhere"]).end();
    assert_eq!(ended.code(), 2, "{ended:?}");
    assert!(ended.said().contains("cannot create /proc/nowhere/man1"), "{ended:?}");
}

/// Runs a checker of Debian's on a file of ours.
fn satisfies(checker: &[&str], file: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(file);
    let checked = Command::new(checker[0]).args(&checker[1..]).arg(&file).output();
    let checked = checked.unwrap_or_else(|error| panic!("{} cannot be started: {error}", checker[0]));
    assert!(checked.status.success(), "{}: {checked:?}", file.display());
}

#[test]
fn the_files_of_the_desktop_are_as_desktops_want_them() {
    satisfies(&["desktop-file-validate"], "fanfare.desktop");
    satisfies(&["appstreamcli", "validate", "--no-net"], "org.fanfare_messenger.fanfare.metainfo.xml");
}

#[test]
fn whatever_the_packages_are_to_bring_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let listed = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("[\"")?.split_once("\", \"").map(|(from, _)| from));
    // The rest is made by script/package.
    let ours: Vec<&str> = listed.filter(|path| !path.starts_with("target/")).collect();
    assert!(ours.len() > 10, "{ours:?}");
    for path in ours {
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        let (before, after) = name.split_once('*').unwrap_or((name, ""));
        let is_there = fs::read_dir(root.join(folder)).unwrap().any(|entry| {
            let found = entry.unwrap().file_name().into_string().unwrap();
            if name.contains('*') {
                found.starts_with(before) && found.ends_with(after)
            } else {
                found == name
            }
        });
        assert!(is_there, "{path}");
    }
}

#[test]
fn the_settings_that_the_package_of_the_proxy_brings_can_be_used() {
    let text = include_str!("../../assets/debian/proxy/proxy.ron");
    let (folder, free) = (TempDir::new().unwrap(), crate::common::free_address().port().to_string());
    let text = text.replace("/var/lib/fanfare-proxy", folder.path().to_str().unwrap()).replace("5060", &free);
    let file = folder.path().join("proxy.ron");
    fs::write(&file, text).unwrap();
    let proxy = fanfare(&["proxy", "--config", file.to_str().unwrap()]);
    proxy.line_with(&format!("listening udp 127.0.0.1:{free}"));
    proxy.line_with(&format!("listening tcp 127.0.0.1:{free}"));
    proxy.complaint_with("there are no users yet: fanfare proxy user add NAME@example.com");
    proxy.signal("TERM");
    assert_eq!(proxy.end().code(), 0);
}
