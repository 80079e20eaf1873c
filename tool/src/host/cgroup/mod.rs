//! Cgroups: the container and pod of a process by the path of its cgroup, and the folder of a cgroup.

mod folder;
mod placement;
mod shapes;

#[cfg(test)]
mod tests;

pub use folder::CgroupFolder;
pub use placement::{of_path, of_record, parse, placement_of};
