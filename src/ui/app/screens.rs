//! A window that was closed on a screen which is gone now is brought back to one that is there. On Linux eframe puts it
//! where it was, wherever that is.

use egui::{Pos2, Rect, ViewportCommand, pos2, vec2};

/// Moves the window onto a screen if most of it is on none.
pub(super) fn bring_back(ctx: &egui::Context, frame: &eframe::Frame) {
    let Some(window) = frame.winit_window() else { return };
    // Under Wayland a window has no position, and the desktop sees to it.
    let Ok(position) = window.outer_position() else { return };
    let size = window.outer_size();
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
    if let Some(place) = place_on(rect(position.x, position.y, size.width, size.height), &screens) {
        let pixels = ctx.pixels_per_point();
        ctx.send_viewport_cmd(ViewportCommand::OuterPosition(place / pixels));
    }
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
    let room = (most.size() - window.size()).max(egui::Vec2::ZERO);
    Some(window.min.clamp(most.min, most.min + room))
}

#[cfg(test)]
mod tests {
    use super::*;

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
