//! A server over datagrams that stops answering: the account is offline at once, and pending messages leave unchanged
//! when it is back (W10, W12).

use super::*;
use crate::model::account::ConnectStep;
use crate::model::reason::LocalReason;
use DeliveryState::{Delivered, Failed, Queued, Sending};

fn is_offline(stage: &Stage) -> bool {
    matches!(stage.agent.registration(), RegistrationState::Offline { .. })
}

/// Lets time pass until the account registers; returns its REGISTER.
fn next_register(stage: &mut Stage) -> String {
    while !stage.sent.iter().any(|(_, text)| text.starts_with("REGISTER")) {
        stage.advance(Duration::from_millis(100));
    }
    stage.take_sent("REGISTER")
}

/// The proxy answers every REGISTER, and leaves MESSAGEs unanswered this many times.
pub(super) fn proxy_answers_registrations_only(stage: &mut Stage, times: usize) {
    for time in 1..=times {
        stage.advance(Duration::from_secs(32));
        stage.sent.clear();
        let register = next_register(stage);
        stage.answer(&register, "200 OK", PROOF);
        assert_eq!(stage.sent_nothing(), time == times, "sent {time} times");
    }
}

fn messages(stage: &Stage) -> Vec<String> {
    let texts = stage.sent.iter().map(|(_, text)| text.clone());
    texts.filter(|text| text.starts_with("MESSAGE")).collect()
}

#[test]
fn a_submission_that_times_out_makes_the_account_offline_and_goes_again_as_the_same() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "Come here.");
    let first = stage.sent[0].1.clone();
    stage.advance(Duration::from_millis(31_999));
    assert_eq!(*stage.agent.registration(), RegistrationState::Connected);
    stage.advance(Duration::from_millis(1));
    assert_eq!(messages(&stage).len(), 11, "W17");
    assert!(is_offline(&stage), "{:?}", stage.agent.registration());
    assert_eq!(stage.stored(1), [Sending, Sending], "no failure: it waits");
    assert!(!stage.events.iter().any(|event| matches!(event, Event::Refused { .. })));
    stage.sent.clear();
    // Messages written meanwhile wait too.
    stage.send(&["im:cy@domain.com"], "Where are you?");
    assert!(messages(&stage).is_empty());
    let register = next_register(&mut stage);
    stage.answer(&register, "200 OK", PROOF);
    let sent = messages(&stage);
    assert_eq!(sent.len(), 2);
    for name in ["Call-ID", "CSeq", "From", "Delivery-Report", "To", "Secondary-To"] {
        assert_eq!(field(&sent[0], name), field(&first, name), "W12");
    }
    assert_ne!(field(&sent[0], "Via"), field(&first, "Via"), "another transaction");
    stage.accept(&sent[0]);
    let both = "im:ann@domain.com delivery success\nim:bob@domain.com delivery success\n";
    stage.notify(&first, 1, "terminated", both);
    assert_eq!(stage.stored(1), [Delivered, Delivered]);
}

#[test]
fn it_stays_offline_and_silent_until_the_proxy_is_back_a_day_later_it_is_not_repeated() {
    for (hours, is_repeated) in [(22, true), (24, false)] {
        let mut stage = Stage::connected();
        stage.send(&["im:ann@domain.com"], "x");
        stage.advance(Duration::from_secs(32));
        stage.sent.clear();
        stage.advance(Duration::from_secs(hours * 3600));
        assert!(messages(&stage).is_empty(), "nothing but registrations leaves");
        assert_eq!(stage.stored(1), [Sending]);
        stage.sent.clear();
        let register = next_register(&mut stage);
        stage.answer(&register, "200 OK", PROOF);
        assert_eq!(messages(&stage).len(), usize::from(is_repeated), "{hours} h");
        // The proxy has forgotten by then whether it had it (W12): the user has to decide.
        assert_eq!(stage.stored(1), [if is_repeated { Sending } else { Failed }]);
        let told = |event: &Event| matches!(event, Event::Refused { reason, .. } if *reason == LocalReason::NoAnswer.into());
        assert_eq!(stage.events.iter().any(told), !is_repeated);
    }
}

#[test]
fn w10_after_a_restart_it_goes_again_within_the_same_time() {
    let mut stage = Stage::connected();
    stage.send(&["im:ann@domain.com"], "x");
    let first = stage.take_sent("MESSAGE");
    for (hours, is_repeated) in [(22, true), (24, false)] {
        let now = stage.now.plus(Duration::from_secs(hours * 3600));
        let mut after = Stage::with_rows(&account(), stage.stored_rows(), now);
        after.connect();
        assert_eq!(messages(&after).len(), usize::from(is_repeated), "{hours} h");
        if is_repeated {
            assert_eq!(field(&messages(&after)[0], "Call-ID"), field(&first, "Call-ID"));
        }
    }
}

