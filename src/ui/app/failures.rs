//! From one message that somebody did not get to the next, through all conversations.

use std::sync::Arc;

use super::App;
use crate::ui::text::say;

impl App {
    /// Shows the next message that somebody did not get: in the open conversation after the selected one, then in the
    /// next conversation of the list.
    pub(super) fn next_failed(&mut self) {
        if let Some(message) = self.shell.thread.later_failed() {
            return self.show_details(message);
        }
        let heads = Arc::clone(&self.snapshot.conversations);
        let open = self.shell.open();
        let after = heads.iter().position(|head| Some(head.id) == open).map_or(0, |here| here + 1);
        let mut from_here = heads.iter().skip(after).chain(heads.iter().take(after));
        match from_here.find(|head| head.failed > 0) {
            Some(head) if Some(head.id) == open => {}
            Some(head) => self.open(head.id),
            None => return self.shell.toasts.push(say!("nothing-failed").to_owned()),
        }
        self.shell.thread.seeks_failed = true;
        self.show_sought_failed();
    }

    /// Shows the first message that somebody did not get, once its conversation is loaded.
    pub(super) fn show_sought_failed(&mut self) {
        if !self.shell.thread.seeks_failed || !self.shell.thread.is_loaded() {
            return;
        }
        self.shell.thread.seeks_failed = false;
        if let Some(message) = self.shell.thread.first_failed() {
            self.show_details(message);
        }
    }
}
