//! Where a message is written: text, size, who sees whom, and **Send to N**.

use egui::{
    Align, Key, KeyboardShortcut, Layout, Modifiers, Popup, Rect, RichText, Sense, Ui, UiBuilder, pos2, vec2,
};

use super::pictures::Previews;
use super::recipients::{self, Recipients};
use super::{attach, emoji};
use crate::limits;
use crate::model::account::RegistrationState;
use crate::model::command::Draft;
use crate::model::journal::{ConversationId, PersonRow};
use crate::model::snapshot::{Snapshot, Thread};
use crate::sip::{File, ReportMode, ReportOptions};
use crate::ui::actions::{Act, PictureAct, WaitingAct, When};
use crate::ui::commands::UiCommand;
use crate::ui::kit::edit;
use crate::ui::kit::icons::{Icon, icon_button_with, paint_icon};
use crate::ui::kit::look;
use crate::ui::kit::picture::is_picture;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{hint, primary, small_button, within};
use crate::ui::kit::words;
use crate::ui::text::{TextId, say};

/// Bytes of a submission besides its text and recipients, a generous estimate.
const HEAD_BYTES: usize = 700;
/// Bytes of a Secondary-To header field besides its address.
const RECIPIENT_BYTES: usize = 20;
/// Bytes that an attachment adds besides its content.
const FILE_BYTES: usize = 512;
/// What the head, the recipients and the parts of a message may take besides text and files, where room for pictures is
/// reckoned.
pub(crate) const MARGIN_BYTES: usize = 64 * 1024;
/// The size meter is shown from this fraction of the limit.
const METER_FROM: f32 = 0.75;
/// Width of the button, enough for `Send to 500`.
const BUTTON_WIDTH: f32 = 112.0;
/// Width of the button beside it, which opens a menu.
const MORE_WIDTH: f32 = 28.0;
const BUTTON_HEIGHT: f32 = 36.0;
/// The field grows to eight lines and then scrolls.
const TEXT_HEIGHT_MAX: f32 = 8.0 * 18.0;

/// A message being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writing {
    /// Its text.
    pub(crate) text: String,
    /// Its attachments.
    pub(crate) files: Vec<File>,
    /// Its recipients; for a new message only.
    pub(crate) to: Recipients,
    /// Recipients do not see each other; for a new message only.
    pub(crate) hidden: bool,
}

impl Writing {
    /// Nothing is written, and nobody is chosen.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.files.is_empty() && self.to.len() == 0 && self.to.typing.is_empty()
    }
}

/// Who the message is written to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Audience<'a> {
    /// A new message, to the recipients in the chips.
    New,
    /// An open conversation, to everyone in it.
    Thread(&'a Thread),
}

impl Audience<'_> {
    fn rows(&self, writing: &Writing) -> Vec<PersonRow> {
        match self {
            Self::New => writing.to.rows(),
            Self::Thread(thread) => {
                let row = |person: &crate::model::snapshot::Person| PersonRow {
                    address: person.address.clone(),
                    name: person.plain_name().to_owned(),
                };
                thread.people.iter().map(row).collect()
            }
        }
    }

    fn field_id(&self) -> egui::Id {
        field_id(match self {
            Self::New => None,
            Self::Thread(thread) => Some(thread.conversation),
        })
    }

    fn hidden(&self, writing: &Writing) -> bool {
        match self {
            Self::New => writing.hidden,
            Self::Thread(thread) => thread.hidden,
        }
    }
}

/// The id of the message field of a conversation, or of a new message: each has a cursor and a history of its own.
pub(crate) fn field_id(conversation: Option<ConversationId>) -> egui::Id {
    egui::Id::unique(("composer", conversation.map(|id| id.0)))
}

