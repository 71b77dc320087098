//! The columns of the window, and what is typed, selected and open in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Align, CentralPanel, Frame, Layout, Panel, Rect, ScrollArea, Stroke, Ui, pos2, vec2};

use super::blocked::blocked_ui;
use super::drafts;
use super::held::{Held, held_ui};
use super::later::{later_rows, later_ui};
use super::picking::{keep_tab_order, picks_by_pointer};
use crate::model::journal::ConversationId;
use crate::model::snapshot::{Snapshot, Thread};
use crate::runtime::engine::Wire;
use crate::sip::Uri;
use crate::ui::actions::Act;
use crate::ui::checks::ChecksView;
use crate::ui::compose::composer::{self, Audience, Writing, composer_ui};
use crate::ui::compose::pictures::Previews;
use crate::ui::compose::recipients::{problem_ui, recipients_ui};
use crate::ui::compose::suggestions::Acquaintances;
use crate::ui::find::bar::bar_ui;
use crate::ui::find::finder::Finder;
use crate::ui::kit::icons::{Icon, icon_button};
use crate::ui::kit::theme::{self, HEADER_HEIGHT, colors};
use crate::ui::kit::toast::Toasts;
use crate::ui::kit::widgets::{small_button, within, words_ui};
use crate::ui::kit::words::{self, Look};
use crate::ui::matrix::MatrixView;
use crate::ui::panels::delivery::RightTab;
use crate::ui::panels::dialogs::{Dialog, OpenDialog};
use crate::ui::panels::faults::FaultsPanel;
use crate::ui::panels::sign_in::SignInForm;
use crate::ui::sidebar::conversations::{LeftColumn, left_ui, welcome_ui};
use crate::ui::sidebar::picker::picker_ui;
use crate::ui::text::say;
use crate::ui::thread::album::Album;
use crate::ui::thread::{Around, ScrollPlace, ThreadView, header_ui, messages_ui, picked_ui};
use crate::ui::wire::WireView;

/// What the middle column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum MiddleView {
    /// Nothing is open.
    #[default]
    Nothing,
    /// A new message is being written.
    New,
    /// A conversation.
    Conversation(ConversationId),
}

/// A new message that was begun by forwarding one.
#[derive(Debug)]
pub(crate) struct Forwarding {
    /// Its text as it was begun.
    pub(crate) text: String,
    /// What had been written there before.
    pub(crate) before: Option<Writing>,
    /// Where the user came from.
    pub(crate) from: MiddleView,
}

/// How many columns fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnCount {
    /// Three.
    Wide,
    /// Two, and the delivery column as a drawer.
    Middle,
    /// One, with Back.
    Narrow,
}

impl ColumnCount {
    fn of(width: f32) -> Self {
        if width >= theme::DRAWER_BELOW {
            Self::Wide
        } else if width >= theme::ONE_COLUMN_BELOW {
            Self::Middle
        } else {
            Self::Narrow
        }
    }
}

/// The previews of pictures being attached, and the pictures in messages.
type PicturesView<'a> = (&'a Previews, &'a Album);

/// What the columns show: the engine's state, and pictures.
type SnapshotView<'a> = (&'a Snapshot, PicturesView<'a>);

