//! Passwords: typed without echo, or read from a file, the environment or standard input; never from an argument.

use std::fs::File;
use std::io::{BufRead, IsTerminal, Read};
use std::path::Path;

use anyhow::Context;

use super::SignInArguments;
use crate::model::account::{Password, SignIn};
use crate::store::private_file;

/// Where `send` and `listen` look for a password if no file is given.
const VARIABLE: &str = "FANFARE_PASSWORD";

/// The sign-in data from the arguments and the password's source.
pub(super) fn sign_in(arguments: &SignInArguments) -> anyhow::Result<SignIn> {
    let password = match &arguments.password_file {
        Some(file) => Some(from_file(file)?),
        None => std::env::var(VARIABLE).ok(),
    };
    Ok(SignIn {
        username: arguments.user.clone().unwrap_or_default(),
        realm: arguments.realm.clone().unwrap_or_default(),
        password: Password::new(password.unwrap_or_default()),
    })
}

fn from_file(file: &Path) -> anyhow::Result<String> {
    let unread = || format!("cannot read the password from {}", file.display());
    let mut opened = File::open(file).with_context(unread)?;
    private_file::check(&opened, file)?;
    let mut text = String::new();
    opened.read_to_string(&mut text).with_context(unread)?;
    first_line(&text)
        .with_context(|| format!("the first line of {} is empty, and should be the password", file.display()))
}

/// Reads a new password: asked for twice at a terminal, else the first line of standard input.
pub(super) fn new_password() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut text)
            .context("cannot read the password from standard input")?;
        return first_line(&text)
            .context("the first line of standard input is empty, and should be the password");
    }
    let first = rpassword::prompt_password("New password: ").context("cannot ask for the password")?;
    let again = rpassword::prompt_password("Repeat the password: ").context("cannot ask for the password")?;
    anyhow::ensure!(first == again, "the passwords do not match; nothing was changed");
    first_line(&first).context("a password cannot be empty; nothing was changed")
}

/// The first line: blanks belong to the password, line ends do not.
fn first_line(text: &str) -> Option<String> {
    text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line_as_it_stands() {
        assert_eq!(first_line(" open sesame \r\nrest\n").as_deref(), Some(" open sesame "));
        assert_eq!(first_line("x").as_deref(), Some("x"));
        assert_eq!((first_line(""), first_line("\nx")), (None, None));
    }

    #[test]
    fn a_password_file_that_is_not_there_is_named() {
        let arguments = SignInArguments {
            user: Some("j".to_owned()),
            password_file: Some("/nowhere/password".into()),
            realm: None,
        };
        let said = sign_in(&arguments).unwrap_err().to_string();
        assert_eq!(said, "cannot read the password from /nowhere/password");
    }
}
