//! The MESSAGEs that a client sent one by one for one message of its user, as one submission.

use super::submissions::{Part, Submission};

/// Puts them together; the first one is the earliest. None if there is none.
#[must_use]
pub fn together(singles: &[&Submission]) -> Option<Submission> {
    let (first, rest) = singles.split_first()?;
    let mut all = (*first).clone();
    for one in rest {
        let (legs, others) = (all.recipients.len(), all.others.len());
        all.recipients.extend(one.recipients.iter().cloned());
        all.others.extend(one.others.iter().cloned());
        all.messages.extend(one.messages.iter().map(|(place, part)| {
            let part = match part {
                Part::Leg(recipient) => Part::Leg(recipient + legs),
                Part::Other(number) => Part::Other(number + others),
                Part::Uplink | Part::Report => *part,
            };
            (*place, part)
        }));
    }
    all.messages.sort_by_key(|(place, _)| *place);
    Some(all)
}
