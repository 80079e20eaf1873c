//! `pfsnoop serve`, with real clients.

mod access;
mod ended_pods;
mod endpoint;
mod forwards;
mod lists;
