//! Settings: appearance, notifications, the composer's keys, and the account.

use std::path::PathBuf;

use egui::style::ScrollAnimation;
use egui::{Align, Layout, Rect, RichText, ScrollArea, Ui, vec2};

use super::account::{account_row_ui, refusal_ui};
use super::blocked::blocked_ui;
use super::hosting::hosting_row_ui;
use super::language::language_ui;
use super::notified::notified_ui;
use super::starting::{Starting, starting_ui};
use super::storage::storage_ui;
use super::typed::{AccountField, PROXY_HINT, account_problem, typed_account, typed_proxy};
use crate::model::account::{Account, Password, SignIn, TrustedCertificate};
use crate::model::command::{AgentCommand, Command};
use crate::model::hosting::HostView;
use crate::model::snapshot::{Settings, Snapshot, Theme};
use crate::ui::actions::Act;
use crate::ui::kit::reasons;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{
    banner, field, hint, keep_focus_in_view, pill, primary, secret_field, small_button,
};
use crate::ui::kit::words::Look;
use crate::ui::text::{TextId, say};

/// The scales that the shortcuts step through; the first and last are the slider's limits.
pub(crate) const SCALES: [f32; 10] = [0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0];

/// How long a message may wait for delivery: seconds, and label.
const EXPIRES: [(Option<u32>, TextId); 4] = [
    (None, TextId("expires-not")),
    (Some(3600), TextId("expires-hour")),
    (Some(86_400), TextId("expires-day")),
    (Some(604_800), TextId("expires-week")),
];

/// The account being edited.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AccountForm {
    name: String,
    address: String,
    /// Empty unless the user has changed it.
    password: String,
    username: String,
    realm: String,
    proxy: String,
    tls_ca: Option<PathBuf>,
    trusted: Option<TrustedCertificate>,
    register: bool,
    receipts: bool,
    peer_to_peer: bool,
    expires_secs: Option<u32>,
    /// What is wrong, and in which field.
    problem: Option<(AccountField, String)>,
    /// The problem has not been scrolled to yet.
    has_news: bool,
    /// The account is to be scrolled to.
    begins_at_account: bool,
    /// How the program starts; none if there is nothing to choose.
    pub(crate) starting: Option<Starting>,
    /// Whether the desktop says when something is presented; none if that is not known.
    pub(crate) says_presenting: Option<bool>,
    /// The server on this computer.
    pub(crate) hosted: HostView,
}

impl AccountForm {
    /// Fills the form from the current account.
    pub(crate) fn of(account: Option<&Account>) -> Self {
        let new = typed_account("", "", "");
        let account = account.unwrap_or(&new);
        Self {
            name: account.name.clone(),
            address: account.address.clone(),
            password: String::new(),
            username: account.sign_in.username.clone(),
            realm: account.sign_in.realm.clone(),
            tls_ca: account.tls_ca.clone(),
            trusted: account.trusted.clone(),
            proxy: if account.proxy == "udp:" { String::new() } else { account.proxy.clone() },
            register: account.register,
            receipts: account.receipts,
            peer_to_peer: account.peer_to_peer,
            expires_secs: account.expires_secs,
            problem: None,
            has_news: false,
            begins_at_account: false,
            starting: None,
            says_presenting: None,
            hosted: HostView::default(),
        }
    }

    /// The same, with the account in view.
    pub(crate) fn at_account(account: Option<&Account>) -> Self {
        Self { begins_at_account: true, ..Self::of(account) }
    }

    /// Something was typed that is not saved.
    pub(crate) fn is_changed(&self, account: Option<&Account>) -> bool {
        let plain = Self {
            problem: None,
            has_news: false,
            begins_at_account: false,
            starting: None,
            says_presenting: None,
            hosted: HostView::default(),
            ..self.clone()
        };
        plain != Self::of(account)
    }

