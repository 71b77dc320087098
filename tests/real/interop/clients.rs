//! linphonec and baresip as users of our proxy: what they are sent they show, and what they write arrives.

use serde_json::json;

use super::assert_report;
use super::baresip::Baresip;
use super::linphone::Linphone;
use crate::common::{Proxy, listener, objects};
use crate::socket::{Phone, submission};

const TEXT: &str = "Gr\u{fc}\u{df}e an alle";

#[test]
fn linphone_and_baresip_show_one_message_to_both_and_both_ticks_come() {
    let proxy = Proxy::start();
    let linda = Linphone::register("linda", proxy.address);
    let mut bella = Baresip::register("bella", proxy.address, "sip:bob@domain.com");
    let james = Phone::new();
    let people = ["im:linda@domain.com", "im:bella@domain.com"];
    let sent = submission(james.address, &people, "Delivery-Report: final;detail\r\n", TEXT);
    assert_eq!(james.ask(proxy.address, &sent).start(), "SIP/2.0 202 Accepted");
    assert_report(&james, &[(people[0], "success;status=200"), (people[1], "success;status=200")]);
    linda.wait_for("sip:james@domain.com", TEXT);
    bella.wait_for(&format!("sip:james@domain.com: \"{TEXT}\""));
}

#[test]
fn linphone_and_baresip_write_to_a_user_of_ours() {
    let proxy = Proxy::start();
    let bob = listener("bob", &proxy, &["--json"]);
    let mut linda = Linphone::register("linda", proxy.address);
    let mut bella = Baresip::register("bella", proxy.address, "sip:bob@domain.com");
    linda.write("sip:bob@domain.com", "hello from linda");
    bella.write("hello from bella");
    for (user, text) in [("linda", "hello from linda"), ("bella", "hello from bella")] {
        let shown = objects(&[bob.line_with(text)]).remove(0);
        assert_eq!(shown["from"], json!(format!("sip:{user}@domain.com")), "{shown}");
    }
}

#[test]
fn linphone_refuses_a_type_that_it_does_not_know_and_that_is_told() {
    let proxy = Proxy::start();
    let _linda = Linphone::register("linda", proxy.address);
    let james = Phone::new();
    let sent =
        submission(james.address, &["im:linda@domain.com"], "Delivery-Report: final;detail\r\n", "<b>")
            .replace("text/plain", "text/html");
    assert_eq!(james.ask(proxy.address, &sent).start(), "SIP/2.0 202 Accepted");
    assert_report(&james, &[("im:linda@domain.com", "failure;status=415")]);
}
