//! What the log says of what a proxy tells its owner.

use crate::proxy::ProxyEvent;

pub(super) fn log(event: ProxyEvent) {
    if matches!(event, ProxyEvent::Busy | ProxyEvent::Calm { .. }) {
        return log_load(&event);
    }
    match refusal_line(&event) {
        Some(line) => log_refusal(&line),
        None => tracing::debug!(?event, "proxy"),
    }
}

/// The log line about refusals, for an operator or a program that reads the log.
fn refusal_line(event: &ProxyEvent) -> Option<String> {
    if let ProxyEvent::OffencesUntold { count } = event {
        return Some(format!("refused from too many sources to name each: {count} more"));
    }
    if let ProxyEvent::Offence(refusal) = event { Some(refusal.to_string()) } else { None }
}

/// Logged as one text without fields, so that nothing else can alter its format.
fn log_refusal(line: &str) {
    tracing::warn!("{line}");
}

/// Logged at a level that an operator sees by default.
fn log_load(event: &ProxyEvent) {
    let words = if *event == ProxyEvent::Busy {
        "more comes in than can be served; some requests get 503 and Retry-After"
    } else {
        "everything is served again"
    };
    tracing::warn!(?event, "{words}");
}
