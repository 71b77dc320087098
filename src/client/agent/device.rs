//! What our registration says of this device (RFC 5626 §4.2).

use super::core::Core;
use crate::machine::Flow;

/// See the top of this file.
#[derive(Debug, Default)]
pub(crate) struct Device {
    /// Parameters of its Contact.
    pub(crate) params: String,
    /// It asks to be reached over the flow that it registers on.
    pub(crate) is_outbound: bool,
}

impl Device {
    /// For a registration on this flow; `lacks_outbound` if the path does not support RFC 5626.
    pub(crate) fn of(core: &Core, flow: Flow, lacks_outbound: bool) -> Self {
        let Some(instance) = &core.instance else { return Self::default() };
        // Behind a NAT, outbound over UDP would need STUN.
        let is_outbound = flow.transport.is_reliable() && !lacks_outbound;
        let reg_id = if is_outbound { ";reg-id=1" } else { "" };
        Self { params: format!(";+sip.instance=\"<{instance}>\"{reg_id}"), is_outbound }
    }
}
