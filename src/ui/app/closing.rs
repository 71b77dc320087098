//! What closing the window does: it ends the program, or leaves it running without a window.

use egui::ViewportCommand;

use super::App;
use crate::model::command::Command;
use crate::model::snapshot::Settings;
use crate::ui::Options;
use crate::ui::actions::ClosingAct;
use crate::ui::desktop::login::Login;
use crate::ui::desktop::tray::Tray;
use crate::ui::panels::dialogs::{Dialog, OpenDialog};
use crate::ui::panels::starting::{Starting, WayBack};
use crate::ui::text::say;

/// What the window was given for it.
#[derive(Debug, Default)]
pub(super) struct Closing {
    can_stay: bool,
    login: Option<Login>,
    pub(super) tray: Option<Tray>,
}

impl Closing {
    pub(super) fn of(options: &Options) -> Self {
        Self { can_stay: options.can_stay, login: options.login.clone(), tray: options.tray.clone() }
    }

    fn way_back(&self) -> WayBack {
        if self.tray.as_ref().is_some_and(Tray::is_shown) { WayBack::Tray } else { WayBack::Start }
    }

    /// What the settings show of it; none if nothing is offered.
    pub(super) fn starting(&self) -> Option<Starting> {
        let way_back = self.way_back();
        self.can_stay.then(|| Starting { at_login: self.login.as_ref().map(Login::is_on), way_back })
    }
}

impl App {
    /// Whether the program goes on without this window.
    pub(super) fn stays(&self) -> bool {
        self.closing.can_stay && self.calls.is_staying()
    }

    /// There is something that only a window can show.
    pub(in crate::ui) fn needs_window(&self) -> bool {
        self.shell.sign_in.is_some() || self.source.has_ended()
    }

    pub(super) fn quit(&mut self, ctx: &egui::Context) {
        if self.snapshot.unsent > 0 && !self.leaving {
            self.shell.show(Dialog::Leaving { waiting: self.snapshot.unsent });
        } else {
            self.leave(ctx);
        }
    }

    /// Handles a close request from the window's own button or the desktop.
    pub(super) fn heed_close(&mut self, ctx: &egui::Context) {
        if self.leaving || !ctx.input(|input| input.viewport().close_requested()) {
            return;
        }
        let can_stay = self.closing.can_stay && !self.needs_window();
        match self.snapshot.settings.background {
            Some(true) if can_stay => self.calls.stay(),
            None if can_stay => {
                ctx.send_viewport_cmd(ViewportCommand::CancelClose);
                self.shell.show(Dialog::Background(self.closing.way_back()));
            }
            // With the same question as the shortcut.
            Some(_) | None if self.snapshot.unsent > 0 => {
                ctx.send_viewport_cmd(ViewportCommand::CancelClose);
                self.quit(ctx);
            }
            Some(_) | None => {}
        }
    }

    /// Closes the window without asking.
    pub(super) fn leave(&mut self, ctx: &egui::Context) {
        self.leaving = true;
        ctx.send_viewport_cmd(ViewportCommand::Close);
    }

    pub(super) fn closing(&mut self, ctx: &egui::Context, act: ClosingAct) {
        match act {
            ClosingAct::Keep(keeps) => {
                self.ask(Command::PutSettings(Settings {
                    background: Some(keeps),
                    ..self.snapshot.settings.clone()
                }));
            }
            ClosingAct::Close { keeps } => {
                self.closing(ctx, ClosingAct::Keep(keeps));
                if keeps {
                    self.calls.stay();
                    self.leave(ctx);
                } else {
                    self.quit(ctx);
                }
            }
            ClosingAct::StartAtLogin(is_on) => {
                let Some(login) = &self.closing.login else { return };
                if let Err(error) = login.set(is_on) {
                    self.shell.toasts.push(say!("cannot-change", why = error));
                }
                let starting = self.closing.starting();
                if let Some(form) = self.shell.dialog.as_mut().and_then(OpenDialog::settings_form) {
                    form.starting = starting;
                }
            }
        }
    }
}
