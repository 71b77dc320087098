//! What is typed on the first screen: an address and a password first, the rest under `Advanced`.

use std::net::Ipv6Addr;

use egui::{Button, Response, RichText, Role, Ui, WidgetInfo, vec2};

use super::Shape;
use crate::model::account::{Account, Password};
use crate::sip::Transport;
use crate::ui::compose::attach::at_home;
use crate::ui::kit::edit;
use crate::ui::kit::icons::{Icon, paint_icon};
use crate::ui::kit::theme::{CONTROL_HEIGHT, colors};
use crate::ui::kit::widgets::{field, hint, pair, pill, secret_field};
use crate::ui::kit::words;
use crate::ui::panels::typed::{AccountField, PROXY_HINT, typed_account};
use crate::ui::text::{TextId, say};

/// The transports to choose from.
const TRANSPORTS: [(Option<Transport>, TextId); 4] = [
    (None, TextId("automatic")),
    (Some(Transport::Tls), TextId("transport-tls")),
    (Some(Transport::Tcp), TextId("transport-tcp")),
    (Some(Transport::Udp), TextId("transport-udp")),
];

/// The fields of the form.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) address: String,
    /// Empty unless the user has changed it.
    password: String,
    proxy: String,
    port: String,
    transport: Option<Transport>,
    username: String,
    realm: String,
    name: String,
    authority: String,
    /// There was an authority when the form was filled.
    had_authority: bool,
    /// More than the address and the password is shown.
    pub(super) is_advanced: bool,
}

/// Which field takes the focus.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Takes {
    pub(super) address: bool,
    pub(super) password: bool,
    pub(super) proxy: bool,
    pub(super) port: bool,
}