    /// The account with the edits; fields not shown here keep their values.
    fn account(&self, before: Option<&Account>) -> Account {
        let typed = typed_account(&self.name, &self.address, &self.proxy);
        let same = before.filter(|before| before.address == typed.address);
        Account {
            sign_in: self.sign_in(same),
            worked: same.is_some_and(|before| before.worked),
            address: typed.address,
            name: typed.name,
            proxy: typed.proxy,
            register: self.register,
            receipts: self.receipts,
            peer_to_peer: self.peer_to_peer,
            expires_secs: self.expires_secs,
            tls_ca: self.tls_ca.clone(),
            trusted: self.trusted.clone(),
            ..before.cloned().unwrap_or_default()
        }
    }
}

impl AccountForm {
    /// The sign-in data; fields left empty keep their values if the address is the same.
    fn sign_in(&self, before: Option<&Account>) -> SignIn {
        let before = before.map(|before| before.sign_in.clone()).unwrap_or_default();
        let typed = Some(&self.password).filter(|typed| !typed.is_empty());
        SignIn {
            username: self.username.trim().to_owned(),
            password: typed.map_or(before.password, |typed| Password::new(typed.clone())),
            realm: self.realm.trim().to_owned(),
        }
    }
}

/// The next larger or smaller scale.
pub(crate) fn next_scale(scale: f32, larger: ScaleStep) -> f32 {
    let found = match larger {
        ScaleStep::Larger => SCALES.iter().find(|known| **known > scale + 0.01),
        ScaleStep::Smaller => SCALES.iter().rev().find(|known| **known < scale - 0.01),
    };
    found.copied().unwrap_or(scale)
}

/// The direction of a scale change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScaleStep {
    /// Larger.
    Larger,
    /// Smaller.
    Smaller,
}

/// The contents of the settings dialog.
pub(crate) fn settings_ui(
    ui: &mut Ui,
    form: &mut AccountForm,
    (snapshot, look): (&Snapshot, &Look),
    acts: &mut Vec<Act>,
) {
    let height = (ui.ctx().content_rect().height() - 160.0).clamp(160.0, 900.0);
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        ui.set_width(ui.available_width() - 8.0);
        ui.spacing_mut().item_spacing.y = 8.0;
        appearance_ui(ui, &snapshot.settings, acts);
        section(ui, say!("language"));
        language_ui(ui, &snapshot.settings, acts);
        section(ui, say!("notifications"));
        notified_ui(ui, &snapshot.settings, look, form.says_presenting, acts);
        if !snapshot.book.blocked.is_empty() {
            section(ui, say!("blocked-people"));
            blocked_ui(ui, snapshot, acts);
        }
        section(ui, say!("writing"));
        writing_ui(ui, &snapshot.settings, acts);
        if let Some(starting) = form.starting {
            starting_ui(ui, starting, &snapshot.settings, acts);
        }
        section(ui, say!("testing"));
        testing_ui(ui, snapshot, acts);
        if !snapshot.demo {
            section(ui, say!("server-here"));
            hosting_row_ui(ui, &form.hosted, acts);
        }
        section(ui, say!("messages-here"));
        storage_ui(ui, look, acts);
        let top = ui.cursor().left_top();
        section(ui, say!("account"));
        refusal_ui(ui, snapshot, acts);
        account_ui(ui, form, snapshot, acts);
        account_row_ui(ui, snapshot, acts);
        if form.begins_at_account && !ui.ctx().will_discard() {
            form.begins_at_account = false;
            let place = Rect::from_min_size(top, vec2(1.0, 1.0));
            ui.scroll_to_rect_animation(place, Some(Align::TOP), ScrollAnimation::none());
        }
        keep_focus_in_view(ui);
    });
}

fn section(ui: &mut Ui, title: &str) {
    ui.add_space(12.0);
    ui.label(RichText::new(title).font(theme::strong(14.0)));
}

fn put(acts: &mut Vec<Act>, settings: Settings) {
    acts.push(Act::Ask(Command::PutSettings(settings)));
}

