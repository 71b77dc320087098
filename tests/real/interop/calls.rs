//! Calls between baresip and Linphone, set up through our proxy, each side over its preferred transport.

use std::net::SocketAddr;

use super::linphone::Linphone;
use super::secure_proxy;
use crate::baresip::Baresip;

#[test]
fn w29_baresip_calls_baresip_over_any_two_transports_and_either_side_hangs_up() {
    let (proxy, tls, _authority) = secure_proxy();
    let server = |transport: &str| -> SocketAddr { if transport == "tls" { tls } else { proxy.address } };
    let transports = ["udp", "tcp", "tls"];
    let pairs = transports.iter().flat_map(|caller| transports.map(|callee| (*caller, callee)));
    for (number, (caller, callee)) in pairs.enumerate() {
        let (ann, bob) = (format!("ann{number}"), format!("bob{number}"));
        let (at_bob, at_ann) = (format!("sip:{bob}@domain.com"), format!("sip:{ann}@domain.com"));
        let mut bella = Baresip::register(&ann, server(caller), caller, &at_bob);
        let mut bert = Baresip::register(&bob, server(callee), callee, &at_ann);
        bella.dial(&at_bob);
        bella.tells("Call established");
        // So it has received the ACK.
        bert.tells("Call established");
        let (ends, hears) = if number % 2 == 0 { (&mut bella, &bert) } else { (&mut bert, &bella) };
        ends.hang_up();
        hears.tells("session closed");
    }
}

#[test]
fn w29_linphone_calls_baresip_and_baresip_linphone() {
    let (proxy, tls, authority) = secure_proxy();
    for transport in ["udp", "tcp", "tls"] {
        let (linda, bob) = (format!("linda-{transport}"), format!("bob-{transport}"));
        let (at_linda, at_bob) = (format!("sip:{linda}@domain.com"), format!("sip:{bob}@domain.com"));
        let mut linphone = if transport == "tls" {
            Linphone::register_securely(&linda, proxy.address, (tls.port(), &authority.path("ca.pem")))
        } else {
            Linphone::register(&linda, proxy.address, transport)
        };
        let mut baresip = Baresip::register(&bob, proxy.address, "udp", &at_linda);
        linphone.dial(&at_bob);
        linphone.wait_for_call(1, &at_bob, "connected");
        baresip.tells(&format!("Call established: {at_linda}"));
        linphone.hang_up();
        baresip.tells("session closed");
        baresip.dial(&at_linda);
        linphone.wait_for_call(2, &at_bob, "connected");
        baresip.tells(&format!("Call established: {at_linda};transport=udp"));
        baresip.hang_up();
        linphone.wait_for_call(2, &at_bob, "ended");
    }
}
