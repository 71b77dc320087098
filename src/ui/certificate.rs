//! A server's certificate that nobody vouches for: what it says, and what the person may decide.

use std::path::PathBuf;

use eframe::egui;
use egui::{RichText, Ui};

use crate::client::account::TrustedCertificate;
use crate::client::snapshot::UntrustedCertificate;
use crate::ui::theme::{self, RADIUS, colors};
use crate::ui::widgets::{field, hint, mend_button, primary, small_button};
use crate::ui::words::Look;

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// This certificate is good for this server.
    Trust(TrustedCertificate),
    /// The authority that issued it is to be trusted.
    ChooseAuthority,
}

/// Whom it names, its fingerprint and its end, with the two ways on.
pub(crate) fn certificate_ui(ui: &mut Ui, shown: &UntrustedCertificate, look: &Look) -> Option<Decision> {
    let frame = egui::Frame::NONE.stroke(egui::Stroke::new(1.0, colors(ui).line)).corner_radius(RADIUS);
    let mut decision = None;
    frame.inner_margin(egui::Margin::symmetric(12, 10)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.label(RichText::new(format!("Certificate of {}", shown.server)).font(theme::strong(13.5)));
        let subject = if shown.subject.is_empty() { "nobody" } else { &shown.subject };
        hint(ui, &format!("Says that it is for {subject}"));
        hint(ui, &format!("Valid until {}", look.full_date(shown.ends)));
        hint(ui, "SHA-256 fingerprint");
        ui.label(RichText::new(&shown.sha256).monospace().size(11.5));
        hint(ui, "Trust it only if whoever runs the server has told you this fingerprint.");
        ui.add_space(4.0);
        ui.horizontal_wrapped(|ui| {
            if mend_button(ui, "Trust this certificate").clicked() {
                let trusted =
                    TrustedCertificate { server: shown.server.clone(), sha256: shown.sha256.clone() };
                decision = Some(Decision::Trust(trusted));
            }
            if small_button(ui, "Choose an authority…").clicked() {
                decision = Some(Decision::ChooseAuthority);
            }
        });
    });
    decision
}

/// Asks for the file of an authority by its path; tells which, once that is confirmed, by Enter or the button.
pub(crate) fn authority_ui(ui: &mut Ui, path: &mut String, entered: bool) -> Option<PathBuf> {
    ui.spacing_mut().item_spacing.y = 8.0;
    field(ui, "Path of the authority's certificate", path, "~/company-ca.pem").request_focus();
    hint(ui, "A PEM file. It is trusted for this account in place of the authorities of this computer.");
    let is_filled = !path.trim().is_empty();
    ui.add_space(4.0);
    let is_confirmed = primary(ui, "Trust this authority", is_filled).clicked() || (entered && is_filled);
    is_confirmed.then(|| crate::ui::attach::at_home(path.trim()))
}