/// The window's own state, as opposed to the engine's.
#[derive(Debug, Default)]
pub(crate) struct Shell {
    pub(crate) place: MiddleView,
    pub(crate) left: LeftColumn,
    pub(crate) thread: ThreadView,
    pub(crate) finder: Finder,
    /// Unsent text and attachments, kept per conversation.
    pub(crate) writing: BTreeMap<MiddleView, Writing>,
    /// The user closed the delivery column, in a window wide enough for it.
    pub(crate) delivery_closed: bool,
    /// The user opened the delivery column here, though nothing was sent.
    pub(crate) delivery_asked: Option<ConversationId>,
    /// Of a conversation with so many messages: whether any was sent.
    pub(crate) has_sent: Option<(ConversationId, usize, bool)>,
    /// What the right column shows.
    pub(crate) tab: RightTab,
    /// The messages on the wire, in testing mode and in the demo.
    pub(crate) watched: Option<Wire>,
    pub(crate) wire: WireView,
    pub(crate) matrix: MatrixView,
    pub(crate) checks: ChecksView,
    /// The faults of the demo, or of the server that is hosted here.
    pub(crate) faults: FaultsPanel,
    /// The delivery column is open as a drawer, in a narrower window.
    pub(crate) drawer: bool,
    pub(crate) dialog: Option<OpenDialog>,
    /// How many dialogs have been opened.
    pub(crate) dialogs: u64,
    pub(crate) sign_in: Option<SignInForm>,
    pub(crate) toasts: Toasts<Act>,
    /// How many columns fitted in the last frame.
    pub(crate) room: Option<ColumnCount>,
    /// Something may have been written other than by typing.
    pub(crate) has_new_writing: bool,
    /// The message field is to get the focus.
    pub(crate) wants_composer: bool,
    /// The forwarded message that is being written.
    pub(crate) forwarding: Option<Forwarding>,
    /// Messages that wait so that they can be taken back, oldest first.
    pub(crate) held: Vec<Held>,
    /// How many have been held.
    pub(crate) held_count: u64,
    /// Where the conversations that were not left at their end were left.
    pub(crate) places: BTreeMap<ConversationId, ScrollPlace>,
    /// What the bars around the columns leave of the window.
    pub(crate) area: Option<Rect>,
    /// Where the messages were drawn in the last frame.
    pub(crate) messages: Option<Rect>,
    /// Whom one has a conversation with, besides the contacts.
    pub(crate) acquaintances: Acquaintances,
    /// Height of the recipients of a new message in the last frame.
    pub(crate) recipients_height: f32,
    /// Recipients are picked with the pointer, not typed.
    pub(crate) picks_by_pointer: bool,
}

impl Shell {
    /// The open conversation, if its messages are loaded.
    pub(crate) fn thread<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a Arc<Thread>> {
        snapshot.thread.as_ref().filter(|thread| self.place == MiddleView::Conversation(thread.conversation))
    }

    /// Remembers where in the open conversation the view is.
    pub(crate) fn leave_place(&mut self) {
        if let (Some(id), Some(place)) = (self.open(), self.thread.place()) {
            self.places.insert(id, place);
        }
    }

    /// Opens a dialog in front of the window.
    pub(crate) fn show(&mut self, dialog: Dialog) {
        self.dialogs += 1;
        self.dialog = Some(OpenDialog::new(dialog, self.dialogs));
    }

    /// Where notices may stand, the best place first: beside or around a dialog, else below the list of conversations,
    /// else above the composer.
    pub(crate) fn toast_places(&self, ctx: &egui::Context) -> Vec<Rect> {
        let whole = ctx.content_rect();
        let in_front = self.finder.overlay.as_ref().map(|overlay| overlay.rect(ctx));
        if let Some(taken) = self.dialog.as_ref().map(|dialog| dialog.rect(ctx)).or(in_front) {
            let taken = taken.unwrap_or(whole);
            let below = Rect::from_min_max(pos2(whole.left(), taken.bottom()), whole.max);
            let beside = Rect::from_min_max(whole.min, pos2(taken.left(), whole.bottom()));
            let above = Rect::from_min_max(whole.min, pos2(whole.right(), taken.top()));
            return vec![below, beside, above];
        }
        let has_list = self.sign_in.is_some()
            || self.room != Some(ColumnCount::Narrow)
            || self.place == MiddleView::Nothing;
        if !has_list {
            return vec![self.messages.unwrap_or(whole)];
        }
        let bottom = self.area.unwrap_or(whole).bottom() - self.left.foot();
        vec![Rect::from_min_max(whole.min, pos2(whole.left() + theme::LEFT_WIDTH, bottom)), whole]
    }

    /// The beginning of the new message that was left unsent.
    fn new_draft(&self) -> Option<String> {
        let writing = self.writing.get(&MiddleView::New).filter(|_| self.place != MiddleView::New)?;
        let text: String = writing.text.trim().chars().take(drafts::PREVIEW_CHARS_MAX).collect();
        match (text.is_empty(), writing.files.is_empty(), writing.to.len()) {
            (false, ..) => Some(text.replace('\n', " ")),
            (true, false, _) => Some(say!("a-file").to_owned()),
            (true, true, 0) => None,
            (true, true, people) => Some(say!("draft-to", people = words::people_count(people))),
        }
    }

    /// The id of the open conversation.
    pub(crate) fn open(&self) -> Option<ConversationId> {
        match self.place {
            MiddleView::Conversation(id) => Some(id),
            MiddleView::Nothing | MiddleView::New => None,
        }
    }

