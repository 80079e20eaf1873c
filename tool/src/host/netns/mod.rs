//! Network namespaces: their files, and a thread inside one of them.

mod files;
mod foreign;
mod interfaces;
mod listeners;
mod netns;

pub use files::{file_of, host_file, host_inode, inode_of, is_host, is_ours};
pub use interfaces::addresses_here;
pub use netns::Netns;
