//! pfsnoop's own log.

use env_logger::Target;
use log::LevelFilter;

use crate::output::Stderr;

/// Starts the log on stderr. With `verbose`, it includes details, and what the kernel programs log.
/// The libraries log warnings only: their details are of no use to a user.
pub(super) fn start_logging(verbose: bool) {
    let own = if verbose { LevelFilter::Debug } else { LevelFilter::Warn };
    let mut builder = env_logger::Builder::new();
    builder.target(Target::Pipe(Box::new(Stderr)));
    // The kernel programs are of the crate `pfsnoop_ebpf`, which begins with this name.
    builder.filter_level(LevelFilter::Warn).filter_module(env!("CARGO_CRATE_NAME"), own).init();
}
