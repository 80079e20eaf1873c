//! `cargo xtask screenshots`: the pictures of the documentation, each made from a real run.

mod client;
mod forward;
mod node;
mod picture;
mod svg;
mod terminal;

pub(crate) use picture::run;