/// The composer, at the bottom of the conversation.
pub(crate) fn composer_ui(
    ui: &mut Ui,
    writing: &mut Writing,
    audience: Audience<'_>,
    (snapshot, previews): (&Snapshot, &Previews),
    acts: &mut Vec<Act>,
) {
    let rows = audience.rows(writing);
    let bytes = request_bytes(&rows, writing);
    let obstacle = obstacle(writing, audience, &rows, bytes);
    let is_filled = !writing.text.trim().is_empty() || !writing.files.is_empty();
    let ready = obstacle.is_none() && !rows.is_empty() && is_filled;
    writing_ui(ui, audience, snapshot);
    attach::files_ui(ui, &mut writing.files, previews);
    let has_suggested = emoji::suggest_ui(ui, audience.field_id(), &mut writing.text);
    let by_key = ready && send_key(ui, audience.field_id(), snapshot.settings.enter_sends);
    let label = if rows.is_empty() { say!("send").to_owned() } else { say!("send-to", count = rows.len()) };
    let new_line = if snapshot.settings.enter_sends { Modifiers::SHIFT } else { Modifiers::NONE };
    let mut written = write_ui(ui, writing, (audience.field_id(), new_line), &label, ready);
    written.changed |= has_suggested;
    if emoji::replace_closed(ui, audience.field_id(), &mut writing.text) {
        ui.ctx().request_repaint();
    }
    if let Audience::Thread(thread) = audience
        && written.changed
        && snapshot.settings.typing
        && thread.people.len() == 1
    {
        acts.push(Act::Typed(thread.conversation, !writing.text.is_empty()));
    }
    below_ui(ui, writing, audience, (obstacle.as_deref(), bytes), acts);
    if snapshot.registration == RegistrationState::NoFanOut && rows.len() > 1 {
        hint(ui, GOES_ONE_BY_ONE.say());
    }
    if snapshot.registration == RegistrationState::ByList && rows.len() > 1 {
        hint(ui, GOES_BY_LIST.say());
    }
    let when = written.later;
    if by_key || written.sent || when.is_some() {
        let report = ReportOptions { mode: ReportMode::Each, detail: true, id: None };
        let hidden = audience.hidden(writing) && rows.len() > 1;
        let (text, files) = (writing.text.trim_end().to_owned(), writing.files.clone());
        let draft = Draft { to: rows, text, files, hidden, report };
        acts.push(match when {
            Some(when) => Act::Waiting(WaitingAct::SendLater(Box::new(draft), when)),
            None => Act::Send(draft),
        });
    }
}

/// Shows who else is typing in this conversation.
fn writing_ui(ui: &mut Ui, audience: Audience<'_>, snapshot: &Snapshot) {
    let Audience::Thread(thread) = audience else {
        return;
    };
    let here = snapshot.writing.iter().filter(|writing| writing.conversation == thread.conversation);
    let names: Vec<&str> = here.map(|writing| writing.name.as_str()).collect();
    if let Some(words) = words::writing(&names) {
        hint(ui, &words);
    }
}

/// What prevents sending, as a sentence.
fn obstacle(writing: &Writing, audience: Audience<'_>, rows: &[PersonRow], bytes: usize) -> Option<String> {
    if matches!(audience, Audience::New)
        && let Some(problem) = recipients::problem(&writing.to)
    {
        return Some(problem);
    }
    if writing.files.len() > limits::FILES_PER_MESSAGE_MAX {
        return Some(say!("too-many-files", most = limits::FILES_PER_MESSAGE_MAX));
    }
    if rows.len() > limits::RECIPIENTS_MAX {
        return Some(say!("too-many-people", most = limits::RECIPIENTS_MAX));
    }
    let over = bytes.checked_sub(limits::MESSAGE_BYTES_MAX).filter(|over| *over > 0)?;
    Some(say!("too-long-by", count = over))
}

/// The approximate size of the whole request on the wire.
fn request_bytes(rows: &[PersonRow], writing: &Writing) -> usize {
    let files: usize = writing.files.iter().map(|file| file.bytes.len() + FILE_BYTES).sum();
    HEAD_BYTES
        + writing.text.len()
        + files
        + rows.iter().map(|row| row.address.len() + RECIPIENT_BYTES).sum::<usize>()
}

/// True if the send key was pressed: Enter, or Shift+Enter if Enter starts a new line; Ctrl+Enter always.
fn send_key(ui: &Ui, field: egui::Id, enter_sends: bool) -> bool {
    if !ui.memory(|memory| memory.has_focus(field)) {
        return false;
    }
    let plain = if enter_sends { Modifiers::NONE } else { Modifiers::SHIFT };
    ui.input_mut(|input| {
        let found =
            input.events.iter().any(|event| is_enter(event, plain) || is_enter(event, Modifiers::COMMAND));
        input.events.retain(|event| !is_enter(event, plain) && !is_enter(event, Modifiers::COMMAND));
        found
    })
}

