//! Too few files or threads: one line says so, and nothing panics.

use std::process::Command;

use crate::common::{assert_fails, output, system, text};
use crate::support::netns::process_in_new_netns;
use crate::support::nobody::pfsnoop_as_nobody;

/// A pfsnoop that may open so many files.
fn with_files(count: u32, args: &[&str]) -> Command {
    let mut command = system("bash");
    command.args(["-c", &format!("ulimit -n {count}; exec \"$0\" \"$@\"")]);
    command.arg(env!("CARGO_BIN_EXE_pfsnoop")).args(args);
    command
}

#[test]
fn too_few_files_are_an_error_of_each_command() {
    let target = process_in_new_netns();
    let target = format!("pid/{}", target.pid());
    for count in [4, 6, 10, 20] {
        for args in [
            &["exec"][..],
            &["exec", "-x", "--exit", "-o", "json"],
            &["watch"],
            &["targets"],
            &["doctor"],
            &["demo"],
            &["forward", &target, ":80"],
            &["forward", &target, ":80", "--no-watch", "--dialer", "native"],
        ] {
            let allowed = format!("{count} files may be open");
            assert_fails(&mut with_files(count, args), 1, &["`ulimit -n`", &allowed]);
        }
    }
}

#[test]
fn a_few_files_suffice_for_what_needs_no_more() {
    for args in [&["exec", "-x", "--exit", "-o", "json"][..], &["watch"]] {
        let mut command = with_files(64, &[args, &["--duration", "0.5"]].concat());
        let output = output(&mut command);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    }
    let target = process_in_new_netns();
    let forward = ["forward", &format!("pid/{}", target.pid()), ":80"];
    assert_fails(&mut with_files(64, &forward), 1, &["`ulimit -n`"]);
}

/// The kernel does not count the processes of root.
#[test]
fn too_few_threads_are_an_error_of_each_command() {
    for args in [&["exec"][..], &["watch"], &["forward", "pid/1", ":80"], &["demo"], &["doctor"]] {
        let mut command = pfsnoop_as_nobody("prlimit --nproc=1", args);
        assert_fails(&mut command, 1, &["`ulimit -u`", "1 threads may run as this user"]);
    }
}
