//! Typing while no field has the focus: it goes into the message that is being written.

use egui::text_edit::TextEditState;
use egui::{Context, Event};

use super::App;
use super::shell::MiddleView;
use crate::model::command::{AgentCommand, Command};
use crate::model::journal::ConversationId;
use crate::ui::sidebar::conversations::Tab;

/// The engine is told of typing once within this time at most, in seconds.
const SAY_TYPING_EVERY: f64 = 3.0;

impl App {
    /// The text of a message was changed: tells the engine, which tells the other person (RFC 3994).
    pub(super) fn typed(&mut self, ctx: &Context, conversation: ConversationId, has_text: bool) {
        let now = ctx.input(|input| input.time);
        let was_told =
            self.said_typing.is_some_and(|(id, at)| id == conversation && now - at < SAY_TYPING_EVERY);
        if has_text && was_told {
            return;
        }
        self.said_typing = has_text.then_some((conversation, now));
        // A busy engine may miss it: nothing depends on it.
        let _busy =
            self.source.send(Command::Agent(AgentCommand::Typing { conversation, has_text })).is_err();
    }

    /// Gives the focus to the message field if a letter was typed, or text pasted, elsewhere than into a field. Called
    /// before the fields are drawn, so that the first letter is not lost.
    pub(super) fn take_typing(&mut self, ctx: &Context) {
        if self.shell.place == MiddleView::Nothing || self.shell.sign_in.is_some() || self.shell.drawer {
            return;
        }
        let focused = ctx.memory(egui::Memory::focused);
        if self.shell.left.tab == Tab::Contacts {
            // There, letters jump to a name.
            return;
        }
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
