//! `pfsnoop serve`, with real clients.

mod access;
mod attacker;
mod attacks;
mod clients;
mod ended_pods;
mod endpoint;
mod forwards;
mod lists;
