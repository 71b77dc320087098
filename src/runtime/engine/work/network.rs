//! The machine's network: where it is, and what of it is watched.

use crate::runtime::agent::OpenedAgent;

use super::Work;

impl Work {
    /// Stores what passes in testing mode, and forgets it outside of it.
    pub(super) fn watch(&mut self) {
        let Some(wire) = &self.wire else { return };
        let is_testing = self.builder.settings.testing;
        if !is_testing {
            wire.clear();
        }
        if let Some(running) = &mut self.running {
            running.agent.watch(is_testing.then(|| wire.clone()));
        }
    }

    /// The proxy does not answer: if we have moved to another network, restarts the machine from there.
    pub(super) async fn follow_the_network(&mut self) {
        if !self.running.as_ref().is_some_and(|running| running.agent.has_moved()) {
            return;
        }
        // The old address cannot be un-registered any more: it no longer reaches the server.
        self.running = None;
        let Some(account) = self.builder.account.clone() else { return };
        let begun = match OpenedAgent::open(&account, self.data.as_deref()) {
            Ok(opened) => self.begin(opened).await,
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            self.not_started(&error);
        }
    }
}
