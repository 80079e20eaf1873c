//! Stand-ins for daemons such as the kubelet.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::doctor::examine_alone;
use crate::common::temp::TempDir;

/// A program with the name of a daemon, that sleeps.
pub struct StandIn {
    dir: TempDir,
    name: String,
}

impl StandIn {
    /// A stand-in of that name for one test.
    pub fn new(name: &str, test: &str) -> Self {
        let dir = TempDir::new(test);
        std::fs::copy("/bin/sleep", dir.join(name)).unwrap();
        Self { dir, name: name.to_owned() }
    }

    /// Starts it with a shell command in which `DAEMON` is its path, and runs the doctor beside it.
    pub fn examine(&self, start: &str) -> (Vec<Value>, Option<i32>) {
        let start = start.replace("DAEMON", &self.path().display().to_string());
        examine_alone(&format!("({start}) & {}; $PFSNOOP doctor -o json", self.is_up()))
    }

    pub fn path(&self) -> PathBuf {
        self.dir.join(&self.name)
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Shell: starts it in the background and waits until it runs under its own name.
    pub fn start(&self) -> String {
        format!("{} 1000 & {}", self.path().display(), self.is_up())
    }

    /// Shell: waits until it runs under its own name.
    pub fn is_up(&self) -> String {
        let is_up = format!("grep -qx {} /proc/[0-9]*/comm", self.name);
        format!("for i in {{1..200}}; do {is_up} && break; sleep 0.05; done; {is_up} || exit 9")
    }
}
