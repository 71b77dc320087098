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
use crate::ui::text::say;

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
            (Notifications::Full, say!("notify-everything")),
            (Notifications::HideContent, say!("notify-hide")),
            (Notifications::Off, say!("off")),
        ];
        for (notifications, label) in choices {
            if pill(ui, settings.notifications == notifications, label).clicked() {
                put(acts, Settings { notifications, ..settings.clone() });
            }
        }
    });
    hint(ui, say!("notify-why"));
}

/// "Do not disturb" for some hours, or until tomorrow morning.
fn quiet_ui(ui: &mut Ui, settings: &Settings, look: &Look, acts: &mut Vec<Act>) {
    ui.horizontal_wrapped(|ui| {
        ui.label(say!("quiet"));
        if let Some(until) = settings.quiet_until.filter(|_| settings.is_quiet(look.now)) {
            let until = Timestamp::from_millis(until);
            let time = look.clock(until);
            let words = if look.date(until) == look.date(look.now) {
                say!("quiet-until", time = time)
            } else {
                say!("quiet-until-tomorrow", time = time)
            };
            ui.label(RichText::new(words).font(theme::strong(14.0)));
            if small_button(ui, say!("turn-off")).clicked() {
                put(acts, Settings { quiet_until: None, ..settings.clone() });
            }
            return;
        }
        let hours = |hours: u64| look.now.plus(Duration::from_secs(hours * 3600)).as_millis();
        let morning = say!("quiet-morning", time = look.clock(look.tomorrow_at(8)));
        let choices = [
            (say!("quiet-hour"), hours(1)),
            (say!("quiet-hours"), hours(8)),
            (&*morning, look.tomorrow_at(8).as_millis()),
        ];
        for (label, until) in choices {
            if small_button(ui, label).clicked() {
                put(acts, Settings { quiet_until: Some(until), ..settings.clone() });
            }
        }
    });
    hint(ui, say!("quiet-one"));
}

/// Notifications wait while something is presented, if this desktop says so.
fn presenting_ui(ui: &mut Ui, settings: &Settings, says: Option<bool>, acts: &mut Vec<Act>) {
    let mut pause_presenting = settings.pause_presenting && says != Some(false);
    let pause = egui::Checkbox::new(&mut pause_presenting, say!("pause-presenting"));
    if ui.add_enabled(says != Some(false), pause).changed() {
        put(acts, Settings { pause_presenting, ..settings.clone() });
    }
    hint(
        ui,
        match says {
            Some(true) => {
                say!("presenting-said")
            }
            Some(false) => {
                say!("presenting-not-said")
            }
            None => say!("presenting-where"),
        },
    );
}
