//! Lists as kubectl prints them: columns and rows.

mod age;
mod cells;
mod table;

pub(super) use table::{Include, Table};
