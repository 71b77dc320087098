//! Later starts of the program: the window shows itself, and a link is written to.

use egui::{Context, UserAttentionType, ViewportCommand};

use super::App;
use super::shell::MiddleView;
use crate::model::journal::PersonRow;
use crate::model::link::Link;
use crate::sip::Uri;
use crate::ui::text::say;

impl App {
    pub(super) fn take_calls(&mut self, ctx: &Context) {
        if self.calls.is_quit() && !self.leaving {
            self.leave(ctx);
        }
        if self.calls.take_call() {
            ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
            ctx.send_viewport_cmd(ViewportCommand::Focus);
            // Where a desktop lets no program come to the front by itself, it marks it.
            ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(UserAttentionType::Informational));
        }
        if let Some(path) = (!self.trial.is_on()).then(|| self.calls.take_provision()).flatten() {
            self.provision(path);
        }
        // Until there is an account, while something else is being answered, and in the demo, links wait.
        let can_write = self.shell.sign_in.is_none() && self.shell.dialog.is_none() && !self.trial.is_on();
        while let Some(link) = can_write.then(|| self.calls.take_link()).flatten() {
            self.follow(ctx, link);
        }
    }

    /// Opens the conversation with that person, or a new message, and fills in the text where none is written. Nothing is
    /// sent, and nothing that was being written is changed.
    fn follow(&mut self, ctx: &Context, link: Link) {
        let address = Uri::parse(&link.address).map_or(link.address, |uri| uri.to_sip().as_str().to_owned());
        let known = self.snapshot.names.named(&address).map(|known| known.person.clone());
        let is_new = self.conversation_of(std::slice::from_ref(&address), false).is_none();
        let is_free = self.shell.writing.get(&MiddleView::New).is_none_or(|writing| writing.is_empty());
        if is_new && !is_free {
            let why = say!("link-while-writing", address = address);
            self.shell.toasts.push(why);
            return;
        }
        if is_new && known.is_none() {
            // The chip shows the user part, and anybody can call himself ann somewhere.
            self.shell.toasts.push(say!("link-to-stranger", address = address));
        }
        // A search that stands over the window would hide it.
        self.close_find(ctx);
        let unknown = PersonRow { address, name: String::new() };
        let person = known.unwrap_or_else(|| self.snapshot.names.person(&unknown));
        self.write_to(ctx, vec![person]);
        if link.text.is_empty() {
            return;
        }
        let writing = self.shell.writing.entry(self.shell.place).or_default();
        if writing.text.is_empty() {
            writing.text = link.text;
            self.shell.has_new_writing = true;
        } else {
            self.shell.toasts.push(say!("link-text-left-out").to_owned());
        }
    }
}
