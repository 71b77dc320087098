//! The view for testers: what to show, the list or the ladder, and the chosen message.

use std::path::PathBuf;
use std::time::Duration;

use egui::{RichText, Ui, vec2};

use super::files::{CaptureDone, CaptureFiles};
use super::list::list_ui;
use super::opened::{Opened, opened_bar_ui, opened_ui};
use super::sight::{Meant, Sight, chosen_ui, filter_ui, submission_ui};
use crate::model::command::Command;
use crate::runtime::engine::{Legs, Wire};
use crate::ui::actions::{Act, TestingAct};
use crate::ui::kit::icons::{Icon, icon_button};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{banner, hint, pill, small_button};
use crate::ui::kit::words::Look;
use crate::ui::text::{TextId, say};

const SEEN_BY_CLIENT: TextId = TextId("seen-by-client");
const SEEN_BY_HOST: TextId = TextId("seen-by-host");
/// While much passes, the view is drawn so often.
const REDRAW: Duration = Duration::from_millis(16);

/// What is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Extent {
    /// The messages of the submission that is chosen in the conversation, as a ladder.
    #[default]
    Chosen,
    /// Everything that passed, as a list.
    All,
}

/// The state of the view.
#[derive(Debug, Default)]
pub(crate) struct WireView {
    /// What passes here.
    sight: Sight,
    extent: Extent,
    /// Nothing new is shown.
    is_paused: bool,
    /// The newest message does not stay in view.
    stands_still: bool,
    /// A capture, in place of what passes here.
    opened: Option<Box<Opened>>,
    files: CaptureFiles,
    /// Why a capture could not be opened or made.
    problem: Option<String>,
    /// It has a window of its own.
    pub(crate) is_window: bool,
}

/// What the view needs to know of its surroundings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched<'a> {
    /// Where the messages come from.
    pub(crate) wire: &'a Wire,
    /// The Call-IDs of the message that is chosen in the conversation.
    pub(crate) call_ids: &'a [String],
    /// How times are shown.
    pub(crate) look: &'a Look,
}

impl WireView {
    /// Begins to read a capture.
    pub(crate) fn open(&mut self, ctx: &egui::Context, path: PathBuf) {
        self.problem = None;
        self.files.open(ctx, path);
    }

    /// Takes in what is new, and asks to be woken by what comes next.
    fn take(&mut self, ui: &Ui, wire: &Wire) {
        if self.is_paused {
            return;
        }
        let lost = self.sight.passed.lost;
        if self.sight.passed.take(&wire.tap) {
            ui.ctx().request_repaint_after(REDRAW);
        } else {
            wire.tap.wake_once();
        }
        if lost != self.sight.passed.lost {
            self.sight.forget_dropped();
        }
    }

    /// Takes in what was done about files.
    fn take_files(&mut self, acts: &mut Vec<Act>) {
        match self.files.done() {
            Some(CaptureDone::Opened(Ok(opened))) => self.opened = Some(opened),
            Some(CaptureDone::Made(Ok(file))) => acts.push(Act::Ask(Command::Save(file))),
            Some(CaptureDone::Opened(Err(why)) | CaptureDone::Made(Err(why))) => self.problem = Some(why),
            None => {}
        }
    }
}

/// Draws the view.
pub(crate) fn wire_ui(ui: &mut Ui, view: &mut WireView, around: Watched<'_>, acts: &mut Vec<Act>) {
    view.take(ui, around.wire);
    view.take_files(acts);
    view.sight.filter();
    ui.spacing_mut().item_spacing.y = 6.0;
    let frame = egui::Frame::NONE.inner_margin(egui::Margin::symmetric(10, 8));
    frame.show(ui, |ui| {
        // A button that does not fit goes to the next line as a whole.
        ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
        match &mut view.opened {
            Some(opened) => opened_bar_ui(ui, opened, acts),
            None => bar_ui(ui, view),
        }
        files_ui(ui, view, around, acts);
        ui.style_mut().wrap_mode = None;
        match around.wire.legs {
            Legs::Own if view.opened.is_none() => hint(ui, SEEN_BY_HOST.say()),
            Legs::Unseen if view.opened.is_none() => hint(ui, SEEN_BY_CLIENT.say()),
            Legs::All | Legs::Own | Legs::Unseen => {}
        }
    });
    if let Some(opened) = &mut view.opened {
        return opened_ui(ui, opened, around.look, acts);
    }
    chosen_ui(ui, &mut view.sight, around.look, acts);
    egui::CentralPanel::default().frame(egui::Frame::NONE).show(ui, |ui| content_ui(ui, view, around));
}

