//! One conversation in the list: its people, its last text, what is unread and what is set for it; and its menu.

use egui::{Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::model::deletion::Doomed;
use crate::model::journal::DeliveryState;
use crate::model::marks::Marks;
use crate::model::names::Names;
use crate::model::snapshot::ConversationHead;
use crate::time::Timestamp;
use crate::ui::actions::Act;
use crate::ui::commands::{UiCommand, block_item, menu_item, named_menu_item};
use crate::ui::kit::icons::{Icon, focus_ring, paint_icon, paint_state, state_color};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{one_line, paint_avatar, paint_badge, put};
use crate::ui::kit::words::{self, Look};
use crate::ui::text::say;

/// Height of a row.
pub(super) const ROW_HEIGHT: f32 = 64.0;

/// Draws a row with this time, under this name if it has one; it can be clicked, and has a menu.
pub(super) fn row_ui(
    ui: &mut Ui,
    (head, marks, at): (&ConversationHead, &Marks, Timestamp),
    name: &str,
    draft: Option<&str>,
    selected: bool,
    look: &Look,
) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click());
    let colors = colors(ui);
    let ground = rect.shrink2(vec2(8.0, 1.0));
    if selected {
        ui.painter().rect_filled(ground, 8.0, colors.selected);
    } else if response.hovered() {
        ui.painter().rect_filled(ground, 8.0, colors.hover);
    }
    focus_ring(ui, &response, ground, 8.0);
    paint_avatar(ui, pos2(rect.left() + 36.0, rect.center().y), 40.0, &head.people);
    let (left, right) = (rect.left() + 66.0, rect.right() - 20.0);
    let time = one_line(ui, &look.short(at), theme::regular(12.0), colors.weak, 100.0);
    let is_unread = head.unread > 0 || marks.unread;
    let font = if is_unread { theme::strong(14.0) } else { theme::regular(14.0) };
    let middle = rect.center().y;
    put(ui.painter(), pos2(right - time.size().x, middle - 18.0), time.clone());
    let end = marks_ui(ui, marks, pos2(right - time.size().x - 8.0, middle - 17.0));
    let called = if name.is_empty() { words::people(&head.people, 4) } else { name.to_owned() };
    let names = one_line(ui, &called, font, colors.text, end - left);
    put(ui.painter(), pos2(left, middle - 20.0), names);
    let badge = match head.unread {
        0 if marks.unread => {
            ui.painter().circle_filled(pos2(right - 6.0, middle + 10.0), 5.0, colors.accent);
            20.0
        }
        0 => 0.0,
        count => paint_badge(ui, pos2(right, middle + 10.0), count) + 8.0,
    };
    let told = second_line(
        ui,
        head,
        draft,
        Rect::from_min_max(pos2(left, middle), pos2(right - badge, middle + 20.0)),
    );
    let people = match name {
        "" => words::people(&head.people, head.people.len()),
        name => name.to_owned(),
    };
    let unread = marks_named(head, marks);
    response.widget_info(|| {
        WidgetInfo::selected(Role::Button, true, selected, format!("{people}, {told}{unread}"))
    });
    response
}

/// Paints the icons of what is set, leftwards from a point; returns the left end.
fn marks_ui(ui: &Ui, marks: &Marks, right_top: egui::Pos2) -> f32 {
    let mut end = right_top.x;
    for (is_set, icon) in [(marks.muted, Icon::Mute), (marks.pinned, Icon::Pin)] {
        if is_set {
            let place = Rect::from_min_size(pos2(end - 12.0, right_top.y), vec2(12.0, 12.0));
            paint_icon(ui.painter(), place, icon, colors(ui).weak);
            end = place.left() - 6.0;
        }
    }
    end
}

/// The same, and what is unread, for screen readers.
fn marks_named(head: &ConversationHead, marks: &Marks) -> String {
    let mut named = if head.unread > 0 {
        format!(", {}", say!("unread-count", count = head.unread))
    } else {
        String::new()
    };
    for (is_set, word) in [
        (marks.unread && head.unread == 0, say!("marked-unread")),
        (marks.pinned, say!("pinned")),
        (marks.muted, say!("muted")),
    ] {
        if is_set {
            named.push_str(", ");
            named.push_str(word);
        }
    }
    named
}

