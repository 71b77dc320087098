//! `fanfare manual DIR`, for whoever makes packages: the man pages and the shell completions. The program writes them
//! itself, so that they cannot disagree with it. Neither the help nor the pages mention this command.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::aot::{Shell, generate_to};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

const NAME: &str = "manual";
const FOLDER: &str = "folder";
/// What is the same for all commands; it stands on the page of the program.
const ENVIRONMENT: [(&str, &str); 2] = [
    (
        "FANFARE_LOG",
        "How much is logged on standard error: off, error, warn, info, debug or trace, or the level of one part such as \
         fanfare::net=debug. The default is error,fanfare=warn.",
    ),
    ("FANFARE_PASSWORD", "The password of send and listen, unless it is in a file (--password-file)."),
];
const EXIT_STATUSES: [(&str, &str); 4] = [
    ("0", "Done; for send: every recipient was reached."),
    (
        "1",
        "Done in part, or not what was hoped for: somebody was not reached, nothing was found, a check has failed.",
    ),
    ("2", "Wrong usage, or it could not begin. Standard error says why."),
    ("70", "An internal error."),
];

/// The command as clap knows it.
pub(super) fn command() -> Command {
    let folder = Arg::new(FOLDER).value_name("DIR").required(true).value_parser(value_parser!(PathBuf));
    Command::new(NAME).hide(true).about("Write the man pages and shell completions into a folder").arg(folder)
}

/// The folder, if this command is what was asked for.
pub(super) fn folder(matches: &ArgMatches) -> Option<PathBuf> {
    let (_, given) = matches.subcommand().filter(|(name, _)| *name == NAME)?;
    given.get_one::<PathBuf>(FOLDER).cloned()
}

/// Writes `man1/*.1` and `completions/*` of the program into the folder.
///
/// # Errors
/// A file cannot be written.
pub(super) fn write(program: &Command, folder: &Path) -> anyhow::Result<ExitCode> {
    let (pages, completions) = (folder.join("man1"), folder.join("completions"));
    for made in [&pages, &completions] {
        fs::create_dir_all(made).with_context(|| format!("cannot create {}", made.display()))?;
    }
    let mut whole = program.clone().disable_help_subcommand(true);
    whole.build();
    write_pages(&whole, None, &pages)?;
    let name = program.get_name();
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        generate_to(shell, &mut program.clone(), name, &completions)
            .with_context(|| format!("cannot write the completions of {shell}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The page of a command and those of its subcommands; `above` is the page that it belongs to.
fn write_pages(command: &Command, above: Option<&str>, folder: &Path) -> anyhow::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let path = folder.join(format!("{name}.1"));
    let page = page(command, above)?;
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    let mut shown = command.get_subcommands().filter(|below| !below.is_hide_set());
    shown.try_for_each(|below| write_pages(below, Some(name), folder))
}

fn page(command: &Command, above: Option<&str>) -> anyhow::Result<Vec<u8>> {
    let source = concat!("Fanfare ", env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    Man::new(command.clone()).source(source).manual("Fanfare").render(&mut page)?;
    let mut end = Roff::new();
    match above {
        Some(above) => {
            end.control("SH", ["SEE ALSO"]);
            end.text([bold(above), roman("(1)")]);
        }
        None => {
            explain(&mut end, "ENVIRONMENT", &ENVIRONMENT);
            explain(&mut end, "EXIT STATUS", &EXIT_STATUSES);
        }
    }
    end.to_writer(&mut page)?;
    Ok(page)
}

/// A section in which each word is explained.
fn explain(page: &mut Roff, title: &str, words: &[(&str, &str)]) {
    page.control("SH", [title]);
    for (word, meaning) in words {
        page.control("TP", []);
        page.text([bold(*word)]);
        page.text([roman(*meaning)]);
    }
}
