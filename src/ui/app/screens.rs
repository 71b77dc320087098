//! A window that was closed on a screen which is gone now is brought back to one that is there: on Linux eframe puts it
//! where it was, wherever that is. And a window that the desktop did not show is shown again.

use std::time::Duration;

use egui::{Pos2, Rect, Vec2, ViewportCommand, pos2, vec2};

/// Moves the window onto a screen if most of it is on none.
pub(super) fn bring_back(ctx: &egui::Context, frame: &eframe::Frame) {
    let Some(window) = frame.winit_window() else { return };
    // Under Wayland a window has no position, and the desktop sees to it.
    let Ok(position) = window.outer_position() else { return };
    let (size, inner) = (window.outer_size(), window.inner_size());
    let rect = |x: i32, y: i32, width: u32, height: u32| {
        Rect::from_min_size(pos2(x as f32, y as f32), vec2(width as f32, height as f32))
    };
    let screens: Vec<Rect> = window
        .available_monitors()
        .map(|screen| {
            let (position, size) = (screen.position(), screen.size());
            rect(position.x, position.y, size.width, size.height)
        })
        .collect();
    let place = rect(position.x, position.y, size.width, size.height);
    let pixels = ctx.pixels_per_point();
    if let Some((top, room)) = fit_on(place, &screens).filter(|_| !window.is_maximized()) {
        let frame = vec2(
            size.width.saturating_sub(inner.width) as f32,
            size.height.saturating_sub(inner.height) as f32,
        );
        ctx.send_viewport_cmd(ViewportCommand::InnerSize((room - frame) / pixels));
        ctx.send_viewport_cmd(ViewportCommand::OuterPosition(top / pixels));
    } else if let Some(top) = place_on(place, &screens) {
        ctx.send_viewport_cmd(ViewportCommand::OuterPosition(top / pixels));
    }
}

/// Where to put a window that is larger than the screen on which it begins, and how large to make it with its frame.
fn fit_on(window: Rect, screens: &[Rect]) -> Option<(Pos2, Vec2)> {
    let screen = screens.iter().find(|screen| screen.contains(window.min))?;
    let size = window.size().min(screen.size());
    (size != window.size()).then(|| (window.min.clamp(screen.min, screen.max - size), size))
}

/// Where to move a window that is not half visible: onto the screen that shows most of it, else the first one.
fn place_on(window: Rect, screens: &[Rect]) -> Option<Pos2> {
    let visible = |screen: &Rect| {
        let part = window.intersect(*screen);
        if part.is_positive() { part.area() } else { 0.0 }
    };
    if screens.iter().map(visible).sum::<f32>() >= window.area() / 2.0 {
        return None;
    }
    let most = screens
        .iter()
        .copied()
        .reduce(|best, next| if visible(&next) > visible(&best) { next } else { best })?;
    let room = (most.size() - window.size()).max(Vec2::ZERO);
    Some(window.min.clamp(most.min, most.min + room))
}

/// How long the desktop has to show the window.
const SHOWN_WAIT_SECS: f64 = 2.0;
/// How often it is asked again.
const SHOWN_AGAIN_MAX: u8 = 2;

/// Sees to it that the window is shown at the start. Under X11 the request is lost if the window manager starts at that
/// moment: the window then stays hidden, and nothing would ever ask again.
#[derive(Debug, Default)]
pub(super) struct Showing {
    /// When it has to be shown, in egui's seconds.
    due: Option<f64>,
    asked: u8,
    is_over: bool,
}

impl Showing {
    /// Shows the window again if it is still hidden a while after its first frame.
    pub(super) fn see_to(&mut self, ctx: &egui::Context, frame: &eframe::Frame) {
        let Some(window) = frame.winit_window().filter(|_| !self.is_over) else { return };
        if self.is_lost(window.is_visible(), ctx.input(|input| input.time)) {
            window.set_visible(false);
            window.set_visible(true);
        }
        if !self.is_over {
            ctx.request_repaint_after(Duration::from_secs_f64(SHOWN_WAIT_SECS / 2.0));
        }
    }

    /// Whether the request to show it counts as lost now; none if the desktop does not say whether it is shown.
    fn is_lost(&mut self, is_visible: Option<bool>, now: f64) -> bool {
        if is_visible != Some(false) || self.asked == SHOWN_AGAIN_MAX {
            self.is_over = true;
            return false;
        }
        if *self.due.get_or_insert(now + SHOWN_WAIT_SECS) > now {
            return false;
        }
        self.asked += 1;
        self.due = Some(now + SHOWN_WAIT_SECS);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_stays_hidden_is_shown_again_and_not_forever() {
        let mut showing = Showing::default();
        let mut lost = |now: f64| showing.is_lost(Some(false), now);
        assert_eq!([0.0, 1.0, 1.9].map(&mut lost), [false; 3]);
        assert_eq!([2.0, 3.0, 4.0, 6.0, 60.0].map(&mut lost), [true, false, true, false, false]);
        assert!(showing.is_over);
        for shown in [Some(true), None] {
            let mut showing = Showing::default();
            assert!(!showing.is_lost(Some(false), 0.0) && !showing.is_lost(shown, 1.0) && showing.is_over);
        }
    }

    #[test]
    fn a_window_that_is_larger_than_its_screen_is_made_to_fit() {
        let screen = [Rect::from_min_size(pos2(0.0, 0.0), vec2(1100.0, 720.0))];
        let framed =
            |x: f32, y: f32, width: f32, height: f32| Rect::from_min_size(pos2(x, y), vec2(width, height));
        for (window, fits) in [
            (framed(0.0, 0.0, 1102.0, 743.0), Some((pos2(0.0, 0.0), vec2(1100.0, 720.0)))),
            (framed(0.0, 10.0, 1000.0, 743.0), Some((pos2(0.0, 0.0), vec2(1000.0, 720.0)))),
            (framed(300.0, 0.0, 1200.0, 600.0), Some((pos2(0.0, 0.0), vec2(1100.0, 600.0)))),
            (framed(300.0, 200.0, 1100.0, 720.0), None),
            (framed(2000.0, 0.0, 1102.0, 743.0), None),
        ] {
            assert_eq!(fit_on(window, &screen), fits, "{window:?}");
        }
    }

    #[test]
    fn a_window_that_is_on_no_screen_is_brought_back() {
        let screen = |x: f32, y: f32| Rect::from_min_size(pos2(x, y), vec2(1920.0, 1080.0));
        let window = |x: f32, y: f32| Rect::from_min_size(pos2(x, y), vec2(1100.0, 720.0));
        let (one, two) = ([screen(0.0, 0.0)], [screen(0.0, 0.0), screen(1920.0, 0.0)]);
        for (place, screens, moved) in [
            (window(100.0, 100.0), &one[..], None),
            (window(2000.0, 100.0), &two[..], None),
            (window(1400.0, 100.0), &two[..], None),
            (window(2000.0, 100.0), &one[..], Some(pos2(820.0, 100.0))),
            (window(-1010.0, 700.0), &one[..], Some(pos2(0.0, 360.0))),
            (window(9000.0, 9000.0), &two[..], Some(pos2(820.0, 360.0))),
            (window(5.0, 5.0), &[], None),
            (Rect::from_min_size(pos2(9e3, 9e3), vec2(4e3, 4e3)), &one[..], Some(pos2(0.0, 0.0))),
        ] {
            assert_eq!(place_on(place, screens), moved, "{place:?}");
        }
    }
}
