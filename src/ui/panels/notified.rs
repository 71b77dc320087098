//! When notifications are shown, in the settings.

use std::time::Duration;

use egui::{RichText, Ui};

use crate::model::command::Command;
use crate::model::snapshot::{Notifications, Settings};
use crate::time::Timestamp;
use crate::ui::actions::Act;
use crate::ui::kit::theme;
use crate::ui::kit::widgets::{hint, pill, small_button};
use crate::ui::kit::words::Look;

/// What is shown, and when nothing is. `says_presenting`: whether the desktop says when something is presented; none if
/// that is not known.
pub(super) fn notified_ui(
    ui: &mut Ui,
    settings: &Settings,
    look: &Look,
    says_presenting: Option<bool>,
    acts: &mut Vec<Act>,
) {
    notifications_ui(ui, settings, acts);
    quiet_ui(ui, settings, look, acts);
    presenting_ui(ui, settings, says_presenting, acts);
}

fn put(acts: &mut Vec<Act>, settings: Settings) {
    acts.push(Act::Ask(Command::PutSettings(settings)));
}

fn notifications_ui(ui: &mut Ui, settings: &Settings, acts: &mut Vec<Act>) {
    ui.horizontal(|ui| {
        let choices = [
            (Notifications::Full, "Show everything"),
            (Notifications::HideContent, "Hide content"),
            (Notifications::Off, "Off"),
        ];
        for (notifications, label) in choices {
            if pill(ui, settings.notifications == notifications, label).clicked() {
                put(acts, Settings { notifications, ..settings.clone() });
            }
        }
    });
    hint(ui, "When a message arrives, and when one could not be delivered to someone.");
}

/// "Do not disturb" for some hours, or until tomorrow morning.
fn quiet_ui(ui: &mut Ui, settings: &Settings, look: &Look, acts: &mut Vec<Act>) {
    ui.horizontal_wrapped(|ui| {
        ui.label("Do not disturb");
        if let Some(until) = settings.quiet_until.filter(|_| settings.is_quiet(look.now)) {
            let until = Timestamp::from_millis(until);
            let day = if look.date(until) == look.date(look.now) { "" } else { "tomorrow, " };
            let words = format!("until {day}{}", look.clock(until));
            ui.label(RichText::new(words).font(theme::strong(14.0)));
            if small_button(ui, "Turn off").clicked() {
                put(acts, Settings { quiet_until: None, ..settings.clone() });
            }
            return;
        }
        let hours = |hours: u64| look.now.plus(Duration::from_secs(hours * 3600)).as_millis();
        let choices = [
            ("For 1 hour", hours(1)),
            ("For 8 hours", hours(8)),
            ("Until tomorrow, 08:00", look.tomorrow_at(8).as_millis()),
        ];
        for (label, until) in choices {
            if small_button(ui, label).clicked() {
                put(acts, Settings { quiet_until: Some(until), ..settings.clone() });
            }
        }
    });
    hint(ui, "To mute a single conversation, right-click it in the list.");
}

/// Notifications wait while something is presented, if this desktop says so.
fn presenting_ui(ui: &mut Ui, settings: &Settings, says: Option<bool>, acts: &mut Vec<Act>) {
    let mut pause_presenting = settings.pause_presenting && says != Some(false);
    let pause = egui::Checkbox::new(&mut pause_presenting, "Pause while presenting");
    if ui.add_enabled(says != Some(false), pause).changed() {
        put(acts, Settings { pause_presenting, ..settings.clone() });
    }
    hint(
        ui,
        match says {
            Some(true) => {
                "Notifications wait while this desktop says that you present, or want no notifications."
            }
            Some(false) => {
                "This desktop does not tell programs when you present. Most then hold notifications back themselves."
            }
            None => "Only where the desktop says when you present, as Plasma and dunst do.",
        },
    );
}
