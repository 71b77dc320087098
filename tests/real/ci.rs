//! The files of docs/ci, so that they cannot go stale: their commands are run as the servers run them, by a shell.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// The commands of a file that play the scripts, without what YAML puts around them.
fn commands(file: &str) -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci").join(file)).unwrap();
    let lines = text.lines().map(|line| {
        let line = line.trim_start();
        line.strip_prefix("- ").unwrap_or(line)
    });
    let from_first = lines.skip_while(|line| *line != "mkdir -p results");
    let mut commands = Vec::new();
    for line in from_first {
        commands.push(if line == "|" { "" } else { line });
        if line == "exit \"$failed\"" {
            return commands.join("\n");
        }
    }
    panic!("{file} does not play the scripts: {commands:?}");
}

/// Runs them in a folder, with the program on the path.
fn play(shell: &[&str], commands: &str, folder: &Path) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_fanfare")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    Command::new(shell[0])
        .args(&shell[1..])
        .arg(commands)
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .unwrap()
}

/// How each server runs a step, and what its file says.
const FILES: [(&str, &[&str]); 2] =
    [("github.yml", &["bash", "-e", "-c"]), ("gitlab.yml", &["sh", "-e", "-c"])];

#[test]
fn the_ci_examples_play_every_script_keep_each_report_and_are_red_where_one_does_not_come_true() {
    let busy =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checks/03_busy.ron")).unwrap();
    for (file, shell) in FILES {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("delivery")).unwrap();
        let script =
            |name: &str, text: &str| fs::write(folder.path().join("delivery").join(name), text).unwrap();
        let report = |name: &str| fs::read_to_string(folder.path().join("results").join(name)).unwrap();
        let commands = commands(file);

        script("two words.ron", &busy);
        let green = play(shell, &commands, folder.path());
        assert_eq!(green.status.code(), Some(0), "{file}: {green:?}");
        assert!(report("two words.xml").contains("failures=\"0\""));

        // The first one does not come true, and the second is played all the same.
        script("a.ron", &busy.replace("status: 486", "status: 603"));
        fs::remove_dir_all(folder.path().join("results")).unwrap();
        let red = play(shell, &commands, folder.path());
        assert_eq!(red.status.code(), Some(1), "{file}: {red:?}");
        assert!(
            report("a.xml").contains("failures=\"1\"") && report("two words.xml").contains("failures=\"0\"")
        );
    }
}

#[test]
fn the_ci_examples_install_what_there_is_to_install() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let version =
        manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    for (file, _) in FILES {
        let text = fs::read_to_string(root.join("docs/ci").join(file)).unwrap();
        let install = text.lines().find(|line| line.contains("cargo install")).unwrap();
        assert!(install.ends_with("\" fanfare") && install.contains("--no-default-features"), "{install}");
        assert!(manifest.contains("name = \"fanfare\"") && manifest.contains("\n[features]\n"));
    }
    let gitlab = fs::read_to_string(root.join("docs/ci/gitlab.yml")).unwrap();
    assert!(
        gitlab.contains(&format!("image: rust:{version}-")),
        "the compiler that Fanfare needs: {version}"
    );
}
