//! Pictures and other files: in the messages, enlarged, chosen, saved, made small enough for a message.

use std::path::Path;

use super::App;
use super::shell::MiddleView;
use crate::limits::{MESSAGE_BYTES_MAX, OWN_PICTURE_BYTES_MAX};
use crate::model::command::Command;
use crate::model::journal::{ConversationId, MessageId};
use crate::sip::File;
use crate::ui::actions::{Act, PictureAct};
use crate::ui::compose::attach::AttachForm;
use crate::ui::compose::composer;
use crate::ui::desktop::chooser::{Choosing, FileRequest};
use crate::ui::kit::picture::is_picture;
use crate::ui::kit::words;
use crate::ui::panels::dialogs::Dialog;
use crate::ui::text::{TextId, say};

const NO_CHOOSER: TextId = TextId("no-chooser");

const NO_PROVISION: TextId = TextId("no-provision");

/// What the desktop's file chooser is open for.
#[derive(Debug)]
pub(super) enum ChosenFor {
    /// Files to attach to the draft in this place.
    Attach(MiddleView),
    /// The place where a file of a message is saved.
    SaveAs(MessageId, usize),
    /// Contacts to import.
    Contacts,
    /// A capture to look into.
    Capture,
    /// A script to play.
    Script,
    /// A provisioning file.
    Provision,
    /// The place where a conversation is exported to; the suggested name, and its ending.
    Export(ConversationId, String, &'static str),
}

impl App {
    pub(super) fn picture(&mut self, act: PictureAct) {
        match act {
            PictureAct::Show((message, file)) => {
                if self.source.send(Command::ReadFile { message, file }).is_ok() {
                    self.album.asked((message, file));
                }
            }
            PictureAct::Enlarge((message, file), name) => {
                if self.ask(Command::ReadFile { message, file }) {
                    self.album.enlarge((message, file), name);
                }
            }
            PictureAct::Close => self.album.large = None,
            PictureAct::SaveAs((message, file), name) => self.save_as(message, file, name),
            PictureAct::ShrinkFile(path) => {
                let known = self.oversized.iter().position(|(oversized, _)| *oversized == path);
                let place = known.map_or(self.shell.place, |index| self.oversized.remove(index).1);
                let room = MESSAGE_BYTES_MAX - composer::MARGIN_BYTES;
                self.pictures.shrink_file(place, path, room);
            }
            PictureAct::ShrinkAttached => self.shrink_attached(),
        }
    }

    /// Shows what was decoded.
    pub(super) fn take_decoded(&mut self) {
        let changed = self.album.take_decoded();
        self.shell.thread.repainted(&changed);
    }

    /// A file of a message was read: to be shown, or to be forwarded.
    pub(super) fn file_read(&mut self, id: (MessageId, usize), content: Option<File>) {
        self.album.take_file(id, content.as_ref());
        let Some(index) = self.forwarded_files.iter().position(|forwarded| *forwarded == id) else { return };
        self.forwarded_files.remove(index);
        match content {
            Some(file) => self.add_file(MiddleView::New, file),
            None => self.shell.toasts.push(say!("file-not-forwarded").to_owned()),
        }
    }

    /// Adds a file to the draft in this place.
    pub(super) fn add_file(&mut self, place: MiddleView, file: File) {
        self.pictures.preview(&file);
        self.shell.has_new_writing = true;
        self.shell.writing.entry(place).or_default().files.push(file);
    }

    /// Opens the desktop's file chooser; where there is none, a dialog that takes a path.
    pub(super) fn choose_files(&mut self) {
        let place = self.shell.place;
        match &mut self.choosing {
            Some(choosing) => choosing.begin(FileRequest::Files, ChosenFor::Attach(place)),
            None => self.shell.show(Dialog::Attach(AttachForm::default())),
        }
    }

    /// Lets the user choose a file of contacts; where there is no chooser, the dialog takes its path.
    pub(super) fn choose_contacts(&mut self) {
        match &mut self.choosing {
            Some(choosing) => choosing.begin(FileRequest::Contacts, ChosenFor::Contacts),
            None => self.shell.toasts.push(NO_CHOOSER.say().to_owned()),
        }
    }

    /// Lets the user choose a provisioning file.
    pub(super) fn choose_provision(&mut self) {
        match &mut self.choosing {
            Some(choosing) => choosing.begin(FileRequest::Provision, ChosenFor::Provision),
            None => self.shell.toasts.push(NO_PROVISION.say().to_owned()),
        }
    }

