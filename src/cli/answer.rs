//! `fanfare listen --answer`: how a peer that a tester runs answers messages, and what it tells of that.

use clap::Args;

use super::output::{OutputLine, Printer, utc};
use super::parse;
use crate::injection::{Answer, Sent};
use crate::runtime::answering::{Answered, Rule};

/// How messages are answered, for tests.
#[derive(Debug, Args)]
pub(super) struct AnswerArguments {
    /// For tests: how to answer messages. ANSWER is a status such as 486, silent, junk, late=3s, drop=2 or dup, or several of
    /// these with commas between them (default: every message is accepted).
    #[arg(long, value_name = "ANSWER")]
    answer: Option<Answer>,
    /// The same for messages from one sender, or from everybody in a domain; may be repeated, and the first that fits counts.
    #[arg(long, value_name = "ADDRESS=ANSWER", value_parser = rule)]
    answer_to: Vec<Rule>,
}

impl AnswerArguments {
    /// The rules in the order in which they count.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let others = self.answer.map(|answer| Rule { from: None, answer });
        self.answer_to.iter().cloned().chain(others).collect()
    }
}

fn rule(text: &str) -> Result<Rule, String> {
    let Some((from, answer)) = text.split_once('=') else {
        return Err(format!("{text:?} has no = after the address; write it like ann@domain.com=486"));
    };
    Ok(Rule { from: Some(parse::sender(from)?), answer: answer.parse()? })
}

/// Prints what became of messages that were not simply accepted.
pub(super) fn print(printer: Printer, answered: &[Answered]) {
    for Answered { at, from, call_id, transmission, sent } in answered {
        let answer = match sent {
            Sent::Nothing => "none".to_owned(),
            Sent::Junk => "junk".to_owned(),
            Sent::Status(status) => status.to_string(),
            // The machine answers, and prints the message.
            Sent::Usual => continue,
        };
        printer.print(&OutputLine::Answered {
            time: utc(*at),
            id: call_id,
            from,
            transmission: *transmission,
            answer: &answer,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Aor;

    #[test]
    fn a_rule_is_for_a_sender_or_a_domain_and_the_general_one_comes_last() {
        let from = |text: &str| Some(Aor::parse(text).unwrap());
        let of = |text: &str| rule(text).unwrap();
        let answer = "late=3s,486".parse().unwrap();
        assert_eq!(of("im:ann@Domain.com=late=3s,486"), Rule { from: from("ann@domain.com"), answer });
        let silent = "silent".parse().unwrap();
        let arguments = AnswerArguments { answer: Some(silent), answer_to: vec![of("domain.com=486")] };
        let rules = arguments.rules();
        assert_eq!(rules[0].from, from("domain.com"));
        assert_eq!(rules[1], Rule { from: None, answer: silent });
        assert_eq!(
            rule("486").unwrap_err(),
            "\"486\" has no = after the address; write it like ann@domain.com=486"
        );
        assert!(rule("a b=486").unwrap_err().contains("contains a space"));
        assert!(
            rule("ann@domain.com=busy").unwrap_err().starts_with("\"busy\" is not an answer; use a status")
        );
    }
}
