//! Limits on what nobody may do too often, too much of, or without authentication: nonces, rates, shares, load (W31).

pub(super) mod load;

pub(super) mod login_throttle;

pub(super) mod nonces;

pub(super) mod reflection;

pub(super) mod refusals;

pub(super) mod strangers;

pub(super) mod source;

pub(super) mod shares;
