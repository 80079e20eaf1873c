//! Plain data: what happened on the node and what it means. No I/O and no clock: bytes and times
//! come in as arguments, so that every case is a unit test.

mod args;
mod attempt;
mod destination;
mod end;
mod event;
#[cfg(test)]
mod example;
mod exec_event;
mod exit_event;
mod filter;
mod finding;
mod forwarding_mode;
mod invocation;
mod lost;
mod outcome;
mod owner;
mod owner_filter;
mod placement;
mod ports;
mod process;
mod reason;
mod selection;
mod session;
mod sock_event;
mod sums;
mod target;
mod times;
mod update;

pub use args::{Arg, ArgList, Args};
pub use attempt::Attempt;
pub use destination::{Destination, Lookup};
pub use end::End;
pub use event::Event;
pub use exec_event::ExecEvent;
pub use exit_event::ExitEvent;
pub use filter::Filter;
pub use finding::{Finding, Severity};
pub use forwarding_mode::ForwardingMode;
pub use invocation::{Invocation, NsenterSocat, invocation};
pub use lost::Lost;
pub use outcome::{Outcome, signal_caught_by_socat};
pub use owner::{Container, Owner, Pod};
pub use owner_filter::{OwnerFilter, PodName};
pub use placement::{ContainerRef, NamedFolder, Placement};
pub use ports::PortPair;
pub use process::{NamedProcess, ProcessId, Program};
pub use reason::Reason;
pub use selection::Selection;
pub use session::{Closed, Helper, Session, State, Via};
pub use sock_event::{Bytes, Ending, OwnReset, SockEvent, SockState};
pub use sums::{PortSums, SessionSums, Sums};
pub use target::{TargetEntry, TargetInfo, TargetKind, TargetNetwork};
pub use times::Times;
pub use update::{Listening, Ready, RestartWords, Trouble, Update};
