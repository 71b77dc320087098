//! linphonec and baresip as users of our proxy: they show what they receive, and what they write arrives.

use fanfare::model::journal::DeliveryState;
use serde_json::json;

use super::linphone::Linphone;
use super::{assert_report, secure_proxy};
use crate::baresip::Baresip;
use crate::common::{Proxy, listener, objects};
use crate::receipts::{Desktop, james};
use crate::socket::{Phone, submission};

const TEXT: &str = "Gr\u{fc}\u{df}e an alle";

#[test]
fn linphone_and_baresip_show_one_message_to_both_and_both_ticks_come() {
    let proxy = Proxy::start();
    for transport in ["udp", "tcp"] {
        let (linda, bella) = (format!("linda-{transport}"), format!("bella-{transport}"));
        let linphone = Linphone::register(&linda, proxy.address, transport);
        let baresip = Baresip::register(&bella, proxy.address, transport, "sip:bob@domain.com");
        let james = Phone::new();
        let people = [linda, bella].map(|user| format!("im:{user}@domain.com"));
        let people = people.each_ref().map(String::as_str);
        let sent = submission(james.address, &people, "Delivery-Report: final;detail\r\n", TEXT);
        assert_eq!(james.ask(proxy.address, &sent).start(), "SIP/2.0 202 Accepted");
        assert_report(&james, &people.map(|person| (person, "success;status=200")));
        linphone.wait_for("sip:james@domain.com", TEXT);
        baresip.wait_for(&format!("sip:james@domain.com: \"{TEXT}\""));
    }
}

#[test]
fn linphone_and_baresip_write_to_a_user_of_ours() {
    let proxy = Proxy::start();
    let bob = listener("bob", &proxy, &["--json"]);
    for transport in ["udp", "tcp"] {
        let (linda, bella) = (format!("linda-{transport}"), format!("bella-{transport}"));
        let mut linphone = Linphone::register(&linda, proxy.address, transport);
        let mut baresip = Baresip::register(&bella, proxy.address, transport, "sip:bob@domain.com");
        linphone.write("sip:bob@domain.com", &format!("hello from {linda}"));
        baresip.write(&format!("hello from {bella}"));
        for user in [linda, bella] {
            let shown = objects(&[bob.line_with(&format!("hello from {user}"))]).remove(0);
            assert_eq!(shown["from"], json!(format!("sip:{user}@domain.com")), "{shown}");
        }
    }
}

#[test]
fn linphone_refuses_a_type_that_it_does_not_know_and_that_is_told() {
    let proxy = Proxy::start();
    let _linda = Linphone::register("linda", proxy.address, "udp");
    let james = Phone::new();
    let sent =
        submission(james.address, &["im:linda@domain.com"], "Delivery-Report: final;detail\r\n", "<b>")
            .replace("text/plain", "text/html");
    assert_eq!(james.ask(proxy.address, &sent).start(), "SIP/2.0 202 Accepted");
    assert_report(&james, &[("im:linda@domain.com", "failure;status=415")]);
}

#[test]
fn w32_linphone_and_baresip_register_write_and_are_written_to_over_tls() {
    let (proxy, tls, authority) = secure_proxy();
    let bob = listener("bob", &proxy, &["--json"]);
    let mut linphone =
        Linphone::register_securely("linda", proxy.address, (tls.port(), &authority.path("ca.pem")));
    let mut baresip = Baresip::register("bella", tls, "tls", "sip:bob@domain.com");
    let _plain = Baresip::register("bert", proxy.address, "tcp", "sip:bob@domain.com");
    let james = Phone::new();
    let people = ["sips:linda@domain.com", "sips:bella@domain.com", "sips:bert@domain.com"];
    let sent = submission(james.address, &people, "Delivery-Report: final;detail\r\n", TEXT);
    assert_eq!(james.ask(proxy.address, &sent).start(), "SIP/2.0 202 Accepted");
    // Bert is not registered over TLS.
    let outcomes = ["success;status=200", "success;status=200", "failure;status=480"];
    let expected: Vec<_> = people.into_iter().zip(outcomes).collect();
    assert_report(&james, &expected);
    linphone.wait_for("sip:james@domain.com", TEXT);
    baresip.wait_for(&format!("sip:james@domain.com: \"{TEXT}\""));
    linphone.write("sip:bob@domain.com", "hello from linda");
    baresip.write("hello from bella");
    for user in ["linda", "bella"] {
        let shown = objects(&[bob.line_with(&format!("hello from {user}"))]).remove(0);
        assert_eq!(shown["from"], json!(format!("sip:{user}@domain.com")), "{shown}");
    }
}

#[test]
fn w28_linphone_shows_the_text_in_cpim_and_baresip_gets_it_alone_without_a_failure() {
    use DeliveryState::Delivered;
    let proxy = Proxy::start();
    let linphone = Linphone::register("linda", proxy.address, "udp");
    let baresip = Baresip::register("bella", proxy.address, "udp", "sip:bob@domain.com");
    let james = Desktop::connected(james(&proxy));
    let both = ["im:linda@domain.com", "im:bella@domain.com"];
    james.send(&both, TEXT);
    assert_eq!(james.until_states(&[&[Delivered, Delivered]]), [2], "to baresip a second time");
    linphone.wait_for("sip:james@domain.com", TEXT);
    baresip.wait_for(&format!("sip:james@domain.com: \"{TEXT}\""));
    // From now on it is known that baresip needs the text alone.
    james.send(&both, "And once more.");
    assert_eq!(james.until_states(&[&[Delivered, Delivered], &[Delivered, Delivered]]), [2, 1]);
    linphone.wait_for("sip:james@domain.com", "And once more.");
    baresip.wait_for("sip:james@domain.com: \"And once more.\"");
    assert_eq!(james.failures_told(), []);
}
