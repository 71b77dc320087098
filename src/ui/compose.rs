//! Where a message is written: recipients, text, attachments.

pub(super) mod composer;

pub(super) mod recipients;

pub(super) mod suggestions;

pub(super) mod emoji;

pub(super) mod attach;

pub(super) mod pictures;
