//! `fanfare check`: plays a script with people and faults, and says whether what was expected came true.
//!
//! In virtual time the machines, a network and disks in memory are all there is, so that half a minute of silence takes
//! milliseconds, and the same seed gives the same run. In real time there are sockets, and the proxy is a built-in one or any
//! other.
//!
//! Its parts; each uses only those listed after it:

mod player;

mod live;

mod world;

mod junit;

mod expectation;

mod facts;

mod cast;

mod stage;

mod result;

mod read;

mod lines;

mod examples;

mod script;

pub use examples::EXAMPLES;
pub use junit::junit;
pub use live::{LiveError, Target};
pub use read::{CheckedPerson, CheckedScript, ScriptError, read_script, read_script_for};
pub use result::{Check, Run};
pub use script::{
    Expectation, ListEntry, Names, Outcome, OutcomeExpected, PersonEntry, Reporting, Script, Span, Step,
    UplinkExpected,
};
pub use stage::Unplayable;

/// All that a script may say, as text for people.
pub const SCHEMA: &str = include_str!("check/schema.txt");

/// Plays a script in virtual time.
///
/// # Errors
/// The script wants what cannot be.
pub fn play_in_virtual_time(script: &CheckedScript, seed: u64) -> Result<Run, Unplayable> {
    player::play(script, &mut world::World::new(script, seed)?)
}

/// Plays a script in real time, over sockets.
///
/// # Errors
/// Somebody cannot be started or cannot register, or the script wants what this proxy cannot do.
pub fn play_in_real_time(script: &CheckedScript, target: Target) -> Result<Run, LiveError> {
    Ok(player::play(script, &mut live::Live::new(script, target)?)?)
}

#[cfg(test)]
mod tests;