fn appearance_ui(ui: &mut Ui, settings: &Settings, acts: &mut Vec<Act>) {
    ui.label(RichText::new(say!("appearance")).font(theme::strong(14.0)));
    ui.horizontal(|ui| {
        for (theme, label) in [
            (Theme::System, say!("theme-system")),
            (Theme::Light, say!("theme-light")),
            (Theme::Dark, say!("theme-dark")),
        ] {
            if pill(ui, settings.theme == theme, label).clicked() {
                put(acts, Settings { theme, ..settings.clone() });
            }
        }
    });
    ui.horizontal(|ui| {
        ui.label(say!("text-size"));
        if ui.button(say!("smaller")).clicked() {
            put(acts, Settings { scale: next_scale(settings.scale, ScaleStep::Smaller), ..settings.clone() });
        }
        ui.label(RichText::new(format!("{:.0} %", settings.scale * 100.0)).font(theme::strong(14.0)));
        if ui.button(say!("larger")).clicked() {
            put(acts, Settings { scale: next_scale(settings.scale, ScaleStep::Larger), ..settings.clone() });
        }
    });
}

fn writing_ui(ui: &mut Ui, settings: &Settings, acts: &mut Vec<Act>) {
    let mut typing = settings.typing;
    if ui.checkbox(&mut typing, say!("typing-shown")).changed() {
        put(acts, Settings { typing, ..settings.clone() });
    }
    hint(ui, say!("typing-shown-why"));
    let mut enter_sends = settings.enter_sends;
    if ui.checkbox(&mut enter_sends, say!("enter-sends")).changed() {
        put(acts, Settings { enter_sends, ..settings.clone() });
    }
    ui.label(say!("undo-send"));
    ui.horizontal_wrapped(|ui| {
        for (undo_send_secs, label) in
            [(0, say!("undo-send-not")), (5, say!("undo-send-5")), (10, say!("undo-send-10"))]
        {
            if pill(ui, settings.undo_send_secs == undo_send_secs, label).clicked() {
                put(acts, Settings { undo_send_secs, ..settings.clone() });
            }
        }
    });
}

fn testing_ui(ui: &mut Ui, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    let mut testing = snapshot.settings.testing || snapshot.demo;
    let mode = egui::Checkbox::new(&mut testing, say!("testing-mode"));
    if ui.add_enabled(!snapshot.demo, mode).changed() {
        put(acts, Settings { testing, ..snapshot.settings.clone() });
    }
    if snapshot.demo {
        hint(ui, say!("testing-in-demo"));
    }
    hint(ui, say!("testing-why"));
}

fn account_ui(ui: &mut Ui, form: &mut AccountForm, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    field(ui, say!("sip-address"), &mut form.address, "james@example.com");
    problem_ui(ui, form, AccountField::Address);
    let has_password = snapshot.account.as_ref().is_some_and(|account| !account.sign_in.password.is_empty());
    secret_field(ui, say!("password"), &mut form.password, if has_password { say!("unchanged") } else { "" });
    if let Some(words) = reasons::password(&snapshot.password) {
        hint(ui, &words);
    }
    field(ui, say!("sign-in-name"), &mut form.username, say!("sign-in-name-hint"));
    field(ui, say!("realm"), &mut form.realm, say!("realm-hint"));
    field(ui, say!("proxy"), &mut form.proxy, PROXY_HINT.say());
    problem_ui(ui, form, AccountField::Proxy);
    trust_ui(ui, form);
    field(ui, say!("your-name"), &mut form.name, "James");
    ui.checkbox(&mut form.register, say!("register"));
    ui.checkbox(&mut form.peer_to_peer, say!("peer-to-peer"));
    hint(ui, say!("peer-to-peer-why"));
    ui.checkbox(&mut form.receipts, say!("receipts"));
    hint(ui, say!("receipts-why"));
    ui.label(say!("expires-why"));
    ui.horizontal_wrapped(|ui| {
        for (secs, label) in EXPIRES {
            if pill(ui, form.expires_secs == secs, label.say()).clicked() {
                form.expires_secs = secs;
            }
        }
    });
    problem_ui(ui, form, AccountField::Other);
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_size(vec2(0.0, 36.0));
        let before = snapshot.account.as_deref();
        let account = form.account(before);
        // A password that is typed again is the owner's word that it is right.
        let changed = before != Some(&account) || !form.password.is_empty();
        if primary(ui, say!("save-account"), changed && !form.address.trim().is_empty()).clicked() {
            save(form, account, acts);
        }
    });
}

