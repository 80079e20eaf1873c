//! A folder with the files of a node that the agent's pod mounts.

use std::path::{Path, PathBuf};

use crate::common::temp::TempDir;
use crate::common::{output, stdout_of, system};

/// The folder. It is a shared mount, as systemd makes the root of a node.
pub struct NodeRoot(TempDir);

impl NodeRoot {
    /// A node on which a runtime has its socket at this path.
    pub fn new(name: &str, socket: &Path, path: &str) -> Self {
        let root = TempDir::new(name);
        let link = root.join(path);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        // The same socket, not a name of it that leads out of the folder.
        std::fs::hard_link(socket, link).unwrap();
        let node = Self(root);
        stdout_of(system("mount").arg("--bind").arg(node.0.path()).arg(node.0.path()));
        stdout_of(system("mount").arg("--make-rshared").arg(node.0.path()));
        node
    }

    /// The folder that stands for this one of the node. It is made if need be.
    pub fn folder(&self, path: &str) -> PathBuf {
        let folder = self.0.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }
}

impl Drop for NodeRoot {
    fn drop(&mut self) {
        let _ = output(system("umount").args(["--lazy", "--recursive"]).arg(self.0.path()));
    }
}
