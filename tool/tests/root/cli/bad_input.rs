//! What is wrong is said in one line on stderr, with what to do; nothing is left behind.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::support::{pfsnoop, running::Running, system, text};

/// Runs to the end, which must come: one that takes what it should refuse forwards for ever.
fn output(command: &mut Command) -> Output {
    let mut running = Running::start(command);
    let status = running.wait();
    let (stdout, stderr) = running.rest();
    Output { status, stdout: stdout.join("\n").into(), stderr: stderr.join("\n").into() }
}

/// Ends with that code and one line on stderr that has all of these parts.
fn assert_says(output: &Output, code: i32, parts: &[&str]) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert_eq!(stderr.lines().count(), 1, "one line: {stderr:?}");
    for part in parts {
        assert!(stderr.contains(part), "{part:?} in {stderr:?}");
    }
    assert_eq!(text(&output.stdout), "", "nothing is data");
}

/// A process to forward to that opens nothing.
struct Sleeper(std::process::Child);

impl Sleeper {
    fn start() -> Self {
        Self(Command::new("sleep").arg("60").spawn().unwrap())
    }

    fn target(&self) -> String {
        format!("pid/{}", self.0.id())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn wrong_command_lines() {
    for (args, parts) in [
        (&["-n", "("][..], &["not a regular expression", "--name"][..]),
        (&["-l", "[z-a]"], &["not a regular expression", "--line"]),
        (&["-u", "no-such-user"], &["no user", "give a number"]),
        (&["--duration", "0"], &["--duration", "above 0"]),
        (&["--count", "0"], &["--count"]),
        (&["-o", "xml"], &["xml", "text, wide, json"]),
        (&["-c", "/no/such"], &["--cgroup", "No such file"]),
        (&["-c", "/proc"], &["--cgroup", "cgroup v2"]),
        (&["--pod", "a/b/c"], &["--pod", "NAMESPACE/NAME"]),
        (&["--frob"], &["--frob", "--help"]),
        (&["forward"], &["TARGET", "--help"]),
        (&["forward", "pid/1"], &["REMOTE", "--help"]),
        (&["forward", "svc/web", "80"], &["does not know svcs", "pid/PID"]),
        (&["forward", "pid/0", "80"], &["above 0"]),
        (&["forward", "pid/1", "0"], &["remote port must be > 0"]),
        (&["forward", "pid/1", "99999"], &["error parsing local port '99999'"]),
        (&["forward", "pid/1", "1:2:3"], &["invalid port format '1:2:3'"]),
        (&["forward", "pid/1", "abc"], &["error parsing local port 'abc'"]),
        (&["forward", "pid/1", "80", "--address", "localhost,web"], &["web is not a valid IP"]),
        (&["forward", "pid/1", "80", "--address", ""], &["is not a valid IP", "localhost"]),
        (&["forward", "pid/1", "80", "--max-connections", "0"], &["--max-connections", "1.."]),
        (&["forward", "pid/1", "80", "-o", "wide"], &["wide", "text, json"]),
    ] {
        assert_says(&output(&mut pfsnoop(args)), 2, parts);
    }
}

#[test]
fn no_such_process() {
    let forward = output(&mut pfsnoop(&["forward", "pid/99999999", ":80"]));
    assert_says(&forward, 1, &["no process 99999999", "ps -e"]);
}

#[test]
fn helpers_missing() {
    let sleeper = Sleeper::start();
    let empty = std::env::temp_dir().join(format!("pfsnoop-path-{}", std::process::id()));
    std::fs::create_dir_all(&empty).unwrap();
    let run = |verb: &[&str]| output(pfsnoop(verb).env("PATH", &empty));
    let forward = ["forward", "--dialer", "nsenter", &sleeper.target(), ":80"];
    for verb in [&forward[..], &["demo"]] {
        assert_says(&run(verb), 1, &["unable to do port forwarding: socat not found", "install"]);
    }
    std::os::unix::fs::symlink("/usr/bin/socat", empty.join("socat")).unwrap();
    let nsenter_missing = &["unable to do port forwarding: nsenter not found", "util-linux"];
    assert_says(&run(&forward), 1, nsenter_missing);
    std::fs::remove_dir_all(&empty).unwrap();
}

/// kubectl would go on with the other localhost, and the other port.
#[test]
fn port_in_use() {
    let sleeper = Sleeper::start();
    for (address, family) in [("127.0.0.1", "tcp4 127.0.0.1"), ("::1", "tcp6 [::1]")] {
        let taken = TcpListener::bind((address, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let pair = format!("{port}:80");
        let listen = format!(
            "Unable to listen on port {port}: Listeners failed to create with the following \
             errors: [unable to create listener: Error listen {family}:{port}: "
        );
        let none = format!("unable to listen on any of the requested ports: [{{{port} 80}}]");
        let words = &[
            &*listen,
            "bind: address already in use]",
            "choose another local port, or :80 for a free one",
        ];
        let forward = output(&mut pfsnoop(&["forward", &sleeper.target(), &pair]));
        assert_says(&forward, 1, &[&[&*none], &words[..]].concat());
        let two = output(&mut pfsnoop(&["forward", &sleeper.target(), &pair, ":81"]));
        assert_says(&two, 1, words);
        assert!(!text(&two.stderr).contains("any of the requested"), "one of them could be had");
    }
}

#[test]
fn addresses_that_the_node_does_not_have() {
    let sleeper = Sleeper::start();
    let of_nobody =
        ["forward", &sleeper.target(), "18080:80", "--address", "localhost,203.0.113.9"];
    let words = &[
        "Unable to listen on port 18080",
        "tcp4 203.0.113.9:18080: bind: cannot assign requested address",
        "`ip address`",
    ];
    assert_says(&output(&mut pfsnoop(&of_nobody)), 1, words);
}

#[test]
fn not_root() {
    let sleeper = Sleeper::start();
    // The build's folder need not be open to others.
    let copy = std::env::temp_dir().join(format!("pfsnoop-not-root-{}", std::process::id()));
    std::fs::copy(env!("CARGO_BIN_EXE_pfsnoop"), &copy).unwrap();
    for args in [&[][..], &["forward", &sleeper.target(), ":80"], &["demo"]] {
        let mut nobody = system("setpriv");
        nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy).args(args);
        assert_says(&output(&mut nobody), 1, &["root"]);
    }
    std::fs::remove_file(&copy).unwrap();
}

#[test]
fn kernel_without_btf() {
    let sleeper = Sleeper::start();
    let hide = "mount -t tmpfs tmpfs /sys/kernel/btf; exec \"$@\"";
    for args in [&[][..], &["forward", &sleeper.target(), ":80"], &["demo"]] {
        let mut hidden = system("unshare");
        hidden.args(["--mount", "sh", "-c", hide, "sh", env!("CARGO_BIN_EXE_pfsnoop")]).args(args);
        assert_says(&output(&mut hidden), 1, &["BTF", "CONFIG_DEBUG_INFO_BTF"]);
    }
}