    /// Lays out the columns.
    pub(crate) fn ui(
        &mut self,
        ui: &mut Ui,
        (snapshot, pictures): SnapshotView<'_>,
        look: &Look,
        acts: &mut Vec<Act>,
    ) {
        let room = ColumnCount::of(ui.available_width());
        let area = ui.available_rect_before_wrap();
        self.room = Some(room);
        self.left.new_draft = self.new_draft();
        self.look_for_sent(snapshot);
        match room {
            ColumnCount::Wide | ColumnCount::Middle => {
                self.left_column(ui, snapshot, look, acts);
                if room == ColumnCount::Wide && self.delivery_shown() && self.thread(snapshot).is_some() {
                    self.delivery_column(ui, look, acts);
                }
                self.middle_column(ui, (snapshot, pictures), look, acts);
            }
            ColumnCount::Narrow if self.place == MiddleView::Nothing => {
                let frame = Frame::NONE.fill(colors(ui).side);
                CentralPanel::default().frame(frame).show(ui, |ui| {
                    left_ui(ui, (&mut self.left, None), snapshot, None, look, acts);
                });
            }
            ColumnCount::Narrow => self.middle_column(ui, (snapshot, pictures), look, acts),
        }
        if room != ColumnCount::Wide && self.drawer && self.thread(snapshot).is_some() {
            self.drawer_ui(ui, area, look, acts);
        }
    }

    fn left_column(&mut self, ui: &mut Ui, snapshot: &Snapshot, look: &Look, acts: &mut Vec<Act>) {
        let open = self.open();
        let panel =
            Panel::left("left").exact_size(theme::LEFT_WIDTH).resizable(false).show_separator_line(false);
        panel.frame(Frame::NONE.fill(colors(ui).side)).show(ui, |ui| {
            let edge = ui.max_rect();
            ui.painter().vline(edge.right() - 0.5, edge.y_range(), Stroke::new(1.0, colors(ui).line));
            let to = (self.place == MiddleView::New).then_some(MiddleView::New);
            let to = to.map(|place| &mut self.writing.entry(place).or_default().to);
            left_ui(ui, (&mut self.left, to), snapshot, open, look, acts);
        });
    }

    fn middle_column(&mut self, ui: &mut Ui, seen: SnapshotView<'_>, look: &Look, acts: &mut Vec<Act>) {
        CentralPanel::default().frame(Frame::NONE.fill(colors(ui).middle)).show(ui, |ui| match self.place {
            MiddleView::Nothing => welcome_ui(ui, acts),
            MiddleView::New => self.new_message(ui, seen, look, acts),
            MiddleView::Conversation(_) => self.conversation(ui, seen, look, acts),
        });
    }

    fn conversation(
        &mut self,
        ui: &mut Ui,
        (snapshot, pictures): SnapshotView<'_>,
        look: &Look,
        acts: &mut Vec<Act>,
    ) {
        let Some(thread) = self.thread(snapshot) else {
            return;
        };
        let (previews, album) = pictures;
        let around = Around { back: self.room == Some(ColumnCount::Narrow), delivery: self.delivery_shown() };
        header_ui(ui, (thread, self.left.marks.called(thread.conversation)), around, acts);
        if let Some(bar) = self.finder.bar.as_mut().filter(|bar| bar.conversation == thread.conversation) {
            bar_ui(ui, bar, acts);
        }
        if std::mem::take(&mut self.wants_composer) {
            let field = composer::field_id(Some(thread.conversation));
            ui.memory_mut(|memory| memory.request_focus(field));
        }
        let writing = self.writing.entry(self.place).or_default();
        let (held, place, view) = (&self.held, self.place, &self.thread);
        foot(ui, |ui| {
            picked_ui(ui, view, acts);
            held_ui(ui, held, place, acts);
            blocked_ui(ui, &thread.people, &snapshot.names, acts);
            later_ui(ui, &later_rows(&snapshot.later, &thread.people, thread.hidden), look, acts);
            composer_ui(ui, writing, Audience::Thread(thread), (snapshot, previews), acts);
        });
        CentralPanel::default().frame(Frame::NONE).show(ui, |ui| {
            self.messages = Some(ui.max_rect());
            let marked = self.finder.marked();
            self.thread.names = Arc::clone(&snapshot.names);
            messages_ui(ui, (&mut self.thread, marked), (album, look), acts);
        });
    }

