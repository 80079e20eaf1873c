//! Plain data: what happened on the node and what it means. No I/O and no clock: bytes and times
//! come in as arguments, so that every case is a unit test.

mod destination;
mod event;
mod filter;
mod finding;
mod forwarding_mode;
mod invocation;
mod outcome;
mod owner;
mod ports;
mod process;
mod reason;
mod selection;
mod session;
mod sums;
mod target;
mod times;
mod update;

pub use destination::{Destination, Lookup};
pub use event::{Arg, Args, Bytes, End, Event, ExecEvent, ExitEvent, Lost, SockEvent, SockState};
pub use filter::Filter;
pub use finding::{Finding, Severity};
pub use forwarding_mode::ForwardingMode;
pub use invocation::{Invocation, NsenterSocat, invocation};
pub use outcome::{Outcome, signal_caught_by_socat};
pub use owner::{Container, ContainerRef, Owner, OwnerFilter, Placement, Pod, PodName};
pub use ports::PortPair;
pub use process::{ProcessId, Program};
pub use reason::Reason;
pub use selection::Selection;
pub use session::{Closed, Helper, Session, State, Via};
pub use sums::{PortSums, SessionSums, Sums};
pub use target::{TargetEntry, TargetInfo, TargetKind, TargetNetwork};
pub use times::Times;
pub use update::{Listening, Ready, Trouble, Update};
