//! A client of our own, over a connection in memory.

mod channels;
mod client;
mod tunnel;
