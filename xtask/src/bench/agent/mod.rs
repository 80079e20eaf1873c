//! `cargo xtask bench agent`: the agent's store, `history` on it, and what the agent itself takes.

mod run;
mod running;
mod store;

pub(super) use run::run;