impl Fields {
    pub(super) fn of(account: &Account) -> Self {
        let authority = account.tls_ca.as_ref().map(|path| path.display().to_string());
        Self {
            address: words::address(&account.address),
            proxy: account.proxy.clone(),
            username: account.sign_in.username.clone(),
            realm: account.sign_in.realm.clone(),
            name: account.name.clone(),
            had_authority: authority.is_some(),
            authority: authority.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// The same from a provisioning file: with its password, and with the server in view.
    pub(super) fn handed_out(account: &Account) -> Self {
        let password = account.sign_in.password.as_str().to_owned();
        Self { password, is_advanced: true, ..Self::of(account) }
    }

    /// The server, as the user would write it in one field; empty if it is found by the address.
    fn proxy(&self) -> String {
        let (place, port) = (self.proxy.trim(), self.port.trim());
        if place.is_empty() && port.is_empty() && self.transport.is_none() {
            return String::new();
        }
        let place = if place.is_empty() { self.home() } else { place.to_owned() };
        let place = if place.parse::<Ipv6Addr>().is_ok() { format!("[{place}]") } else { place };
        let place = if port.is_empty() { place } else { format!("{place}:{port}") };
        let is_said = place.split_once(':').is_some_and(|(word, _)| Transport::parse(word).is_some());
        match self.transport.filter(|_| !is_said) {
            Some(transport) => format!("{}:{place}", transport.as_str().to_ascii_lowercase()),
            None => place,
        }
    }

    fn home(&self) -> String {
        self.address.rsplit('@').next().unwrap_or_default().trim().to_owned()
    }

    /// The server, as shown to the user.
    pub(super) fn server(&self) -> String {
        let typed = self.proxy();
        if typed.is_empty() { self.home() } else { typed }
    }

    /// The account as typed; what is not in this form keeps its value if the address is the same.
    pub(super) fn account(&self, before: Option<&Account>) -> Account {
        let typed = typed_account(&self.name, &self.address, &self.proxy());
        let before = before.filter(|before| before.address == typed.address);
        let mut account = Account { worked: false, ..before.cloned().unwrap_or_else(|| typed.clone()) };
        (account.name, account.proxy) = (typed.name, typed.proxy);
        account.sign_in.username = self.username.trim().to_owned();
        account.sign_in.realm = self.realm.trim().to_owned();
        let authority = self.authority.trim();
        // One may have been chosen in a dialog meanwhile.
        if !authority.is_empty() {
            account.tls_ca = Some(at_home(authority));
        } else if self.had_authority {
            account.tls_ca = None;
        }
        if !self.password.is_empty() {
            account.sign_in.password = Password::new(self.password.clone());
        }
        account
    }

    /// The user has chosen a server that was found nearby.
    pub(super) fn choose(&mut self, domain: &str, proxy: String) {
        let user = self.address.split('@').next().unwrap_or_default().trim();
        self.address = format!("{user}@{domain}");
        (self.proxy, self.port, self.transport) = (proxy, String::new(), None);
        self.is_advanced = false;
    }

    /// A field that is not shown is wrong.
    pub(super) fn show(&mut self, field: AccountField) {
        self.is_advanced |= matches!(field, AccountField::Proxy | AccountField::Port);
    }

    /// What is wrong with the port: a sentence.
    pub(super) fn wrong_port(&self) -> Option<(AccountField, String)> {
        let port = self.port.trim();
        let is_right = port.is_empty() || port.parse::<u16>().is_ok_and(|port| port > 0);
        let words = || say!("port-wrong", port = port);
        (!is_right).then(|| (AccountField::Port, words()))
    }
}

/// What stands above the fields.
pub(super) fn lead(is_handed_out: bool) -> &'static str {
    if is_handed_out { say!("lead-file") } else { say!("lead") }
}

/// Draws the fields; true if one was changed. `kept` stands in the empty password field.
pub(super) fn fields_ui(ui: &mut Ui, fields: &mut Fields, shape: Shape, focus: Takes, kept: &str) -> bool {
    let is_beside = shape == Shape::Wide;
    let (address, password) = (&mut fields.address, &mut fields.password);
    let who = pair(
        ui,
        is_beside,
        |ui| {
            let response = field(ui, say!("sip-address"), address, "james@example.com");
            if focus.address && address.starts_with('@') {
                // The domain is there; the name is to be typed before it.
                edit::select_all(ui.ctx(), response.id, 0);
            }
            focused(response, focus.address)
        },
        |ui| focused(secret_field(ui, say!("password"), password, kept), focus.password),
    );
    if advanced_button(ui, fields.is_advanced).clicked() {
        fields.is_advanced ^= true;
    }
    let more = fields.is_advanced && advanced_ui(ui, fields, focus);
    who || more
}

fn advanced_ui(ui: &mut Ui, fields: &mut Fields, focus: Takes) -> bool {
    let (proxy, port) = (&mut fields.proxy, &mut fields.port);
    let mut changed = pair(
        ui,
        true,
        |ui| focused(field(ui, say!("proxy"), proxy, PROXY_HINT.say()), focus.proxy),
        |ui| focused(field(ui, say!("port"), port, say!("port-hint")), focus.port),
    );
    ui.horizontal_wrapped(|ui| {
        for (transport, label) in TRANSPORTS {
            if pill(ui, fields.transport == transport, label.say()).clicked() {
                changed |= fields.transport != transport;
                fields.transport = transport;
            }
        }
    });
    let (username, realm) = (&mut fields.username, &mut fields.realm);
    changed |= pair(
        ui,
        true,
        |ui| field(ui, say!("sign-in-name"), username, say!("sign-in-name-short")),
        |ui| field(ui, say!("realm"), realm, say!("realm-short")),
    );
    let (name, authority) = (&mut fields.name, &mut fields.authority);
    changed |= pair(
        ui,
        true,
        |ui| field(ui, say!("your-name"), name, "James"),
        |ui| field(ui, say!("authority"), authority, "~/company-ca.pem"),
    );
    hint(ui, say!("authority-why"));
    changed
}

fn focused(response: Response, takes: bool) -> Response {
    if takes {
        response.request_focus();
    }
    response
}

/// Shows and hides the fields that few people need.
fn advanced_button(ui: &mut Ui, is_open: bool) -> Response {
    let label = RichText::new(say!("advanced")).size(12.5).color(colors(ui).weak);
    let response = ui.add(Button::new(label).frame(false).min_size(vec2(0.0, CONTROL_HEIGHT)));
    let side = egui::Rect::from_center_size(
        egui::pos2(response.rect.right() + 12.0, response.rect.center().y),
        vec2(12.0, 12.0),
    );
    let icon = if is_open { Icon::Up } else { Icon::Down };
    paint_icon(ui.painter(), side, icon, colors(ui).weak);
    response.widget_info(|| WidgetInfo::selected(Role::DisclosureTriangle, true, is_open, say!("advanced")));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_port_and_transport_become_what_would_be_written_in_one_field() {
        for (proxy, port, transport, expected) in [
            ("", "", None, ""),
            ("sip.example.com", "", None, "sip.example.com"),
            ("sip.example.com", "5080", None, "sip.example.com:5080"),
            ("sip.example.com", "5080", Some(Transport::Tls), "tls:sip.example.com:5080"),
            ("", "", Some(Transport::Tcp), "tcp:example.com"),
            ("", "5070", None, "example.com:5070"),
            ("udp:192.0.2.1", "", Some(Transport::Tls), "udp:192.0.2.1"),
            ("::1", "5070", Some(Transport::Udp), "udp:[::1]:5070"),
        ] {
            let fields = Fields {
                address: "james@example.com".to_owned(),
                proxy: proxy.to_owned(),
                port: port.to_owned(),
                transport,
                ..Fields::default()
            };
            assert_eq!(fields.proxy(), expected, "{proxy:?} {port:?} {transport:?}");
            assert!(fields.account(None).check().is_ok(), "{expected}");
        }
    }
}
