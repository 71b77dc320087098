//! Limits of a server hosted by the window, and of those that are found in the local network.

use std::time::Duration;

/// Characters of the name of a hosted server: with its accents it fits one label of DNS (63 bytes), or is cut to it.
pub const HOSTED_NAME_CHARS_MAX: usize = 40;
/// Bytes of that name in an answer of mDNS; an answer with a longer one is ignored.
pub const HOSTED_NAME_BYTES_MAX: usize = 63;
/// Requests to the thread that keeps a hosted server; over it, one is refused.
pub const HOST_ORDERS_MAX: usize = 16;
/// How long a hosted server that has ended by itself stays down before it is started again.
pub const HOST_RESTART_WAIT: Duration = Duration::from_secs(5);
/// How long a hosted server may take to store what it knows and end; over it, it is killed.
pub const HOST_END_WAIT: Duration = Duration::from_secs(10);
/// How often a hosted server looks whether its address is still one of this computer.
pub const HOST_ADDRESS_LOOK: Duration = Duration::from_secs(10);
/// Servers in the local network that are offered; further ones are ignored.
pub const NEARBY_MAX: usize = 8;
/// Records of mDNS that are kept; over it, all are forgotten, and nobody is listened to for [`NEARBY_PAUSE`].
pub const NEARBY_RECORDS_MAX: i64 = 2000;
/// How often these are counted.
pub const NEARBY_LOOK: Duration = Duration::from_secs(1);
/// How long mDNS is not listened to after there was too much of it.
pub const NEARBY_PAUSE: Duration = Duration::from_secs(60);
