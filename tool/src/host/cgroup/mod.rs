//! The container and pod of a process, by the path of its cgroup.

mod placement;

#[cfg(test)]
mod tests;

pub use placement::{id_of_directory, is_in_pods_folder, of_name, parse, placement_of};
