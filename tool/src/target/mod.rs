//! Finds the [`Target`] that the user named, and holds it so that it can be entered. Lists
//! everything that can be named as a target.

mod error;
mod find;
mod list;
mod name;
mod target;

#[cfg(test)]
mod tests;

pub use error::FindError;
pub use list::TargetList;
pub use name::TargetName;
pub use target::{RuntimeInfo, Target};
