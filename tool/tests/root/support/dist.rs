//! What `cargo xtask dist` makes.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::common::stdout_of;

/// The folder of `cargo xtask dist`, made once.
pub static DIST: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut xtask = std::process::Command::new("nice");
    xtask.args([env!("CARGO"), "xtask", "dist"]).env_remove("CARGO_TARGET_DIR");
    stdout_of(xtask.current_dir(root));
    root.join("target/dist")
});

/// The only file there whose name ends so.
pub fn file_of_dist(end: &str) -> PathBuf {
    let files = std::fs::read_dir(&*DIST).unwrap().map(|entry| entry.unwrap().path());
    let found = files.filter(|path| path.to_str().unwrap().ends_with(end));
    let [file] = &found.collect::<Vec<_>>()[..] else { panic!("one file {end}") };
    file.clone()
}