#[test]
fn a_refresh_under_way_is_not_given_up_by_the_silence() {
    let mut stage = Stage::connected();
    stage.advance(Duration::from_secs(500));
    stage.send(&["im:ann@domain.com"], "x");
    stage.sent.clear();
    stage.advance(Duration::from_secs(32));
    let asked = stage.sent.iter().rev().find(|(_, text)| text.starts_with("REGISTER"));
    let register = asked.expect("a refresh within that time").1.clone();
    assert_eq!(
        *stage.agent.registration(),
        RegistrationState::Connecting(ConnectStep::Asking { is_encrypted: false })
    );
    stage.sent.clear();
    stage.answer(&register, "200 OK", PROOF);
    assert_eq!(*stage.agent.registration(), RegistrationState::Connected);
    assert_eq!(messages(&stage).len(), 1);
}

#[test]
fn a_server_that_is_silent_while_we_connect_is_told_of_once_and_may_still_answer() {
    let mut stage = Stage::new(&account());
    let step = |stage: &Stage| {
        if let RegistrationState::Connecting(step) = stage.agent.registration() { Some(*step) } else { None }
    };
    stage.command(AgentCommand::Connect);
    stage.advance(Duration::from_millis(3_999));
    assert_eq!(step(&stage), Some(ConnectStep::Asking { is_encrypted: false }));
    stage.advance(Duration::from_millis(1));
    assert_eq!(step(&stage), Some(ConnectStep::Waiting { is_encrypted: false }));
    stage.events.clear();
    stage.advance(Duration::from_secs(20));
    assert!(stage.events.is_empty(), "{:?}", stage.events);
    let register = stage.sent.last().expect("transmitted again").1.clone();
    stage.answer(&register, "200 OK", PROOF);
    assert_eq!(*stage.agent.registration(), RegistrationState::Connected);
    // A refresh is no news to anybody.
    stage.advance(Duration::from_secs(550));
    stage.advance(Duration::from_secs(10));
    assert_eq!(*stage.agent.registration(), RegistrationState::Connected);
}

#[test]
fn a_server_without_proof_is_offline_by_the_same_silence_and_nobody_gets_a_double() {
    let mut stage = Stage::new(&account());
    stage.register("200 OK", "Expires: 600\n");
    let asked = stage.take_sent("OPTIONS");
    stage.answer(&asked, "200 OK", "");
    assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut);
    stage.advance(Duration::from_secs(1));
    stage.send(&ANN_AND_BOB, "x");
    stage.advance(Duration::from_secs(32));
    assert!(is_offline(&stage), "{:?}", stage.agent.registration());
    assert_eq!(stage.stored(1), [Failed, Failed]);
    let guess = |write: &Write| matches!(write, Write::Delivery(row) if row.phrase == LocalReason::NoFinalAnswer.into());
    assert_eq!(stage.rows.iter().filter(|write| guess(write)).count(), 2);
    stage.sent.clear();
    stage.send(&["im:cy@domain.com"], "y");
    assert_eq!(stage.stored(1).len(), 2);
    let waits = |write: &Write| matches!(write, Write::Delivery(row) if row.message == MessageId(2) && row.state == Queued);
    assert!(stage.rows.iter().any(waits) && messages(&stage).is_empty());
    let register = next_register(&mut stage);
    stage.answer(&register, "200 OK", "Expires: 600\n");
    let sent = messages(&stage);
    assert_eq!(sent.len(), 1, "what never left goes, what they may have does not");
    assert_eq!(field(&sent[0], "To"), "<sip:cy@domain.com>");
}

#[test]
fn a_recipient_who_is_silent_behind_a_server_that_is_not_leaves_the_account_connected() {
    let mut stage = Stage::new(&account());
    stage.register("200 OK", "Expires: 600\n");
    stage.advance(Duration::from_secs(1));
    stage.send(&ANN_AND_BOB, "x");
    let sent = messages(&stage);
    stage.advance(Duration::from_secs(1));
    stage.answer(&sent[0], "200 OK", "");
    stage.advance(Duration::from_secs(31));
    assert_eq!(stage.stored(1), [Delivered, Failed]);
    assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut);
}
