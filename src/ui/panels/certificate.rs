//! A server certificate that is not trusted: its contents, and what the user can decide.

use std::path::PathBuf;

use egui::{RichText, Ui};

use crate::model::account::TrustedCertificate;
use crate::model::snapshot::UntrustedCertificate;
use crate::ui::kit::theme::{self, RADIUS, colors};
use crate::ui::kit::widgets::{field, hint, mend_button, primary, small_button};
use crate::ui::kit::words::{self, Look};
use crate::ui::text::say;

/// The user's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Trust this certificate for this server.
    Trust(TrustedCertificate),
    /// Choose the issuing authority and trust it.
    ChooseAuthority,
}

/// Shows the certificate's names, fingerprint and expiry, with the two choices.
pub(crate) fn certificate_ui(ui: &mut Ui, shown: &UntrustedCertificate, look: &Look) -> Option<Decision> {
    let before = shown.trusted_before.as_deref();
    let frame = egui::Frame::NONE.stroke(egui::Stroke::new(1.0, colors(ui).line)).corner_radius(RADIUS);
    let mut decision = None;
    frame.inner_margin(egui::Margin::symmetric(12, 10)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 4.0;
        facts_ui(ui, shown, before, look);
        ui.add_space(4.0);
        ui.horizontal_wrapped(|ui| {
            let trust =
                if before.is_some() { say!("trust-new-certificate") } else { say!("trust-certificate") };
            if mend_button(ui, trust).clicked() {
                let trusted =
                    TrustedCertificate { server: shown.server.clone(), sha256: shown.sha256.clone() };
                decision = Some(Decision::Trust(trusted));
            }
            if small_button(ui, say!("choose-ca-file")).clicked() {
                decision = Some(Decision::ChooseAuthority);
            }
        });
    });
    decision
}

fn facts_ui(ui: &mut Ui, shown: &UntrustedCertificate, before: Option<&str>, look: &Look) {
    let title = match before {
        Some(_) => say!("certificate-changed-of", server = shown.server),
        None => say!("certificate-of", server = shown.server),
    };
    ui.label(RichText::new(title).font(theme::strong(13.5)));
    let subject = if shown.subject.is_empty() { say!("certificate-no-name") } else { &shown.subject };
    hint(ui, &say!("issued-to", subject = subject));
    if let Some(sentence) = words::other_names(shown) {
        ui.label(RichText::new(sentence).size(12.5).color(colors(ui).red));
    }
    hint(ui, &say!("valid-until", date = look.full_date(shown.ends)));
    match before {
        Some(before) => {
            fingerprint(ui, say!("fingerprint-trusted"), before);
            fingerprint(ui, say!("fingerprint-new"), &shown.sha256);
            ui.label(RichText::new(say!("certificate-changed-why")).size(12.5).color(colors(ui).red));
        }
        None => {
            fingerprint(ui, say!("fingerprint"), &shown.sha256);
            hint(ui, say!("fingerprint-check"));
        }
    }
}

fn fingerprint(ui: &mut Ui, name: &str, sha256: &str) {
    hint(ui, name);
    ui.label(RichText::new(sha256).monospace().size(11.5));
}

/// Asks for the path of an authority's certificate file; returns it once confirmed with Enter or the button.
pub(crate) fn authority_ui(ui: &mut Ui, path: &mut String, entered: bool) -> Option<PathBuf> {
    ui.spacing_mut().item_spacing.y = 8.0;
    field(ui, say!("ca-file"), path, "~/company-ca.pem").request_focus();
    hint(ui, say!("ca-file-why"));
    let is_filled = !path.trim().is_empty();
    ui.add_space(4.0);
    let is_confirmed = primary(ui, say!("trust-ca"), is_filled).clicked() || (entered && is_filled);
    is_confirmed.then(|| crate::ui::compose::attach::at_home(path.trim()))
}
