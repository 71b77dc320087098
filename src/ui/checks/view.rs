//! The view: which script, how many runs, how each ended, and each expectation of one of them.

use std::path::PathBuf;

use egui::{ComboBox, Label, RichText, Role, ScrollArea, Ui, WidgetInfo};

use super::playing::{Playing, ScriptSource};
use crate::check::{Check, EXAMPLES, Run};
use crate::limits::{CHECK_LADDER_LINES_MAX, CHECK_RUNS_MAX};
use crate::model::text::visible;
use crate::ui::actions::{Act, TestingAct};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{banner, entered_in, field, hint, pill, small_button};
use crate::ui::text::{decimal, say};

/// How many runs one can ask for.
const RUNS: [usize; 3] = [1, 10, CHECK_RUNS_MAX];

/// The state of the view.
#[derive(Debug, Default)]
pub(crate) struct ChecksView {
    playing: Option<Playing>,
    /// How many runs are asked for, by index.
    runs: usize,
    /// The seed of the run that the user chose to see.
    picked: Option<u64>,
    /// The path of a script that is being typed, where there is no chooser.
    path: Option<String>,
}

impl ChecksView {
    /// Plays the script in this file.
    pub(crate) fn open(&mut self, ctx: &egui::Context, path: PathBuf) {
        self.play(ctx, ScriptSource::File(path));
    }

    /// Lets the user type the path of a script: this desktop has no chooser.
    pub(crate) fn ask_for_path(&mut self) {
        self.path.get_or_insert_default();
    }

    /// Plays a script. One that is being played is given up: its thread ends with the run at hand.
    fn play(&mut self, ctx: &egui::Context, source: ScriptSource) {
        self.picked = None;
        let wanted = RUNS.get(self.runs).copied().unwrap_or(1);
        self.playing = Some(Playing::begin(ctx, source, wanted));
    }
}

/// Draws the view.
pub(crate) fn checks_ui(ui: &mut Ui, view: &mut ChecksView, acts: &mut Vec<Act>) {
    if let Some(playing) = &mut view.playing {
        playing.take();
    }
    ui.spacing_mut().item_spacing.y = 6.0;
    let margin = egui::Margin::symmetric(10, 8);
    egui::Frame::NONE.inner_margin(margin).show(ui, |ui| bar_ui(ui, view, acts));
    let Some(playing) = &view.playing else {
        return egui::Frame::NONE
            .inner_margin(egui::Margin::symmetric(16, 16))
            .show(ui, |ui| {
                ui.label(RichText::new(say!("no-script")).font(theme::strong(14.0)));
                let words = say!("no-script-why");
                hint(ui, words);
            })
            .inner;
    };
    ScrollArea::vertical().id_salt("checks").auto_shrink(false).show(ui, |ui| {
        egui::Frame::NONE.inner_margin(margin).show(ui, |ui| {
            result_ui(ui, playing, &mut view.picked);
        });
    });
}

fn bar_ui(ui: &mut Ui, view: &mut ChecksView, acts: &mut Vec<Act>) {
    let is_busy = view.playing.as_ref().is_some_and(Playing::is_busy);
    ui.horizontal_wrapped(|ui| {
        if small_button(ui, say!("open-script")).clicked() {
            acts.push(Act::Testing(TestingAct::AskForScript));
        }
        if let Some((name, text)) = examples_ui(ui) {
            view.play(ui.ctx(), ScriptSource::Example(name, text));
        }
    });
    ui.horizontal_wrapped(|ui| {
        for (index, runs) in RUNS.iter().enumerate() {
            let label = say!("runs-count", count = *runs);
            if pill(ui, view.runs == index, &label).clicked() {
                view.runs = index;
            }
        }
        let Some(playing) = &view.playing else { return };
        let (source, text) = (playing.source.clone(), (!is_busy).then(|| playing.text()));
        if is_busy && small_button(ui, say!("stop")).clicked() {
            playing.stop();
        }
        if let Some(text) = text {
            if small_button(ui, say!("run-again")).clicked() {
                view.play(ui.ctx(), source);
            }
            if small_button(ui, say!("copy-result")).clicked() {
                acts.push(Act::Copy(text));
            }
        }
    });
    let Some(path) = &mut view.path else { return };
    let typed = field(ui, say!("script-path"), path, "/home/…/busy.ron");
    let is_entered = entered_in(ui, &typed);
    if is_entered && !path.trim().is_empty() {
        let path = PathBuf::from(path.trim());
        view.open(ui.ctx(), path);
    }
}

