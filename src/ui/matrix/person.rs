//! One person: the totals, the times, and a plot of the latest messages.

use egui::Ui;
use egui_plot::{MarkerShape, Plot, PlotPoints, Points};

use super::grid::summary;
use crate::model::delivery::is_reached;
use crate::model::journal::DeliveryState;
use crate::model::matrix::{MatrixCell, MatrixPerson};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{hint, words_ui};
use crate::ui::kit::words;
use crate::ui::text::{decimal, say};

const PLOT_HEIGHT: f32 = 96.0;

/// Draws the figures of a person.
pub(super) fn person_ui(ui: &mut Ui, person: &MatrixPerson) {
    ui.spacing_mut().item_spacing.y = 4.0;
    let ink = ui.visuals().text_color();
    words_ui(ui, &person.name, theme::strong(13.5), ink);
    let share = person.share_permille();
    hint(
        ui,
        &format!(
            "{} ({} %)",
            words::sentence(&summary(person)),
            decimal(&format!("{}.{}", share / 10, share % 10))
        ),
    );
    if let (Some(median), Some(p95)) = (person.median, person.p95) {
        hint(ui, &say!("median-within", median = words::latency(median), most = words::latency(p95)));
    }
    plot_ui(ui, &person.latest);
    hint(ui, say!("plot-legend"));
}

/// The latest messages from left to right, each by its time; a shape says what became of it.
fn plot_ui(ui: &mut Ui, latest: &[MatrixCell]) {
    let point = |(number, cell): (usize, &MatrixCell)| {
        let secs = cell.took.map_or(0.0, |took| took.as_secs_f64());
        [number as f64 + 1.0, secs]
    };
    let of = |is_wanted: &dyn Fn(DeliveryState) -> bool| -> PlotPoints<'static> {
        latest.iter().enumerate().filter(|(_, cell)| is_wanted(cell.state)).map(point).collect()
    };
    let failed = |state| state == DeliveryState::Failed;
    let colors = colors(ui);
    let series = [
        (say!("plot-reached"), MarkerShape::Circle, colors.green, of(&is_reached)),
        (say!("plot-not-delivered"), MarkerShape::Cross, colors.red, of(&failed)),
        (
            say!("plot-neither"),
            MarkerShape::Diamond,
            colors.amber,
            of(&|state| !is_reached(state) && !failed(state)),
        ),
    ];
    Plot::new("latest messages")
        .height(PLOT_HEIGHT)
        .include_x(0.0)
        .include_x(latest.len() as f64 + 1.0)
        .include_y(0.0)
        .include_y(0.1)
        .show_x(false)
        .show_y(false)
        .show_axes([false, true])
        .show_grid([false, true])
        .allow_zoom(false)
        .allow_drag(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .y_axis_formatter(|mark, _range| format!("{} s", decimal(&mark.value.to_string())))
        .show(ui, |plot| {
            for (name, shape, ink, points) in series {
                plot.points(Points::new(name, points).shape(shape).color(ink).radius(3.5));
            }
        });
}
