//! Containers and pods by the paths of cgroups.

mod placement;

#[cfg(test)]
mod tests;

pub use placement::{directory, of_name, parse, placement_of};
