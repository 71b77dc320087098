//! The settings file of a proxy (`fanfare proxy --config FILE`), in RON; everything in it may be left out:
//!
//! ```ron
//! (
//!     domains: ["domain.com"],
//!     listens: ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"],
//!     data: "/var/lib/fanfare-proxy",
//!     trust: ["127.0.0.0/8"],
//!     routes: ["example.org=udp:192.0.2.5:5060"],
//!     auth: on,
//!     t1: "500ms",
//!     recipients_max: 500,
//!     message_bytes_max: 1048576,
//!     submissions_per_sec_max: 20,
//!     legs_per_user_max: 50000,
//!     mailbox: true,
//!     mailbox_days: 7,
//!     mailbox_per_user_max: 1000,
//!     dns: "192.0.2.53:53",
//!     tls_cert: "/etc/fanfare/domain.com.pem",
//!     tls_key: "/etc/fanfare/domain.com.key",
//!     tls_ca: "/etc/fanfare/our-authority.pem",
//!     web_origins: ["https://chat.domain.com"],
//!     log: "info",
//!     inbound: known,
//!     inbound_known: ["example.org", "ann@elsewhere.com", "192.0.2.0/24"],
//!     inbound_per_source_max: 60,
//!     inbound_per_recipient_max: 90,
//!     bans: ["198.51.100.0/24", "spam.example"],
//! )
//! ```

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::limits::{
    LEGS_OPEN_MAX, MAILBOX_PER_USER_MAX, MAILBOX_SECS_MAX, MESSAGE_BYTES_MAX, RECIPIENTS_MAX,
};
use crate::net::{Identity, NetSettings, Origins, TlsFiles};
use crate::proxy::{Auth, Inbound, InboundConfig, MailboxConfig, Party, ProxyConfig, StaticRoute, Trusted};
use crate::sip::Transport;
use crate::store::ron_file::{self, RonError};
use crate::transaction::Timers;

use super::text::{LogFilter, domain, duration, listen, log, origin, party, route, trusted};
use super::words::{AuthWord, InboundWord};

const DAY_SECS: u32 = 24 * 3600;
/// The longest time that a message may wait in the mailbox.
const MAILBOX_DAYS_MAX: usize = (MAILBOX_SECS_MAX / DAY_SECS) as usize;

/// Why a settings file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProxySettingsError {
    /// It cannot be read, or is not RON of the expected form.
    #[error(transparent)]
    File(#[from] RonError),
    /// It does not exist.
    #[error("cannot read {}: there is no such file", .0.display())]
    Missing(PathBuf),
    /// A value is invalid.
    #[error("{}: {field}: {why}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// The file as people write it. Its limits for recipients and bytes may lower those of `limits.rs`, not raise them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    domains: Vec<String>,
    listens: Vec<String>,
    data: Option<PathBuf>,
    trust: Vec<String>,
    routes: Vec<String>,
    auth: Option<AuthWord>,
    t1: Option<String>,
    recipients_max: Option<usize>,
    message_bytes_max: Option<usize>,
    submissions_per_sec_max: Option<u32>,
    legs_per_user_max: Option<usize>,
    mailbox: Option<bool>,
    mailbox_days: Option<usize>,
    mailbox_per_user_max: Option<usize>,
    dns: Option<SocketAddr>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    tls_ca: Option<PathBuf>,
    web_origins: Vec<String>,
    log: Option<String>,
    inbound: Option<InboundWord>,
    inbound_known: Vec<String>,
    inbound_per_source_max: Option<u32>,
    inbound_per_recipient_max: Option<u32>,
    bans: Vec<String>,
}

