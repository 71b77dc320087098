//! When the window draws by itself: texts that change with the time. Everything else waits for an event.

use std::time::Duration;

use super::App;
use crate::model::account::RegistrationState;

impl App {
    /// At midnight `Today` becomes `Yesterday`.
    pub(super) fn wait_for_midnight(&self, ctx: &egui::Context) {
        if !self.snapshot.conversations.is_empty()
            && let Some(left) = self.look.until_midnight()
        {
            ctx.request_repaint_after(left + Duration::from_millis(20));
        }
    }

    /// The only countdown on the screen: the seconds until the next attempt to reach the server.
    pub(super) fn count_down(&self, ctx: &egui::Context) {
        let offline = matches!(self.snapshot.registration, RegistrationState::Offline { .. });
        if let Some(at) = self.snapshot.retry_at.filter(|at| offline && *at > self.look.now) {
            let left = at.since(self.look.now);
            let step = if left < Duration::from_secs(90) { left.as_millis() % 1000 } else { 30_000 };
            ctx.request_repaint_after(Duration::from_millis(u64::try_from(step).unwrap_or(1000) + 20));
        }
    }
}
