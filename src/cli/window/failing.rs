//! The window cannot start: a window of its own says why, and the user decides.

use std::path::Path;

use super::runtime;
use crate::config::client::Folders;
use crate::runtime::agent::{AgentError, STORE_FILE};
use crate::runtime::engine::EngineError;
use crate::store::{OpenError, OpenErrorKind, own_backup};
use crate::ui::desktop::notifications;
use crate::ui::{self, Choice, Customs, Failure};

/// Tells of a failure by a notification.
pub(super) fn announce(why: &str) {
    let shown =
        runtime().map(|runtime| runtime.block_on(notifications::announce("Fanfare cannot start", why)));
    if let Ok(Err(error)) = shown {
        // Whoever reads this has the error itself on the same terminal.
        tracing::debug!(%error, "no notification says that the window cannot be opened");
    }
}

/// The engine cannot start: says why, and does what the user decides. An error if that is to quit.
pub(super) fn decide(error: EngineError, folders: &Folders) -> anyhow::Result<()> {
    let store = folders.data.join(STORE_FILE);
    let failure = Failure {
        details: format!("Fanfare {}: {error}", env!("CARGO_PKG_VERSION")),
        why: sentence(&error.to_string()),
        can_begin_anew: can_begin_anew(&error),
        backup: can_restore(&error).then(|| own_backup::made_at(&store)).flatten(),
        customs: Customs::of_system(),
        ..Failure::default()
    };
    match ui::say_that_it_failed(failure) {
        Ok(choice) if follow(choice, &store)? => Ok(()),
        Ok(_) => Err(error.into()),
        Err(no_window) => {
            tracing::warn!(error = %no_window, "no window says why the program cannot start");
            announce(&sentence(&error.to_string()));
            Err(error.into())
        }
    }
}

/// If the last run found that the store is damaged, offers to go back to its backup; false if the user quits.
pub(super) fn decide_on_damage(folders: &Folders) -> anyhow::Result<bool> {
    let store = folders.data.join(STORE_FILE);
    if !own_backup::take_damage(&store)? {
        return Ok(true);
    }
    let why = "The file with your messages is damaged: some of them may be wrong or missing.";
    let failure = Failure {
        details: format!("Fanfare {}: {} is damaged", env!("CARGO_PKG_VERSION"), store.display()),
        why: why.to_owned(),
        can_begin_anew: true,
        backup: own_backup::made_at(&store),
        can_go_on: true,
        customs: Customs::of_system(),
        ..Failure::default()
    };
    match ui::say_that_it_failed(failure) {
        Ok(choice) => follow(choice, &store),
        Err(no_window) => {
            tracing::warn!(error = %no_window, "no window says that the messages are damaged");
            Ok(true)
        }
    }
}

/// Does what the user decided; false if that is to quit.
fn follow(choice: Choice, store: &Path) -> anyhow::Result<bool> {
    let aside = match choice {
        Choice::TryAgain => return Ok(true),
        Choice::Quit => return Ok(false),
        Choice::Restore => own_backup::restore(store)?,
        Choice::BeginAnew => own_backup::set_aside(store)?,
    };
    tracing::info!(file = %aside.display(), "the messages were set aside");
    Ok(true)
}

/// True if the backup could be opened where the store cannot.
const fn can_restore(error: &EngineError) -> bool {
    let EngineError::Agent(AgentError::Store(error)) = error else { return false };
    matches!(
        error.kind,
        OpenErrorKind::NotADatabase
            | OpenErrorKind::Foreign { .. }
            | OpenErrorKind::Unmigrated { .. }
            | OpenErrorKind::Sqlite(_)
    )
}

/// True if the store itself is at fault, so that an empty one would help.
const fn can_begin_anew(error: &EngineError) -> bool {
    let is_newer = matches!(
        error,
        EngineError::Agent(AgentError::Store(OpenError { kind: OpenErrorKind::Newer { .. }, .. }))
    );
    is_newer || can_restore(error)
}

/// A capital letter at the beginning and a full stop at the end.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(std::iter::once('.')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store_error(kind: OpenErrorKind) -> EngineError {
        EngineError::Agent(AgentError::Store(OpenError { path: "/data/messages.sqlite3".into(), kind }))
    }

    #[test]
    fn a_store_is_set_aside_or_restored_only_where_that_helps() {
        for (kind, both) in [
            (OpenErrorKind::NotADatabase, (true, true)),
            // An older copy would hide what the newer program has written.
            (OpenErrorKind::Newer { found: 9, known: 6 }, (true, false)),
            (OpenErrorKind::InUse, (false, false)),
        ] {
            let error = store_error(kind);
            assert_eq!((can_begin_anew(&error), can_restore(&error)), both, "{error}");
        }
        let ended = EngineError::Ended;
        assert_eq!((can_begin_anew(&ended), can_restore(&ended)), (false, false));
    }
}
