//! The columns of the window, and what is typed, selected and open in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{
    Align, Area, CentralPanel, FocusDirection, Frame, Id, Key, Layout, Modifiers, Order, Panel, RichText,
    Stroke, Ui, pos2, vec2,
};

use crate::model::journal::ConversationId;
use crate::model::snapshot::{Snapshot, Thread};
use crate::ui::actions::Act;
use crate::ui::compose::composer::{self, Audience, Writing, composer_ui};
use crate::ui::compose::recipients::{self, problem_ui, recipients_ui};
use crate::ui::kit::icons::{Icon, icon_button};
use crate::ui::kit::theme::{self, HEADER_HEIGHT, colors};
use crate::ui::kit::toast::Toasts;
use crate::ui::kit::widgets::within;
use crate::ui::kit::words::Look;
use crate::ui::panels::delivery::{delivery_ui, title_ui};
use crate::ui::panels::dialogs::Dialog;
use crate::ui::panels::sign_in::SignInForm;
use crate::ui::sidebar::contacts::picker_ui;
use crate::ui::sidebar::conversations::{LeftColumn, left_ui, welcome_ui};
use crate::ui::thread::{Around, ThreadView, header_ui, messages_ui};

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

/// The window's own state, as opposed to the engine's.
#[derive(Debug, Default)]
pub(crate) struct Shell {
    pub(crate) place: MiddleView,
    pub(crate) left: LeftColumn,
    pub(crate) thread: ThreadView,
    /// Unsent text and attachments, kept per conversation.
    pub(crate) writing: BTreeMap<MiddleView, Writing>,
    /// The user closed the delivery column, in a window wide enough for it.
    pub(crate) delivery_closed: bool,
    /// The delivery column is open as a drawer, in a narrower window.
    pub(crate) drawer: bool,
    pub(crate) dialog: Option<Dialog>,
    pub(crate) sign_in: Option<SignInForm>,
    pub(crate) toasts: Toasts,
    /// How many columns fitted in the last frame.
    pub(crate) room: Option<ColumnCount>,
}

impl Shell {
    /// The open conversation, if its messages are loaded.
    pub(crate) fn thread<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a Arc<Thread>> {
        snapshot.thread.as_ref().filter(|thread| self.place == MiddleView::Conversation(thread.conversation))
    }

    /// The id of the open conversation.
    pub(crate) fn open(&self) -> Option<ConversationId> {
        match self.place {
            MiddleView::Conversation(id) => Some(id),
            MiddleView::Nothing | MiddleView::New => None,
        }
    }

    /// True if the delivery column is visible.
    pub(crate) fn delivery_shown(&self) -> bool {
        match self.room {
            Some(ColumnCount::Wide) | None => !self.delivery_closed,
            Some(ColumnCount::Middle | ColumnCount::Narrow) => self.drawer,
        }
    }

    /// Shows or hides the delivery column.
    pub(crate) fn show_delivery(&mut self, shown: bool) {
        match self.room {
            Some(ColumnCount::Wide) | None => self.delivery_closed = !shown,
            Some(ColumnCount::Middle | ColumnCount::Narrow) => self.drawer = shown,
        }
    }

    /// Lays out the columns.
    pub(crate) fn ui(&mut self, ui: &mut Ui, snapshot: &Snapshot, look: &Look, acts: &mut Vec<Act>) {
        let room = ColumnCount::of(ui.available_width());
        self.room = Some(room);
        match room {
            ColumnCount::Wide | ColumnCount::Middle => {
                self.left_column(ui, snapshot, look, acts);
                if room == ColumnCount::Wide && self.delivery_shown() && self.thread(snapshot).is_some() {
                    self.delivery_column(ui, snapshot, look, acts);
                }
                self.middle_column(ui, snapshot, look, acts);
            }
            ColumnCount::Narrow if self.place == MiddleView::Nothing => {
                let frame = Frame::NONE.fill(colors(ui).side);
                CentralPanel::default().frame(frame).show(ui, |ui| {
                    left_ui(ui, &mut self.left, snapshot, None, look, acts);
                });
            }
            ColumnCount::Narrow => self.middle_column(ui, snapshot, look, acts),
        }
        if room != ColumnCount::Wide && self.drawer && self.thread(snapshot).is_some() {
            self.drawer_ui(ui, snapshot, look, acts);
        }
    }

    fn left_column(&mut self, ui: &mut Ui, snapshot: &Snapshot, look: &Look, acts: &mut Vec<Act>) {
        let open = self.open();
        let panel =
            Panel::left("left").exact_size(theme::LEFT_WIDTH).resizable(false).show_separator_line(false);
        panel.frame(Frame::NONE.fill(colors(ui).side)).show(ui, |ui| {
            let edge = ui.max_rect();
            ui.painter().vline(edge.right() - 0.5, edge.y_range(), Stroke::new(1.0, colors(ui).line));
            left_ui(ui, &mut self.left, snapshot, open, look, acts);
        });
    }

