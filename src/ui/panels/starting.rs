//! How the program starts, and what closing its window does.

use egui::{RichText, Ui};

use crate::model::snapshot::Settings;
use crate::ui::actions::{Act, ClosingAct};
use crate::ui::kit::theme;
use crate::ui::kit::widgets::{hint, primary};

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
    const fn words(self) -> &'static str {
        match self {
            Self::Tray => "To see the window again, click Fanfare's icon in the tray.",
            Self::Start => "To see the window again, start Fanfare.",
        }
    }
}

/// The choices, in the settings.
pub(crate) fn starting_ui(ui: &mut Ui, starting: Starting, settings: &Settings, acts: &mut Vec<Act>) {
    ui.add_space(12.0);
    ui.label(RichText::new("Starting and closing").font(theme::strong(14.0)));
    let mut keeps = settings.background == Some(true);
    if ui.checkbox(&mut keeps, "Keep running when the window is closed").changed() {
        acts.push(Act::Closing(ClosingAct::Keep(keeps)));
    }
    hint(ui, &format!("Messages still reach you then. {}", starting.way_back.words()));
    if let Some(mut at_login) = starting.at_login
        && ui.checkbox(&mut at_login, "Start without a window when I log in").changed()
    {
        acts.push(Act::Closing(ClosingAct::StartAtLogin(at_login)));
    }
}

/// The question when the window is closed for the first time.
/// True once it is answered.
pub(crate) fn background_ui(ui: &mut Ui, is_new: bool, way_back: WayBack, acts: &mut Vec<Act>) -> bool {
    let again = way_back.words();
    ui.label(format!(
        "Fanfare can keep running without its window: messages still reach you, and you are told of them. {again} Ctrl+Q \
         always quits."
    ));
    ui.add_space(8.0);
    let keeps = ui.horizontal(|ui| {
        let keep = primary(ui, "Keep running", true);
        if is_new {
            keep.request_focus();
        }
        if keep.clicked() {
            return Some(true);
        }
        ui.button("Quit").clicked().then_some(false)
    });
    hint(ui, "You can change this in the settings.");
    acts.extend(keeps.inner.map(|keeps| Act::Closing(ClosingAct::Close { keeps })));
    keeps.inner.is_some()
}
