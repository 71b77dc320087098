//! Plays a script on a thread of its own, once for each seed, by the same engine as `fanfare check --virtual-time`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use crate::check::{Run, play_in_virtual_time, read_script};
use crate::limits::{CHECK_LADDERS_MAX, CHECK_RUNS_MAX, SCRIPT_BYTES_MAX};
use crate::ui::text::{self, say};

/// Where a script comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ScriptSource {
    /// A file; it is read anew for each play.
    File(PathBuf),
    /// A script of the documentation: its name and its text.
    Example(&'static str, &'static str),
}

impl ScriptSource {
    /// What it is called.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Self::Example(name, _) => (*name).to_owned(),
        }
    }

    fn read(&self) -> Result<String, String> {
        match self {
            Self::File(path) => {
                read_file(path).map_err(|why| say!("file-cannot-be-read", file = path.display(), why = why))
            }
            Self::Example(_, text) => Ok((*text).to_owned()),
        }
    }
}

/// One byte more than a script may have, so that one that is too long is found to be.
fn read_file(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(SCRIPT_BYTES_MAX as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// What the thread tells. There is at most one for each run.
enum Told {
    /// What came of the run with this seed.
    Run(u64, Box<Run>),
    /// The script is wrong or cannot be played: a sentence.
    Wrong(String),
}

/// A script that is being played, or was.
#[derive(Debug)]
pub(super) struct Playing {
    /// Where the script comes from.
    pub(super) source: ScriptSource,
    /// How many runs were asked for.
    pub(super) wanted: usize,
    /// What came of each run, by its seed.
    pub(super) runs: Vec<(u64, Run)>,
    /// Why there are no more.
    pub(super) problem: Option<String>,
    works: Option<Receiver<Told>>,
    is_stopped: Arc<AtomicBool>,
}

impl Playing {
    /// Begins to play the script with the seeds from 1 on. Wakes the window of `ctx` after each run.
    pub(super) fn begin(ctx: &egui::Context, source: ScriptSource, wanted: usize) -> Self {
        let wanted = wanted.min(CHECK_RUNS_MAX);
        let (tell, told) = sync_channel(CHECK_RUNS_MAX + 1);
        let is_stopped = Arc::new(AtomicBool::new(false));
        let (ctx, script, stopped) = (ctx.clone(), source.clone(), Arc::clone(&is_stopped));
        let work = move || {
            play(&script, wanted, &stopped, |one| {
                // If nobody wants it any more, the next run is not begun.
                let is_wanted = tell.send(one).is_ok();
                ctx.request_repaint_after(Duration::from_millis(1));
                is_wanted
            });
            end(tell, &ctx);
        };
        let thread = text::spawn("check", work);
        let problem = thread.as_ref().err().map(|why| say!("script-cannot-play", why = why));
        let works = thread.is_ok().then_some(told);
        Self { source, wanted, runs: Vec::new(), problem, works, is_stopped }
    }

    /// True while runs are to come.
    pub(super) const fn is_busy(&self) -> bool {
        self.works.is_some()
    }

    /// Begins no further run.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Takes in what is new.
    pub(super) fn take(&mut self) {
        while let Some(works) = &self.works {
            match works.try_recv() {
                Ok(Told::Run(seed, run)) => self.runs.push((seed, *run)),
                Ok(Told::Wrong(why)) => self.problem = Some(why),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.works = None;
                    let all = self.runs.len() == self.wanted || self.is_stopped.load(Ordering::Relaxed);
                    if !all && self.problem.is_none() {
                        self.problem = Some(say!("run-ended-by-fault").to_owned());
                    }
                }
            }
        }
    }

    /// The result as text: a line for each expectation in each run, and the ladders of those that failed.
    pub(super) fn text(&self) -> String {
        let name = self.source.name();
        let runs =
            self.runs.iter().map(|(seed, run)| run.text(&say!("run-name", name = name, seed = seed), false));
        let all: Vec<_> = runs.chain(self.problem.clone()).chain([self.summary()]).collect();
        all.join("\n") + "\n"
    }

    /// How many runs passed.
    pub(super) fn summary(&self) -> String {
        let passed = self.runs.iter().filter(|(_, run)| run.has_passed()).count();
        let left = self.wanted.saturating_sub(self.runs.len());
        let mut words = say!("runs-passed", passed = passed, all = self.runs.len());
        if left > 0 {
            words.push_str(", ");
            words.push_str(&say!("runs-not-played", count = left));
        }
        words
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Once the window can no longer be told anything, it is woken to see that.
fn end(tell: SyncSender<Told>, ctx: &egui::Context) {
    drop(tell);
    ctx.request_repaint_after(Duration::from_millis(1));
}

fn play(source: &ScriptSource, wanted: usize, stopped: &AtomicBool, tell: impl Fn(Told) -> bool) {
    let read = source.read().and_then(|text| {
        read_script(&text).map_err(|wrong| {
            say!(
                "script-wrong",
                name = source.name(),
                line = wrong.line,
                column = wrong.column,
                what = wrong.what
            )
        })
    });
    let script = match read {
        Ok(script) => script,
        Err(why) => {
            tell(Told::Wrong(why));
            return;
        }
    };
    let mut ladders = 0;
    for seed in (1_u64..).take(wanted) {
        if stopped.load(Ordering::Relaxed) {
            return;
        }
        let mut run = match play_in_virtual_time(&script, seed) {
            Ok(run) => run,
            Err(why) => {
                tell(Told::Wrong(format!("{}: {why}.", source.name())));
                return;
            }
        };
        // The first run shows how it goes, those that fail show why.
        if seed != 1 && (run.has_passed() || ladders >= CHECK_LADDERS_MAX) {
            run.ladders = String::new();
        } else {
            ladders += 1;
        }
        if !tell(Told::Run(seed, Box::new(run))) {
            return;
        }
    }
}
