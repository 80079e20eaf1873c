//! Finds the [`Target`] that the user named, and holds it so that it can be entered. Lists
//! everything that can be named as a target.

mod alike;
mod ended;
mod error;
mod find;
mod identity;
mod list;
mod name;
mod networks;
mod resource;
mod target;

#[cfg(test)]
mod tests;

pub use ended::TargetEnded;
pub use error::FindError;
pub use identity::Identity;
pub use list::TargetList;
pub use name::TargetName;
pub use networks::NetworkLookup;
pub use target::{RuntimeInfo, Target};
