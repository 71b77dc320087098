//! How much room the messages take on this computer, and the deletion of old ones.

use std::time::Duration;

use egui::{Context, Id, Ui};

use crate::model::command::Command;
use crate::model::deletion::{Doomed, StorageUse};
use crate::time::Timestamp;
use crate::ui::actions::Act;
use crate::ui::kit::theme::colors;
use crate::ui::kit::widgets::{banner, hint, mend_button, small_button};
use crate::ui::kit::words::{self, Look};
use crate::ui::text::{TextId, say};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How old what is deleted can be: days, and label.
const AGES: [(u32, TextId); 3] =
    [(365, TextId("age-year")), (180, TextId("age-half")), (30, TextId("age-month"))];

/// What is known of the room in use while the settings are open.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    is_asked: bool,
    found: Option<StorageUse>,
    /// The user is asked whether everything from before this time is to be deleted.
    asking: Option<Timestamp>,
}

fn id() -> Id {
    Id::unique("room in use")
}

fn known(ctx: &Context) -> Known {
    ctx.data(|data| data.get_temp(id())).unwrap_or_default()
}

fn keep(ctx: &Context, known: Known) {
    ctx.data_mut(|data| data.insert_temp(id(), known));
}

/// The engine has measured the room in use.
pub(crate) fn measured(ctx: &Context, found: StorageUse) {
    keep(ctx, Known { found: Some(found), ..known(ctx) });
}

/// The settings are opened: it is measured anew, and the figures known so far stand there meanwhile.
pub(crate) fn forget(ctx: &Context) {
    keep(ctx, Known { found: known(ctx).found, ..Known::default() });
}

/// The section of the settings.
pub(crate) fn storage_ui(ui: &mut Ui, look: &Look, acts: &mut Vec<Act>) {
    let ctx = ui.ctx().clone();
    let mut known = known(&ctx);
    if !std::mem::replace(&mut known.is_asked, true) {
        acts.push(Act::Ask(Command::MeasureStorage));
    }
    match &known.found {
        None => {
            ui.label(say!("measuring"));
            hint(ui, " ");
        }
        Some(found) => {
            ui.label(in_words(found));
            if let Some(oldest) = found.oldest {
                hint(ui, &say!("oldest-from", date = look.full_date(oldest)));
            }
        }
    }
    if let Some(before) = known.asking {
        let words = say!("delete-before-ask", date = look.full_date(before));
        banner(ui, &words, colors(ui).amber, colors(ui).amber_soft);
        ui.horizontal(|ui| {
            if mend_button(ui, say!("delete-them")).clicked() {
                acts.push(Act::Delete(Doomed::OlderThan(before)));
                known = Known { asking: None, is_asked: false, ..known };
            }
            if small_button(ui, say!("keep-them")).clicked() {
                known.asking = None;
            }
        });
    } else {
        ui.horizontal_wrapped(|ui| {
            ui.label(say!("delete-older"));
            for (days, label) in AGES {
                let label = label.say();
                if small_button(ui, label).on_hover_text(say!("delete-older-than", age = label)).clicked() {
                    let age = u64::try_from((DAY * days).as_millis()).unwrap_or(u64::MAX);
                    let before = look.now.as_millis().saturating_sub(age);
                    known.asking = Some(Timestamp::from_millis(before));
                }
            }
        });
    }
    keep(&ctx, known);
}

/// `1,234 messages, 12 MB; 56 of them with files, 10 MB`.
fn in_words(found: &StorageUse) -> String {
    let bytes = |bytes: u64| words::size(usize::try_from(bytes).unwrap_or(usize::MAX));
    let count = |count: u64| words::messages_count(usize::try_from(count).unwrap_or(usize::MAX));
    let all = format!("{}, {}", count(found.messages), bytes(found.bytes));
    if found.with_files == 0 {
        return all;
    }
    say!("storage-with-files", all = all, count = found.with_files, size = bytes(found.file_bytes))
}
