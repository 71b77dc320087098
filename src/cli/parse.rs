//! Turns arguments into values; errors are sentences that say what is wrong.

use super::ServerArguments;
use super::output::millis;
use crate::model::account::{Account, SignIn};
#[cfg(feature = "gui")]
use crate::model::link::Link;
use crate::sip::Uri;
#[cfg(feature = "gui")]
use clap::CommandFactory as _;

pub(super) use super::address::{address, own_address, sender, user};
pub(super) use crate::config::text::{
    domain, duration, inbound, listen, name_server, origin, party, route, trusted,
};

/// A link, or else a mistyped command.
#[cfg(feature = "gui")]
pub(super) fn link(text: &str) -> Result<Link, String> {
    Link::parse(text).map_err(|why| {
        if text.contains(':') {
            return format!("this link {why}; it is like sip:ann@domain.com");
        }
        if text.contains('@') {
            return format!("there is no such command; to write to this address, give sip:{text}");
        }
        let program = super::Arguments::command();
        let distance = |name: &&str| strsim::osa_distance(name, text);
        let near = program.get_subcommands().map(clap::Command::get_name).min_by_key(distance);
        let near = near.filter(|name| distance(name) <= 2).map(|name| format!("; a similar one is {name}"));
        format!("there is no such command{}", near.unwrap_or_default())
    })
}

pub(super) fn fault(text: &str) -> Result<String, String> {
    let read = crate::injection::read(text);
    read.map(|_faults| text.to_owned()).map_err(|wrong| wrong.to_string())
}

/// Parses `90s`, `5m`, `1h` into the seconds of an Expires (RFC 3261 §20.19).
pub(super) fn expires(text: &str) -> Result<u32, String> {
    let secs = duration(text)?.as_secs();
    match u32::try_from(secs) {
        Ok(secs @ 1..) => Ok(secs),
        Ok(0) | Err(_) => Err(format!("{text:?} is not between 1s and 136 years")),
    }
}

/// Whether an account registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Registers {
    Yes,
    No,
}

/// An account that lasts as long as this command.
pub(super) fn account(
    identity: &Uri,
    sign_in: SignIn,
    server: &ServerArguments,
    registers: Registers,
) -> Account {
    Account {
        address: identity.as_str().to_owned(),
        proxy: server.proxy.clone(),
        sign_in,
        register: registers == Registers::Yes,
        t1_ms: millis(server.t1),
        tls_ca: server.tls_ca.clone(),
        tls_strict: server.tls_strict,
        dns: server.dns,
        ..Account::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w8_what_expires_takes_at_least_a_second() {
        assert_eq!(expires("1h"), Ok(3600));
        assert_eq!(expires("90s"), Ok(90));
        for text in ["0s", "900ms", "1200000h", "soon"] {
            assert!(expires(text).is_err(), "{text}");
        }
    }
}
