//! The window, driven by the names that a screen reader says, over a stand-in for the engine.

#![cfg(feature = "gui")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

#[path = "ui/fake.rs"]
mod fake;

#[path = "ui/gallery.rs"]
mod gallery;

#[path = "ui/job.rs"]
mod job;

#[path = "ui/accounts.rs"]
mod accounts;

#[path = "ui/announced.rs"]
mod announced;

#[path = "ui/attach.rs"]
mod attach;

#[path = "ui/emoji.rs"]
mod emoji;

#[path = "ui/ended.rs"]
mod ended;

#[path = "ui/deleting.rs"]
mod deleting;

#[path = "ui/finding.rs"]
mod finding;

#[path = "ui/closing.rs"]
mod closing;

#[path = "ui/files.rs"]
mod files;

#[path = "ui/hosting.rs"]
mod hosting;

#[path = "ui/keyboard.rs"]
mod keyboard;

#[path = "ui/keyring.rs"]
mod keyring;

#[path = "ui/languages.rs"]
mod languages;

#[path = "ui/later.rs"]
mod later;

#[path = "ui/calls.rs"]
mod calls;

#[path = "ui/long.rs"]
mod long;

#[path = "ui/links.rs"]
mod links;

#[path = "ui/drafts.rs"]
mod drafts;

#[path = "ui/ordered.rs"]
mod ordered;

#[path = "ui/pictures.rs"]
mod pictures;

#[path = "ui/place.rs"]
mod place;

#[path = "ui/reopen.rs"]
mod reopen;

#[path = "ui/refused.rs"]
mod refused;

#[path = "ui/first_use.rs"]
mod first_use;

#[path = "ui/undo.rs"]
mod undo;

#[path = "ui/told.rs"]
mod told;

#[path = "ui/menus.rs"]
mod menus;

#[path = "ui/people.rs"]
mod people;

#[path = "ui/recipients.rs"]
mod recipients;

#[path = "ui/dialogs.rs"]
mod dialogs;

#[path = "ui/contacts.rs"]
mod contacts;

#[path = "ui/sign_in.rs"]
mod sign_in;

#[path = "ui/real.rs"]
mod real;

#[path = "ui/matrix.rs"]
mod matrix;

#[path = "ui/wire.rs"]
mod wire;

#[path = "ui/faults.rs"]
mod faults;

#[path = "ui/checks.rs"]
mod checks;

#[path = "ui/desktop.rs"]
mod desktop;
