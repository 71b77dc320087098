//! The program without its window: messages arrive, the user is told of them, and what waits is sent, until somebody wants to
//! see it again. The window is really closed meanwhile, as no program can hide one on every desktop.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use egui::{RawInput, ViewportCommand, ViewportId};

use super::desktop::calls::Calls;
use super::{App, Options, Source, Waker};
use crate::time::Clock;

/// Without news, this often everything is looked at anyway.
const LOOK: Duration = Duration::from_secs(60);
/// Requests that wait; any one of them is enough.
const REQUESTS_MAX: usize = 64;

/// Why the program no longer goes on without a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WokenFor {
    /// Somebody wants to see it, with this conversation as [`Options::last_open`] names it.
    Window(Option<String>),
    /// It is to end.
    Quit,
}

/// Goes on without a window until one is wanted.
#[must_use]
pub fn without_window(source: impl Source + 'static, waker: &Waker, options: Options) -> WokenFor {
    let calls = options.calls.clone();
    let given = Options {
        // What others ask for is for the window.
        calls: Calls::default(),
        last_open: None,
        nearby: None,
        host: None,
        demo: None,
        can_stay: false,
        ..options
    };
    let ctx = egui::Context::default();
    let (request, requested) = sync_channel(REQUESTS_MAX);
    ctx.set_request_repaint_callback(move |info| request.try_send(info.delay).unwrap_or_default());
    waker.wake_this(&ctx);
    let mut app = App::new(&ctx, Box::new(source), given);
    let clock = Clock::start();
    let began = clock.now().mono;
    loop {
        let now = clock.now().mono;
        let wants_window = live(&ctx, &mut app, now.saturating_duration_since(began));
        if calls.is_quit() {
            app.close();
            return WokenFor::Quit;
        }
        if wants_window || calls.is_called() || app.needs_window() {
            let open = app.open_now();
            app.rest();
            return WokenFor::Window(Some(open).filter(|open| !open.is_empty()));
        }
        let mut due = now + LOOK;
        // Those that have gathered, then the next one, for as long as nothing is due.
        loop {
            match requested.recv_timeout(clock.until(due)) {
                Ok(delay) => due = due.min(later(clock.now().mono, delay)),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return WokenFor::Quit,
            }
        }
    }
}

fn later(now: Instant, delay: Duration) -> Instant {
    now + delay.min(LOOK)
}

/// What a window does before each frame, without drawing one. True if it would have come to the front.
fn live(ctx: &egui::Context, app: &mut App, time: Duration) -> bool {
    let input = RawInput { focused: false, time: Some(time.as_secs_f64()), ..RawInput::default() };
    let mut output = ctx.run_ui(input, |ui| app.update(ui.ctx()));
    output.textures_delta.clear();
    let commands = output.viewport_output.get(&ViewportId::ROOT).map(|viewport| &viewport.commands);
    commands.is_some_and(|commands| commands.contains(&ViewportCommand::Focus))
}
