//! Usage errors, and what an ordinary user sees.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::common::temp::TempDir;
use crate::common::{assert_fails, pfsnoop, system};
use crate::golden::assert_golden;

#[test]
fn a_usage_error_is_one_line_with_exit_code_2() {
    let mut shown = String::new();
    for (args, parts) in [
        (&["-n", "("][..], &["not a regular expression", "--name"][..]),
        (&["-l", "[z-a]"], &["not a regular expression", "--line"]),
        (&["-l", r"\p{Nowhere}"], &["not a regular expression", "Unicode property not found"]),
        (&["-n", "^victoria-metrics-prod$"], &["15 bytes", "21 bytes", "--line"]),
        (&["-n", "[a&&b]"], &["nothing can match"]),
        (&["-u", "no-such-user"], &["no user", "give a number"]),
        (&["--duration", "0"], &["--duration", "above 0"]),
        (&["--count", "0"], &["--count", "at least 1"]),
        (&["-o", "xml"], &["xml", "text, wide, json"]),
        (&["-c", "/no/such"], &["--cgroup", "No such file"]),
        (&["-c", "/proc"], &["--cgroup", "cgroup v2"]),
        (&["-c", ""], &["--cgroup", "No such file"]),
        (&["--container", ""], &["--container"]),
        (&["--pod", ""], &["--pod", "NAMESPACE/NAME"]),
        (&["--pod", "a/b/c"], &["--pod", "NAMESPACE/NAME"]),
        (&["--frob"], &["--frob", "--help"]),
        (&["forward"], &["TARGET", "--help"]),
        (&["forward", "pid/1"], &["REMOTE", "--help"]),
        (&["forward", "svc/web", "80"], &["\"svc\" is no kind of target", "pid/PID"]),
        (&["forward", "pid/0", "80"], &["above 0"]),
        (&["forward", "pid/1", "0"], &["remote port must be > 0"]),
        (&["forward", "pid/1", "99999"], &["error parsing local port '99999'"]),
        (&["forward", "pid/1", "1:2:3"], &["invalid port format '1:2:3'"]),
        (&["forward", "pid/1", "abc"], &["error parsing local port 'abc'"]),
        (&["forward", "pid/1", "80", "--address", "localhost,web"], &["web is not a valid IP"]),
        (&["forward", "pid/1", "80", "--address", ""], &["an empty address", "localhost"]),
        (&["forward", "pid/1", "80", "--max-connections", "0"], &["--max-connections", "at least"]),
        (&["forward", "pid/1", "80", "-o", "wide"], &["wide", "text, json"]),
        (&["history", "--since", "1h", "--until", "2h"], &["--until is before --since"]),
        (&["history", "--summary", "-o", "json"], &["--summary has no JSON", "history -o json"]),
    ] {
        let line = assert_fails(&mut pfsnoop(args), 2, parts);
        shown.extend(["$ pfsnoop ", &args.join(" "), "\n", &line, "\n\n"]);
    }
    assert_golden("usage-errors", &shown);
}

/// `pfsnoop` as an ordinary user. The build's folder may be closed to other users, so that they run a
/// copy.
fn as_ordinary_user(copies: &TempDir, args: &[&str]) -> Command {
    if !rustix::process::geteuid().is_root() {
        return pfsnoop(args);
    }
    let copy = copies.join("pfsnoop");
    if !copy.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_pfsnoop"), &copy).unwrap();
        let everybody = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(copies.path(), everybody).unwrap();
    }
    let mut nobody = system("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy).args(args);
    nobody
}

#[test]
fn without_root_each_command_says_that_it_needs_root() {
    let copies = TempDir::new("not-root");
    // An ordinary user may look at processes of their own, so the target is one of root.
    for args in [&[][..], &["forward", "pid/1", ":80"], &["demo"]] {
        assert_fails(&mut as_ordinary_user(&copies, args), 1, &["root"]);
    }
}
