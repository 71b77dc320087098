//! The demo in the window: it is started on a thread of its own, takes the place of what the window showed, and gives it
//! back when it is left.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use egui::{Align, Context, Frame, Id, Layout, Panel, RichText, Ui};

use super::App;
use super::hosting::Neighbours;
use crate::demo::{DemoRun, FIRST_MESSAGE};
use crate::injection::FaultBoard;
use crate::model::command::{Command, Notice};
use crate::model::hosting::NearbyBoard;
use crate::model::snapshot::{Person, Settings, Snapshot};
use crate::runtime::engine::{Engine, Wire, WireTap};
use crate::time::Timestamp;
use crate::ui::actions::{Act, DemoAct};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::small_button;
use crate::ui::panels::sign_in::{DemoOffer, Offers};
use crate::ui::text::{self, TextId, say};
use crate::ui::{CommandsFull, Options, Source};

/// What the bar above the demo says.
const WORDS: TextId = TextId("demo-is");

/// The demo, as the window sees it.
#[derive(Default)]
pub(super) struct Trial {
    /// This program; none if the demo is not offered.
    program: Option<PathBuf>,
    /// What the demo's window is given too.
    given: Options,
    /// The thread that starts the demo, until it has.
    starting: Option<Receiver<Result<DemoParts, String>>>,
    /// The window as it was before the demo.
    before: Option<Box<App>>,
    /// The field that had the focus last; a click on a button takes it away.
    focus: Option<Id>,
    /// It ends once the demo is over.
    thread: Option<JoinHandle<()>>,
}

/// A running demo. The engine is dropped by its thread, once the window has let go of this.
struct DemoParts {
    engine: Arc<Mutex<Engine>>,
    faults: FaultBoard,
    people: Vec<Person>,
    end: SyncSender<()>,
}

impl Trial {
    pub(super) fn of(options: &Options) -> Self {
        let given = Options {
            zone: options.zone.clone(),
            notifications: options.notifications,
            opener: options.opener.clone(),
            chooser: options.chooser.clone(),
            calls: options.calls.clone(),
            ..Options::default()
        };
        Self { program: options.demo.clone(), given, ..Self::default() }
    }

    /// The window shows the demo in place of the user's own account.
    pub(super) const fn is_on(&self) -> bool {
        self.before.is_some()
    }

    pub(super) fn offers(&self, neighbours: &Neighbours, file: bool) -> Offers {
        let state = if self.starting.is_some() { DemoOffer::Starting } else { DemoOffer::Ready };
        let nearby = neighbours.nearby.as_ref().map(NearbyBoard::found).unwrap_or_default();
        Offers { demo: self.program.as_ref().map(|_| state), can_host: neighbours.can_host(), nearby, file }
    }
}

impl App {
    pub(super) fn demo(&mut self, ctx: &Context, act: DemoAct) {
        match act {
            DemoAct::Try => self.start_demo(ctx),
            DemoAct::Leave => self.leave_demo(ctx),
        }
    }

    fn start_demo(&mut self, ctx: &Context) {
        let Some(program) = self.trial.program.clone().filter(|_| self.trial.starting.is_none()) else {
            return;
        };
        let (ready, started) = sync_channel(1);
        let wake = ctx.clone();
        let work = move || live(&program, &wake, &ready);
        match text::spawn("demo", work) {
            Ok(thread) => {
                (self.trial.starting, self.trial.thread) = (Some(started), Some(thread));
            }
            Err(error) => self.shell.toasts.push(say!("demo-cannot-start", why = error)),
        }
    }

    /// Shows the demo once it has started.
    pub(super) fn take_demo(&mut self, ctx: &Context) {
        if !self.trial.is_on() && ctx.text_edit_focused() {
            self.trial.focus = ctx.memory(egui::Memory::focused);
        }
        let Some(starting) = &self.trial.starting else { return };
        let started = match starting.try_recv() {
            Ok(started) => started,
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => Err(say!("internal-error").to_owned()),
        };
        self.trial.starting = None;
        match started {
            Ok(stage) => self.enter_demo(ctx, stage),
            Err(why) => self.shell.toasts.push(say!("demo-cannot-start", why = why)),
        }
    }

