//! `fanfare proxy alias`: aliases and lists.

use std::path::Path;

use super::output::{say, warn};
use super::{AliasVerb, StorePlace};
use crate::sip::Uri;
use crate::store::aliases::Aliases;

impl AliasVerb {
    /// Where the store is.
    pub(super) const fn place(&self) -> &StorePlace {
        match self {
            Self::Add { place, .. } | Self::Remove { place, .. } | Self::List { place } => place,
        }
    }

    /// Whether the store may be created.
    pub(super) const fn creates(&self) -> bool {
        matches!(self, Self::Add { .. })
    }
}

/// Runs the command on this store.
pub(super) fn run(verb: &AliasVerb, store: &Path) -> anyhow::Result<()> {
    let mut aliases = Aliases::open(store)?;
    match verb {
        AliasVerb::Add { alias, members, .. } => warn(&aliases.add(alias, members)?),
        AliasVerb::Remove { alias, members, .. } => aliases.remove(alias, members)?,
        AliasVerb::List { .. } => {
            for row in aliases.list()? {
                let members: Vec<_> = row.members.iter().map(Uri::short).collect();
                say(&format!("{} stands for {}", row.alias, members.join(", ")));
            }
        }
    }
    Ok(())
}
