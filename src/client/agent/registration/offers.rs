//! What the server supports besides registration: fan-out (W6) and lists (W27).
//!
//! The registrar may be a different program from the one that handles its domain's messages. So if its answer mentions
//! neither, the domain is asked by OPTIONS (RFC 3261 §11, RFC 5365 §4) at each registration; until that is answered,
//! the earlier answer holds.

use super::Registration;
use crate::client::agent::core::{Core, Task};
use crate::client::agent::sign_in::{Answered, Answerer, Heeded};
use crate::model::account::RegistrationState;
use crate::sip::{RECIPIENT_LIST, Response, SECONDARY_TO};
use crate::time::Now;

/// State of the OPTIONS to the domain.
#[derive(Debug, Default)]
pub(super) struct Offers {
    /// What is known came from the domain, not from the registrar.
    are_of_domain: bool,
    /// Challenges answered since the OPTIONS was sent.
    challenges: Answered,
}

impl Registration {
    /// The state that follows from an answer to our REGISTER, or to the OPTIONS of an account that does not register.
    pub(super) fn state_by(&mut self, core: &mut Core, response: &Response, now: Now) -> RegistrationState {
        if core.profile.register && !offers_anything(response) {
            self.offers.challenges = Answered::default();
            self.ask_domain(core, now);
            if self.offers.are_of_domain && self.is_let_in() {
                return self.state.clone();
            }
        }
        self.offers.are_of_domain = false;
        note(core, response)
    }

    /// The domain's answer to OPTIONS.
    pub(crate) fn hear_offers(&mut self, core: &mut Core, response: &Response, now: Now) {
        if response.status() < 200 || !self.is_let_in() {
            return;
        }
        if core.challenges.heed(response, Answerer::Server, &mut self.offers.challenges) == Heeded::Again {
            return self.ask_domain(core, now);
        }
        if (200..300).contains(&response.status()) && offers_anything(response) {
            self.offers.are_of_domain = true;
            let state = note(core, response);
            return self.become_state(core, state);
        }
        self.offers_nothing(core);
    }

    /// The domain supports neither, or does not say.
    pub(crate) fn offers_nothing(&mut self, core: &mut Core) {
        if std::mem::take(&mut self.offers.are_of_domain) && self.is_let_in() {
            core.takes_lists = false;
            self.become_state(core, RegistrationState::NoFanOut);
        }
    }

    /// The proxy turned out not to fan out after all.
    pub(crate) fn disproved(&mut self, core: &mut Core) {
        if self.state == RegistrationState::Connected {
            let state = without_proof(core);
            self.become_state(core, state);
        }
    }

    /// The server turned out not to accept lists after all.
    pub(crate) fn lists_disproved(&mut self, core: &mut Core) {
        if self.state == RegistrationState::ByList {
            self.become_state(core, RegistrationState::NoFanOut);
        }
    }

    fn ask_domain(&mut self, core: &mut Core, now: Now) {
        if let Some(flow) = core.server.main() {
            self.ask_options(core, Task::Offers, flow, now);
        }
    }
}

fn offers_anything(response: &Response) -> bool {
    proves(response) || takes_lists(response)
}

fn proves(response: &Response) -> bool {
    response.fields().has_token("Supported", SECONDARY_TO)
}

fn takes_lists(response: &Response) -> bool {
    response.fields().has_token("Supported", RECIPIENT_LIST)
}

/// Records what an answer says; returns the resulting state.
fn note(core: &mut Core, response: &Response) -> RegistrationState {
    core.takes_lists = takes_lists(response);
    if proves(response) { RegistrationState::Connected } else { without_proof(core) }
}

/// The state for a server without proof of fan-out, from what is known of it (W27, W6).
const fn without_proof(core: &Core) -> RegistrationState {
    if core.takes_lists { RegistrationState::ByList } else { RegistrationState::NoFanOut }
}
