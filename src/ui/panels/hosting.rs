//! **Host here**: the server that this computer is for its local network, and who has an account there.

mod code;

use egui::{Label, RichText, ScrollArea, Ui};

use self::code::{Code, code_ui};
use crate::model::hosting::{HandedOut, HostOrder, HostState, HostView};
use crate::ui::actions::{Act, HostAct};
use crate::ui::kit::theme::{self, RADIUS, colors};
use crate::ui::kit::widgets::{banner, field, hint, pair, primary, small_button};
use crate::ui::text::say;

/// What the dialog shows, and what is being typed.
#[derive(Debug, Default)]
pub(crate) struct HostForm {
    /// As the window last saw it.
    pub(crate) view: HostView,
    name: String,
    host: String,
    person: String,
    code: Option<Code>,
}

impl HostForm {
    pub(crate) fn of(view: HostView) -> Self {
        Self { view, ..Self::default() }
    }

    /// Something was typed that closing would lose.
    pub(crate) fn is_changed(&self) -> bool {
        [&self.name, &self.host, &self.person].iter().any(|text| !text.trim().is_empty())
    }

    /// An account that is shown once.
    fn handed_out(&self) -> Option<&HandedOut> {
        self.view.added.as_ref().or(self.view.own.as_ref())
    }
}

fn ask(acts: &mut Vec<Act>, order: HostOrder) {
    acts.push(Act::Host(HostAct::Ask(order)));
}

/// The contents of the dialog.
pub(crate) fn hosting_ui(ui: &mut Ui, form: &mut HostForm, is_new: bool, acts: &mut Vec<Act>) {
    let height = (ui.ctx().content_rect().height() - 160.0).clamp(160.0, 560.0);
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        ui.set_width(ui.available_width() - 8.0);
        ui.spacing_mut().item_spacing.y = 8.0;
        if let Some(problem) = &form.view.problem {
            banner(ui, problem, colors(ui).red, colors(ui).red_soft);
        }
        if form.view.domain.is_empty() {
            first_ui(ui, form, is_new, acts);
        } else {
            server_ui(ui, &form.view, acts);
            if form.view.state == HostState::Running {
                people_ui(ui, form, acts);
            }
        }
    });
}

/// Nothing was hosted here yet.
fn first_ui(ui: &mut Ui, form: &mut HostForm, is_new: bool, acts: &mut Vec<Act>) {
    hint(ui, say!("hosting-what"));
    let (name, host) = (&mut form.name, &mut form.host);
    pair(
        ui,
        true,
        |ui| {
            let response = field(ui, say!("server-name"), name, say!("server-name-example"));
            if is_new {
                response.request_focus();
            }
            response
        },
        |ui| field(ui, say!("your-name"), host, "James"),
    );
    let is_filled = !form.name.trim().is_empty() && !form.host.trim().is_empty();
    let is_starting = form.view.state == HostState::Starting;
    let label = if is_starting { say!("starting") } else { say!("start-server") };
    if primary(ui, label, is_filled && !is_starting).clicked() {
        let (name, host) = (std::mem::take(&mut form.name), std::mem::take(&mut form.host));
        ask(acts, HostOrder::Start { name, host });
    }
}

