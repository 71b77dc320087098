//! The window: draws what a [`Source`] provides, and sends it the user's commands.
//!
//! A view is a function of plain data that pushes actions ([`Act`](actions::Act)); the window itself keeps only text
//! being typed, selections and scroll positions. Colors are defined in `theme` alone.
//!
//! **Invariant:** the window never waits: it reads an immutable snapshot and sends commands. It repaints when the
//! source wakes it or the user does something, and otherwise not at all.
//!
//! The parts are listed in this order, and each uses only those listed after it.

pub mod background;

mod app;

mod start_failed;

mod panels;

mod wire;

mod matrix;

mod checks;

mod find;

mod sidebar;

mod compose;

mod thread;

pub mod desktop;

mod actions;

mod commands;

mod kit;

mod text;

use std::cell::RefCell;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::injection::FaultBoard;
use crate::model::command::{Command, Notice};
use crate::model::hosting::{HostBoard, NearbyBoard};
use crate::model::snapshot::{Person, Snapshot};
use crate::runtime::engine::{Engine, Wire};
use crate::time::Timestamp;

pub use app::App;
pub use start_failed::{Choice, Failure, StartFailed, say_that_it_failed};
pub use text::{Customs, Tongue};

/// What the window reads from and sends commands to: the engine, or a fake one in tests.
pub trait Source {
    /// The latest snapshot; cheap to call.
    fn snapshot(&self) -> Arc<Snapshot>;
    /// Notices that arrived since the last call.
    fn notices(&self) -> Vec<Notice>;
    /// Sends a command.
    ///
    /// # Errors
    /// The queue is full. Nothing was taken, so the window keeps the text.
    fn send(&self, command: Command) -> Result<(), CommandsFull>;
    /// The current time.
    fn now(&self) -> Timestamp;
    /// The messages on the wire, where they can be watched.
    fn wire(&self) -> Option<Wire>;
    /// True if the engine behind the window has ended because of an internal fault: nothing is sent or received.
    fn has_ended(&self) -> bool {
        false
    }
    /// Starts the engine again.
    ///
    /// # Errors
    /// Why it cannot be started, as a sentence.
    fn start_again(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// A source that outlives its window: another window may have it next.
impl<S: Source> Source for Rc<RefCell<S>> {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.borrow().snapshot()
    }

    fn notices(&self) -> Vec<Notice> {
        self.borrow().notices()
    }

    fn send(&self, command: Command) -> Result<(), CommandsFull> {
        self.borrow().send(command)
    }

    fn now(&self) -> Timestamp {
        self.borrow().now()
    }

    fn wire(&self) -> Option<Wire> {
        self.borrow().wire()
    }

    fn has_ended(&self) -> bool {
        self.borrow().has_ended()
    }

    fn start_again(&mut self) -> Result<(), String> {
        self.borrow_mut().start_again()
    }
}

/// A source that a thread shares with the window.
impl<S: Source> Source for Arc<Mutex<S>> {
    fn snapshot(&self) -> Arc<Snapshot> {
        lock(self).snapshot()
    }

    fn notices(&self) -> Vec<Notice> {
        lock(self).notices()
    }

    fn send(&self, command: Command) -> Result<(), CommandsFull> {
        lock(self).send(command)
    }

    fn now(&self) -> Timestamp {
        lock(self).now()
    }

    fn wire(&self) -> Option<Wire> {
        lock(self).wire()
    }

    fn has_ended(&self) -> bool {
        lock(self).has_ended()
    }

