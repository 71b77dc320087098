//! The faults that a tester injects: one grammar for the window, the flag `--fault` and scripts, and how faults of the path
//! are carried out.
//!
//! A fault is a subject, a colon, and words with commas between them:
//!
//! - `ben:486`, `ben:drop=2,late=3s`, `ben:offline`: how a simulated person behaves (see [`Answer`])
//! - `path:loss=20%,delay=200ms`: what happens to datagrams on their way (see [`PathFault`]); `submission`, `202`, `legs` and
//!   `notify` stand for one kind of message
//! - `notify:truncate`, `notify:forge`: what happens to reports
//! - `connections:stall,for=20s`, `connections:cut`: what happens to connections
//! - `proxy:crash`, `proxy:stop`, `proxy:start`: the proxy's process
//! - `disk:full`, `clock:skew=-1h`: the proxy's disk and clock
//!
//! `usual` in place of the words ends the fault, except that a proxy is started. A fault takes the place of the one before it
//! that has the same subject. A preset has a name (`Tunnel`) and stands for faults; see [`PRESETS`].
//!
//! ```
//! use fanfare::injection::{Injection, Passing, read};
//!
//! let faults = read("path:loss=20%,delay=200ms").unwrap();
//! assert!(matches!(&faults[..], [Injection::Path { of: Passing::Everything, fault }] if fault.loss == 20));
//! assert_eq!(faults[0].to_string(), "path:loss=20%,delay=200ms");
//!
//! let wrong = read("path:los=20%").unwrap_err();
//! assert_eq!((wrong.at, wrong.why.ends_with("did you mean loss?")), (5, true));
//! ```
//!
//! Its parts; each uses only those listed after it:

mod board;

mod mark;

mod path_layer;

mod presets;

mod grammar;

mod path;

mod proxy;

mod answer;

mod words;

pub use answer::{Answer, JUNK, Sent};
pub use board::FaultBoard;
pub use grammar::{Conduct, Injection};
pub use mark::Mark;
pub use path::{Passing, PathFault, Tampering};
pub use path_layer::{Arrival, OnConnection, PathLayer};
pub use presets::{PRESETS, Preset, read};
pub use proxy::{ProxyAct, ProxyFault, is_accepted};
pub use words::{Wrong, nearest};
