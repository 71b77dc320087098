//! What `fanfare proxy backup`, `check`, `alias` and `user` are given.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::parse;
use crate::sip::{Aor, Uri};

#[derive(Debug, Subcommand)]
pub(super) enum Upkeep {
    /// Copy the store into a new file (safe while the proxy runs).
    Backup {
        /// File to create; it must not exist yet.
        file: PathBuf,
        #[command(flatten)]
        place: StorePlace,
    },
    /// Check the store (safe while the proxy runs); exit status 1 if something is wrong.
    Check {
        #[command(flatten)]
        place: StorePlace,
    },
    /// Manage aliases and lists (safe while the proxy runs).
    #[command(subcommand)]
    Alias(AliasVerb),
    /// Manage users (safe while the proxy runs).
    #[command(subcommand)]
    User(UserVerb),
}

#[derive(Debug, Subcommand)]
pub(super) enum AliasVerb {
    /// Add members to an alias or a list, which is created if necessary. With one member it is an alias, with more a list.
    Add {
        /// Address of the alias or list.
        #[arg(value_name = "USER@DOMAIN", value_parser = parse::user)]
        alias: Aor,
        /// Who receives what is sent to it, besides the members it has.
        #[arg(value_name = "ADDRESS", value_parser = parse::address, required = true)]
        members: Vec<Uri>,
        #[command(flatten)]
        place: StorePlace,
    },
    /// Remove members, or the whole alias or list.
    Remove {
        /// Address of the alias or list.
        #[arg(value_name = "USER@DOMAIN", value_parser = parse::user)]
        alias: Aor,
        /// Members to remove (default: all of them, and with them the alias or list).
        #[arg(value_name = "ADDRESS", value_parser = parse::address)]
        members: Vec<Uri>,
        #[command(flatten)]
        place: StorePlace,
    },
    /// Print all aliases and lists.
    List {
        #[command(flatten)]
        place: StorePlace,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum UserVerb {
    /// Add a user; the password is asked for, or read from the first line of standard input.
    Add {
        #[command(flatten)]
        user: OneUser,
    },
    /// Remove a user with all registrations, devices and blocked senders; the next owner of the address gets none of it.
    Remove {
        #[command(flatten)]
        user: OneUser,
        /// Remove the user even if messages are waiting: they fail, and their senders are told.
        #[arg(long)]
        purge: bool,
    },
    /// Print all users and the senders each of them has blocked.
    List {
        #[command(flatten)]
        place: StorePlace,
    },
    /// Change a user's password; the new one is asked for, or read from the first line of standard input. All devices of
    /// the user are signed out and have to sign in with the new one.
    Passwd(OneUser),
    /// Block a sender: the user receives nothing from that sender.
    Block(UserAndSender),
    /// Unblock a sender.
    Unblock(UserAndSender),
}

#[derive(Debug, Args)]
pub(super) struct OneUser {
    /// Address of the user.
    #[arg(value_name = "USER@DOMAIN", value_parser = parse::user)]
    pub(super) user: Aor,
    #[command(flatten)]
    pub(super) place: StorePlace,
}

#[derive(Debug, Args)]
pub(super) struct UserAndSender {
    /// Address of the user.
    #[arg(value_name = "USER@DOMAIN", value_parser = parse::user)]
    pub(super) user: Aor,
    /// Address of the sender, or a domain for everybody in it.
    #[arg(value_name = "SENDER", value_parser = parse::sender)]
    pub(super) sender: Aor,
    #[command(flatten)]
    pub(super) place: StorePlace,
}

/// Where a proxy's store is. That one of the two is given is checked when the store is looked for: clap would complain of it
/// where the folder stands before the command, and mislead.
#[derive(Debug, Args)]
pub(super) struct StorePlace {
    /// Folder of the proxy's store.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Settings file of the proxy, which names that folder.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}
