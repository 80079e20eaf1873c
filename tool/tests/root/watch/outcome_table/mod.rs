//! The table of `docs/outcomes.md`: each way in which a connection ends, by both dialers, as `pfsnoop
//! forward` and an independent `pfsnoop watch` report it.

mod attempts;
mod case;
mod client_ends;
mod pod_ends;
mod reasons;
mod unread_data;
mod watch_alone;
