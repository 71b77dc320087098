//! Our requests to the server: REGISTER, or OPTIONS for an account that does not register or when the registrar does
//! not say enough.

use super::Registration;
use crate::client::agent::capabilities::{ACCEPT, ALLOW};
use crate::client::agent::core::{Core, Task, name_addr};
use crate::client::agent::device::Device;
use crate::client::agent::route::domain_of;
use crate::limits::REALM_WAIT_T1;
use crate::machine::Flow;
use crate::sip::{Compose, Method};
use crate::time::Now;

/// A proxy in front may put itself into the Path whoever registers, and a strict registrar then refuses a client that does
/// not say this (RFC 3327 §5.1, §5.3).
const PATH: &str = "path";

impl Registration {
    pub(super) fn register(&mut self, core: &mut Core, flow: Flow, expires_secs: u32, now: Now) {
        let (begun, branch) = self.begun(core, &Method::Register, flow);
        let device = Device::of(core, flow, self.lacks_outbound);
        let bytes = begun
            .field("Supported", if device.is_outbound { "path, outbound" } else { PATH })
            .field("Contact", format_args!("{}{};expires={expires_secs}", core.contact(flow), device.params))
            .field("Expires", expires_secs)
            .field("Allow", ALLOW)
            .finish();
        core.send(Task::Account, Method::Register, (flow, &branch), bytes, now);
    }

    pub(super) fn ask_options(&mut self, core: &mut Core, task: Task, flow: Flow, now: Now) {
        let (begun, branch) = self.begun(core, &Method::Options, flow);
        let bytes = begun.field("Contact", core.contact(flow)).field("Accept", ACCEPT).finish();
        core.send(task, Method::Options, (flow, &branch), bytes, now);
    }

    /// A REGISTER that asks for our bindings and changes none. Messages wait for its answer, so not for all of Timer F:
    /// what answers OPTIONS need not be a registrar.
    pub(super) fn ask_registrar(&mut self, core: &mut Core, flow: Flow, now: Now) {
        let (begun, branch) = self.begun(core, &Method::Register, flow);
        let until = now.mono + core.profile.t1 * REALM_WAIT_T1;
        let bytes = begun.field("Supported", PATH).finish();
        core.send_until(Task::Realm, Method::Register, (flow, &branch, Some(until)), bytes, now);
    }

    /// The common start of REGISTER and OPTIONS: both go to our domain, from ourselves.
    fn begun(&mut self, core: &mut Core, method: &Method, flow: Flow) -> (Compose, String) {
        let own = core.profile.address.to_sip();
        let domain = core.server.redirected().unwrap_or_else(|| domain_of(&own));
        let to = if *method == Method::Register { &own } else { &domain };
        self.cseq += 1;
        let (begun, branch) = core.request(method, &domain, flow);
        let begun = begun
            .field("From", name_addr(&core.profile.name, &own, &self.tag))
            .field("To", format_args!("<{to}>"))
            .field("Call-ID", &self.call_id)
            .field("CSeq", format_args!("{} {}", self.cseq, method.as_str()))
            .field("User-Agent", concat!("Fanfare/", env!("CARGO_PKG_VERSION")));
        (begun, branch)
    }
}
