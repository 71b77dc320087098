//! Limits on looking up names (RFC 3263; W19, W31).

use std::time::Duration;

/// Names being looked up at a time; the others wait.
pub const LOOKUPS_MAX: usize = 64;
/// Of these, the names of one payer: a user, or a source of strangers. Those who pay take turns.
pub const LOOKUPS_PER_PAYER_MAX: usize = 16;
/// Of these, the names of one zone (the last two labels), whose servers may be silent.
pub const LOOKUPS_PER_ZONE_MAX: usize = 16;
/// Of these, the names of one payer within one zone.
pub const LOOKUPS_WITHIN_ZONE_MAX: usize = 8;
/// Names waiting to be looked up. Requests of one payer for the same name share one look-up.
pub const LOOKUPS_WAITING_MAX: usize = 4000;
/// The names of one payer that wait are at most this part of what would be left; over it, there is no route to a further
/// one.
pub const LOOKUPS_WAITING_PART: usize = 4;
/// The longest name that DNS has (RFC 1035 §2.3.4); a longer one leads nowhere.
pub const DNS_NAME_BYTES_MAX: usize = 253;
/// Servers of one name whose addresses are looked up at a time (RFC 3263), and services of a domain by NAPTR.
pub const LOOKUP_PLACES_MAX: usize = 8;
/// How many times that many, if none of those before has an address; further SRV records are ignored.
pub const LOOKUP_ROUNDS_MAX: usize = 4;
/// Records of one answer of DNS that are looked at; whoever owns a domain may send thousands.
pub const DNS_RECORDS_READ_MAX: usize = 64;
/// Aliases that are followed from one name.
pub const DNS_ALIASES_MAX: usize = 4;
/// Names whose addresses are known from a look-up a moment ago; over it, the one that ends first is forgotten.
pub const NAMES_KNOWN_MAX: usize = 4096;
/// Bytes of one: the name twice, and its addresses.
pub const NAME_KNOWN_BYTES: usize = 1024;
/// How long they are known at most, whatever DNS says: servers that share the load by weight are chosen anew then.
pub const NAME_HOLDS_MAX: Duration = Duration::from_secs(60);
/// How long, if DNS does not say, or if a name leads nowhere.
pub const NAME_HOLDS_UNSAID: Duration = Duration::from_secs(10);
/// Addresses that the lookup of one name may yield.
pub const LOOKUP_HOPS_MAX: usize = 8;
/// How long the lookup of a name may take. Its three rounds of queries (NAPTR; SRV; addresses) are over before that,
/// each by the two below.
pub const LOOKUP_WAIT: Duration = Duration::from_secs(10);
/// How long a DNS query with EDNS (RFC 6891) may take; if unanswered, one without EDNS may take as long.
pub const QUESTION_WAIT: Duration = Duration::from_millis(1250);
/// Name servers that are asked, as in resolv.conf(5).
pub const NAME_SERVERS_MAX: usize = 3;
/// How long a name server may be silent before the next one is asked too.
pub const NAME_SERVER_WAIT: Duration = Duration::from_millis(300);
/// How long one that failed or was silent is asked after the others.
pub const NAME_SERVER_LAST_FOR: Duration = Duration::from_secs(30);
/// DNS queries under way at a time; the others wait.
pub const DNS_QUESTIONS_MAX: usize = 128;
/// Of these, the queries of one payer.
pub const DNS_QUESTIONS_PER_PAYER_MAX: usize = 32;
/// How much longer to wait for the addresses of the other family once those of one are known (RFC 8305 §3).
pub const OTHER_FAMILY_WAIT: Duration = Duration::from_millis(250);
