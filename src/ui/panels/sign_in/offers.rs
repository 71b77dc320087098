//! What the first screen offers to those who have no account yet.

use egui::Ui;

use crate::ui::actions::{Act, DemoAct};
use crate::ui::kit::widgets::{hint, small_button};

/// What there is to offer; the window fills it in before each frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offers {
    /// None if this window cannot show the demo.
    pub(crate) demo: Option<DemoOffer>,
}

/// How it stands with the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DemoOffer {
    /// It can be started.
    Ready,
    /// It is being started.
    Starting,
}

/// Draws the offers below the form.
pub(super) fn offers_ui(ui: &mut Ui, offers: &Offers, acts: &mut Vec<Act>) {
    let Some(demo) = offers.demo else { return };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        hint(ui, "No account yet?");
        ui.add_enabled_ui(demo == DemoOffer::Ready, |ui| {
            let label = if demo == DemoOffer::Ready { "Try the demo" } else { "Starting the demo…" };
            if small_button(ui, label).on_hover_text("Simulated people, on this computer alone").clicked() {
                acts.push(Act::Demo(DemoAct::Try));
            }
        });
    });
}
