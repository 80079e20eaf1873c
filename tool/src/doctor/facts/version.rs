//! The version that a program prints about itself.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::host::trusted::check_trusted;

/// How long a program may take to print its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(2);

/// How many bytes of the program's output are read.
const MAX_OUTPUT: u64 = 4096;

/// The exit code of the dynamic linker when a library is missing or broken.
const NOT_LINKED: i32 = 127;

/// The result of asking a program for its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// The version that the program printed.
    Known(String),
    /// The program was not run, or printed no version.
    Unknown,
    /// The program cannot be run. The text is the system's error.
    Broken(String),
}

/// Asks a program for its version. The program runs with pfsnoop's rights, so it is run only if no
/// user but root, or pfsnoop's own, can have put it there.
pub async fn version(program: &Path) -> Version {
    if check_trusted(program).is_err() {
        return Version::Unknown;
    }
    let Ok(file) = program.canonicalize() else { return Version::Unknown };
    // socat knows -V only.
    let option = if program.ends_with("socat") { "-V" } else { "--version" };
    let mut command = Command::new(file);
    // BusyBox decides by the name that it is called by.
    command.arg0(program).arg(option).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Version::Broken(error.to_string()),
    };
    let mut output = Vec::new();
    let run = async {
        let mut stdout = child.stdout.take()?.take(MAX_OUTPUT);
        stdout.read_to_end(&mut output).await.ok()?;
        drop(stdout);
        child.wait().await.ok()
    };
    let status = timeout(VERSION_TIMEOUT, run).await.ok().flatten();
    if let Some(status) = status.filter(|&status| output.is_empty() && did_not_run(status)) {
        return Version::Broken(status.to_string());
    }
    version_in(&String::from_utf8_lossy(&output)).map_or(Version::Unknown, Version::Known)
}

fn did_not_run(status: ExitStatus) -> bool {
    status.code().is_none_or(|code| code == NOT_LINKED)
}

/// `socat version 1.7.4.4 on ...`, `nsenter from util-linux 2.38.1`, `BusyBox v1.36.1 ...`.
fn version_in(output: &str) -> Option<String> {
    let mut words = output.split_whitespace().take(40);
    let is_version = |word: &&str| {
        let digits = word.trim_start_matches('v');
        digits.starts_with(|char: char| char.is_ascii_digit()) && digits.contains('.')
    };
    Some(words.find(is_version)?.trim_start_matches('v').to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn finds_the_version_in_the_output_of_each_program() {
        for (output, version) in [
            ("socat by G. R. - see www.x.org\nsocat version 1.7.4.4 on 06 Nov", Some("1.7.4.4")),
            ("nsenter from util-linux 2.38.1\n", Some("2.38.1")),
            ("BusyBox v1.36.1 (2024) multi-call binary", Some("1.36.1")),
            ("", None),
        ] {
            assert_eq!(version_in(output).as_deref(), version, "{output}");
        }
    }

    #[tokio::test]
    async fn runs_only_a_trusted_program() {
        let dir = std::env::temp_dir().join(format!("pfsnoop-version-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let program = dir.join("nsenter");
        let set_mode = |mode| fs::set_permissions(&program, fs::Permissions::from_mode(mode));
        let not_found = "No such file or directory (os error 2)";
        for (text, expected) in [
            ("#!/bin/sh\necho nsenter 9.8\n", Version::Known("9.8".to_owned())),
            ("#!/bin/sh\nexit 1\n", Version::Unknown),
            ("#!/bin/sh\nexit 127\n", Version::Broken("exit status: 127".to_owned())),
            ("#!/nowhere/sh\n", Version::Broken(not_found.to_owned())),
        ] {
            fs::write(&program, text).unwrap();
            set_mode(0o755).unwrap();
            assert_eq!(version(&program).await, expected, "{text}");
            set_mode(0o777).unwrap();
            assert_eq!(version(&program).await, Version::Unknown, "{text}");
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}