    fn start_again(&mut self) -> Result<(), String> {
        lock(self).start_again()
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The command queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandsFull;

/// How the window starts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A message to fill into the composer at the start: its recipients and its text.
    pub ready: Option<(Vec<Person>, String)>,
    /// Sends that message without waiting for the user.
    pub send_ready: bool,
    /// Saves a screenshot here once the first reports are in, and exits.
    pub screenshot: Option<PathBuf>,
    /// The time zone for displayed times; the system's if none is given.
    pub zone: Option<jiff::tz::TimeZone>,
    /// The language of the system, and how times and numbers are written there.
    pub customs: Customs,
    /// The faults of the demo, or of the server that is hosted here, to show and to change them.
    pub faults: Option<FaultBoard>,
    /// Shows desktop notifications.
    pub notifications: bool,
    /// The conversation to open at the start, as the last run has kept it; if there is none any more, nothing.
    pub last_open: Option<String>,
    /// Opens links; if none, the toolkit does, which does not say whether it could.
    pub opener: Option<desktop::browser::Opener>,
    /// Lets the user choose files; if none, a path is asked for.
    pub chooser: Option<desktop::chooser::Chooser>,
    /// Writes conversations into files; if none, there is nothing to export from.
    pub exporter: Option<desktop::exporter::Exporter>,
    /// What later starts of the program ask for.
    pub calls: desktop::calls::Calls,
    /// The program can go on without the window, which tells `calls` that it is to.
    pub can_stay: bool,
    /// The icon in the tray.
    pub tray: Option<desktop::tray::Tray>,
    /// Starts the program when the user logs in; if none, that is not offered.
    pub login: Option<desktop::login::Login>,
    /// The server that this computer can be for its network; if none, that is not offered.
    pub host: Option<HostBoard>,
    /// The servers that others host there; if none, they are not looked for.
    pub nearby: Option<NearbyBoard>,
    /// This program, which the demo needs a second time, for its proxy; if none, the demo is not offered.
    pub demo: Option<PathBuf>,
    /// The file that keeps the window's size and position; if none, eframe chooses one.
    pub state: Option<PathBuf>,
}

/// Why the window could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no display.
    #[error("cannot open a window: {0}")]
    Window(String),
    /// There is one, but it cannot draw as we want.
    #[error("this computer has no OpenGL that a window could be drawn with ({0})")]
    Graphics(String),
}

impl From<eframe::Error> for Error {
    fn from(error: eframe::Error) -> Self {
        let words = if let eframe::Error::NoGlutinConfigs(_, why) = &error {
            // Without the long list of what was asked for.
            why.to_string()
        } else {
            error.to_string()
        };
        if matches!(error, eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_)) {
            // The library puts the place in its own source before what the system said.
            let what = words.rsplit_once(".rs:").and_then(|(_, rest)| rest.split_once(": "));
            let what = what.map_or(words.as_str(), |(_, what)| what);
            Self::Window(what.trim_end_matches('.').to_owned())
        } else {
            Self::Graphics(words)
        }
    }
}

/// Wakes the window from any thread; does nothing until a window exists, and wakes the one opened last.
#[derive(Clone, Default)]
pub struct Waker(Arc<Mutex<Option<egui::Context>>>);

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waker").finish_non_exhaustive()
    }
}

impl Waker {
    /// Makes the window read its source again.
    pub fn wake(&self) {
        let window = self.window().clone();
        if let Some(ctx) = window {
            // A request without a delay makes egui draw two frames instead of one.
            ctx.request_repaint_after(Duration::from_millis(1));
        }
    }

    /// From now on, wakes this window.
    fn wake_this(&self, ctx: &egui::Context) {
        *self.window() = Some(ctx.clone());
    }

    fn window(&self) -> MutexGuard<'_, Option<egui::Context>> {
        lock(&self.0)
    }
}

/// Opens the window and returns when it is closed; a source that is shared (`Rc<RefCell<_>>`) goes on. The source calls `waker` when it has something new.
///
/// # Errors
/// There is no display to draw on.
pub fn run(source: impl Source + 'static, waker: &Waker, options: Options) -> Result<(), Error> {
    let native = native_options(&options);
    let waker = waker.clone();
    eframe::run_native(
        "fanfare",
        native,
        Box::new(move |creation| {
            waker.wake_this(&creation.egui_ctx);
            kit::theme::use_system_fonts(&creation.egui_ctx);
            let last_open = creation.storage.and_then(|storage| storage.get_string(app::LAST_OPEN));
            let options = Options { last_open: options.last_open.clone().or(last_open), ..options };
            Ok(Box::new(App::new(&creation.egui_ctx, Box::new(source), options)))
        }),
    )
    .map_err(Error::from)
}

