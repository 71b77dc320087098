//! What counts as read: a conversation whose end was in view, and before that what came to rest in view. And the title, which
//! says how much is not.

use std::time::Duration;

use egui::ViewportCommand;

use super::App;
use crate::model::command::{AgentCommand, Command};
use crate::model::journal::{ConversationId, MessageId};
use crate::ui::desktop::tray::Waiting;

/// What is scrolled past faster than this was not read.
const REST_SECS: f64 = 0.5;

/// What was reported to the engine as seen.
#[derive(Debug, Default)]
pub(super) struct SeenSoFar {
    /// The end of a conversation of this length.
    end: Option<(ConversationId, usize)>,
    /// A message in the middle, since when it is the lowest in view, and whether it was reported.
    middle: Option<(MessageId, f64, bool)>,
}

impl App {
    /// `Fanfare (3)` while three messages are unread.
    pub(super) fn show_title(&mut self, ctx: &egui::Context) {
        let heard =
            self.snapshot.conversations.iter().filter(|head| !self.shell.left.marks.get(head.id).muted);
        let unread: u32 = heard.map(|head| head.unread).sum();
        if let Some(tray) = &self.closing.tray {
            let failed = self.snapshot.conversations.iter().filter(|head| head.failed_unseen > 0).count();
            tray.tell(Waiting { unread, failed: u32::try_from(failed).unwrap_or(u32::MAX) });
        }
        let title = if unread == 0 { "Fanfare".to_owned() } else { format!("Fanfare ({unread})") };
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// Reports what has been seen of the open conversation.
    pub(super) fn tell_seen(&mut self, ctx: &egui::Context) {
        let Some(thread) = self.shell.thread(&self.snapshot) else {
            return;
        };
        let conversation = thread.conversation;
        let Some(head) = self.snapshot.conversations.iter().find(|head| head.id == conversation) else {
            return;
        };
        if head.unread == 0 && head.failed_unseen == 0 {
            self.seen = SeenSoFar::default();
            return;
        }
        if !ctx.input(|input| input.focused) {
            return;
        }
        let state = (conversation, thread.outline.len());
        if !self.shell.thread.at_bottom {
            let unread = head.unread;
            return self.tell_seen_so_far(ctx, conversation, unread);
        }
        if self.seen.end != Some(state) {
            let told = self.source.send(Command::Agent(AgentCommand::Seen { conversation }));
            self.seen.end = told.ok().map(|()| state);
        }
    }

    /// The end is not in view: reports the lowest message in view once it has rested there.
    fn tell_seen_so_far(&mut self, ctx: &egui::Context, conversation: ConversationId, unread: u32) {
        let Some((message, left)) = self.shell.thread.seen_up_to().filter(|(_, left)| *left < unread) else {
            return;
        };
        let now = ctx.input(|input| input.time);
        match self.seen.middle {
            Some((known, _, true)) if known == message => {}
            Some((known, since, false)) if known == message => {
                if now - since >= REST_SECS {
                    let seen = AgentCommand::SeenUpTo { conversation, message, unread: left };
                    let told = self.source.send(Command::Agent(seen)).is_ok();
                    self.seen.middle = Some((message, since, told));
                } else {
                    ctx.request_repaint_after(Duration::from_secs_f64(since + REST_SECS - now + 0.01));
                }
            }
            Some(_) | None => {
                self.seen.middle = Some((message, now, false));
                ctx.request_repaint_after(Duration::from_secs_f64(REST_SECS + 0.01));
            }
        }
    }
}
