//! Starts the program when the user logs in: a file of the desktop's autostart folder (Desktop Application Autostart
//! Specification).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const FILE: &str = "fanfare.desktop";

/// The file that starts this program, which may be there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    file: PathBuf,
    program: PathBuf,
    arguments: Vec<String>,
}

impl Login {
    /// For this autostart folder; `program` is started with `arguments`.
    #[must_use]
    pub fn new(autostart: &Path, program: PathBuf, arguments: Vec<String>) -> Self {
        Self { file: autostart.join(FILE), program, arguments }
    }

    /// Whether the program is started.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.file.exists()
    }

    /// Writes the file, or removes it.
    ///
    /// # Errors
    /// The folder or the file cannot be changed.
    pub fn set(&self, is_on: bool) -> io::Result<()> {
        if is_on {
            if let Some(folder) = self.file.parent() {
                fs::create_dir_all(folder)?;
            }
            return fs::write(&self.file, self.text());
        }
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn text(&self) -> String {
        let program = self.program.to_string_lossy();
        let words = std::iter::once(&*program).chain(self.arguments.iter().map(String::as_str));
        let exec: Vec<String> = words.map(quoted).collect();
        format!(
            "[Desktop Entry]\nType=Application\nName=Fanfare\nComment=Start Fanfare without its window\nExec={}\n\
             Icon=fanfare\nTerminal=false\n",
            exec.join(" ")
        )
    }
}

/// An argument of `Exec`: quoted once for its command line, and once more as a string of the file.
fn quoted(word: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in word.chars() {
        match letter {
            '"' | '`' | '$' => quoted.push_str("\\\\"),
            '\\' => quoted.push_str("\\\\\\"),
            '%' => quoted.push('%'),
            _ => {}
        }
        quoted.push(letter);
    }
    // A line ends the entry, and no path of ours has one.
    quoted.replace('\n', " ") + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_written_and_removed_and_its_words_are_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let autostart = folder.path().join("config/autostart");
        let login = Login::new(&autostart, "/opt/my apps/fanfare".into(), vec!["--hidden".to_owned()]);
        assert!(!login.is_on());
        login.set(false).unwrap();
        login.set(true).unwrap();
        let text = fs::read_to_string(autostart.join(FILE)).unwrap();
        assert!(text.contains("\nExec=\"/opt/my apps/fanfare\" \"--hidden\"\n"), "{text}");
        assert!(login.is_on());
        login.set(false).unwrap();
        assert!(!login.is_on());
        assert_eq!(quoted("a\"$b\\100%"), r#""a\\"\\$b\\\\100%%""#);
    }
}
