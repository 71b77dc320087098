//! Compares newer settings with those of a running proxy, and tells which of them it can apply while it runs.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::proxy::ProxySettings;
use crate::proxy::{Auth, Inbound, Party, StaticRoute};
use crate::sip::Transport;

/// A setting that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name in the file.
    pub field: &'static str,
    /// What it was.
    pub old: String,
    /// What it becomes.
    pub new: String,
    /// When it takes effect.
    pub takes: Takes,
}

/// When a changed setting takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// While the proxy runs.
    AtOnce,
    /// At the next start.
    Restart,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.field, self.old, self.new)
    }
}

impl ProxySettings {
    /// The settings that differ in `newer`, in the order of the manual.
    #[must_use]
    pub fn changes(&self, newer: &Self) -> Vec<Change> {
        let pairs = self.shown().into_iter().zip(newer.shown());
        pairs
            .filter(|((_, _, old), (_, _, new))| old != new)
            .map(|((field, takes, old), (_, _, new))| Change { field, old, new, takes })
            .collect()
    }

    /// The settings a running proxy uses after it got newer ones: those that need a restart stay unchanged.
    #[must_use]
    pub fn reloaded(self, newer: Self) -> Self {
        Self {
            domains: self.domains,
            listens: self.listens,
            data: self.data,
            routes: self.routes,
            auth: self.auth,
            t1: self.t1,
            dns: self.dns,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            tls_ca: self.tls_ca,
            web_origins: self.web_origins,
            ..newer
        }
    }

    /// Every setting as text.
    fn shown(&self) -> [(&'static str, Takes, String); 25] {
        use Takes::{AtOnce, Restart};
        let path = |path: &Option<std::path::PathBuf>| one(path.as_ref().map(|path| path.display()));
        [
            ("domains", Restart, all(&self.domains)),
            ("listens", Restart, many(&self.listens, place)),
            ("data", Restart, path(&self.data)),
            ("trust", AtOnce, all(&self.trust)),
            ("routes", Restart, many(&self.routes, route)),
            ("auth", Restart, one(self.auth.map(auth))),
            ("t1", Restart, one(self.t1.map(time))),
            ("recipients_max", AtOnce, one(self.recipients_max)),
            ("message_bytes_max", AtOnce, one(self.message_bytes_max)),
            ("submissions_per_sec_max", AtOnce, one(self.submissions_per_sec_max)),
            ("legs_per_user_max", AtOnce, one(self.legs_per_user_max)),
            ("mailbox", AtOnce, one(self.mailbox)),
            ("mailbox_days", AtOnce, one(self.mailbox_kept.map(|kept| kept.as_secs() / DAY_SECS))),
            ("mailbox_per_user_max", AtOnce, one(self.mailbox_per_user_max)),
            ("dns", Restart, one(self.dns)),
            ("tls_cert", Restart, path(&self.tls_cert)),
            ("tls_key", Restart, path(&self.tls_key)),
            ("tls_ca", Restart, path(&self.tls_ca)),
            ("web_origins", Restart, all(&self.web_origins)),
            ("log", AtOnce, one(self.log.as_ref())),
            ("inbound", AtOnce, one(self.inbound.map(inbound))),
            ("inbound_known", AtOnce, many(&self.inbound_known, party)),
            ("inbound_per_source_max", AtOnce, one(self.inbound_per_source_max)),
            ("inbound_per_recipient_max", AtOnce, one(self.inbound_per_recipient_max)),
            ("bans", AtOnce, many(&self.bans, party)),
        ]
    }
}

const DAY_SECS: u64 = 24 * 3600;

/// The text for a setting that is not given.
const NOT_SET: &str = "not set";

fn one(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| NOT_SET.to_owned(), |value| value.to_string())
}

fn all(values: &[impl ToString]) -> String {
    many(values, ToString::to_string)
}

fn many<T>(values: &[T], shown: impl Fn(&T) -> String) -> String {
    if values.is_empty() {
        return NOT_SET.to_owned();
    }
    values.iter().map(shown).collect::<Vec<_>>().join(" ")
}

fn place((transport, address): &(Transport, SocketAddr)) -> String {
    format!("{}:{address}", transport.as_str().to_ascii_lowercase())
}

fn route(route: &StaticRoute) -> String {
    format!("{}={}", route.domain, place(&(route.hop.transport, route.hop.remote)))
}

fn party(party: &Party) -> String {
    match party {
        Party::Network(network) => network.to_string(),
        Party::Domain(domain) => domain.clone(),
        Party::Sender(sender) => sender.to_string(),
    }
}

const fn auth(auth: Auth) -> &'static str {
    match auth {
        Auth::Off => "off",
        Auth::On => "on",
        Auth::Md5 => "md5",
    }
}

const fn inbound(inbound: Inbound) -> &'static str {
    match inbound {
        Inbound::Open => "open",
        Inbound::Known => "known",
        Inbound::Off => "off",
    }
}

fn time(time: Duration) -> String {
    format!("{}ms", time.as_millis())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> ProxySettings {
        ProxySettings::from_bytes(text.as_bytes(), Path::new("proxy.ron")).unwrap()
    }

    fn shown(changes: &[Change], takes: Takes) -> Vec<String> {
        changes.iter().filter(|change| change.takes == takes).map(ToString::to_string).collect()
    }

    #[test]
    fn each_change_is_told_with_what_it_was_and_when_it_holds() {
        let old = read(
            r#"(domains: ["a.com"], listens: ["udp:127.0.0.1:5060"], recipients_max: 7, log: "info",
                bans: ["192.0.2.0/24"], mailbox_days: 2)"#,
        );
        let newer = read(
            r#"(domains: ["b.com", "c.com"], listens: ["udp:127.0.0.1:5060"], t1: "1s", recipients_max: 8,
                bans: ["192.0.2.0/24", "spam.example"], mailbox: false, inbound: known, auth: md5,
                routes: ["e.org=tcp:[::1]:5070"])"#,
        );
        let changes = old.changes(&newer);
        assert_eq!(
            shown(&changes, Takes::AtOnce),
            [
                "recipients_max: 7 -> 8",
                "mailbox: not set -> false",
                "mailbox_days: 2 -> not set",
                "log: info -> not set",
                "inbound: not set -> known",
                "bans: 192.0.2.0/24 -> 192.0.2.0/24 spam.example",
            ]
        );
        assert_eq!(
            shown(&changes, Takes::Restart),
            [
                "domains: a.com -> b.com c.com",
                "routes: not set -> e.org=tcp:[::1]:5070",
                "auth: not set -> md5",
                "t1: not set -> 1000ms",
            ]
        );
        assert_eq!(old.changes(&old), []);
    }

    #[test]
    fn what_was_taken_over_is_no_change_any_more_and_what_needs_a_restart_still_is() {
        let old = read(r#"(domains: ["a.com"], recipients_max: 7)"#);
        let newer = read(r#"(domains: ["b.com"], recipients_max: 8)"#);
        let running = old.reloaded(newer.clone());
        assert_eq!(running.domains, ["a.com"]);
        let changes: Vec<_> = running.changes(&newer).iter().map(ToString::to_string).collect();
        assert_eq!(changes, ["domains: a.com -> b.com"]);
    }
}
