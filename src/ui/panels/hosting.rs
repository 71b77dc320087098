//! **Host here**: the server that this computer is for its local network, and who has an account there.

mod code;

use egui::{Label, RichText, ScrollArea, Ui};

use self::code::{Code, code_ui};
use crate::model::contacts::address_key;
use crate::model::hosting::{HandedOut, HostOrder, HostState, HostView};
use crate::ui::actions::{Act, HostAct};
use crate::ui::kit::theme::{self, RADIUS, colors};
use crate::ui::kit::widgets::{banner, entered_in, field, hint, mend_button, primary, small_button};
use crate::ui::text::say;

/// What the dialog shows, and what is being typed.
#[derive(Debug, Default)]
pub(crate) struct HostForm {
    /// As the window last saw it.
    pub(crate) view: HostView,
    name: String,
    host: String,
    person: String,
    /// The account that is to be removed, until that was confirmed.
    doomed: Option<String>,
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

/// The contents of the dialog; `own` is the address of the account in use.
pub(crate) fn hosting_ui(ui: &mut Ui, form: &mut HostForm, is_new: bool, own: &str, acts: &mut Vec<Act>) {
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
                people_ui(ui, form, own, acts);
            }
        }
    });
}

/// Nothing was hosted here yet.
fn first_ui(ui: &mut Ui, form: &mut HostForm, is_new: bool, acts: &mut Vec<Act>) {
    hint(ui, say!("hosting-what"));
    let is_entered = names_ui(ui, form, is_new);
    let is_filled = !form.name.trim().is_empty() && !form.host.trim().is_empty();
    let is_starting = form.view.state == HostState::Starting;
    let is_ready = is_filled && !is_starting;
    let label = if is_starting { say!("starting") } else { say!("start-server") };
    if primary(ui, label, is_ready).clicked() || (is_entered && is_ready) {
        let (name, host) = (std::mem::take(&mut form.name), std::mem::take(&mut form.host));
        ask(acts, HostOrder::Start { name, host });
    }
}

/// What the server is called, and who hosts it; true if Enter was pressed in one of the fields. While the other one is empty, it
/// gets the focus then.
fn names_ui(ui: &mut Ui, form: &mut HostForm, is_new: bool) -> bool {
    let (name, host) = (&mut form.name, &mut form.host);
    let fields = ui.columns_const(|[left, right]| {
        let server = field(left, say!("server-name"), name, say!("server-name-example"));
        [(server, name), (field(right, say!("your-name"), host, "James"), host)]
    });
    let is_entered = fields.iter().any(|(field, _)| entered_in(ui, field));
    let next = fields.iter().find(|(_, text)| is_entered && text.trim().is_empty());
    if let Some((field, _)) = next.or_else(|| fields.first().filter(|_| is_new)) {
        field.request_focus();
    }
    is_entered
}

/// The server: whether it runs, what it is known by, and its switches.
fn server_ui(ui: &mut Ui, view: &HostView, acts: &mut Vec<Act>) {
    state_ui(ui, view);
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

/// What the server is called, and whether it runs.
fn state_ui(ui: &mut Ui, view: &HostView) {
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
}

/// Who has an account, and how somebody gets one.
fn people_ui(ui: &mut Ui, form: &mut HostForm, own: &str, acts: &mut Vec<Act>) {
    ui.add_space(4.0);
    ui.label(RichText::new(say!("people")).font(theme::strong(14.0)));
    if form.handed_out().is_some() {
        handed_out_ui(ui, form, acts);
    } else {
        form.code = None;
    }
    let own = address_key(own);
    for address in &form.view.people {
        if form.doomed.as_ref() == Some(address) {
            if let Some(is_sure) = removing_ui(ui, address) {
                form.doomed = None;
                if is_sure {
                    ask(acts, HostOrder::Remove(address.clone()));
                }
                break;
            }
        } else if person_ui(ui, address, address_key(address) == own) {
            form.doomed = Some(address.clone());
        }
    }
    let person = field(ui, say!("person-name"), &mut form.person, "Ann Lee");
    let is_filled = !form.person.trim().is_empty();
    let is_entered = is_filled && entered_in(ui, &person);
    if primary(ui, say!("add-account"), is_filled).clicked() || is_entered {
        ask(acts, HostOrder::Add(std::mem::take(&mut form.person)));
    }
}

/// Somebody with an account; true if it is to be removed. Whoever hosts does not saw off the branch on which he sits.
fn person_ui(ui: &mut Ui, address: &str, is_own: bool) -> bool {
    let row = ui.horizontal(|ui| {
        ui.set_min_height(theme::CONTROL_HEIGHT);
        ui.label(address);
        if is_own {
            hint(ui, say!("own-account"));
            return false;
        }
        let at_end = egui::Layout::right_to_left(egui::Align::Center);
        ui.with_layout(at_end, |ui| {
            let remove = small_button(ui, say!("remove"));
            let name = say!("remove-name", name = address);
            remove.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
            remove.clicked()
        })
        .inner
    });
    row.inner
}

/// Asks whether an account is to be removed, and says what is lost; none while nothing was answered.
fn removing_ui(ui: &mut Ui, address: &str) -> Option<bool> {
    banner(ui, &say!("remove-there-ask", address = address), colors(ui).amber, colors(ui).amber_soft);
    let answer = ui.horizontal(|ui| {
        let keeps = small_button(ui, say!("keep-account")).clicked();
        let removes = mend_button(ui, say!("remove-account")).clicked();
        removes.then_some(true).or_else(|| keeps.then_some(false))
    });
    answer.inner
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

/// Where the settings lead here: to the server that is hosted, or to one that is not there yet.
pub(crate) fn hosting_row_ui(ui: &mut Ui, view: &HostView, acts: &mut Vec<Act>) {
    let is_there = !view.domain.is_empty();
    if is_there {
        state_ui(ui, view);
    }
    let label = if is_there { say!("show-server") } else { say!("host-here-row") };
    if small_button(ui, label).clicked() {
        acts.push(Act::Host(HostAct::Show));
    }
    if !is_there {
        hint(ui, say!("host-here-row-why"));
    }
}