    fn enter_demo(&mut self, ctx: &Context, stage: DemoParts) {
        let DemoParts { engine, faults, people, end } = stage;
        let options = Options {
            ready: Some((people, FIRST_MESSAGE.to_owned())),
            faults: Some(faults),
            ..self.trial.given.clone()
        };
        let source = DemoSource { engine, _end: end };
        let before = std::mem::replace(self, Self::new(ctx, Box::new(source), options));
        self.take_appearance(&before.snapshot.settings);
        self.trial.before = Some(Box::new(before));
    }

    /// The window is as it was before the demo.
    fn leave_demo(&mut self, ctx: &Context) {
        if let Some(before) = self.trial.before.take() {
            // The thread ends the demo when its window is gone.
            let demo = std::mem::replace(self, *before);
            self.take_appearance(&demo.snapshot.settings);
            drop(demo);
            self.title.clear();
            if let Some(focus) = self.trial.focus.take() {
                ctx.memory_mut(|memory| memory.request_focus(focus));
            }
            ctx.request_repaint();
        }
    }

    /// Looks, and speaks, as it did a moment ago: the user has not chosen otherwise.
    fn take_appearance(&mut self, other: &Settings) {
        let own = &self.snapshot.settings;
        let Settings { theme, scale, language, hours, first_day, .. } = *other;
        let settings = Settings { theme, scale, language, hours, first_day, ..own.clone() };
        if settings != *own {
            self.ask(Command::PutSettings(settings));
        }
    }

    /// The window that is kept for the next start: not that of the demo.
    pub(super) fn own(&self) -> &Self {
        self.trial.before.as_deref().unwrap_or(self)
    }

    /// The program ends: waits until the demo has cleaned up.
    pub(super) fn end_demo(&mut self) {
        if let Some(mut before) = self.trial.before.take() {
            before.close();
            drop(std::mem::replace(self, *before));
        }
        self.trial.starting = None;
        if let Some(thread) = self.trial.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the demo ended by a panic");
        }
    }
}

/// The engine of the demo. Fields drop in order: the thread then has the last hold on the engine, and ends it.
struct DemoSource {
    engine: Arc<Mutex<Engine>>,
    _end: SyncSender<()>,
}

impl Source for DemoSource {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.engine.snapshot()
    }

    fn notices(&self) -> Vec<Notice> {
        self.engine.notices()
    }

    fn send(&self, command: Command) -> Result<(), CommandsFull> {
        self.engine.send(command)
    }

    fn now(&self) -> Timestamp {
        self.engine.now()
    }

    fn wire(&self) -> Option<Wire> {
        self.engine.wire()
    }

    fn has_ended(&self) -> bool {
        self.engine.has_ended()
    }

    fn start_again(&mut self) -> Result<(), String> {
        self.engine.start_again()
    }
}

/// Starts the demo, and ends it once the window has let go of it.
fn live(program: &Path, ctx: &Context, ready: &SyncSender<Result<DemoParts, String>>) {
    let wake = ctx.clone();
    let wake = move || wake.request_repaint_after(Duration::from_millis(1));
    let wire = WireTap::waking(Arc::new(wake.clone()));
    let started = DemoRun::set(program, Some(wire.clone()), &[]).map_err(|error| error.to_string());
    let started = started.and_then(|run| {
        let engine = run.engine(wire, Box::new(wake)).map_err(|error| error.to_string())?;
        Ok((run, Arc::new(Mutex::new(engine))))
    });
    let (run, engine) = match started {
        Ok(started) => started,
        Err(why) => {
            ready.send(Err(why)).unwrap_or_default();
            return ctx.request_repaint();
        }
    };
    let (end, ended) = sync_channel(1);
    let stage = DemoParts { engine: Arc::clone(&engine), faults: run.faults(), people: run.everybody(), end };
    // If nobody waits for it any more, the stage is dropped here, and so is what it was to end by.
    ready.send(Ok(stage)).unwrap_or_default();
    ctx.request_repaint();
    ended.recv().unwrap_or_default();
    drop(engine);
    drop(run);
}

/// The bar above the demo; drawn before the columns.
pub(super) fn demo_ui(ui: &mut Ui, acts: &mut Vec<Act>) {
    let frame = Frame::NONE.fill(colors(ui).side).inner_margin(egui::Margin::symmetric(16, 8));
    Panel::top("demo").frame(frame).resizable(false).show_separator_line(true).show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if small_button(ui, say!("leave-demo")).clicked() {
                acts.push(Act::Demo(DemoAct::Leave));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(RichText::new(WORDS.say()).font(theme::strong(13.0))).wrap());
            });
        });
    });
}
