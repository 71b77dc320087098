//! The server that this computer is for its network, and the servers that are found there.

use super::App;
use crate::model::account::{Account, Password, SignIn, TrustedCertificate};
use crate::model::command::{AgentCommand, Command};
use crate::model::hosting::{HandedOut, HostBoard, HostOrder, HostView, NearbyBoard};
use crate::model::snapshot::Settings;
use crate::runtime::engine::{Legs, Wire};
use crate::sip::Uri;
use crate::ui::Options;
use crate::ui::actions::HostAct;
use crate::ui::panels::dialogs::{Dialog, OpenDialog};
use crate::ui::panels::hosting::HostForm;
use crate::ui::panels::sign_in::SignInForm;
use crate::ui::panels::typed::EXPIRES_DEFAULT_SECS;
use crate::ui::text::say;

/// The boards of both; none where the window was not given one.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    host: Option<HostBoard>,
    pub(super) nearby: Option<NearbyBoard>,
    /// Others are being looked for.
    is_looking: bool,
    /// The address of the account whose messages the hosted server is to show.
    watched: Option<String>,
}

impl Neighbours {
    pub(super) fn of(options: &Options) -> Self {
        Self { host: options.host.clone(), nearby: options.nearby.clone(), ..Self::default() }
    }

    pub(super) const fn can_host(&self) -> bool {
        self.host.is_some()
    }

    /// True if this computer is to be a server now.
    pub(super) fn hosts(&self) -> bool {
        self.host.as_ref().is_some_and(HostBoard::is_on)
    }

    /// The same messages; says if the hosted server adds to them.
    pub(super) fn with_own_legs(&self, wire: Wire) -> Wire {
        let adds = self.watched.is_some() && wire.legs == Legs::Unseen;
        Wire { legs: if adds { Legs::Own } else { wire.legs }, ..wire }
    }
}

impl App {
    pub(super) fn host(&mut self, act: HostAct) {
        let Some(board) = self.neighbours.host.clone() else {
            return self.shell.toasts.push(say!("leave-demo-first").to_owned());
        };
        match act {
            HostAct::Show => {
                let form = HostForm::of(board.view());
                self.shell.show(Dialog::Hosting(Box::new(form)));
            }
            HostAct::Ask(order) => {
                // Whoever hosts a server sees what passes, and can cause its faults.
                if matches!(order, HostOrder::Start { .. }) {
                    let settings = self.snapshot.settings.clone();
                    self.ask(Command::PutSettings(Settings { testing: true, ..settings }));
                }
                board.ask(order);
            }
        }
    }

    /// Takes what is new of the hosted server, and looks for others as long as somebody wants to sign in.
    pub(super) fn take_neighbours(&mut self) {
        let wants = self.shell.sign_in.is_some() && !self.leaving;
        if let Some(nearby) = &self.neighbours.nearby
            && self.neighbours.is_looking != wants
        {
            self.neighbours.is_looking = wants;
            nearby.look(wants);
        }
        let Some(board) = self.neighbours.host.clone() else { return };
        self.watch_own_legs(&board);
        let dialog = self.shell.dialog.as_mut();
        if let Some(view) = dialog.and_then(OpenDialog::host_view) {
            *view = board.view();
        }
        self.add_newcomers(&board);
        // Whoever hosts a server from the first screen wants to use it.
        if self.shell.sign_in.is_some()
            && let Some(own) = board.take_own()
        {
            let account = account(own);
            self.shell.sign_in = Some(SignInForm::trying(&account, self.snapshot.account.clone()));
            self.ask(Command::PutAccount(account));
            self.ask(Command::Agent(AgentCommand::Connect));
        }
    }

    /// Whoever hosts a server wants to write to those who were given an account there.
    fn add_newcomers(&mut self, board: &HostBoard) {
        for contact in board.take_newcomers() {
            let account = self.snapshot.account.as_ref();
            let is_reached = account.is_some_and(|account| board.is_at(&account.proxy));
            if is_reached && self.snapshot.book.find(&contact.address).is_none() {
                self.ask(Command::PutContact(contact));
            }
        }
    }

    /// What is hosted here; nothing where the window hosts none.
    pub(super) fn hosted(&self) -> HostView {
        self.neighbours.host.as_ref().map(HostBoard::view).unwrap_or_default()
    }

    /// Where the account's server is hosted here, that refuses the blocked person too, so that nothing waits there.
    pub(super) fn block_at_own_server(&self, sender: &str, is_blocked: bool) {
        let (Some(board), Some(account)) = (&self.neighbours.host, &self.snapshot.account) else { return };
        let aor = |address: &str| Uri::typed(address).ok().map(|uri| uri.aor().to_string());
        if board.is_at(&account.proxy)
            && let (Some(user), Some(sender)) = (aor(&account.address), aor(sender))
        {
            board.ask(HostOrder::Block { user, sender, is_blocked });
        }
    }

    /// In testing mode a server that is hosted here shows what it passes on for the account, if that is one of its own.
    fn watch_own_legs(&mut self, board: &HostBoard) {
        let is_own = |account: &&Account| self.snapshot.settings.testing && board.is_at(&account.proxy);
        let address = self.snapshot.account.as_deref().filter(is_own).map(|account| &account.address);
        if address != self.neighbours.watched.as_ref() {
            self.neighbours.watched = address.cloned();
            let whose = address.and_then(|address| Uri::parse(address).ok()).map(|uri| uri.aor().to_string());
            board.ask(HostOrder::Watch(whose));
        }
    }
}

/// The account of whoever hosts: its server is this computer, so its certificate needs no question.
fn account(own: HandedOut) -> Account {
    Account {
        address: format!("sip:{}", own.address),
        name: own.name,
        proxy: own.server,
        sign_in: SignIn { password: Password::new(own.password), ..SignIn::default() },
        trusted: Some(TrustedCertificate { server: own.domain, sha256: own.sha256 }),
        expires_secs: Some(EXPIRES_DEFAULT_SECS),
        worked: false,
        ..Account::default()
    }
}
