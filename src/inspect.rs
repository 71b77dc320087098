//! Says from the messages on a wire what became of each submission: who got it, after how many transmissions, and what
//! the reports said. The messages come from the wire tap, or from a capture that Fanfare, tshark or sngrep wrote.
//!
//! This room only looks: nothing that it reads is trusted or acted upon, and it needs no more than one pass over the
//! messages with look-ups in ordered maps.
//!
//! Its parts; each uses only those listed after it:

mod comparison;

mod filter;

mod ladder_text;

mod ladder;

mod counted;

mod together;

mod verdict;

mod submissions;

mod capture_file;

mod packet;

pub mod pdu_tag;

mod trace;

pub use capture_file::{CaptureFile, CaptureFileError, Cut, read_capture, read_capture_within};
pub use comparison::{ComparedLine, Comparison, compare};
pub use counted::counted;
pub use filter::{Filter, Findable, ends, label};
pub use ladder::{Ladder, Party, Row, ladder};
pub use ladder_text::ladder_text;
pub use submissions::{FinalAnswer, Leg, Part, Recipient, Submission, Submissions, submissions};
pub use together::together;
pub use trace::{Direction, Read, Traced, WireMessage};
pub use verdict::{Source, State, Verdict, verdict};

#[cfg(test)]
mod tests;
