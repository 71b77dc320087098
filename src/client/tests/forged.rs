//! Reports forged by recipients, who know what they were sent (W6, W25, W27).

use super::*;
use crate::model::journal::Way;
use DeliveryState::{Delivered, Failed, PassedOn, Sending};

const BOTH: &str = "im:ann@domain.com delivery success\nim:bob@domain.com delivery success\n";

fn plain() -> Stage {
    let mut stage = Stage::new(&account());
    stage.register("200 OK", "Expires: 600\n");
    stage
}

fn listed() -> Stage {
    let mut stage = Stage::new(&account());
    stage.register("200 OK", "Supported: recipient-list-message\nExpires: 600\n");
    stage
}

fn messages(stage: &mut Stage) -> Vec<String> {
    let sent = std::mem::take(&mut stage.sent);
    sent.into_iter().map(|(_, text)| text).filter(|text| text.starts_with("MESSAGE")).collect()
}

/// The answer to a report on this request under this From tag.
fn answer_to_report(stage: &mut Stage, request: &str, tag: &str, number: u32) -> String {
    stage.sent.clear();
    let report = notify(request, number, "terminated", BOTH).replace(";tag=p1", &format!(";tag={tag}"));
    stage.proxy_sends(&report);
    stage.sent.pop().expect("an answer").1
}

#[test]
fn w6_where_each_gets_a_message_of_his_own_no_report_is_believed() {
    let mut stage = plain();
    stage.send(&ANN_AND_BOB, "Come here.");
    let sent = messages(&mut stage);
    for (number, request) in (1..).zip(&sent) {
        let answer = answer_to_report(&mut stage, request, "evil", number);
        assert!(answer.starts_with("SIP/2.0 481 "), "{answer}");
    }
    assert_eq!(stage.stored(1), [Sending, Sending]);
    stage.answer(&sent[1], "200 OK", "");
    // What the second one's program can make of its own request: the common Call-ID.
    let forged = sent[1].replace(field(&sent[1], "Call-ID"), field(&sent[0], "Call-ID"));
    let answer = answer_to_report(&mut stage, &forged, "evil", 3);
    assert!(answer.starts_with("SIP/2.0 481 "), "{answer}");
    assert_eq!(stage.stored(1), [Sending, Delivered]);
}

#[test]
fn w6_each_has_a_from_tag_of_his_own_which_is_the_same_after_a_crash() {
    let mut stage = plain();
    let three = ["im:ann@domain.com", "im:bob@domain.com", "im:cy@domain.com"];
    stage.send(&three, "x");
    let sent = messages(&mut stage);
    let tags: std::collections::BTreeSet<_> = sent.iter().map(|text| from_tag(text)).collect();
    assert_eq!(tags.len(), 3, "{tags:?}");
    let mut after = Stage::with_rows(&account(), stage.stored_rows(), stage.now);
    after.register("200 OK", "Expires: 600\n");
    let again = messages(&mut after);
    assert_eq!(again.iter().map(|text| from_tag(text)).collect::<std::collections::BTreeSet<_>>(), tags);
}

#[test]
fn w6_what_went_one_by_one_and_is_sent_again_under_its_name_goes_one_by_one_again() {
    let mut stage = plain();
    stage.send(&ANN_AND_BOB, "x");
    let before = messages(&mut stage);
    stage.advance(Duration::from_secs(33));
    assert_eq!(stage.stored(1), [Failed, Failed], "no answer");
    // By now the server fans out. The first one knows Call-ID and tag, and would write the report on all.
    let asked = stage.take_sent("REGISTER");
    stage.answer(&asked, "200 OK", PROOF);
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    let again = messages(&mut stage);
    assert_eq!(again.len(), 2, "{again:?}");
    for (first, second) in before.iter().zip(&again) {
        assert!(!has_field(second, "Secondary-To") && !has_field(second, "Contact"), "{second}");
        for name in ["To", "From", "Call-ID", "CSeq"] {
            assert_eq!(field(first, name), field(second, name));
        }
    }
    let answer = answer_to_report(&mut stage, &again[0], "p1", 1);
    assert!(answer.starts_with("SIP/2.0 481 "), "{answer}");
    stage.answer(&again[0], "200 OK", "");
    stage.answer(&again[1], "200 OK", "");
    assert_eq!(stage.stored(2), [Delivered, Delivered]);
    let rows = stage.stored_rows();
    assert!(rows.open[0].attempts.iter().all(|attempt| attempt.way == Way::OneByOne));
}

#[test]
fn w27_for_a_list_a_report_counts_under_the_tag_of_the_2xx_alone() {
    for (offers, taken) in [("", PassedOn), ("Supported: secondary-to\n", DeliveryState::Accepted)] {
        let mut stage = listed();
        stage.send(&ANN_AND_BOB, "x");
        let sent = messages(&mut stage).remove(0);
        let early = answer_to_report(&mut stage, &sent, "p1", 1);
        assert!(early.starts_with("SIP/2.0 480 "), "it comes again later (W23): {early}");
        assert_eq!(stage.stored(1), [Sending, Sending]);
        stage.answer(&sent, "202 Accepted", offers);
        assert_eq!(stage.stored(1), [taken, taken]);
        let forged = answer_to_report(&mut stage, &sent, "evil", 2);
        assert!(forged.starts_with("SIP/2.0 481 "), "{forged}");
        assert_eq!(stage.stored(1), [taken, taken]);
        let good = answer_to_report(&mut stage, &sent, "p1", 3);
        assert!(good.starts_with("SIP/2.0 200 "), "{good}");
        assert_eq!(stage.stored(1), [Delivered, Delivered]);
    }
}