    fn new_message(
        &mut self,
        ui: &mut Ui,
        (snapshot, (previews, _)): SnapshotView<'_>,
        look: &Look,
        acts: &mut Vec<Act>,
    ) {
        let back = self.room == Some(ColumnCount::Narrow);
        if std::mem::take(&mut self.wants_composer) {
            ui.memory_mut(|memory| memory.request_focus(composer::field_id(None)));
        }
        let writing = self.writing.entry(MiddleView::New).or_default();
        writing.to.domain = own_domain(snapshot);
        new_header(ui, writing, back, acts);
        keep_tab_order(ui);
        let held = &self.held;
        foot(ui, |ui| {
            held_ui(ui, held, MiddleView::New, acts);
            later_ui(ui, &snapshot.later.iter().collect::<Vec<_>>(), look, acts);
            composer_ui(ui, writing, Audience::New, (snapshot, previews), acts);
        });
        let (messages, height) = (&mut self.messages, &mut self.recipients_height);
        let picks = &mut self.picks_by_pointer;
        self.acquaintances.refresh(snapshot);
        let known = (&*snapshot.names, &self.acquaintances);
        CentralPanel::default().frame(Frame::NONE).show(ui, |ui| {
            let line = Stroke::new(1.0, colors(ui).line);
            // While the pointer is over the list to pick from, that does not move under it when the recipients need
            // another line; they scroll instead. Whoever types has to see them all, wherever the pointer rests.
            *picks = picks_by_pointer(ui, *messages, *picks);
            let is_picking = *picks;
            let (start, room) = (ui.cursor().top(), ui.available_height() * 0.4);
            let room = if is_picking && *height > 0.0 { height.min(room) } else { room };
            let area = ScrollArea::vertical().id_salt("recipients").stick_to_bottom(true);
            area.max_height(room).min_scrolled_height(0.0).auto_shrink([false, true]).show(ui, |ui| {
                Frame::NONE.inner_margin(egui::Margin::symmetric(16, 10)).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    recipients_ui(ui, &mut writing.to, known);
                    problem_ui(ui, &mut writing.to, &snapshot.names);
                });
            });
            let top = ui.cursor().top();
            *height = top - start - ui.spacing().item_spacing.y;
            ui.painter().hline(ui.max_rect().x_range(), top, line);
            *messages = Some(Rect::from_min_max(pos2(ui.max_rect().left(), top), ui.max_rect().max));
            picker_ui(ui, known, &mut writing.to);
        });
    }
}

fn new_header(ui: &mut Ui, writing: &Writing, back: bool, acts: &mut Vec<Act>) {
    let rect = ui.allocate_space(vec2(ui.available_width(), HEADER_HEIGHT)).1;
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, colors(ui).line));
    let inner = rect.shrink2(vec2(16.0, 0.0));
    within(ui, inner, Layout::left_to_right(Align::Center), |ui| {
        if back && icon_button(ui, Icon::Back, say!("back")).clicked() {
            acts.push(Act::Back);
        }
        let (title, ink) = (composer::new_title(writing.to.good()), ui.visuals().text_color());
        words_ui(ui, &title, theme::strong(15.0), ink);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if !writing.is_empty() && small_button(ui, say!("discard")).clicked() {
                acts.push(Act::DiscardNew);
            }
        });
    });
}

/// Draws the composer at the bottom of the middle column.
fn foot(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    let frame = Frame::NONE.inner_margin(egui::Margin { left: 16, right: 16, top: 10, bottom: 4 });
    Panel::bottom("composer").frame(frame).resizable(false).show_separator_line(false).show(ui, |ui| {
        let top = ui.max_rect().top() - 10.0;
        let edge = ui.max_rect().expand2(vec2(16.0, 0.0));
        ui.painter().with_clip_rect(edge.expand(12.0)).hline(
            edge.x_range(),
            top + 0.5,
            Stroke::new(1.0, colors(ui).line),
        );
        ui.spacing_mut().item_spacing.y = 4.0;
        contents(ui);
    });
}

/// The domain of our own address, with its port if it has one.
fn own_domain(snapshot: &Snapshot) -> Option<String> {
    let address = Uri::typed(&snapshot.account.as_ref()?.address).ok()?;
    Some(address.place()).filter(|domain| !domain.is_empty())
}
