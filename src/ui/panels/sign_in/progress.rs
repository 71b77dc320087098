//! What is being done to sign in, and why it did not work.

use egui::Ui;

use super::{Attempt, SignInForm, begin};
use crate::model::account::{Account, ConnectStep, RegistrationState};
use crate::model::journal::DeliveryState;
use crate::model::outage::Outage;
use crate::model::snapshot::{PasswordPlace, Snapshot};
use crate::ui::actions::Act;
use crate::ui::kit::icons::paint_state;
use crate::ui::kit::reasons;
use crate::ui::kit::theme::colors;
use crate::ui::kit::widgets::{banner, hint};
use crate::ui::kit::words::Look;
use crate::ui::panels::certificate::{Decision, certificate_ui};
use crate::ui::text::say;

/// What is being done at the server being tried.
pub(super) fn under_way(attempt: &Attempt, snapshot: &Snapshot) -> Option<String> {
    // What is tried again by itself changes nothing of what the user reads below.
    if attempt.has_failed {
        return None;
    }
    let server = &attempt.server;
    let step = match &snapshot.registration {
        _ if !attempt.is_begun => return Some(say!("connecting-to", server = server)),
        RegistrationState::Idle if snapshot.password == PasswordPlace::Coming => {
            return reasons::password(&snapshot.password);
        }
        RegistrationState::Connecting(step) => *step,
        RegistrationState::Idle => return Some(say!("connecting-to", server = server)),
        RegistrationState::Connected
        | RegistrationState::ByList
        | RegistrationState::NoFanOut
        | RegistrationState::Offline { .. }
        | RegistrationState::Refused { .. } => return None,
    };
    Some(match step {
        ConnectStep::Finding => say!("looking-up", server = server),
        ConnectStep::Opening => say!("connecting-to", server = server),
        ConnectStep::Asking { .. } => say!("signing-in-to", server = server),
        ConnectStep::Waiting { .. } => say!("no-answer-yet", server = server),
    })
}

/// Shows the steps that are done: the server is found, and whether what is said to it is encrypted.
pub(super) fn steps_ui(ui: &mut Ui, attempt: &Attempt, snapshot: &Snapshot) {
    let RegistrationState::Connecting(step) = &snapshot.registration else { return };
    if attempt.has_failed || !attempt.is_begun {
        return;
    }
    let server = snapshot.account.as_ref().and_then(|account| account.check().ok()).map(|it| it.server);
    // What is given by number needs no finding.
    let named = server.filter(|server| server.uri.ip().is_none() && *step != ConnectStep::Finding);
    if let Some(server) = named {
        step_ui(ui, DeliveryState::Accepted, &say!("found-server", server = server.uri.host()));
    }
    match step {
        ConnectStep::Finding | ConnectStep::Opening => {}
        ConnectStep::Asking { is_encrypted: true } | ConnectStep::Waiting { is_encrypted: true } => {
            step_ui(ui, DeliveryState::Accepted, say!("encrypted"));
        }
        ConnectStep::Asking { is_encrypted: false } | ConnectStep::Waiting { is_encrypted: false } => {
            step_ui(ui, DeliveryState::Cancelled, say!("not-encrypted"));
        }
    }
}

/// A step with its shape: a tick for what is well, a dash for what there is not.
fn step_ui(ui: &mut Ui, shape: DeliveryState, words: &str) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let colors = colors(ui);
        let ink = if shape == DeliveryState::Accepted { colors.green } else { colors.weak };
        let (rect, _) = ui.allocate_exact_size(egui::vec2(14.0, 14.0), egui::Sense::hover());
        paint_state(ui.painter(), rect, shape, ink, colors.middle);
        hint(ui, words);
    });
}

/// Shows why the attempt failed and what can be done; true if the user continues offline.
pub(super) fn failure_ui(
    ui: &mut Ui,
    form: &mut SignInForm,
    snapshot: &Snapshot,
    look: &Look,
    acts: &mut Vec<Act>,
) -> bool {
    let colors = colors(ui);
    if let Some(problem) = &form.problem {
        banner(ui, problem, colors.red, colors.red_soft);
        return false;
    }
    let Some(failure) = &form.failure else { return false };
    if failure.is_refusal {
        banner(ui, &failure.sentence, colors.red, colors.red_soft);
        return false;
    }
    let is_resting =
        matches!(snapshot.registration, RegistrationState::Offline { why: Outage::NoAnswer, .. });
    let sentence = if is_resting && form.attempt.is_some() {
        format!("{} {}.", failure.sentence, look.account(snapshot))
    } else {
        failure.sentence.clone()
    };
    banner(ui, &sentence, colors.amber, colors.amber_soft);
    if let Some(untrusted) = &snapshot.untrusted {
        match certificate_ui(ui, untrusted, look) {
            Some(Decision::Trust(trusted)) => {
                let account = form.fields.account(snapshot.account.as_deref());
                let account = Account { trusted: Some(trusted), ..account };
                begin(form, account, snapshot, acts);
            }
            Some(Decision::ChooseAuthority) => acts.push(Act::AskForAuthority),
            None => {}
        }
    }
    ui.button(say!("continue-offline")).clicked()
}
