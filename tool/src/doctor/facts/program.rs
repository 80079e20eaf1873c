//! A program that is asked for its version, and the PATH in which it was looked for.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

/// How long a program may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(2);

/// How much of what it says is read.
const MOST_SAID: u64 = 4096;

/// Most characters of a PATH that are shown.
const MOST_SHOWN: usize = 400;

/// The code with which the dynamic linker ends a program whose libraries are missing or broken.
const NOT_LINKED: i32 = 127;

/// What came of asking a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// It told.
    Told(String),
    /// It was not asked, or did not tell.
    Unknown,
    /// It is there, and does not run; in the system's words.
    Broken(String),
}

/// What a program says when it is asked for its version. It is run, with our rights: so it must be
/// one that nobody but root, or we, can have put there.
pub async fn version(program: &Path) -> Version {
    let Some(file) = program.canonicalize().ok().filter(|file| is_trusted(file)) else {
        return Version::Unknown;
    };
    // socat knows -V alone; both know their own.
    let question = if program.ends_with("socat") { "-V" } else { "--version" };
    let mut command = Command::new(file);
    // BusyBox goes by the name that it is called by.
    command.arg0(program).arg(question).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Version::Broken(error.to_string()),
    };
    let mut said = Vec::new();
    let heard = async {
        let mut stdout = child.stdout.take()?.take(MOST_SAID);
        stdout.read_to_end(&mut said).await.ok()?;
        drop(stdout);
        child.wait().await.ok()
    };
    let ended = timeout(PATIENCE, heard).await.ok().flatten();
    if let Some(status) = ended.filter(|&status| said.is_empty() && was_not_run(status)) {
        return Version::Broken(status.to_string());
    }
    version_in(&String::from_utf8_lossy(&said)).map_or(Version::Unknown, Version::Told)
}

/// Whether nobody but root or we can replace it.
fn is_trusted(file: &Path) -> bool {
    let us = rustix::process::geteuid().as_raw();
    file.ancestors().all(|path| {
        let Ok(meta) = path.metadata() else { return false };
        let others_write = meta.mode() & 0o022 != 0;
        // In a folder as /tmp nobody replaces what is another's.
        let is_sticky = meta.is_dir() && meta.mode() & 0o1000 != 0;
        (meta.uid() == 0 || meta.uid() == us) && (!others_write || is_sticky)
    })
}

fn was_not_run(status: ExitStatus) -> bool {
    status.code().is_none_or(|code| code == NOT_LINKED)
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
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::*;

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

    #[tokio::test]
    async fn a_program_is_asked_when_nobody_else_can_have_put_it_there() {
        let dir = std::env::temp_dir().join(format!("pfsnoop-program-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let program = dir.join("nsenter");
        let script = |text: &str| {
            fs::write(&program, text).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        };
        script("#!/bin/sh\necho nsenter 9.8\n");
        let told = Version::Told("9.8".to_owned());
        assert_eq!(version(&program).await, told);
        for path in [&dir, &program] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
            assert_eq!(version(&program).await, Version::Unknown, "{}", path.display());
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            chown(path, Some(65534), None).unwrap();
            assert_eq!(version(&program).await, Version::Unknown, "{}", path.display());
            chown(path, Some(0), None).unwrap();
        }
        assert_eq!(version(&program).await, told);
        for (text, version_of) in [
            ("#!/bin/sh\nexit 1\n", Version::Unknown),
            ("#!/bin/sh\nexit 127\n", Version::Broken("exit status: 127".to_owned())),
            (
                "#!/nowhere/sh\n",
                Version::Broken("No such file or directory (os error 2)".to_owned()),
            ),
        ] {
            script(text);
            assert_eq!(version(&program).await, version_of, "{text}");
        }
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_long_path_is_cut() {
        assert_eq!(shown(None), "(none)");
        assert_eq!(shown(Some(OsStr::new("/bin"))), "/bin");
        assert_eq!(shown(Some(OsStr::new(&"x".repeat(500)))), format!("{} ...", "x".repeat(400)));
    }
}
