//! Bad input and bad surroundings: one line on stderr says what is wrong and what to do.

use std::net::TcpListener;
use std::process::Command;

use crate::common::temp::TempDir;
use crate::common::{assert_fails, pfsnoop, system};

/// A process to forward to, without a server.
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
fn no_such_process() {
    assert_fails(
        &mut pfsnoop(&["forward", "pid/99999999", ":80"]),
        1,
        &["no process 99999999", "ps -e"],
    );
}

#[test]
fn helpers_missing() {
    let sleeper = Sleeper::start();
    let bin = TempDir::new("path");
    let fails = |args: &[&str], parts: &[&str]| {
        assert_fails(pfsnoop(args).env("PATH", bin.path()), 1, parts);
    };
    let forward = ["forward", "--dialer", "nsenter", &sleeper.target(), ":80"];
    for args in [&forward[..], &["demo"]] {
        fails(args, &["unable to do port forwarding: socat not found", "install"]);
    }
    bin.link("socat");
    fails(&forward, &["unable to do port forwarding: nsenter not found", "util-linux"]);
}

/// Stricter than kubectl, which goes on with the other localhost address and the other ports.
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
        assert_fails(
            &mut pfsnoop(&["forward", &sleeper.target(), &pair]),
            1,
            &[&[&*none], &words[..]].concat(),
        );
        let line =
            assert_fails(&mut pfsnoop(&["forward", &sleeper.target(), &pair, ":81"]), 1, words);
        assert!(!line.contains("any of the requested"), "the other port is free");
    }
}

#[test]
fn addresses_that_the_node_does_not_have() {
    let sleeper = Sleeper::start();
    let foreign_address =
        ["forward", &sleeper.target(), "18080:80", "--address", "localhost,203.0.113.9"];
    let words = &[
        "Unable to listen on port 18080",
        "tcp4 203.0.113.9:18080: bind: cannot assign requested address",
        "`ip address`",
    ];
    assert_fails(&mut pfsnoop(&foreign_address), 1, words);
}

#[test]
fn kernel_without_btf() {
    let sleeper = Sleeper::start();
    let hide = "mount -t tmpfs tmpfs /sys/kernel/btf; exec \"$@\"";
    for args in [&[][..], &["forward", &sleeper.target(), ":80"], &["demo"]] {
        let mut hidden = system("unshare");
        hidden.args(["--mount", "sh", "-c", hide, "sh", env!("CARGO_BIN_EXE_pfsnoop")]).args(args);
        assert_fails(&mut hidden, 1, &["BTF", "CONFIG_DEBUG_INFO_BTF"]);
    }
}
