//! Limits of the accounts of one window, and of the links and files that others hand to it.

/// Accounts of one window; over it, none can be added.
pub const ACCOUNTS_MAX: usize = 9;
/// Bytes of a provisioning file; a larger one is refused.
pub const PROVISION_BYTES_MAX: usize = 64 * 1024;
/// Bytes of the authority that it names or contains; a larger one is refused.
pub const PROVISION_AUTHORITY_BYTES_MAX: usize = 256 * 1024;
/// Characters of a name or an address in it; a longer one is refused.
pub const PROVISION_CHARS_MAX: usize = 256;
/// Bytes of a link that another program hands over (`fanfare sip:…`); a longer one is refused.
pub const LINK_BYTES_MAX: usize = 8 * 1024;
/// Links that wait until the user can write; over it, the oldest is forgotten.
pub const LINKS_WAITING_MAX: usize = 16;
