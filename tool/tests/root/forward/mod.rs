//! `pfsnoop forward`.

mod allowed_users;
mod basics;
mod clients;
mod conformance;
mod connecting;
mod container;
mod ending;
mod gone_clients;
mod json_outcomes;
mod json_sessions;
mod kernel_memory;
mod loops;
mod native;
mod native_transfers;
mod nsenter;
mod own_addresses;
mod pending;
mod restarts;
mod slow;
mod sockets;
mod stalls;
mod stream_sessions;
mod streams;
mod unreadable_helper;
