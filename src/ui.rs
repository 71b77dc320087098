//! The window: draws what a [`Source`] shows, and asks it for what a person wants.
//!
//! A view is a function of plain data that pushes wishes ([`Act`](actions::Act)); only text being typed, choices and
//! scroll positions live here. Colors are in `theme` alone.
//!
//! **Invariant:** the window never waits: it reads an immutable snapshot and gives commands. It repaints when the
//! source wakes it, when the person does something, and otherwise not at all.
//!
//! The parts stand in this order, and each uses only those listed after it.

mod app;

mod panels;

mod sidebar;

mod compose;

mod thread;

pub mod desktop;

mod keys;

mod actions;

mod kit;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use eframe::egui;

use crate::model::command::{Command, Notice};
use crate::model::snapshot::{Person, Snapshot};
use crate::runtime::engine::Engine;
use crate::time::Timestamp;

pub use app::App;

/// What the window shows and asks: the engine, or a fake one in tests.
pub trait Source {
    /// The newest picture of everything; cheap.
    fn snapshot(&self) -> Arc<Snapshot>;
    /// What happened since the last call.
    fn notices(&self) -> Vec<Notice>;
    /// Asks for something.
    ///
    /// # Errors
    /// Too much waits already; nothing was taken, and the window keeps the text.
    fn send(&self, command: Command) -> Result<(), CommandsFull>;
    /// The calendar's present.
    fn now(&self) -> Timestamp;
    /// True when what stands behind the window has ended by a fault of its own: nothing is sent or received.
    fn has_ended(&self) -> bool {
        false
    }
    /// Starts it anew.
    ///
    /// # Errors
    /// Why it cannot be, in a sentence.
    fn start_again(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// More commands wait than are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandsFull;

/// How the window starts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A message that stands ready in the composer: to whom, and its text.
    pub ready: Option<(Vec<Person>, String)>,
    /// Sends the message that stands ready by itself.
    pub send_ready: bool,
    /// Saves a picture of the window here once the first reports are in, and ends.
    pub screenshot: Option<PathBuf>,
    /// The time zone of what is shown; the system's where none is given.
    pub zone: Option<jiff::tz::TimeZone>,
    /// Raises desktop notifications.
    pub notifications: bool,
    /// The file that keeps the size and place of the window; none for a file of eframe's choice.
    pub state: Option<PathBuf>,
}

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no screen, or no OpenGL on it.
    #[error("cannot open a window: {0}")]
    Window(String),
}

/// Wakes the window from any thread; before there is one, it does nothing.
#[derive(Clone, Debug, Default)]
pub struct Waker(Arc<OnceLock<egui::Context>>);

impl Waker {
    /// Lets the window look at its source again.
    pub fn wake(&self) {
        if let Some(ctx) = self.0.get() {
            // Of a request without a delay egui makes two frames.
            ctx.request_repaint_after(Duration::from_millis(1));
        }
    }
}

/// Opens the window and stays until it is closed. The source calls `waker` when it has something new.
///
/// # Errors
/// There is no screen to draw on.
pub fn run(source: impl Source + 'static, waker: &Waker, options: Options) -> Result<(), Error> {
    let native = native_options(&options);
    let slot = Arc::clone(&waker.0);
    eframe::run_native(
        "fanfare",
        native,
        Box::new(move |creation| {
            let ctx = slot.get_or_init(|| creation.egui_ctx.clone());
            Ok(Box::new(App::new(ctx, Box::new(source), options)))
        }),
    )
    .map_err(|error| Error::Window(error.to_string()))
}

fn native_options(options: &Options) -> eframe::NativeOptions {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Fanfare")
        .with_app_id("fanfare")
        .with_icon(icon())
        .with_inner_size([1100.0, 720.0])
        .with_min_inner_size([640.0, 420.0]);
    // Said even where another renderer is compiled in, as the tests do: glow starts sooner and needs less.
    eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Glow,
        persistence_path: options.state.clone(),
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
    use super::*;

    #[test]
    fn the_size_of_the_window_is_kept_where_it_is_told() {
        let state = Some(PathBuf::from("/data/window.ron"));
        let options = Options { state: state.clone(), ..Options::default() };
        assert_eq!(native_options(&options).persistence_path, state);
    }
}
