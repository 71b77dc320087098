//! The button that asks the server again at once, below the account while it does not let us in.

use egui::{Frame, Margin, Ui};

use crate::model::account::RegistrationState;
use crate::model::command::{AgentCommand, Command};
use crate::model::snapshot::Snapshot;
use crate::ui::actions::Act;
use crate::ui::kit::widgets::small_button;
use crate::ui::text::say;

/// What the button says; none while there is nothing to ask for.
#[derive(Debug, Default)]
pub(super) struct Retry(Option<&'static str>);

impl Retry {
    /// Draws the button. It stays where it is, disabled, while the server is asked, so that nothing below it moves.
    pub(super) fn show(&mut self, ui: &mut Ui, snapshot: &Snapshot, acts: &mut Vec<Act>) {
        let is_asking = matches!(snapshot.registration, RegistrationState::Connecting(_));
        self.0 = match snapshot.registration {
            RegistrationState::Refused { .. } => Some(say!("sign-in-again")),
            RegistrationState::Offline { .. } => Some(say!("try-now")),
            RegistrationState::Connecting(_) => self.0,
            RegistrationState::Idle
            | RegistrationState::Connected
            | RegistrationState::ByList
            | RegistrationState::NoFanOut => None,
        };
        let Some(label) = self.0 else { return };
        Frame::NONE.inner_margin(Margin { left: 16, right: 16, top: 8, bottom: 0 }).show(ui, |ui| {
            if ui.add_enabled_ui(!is_asking, |ui| small_button(ui, label).clicked()).inner {
                acts.push(Act::Ask(Command::Agent(AgentCommand::Connect)));
            }
        });
    }
}
