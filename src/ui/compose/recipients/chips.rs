//! How recipients are drawn: a chip for each, and what is wrong with those that are no addresses.

use egui::{Rect, RichText, Role, Sense, Stroke, Ui, WidgetInfo, vec2};

use super::{Chip, Recipients, checked, field_id};
use crate::model::names::Names;
use crate::model::slip;
use crate::ui::commands::{UiCommand, context_menu, menu_item};
use crate::ui::kit::icons::{Icon, focus_ring, paint_icon};
use crate::ui::kit::theme::{self, CONTROL_HEIGHT, colors};
use crate::ui::kit::widgets::{one_line, put, small_button};
use crate::ui::kit::words;
use crate::ui::text::say;

/// Why nothing can be sent to what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is no address.
    NoAddress,
    /// Its domain has a comma where a dot was meant.
    Comma {
        /// The address that was meant.
        meant: String,
    },
}

impl Fault {
    pub(super) fn of(address: &str) -> Option<Self> {
        if checked(address).is_some() {
            return None;
        }
        Some(slip::meant(address).map_or(Self::NoAddress, |meant| Self::Comma { meant }))
    }

    pub(super) fn words(&self) -> String {
        match self {
            Self::NoAddress => say!("chip-no-address").to_owned(),
            Self::Comma { meant } => say!("chip-comma", meant = did_you_mean(meant)),
        }
    }
}

fn did_you_mean(meant: &str) -> String {
    say!("did-you-mean", address = words::address(meant))
}

/// What is asked of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChipAct {
    /// Out of the recipients.
    Remove,
    /// Into the field To; all others are in Secondary-To.
    PutFirst,
}

/// A recipient's chip; a click removes it, and its menu says who is in To.
pub(super) fn chip_ui(ui: &mut Ui, chip: &Chip, is_first: bool) -> Option<ChipAct> {
    let colors = colors(ui);
    let (ink, ground) =
        if chip.fault.is_some() { (colors.red, colors.red_soft) } else { (colors.text, colors.selected) };
    let name = one_line(ui, &chip.shown(), theme::regular(13.5), ink, 200.0);
    let (rect, response) = ui.allocate_exact_size(vec2(name.size().x + 38.0, CONTROL_HEIGHT), Sense::click());
    let stroke = if chip.fault.is_some() { Stroke::new(1.0, colors.red) } else { Stroke::NONE };
    ui.painter().rect(rect, 14.0, ground, stroke, egui::StrokeKind::Inside);
    put(ui.painter(), rect.left_center() + vec2(12.0, -name.size().y / 2.0), name);
    let cross = Rect::from_center_size(rect.right_center() - vec2(15.0, 0.0), vec2(12.0, 12.0));
    let cross_ink = if response.hovered() { ink } else { colors.weak };
    paint_icon(ui.painter(), cross, Icon::Close, cross_ink);
    focus_ring(ui, &response, rect, 14.0);
    let fault = chip.fault.as_ref().map(Fault::words);
    let told = match &fault {
        Some(fault) => say!("remove-chip-fault", name = chip.shown(), fault = fault),
        None => say!("remove-name", name = chip.shown()),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &told));
    let place = if is_first { say!("first-in-to") } else { say!("in-secondary-to") };
    let tooltip = format!(
        "{}, {place}\n{}",
        words::address(&chip.person.address),
        fault.as_deref().unwrap_or_else(|| say!("chip-how"))
    );
    let mut act = None;
    context_menu(&response, |ui| {
        if !is_first && menu_item(ui, UiCommand::PutFirst) {
            act = Some(ChipAct::PutFirst);
        }
        if menu_item(ui, UiCommand::RemoveRecipient) {
            act = Some(ChipAct::Remove);
        }
    });
    act.or_else(|| response.on_hover_text(tooltip).clicked().then_some(ChipAct::Remove))
}

/// A sentence about chips that are not valid addresses.
pub(crate) fn problem(recipients: &Recipients) -> Option<String> {
    let count = recipients.bad();
    (count > 0).then(|| say!("bad-recipients", count = count))
}

/// Shows it below the chips; an address with a comma is mended with one click.
pub(crate) fn problem_ui(ui: &mut Ui, recipients: &mut Recipients, names: &Names) {
    let Some(problem) = problem(recipients) else { return };
    let meant = |(place, chip): (usize, &Chip)| match &chip.fault {
        Some(Fault::Comma { meant }) => Some((place, meant.clone())),
        Some(Fault::NoAddress) | None => None,
    };
    let slips: Vec<(usize, String)> = recipients.chips.iter().enumerate().filter_map(meant).collect();
    let mut mended = None;
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(problem).size(12.5).color(colors(ui).red));
        for (place, meant) in slips {
            if small_button(ui, &did_you_mean(&meant)).clicked() {
                mended = Some(place);
            }
        }
    });
    if let Some(place) = mended {
        recipients.mend(place, names);
        ui.memory_mut(|memory| memory.request_focus(field_id()));
    }
}
