//! What testers ask for.

use super::App;
use super::pictures::ChosenFor;
use crate::ui::actions::TestingAct;
use crate::ui::desktop::chooser::FileRequest;
use crate::ui::panels::delivery::RightTab;
use crate::ui::panels::dialogs::Dialog;
use crate::ui::panels::faults::FaultScene;
use crate::ui::panels::record::RecordForm;
use crate::ui::text::say;

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
            TestingAct::AskForCapture => self.choose_capture(),
            TestingAct::OpenCapture(path) => self.shell.wire.open(ctx, path),
            TestingAct::AskForScript => match &mut self.choosing {
                Some(choosing) => choosing.begin(FileRequest::Script, ChosenFor::Script),
                None => self.shell.checks.ask_for_path(),
            },
        }
    }

    /// Where faults can be caused now.
    pub(super) fn fault_scene(&self) -> Option<FaultScene> {
        if self.snapshot.demo {
            return Some(FaultScene::Demo);
        }
        let is_hosted = self.shell.watched.is_some() && self.neighbours.hosts();
        is_hosted.then(|| FaultScene::hosted(self.snapshot.account.as_deref()))
    }

    /// Opens or closes the window of the wire.
    pub(super) fn toggle_wire(&mut self) {
        if self.shell.watched.is_none() {
            let words = say!("testing-first");
            return self.shell.toasts.push(words.to_owned());
        }
        self.shell.wire.is_window = !self.shell.wire.is_window;
    }

    /// Lets the user choose a capture; where there is no chooser, a dialog takes its path.
    fn choose_capture(&mut self) {
        match &mut self.choosing {
            Some(choosing) => choosing.begin(FileRequest::Capture, ChosenFor::Capture),
            None => self.shell.show(Dialog::Capture(String::new())),
        }
    }
}
