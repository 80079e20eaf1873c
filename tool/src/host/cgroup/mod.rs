//! Cgroups: the container and pod of a process by the path of its cgroup, and the folder of a cgroup.

mod delegation;
mod folder;
mod members;
mod placement;
mod shapes;

#[cfg(test)]
mod tests;

pub use delegation::is_delegated;
pub use folder::CgroupFolder;
pub use members::is_cgroup_of;
pub use placement::{of_path, of_record, parse, placement_of};
pub use shapes::runtime_named;