/// Settings of a proxy, checked; what is not set is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// Served domains.
    pub domains: Vec<String>,
    /// Addresses to listen on.
    pub listens: Vec<(Transport, SocketAddr)>,
    /// Folder of the store.
    pub data: Option<PathBuf>,
    /// Peers that may submit with any From.
    pub trust: Vec<Trusted>,
    /// Other domains whose next hop is configured.
    pub routes: Vec<StaticRoute>,
    /// Whether users must authenticate.
    pub auth: Option<Auth>,
    /// T1.
    pub t1: Option<Duration>,
    /// Maximum recipients of one submission.
    pub recipients_max: Option<usize>,
    /// Maximum bytes of one request.
    pub message_bytes_max: Option<usize>,
    /// Maximum messages per second from one sender.
    pub submissions_per_sec_max: Option<u32>,
    /// Maximum legs in progress for one sender.
    pub legs_per_user_max: Option<usize>,
    /// Whether messages for absent users wait in a mailbox.
    pub mailbox: Option<bool>,
    /// The longest time that a message waits there.
    pub mailbox_kept: Option<Duration>,
    /// Maximum messages waiting there for one recipient.
    pub mailbox_per_user_max: Option<usize>,
    /// The name server to use instead of the system's.
    pub dns: Option<SocketAddr>,
    /// Our TLS certificate, with the chain to its authority.
    pub tls_cert: Option<PathBuf>,
    /// Its key.
    pub tls_key: Option<PathBuf>,
    /// Authorities to trust instead of the system's.
    pub tls_ca: Option<PathBuf>,
    /// Websites whose pages may open WebSockets.
    pub web_origins: Vec<String>,
    /// What is logged, unless the environment variable is set.
    pub log: Option<LogFilter>,
    /// Which strangers may write to our users.
    pub inbound: Option<Inbound>,
    /// The strangers that count as known.
    pub inbound_known: Vec<Party>,
    /// Maximum requests per minute from strangers at one source.
    pub inbound_per_source_max: Option<u32>,
    /// Maximum requests per minute from strangers to one user.
    pub inbound_per_recipient_max: Option<u32>,
    /// Those whose requests are all refused.
    pub bans: Vec<Party>,
}

impl ProxySettings {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Names the file, and the line and column or the field that is wrong.
    pub fn read(path: &Path) -> Result<Self, ProxySettingsError> {
        let written: Option<Written> = ron_file::read(path)?;
        Self::checked(written.ok_or_else(|| ProxySettingsError::Missing(path.to_owned()))?, path)
    }

    /// Parses and checks a file's bytes; `path` is for the error.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, ProxySettingsError> {
        Self::checked(ron_file::from_bytes(bytes, path)?, path)
    }

    fn checked(written: Written, path: &Path) -> Result<Self, ProxySettingsError> {
        let wrong = |(field, why)| ProxySettingsError::Field { path: path.to_owned(), field, why };
        written.check().map_err(wrong)
    }

    /// Merges two settings: what is set here overrides `others`.
    #[must_use]
    pub fn over(self, others: Self) -> Self {
        Self {
            domains: first_set(self.domains, others.domains),
            listens: first_set(self.listens, others.listens),
            data: self.data.or(others.data),
            trust: first_set(self.trust, others.trust),
            routes: first_set(self.routes, others.routes),
            auth: self.auth.or(others.auth),
            t1: self.t1.or(others.t1),
            recipients_max: self.recipients_max.or(others.recipients_max),
            message_bytes_max: self.message_bytes_max.or(others.message_bytes_max),
            submissions_per_sec_max: self.submissions_per_sec_max.or(others.submissions_per_sec_max),
            legs_per_user_max: self.legs_per_user_max.or(others.legs_per_user_max),
            mailbox: self.mailbox.or(others.mailbox),
            mailbox_kept: self.mailbox_kept.or(others.mailbox_kept),
            mailbox_per_user_max: self.mailbox_per_user_max.or(others.mailbox_per_user_max),
            dns: self.dns.or(others.dns),
            tls_cert: self.tls_cert.or(others.tls_cert),
            tls_key: self.tls_key.or(others.tls_key),
            tls_ca: self.tls_ca.or(others.tls_ca),
            web_origins: first_set(self.web_origins, others.web_origins),
            log: self.log.or(others.log),
            inbound: self.inbound.or(others.inbound),
            inbound_known: first_set(self.inbound_known, others.inbound_known),
            inbound_per_source_max: self.inbound_per_source_max.or(others.inbound_per_source_max),
            inbound_per_recipient_max: self.inbound_per_recipient_max.or(others.inbound_per_recipient_max),
            bans: first_set(self.bans, others.bans),
        }
    }

    /// The settings for its sockets. A certificate and its key may be in one file.
    #[must_use]
    pub fn net(&self) -> NetSettings {
        let (chain, key) = (self.tls_cert.as_ref(), self.tls_key.as_ref());
        let identity = chain.or(key).zip(key.or(chain));
        let identity = identity.map(|(chain, key)| Identity { chain: chain.clone(), key: key.clone() });
        let tls = TlsFiles { identity, authorities: self.tls_ca.clone(), wildcards: false };
        NetSettings { tls, dns: self.dns, origins: self.origins(), ..NetSettings::default() }
    }

    /// Without authentication, any website could write to the users through a browser on this computer.
    fn origins(&self) -> Origins {
        match (&self.web_origins, self.asks()) {
            (listed, _) if !listed.is_empty() => Origins::These(listed.clone()),
            (_, Auth::Off) => Origins::Local,
            (_, Auth::On | Auth::Md5) => Origins::All,
        }
    }

    /// Whether users must authenticate: beyond loopback they must, unless the settings say otherwise (W30).
    #[must_use]
    pub fn asks(&self) -> Auth {
        let is_open = self.listens.iter().any(|(_, listen)| !listen.ip().is_loopback());
        self.auth.unwrap_or(if is_open { Auth::On } else { Auth::Off })
    }

    /// The proxy's configuration, with defaults for what is not set.
    #[must_use]
    pub fn config(self) -> ProxyConfig {
        let auth = self.asks();
        let mut config = ProxyConfig::new(self.domains, self.listens);
        config.auth = auth;
        config.trust = self.trust;
        config.routes = self.routes;
        config.timers = self.t1.map_or(config.timers, Timers::new);
        config.recipients_max = self.recipients_max.unwrap_or(config.recipients_max);
        config.message_bytes_max = self.message_bytes_max.unwrap_or(config.message_bytes_max);
        config.submissions_per_sec_max = self.submissions_per_sec_max.or(config.submissions_per_sec_max);
        config.legs_per_user_max = self.legs_per_user_max.unwrap_or(config.legs_per_user_max);
        let usual = InboundConfig::default();
        config.inbound = InboundConfig {
            mode: self.inbound.unwrap_or_default(),
            known: self.inbound_known,
            bans: self.bans,
            per_source_max: self.inbound_per_source_max.unwrap_or(usual.per_source_max),
            per_recipient_max: self.inbound_per_recipient_max.unwrap_or(usual.per_recipient_max),
        };
        let usual = MailboxConfig::default();
        config.mailbox = self.mailbox.unwrap_or(true).then(|| MailboxConfig {
            kept: self.mailbox_kept.unwrap_or(usual.kept),
            per_user_max: self.mailbox_per_user_max.unwrap_or(usual.per_user_max),
        });
        config
    }
}

