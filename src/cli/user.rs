//! `fanfare proxy user`: who may sign in, and whom each user has blocked.

use std::path::Path;

use super::output::{say, warn};
use super::password::new_password;
use super::{OneUser, StorePlace, UserAndSender, UserVerb};
use crate::model::text::counted;
use crate::proxy::journal::UserRow;
use crate::sip::Aor;
use crate::store::users::{Purge, Removal, Users};

impl UserVerb {
    /// Where the store is.
    pub(super) const fn place(&self) -> &StorePlace {
        match self {
            Self::Add { user: OneUser { place, .. }, .. }
            | Self::Remove { user: OneUser { place, .. }, .. }
            | Self::Passwd(OneUser { place, .. })
            | Self::Block(UserAndSender { place, .. })
            | Self::Unblock(UserAndSender { place, .. })
            | Self::List { place } => place,
        }
    }

    /// Whether the store may be created.
    pub(super) const fn creates(&self) -> bool {
        matches!(self, Self::Add { .. })
    }
}

/// Runs the command on the store of a proxy with these domains, none if they are not known.
pub(super) fn run(verb: &UserVerb, store: &Path, domains: &[String]) -> anyhow::Result<()> {
    let mut users = Users::open(store)?;
    users.expect_served(domains)?;
    match verb {
        UserVerb::Add { user: OneUser { user, .. }, .. } => {
            let doubts = users.add(user, &new_password()?)?;
            say(&format!("{user} was added"));
            warn(&doubts);
        }
        UserVerb::Remove { user: OneUser { user, .. }, purge } => {
            let removal = users.remove(user, if *purge { Purge::Yes } else { Purge::No })?;
            say(&removed(user, &removal));
            warn(&removal.doubts);
        }
        UserVerb::Passwd(OneUser { user, .. }) => {
            let ended = users.set_password(user, &new_password()?)?;
            say(&renewed(user, ended));
        }
        UserVerb::Block(UserAndSender { user, sender, .. }) => users.block(user, sender)?,
        UserVerb::Unblock(UserAndSender { user, sender, .. }) => users.unblock(user, sender)?,
        UserVerb::List { .. } => {
            for user in users.list()? {
                say(&line(&user));
            }
        }
    }
    Ok(())
}

/// What the new password has ended.
fn renewed(user: &Aor, ended: usize) -> String {
    match ended {
        0 => format!("{user} has a new password"),
        _ => format!("{user} has a new password; ended: {}", counted(ended, "registration", "registrations")),
    }
}

/// What was removed with the user.
fn removed(user: &Aor, removal: &Removal) -> String {
    let some = |count: usize, one: &str, many: &str| (count > 0).then(|| counted(count, one, many));
    let went: Vec<String> = [
        some(removal.messages, "waiting message", "waiting messages"),
        some(removal.bindings, "registration", "registrations"),
        some(removal.devices, "device", "devices"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if went.is_empty() {
        format!("{user} was removed")
    } else {
        format!("{user} was removed, with {}", went.join(", "))
    }
}

fn line(user: &UserRow) -> String {
    let blocked: Vec<_> = user.blocked.iter().map(|sender| sender.as_str()).collect();
    if blocked.is_empty() {
        user.aor.to_string()
    } else {
        format!("{} has blocked {}", user.aor, blocked.join(", "))
    }
}
