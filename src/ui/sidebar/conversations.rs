//! The left column: our account and its status, search, and the conversations.

use std::collections::BTreeMap;

use egui::{Align, Layout, Rect, RichText, ScrollArea, Ui, vec2};

use super::account::{account_ui, signed_out_ui};
use super::contacts;
use super::floating::Floating;
use super::marks::MarkTable;
use super::retry::Retry;
use super::row::{ROW_HEIGHT, conversation_menu, new_draft_ui, row_ui};
use super::ticks::{Chosen, Jump, Ticks};
use crate::model::fold::holds_all;
use crate::model::journal::ConversationId;
use crate::model::marks::Marks;
use crate::model::names::Names;
use crate::model::snapshot::{ConversationHead, Person, Snapshot};
use crate::ui::actions::Act;
use crate::ui::commands::{UiCommand, context_menu};
use crate::ui::compose::recipients::Recipients;
use crate::ui::kit::edit;
use crate::ui::kit::icons::{Icon, paint_icon};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{hint, mend_button, pill, primary, small_button, tab};
use crate::ui::kit::words::Look;
use crate::ui::text::say;

/// The tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Tab {
    /// Conversations.
    #[default]
    Messages,
    /// Contacts and lists.
    Contacts,
}

/// Which conversations are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Filter {
    /// All.
    #[default]
    All,
    /// Those with unseen messages.
    Unread,
    /// Those with a message that somebody did not get.
    Failed,
    /// Those put away.
    Archived,
}

/// What is typed and selected in the left column.
#[derive(Debug, Default)]
pub(crate) struct LeftColumn {
    pub(crate) tab: Tab,
    filter: Filter,
    pub(crate) search: String,
    chosen: Chosen,
    /// What the user has set for single conversations.
    pub(crate) marks: MarkTable,
    jump: Jump,
    /// The beginnings of what is being written in conversations.
    pub(crate) drafts: BTreeMap<ConversationId, String>,
    /// The beginning of the new message that is being written.
    pub(crate) new_draft: Option<String>,
    retry: Retry,
    floating: Floating,
}

impl LeftColumn {
    /// The contacts that are ticked, who are ticked no more.
    pub(crate) fn take_chosen(&mut self, names: &Names) -> Vec<Person> {
        self.chosen.take(names)
    }

    /// Height of what stands below the list.
    pub(crate) fn foot(&self) -> f32 {
        if self.tab == Tab::Contacts && !self.chosen.is_empty() { contacts::CHOSEN_HEIGHT } else { 0.0 }
    }
}

/// The id of the search field.
pub(crate) fn search_id() -> egui::Id {
    egui::Id::unique(say!("key-search"))
}

/// The left column.
pub(crate) fn left_ui(
    ui: &mut Ui,
    (column, recipients): (&mut LeftColumn, Option<&mut Recipients>),
    snapshot: &Snapshot,
    open: Option<ConversationId>,
    look: &Look,
    acts: &mut Vec<Act>,
) {
    account_ui(ui, snapshot, look, acts);
    column.retry.show(ui, snapshot, acts);
    signed_out_ui(ui, snapshot, acts);
    if snapshot.untrusted.is_some() {
        egui::Frame::NONE.inner_margin(egui::Margin { left: 16, right: 16, top: 8, bottom: 0 }).show(
            ui,
            |ui| {
                if mend_button(ui, say!("view-certificate")).clicked() {
                    acts.push(Act::ShowCertificate);
                }
            },
        );
    }
    egui::Frame::NONE.inner_margin(egui::Margin { left: 16, right: 16, top: 12, bottom: 0 }).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 8.0;
        ui.vertical_centered_justified(|ui| {
            if primary(ui, say!("new-message"), true).on_hover_text(UiCommand::NewMessage.tooltip()).clicked()
            {
                acts.push(Act::Write(Vec::new()));
            }
        });
        search_ui(ui, &mut column.search);
        tabs_ui(ui, column, snapshot);
    });
    match column.tab {
        Tab::Messages => conversations_ui(ui, column, snapshot, open, look, acts),
        Tab::Contacts => {
            let book = (&*snapshot.book, &*snapshot.names);
            let ticks = recipients.map_or_else(|| Ticks::Chosen(&mut column.chosen), Ticks::Recipients);
            contacts::contacts_ui(ui, book, (ticks, &mut column.jump), &column.search, acts);
        }
    }
}

fn search_ui(ui: &mut Ui, search: &mut String) {
    let width = ui.available_width();
    let response = edit::text_field(ui, search_id(), search, |text| {
        egui::TextEdit::singleline(text)
            .hint_text(say!("search-people"))
            .desired_width(width)
            .align(egui::Align2::LEFT_CENTER)
            .margin(egui::Margin { left: 32, right: 10, top: 6, bottom: 6 })
            .min_size(vec2(0.0, 32.0))
    })
    .accessible_name(say!("search"));
    let icon = Rect::from_center_size(response.rect.left_center() + vec2(17.0, 0.0), vec2(14.0, 14.0));
    paint_icon(ui.painter(), icon, Icon::Search, colors(ui).weak);
}

