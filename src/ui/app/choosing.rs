//! Files that the user chooses, and what testers ask for.

use super::App;
use super::shell::MiddleView;
use crate::ui::actions::TestingAct;
use crate::ui::compose::attach::AttachForm;
use crate::ui::panels::delivery::RightTab;
use crate::ui::panels::dialogs::Dialog;
use crate::ui::panels::record::RecordForm;

/// What a file is chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChosenFor {
    /// To be attached to what is written there.
    Draft(MiddleView),
    /// To look into a capture.
    Capture,
}

impl App {
    /// Carries out what a tester asks for.
    pub(super) fn carry_out_for_tester(&mut self, ctx: &egui::Context, act: TestingAct) {
        match act {
            TestingAct::SaveRecord(message) => {
                let form = RecordForm::of(message, self.shell.watched.is_some());
                self.shell.show(Dialog::Record(form));
            }
            TestingAct::OpenReport(message) => {
                self.shell.tab = RightTab::Delivery;
                self.show_details(message);
            }
            TestingAct::AskForCapture => self.choose(ChosenFor::Capture),
            TestingAct::OpenCapture(path) => self.shell.wire.open(ctx, path),
        }
    }

    /// Opens or closes the window of the wire.
    pub(super) fn toggle_wire(&mut self) {
        if self.shell.watched.is_none() {
            let words = "Switch testing mode on in the settings to watch the messages on the wire.";
            return self.shell.toasts.push(words.to_owned());
        }
        self.shell.wire.is_window = !self.shell.wire.is_window;
    }

    /// Opens the desktop's file chooser; where there is none, a dialog that takes a path.
    pub(super) fn choose(&mut self, chosen_for: ChosenFor) {
        match &mut self.choosing {
            Some(choosing) => choosing.begin(chosen_for),
            None => self.ask_for_path(chosen_for),
        }
    }

    /// Asks for a path in a dialog.
    pub(super) fn ask_for_path(&mut self, chosen_for: ChosenFor) {
        self.shell.show(match chosen_for {
            ChosenFor::Draft(_) => Dialog::Attach(AttachForm::default()),
            ChosenFor::Capture => Dialog::Capture(String::new()),
        });
    }
}