/// The menu of a row.
pub(super) fn conversation_menu(
    ui: &mut Ui,
    (head, marks): (&ConversationHead, &Marks),
    names: &Names,
    acts: &mut Vec<Act>,
) {
    let with = || Marks::key(&head.people, head.hidden);
    let mut choice = |ui: &mut Ui, command: UiCommand, label: &str, change: fn(&mut Marks)| {
        if named_menu_item(ui, command, label) {
            let mut marks = Marks { with: with(), ..marks.clone() };
            change(&mut marks);
            acts.push(Act::Mark(marks));
        }
    };
    let either = |is_set: bool, set: &'static str, unset: &'static str| if is_set { unset } else { set };
    choice(ui, UiCommand::Pin, either(marks.pinned, say!("pin"), say!("unpin")), |it| it.pinned ^= true);
    choice(ui, UiCommand::Mute, either(marks.muted, say!("mute"), say!("unmute")), |it| {
        it.muted ^= true;
        it.silent = false;
    });
    if marks.muted {
        let label = either(marks.silent, say!("mute-failures"), say!("notify-failures"));
        choice(ui, UiCommand::MuteFailures, label, |it| it.silent ^= true);
    }
    if head.unread == 0 {
        let label = either(marks.unread, say!("mark-unread"), say!("mark-read"));
        choice(ui, UiCommand::MarkUnread, label, |it| it.unread ^= true);
    }
    let label = either(marks.archived, say!("archive"), say!("unarchive"));
    choice(ui, UiCommand::Archive, label, |it| {
        it.archived ^= true;
        // What is put away is done with.
        it.unread = false;
    });
    if menu_item(ui, UiCommand::Rename) {
        acts.push(Act::Rename(Marks { with: with(), ..marks.clone() }));
    }
    if menu_item(ui, UiCommand::CopyAddresses) {
        let addresses: Vec<&str> = head.people.iter().map(|person| person.address.as_str()).collect();
        acts.push(Act::Copy(addresses.join(", ")));
    }
    if let [person] = &*head.people {
        if menu_item(ui, UiCommand::for_contact(person, names)) {
            acts.push(Act::AddContact(person.clone()));
        }
        acts.extend(block_item(ui, person, names).map(|is_blocked| Act::Block(person.clone(), is_blocked)));
    }
    ui.separator();
    if menu_item(ui, UiCommand::DeleteConversation) {
        acts.push(Act::Delete(Doomed::Conversation { conversation: head.id, up_to: head.newest }));
    }
}

/// Draws the row of the new message that is being written, above the conversations.
pub(super) fn new_draft_ui(ui: &mut Ui, draft: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click());
    let colors = colors(ui);
    let ground = rect.shrink2(vec2(8.0, 1.0));
    if response.hovered() {
        ui.painter().rect_filled(ground, 8.0, colors.hover);
    }
    focus_ring(ui, &response, ground, 8.0);
    paint_avatar(ui, pos2(rect.left() + 36.0, rect.center().y), 40.0, &[]);
    let (left, right, middle) = (rect.left() + 66.0, rect.right() - 20.0, rect.center().y);
    let name = one_line(ui, say!("new-message"), theme::regular(14.0), colors.text, right - left);
    put(ui.painter(), pos2(left, middle - 20.0), name);
    draft_line(ui, draft, Rect::from_min_max(pos2(left, middle), pos2(right, middle + 20.0)));
    response
        .widget_info(|| WidgetInfo::labeled(Role::Button, true, say!("new-message-draft", draft = draft)));
    response
}

fn draft_line(ui: &Ui, draft: &str, place: Rect) {
    let word = one_line(ui, say!("draft"), theme::strong(13.0), colors(ui).amber, place.width());
    let left = place.left() + word.size().x + 8.0;
    let text = one_line(ui, draft, theme::regular(13.0), colors(ui).weak, place.right() - left);
    put(ui.painter(), pos2(place.left(), place.center().y - word.size().y / 2.0), word);
    put(ui.painter(), pos2(left, place.center().y - text.size().y / 2.0), text);
}

/// What did not arrive: in a group how many people the latest such message did not reach, else how many messages.
fn failed_words(head: &ConversationHead) -> String {
    if head.people.len() > 1 {
        say!("count-not-delivered", count = head.failed_latest)
    } else {
        say!("messages-not-delivered", count = head.failed_messages)
    }
}

/// The last text with its state icon. Before it: a mark if the sender is not verified; then, in red, how many
/// recipients did not get some message, even if later ones arrived. Returns the words shown.
fn second_line(ui: &Ui, head: &ConversationHead, draft: Option<&str>, place: Rect) -> String {
    let colors = colors(ui);
    let mut left = place.left();
    let state = if head.failed > 0 { Some(DeliveryState::Failed) } else { head.last.map(|it| it.leading()) };
    if let Some(state) = state {
        let icon = Rect::from_min_size(pos2(left, place.center().y - 7.0), vec2(14.0, 14.0));
        paint_state(ui.painter(), icon, state, state_color(state, colors), colors.side);
        left += 20.0;
    }
    if let Some(draft) = draft {
        draft_line(ui, draft, Rect::from_min_max(pos2(left, place.top()), place.max));
        return say!("draft-text", draft = draft);
    }
    let mut write = |words: &str, font, color| {
        let line = one_line(ui, words, font, color, place.right() - left);
        let width = line.size().x;
        put(ui.painter(), pos2(left, place.center().y - line.size().y / 2.0), line);
        left += width + 8.0;
    };
    let mut told = Vec::new();
    if !head.verified {
        write(say!("not-verified"), theme::strong(12.0), colors.amber);
        told.push(say!("not-verified").to_owned());
    }
    if head.failed == 0 {
        write(&head.preview, theme::regular(13.0), colors.weak);
        told.push(head.preview.to_string());
        return told.join(", ");
    }
    let failed = failed_words(head);
    write(&failed, theme::strong(13.0), colors.red);
    told.push(failed);
    // While there is a failure that the user has not seen, the preview is left out.
    let leading = head.last.map(|tally| tally.leading());
    if head.failed_unseen == 0 && leading != Some(DeliveryState::Failed) {
        write(&head.preview, theme::regular(13.0), colors.weak);
        told.push(head.preview.to_string());
    }
    told.join(", ")
}
