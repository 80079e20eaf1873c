//! Connections, within limits.

mod admission;

pub(super) use admission::{Admissions, Visitor};
