//! Looks whether an expectation is met, and says what was seen instead.

use std::collections::BTreeSet;
use std::time::Duration;

use super::facts::Facts;
use super::script::{Expectation, Outcome, OutcomeExpected, UplinkExpected};
use crate::time::latency;

/// What was expected, and what was seen instead.
pub(super) type Judged = (String, Option<String>);

/// Judges an expectation; several people are judged one by one.
pub(super) fn judge(one: &Expectation, facts: &Facts<'_>) -> Vec<Judged> {
    match one {
        Expectation::Outcome(expected) => {
            expected.of.0.iter().map(|name| outcome(expected, name, facts)).collect()
        }
        Expectation::NoOutcome { of, within, .. } => {
            of.0.iter().map(|name| no_outcome(name, within.0, facts)).collect()
        }
        Expectation::Uplink(expected) => vec![uplink(expected, facts)],
        Expectation::Arrived { at, times, .. } => {
            at.0.iter()
                .map(|name| {
                    let expected = format!("arrived at {name} {}", often(*times));
                    let seen = facts.arrivals(name);
                    (expected, (seen != *times).then(|| often(seen)))
                })
                .collect()
        }
        Expectation::Reports { count, .. } => {
            let seen = facts.reports();
            vec![(format!("reports: {count}"), (seen != *count).then(|| seen.to_string()))]
        }
        Expectation::Window { line, resend_goes_to, .. } => {
            let names = resend_goes_to.as_ref().map(|names| names.0.iter().cloned().collect());
            vec![window(line.as_deref(), names.as_ref(), facts)]
        }
    }
}

fn outcome(expected: &OutcomeExpected, name: &str, facts: &Facts<'_>) -> Judged {
    let (seen, status, after) = facts.outcome(name);
    let transmissions = facts.transmissions(name);
    let mut words = Vec::new();
    let mut is_met = true;
    if let Some(is) = expected.is {
        words.push(format!("{is:?}"));
        is_met &= seen == Some(is);
    }
    if let Some(wanted) = expected.status {
        words.push(format!("status {wanted}"));
        is_met &= status == Some(wanted);
    }
    if let Some(wanted) = expected.transmissions {
        words.push(format!("sent {}", often(wanted)));
        is_met &= transmissions == wanted;
    }
    if let Some(least) = expected.transmissions_at_least {
        words.push(format!("sent at least {}", often(least)));
        is_met &= transmissions >= least;
    }
    if let Some(most) = expected.transmissions_at_most {
        words.push(format!("sent at most {}", often(most)));
        is_met &= transmissions <= most;
    }
    if let Some(least) = expected.latency_at_least {
        words.push(format!("known after {} or later", latency(least.0)));
        is_met &= after.is_some_and(|after| after >= least.0);
    }
    if let Some(most) = expected.latency_at_most {
        words.push(format!("known within {}", latency(most.0)));
        is_met &= after.is_some_and(|after| after <= most.0);
    }
    let instead = (!is_met).then(|| described(seen, status, after, Some(transmissions)));
    (format!("{name}: {}", words.join(", ")), instead)
}

fn no_outcome(name: &str, within: Duration, facts: &Facts<'_>) -> Judged {
    let (seen, status, after) = facts.outcome(name);
    let is_met = after.is_none_or(|after| after > within);
    let instead = (!is_met).then(|| described(seen, status, after, None));
    (format!("{name}: nothing known within {}", latency(within)), instead)
}

fn described(
    seen: Option<Outcome>,
    status: Option<u16>,
    after: Option<Duration>,
    transmissions: Option<usize>,
) -> String {
    let Some(seen) = seen else { return "the message does not go there".to_owned() };
    let status = status.map_or_else(String::new, |status| format!(", status {status}"));
    let after = after.map_or_else(String::new, |after| format!(", known after {}", latency(after)));
    let times = transmissions.map_or_else(String::new, |times| format!(", sent {}", often(times)));
    format!("{seen:?}{status}{times}{after}")
}

fn uplink(expected: &UplinkExpected, facts: &Facts<'_>) -> Judged {
    let seen = facts.uplink();
    let mut words = Vec::new();
    let mut is_met = true;
    if let Some(wanted) = expected.messages {
        words.push(counted(wanted));
        is_met &= seen.messages == wanted;
    }
    if let Some(wanted) = expected.transmissions {
        words.push(format!("sent {}", often(wanted)));
        is_met &= seen.transmissions == wanted;
    }
    if let Some(most) = expected.transmissions_at_most {
        words.push(format!("sent at most {}", often(most)));
        is_met &= seen.transmissions <= most;
    }
    if let Some(most) = expected.bytes_at_most {
        words.push(format!("at most {most} bytes"));
        is_met &= seen.messages > 0 && seen.bytes <= most;
    }
    if let Some(wanted) = expected.status {
        words.push(format!("answered {wanted}"));
        is_met &= seen.status == Some(wanted);
    }
    let status = seen.status.map_or_else(|| "not answered".to_owned(), |status| format!("answered {status}"));
    let instead = format!(
        "{}, sent {}, {} bytes, {status}",
        counted(seen.messages),
        often(seen.transmissions),
        seen.bytes
    );
    (format!("uplink: {}", words.join(", ")), (!is_met).then_some(instead))
}

fn window(line: Option<&str>, resend: Option<&BTreeSet<String>>, facts: &Facts<'_>) -> Judged {
    let listed = |names: &BTreeSet<String>| match names.len() {
        0 => "nobody".to_owned(),
        _ => names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    };
    let mut words = Vec::new();
    words.extend(line.map(|line| format!("{line:?}")));
    words.extend(resend.map(|names| format!("Resend goes to {}", listed(names))));
    let expected = format!("window: {}", words.join(", "));
    let Some((shown, goes_to)) = facts.window() else {
        return (expected, Some("the message was not taken".to_owned()));
    };
    let is_met = line.is_none_or(|line| line == shown) && resend.is_none_or(|names| *names == goes_to);
    (expected, (!is_met).then(|| format!("{shown:?}, Resend goes to {}", listed(&goes_to))))
}

fn often(times: usize) -> String {
    match times {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}

fn counted(messages: usize) -> String {
    match messages {
        0 => "no MESSAGE".to_owned(),
        1 => "one MESSAGE".to_owned(),
        messages => format!("{messages} MESSAGEs"),
    }
}
