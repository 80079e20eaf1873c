//! `pfsnoop serve`, with real clients.

mod access;
mod endpoint;
mod forwards;
mod lists;
