//! Limits of what testers ask for: peers that fail on purpose, and messages sent many times.

use std::time::Duration;

/// Transmissions of a message that a peer leaves unanswered at most (`drop=COUNT`).
pub const ANSWER_DROPPED_MAX: u32 = 100;
/// The latest that a peer answers (`late=TIME`).
pub const ANSWER_LATE_MAX: Duration = Duration::from_mins(10);
/// Messages whose answers a peer holds back at a time; over it, a message is answered when it is repeated.
pub const ANSWERS_LATE_MAX: usize = 1000;
/// Messages of which a peer knows how often they came, and answers of which nobody has been told yet; over it, the oldest is
/// forgotten.
pub const ANSWERS_REMEMBERED_MAX: usize = 10_000;
/// The longest time in a fault of the path or of the proxy.
pub const FAULT_TIME_MAX: Duration = Duration::from_mins(10);
/// Datagrams that faults of the path delay at a time; over it, they are lost.
pub const FAULT_DELAYED_MAX: usize = 10_000;
/// Datagrams that a fault of the path drops first at most (`path:drop=COUNT`).
pub const FAULT_DROPPED_MAX: u32 = 10_000;
/// How far a fault sets a clock ahead or behind at most: a leap year.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_hours(366 * 24);
/// Bytes of a script (`fanfare check`).
pub const SCRIPT_BYTES_MAX: usize = 1024 * 1024;
/// People of a script.
pub const SCRIPT_PEOPLE_MAX: usize = 200;
/// Steps of a script.
pub const SCRIPT_STEPS_MAX: usize = 1000;
/// The longest time of one step.
pub const SCRIPT_TIME_MAX: Duration = Duration::from_hours(7 * 24);
/// Messages that are kept of what passes while a script is played; over it, the rest is not shown.
pub const SCRIPT_WIRE_MAX: usize = 200_000;
/// Runs of a script, each with a seed of its own, that the window plays at a time.
pub const CHECK_RUNS_MAX: usize = 100;
/// Runs of these whose ladders are kept.
pub const CHECK_LADDERS_MAX: usize = 10;
/// Lines of a ladder that the window draws; all are copied.
pub const CHECK_LADDER_LINES_MAX: usize = 400;
/// The latest messages that have a column in the matrix.
pub const MATRIX_COLUMNS_MAX: usize = 20;
/// The latest messages to one person that the matrix plots.
pub const MATRIX_LATEST_MAX: usize = 50;
/// The latest messages that the matrix counts.
pub const MATRIX_MESSAGES_MAX: usize = 200;
/// Recipients of these, over all messages and attempts; over it, older messages are not counted.
pub const MATRIX_DELIVERIES_MAX: usize = 50_000;
/// How often `fanfare send --repeat` sends a message at most.
pub const SEND_REPEAT_MAX: u32 = 100_000;
/// Messages a second at most (`--rate`).
pub const SEND_RATE_MAX: f64 = 10_000.0;
/// Outcomes that one `fanfare send --repeat` counts at most: messages times recipients.
pub const SEND_OUTCOMES_MAX: usize = 1_000_000;
