//! A conversation is exported, and all of a long message shown.

use super::App;
use super::pictures::ChosenFor;
use crate::model::journal::ConversationId;
use crate::ui::desktop::chooser::FileRequest;
use crate::ui::desktop::exporter::Exporting;
use crate::ui::kit::words;
use crate::ui::panels::dialogs::Dialog;
use crate::ui::panels::export::ExportForm;
use crate::ui::panels::whole::WholeText;
use crate::ui::text::say;
use crate::ui::thread::focus_id;

impl App {
    /// Shows all of a message's text: of the one whose row takes the focus under this id.
    pub(super) fn show_all(&mut self, row: egui::Id) {
        let Some(thread) = self.shell.thread(&self.snapshot) else { return };
        if let Some(message) = thread.messages.iter().find(|message| focus_id(message) == row) {
            let text = WholeText::of(&message.text);
            self.shell.show(Dialog::Whole(text));
        }
    }

    /// Asks in which format the open conversation is to be exported.
    pub(super) fn export(&mut self) {
        if self.shell.thread(&self.snapshot).is_none() {
            return self.shell.toasts.push(say!("open-to-export").to_owned());
        }
        if self.exporting.is_none() {
            return self.shell.toasts.push(say!("nothing-to-export").to_owned());
        }
        self.shell.show(Dialog::Export(ExportForm::new(self.choosing.is_some())));
    }

    /// Lets the user choose where the open conversation is exported to, under a name with this ending.
    pub(super) fn export_as(&mut self, ending: &'static str) {
        let Some(thread) = self.shell.thread(&self.snapshot) else { return };
        let given = &self.shell.left.marks.get(thread.conversation).name;
        let people = if given.is_empty() { words::people(&thread.people, 3) } else { given.clone() };
        let name = format!("{people} {}.{ending}", self.look.date(self.look.now)).replace(['/', '\\'], "_");
        let conversation = thread.conversation;
        match &mut self.choosing {
            Some(choosing) => {
                choosing
                    .begin(FileRequest::SaveAs(name.clone()), ChosenFor::Export(conversation, name, ending));
            }
            None => self.export_to_downloads(conversation, &name, ending),
        }
    }

    /// Where there is no file chooser: under a name that is free.
    pub(super) fn export_to_downloads(&self, conversation: ConversationId, name: &str, ending: &str) {
        let dirs = directories::UserDirs::new();
        let folder = dirs.as_ref().map(|dirs| dirs.download_dir().unwrap_or_else(|| dirs.home_dir()));
        let stem = name.strip_suffix(ending).unwrap_or(name).trim_end_matches('.');
        let names = (0..100).map(|number| match number {
            0 => name.to_owned(),
            number => format!("{stem} ({number}).{ending}"),
        });
        let free = folder.and_then(|folder| names.map(|name| folder.join(name)).find(|path| !path.exists()));
        if let (Some(path), Some(exporting)) = (free, &self.exporting) {
            exporting.begin(conversation, path);
        }
    }

    /// Says what was exported.
    pub(super) fn take_exported(&mut self) {
        for done in self.exporting.as_ref().map(Exporting::done).unwrap_or_default() {
            self.shell.toasts.push(match done {
                Ok(path) => say!("saved-as", path = path.display()),
                Err(why) => say!("not-exported", why = why),
            });
        }
    }
}
