//! Kamailio in front as an edge that only passes on, and puts itself into the Path (RFC 3327); people register at Fanfare.

use std::fs;

use tempfile::TempDir;

use super::legs_through;
use crate::common::free_address;
use crate::kamailio::Kamailio;
use crate::program::fanfare;

/// What the manual says, as a whole configuration.
const EDGE: &str = r#"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "path.so"
modparam("path", "use_received", 1)
request_route {
    if (is_method("OPTIONS") && $rU == $null) { sl_send_reply("200", "OK"); exit; }
    if ($sp == PORT) { loose_route(); t_relay(); exit; }
    if (is_method("REGISTER")) { add_path(); }
    $du = "sip:FANFARE";
    t_relay();
}
"#;

#[test]
fn rfc_3327_who_registers_through_kamailio_is_reached_through_it() {
    let folder = TempDir::new().unwrap();
    let address = free_address();
    let file = folder.path().join("kamailio.cfg");
    fs::write(
        &file,
        EDGE.replace("FANFARE", &address.to_string()).replace("PORT", &address.port().to_string()),
    )
    .unwrap();
    let data = folder.path().join("data");
    let (udp, tcp) = (format!("udp:{address}"), format!("tcp:{address}"));
    let data = data.to_str().unwrap();
    let program =
        fanfare(&["proxy", "--domain", "domain.com", "--listen", &udp, "--listen", &tcp, "--data", data]);
    program.line_with("listening tcp");
    let kamailio = Kamailio::start_with(file.to_str().unwrap(), &[]);
    for leg in legs_through(&kamailio) {
        assert_eq!(leg.from, kamailio.address, "{}", leg.text);
        let vias = leg.values("Via");
        assert!(vias[0].contains(&kamailio.address.to_string()), "{}", leg.text);
        assert!(vias[1].contains(&address.to_string()), "{}", leg.text);
    }
}
