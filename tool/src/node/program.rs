//! A program as another process would find it: in that process's PATH, below its root.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

/// How long a program may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(2);

/// How much of what it says is read.
const MOST_SAID: u64 = 4096;

/// Most characters of a PATH that are shown.
const MOST_SHOWN: usize = 400;

/// The files that a process sees: its mount namespace, from its root on.
#[derive(Clone, Debug)]
pub struct Root {
    root: PathBuf,
    namespace: PathBuf,
}

impl Root {
    /// Ours.
    #[must_use]
    pub fn own() -> Self {
        Self::in_proc("self")
    }

    /// That of a process.
    #[must_use]
    pub fn of_process(pid: u32) -> Self {
        Self::in_proc(&pid.to_string())
    }

    fn in_proc(pid: &str) -> Self {
        let process = Path::new("/proc").join(pid);
        Self { root: process.join("root"), namespace: process.join("ns/mnt") }
    }

    /// Whether these are the files that we see too.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let own = Self::own();
        let namespace = |root: &Self| fs::read_link(&root.namespace).ok();
        let root = |root: &Self| root.root.metadata().map(|root| (root.dev(), root.ino())).ok();
        let ours = (namespace(&own), root(&own));
        ours.0.is_some() && ours.1.is_some() && ours == (namespace(self), root(self))
    }

    /// The first executable file of that name in a PATH, as Go's `exec.LookPath` finds it.
    #[must_use]
    pub fn look_up(&self, program: &str, path: &OsStr) -> Option<PathBuf> {
        let root = File::open(&self.root).ok()?;
        // Go refuses a program that it finds relative to the current directory.
        let dirs = std::env::split_paths(path).filter(|dir| dir.is_absolute());
        dirs.map(|dir| dir.join(program)).find(|file| is_executable(&root, file))
    }

    /// A small text file; `None` when it cannot be read.
    #[must_use]
    pub fn read(&self, path: &Path) -> Option<String> {
        use std::io::Read as _;
        let root = File::open(&self.root).ok()?;
        // Whoever owns that root may have put a pipe there.
        let file = open(&root, path, OFlags::RDONLY | OFlags::NONBLOCK)?;
        let mut text = Vec::new();
        File::from(file).take(1024 * 1024).read_to_end(&mut text).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// Whether something is there.
    #[must_use]
    pub fn has(&self, path: &Path) -> bool {
        File::open(&self.root).is_ok_and(|root| open(&root, path, OFlags::PATH).is_some())
    }
}

/// What a program says when it is asked for its version. It is run, as root: so it must be one
/// that root has put among our own files.
pub async fn version(program: &Path) -> Option<String> {
    // socat knows -V alone; both know their own.
    let question = if program.ends_with("socat") { "-V" } else { "--version" };
    let mut command = Command::new(program);
    command.arg(question).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.kill_on_drop(true).spawn().ok()?;
    let mut said = Vec::new();
    let mut stdout = child.stdout.take()?.take(MOST_SAID);
    timeout(PATIENCE, stdout.read_to_end(&mut said)).await.ok()?.ok()?;
    version_in(&String::from_utf8_lossy(&said))
}

/// As if that root were `/`: also for absolute symbolic links (openat2(2)).
fn open(root: &File, path: &Path, flags: OFlags) -> Option<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC;
    openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT).ok()
}

fn is_executable(root: &File, path: &Path) -> bool {
    let Some(stat) = open(root, path, OFlags::PATH).and_then(|file| fstat(file).ok()) else {
        return false;
    };
    FileType::from_raw_mode(stat.st_mode).is_file() && stat.st_mode & 0o111 != 0
}

/// `socat version 1.7.4.4 on ...`, `nsenter from util-linux 2.38.1`, `BusyBox v1.36.1 ...`.
fn version_in(said: &str) -> Option<String> {
    let mut words = said.split_whitespace().take(40);
    let is_version = |word: &&str| {
        let digits = word.trim_start_matches('v');
        digits.starts_with(|char: char| char.is_ascii_digit()) && digits.contains('.')
    };
    Some(words.find(is_version)?.trim_start_matches('v').to_owned())
}

/// A PATH for eyes.
#[must_use]
pub fn shown(path: Option<&OsStr>) -> String {
    let Some(path) = path else { return "(none)".to_owned() };
    let path = String::from_utf8_lossy(path.as_bytes());
    if path.chars().count() <= MOST_SHOWN {
        return path.into_owned();
    }
    path.chars().take(MOST_SHOWN).chain(" ...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_files_below_the_root_alone() {
        let dir = std::env::temp_dir().join(format!("pfsnoop-root-{}", std::process::id()));
        fs::create_dir_all(dir.join("bin")).unwrap();
        fs::copy("/bin/true", dir.join("bin/real")).unwrap();
        // Leads to a file of the node's, and to nothing in that root.
        std::os::unix::fs::symlink("/bin/sh", dir.join("bin/astray")).unwrap();
        std::os::unix::fs::symlink("/bin/real", dir.join("bin/inside")).unwrap();
        fs::write(dir.join("bin/text"), "x").unwrap();
        let root = Root { root: dir.clone(), namespace: "/proc/self/ns/mnt".into() };
        assert!(!root.is_ours() && Root::of_process(std::process::id()).is_ours());
        let find = |name: &str, path: &str| root.look_up(name, OsStr::new(path));
        assert_eq!(find("real", "/nowhere:/bin"), Some("/bin/real".into()));
        assert_eq!(find("inside", "/bin"), Some("/bin/inside".into()));
        for missing in ["astray", "text", "sh"] {
            assert_eq!(find(missing, "/bin:bin:."), None, "{missing}");
        }
        assert_eq!(root.read(Path::new("/bin/text")).as_deref(), Some("x"));
        assert!(root.has(Path::new("/bin/text")) && !root.has(Path::new("/etc")));
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (said, version) in [
            ("socat by G. R. - see www.x.org\nsocat version 1.7.4.4 on 06 Nov", Some("1.7.4.4")),
            ("nsenter from util-linux 2.38.1\n", Some("2.38.1")),
            ("BusyBox v1.36.1 (2024) multi-call binary", Some("1.36.1")),
            ("", None),
        ] {
            assert_eq!(version_in(said).as_deref(), version, "{said}");
        }
    }
}
