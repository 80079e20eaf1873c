//! Dialers: the ways to connect inside the target's network namespace.

mod auto;
mod connect;
mod dialer;
mod helper;
mod helper_connect;
mod helper_end;
mod helper_error;
mod helper_target;
mod native;
mod nsenter;
mod server_end;

pub(in crate::forward) use helper::Helper;

pub use auto::Auto;
pub use dialer::{Connection, Dialer, Dialing};
pub use helper_error::{HelperError, HelperMissing, HelperUntrusted};
pub use native::Native;
pub use nsenter::Nsenter;