fn is_enter(event: &egui::Event, with: Modifiers) -> bool {
    matches!(event, egui::Event::Key { key: Key::Enter, pressed: true, modifiers, .. } if modifiers.matches_exact(with))
}

/// What the user did in the text field and with its button.
#[derive(Clone, Copy, Debug)]
struct Written {
    /// The text was changed.
    changed: bool,
    /// The button was pressed.
    sent: bool,
    /// A later time was chosen in the menu beside it.
    later: Option<When>,
}

/// The text field and the button at its lower right.
fn write_ui(
    ui: &mut Ui,
    writing: &mut Writing,
    field: (egui::Id, Modifiers),
    label: &str,
    ready: bool,
) -> Written {
    let room = ui.available_rect_before_wrap();
    let buttons_width = BUTTON_WIDTH + MORE_WIDTH + 2.0;
    let text_width = (room.width() - buttons_width - 12.0).max(80.0);
    let mut left = ui
        .new_child(UiBuilder::new().max_rect(Rect::from_min_size(room.min, vec2(text_width, room.height()))));
    let changed = text_ui(&mut left, writing, field);
    let height = left.min_rect().height().max(BUTTON_HEIGHT);
    let button = Rect::from_min_size(
        pos2(room.right() - buttons_width, room.top() + height - BUTTON_HEIGHT - 2.0),
        vec2(BUTTON_WIDTH, BUTTON_HEIGHT),
    );
    let more = Rect::from_min_size(button.right_top() + vec2(2.0, 0.0), vec2(MORE_WIDTH, BUTTON_HEIGHT));
    let layout = Layout::top_down_justified(Align::Center);
    let sent = within(ui, button, layout, |ui| primary(ui, label, ready).clicked());
    ui.allocate_rect(Rect::from_min_size(room.min, vec2(room.width(), height)), Sense::hover());
    let later = more_ui(ui, more, ready);
    Written { changed, sent, later }
}

/// The button beside `Send`: a menu of times.
fn more_ui(ui: &mut Ui, place: Rect, ready: bool) -> Option<When> {
    within(ui, place, Layout::left_to_right(Align::Center), |ui| {
        let button = |ui: &mut Ui| icon_button_with(ui, Icon::More, SEND_AT.say(), SEND_AT.say());
        let response = ui.add_enabled_ui(ready, button).inner;
        Popup::menu(&response).show(times_ui).and_then(|menu| menu.inner)
    })
}

fn times_ui(ui: &mut Ui) -> Option<When> {
    let nine = look::hour(9);
    let (tomorrow, monday) = (say!("tomorrow-at-9", time = nine), say!("monday-at-9", time = nine));
    let times = [
        (When::InAnHour, say!("in-an-hour")),
        (When::Tomorrow, &*tomorrow),
        (When::Monday, &*monday),
        (When::Ask, say!("another-time")),
    ];
    let chosen = times.into_iter().filter_map(|(when, label)| ui.button(label).clicked().then_some(when));
    let chosen = chosen.last();
    if chosen.is_some() {
        ui.close();
    }
    chosen
}

/// The text field; true if the text was changed.
fn text_ui(ui: &mut Ui, writing: &mut Writing, (field, new_line): (egui::Id, Modifiers)) -> bool {
    let focused = ui.memory(|memory| memory.has_focus(field));
    let colors = colors(ui);
    let stroke =
        if focused { egui::Stroke::new(2.0, colors.accent) } else { egui::Stroke::new(1.0, colors.border) };
    let margin = egui::Margin::symmetric(12, if focused { 7 } else { 8 });
    let frame = egui::Frame::NONE.fill(colors.field).stroke(stroke).corner_radius(10).inner_margin(margin);
    let shown = frame.show(ui, |ui| {
        // All lines of what is pasted are shown at once; the room grows a few lines in each frame otherwise.
        let area = edit::scrolling().min_scrolled_height(TEXT_HEIGHT_MAX).max_height(TEXT_HEIGHT_MAX);
        area.id_salt(field).auto_shrink([false, true]).show(ui, |ui| {
            edit::long_text_field(ui, field, &mut writing.text, |text| {
                egui::TextEdit::multiline(text)
                    .frame(egui::Frame::NONE)
                    .hint_text(say!("write-a-message"))
                    .desired_rows(1)
                    .desired_width(f32::INFINITY)
                    .min_size(vec2(0.0, 20.0))
                    .return_key(KeyboardShortcut::new(new_line, Key::Enter))
            })
            .accessible_name(say!("message"))
            .changed()
        })
    });
    shown.inner.inner
}

