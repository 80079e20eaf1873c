//! `pfsnoop serve`, with real clients.

mod access;
mod attacker;
mod attacks;
mod ended_pods;
mod clients;
mod endpoint;
mod forwards;
mod lists;