/// What to show, and how much there is.
fn bar_ui(ui: &mut Ui, view: &mut WireView) {
    ui.horizontal_wrapped(|ui| {
        for (extent, label) in [(Extent::Chosen, say!("this-message")), (Extent::All, say!("everything"))] {
            if pill(ui, view.extent == extent, label).clicked() {
                view.extent = extent;
            }
        }
        let label = if view.is_paused { say!("continue") } else { say!("pause") };
        if small_button(ui, label).clicked() {
            view.is_paused = !view.is_paused;
        }
        if small_button(ui, say!("clear")).clicked() {
            view.sight.passed.clear();
            view.sight.forget_dropped();
        }
        if !view.is_window && icon_button(ui, Icon::Window, say!("own-window")).clicked() {
            view.is_window = true;
        }
    });
    if view.extent == Extent::All {
        let mut follows = !view.stands_still;
        filter_ui(ui, &mut view.sight, true, |ui| {
            ui.checkbox(&mut follows, say!("follow"));
        });
        view.stands_still = !follows;
    }
}

/// Opens and saves captures.
fn files_ui(ui: &mut Ui, view: &mut WireView, around: Watched<'_>, acts: &mut Vec<Act>) {
    ui.horizontal_wrapped(|ui| {
        if let Some(opened) = &view.opened {
            let name = crate::model::text::visible(&opened.name);
            if small_button(ui, &say!("close-named", name = name)).clicked() {
                view.opened = None;
            }
        }
        if view.files.is_busy() {
            return hint(ui, say!("working-capture"));
        }
        if small_button(ui, say!("open-capture")).clicked() {
            acts.push(Act::Testing(TestingAct::AskForCapture));
        }
        if small_button(ui, say!("save-capture")).clicked() {
            let messages = match (&view.opened, view.extent) {
                (Some(opened), _) => opened.messages(),
                (None, Extent::All) => view.sight.messages(None),
                (None, Extent::Chosen) => view.sight.messages(Some(Meant::CallIds(around.call_ids))),
            };
            view.problem = messages.is_empty().then(|| say!("nothing-to-save").to_owned());
            if !messages.is_empty() {
                view.files.make(ui.ctx(), "wire", messages);
            }
        }
    });
    if let Some(problem) = &view.problem {
        banner(ui, &crate::model::text::visible(problem), colors(ui).red, colors(ui).red_soft);
        if small_button(ui, say!("dismiss")).clicked() {
            view.problem = None;
        }
    }
}

fn content_ui(ui: &mut Ui, view: &mut WireView, around: Watched<'_>) {
    let sight = &mut view.sight;
    match view.extent {
        Extent::All => {
            let follows = !view.stands_still && !view.is_paused;
            let clicked = list_ui(ui, &sight.passed, sight.chosen, follows, around.look);
            sight.clicked(clicked);
        }
        Extent::Chosen => {
            if !submission_ui(ui, sight, Meant::CallIds(around.call_ids)) {
                empty(ui, around.call_ids.is_empty());
            }
        }
    }
}

fn empty(ui: &mut Ui, nothing_chosen: bool) {
    egui::Frame::NONE.inner_margin(egui::Margin::symmetric(16, 16)).show(ui, |ui| {
        ui.set_min_size(vec2(ui.available_width(), 40.0));
        ui.label(RichText::new(say!("no-messages-to-show")).font(theme::strong(14.0)));
        hint(ui, if nothing_chosen { say!("wire-choose") } else { say!("wire-nothing-recorded") });
    });
}
