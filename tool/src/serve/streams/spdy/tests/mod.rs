//! A client of our own against the whole stream layer, over a connection in memory.

mod answers;
pub(in super::super) mod client;
mod decoding;
mod halves;
mod hostile;
mod requests;
mod stalls;
