//! A store in memory: for the simulation, and as the second store that passes the same tests as SQLite.
//!
//! It is simple rather than fast: a group of batches is applied to a copy, which then takes the place of the rows.

mod client;

mod deletion;

mod newest;

mod proxy;

mod searching;

pub use self::client::ClientMemory;
pub use self::proxy::{ChangesInMemory, ProxyMemory};
use super::tables::Unwritten;
use crate::machine::Batch;

/// Applies all of a group or nothing; an error names the row that is missing or taken.
fn apply_all<S: Clone, W: Clone>(
    rows: &mut S,
    group: &[Batch<W>],
    apply: fn(&mut S, W) -> Result<(), String>,
) -> Result<(), Unwritten> {
    let mut next = rows.clone();
    for write in group.iter().flat_map(|batch| &batch.writes) {
        apply(&mut next, write.clone())
            .map_err(|why| Unwritten::new(why, "this is a fault of the program"))?;
    }
    *rows = next;
    Ok(())
}
