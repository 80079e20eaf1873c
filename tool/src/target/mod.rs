//! From what the user named to a [`Target`] that is held; and the list of everything that can be
//! named.

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