/// The scripts of the documentation; returns the one that was chosen.
fn examples_ui(ui: &mut Ui) -> Option<(&'static str, &'static str)> {
    let mut chosen = None;
    let list = ComboBox::from_id_salt("example script").selected_text(say!("examples")).width(120.0);
    let list = list.show_ui(ui, |ui| {
        for example in EXAMPLES {
            if ui.selectable_label(false, example.0).clicked() {
                chosen = Some(*example);
            }
        }
    });
    list.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, say!("example-script")));
    chosen
}

fn result_ui(ui: &mut Ui, playing: &Playing, picked: &mut Option<u64>) {
    ui.label(RichText::new(visible(&playing.source.name())).font(theme::strong(14.0)));
    let has_failed = playing.problem.is_some() || playing.runs.iter().any(|(_, run)| !run.has_passed());
    if playing.is_busy() {
        let words = say!("playing-run", number = playing.runs.len() + 1, all = playing.wanted);
        hint(ui, &words);
    } else if !playing.runs.is_empty() {
        let ink = if has_failed { colors(ui).red } else { colors(ui).green };
        ui.label(RichText::new(playing.summary()).font(theme::strong(13.0)).color(ink));
    }
    if let Some(problem) = &playing.problem {
        banner(ui, &visible(problem), colors(ui).red, colors(ui).red_soft);
    }
    // The one that failed first is looked at, unless the user chose another.
    let failed = playing.runs.iter().find(|(_, run)| !run.has_passed());
    let chosen = picked.and_then(|seed| playing.runs.iter().find(|(other, _)| *other == seed));
    let Some((shown, run)) = chosen.or(failed).or_else(|| playing.runs.first()) else { return };
    ui.horizontal_wrapped(|ui| {
        for (seed, run) in &playing.runs {
            let name = seed.to_string();
            let label = if run.has_passed() {
                say!("seed-passed", seed = name)
            } else {
                say!("seed-failed", seed = name)
            };
            if pill(ui, seed == shown, &label).clicked() {
                *picked = Some(*seed);
            }
        }
    });
    run_ui(ui, run);
}

fn run_ui(ui: &mut Ui, run: &Run) {
    hint(ui, &visible(&run.about));
    for check in &run.checks {
        check_ui(ui, check);
    }
    if run.ladders.is_empty() {
        return;
    }
    ui.add_space(6.0);
    ScrollArea::horizontal().id_salt("ladder").show(ui, |ui| {
        let lines = run.ladders.trim_end().lines().take(CHECK_LADDER_LINES_MAX).map(visible);
        let text = lines.collect::<Vec<_>>().join("\n");
        ui.add(Label::new(RichText::new(text).monospace()).extend());
    });
}

/// An expectation: its line in the script, when it was looked at, and what was seen instead if it was not met.
fn check_ui(ui: &mut Ui, check: &Check) {
    let secs = decimal(&format!("{:.3}", check.at.as_secs_f64()));
    let (words, ink) = match check.instead {
        None => (say!("check-passed", line = check.line, secs = secs), colors(ui).green),
        Some(_) => (say!("check-failed", line = check.line, secs = secs), colors(ui).red),
    };
    ui.label(RichText::new(words).font(theme::strong(12.5)).color(ink));
    ui.add(Label::new(visible(&check.expected)).wrap());
    if let Some(instead) = &check.instead {
        let words = say!("seen-instead", what = visible(instead));
        ui.add(Label::new(RichText::new(words).color(ink)).wrap());
    }
}