/// What is wrong with the field above; scrolled to once, as the button is far below.
fn problem_ui(ui: &mut Ui, form: &mut AccountForm, field: AccountField) {
    let Some((_, problem)) = form.problem.as_ref().filter(|(at, _)| *at == field) else { return };
    let top = ui.cursor().left_top();
    banner(ui, problem, colors(ui).red, colors(ui).red_soft);
    if !ui.ctx().will_discard() && std::mem::take(&mut form.has_news) {
        let place = Rect::from_min_max(top - vec2(0.0, 72.0), ui.min_rect().max);
        ui.scroll_to_rect_animation(place, None, ScrollAnimation::none());
    }
}

/// The certificates that the account trusts in addition to the system's authorities.
fn trust_ui(ui: &mut Ui, form: &mut AccountForm) {
    let authority = form.tls_ca.as_ref().map(|path| say!("trusted-ca", path = path.display()));
    if let Some(words) = authority
        && forgotten(ui, &words, say!("forget-ca"))
    {
        form.tls_ca = None;
    }
    let of = |it: &TrustedCertificate| say!("trusted-certificate", server = it.server, sha = it.sha256);
    if let Some(words) = form.trusted.as_ref().map(of)
        && forgotten(ui, &words, say!("forget-certificate"))
    {
        form.trusted = None;
    }
}

fn forgotten(ui: &mut Ui, words: &str, label: &str) -> bool {
    hint(ui, words);
    small_button(ui, label).clicked()
}

fn save(form: &mut AccountForm, account: Account, acts: &mut Vec<Act>) {
    form.problem = account.check().err().map(|wrong| account_problem(&wrong));
    form.has_news = form.problem.is_some();
    if form.problem.is_none() {
        form.proxy = typed_proxy(&form.proxy);
        form.address.clone_from(&account.address);
        form.password.clear();
        acts.push(Act::Ask(Command::PutAccount(account)));
        acts.push(Act::Ask(Command::Agent(AgentCommand::Connect)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_goes_from_75_to_300_percent() {
        assert_eq!(next_scale(1.0, ScaleStep::Larger), 1.1);
        assert_eq!(next_scale(1.0, ScaleStep::Smaller), 0.9);
        assert_eq!((next_scale(3.0, ScaleStep::Larger), next_scale(0.75, ScaleStep::Smaller)), (3.0, 0.75));
    }

    #[test]
    fn what_the_settings_do_not_show_is_kept() {
        let tls_ca = Some(PathBuf::from("/ca.pem"));
        let dns = "192.0.2.53:53".parse().ok();
        let before = Account {
            t1_ms: 100,
            report_window_secs: 5,
            tls_ca,
            dns,
            ..typed_account("J", "j@x.com", "192.0.2.1")
        };
        let form = AccountForm { name: "James".into(), ..AccountForm::of(Some(&before)) };
        assert_eq!(form.account(Some(&before)), Account { name: "James".into(), ..before });
    }

    #[test]
    fn w28_read_receipts_are_off_until_they_are_asked_for() {
        let before = typed_account("J", "j@x.com", "192.0.2.1");
        assert!(!before.receipts);
        let form = AccountForm { receipts: true, ..AccountForm::of(Some(&before)) };
        let account = form.account(Some(&before));
        assert!(account.receipts && AccountForm::of(Some(&account)).receipts);
    }

    #[test]
    fn a_password_that_is_not_typed_stays_for_the_same_address_alone() {
        let mut before = typed_account("J", "j@x.com", "192.0.2.1");
        before.sign_in.password = Password::new("secret".into());
        let form = AccountForm::of(Some(&before));
        assert_eq!(form.account(Some(&before)), before);
        let other = AccountForm { address: "sip:k@x.com".into(), ..form.clone() };
        assert!(other.account(Some(&before)).sign_in.password.is_empty());
        let typed = AccountForm { password: "new".into(), username: " j7 ".into(), ..form };
        let sign_in = typed.account(Some(&before)).sign_in;
        assert_eq!((sign_in.password.as_str(), sign_in.username.as_str()), ("new", "j7"));
    }
}
