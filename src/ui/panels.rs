//! What opens beside or over the thread: delivery, settings, dialogs, sign-in.

pub(super) mod dialogs;

mod account;

pub(super) mod later;

pub(super) mod import;

pub(super) mod correct;

pub(super) mod record;

pub(super) mod whole;

mod asking;

pub(super) mod export;

pub(super) mod people;

pub(super) mod faults;

pub(super) mod settings;

mod language;

pub(super) mod sign_in;

pub(super) mod certificate;

mod blocked;

mod notified;

pub(super) mod starting;

pub(super) mod storage;

pub(super) mod hosting;

pub(super) mod typed;

pub(super) mod delivery;
