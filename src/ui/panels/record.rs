//! Asks how the delivery record of a message is to be saved.

use egui::Ui;

use super::people::FormOutcome;
use crate::model::command::Command;
use crate::model::journal::MessageId;
use crate::model::record::{RecordFormat, RecordRequest};
use crate::ui::actions::Act;
use crate::ui::kit::widgets::{entered, hint, pill, primary};
use crate::ui::text::say;

/// How a record is to be saved.
#[derive(Debug)]
pub(crate) struct RecordForm {
    message: MessageId,
    format: RecordFormat,
    /// The messages on the wire are to be saved too; none where they cannot be watched.
    with_capture: Option<bool>,
}

impl RecordForm {
    /// Of this message; `is_watched` where the messages on the wire can be saved too.
    pub(crate) fn of(message: MessageId, is_watched: bool) -> Self {
        Self { message, format: RecordFormat::default(), with_capture: is_watched.then_some(true) }
    }
}

fn name(format: RecordFormat) -> &'static str {
    match format {
        RecordFormat::Html => say!("export-html-name"),
        RecordFormat::Json => say!("export-json-name"),
        RecordFormat::Csv => say!("export-csv-name"),
    }
}

fn purpose(format: RecordFormat) -> &'static str {
    match format {
        RecordFormat::Html => say!("record-html"),
        RecordFormat::Json => say!("record-json"),
        RecordFormat::Csv => say!("record-csv"),
    }
}

/// Draws the form; `is_new` in the first frame, in which the button takes the focus.
pub(crate) fn record_ui(
    ui: &mut Ui,
    form: &mut RecordForm,
    is_new: bool,
    acts: &mut Vec<Act>,
) -> FormOutcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    hint(ui, say!("record-what"));
    ui.horizontal(|ui| {
        for format in RecordFormat::ALL {
            if pill(ui, form.format == format, name(format)).clicked() {
                form.format = format;
            }
        }
    });
    hint(ui, purpose(form.format));
    if let Some(with_capture) = &mut form.with_capture {
        ui.checkbox(with_capture, say!("record-capture"));
        hint(ui, say!("record-capture-why"));
    }
    ui.add_space(4.0);
    let save = primary(ui, say!("save-downloads"), true);
    if is_new {
        save.request_focus();
    }
    if !save.clicked() && !entered(ui) {
        return FormOutcome::Open;
    }
    let (message, format) = (form.message, form.format);
    let with_capture = form.with_capture.unwrap_or(false);
    let request = RecordRequest { message, format, with_capture };
    acts.push(Act::Ask(Command::SaveRecord(request)));
    FormOutcome::Closed
}
