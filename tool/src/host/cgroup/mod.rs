//! Cgroups: the container and pod of a process by the path of its cgroup, and the folder of a cgroup.

mod folder;
mod placement;

#[cfg(test)]
mod tests;

pub use folder::CgroupFolder;
pub use placement::{is_in_pods_folder, of_name, parse, placement_of};
