//! What the first screen offers to those who have no account yet, and the servers that were found nearby.

use egui::Ui;

use crate::model::hosting::NearbyServer;
use crate::model::text::visible;
use crate::ui::actions::{Act, DemoAct, HostAct};
use crate::ui::commands::UiCommand;
use crate::ui::kit::widgets::{hint, small_button};
use crate::ui::text::say;

/// What there is to offer; the window fills it in before each frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offers {
    /// None if this window cannot show the demo.
    pub(crate) demo: Option<DemoOffer>,
    /// This computer can be a server.
    pub(crate) can_host: bool,
    /// The user can choose a provisioning file.
    pub(crate) file: bool,
    /// The servers in the local network.
    pub(crate) nearby: Vec<NearbyServer>,
}

/// How it stands with the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DemoOffer {
    /// It can be started.
    Ready,
    /// It is being started.
    Starting,
}

/// Draws the servers nearby; returns the one that was chosen.
pub(super) fn nearby_ui(ui: &mut Ui, nearby: &[NearbyServer]) -> Option<NearbyServer> {
    if nearby.is_empty() {
        return None;
    }
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        for server in nearby {
            // The name is what anybody in the network says.
            let name = visible(&server.name);
            let label = if server.is_encrypted() {
                say!("nearby", name = name)
            } else {
                say!("nearby-clear", name = name)
            };
            let button = small_button(ui, &label);
            if button
                .on_hover_text(say!("nearby-at", domain = server.domain, server = server.server))
                .clicked()
            {
                chosen = Some(server.clone());
            }
        }
    });
    chosen
}

/// Draws the offers below the form.
pub(super) fn offers_ui(ui: &mut Ui, offers: &Offers, acts: &mut Vec<Act>) {
    if offers.demo.is_none() && !offers.can_host && !offers.file {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        hint(ui, say!("no-account-yet"));
        if let Some(demo) = offers.demo {
            ui.add_enabled_ui(demo == DemoOffer::Ready, |ui| {
                let label = if demo == DemoOffer::Ready { say!("try-demo") } else { say!("starting-demo") };
                if small_button(ui, label).on_hover_text(say!("try-demo-why")).clicked() {
                    acts.push(Act::Demo(DemoAct::Try));
                }
            });
        }
        let why = say!("host-here-why");
        if offers.can_host && small_button(ui, say!("host-here")).on_hover_text(why).clicked() {
            acts.push(Act::Host(HostAct::Show));
        }
        let why = say!("open-file-why");
        if offers.file && small_button(ui, say!("open-file")).on_hover_text(why).clicked() {
            acts.push(Act::Run(UiCommand::OpenProvision));
        }
    });
}