fn first_set<T>(own: Vec<T>, other: Vec<T>) -> Vec<T> {
    if own.is_empty() { other } else { own }
}

type Wrong = (&'static str, String);

impl Written {
    fn check(self) -> Result<ProxySettings, Wrong> {
        let t1 = self.t1.as_deref().map(duration).transpose().map_err(|why| ("t1", why))?;
        if t1.is_some_and(|t1| t1.is_zero()) {
            return Err(("t1", "it must be longer than zero".to_owned()));
        }
        Ok(ProxySettings {
            domains: each("domains", &self.domains, domain)?,
            listens: each("listens", &self.listens, listen)?,
            data: self.data,
            trust: each("trust", &self.trust, trusted)?,
            routes: each("routes", &self.routes, route)?,
            auth: self.auth.map(AuthWord::value),
            t1,
            recipients_max: within("recipients_max", self.recipients_max, RECIPIENTS_MAX)?,
            message_bytes_max: within("message_bytes_max", self.message_bytes_max, MESSAGE_BYTES_MAX)?,
            submissions_per_sec_max: self.submissions_per_sec_max,
            legs_per_user_max: within("legs_per_user_max", self.legs_per_user_max, LEGS_OPEN_MAX)?,
            mailbox: self.mailbox,
            mailbox_kept: within("mailbox_days", self.mailbox_days, MAILBOX_DAYS_MAX)?.map(days),
            mailbox_per_user_max: within(
                "mailbox_per_user_max",
                self.mailbox_per_user_max,
                MAILBOX_PER_USER_MAX,
            )?,
            dns: self.dns,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            tls_ca: self.tls_ca,
            web_origins: each("web_origins", &self.web_origins, origin)?,
            log: self.log.as_deref().map(log).transpose().map_err(|why| ("log", why))?,
            inbound: self.inbound.map(InboundWord::value),
            inbound_known: each("inbound_known", &self.inbound_known, party)?,
            inbound_per_source_max: some("inbound_per_source_max", self.inbound_per_source_max)?,
            inbound_per_recipient_max: some("inbound_per_recipient_max", self.inbound_per_recipient_max)?,
            bans: each("bans", &self.bans, party)?,
        })
    }
}

fn each<T>(
    field: &'static str,
    texts: &[String],
    read: fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Wrong> {
    texts.iter().map(|text| read(text).map_err(|why| (field, why))).collect()
}

fn some(field: &'static str, value: Option<u32>) -> Result<Option<u32>, Wrong> {
    if value == Some(0) {
        Err((field, "0 would let nobody in; write inbound: off for that".to_owned()))
    } else {
        Ok(value)
    }
}

fn days(count: usize) -> Duration {
    Duration::from_secs(DAY_SECS.into()) * u32::try_from(count).unwrap_or(u32::MAX)
}

fn within(field: &'static str, value: Option<usize>, most: usize) -> Result<Option<usize>, Wrong> {
    match value {
        Some(value) if value == 0 || value > most => {
            Err((field, format!("{value} is not between 1 and {most}")))
        }
        Some(_) | None => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file<T>(text: &str, check: impl FnOnce(&Path) -> T) -> T {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.ron");
        std::fs::write(&path, text).unwrap();
        check(&path)
    }

    fn read(text: &str) -> ProxySettings {
        with_file(text, |path| ProxySettings::read(path).unwrap())
    }

    fn refusal(text: &str) -> String {
        let said = with_file(text, |path| ProxySettings::read(path).unwrap_err().to_string());
        said.split_once("proxy.ron:").unwrap().1.to_owned()
    }

    #[test]
    fn the_file_of_the_manual_is_read() {
        let settings = read(
            r#"( domains: ["domain.com"], listens: ["udp:127.0.0.1:5060", "tcp:[::1]:0"], data: Some("/x"),
                 trust: ["127.0.0.0/8", "udp:192.0.2.7"], t1: Some("20ms"), recipients_max: Some(7) )"#,
        );
        let config = settings.clone().config();
        assert_eq!((config.domains.len(), config.listens.len(), config.trust.len()), (1, 2, 2));
        assert_eq!((config.timers, config.recipients_max), (Timers::new(Duration::from_millis(20)), 7));
        assert_eq!(config.message_bytes_max, MESSAGE_BYTES_MAX);
        assert_eq!(read("()"), ProxySettings::default());
        // People need not write `Some` in the file.
        assert_eq!(read(r#"(t1: "20ms", recipients_max: 7, data: "/x")"#).t1, settings.t1);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field_or_its_place() {
        for (text, said) in [
            ("(listens: [\"5060\"])", " listens: \"5060\" does not begin with a transport"),
            ("(trust: [\"127.0.0.0/99\"])", " trust: \"127.0.0.0/99\" is not a network prefix"),
            (
                "(routes: [\"example.org\"])",
                " routes: \"example.org\" has no = after the domain; write it like example.org=udp:192.0.2.5:5060",
            ),
            (
                "(web_origins: [\"domain.com\"])",
                " web_origins: \"domain.com\" is not the origin of a web page; write it like https://chat.domain.com",
            ),
            ("(t1: \"fast\")", " t1: \"fast\" is not a time; write it like 500ms"),
            (
                "(log: \"wran\")",
                " log: \"wran\" is not a log level; the levels are off, error, warn, info, debug, trace",
            ),
            ("(t1: \"0ms\")", " t1: it must be longer than zero"),
            ("(domains: [\" \"])", " domains: \" \" is not a valid domain: it is empty"),
            (
                "(domains: [\"domain.com\", \"a,b\"])",
                " domains: \"a,b\" is not a valid domain: it contains a comma",
            ),
            ("(recipients_max: 0)", " recipients_max: 0 is not between 1 and 500"),
            ("(message_bytes_max: 99999999)", " message_bytes_max: 99999999 is not between"),
            ("(mailbox_days: 8)", " mailbox_days: 8 is not between 1 and 7"),
            ("(mailbox_per_user_max: 0)", " mailbox_per_user_max: 0 is not between 1 and 1000"),
            ("(mailbox: 1)", "1:11: mailbox: true or false is wanted here"),
            ("(auth: onn)", "1:8: auth: \"onn\" is not one of off, on, md5"),
            ("(auth: \"on\")", "1:8: auth: a word without quotes is wanted here"),
            ("(mailbox true)", "1:10: a colon is wanted here, between a field and its value"),
            ("(dns: \"x\")", "1:8: dns: invalid socket address syntax"),
            ("(t1: 20)", "1:6: t1: a text is wanted here, in quotes"),
            ("(domains: \"domain.com\")", "1:11: domains: a list is wanted here, in [ and ]"),
            ("(t1: \"1s\", t1: \"1s\")", "1:12: the field \"t1\" is there twice"),
            ("(recipients_max: -7)", "1:19: recipients_max: this number is too large, or too small"),
            ("domains: []", "1:1: an opening ( is wanted here"),
            ("(t1: \"1s\"", "1:10: t1: a comma or a closing bracket is wanted here"),
            (
                "(\n  domain: [])",
                "2:3: there is no field \"domain\" here; the fields are domains, listens, data, trust, routes, auth, ",
            ),
        ] {
            let error = refusal(text);
            assert!(error.starts_with(said), "{text}: {error}");
            assert!(!error.contains("Written") && !error.contains("struct"), "{text}: {error}");
        }
        let missing = ProxySettings::read(Path::new("/nowhere/proxy.ron")).unwrap_err().to_string();
        assert_eq!(missing, "cannot read /nowhere/proxy.ron: there is no such file");
    }

    #[test]
    fn w18_the_mailbox_is_on_for_seven_days_unless_the_settings_say_otherwise() {
        let week = MailboxConfig { kept: Duration::from_secs(604_800), per_user_max: 1000 };
        assert_eq!(read("()").config().mailbox, Some(week));
        assert_eq!(read("(mailbox: false)").config().mailbox, None);
        let short = read("(mailbox_days: 2, mailbox_per_user_max: 3)").config().mailbox;
        assert_eq!(short, Some(MailboxConfig { kept: Duration::from_secs(172_800), per_user_max: 3 }));
        let off = ProxySettings { mailbox: Some(false), ..ProxySettings::default() };
        assert_eq!(off.over(read("(mailbox: true)")).config().mailbox, None);
    }

    #[test]
    fn w30_passwords_are_asked_for_beyond_loopback_unless_the_settings_say_otherwise() {
        for (text, asks) in [
            (r#"(listens: ["udp:127.0.0.1:5060", "tcp:[::1]:5060"])"#, Auth::Off),
            (r#"(listens: ["udp:127.0.0.1:5060", "tcp:192.0.2.1:5060"])"#, Auth::On),
            (r#"(listens: ["udp:0.0.0.0:5060"])"#, Auth::On),
            (r#"(listens: ["udp:127.0.0.1:5060"], auth: on)"#, Auth::On),
            (r#"(listens: ["udp:0.0.0.0:5060"], auth: md5)"#, Auth::Md5),
            (r#"(listens: ["udp:0.0.0.0:5060"], auth: off)"#, Auth::Off),
        ] {
            assert_eq!(read(text).config().auth, asks, "{text}");
        }
    }

    #[test]
    fn w30_a_proxy_that_asks_nobody_lets_in_no_page_from_elsewhere() {
        for (text, origins) in [
            (r#"(listens: ["ws:127.0.0.1:5060"])"#, Origins::Local),
            (r#"(listens: ["ws:192.0.2.1:5060"])"#, Origins::All),
            (r#"(listens: ["ws:127.0.0.1:5060"], auth: on)"#, Origins::All),
            (r#"(listens: ["ws:192.0.2.1:5060"], auth: off)"#, Origins::Local),
            (r#"(web_origins: ["https://a.org"])"#, Origins::These(vec!["https://a.org".to_owned()])),
        ] {
            assert_eq!(read(text).net().origins, origins, "{text}");
        }
    }

    #[test]
    fn w31_who_may_write_from_elsewhere_and_who_is_banned_is_read() {
        let usual = read("()").config().inbound;
        assert_eq!((usual.mode, usual.per_source_max, usual.per_recipient_max), (Inbound::Open, 60, 90));
        assert!(usual.known.is_empty() && usual.bans.is_empty());
        let written = r#"(inbound: known, inbound_known: ["example.org", "ann@elsewhere.com"],
            inbound_per_source_max: 5, inbound_per_recipient_max: 7, bans: ["198.51.100.0/24"])"#;
        let inbound = read(written).config().inbound;
        let party = |text: &str| text.parse::<Party>().unwrap();
        assert_eq!(inbound.mode, Inbound::Known);
        assert_eq!(inbound.known, [party("example.org"), party("ann@elsewhere.com")]);
        assert_eq!(inbound.bans, [party("198.51.100.0/24")]);
        assert_eq!((inbound.per_source_max, inbound.per_recipient_max), (5, 7));
        let off = ProxySettings { inbound: Some(Inbound::Off), ..ProxySettings::default() };
        assert_eq!(off.over(read(written)).config().inbound.mode, Inbound::Off);
        for (text, said) in [
            ("(bans: [\"a b\"])", " bans: \"a b\" is not an address such as 192.0.2.7, a network"),
            ("(inbound_known: [\"\"])", " inbound_known: \"\" is not an address"),
            ("(inbound_per_source_max: 0)", " inbound_per_source_max: 0 would let nobody in"),
        ] {
            let error = refusal(text);
            assert!(error.starts_with(said), "{text}: {error}");
        }
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let file = read(r#"(domains: ["a.org"], listens: ["udp:127.0.0.1:1"], t1: "1s")"#);
        let own = ProxySettings { domains: vec!["b.org".to_owned()], ..ProxySettings::default() };
        let both = own.over(file.clone());
        assert_eq!((both.domains, both.listens, both.t1), (vec!["b.org".to_owned()], file.listens, file.t1));
    }
}
