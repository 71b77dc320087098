//! What `fanfare proxy backup`, `check`, `alias` and `user` are given.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::parse;
use crate::sip::{Aor, Uri};

#[derive(Debug, Subcommand)]
pub(super) enum Upkeep {
    /// Copy the store into a new file, while the proxy runs or not.
    Backup {
        /// The copy; it may not be there yet.
        file: PathBuf,
        #[command(flatten)]
        place: StorePlace,
    },
    /// Look through the store, while the proxy runs or not; exit status 1 where something is wrong.
    Check {
        #[command(flatten)]
        place: StorePlace,
    },
    /// Say which addresses stand for others, while the proxy runs or not.
    #[command(subcommand)]
    Alias(AliasVerb),
    /// Say who may sign in, while the proxy runs or not.
    #[command(subcommand)]
    User(UserVerb),
}

#[derive(Debug, Subcommand)]
pub(super) enum AliasVerb {
    /// Let an address stand for others: for one it is an alias, for several a list.
    Add {
        /// The address.
        #[arg(value_name = "USER@DOMAIN", value_parser = parse::alias)]
        alias: Aor,
        /// Whom it stands for, besides those it stands for already.
        #[arg(value_name = "ADDRESS", value_parser = parse::address, required = true)]
        members: Vec<Uri>,
        #[command(flatten)]
        place: StorePlace,
    },
    /// Take members out, or the whole alias.
    Remove {
        /// The address.
        #[arg(value_name = "USER@DOMAIN", value_parser = parse::alias)]
        alias: Aor,
        /// Whom it stands for no more (default: anybody).
        #[arg(value_name = "ADDRESS", value_parser = parse::address)]
        members: Vec<Uri>,
        #[command(flatten)]
        place: StorePlace,
    },
    /// Print the aliases and lists.
    List {
        #[command(flatten)]
        place: StorePlace,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum UserVerb {
    /// Add a user; the password is asked for, or read from the first line of standard input.
    Add(OneUser),
    /// Take a user out, with registrations, devices and blocked senders; nothing of his is for whoever has the address next.
    Remove {
        #[command(flatten)]
        user: OneUser,
        /// Although messages wait for him: they fail, and their senders are told.
        #[arg(long)]
        purge: bool,
    },
    /// Print the users, and whom each of them has blocked.
    List {
        #[command(flatten)]
        place: StorePlace,
    },
    /// Give a user another password; it is asked for as with add.
    Passwd(OneUser),
    /// Deliver nothing of a sender to a user.
    Block(UserAndSender),
    /// Deliver what a sender writes again.
    Unblock(UserAndSender),
}

#[derive(Debug, Args)]
pub(super) struct OneUser {
    /// Who.
    #[arg(value_name = "USER@DOMAIN", value_parser = parse::user)]
    pub(super) user: Aor,
    #[command(flatten)]
    pub(super) place: StorePlace,
}

#[derive(Debug, Args)]
pub(super) struct UserAndSender {
    /// Who does not want it.
    #[arg(value_name = "USER@DOMAIN", value_parser = parse::user)]
    pub(super) user: Aor,
    /// From whom; a domain stands for everybody in it.
    #[arg(value_parser = parse::sender)]
    pub(super) sender: Aor,
    #[command(flatten)]
    pub(super) place: StorePlace,
}

/// Where a proxy's store is.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(super) struct StorePlace {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Settings in a RON file that names the folder.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}
