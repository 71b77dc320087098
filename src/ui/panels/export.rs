//! Asks in which format a conversation is to be exported.

use egui::Ui;

use super::people::FormOutcome;
use crate::ui::actions::Act;
use crate::ui::kit::widgets::{entered, hint, pill, primary};
use crate::ui::text::{TextId, say};

/// The ending of the file's name, what it is called, and what it is for.
const FORMATS: [(&str, TextId, TextId); 4] = [
    ("html", TextId("export-html-name"), TextId("export-html")),
    ("txt", TextId("export-text-name"), TextId("export-text")),
    ("csv", TextId("export-csv-name"), TextId("export-csv-purpose")),
    ("json", TextId("export-json-name"), TextId("export-json")),
];

/// How a conversation is to be exported.
#[derive(Debug)]
pub(crate) struct ExportForm {
    ending: &'static str,
    /// The user can choose where; else the file goes to the downloads.
    has_chooser: bool,
}

impl ExportForm {
    pub(crate) const fn new(has_chooser: bool) -> Self {
        Self { ending: "html", has_chooser }
    }
}

/// Draws the form; `is_new` in the first frame, in which the button takes the focus.
pub(crate) fn export_ui(
    ui: &mut Ui,
    form: &mut ExportForm,
    is_new: bool,
    acts: &mut Vec<Act>,
) -> FormOutcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    hint(ui, say!("export-what"));
    ui.horizontal(|ui| {
        for (ending, name, _) in FORMATS {
            if pill(ui, form.ending == ending, name.say()).clicked() {
                form.ending = ending;
            }
        }
    });
    let purpose = FORMATS.iter().find(|(ending, ..)| *ending == form.ending).map(|(.., purpose)| *purpose);
    hint(ui, purpose.map_or("", TextId::say));
    ui.add_space(4.0);
    let save = primary(ui, if form.has_chooser { say!("save-as") } else { say!("save-downloads") }, true);
    if is_new {
        save.request_focus();
    }
    if !save.clicked() && !entered(ui) {
        return FormOutcome::Open;
    }
    acts.push(Act::Export(form.ending));
    FormOutcome::Closed
}
