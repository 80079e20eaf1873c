//! `pfsnoop demo --kubectl`: both ends of a forward by the real kubectl.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{eventually, output, pfsnoop, text};
use crate::support::parts::{KUBECTLS, kubectl};
use crate::support::processes::{assert_no_process_with, processes};

/// The demo with the kubectl of this release first in `PATH`, and this folder for temporary files.
fn demo(release: &str, temp: &TempDir) -> Command {
    let folder = kubectl(release).parent().unwrap().display().to_string();
    let mut demo = pfsnoop(&["demo", "--kubectl"]);
    demo.env("PATH", format!("{folder}:/usr/bin:/bin")).env("TMPDIR", temp.path());
    demo
}

fn is_empty(folder: &Path) -> bool {
    folder.read_dir().unwrap().next().is_none()
}

#[test]
fn it_shows_what_kubectl_printed_and_what_the_kernel_saw() {
    let temp = TempDir::new("demo-kubectl");
    for release in KUBECTLS {
        let demo = output(&mut demo(release, &temp));
        let shown = text(&demo.stdout);
        assert!(demo.status.success(), "{release}: {demo:?}");
        assert_eq!(text(&demo.stderr), "", "{release}");
        let pause = shown.split_whitespace().nth(4).unwrap();
        let transport = if release == "bookworm" { "spdy" } else { "spdy+websocket" };
        for part in [
            "Serving 1 pod of the demo at https://127.0.0.1:",
            "kubectl: Forwarding from 127.0.0.1:",
            "kubectl: Handling connection for ",
            "Handling connection for port 8080 of default/pfsnoop-demo, from kubectl/v1.",
            &format!(" by {transport}\n"),
            &format!(" -t {pause} -n /usr/bin/socat - TCP4:localhost:8080"),
            "0 /usr/bin/socat - TCP4:localhost:8080",
            "host name: pfsnoop-demo",
            "Closed connection for port 8080 of default/pfsnoop-demo at 127.0.0.1",
        ] {
            assert!(shown.contains(part), "{release}: {part:?} in {shown}");
        }
        let last = shown.lines().last().unwrap();
        assert!(last.starts_with("demo: ok: kubectl asked for the page"), "{release}: {last}");
        assert_no_process_with(&format!("demo-web {pause}"));
        assert!(is_empty(temp.path()), "{release}: the kubeconfig is removed");
    }
    assert_no_process_with(temp.path().to_str().unwrap());
}

#[test]
fn kubectl_has_no_privileges_and_ends_with_the_demo() {
    let temp = TempDir::new("demo-kubectl-end");
    for signal in [Signal::INT, Signal::KILL] {
        let mut demo = Running::start(demo("forky", &temp).arg("--stay"));
        demo.stdout_line("address to open", |line| line.starts_with("Open http://"));
        let is_it = |line: &str| line.contains(temp.path().to_str().unwrap());
        let found = processes().into_iter().find(|(_, _, line)| is_it(line));
        let status = std::fs::read_to_string(format!("/proc/{}/status", found.unwrap().0)).unwrap();
        assert!(status.contains("CapEff:\t0000000000000000\n"), "{status}");
        assert!(status.contains("NoNewPrivs:\t1\n"), "{status}");
        demo.signal(signal);
        assert_eq!(demo.wait().success(), signal == Signal::INT);
        eventually("kubectl's end", || {
            (!processes().iter().any(|(_, _, line)| is_it(line))).then_some(())
        });
        assert_eq!(is_empty(temp.path()), signal == Signal::INT);
    }
}

#[test]
fn without_a_kubectl_that_can_be_trusted_it_says_so_and_what_to_do() {
    let temp = TempDir::new("demo-no-kubectl");
    temp.link("nsenter");
    temp.link("socat");
    let refused = |args: &[&str]| {
        let mut demo = pfsnoop(&["demo", "--kubectl"]);
        let demo = output(demo.args(args).env("PATH", temp.path()));
        assert_eq!((demo.status.code(), text(&demo.stdout).as_str()), (Some(1), ""), "{demo:?}");
        let stderr = text(&demo.stderr);
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        stderr
    };
    let missing = refused(&[]);
    assert!(missing.contains("kubectl is not in PATH; install it (Debian: apt-get"), "{missing}");
    assert_eq!(refused(&["--trust-path"]), missing);

    let program = temp.script("kubectl", "echo these are my words; exit 7");
    chown(program, Some(65534), None).unwrap();
    let untrusted = refused(&[]);
    assert!(
        untrusted.contains("belongs to user 65534; fix that, or give --trust-path"),
        "{untrusted}"
    );
    // It is run then, and ends at once.
    let mut trusted = pfsnoop(&["demo", "--kubectl", "--trust-path"]);
    let trusted = output(trusted.env("PATH", format!("{}:/bin", temp.path().display())));
    assert_eq!(trusted.status.code(), Some(1), "{trusted:?}");
    assert!(text(&trusted.stdout).contains("\nkubectl: these are my words\n"), "{trusted:?}");
    assert!(text(&trusted.stderr).contains("kubectl has ended by itself"), "{trusted:?}");
}