    fn save_as(&mut self, message: MessageId, file: usize, name: String) {
        match &mut self.choosing {
            Some(choosing) => {
                // A stranger chose it, and it names no folder.
                let name = name.replace(['/', '\\'], "_");
                choosing.begin(FileRequest::SaveAs(name), ChosenFor::SaveAs(message, file));
            }
            None => {
                self.ask(Command::SaveFile { message, file, to: None });
            }
        }
    }

    /// Does with the files that were chosen what they were chosen for. Where this desktop has no chooser, files to attach
    /// are asked for by their path, and others saved in the downloads folder.
    pub(super) fn take_chosen(&mut self, ctx: &egui::Context) {
        let Some((wanted, chosen)) = self.choosing.as_mut().and_then(Choosing::chosen) else { return };
        let Some(paths) = chosen else {
            self.choosing = None;
            match wanted {
                ChosenFor::Attach(_) => self.shell.show(Dialog::Attach(AttachForm::default())),
                ChosenFor::SaveAs(message, file) => {
                    self.ask(Command::SaveFile { message, file, to: None });
                }
                ChosenFor::Contacts => self.shell.toasts.push(NO_CHOOSER.say().to_owned()),
                ChosenFor::Capture => self.shell.show(Dialog::Capture(String::new())),
                ChosenFor::Script => self.shell.checks.ask_for_path(),
                ChosenFor::Provision => self.shell.toasts.push(NO_PROVISION.say().to_owned()),
                ChosenFor::Export(conversation, name, ending) => {
                    self.export_to_downloads(conversation, &name, ending);
                }
            }
            return;
        };
        match wanted {
            ChosenFor::Attach(place) => paths.into_iter().for_each(|path| self.attach_to(place, path)),
            ChosenFor::SaveAs(message, file) => {
                if let Some(path) = paths.into_iter().next() {
                    self.ask(Command::SaveFile { message, file, to: Some(path) });
                }
            }
            ChosenFor::Export(conversation, ..) => {
                if let (Some(path), Some(exporting)) = (paths.into_iter().next(), &self.exporting) {
                    exporting.begin(conversation, path);
                }
            }
            ChosenFor::Contacts => {
                if let Some(path) = paths.into_iter().next() {
                    self.ask(Command::ReadContacts(path));
                }
            }
            ChosenFor::Provision => {
                if let Some(path) = paths.into_iter().next() {
                    self.provision(path);
                }
            }
            ChosenFor::Script => {
                if let Some(path) = paths.into_iter().next() {
                    self.shell.checks.open(ctx, path);
                }
            }
            ChosenFor::Capture => {
                if let Some(path) = paths.into_iter().next() {
                    self.shell.wire.open(ctx, path);
                }
            }
        }
    }

    /// Offers to make a picture smaller that is too large for a message; false if the file is none.
    pub(super) fn offer_to_shrink(&mut self, path: &Path, place: MiddleView) -> bool {
        let media_type = mime_guess::from_path(path).first_or_octet_stream();
        let Some(bytes) = std::fs::metadata(path).ok().map(|data| data.len()) else { return false };
        if !is_picture(media_type.essence_str()) || bytes > OWN_PICTURE_BYTES_MAX {
            return false;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let size = |bytes: usize| words::size(bytes);
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let words =
            say!("picture-too-large", name = name, size = size(bytes), most = size(MESSAGE_BYTES_MAX));
        let path = path.to_owned();
        self.oversized.retain(|(oversized, _)| *oversized != path);
        self.oversized.push((path.clone(), place));
        let act = Act::Picture(PictureAct::ShrinkFile(path));
        self.shell.toasts.offer(words, say!("attach-smaller"), act);
        true
    }

    /// Makes the pictures of the open draft so small that all of them fit a message.
    fn shrink_attached(&mut self) {
        let place = self.shell.place;
        let Some(writing) = self.shell.writing.get_mut(&place) else { return };
        let taken = std::mem::take(&mut writing.files);
        let (pictures, others): (Vec<File>, Vec<File>) =
            taken.into_iter().partition(|file| is_picture(&file.media_type));
        let rest = others.iter().map(|file| file.bytes.len()).sum::<usize>() + writing.text.len();
        writing.files = others;
        let room = MESSAGE_BYTES_MAX.saturating_sub(composer::MARGIN_BYTES + rest) / pictures.len().max(1);
        for picture in pictures {
            if picture.bytes.len() <= room {
                self.add_file(place, picture);
            } else {
                self.pictures.shrink(place, picture, room);
            }
        }
    }
}
