//! `fanfare proxy user`: who may sign in, and what each of them does not want.

use std::path::Path;

use super::lines::say;
use super::password::new_password;
use super::{OneUser, StorePlace, UserAndSender, UserVerb};
use crate::proxy::journal::UserRow;
use crate::store::users::Users;

impl UserVerb {
    /// Where the store is.
    pub(super) const fn place(&self) -> &StorePlace {
        match self {
            Self::Add(OneUser { place, .. })
            | Self::Remove(OneUser { place, .. })
            | Self::Passwd(OneUser { place, .. })
            | Self::Block(UserAndSender { place, .. })
            | Self::Unblock(UserAndSender { place, .. })
            | Self::List { place } => place,
        }
    }
}

/// Does it in the store of that file.
pub(super) fn run(verb: &UserVerb, store: &Path) -> anyhow::Result<()> {
    let mut users = Users::open(store)?;
    match verb {
        UserVerb::Add(OneUser { user, .. }) => users.add(user, &new_password()?)?,
        UserVerb::Remove(OneUser { user, .. }) => users.remove(user)?,
        UserVerb::Passwd(OneUser { user, .. }) => users.set_password(user, &new_password()?)?,
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

fn line(user: &UserRow) -> String {
    let blocked: Vec<_> = user.blocked.iter().map(|sender| sender.as_str()).collect();
    if blocked.is_empty() {
        user.aor.to_string()
    } else {
        format!("{} blocks {}", user.aor, blocked.join(", "))
    }
}
