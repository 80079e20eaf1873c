//! What happened, as plain data, and what it means. Pure: no I/O, no clock; bytes and times come
//! in as arguments, so that every case is a unit test.

mod event;
mod filter;
mod invocation;
mod owner;
mod selection;
mod session;
mod sessions;
mod sums;
mod times;

pub use event::{Arg, Args, Bytes, End, Event, ExecEvent, ExitEvent, Lost, SockEvent, SockState};
pub use filter::Filter;
pub use invocation::{Invocation, NsenterSocat, invocation};
pub use owner::{Container, Owner, OwnerFilter, Pod, PodName};
pub use selection::Selection;
pub use session::{Closed, Destination, Outcome, Program, Session, State, Via};
pub use sessions::{Open, Reason, Sessions, Whom};
pub use sums::{SessionSums, Sums};
pub use times::Times;
