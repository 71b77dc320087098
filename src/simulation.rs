//! Machines in virtual time: hosts with their disks, the connections between them, and the clock that jumps to the next event.
//! The network that joins them to a world is their owner's: scripts of testers (`check`) have one world, the simulation in
//! `tests/sim` another, in which everything fails.
//!
//! Its parts; each uses only those listed after it:

mod links;

mod timeline;

mod host;

mod kind;

mod disk;

pub use disk::{Disk, Mode, NoStore, Outcome};
pub use host::{Body, Host, HostId, Station};
pub use kind::{Arrival, Durable, Effect, Kind, Told, Written};
pub use links::{End, Links, Side, stream};
pub use timeline::{Planned, Timeline, Turn};