/// The attach button, who sees whom, and the size meter, on one line.
fn below_ui(
    ui: &mut Ui,
    writing: &mut Writing,
    audience: Audience<'_>,
    (obstacle, bytes): (Option<&str>, usize),
    acts: &mut Vec<Act>,
) {
    ui.horizontal(|ui| {
        ui.set_min_height(theme::CONTROL_HEIGHT);
        ui.spacing_mut().item_spacing.x = 8.0;
        let limit = words::size(limits::MESSAGE_BYTES_MAX);
        let tooltip = say!("attach-file-why", keys = UiCommand::Attach.shortcut(), limit = limit);
        if icon_button_with(ui, Icon::Clip, say!("attach-file"), &tooltip).clicked() {
            acts.push(Act::AskForFile);
        }
        let label = UiCommand::Emoji.label();
        if icon_button_with(ui, Icon::Smile, label, &UiCommand::Emoji.tooltip()).clicked() {
            acts.push(Act::Run(UiCommand::Emoji));
        }
        match audience {
            Audience::New => hidden_switch(ui, writing),
            Audience::Thread(thread) if thread.people.len() > 1 => visibility(ui, thread.hidden),
            Audience::Thread(_) => {}
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let is_too_long = bytes > limits::MESSAGE_BYTES_MAX;
            if is_too_long
                && writing.files.iter().any(|file| is_picture(&file.media_type))
                && small_button(ui, say!("make-pictures-smaller")).clicked()
            {
                acts.push(Act::Picture(PictureAct::ShrinkAttached));
            }
            meter(ui, bytes);
            if let Some(why) = obstacle {
                ui.label(RichText::new(why).size(12.5).color(colors(ui).red));
            }
        });
    });
}

const SEND_AT: TextId = TextId("send-at");
const GOES_BY_LIST: TextId = TextId("goes-by-list");
const GOES_ONE_BY_ONE: TextId = TextId("one-by-one");
const EVERYONE_SEES: TextId = TextId("everyone-sees");
const HIDDEN: TextId = TextId("recipients-hidden");

/// The label stays the same in both states: it says what ticking the box does, not the current state.
fn hidden_switch(ui: &mut Ui, writing: &mut Writing) {
    let words = RichText::new(say!("hide-recipients")).size(12.5).color(colors(ui).weak);
    let now = if writing.hidden { HIDDEN.say() } else { EVERYONE_SEES.say() };
    ui.checkbox(&mut writing.hidden, words).on_hover_text(now);
}

fn visibility(ui: &mut Ui, hidden: bool) {
    let (icon, words) = if hidden { (Icon::Hidden, HIDDEN.say()) } else { (Icon::Eye, EVERYONE_SEES.say()) };
    let place = ui.allocate_exact_size(vec2(16.0, 16.0), Sense::hover()).0;
    paint_icon(ui.painter(), place, icon, colors(ui).weak);
    ui.label(RichText::new(words).size(12.5).color(colors(ui).weak));
}

fn meter(ui: &mut Ui, bytes: usize) {
    let part = bytes as f32 / limits::MESSAGE_BYTES_MAX as f32;
    if part < METER_FROM {
        return;
    }
    let color = if part > 1.0 { colors(ui).red } else { colors(ui).weak };
    let words = say!("bytes-of", count = bytes, most = limits::MESSAGE_BYTES_MAX);
    ui.label(RichText::new(words).size(12.5).color(color));
}

/// The title of a new message.
pub(crate) fn new_title(recipients: usize) -> String {
    if recipients == 0 {
        say!("new-message").to_owned()
    } else {
        say!("new-message-to", people = words::people_count(recipients))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meter_counts_the_whole_request() {
        let row = |address: &str| PersonRow { address: address.into(), name: String::new() };
        let writing = Writing { text: "hello".into(), ..Writing::default() };
        let one = request_bytes(&[row("sip:ann@example.com")], &writing);
        let two = request_bytes(&[row("sip:ann@example.com"), row("sip:bob@example.com")], &writing);
        assert_eq!(two - one, "sip:bob@example.com".len() + RECIPIENT_BYTES);
        assert!(one > 5 + HEAD_BYTES);
    }
}
