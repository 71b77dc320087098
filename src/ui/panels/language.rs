//! The language of the window, and how times are written in it.

use egui::{RichText, Ui};

use crate::model::command::Command;
use crate::model::locale::{FirstDay, Hours, Language};
use crate::model::snapshot::Settings;
use crate::ui::actions::Act;
use crate::ui::kit::theme;
use crate::ui::kit::widgets::pill;
use crate::ui::text::say;

/// The choices; each takes effect at once.
pub(super) fn language_ui(ui: &mut Ui, settings: &Settings, acts: &mut Vec<Act>) {
    let mut chosen = settings.clone();
    // Each language calls itself by its own name, so that whoever cannot read the others finds it.
    let languages = [
        (Language::System, say!("language-system")),
        (Language::English, "English"),
        (Language::Spanish, "Español"),
        (Language::German, "Deutsch"),
    ];
    choice_ui(ui, &mut chosen.language, None, &languages);
    let hours = [
        (Hours::System, say!("language-system")),
        (Hours::TwentyFour, say!("clock-24")),
        (Hours::Twelve, say!("clock-12")),
    ];
    choice_ui(ui, &mut chosen.hours, Some(say!("clock-label")), &hours);
    let days = [
        (FirstDay::System, say!("language-system")),
        (FirstDay::Monday, say!("week-monday")),
        (FirstDay::Saturday, say!("week-saturday")),
        (FirstDay::Sunday, say!("week-sunday")),
    ];
    choice_ui(ui, &mut chosen.first_day, Some(say!("week-label")), &days);
    if chosen != *settings {
        acts.push(Act::Ask(Command::PutSettings(chosen)));
    }
}

fn choice_ui<T: Copy + PartialEq>(ui: &mut Ui, chosen: &mut T, title: Option<&str>, choices: &[(T, &str)]) {
    ui.horizontal_wrapped(|ui| {
        if let Some(title) = title {
            ui.label(RichText::new(title).font(theme::regular(14.0)));
        }
        for (choice, label) in choices {
            if pill(ui, *chosen == *choice, label).clicked() {
                *chosen = *choice;
            }
        }
    });
}
