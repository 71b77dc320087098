//! What became of a submission of a capture, for each recipient, and which message says so.

use egui::{Rect, RichText, Sense, Ui, vec2};

use crate::inspect::{Source, Submission, counted, verdict};
use crate::ui::kit::icons::{paint_state, state_color};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::words;
use crate::ui::text::say;

/// `2 of 3 reached`.
pub(super) fn summary(submission: &Submission) -> String {
    let outcomes = counted(0, submission).outcomes;
    let reached = outcomes.iter().filter(|one| crate::model::delivery::is_reached(one.cell.state)).count();
    say!("reached-of", reached = reached, all = outcomes.len())
}

/// A line for each recipient.
pub(super) fn outcomes_ui(ui: &mut Ui, submission: &Submission) {
    let outcomes = counted(0, submission).outcomes;
    for (recipient, outcome) in submission.recipients.iter().zip(&outcomes) {
        let verdict = verdict(submission, recipient);
        ui.horizontal_wrapped(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(16.0, 16.0), Sense::hover());
            let icon = Rect::from_center_size(rect.center(), vec2(14.0, 14.0));
            let state = outcome.cell.state;
            paint_state(ui.painter(), icon, state, state_color(state, colors(ui)), colors(ui).middle);
            ui.label(RichText::new(&outcome.name).font(theme::strong(12.5)));
            let mut told = words::state_word(state).to_owned();
            if let Some(status) = verdict.status {
                told.push_str(&format!(", {status} {}", verdict.reason.as_deref().unwrap_or_default()));
            }
            if let Some(took) = verdict.took {
                told.push_str(&format!(", {}", say!("after-time", time = words::latency(took))));
            }
            if let Some(count) = verdict.transmissions.filter(|count| *count > 1) {
                told.push_str(&format!(", {}", say!("sent-times", count = count)));
            }
            told.push(' ');
            told.push_str(match verdict.source {
                None => say!("by-no-answer"),
                Some(Source::Report) => say!("by-report"),
                Some(Source::Leg) => say!("by-leg"),
                Some(Source::Answer) => say!("by-answer"),
            });
            ui.label(RichText::new(crate::model::text::visible(&told)).size(12.5).color(colors(ui).weak));
            if let Some(answer) = &verdict.contradicted_by {
                let doubt = say!("recipient-answered", status = answer.status, reason = answer.reason);
                let doubt = crate::model::text::visible(&doubt);
                ui.label(RichText::new(doubt).font(theme::strong(12.5)).color(colors(ui).red));
            }
        });
    }
}