fn tabs_ui(ui: &mut Ui, column: &mut LeftColumn, snapshot: &Snapshot) {
    let width = ui.available_width() / 2.0;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for (which, label) in [(Tab::Messages, say!("messages")), (Tab::Contacts, say!("contacts"))] {
            if tab(ui, column.tab == which, label, width).clicked() {
                column.tab = which;
            }
        }
    });
    if column.tab == Tab::Messages {
        let failed = snapshot.conversations.iter().filter(|head| head.failed > 0).count();
        let heads = snapshot.conversations.iter();
        let unread = heads.filter(|head| passes(head, column.marks.get(head.id), Filter::Unread)).count();
        let archived = snapshot.conversations.iter().any(|head| column.marks.get(head.id).archived);
        let counted = |word: &str, count: usize| {
            if count == 0 { word.to_owned() } else { format!("{word} {count}") }
        };
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
            let mut pills = vec![
                (Filter::All, say!("filter-all").to_owned()),
                (Filter::Unread, counted(say!("filter-unread"), unread)),
                (Filter::Failed, counted(say!("filter-failed"), failed)),
            ];
            if archived || column.filter == Filter::Archived {
                pills.push((Filter::Archived, say!("filter-archived").to_owned()));
            }
            for (which, label) in pills {
                if pill(ui, column.filter == which, &label).clicked() {
                    column.filter = which;
                }
            }
        });
    }
}

fn conversations_ui(
    ui: &mut Ui,
    column: &mut LeftColumn,
    snapshot: &Snapshot,
    open: Option<ConversationId>,
    look: &Look,
    acts: &mut Vec<Act>,
) {
    let list = ui.available_rect_before_wrap();
    let is_pointed_at = ui.ctx().pointer_hover_pos().is_some_and(|at| list.contains(at));
    column.floating.take(&snapshot.conversations, open, is_pointed_at);
    let column = &*column;
    let shown = listed(column, snapshot);
    ui.add_space(8.0);
    let is_listed = column.filter == Filter::All && column.search.trim().is_empty();
    if let Some(draft) = column.new_draft.as_ref().filter(|_| is_listed)
        && new_draft_ui(ui, draft).clicked()
    {
        acts.push(Act::Write(Vec::new()));
    }
    if shown.is_empty() {
        return no_conversations(ui, column, snapshot, acts);
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, ROW_HEIGHT, shown.len(), |ui, range| {
        for head in shown.get(range).unwrap_or_default() {
            let is_open = open == Some(head.id);
            let draft = column.drafts.get(&head.id).filter(|_| !is_open);
            // Among the failures, when the one happened that is still to be dealt with.
            let at = head.failed_at.filter(|_| column.filter == Filter::Failed).unwrap_or(head.at);
            let marks = column.marks.get(head.id);
            let response = row_ui(
                ui,
                (head, marks, at),
                column.marks.called(head.id),
                draft.map(String::as_str),
                is_open,
                look,
            );
            if response.clicked() {
                acts.push(Act::Open(head.id));
            }
            context_menu(&response, |ui| conversation_menu(ui, (head, marks), &snapshot.names, acts));
        }
    });
}

/// What the filter and the search leave: first what is pinned, then what has news, and otherwise in the usual order.
fn listed<'a>(column: &LeftColumn, snapshot: &'a Snapshot) -> Vec<&'a ConversationHead> {
    let marks = |head: &ConversationHead| column.marks.get(head.id);
    let is_listed = |head: &&ConversationHead| {
        passes(head, marks(head), column.filter) && found(head, column.marks.called(head.id), &column.search)
    };
    let mut shown: Vec<_> = snapshot.conversations.iter().filter(is_listed).collect();
    shown.sort_by_key(|head| (!marks(head).pinned, !column.floating.has(head.id)));
    shown
}

const fn passes(head: &ConversationHead, marks: &Marks, filter: Filter) -> bool {
    let is_unread = head.unread > 0 || marks.unread;
    match filter {
        Filter::All => !marks.archived || is_unread,
        Filter::Unread => is_unread,
        Filter::Failed => head.failed > 0,
        Filter::Archived => marks.archived,
    }
}

/// True if every word of the search occurs in a name, an address or the last text.
fn found(head: &ConversationHead, name: &str, search: &str) -> bool {
    let people = head.people.iter().flat_map(|person| [person.name.as_str(), person.address.as_str()]);
    let texts: Vec<&str> = people.chain([&*head.preview, name]).collect();
    search.trim().is_empty() || holds_all(&texts, search)
}

fn no_conversations(ui: &mut Ui, column: &LeftColumn, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    let sentence = if snapshot.conversations.is_empty() {
        say!("slogan")
    } else if !column.search.trim().is_empty() {
        say!("no-results-sentence")
    } else {
        match column.filter {
            Filter::All => "",
            Filter::Unread => say!("no-unread"),
            Filter::Failed => say!("no-failed"),
            Filter::Archived => say!("no-archived"),
        }
    };
    egui::Frame::NONE.inner_margin(egui::Margin::symmetric(16, 8)).show(ui, |ui| {
        hint(ui, sentence);
        if !column.search.trim().is_empty() && small_button(ui, UiCommand::FindEverywhere.label()).clicked() {
            acts.push(Act::FindEverywhere(column.search.clone()));
        }
    });
}

/// The middle column while no conversation is open.
pub(crate) fn welcome_ui(ui: &mut Ui, acts: &mut Vec<Act>) {
    let height = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((height * 0.36).max(24.0));
        ui.label(RichText::new(say!("slogan")).font(theme::strong(17.0)));
        ui.add_space(4.0);
        if primary(ui, say!("write-to-several"), true).clicked() {
            acts.push(Act::Write(Vec::new()));
        }
        ui.with_layout(Layout::top_down(Align::Center), |ui| {
            let named = |command: UiCommand, words: &str| format!("{} {words}", command.shortcut());
            let words = [
                named(UiCommand::NewMessage, say!("key-new-message")),
                named(UiCommand::Palette, say!("key-go-to")),
                named(UiCommand::FindEverywhere, say!("key-search")),
                named(UiCommand::Keys, say!("key-all")),
            ];
            hint(ui, &words.join(" · "));
        });
    });
}