    fn delivery_column(&self, ui: &mut Ui, snapshot: &Snapshot, look: &Look, acts: &mut Vec<Act>) {
        let panel = Panel::right("delivery")
            .exact_size(theme::RIGHT_WIDTH)
            .resizable(false)
            .show_separator_line(false);
        panel.frame(Frame::NONE.fill(colors(ui).side)).show(ui, |ui| {
            let edge = ui.max_rect();
            ui.painter().vline(edge.left() + 0.5, edge.y_range(), Stroke::new(1.0, colors(ui).line));
            title_ui(ui, acts);
            delivery_ui(ui, self.thread.detailed(), &snapshot.book, look, acts);
        });
    }

    /// Draws the delivery column over the conversation.
    fn drawer_ui(&self, ui: &Ui, snapshot: &Snapshot, look: &Look, acts: &mut Vec<Act>) {
        let whole = ui.ctx().content_rect();
        let width = theme::RIGHT_WIDTH.min(whole.width());
        let place = egui::Rect::from_min_max(pos2(whole.right() - width, whole.top()), whole.max);
        let colors = colors(ui);
        Area::new(Id::unique("drawer")).order(Order::Middle).fixed_pos(place.min).show(ui.ctx(), |ui| {
            let frame =
                Frame::NONE.fill(colors.side).stroke(Stroke::new(1.0, colors.line)).shadow(egui::Shadow {
                    offset: [-4, 0],
                    blur: 24,
                    spread: 0,
                    color: colors.veil.gamma_multiply(0.6),
                });
            frame.show(ui, |ui| {
                ui.set_min_size(place.size());
                ui.set_max_size(place.size());
                title_ui(ui, acts);
                delivery_ui(ui, self.thread.detailed(), &snapshot.book, look, acts);
            });
        });
    }

    fn middle_column(&mut self, ui: &mut Ui, snapshot: &Snapshot, look: &Look, acts: &mut Vec<Act>) {
        CentralPanel::default().frame(Frame::NONE.fill(colors(ui).middle)).show(ui, |ui| match self.place {
            MiddleView::Nothing => welcome_ui(ui, acts),
            MiddleView::New => self.new_message(ui, snapshot, acts),
            MiddleView::Conversation(_) => self.conversation(ui, snapshot, look, acts),
        });
    }

    fn conversation(&mut self, ui: &mut Ui, snapshot: &Snapshot, look: &Look, acts: &mut Vec<Act>) {
        let Some(thread) = self.thread(snapshot) else {
            return;
        };
        let around = Around { back: self.room == Some(ColumnCount::Narrow), delivery: self.delivery_shown() };
        header_ui(ui, thread, around, acts);
        let writing = self.writing.entry(self.place).or_default();
        foot(ui, |ui| composer_ui(ui, writing, Audience::Thread(thread), snapshot, acts));
        CentralPanel::default()
            .frame(Frame::NONE)
            .show(ui, |ui| messages_ui(ui, &mut self.thread, look, acts));
    }

    fn new_message(&mut self, ui: &mut Ui, snapshot: &Snapshot, acts: &mut Vec<Act>) {
        let back = self.room == Some(ColumnCount::Narrow);
        let writing = self.writing.entry(MiddleView::New).or_default();
        new_header(ui, writing, back, acts);
        keep_tab_order(ui);
        foot(ui, |ui| composer_ui(ui, writing, Audience::New, snapshot, acts));
        CentralPanel::default().frame(Frame::NONE).show(ui, |ui| {
            let line = Stroke::new(1.0, colors(ui).line);
            Frame::NONE.inner_margin(egui::Margin::symmetric(16, 10)).show(ui, |ui| {
                ui.set_width(ui.available_width());
                recipients_ui(ui, &mut writing.to, &snapshot.names);
                problem_ui(ui, &writing.to);
            });
            let top = ui.cursor().top();
            ui.painter().hline(ui.max_rect().x_range(), top, line);
            picker_ui(ui, &snapshot.names, &mut writing.to);
        });
    }
}

/// Keeps the Tab order: `To` first, then the message. The composer is drawn first, and egui's Tab follows that order.
fn keep_tab_order(ui: &Ui) {
    let (to, message) = (recipients::field_id(), composer::field_id());
    let next = ui.input(|input| match (input.key_pressed(Key::Tab), input.modifiers) {
        (true, Modifiers::NONE) => Some((to, message)),
        (true, Modifiers::SHIFT) => Some((message, to)),
        _ => None,
    });
    ui.memory_mut(|memory| {
        if let Some((from, next)) = next
            && memory.has_focus(from)
        {
            memory.move_focus(FocusDirection::None);
            memory.request_focus(next);
        }
    });
}

fn new_header(ui: &mut Ui, writing: &Writing, back: bool, acts: &mut Vec<Act>) {
    let rect = ui.allocate_space(vec2(ui.available_width(), HEADER_HEIGHT)).1;
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, colors(ui).line));
    let inner = rect.shrink2(vec2(16.0, 0.0));
    within(ui, inner, Layout::left_to_right(Align::Center), |ui| {
        if back && icon_button(ui, Icon::Back, "Back to all messages").clicked() {
            acts.push(Act::Back);
        }
        ui.label(RichText::new(composer::new_title(writing.to.len())).font(theme::strong(15.0)));
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