/// The server: whether it runs, what it is known by, and its switches.
fn server_ui(ui: &mut Ui, view: &HostView, acts: &mut Vec<Act>) {
    ui.label(RichText::new(&view.name).font(theme::strong(15.0)));
    match &view.state {
        HostState::Running => {
            let place = view.server.trim_start_matches("tls:");
            ui.label(say!("hosting-runs", place = place));
        }
        HostState::Starting => {
            ui.label(say!("starting"));
        }
        HostState::Off => {
            ui.label(say!("hosting-off"));
        }
        HostState::Failed(why) => banner(ui, why, colors(ui).amber, colors(ui).amber_soft),
    }
    ui.horizontal_wrapped(|ui| match view.state {
        HostState::Off | HostState::Failed(_) => {
            if small_button(ui, say!("start-server")).clicked() {
                ask(acts, HostOrder::Resume);
            }
        }
        HostState::Running => {
            if small_button(ui, say!("stop-server")).clicked() {
                ask(acts, HostOrder::Stop);
            }
        }
        HostState::Starting => {}
    });
    let mut is_automatic = view.is_automatic;
    if ui.checkbox(&mut is_automatic, say!("start-with-fanfare")).changed() {
        ask(acts, HostOrder::StartWithWindow(is_automatic));
    }
    if !view.sha256.is_empty() {
        hint(ui, say!("hosting-fingerprint"));
        ui.add(Label::new(RichText::new(&view.sha256).monospace().size(11.5)).wrap());
    }
}

/// Who has an account, and how somebody gets one.
fn people_ui(ui: &mut Ui, form: &mut HostForm, acts: &mut Vec<Act>) {
    ui.add_space(4.0);
    ui.label(RichText::new(say!("people")).font(theme::strong(14.0)));
    if form.handed_out().is_some() {
        handed_out_ui(ui, form, acts);
    } else {
        form.code = None;
    }
    for address in &form.view.people {
        ui.horizontal(|ui| {
            ui.label(address);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let remove = small_button(ui, say!("remove"));
                let name = say!("remove-name", name = address);
                remove.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
                if remove.clicked() {
                    ask(acts, HostOrder::Remove(address.clone()));
                }
            });
        });
    }
    field(ui, say!("person-name"), &mut form.person, "Ann Lee");
    let is_filled = !form.person.trim().is_empty();
    let entered = is_filled && crate::ui::kit::widgets::entered(ui);
    if primary(ui, say!("give-account"), is_filled).clicked() || entered {
        ask(acts, HostOrder::Add(std::mem::take(&mut form.person)));
    }
}

/// An account, for whoever it is for: as text and for a camera.
fn handed_out_ui(ui: &mut Ui, form: &mut HostForm, acts: &mut Vec<Act>) {
    let Some(account) = form.handed_out().cloned() else { return };
    let text = account.text();
    let is_new = form.code.is_none();
    let frame = egui::Frame::NONE.stroke(egui::Stroke::new(1.0, colors(ui).line)).corner_radius(RADIUS);
    let shown = frame.inner_margin(egui::Margin::symmetric(12, 10)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_top(|ui| {
            code_ui(ui, &mut form.code, &text);
            ui.add_space(8.0);
            ui.vertical(|ui| account_ui(ui, &account, &text, acts));
        });
    });
    if is_new {
        // In a low window it would not be seen.
        ui.scroll_to_rect(shown.response.rect, Some(egui::Align::TOP));
    }
}

/// The account in words.
fn account_ui(ui: &mut Ui, account: &HandedOut, text: &str, acts: &mut Vec<Act>) {
    ui.spacing_mut().item_spacing.y = 4.0;
    let HandedOut { address, password, server, .. } = account;
    for (name, value) in
        [(say!("sip-address"), address), (say!("password"), password), (say!("proxy"), server)]
    {
        hint(ui, name);
        ui.add(Label::new(RichText::new(value).font(theme::strong(13.5))).wrap());
    }
    let red = colors(ui).red;
    ui.label(RichText::new(say!("password-only-now")).size(12.5).color(red));
    ui.horizontal_wrapped(|ui| {
        if small_button(ui, say!("copy")).clicked() {
            acts.push(Act::Copy(text.to_owned()));
        }
        if small_button(ui, say!("done")).clicked() {
            ask(acts, HostOrder::Seen);
        }
    });
}

/// Where the settings lead here.
pub(crate) fn hosting_row_ui(ui: &mut Ui, acts: &mut Vec<Act>) {
    if small_button(ui, say!("host-here-row")).clicked() {
        acts.push(Act::Host(HostAct::Show));
    }
    hint(ui, say!("host-here-row-why"));
}
