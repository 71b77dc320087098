//! Typing while no field has the focus: it goes into the message that is being written.

use egui::text_edit::TextEditState;
use egui::{Context, Event};

use super::App;
use super::shell::MiddleView;

impl App {
    /// Gives the focus to the message field if a letter was typed, or text pasted, elsewhere than into a field. Called
    /// before the fields are drawn, so that the first letter is not lost.
    pub(super) fn take_typing(&mut self, ctx: &Context) {
        if self.shell.place == MiddleView::Nothing || self.shell.sign_in.is_some() || self.shell.drawer {
            return;
        }
        let focused = ctx.memory(egui::Memory::focused);
        if focused.is_some_and(|id| TextEditState::load(ctx, id).is_some()) || egui::Popup::is_any_open(ctx) {
            return;
        }
        let is_typing = ctx.input(|input| {
            input.events.iter().any(|event| {
                if let Event::Text(text) = event {
                    // A blank presses the button that has the focus.
                    focused.is_none() || !text.trim().is_empty()
                } else {
                    matches!(event, Event::Paste(_))
                }
            })
        });
        if is_typing {
            self.focus_composer(ctx);
        }
    }
}
