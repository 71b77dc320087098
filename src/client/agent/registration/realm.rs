//! In which realm the server of an account that does not register asks for the password.
//!
//! Where each recipient gets a MESSAGE of his own, the answer to it may be his, and what he asks for is given only in a
//! realm in which our own server asks ([`sign_in`](crate::client::agent::sign_in)). REGISTER is how a client that registers
//! learns it. One that does not sends a REGISTER without Contact, which changes nothing (RFC 3261 §10.2.3), and looks at
//! the challenge; before that, nothing leaves.

use super::{Phase, Registration};
use crate::client::agent::core::Core;
use crate::model::account::RegistrationState;
use crate::sip::Response;
use crate::time::Now;

impl Registration {
    /// The server of an account that does not register has answered: this state follows, at once or after the registrar
    /// was asked.
    pub(super) fn settle_unregistered(&mut self, core: &mut Core, state: RegistrationState, now: Now) {
        let is_passed_on = matches!(state, RegistrationState::ByList | RegistrationState::NoFanOut);
        let flow = core.server.main().filter(|_| is_passed_on && core.challenges.lacks_realm());
        let Some(flow) = flow else {
            return self.settle(core, state, None);
        };
        self.settles_as = Some(state);
        self.ask_registrar(core, flow, now);
    }

    /// The registrar's answer.
    pub(crate) fn hear_realm(&mut self, core: &mut Core, response: &Response) {
        if response.status() >= 200 {
            core.challenges.learn_realms(response);
            self.realm_asked(core);
        }
    }

    /// The registrar has answered, or does not: another program may answer OPTIONS.
    pub(crate) fn realm_asked(&mut self, core: &mut Core) {
        let state = self.settles_as.take().filter(|_| self.phase == Phase::Asking);
        if let Some(state) = state {
            self.settle(core, state, None);
        }
    }
}
