//! How the program starts, and what closing its window does.

use egui::{RichText, Ui};

use crate::model::snapshot::Settings;
use crate::ui::actions::{Act, ClosingAct};
use crate::ui::kit::theme;
use crate::ui::kit::widgets::{hint, primary};
use crate::ui::text::say;

/// What there is to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Starting {
    /// Whether the program is started when the user logs in; none if that is not offered.
    pub(crate) at_login: Option<bool>,
    /// How the user gets back to the window.
    pub(crate) way_back: WayBack,
}

/// What shows the window again once it was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WayBack {
    /// The icon in the tray.
    Tray,
    /// The next start.
    Start,
}

impl WayBack {
    fn words(self) -> &'static str {
        match self {
            Self::Tray => say!("way-back-tray"),
            Self::Start => say!("way-back-start"),
        }
    }
}

/// The choices, in the settings.
pub(crate) fn starting_ui(ui: &mut Ui, starting: Starting, settings: &Settings, acts: &mut Vec<Act>) {
    ui.add_space(12.0);
    ui.label(RichText::new(say!("starting-closing")).font(theme::strong(14.0)));
    let mut keeps = settings.background == Some(true);
    if ui.checkbox(&mut keeps, say!("keep-running-closed")).changed() {
        acts.push(Act::Closing(ClosingAct::Keep(keeps)));
    }
    hint(ui, &say!("still-reach-you", how = starting.way_back.words()));
    if let Some(mut at_login) = starting.at_login
        && ui.checkbox(&mut at_login, say!("start-at-login")).changed()
    {
        acts.push(Act::Closing(ClosingAct::StartAtLogin(at_login)));
    }
}

/// The question when the window is closed for the first time.
/// True once it is answered.
pub(crate) fn background_ui(ui: &mut Ui, is_new: bool, way_back: WayBack, acts: &mut Vec<Act>) -> bool {
    let again = way_back.words();
    ui.label(say!("background-ask", again = again));
    ui.add_space(8.0);
    let keeps = ui.horizontal(|ui| {
        let keep = primary(ui, say!("keep-running"), true);
        if is_new {
            keep.request_focus();
        }
        if keep.clicked() {
            return Some(true);
        }
        ui.button(say!("quit")).clicked().then_some(false)
    });
    hint(ui, say!("change-in-settings"));
    acts.extend(keeps.inner.map(|keeps| Act::Closing(ClosingAct::Close { keeps })));
    keeps.inner.is_some()
}