fn native_options(options: &Options) -> eframe::NativeOptions {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Fanfare")
        .with_app_id("fanfare")
        .with_icon(icon())
        .with_inner_size([1100.0, 720.0])
        .with_min_inner_size([640.0, 420.0]);
    // Set explicitly because the tests compile in another renderer too: glow starts faster and needs less.
    eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Glow,
        persistence_path: options.state.clone(),
        // Its provider panics where there is no font at all; ours does not.
        system_font_fallback: false,
        ..Default::default()
    }
}

impl Source for Engine {
    fn snapshot(&self) -> Arc<Snapshot> {
        Self::snapshot(self)
    }

    fn notices(&self) -> Vec<Notice> {
        Self::notices(self)
    }

    fn send(&self, command: Command) -> Result<(), CommandsFull> {
        Self::send(self, command).map_err(|_command| CommandsFull)
    }

    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn wire(&self) -> Option<Wire> {
        Some(Self::wire(self))
    }

    fn has_ended(&self) -> bool {
        Self::has_ended(self)
    }

    fn start_again(&mut self) -> Result<(), String> {
        Self::start_again(self).map_err(|error| error.to_string())
    }
}

fn icon() -> egui::IconData {
    match image::load_from_memory_with_format(include_bytes!("../assets/icon.png"), image::ImageFormat::Png) {
        Ok(picture) => {
            let picture = picture.into_rgba8();
            egui::IconData { width: picture.width(), height: picture.height(), rgba: picture.into_raw() }
        }
        Err(_broken) => egui::IconData::default(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// An engine that keeps what it is told.
    #[derive(Default)]
    struct Kept(RefCell<Vec<Command>>);

    impl Source for Kept {
        fn snapshot(&self) -> Arc<Snapshot> {
            Arc::default()
        }

        fn notices(&self) -> Vec<Notice> {
            Vec::new()
        }

        fn send(&self, command: Command) -> Result<(), CommandsFull> {
            self.0.borrow_mut().push(command);
            Ok(())
        }

        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }

        fn wire(&self) -> Option<Wire> {
            None
        }
    }

    #[test]
    fn an_engine_outlives_its_window_and_the_next_one_has_it_again() {
        let engine = Rc::new(RefCell::new(Kept::default()));
        let waker = Waker::default();
        waker.wake();
        let woken = [(); 2].map(|()| {
            let ctx = egui::Context::default();
            let times = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&times);
            ctx.set_request_repaint_callback(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
            });
            let window = App::new(&ctx, Box::new(Rc::clone(&engine)), Options::default());
            // What is installed at the start asks for frames of its own.
            for _ in 0..3 {
                ctx.run_ui(egui::RawInput::default(), |_| {}).textures_delta.clear();
            }
            times.store(0, Ordering::Relaxed);
            waker.wake_this(&ctx);
            waker.wake();
            engine.send(Command::Close).unwrap();
            drop(window);
            times
        });
        waker.wake();
        let woken = woken.map(|times| times.load(Ordering::Relaxed));
        assert_eq!(woken[0], 1, "the first window is woken no more");
        assert!(woken[1] >= 1);
        assert_eq!(Rc::strong_count(&engine), 1);
        assert_eq!(engine.borrow().0.borrow().iter().filter(|it| matches!(it, Command::Close)).count(), 2);
    }

    #[test]
    fn the_size_of_the_window_is_kept_where_it_is_told() {
        let state = Some(PathBuf::from("/data/window.ron"));
        let options = Options { state: state.clone(), ..Options::default() };
        assert_eq!(native_options(&options).persistence_path, state);
    }
}
