//! Devices and pipes in the place of files. Opening a pipe waits, and opening some devices has effects.

use std::mem::MaybeUninit;
use std::path::PathBuf;

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;

use crate::common::temp::TempDir;
use crate::common::{assert_fails, eventually, pfsnoop, stdout_of, system};
use crate::support::docker::Docker;
use crate::support::doctor::{examine, find, severity};

#[test]
fn a_pipe_in_the_place_of_a_network_namespace_is_refused() {
    let dir = TempDir::new("hostile-netns");
    let pipe = dir.join("netns");
    stdout_of(system("mkfifo").arg(&pipe));
    let target = format!("netns/{}", pipe.display());
    let said = "is not a network namespace that can be entered";
    assert_fails(&mut pfsnoop(&["forward", &target, ":80"]), 1, &[said]);
    let (findings, _) = examine(&mut pfsnoop(&["doctor", "-o", "json", &target, "80"]));
    assert_eq!(severity(&findings, "target.found", said), "fail");
}

#[test]
fn a_device_or_a_pipe_of_a_container_is_not_opened() {
    let docker = Docker::start("hostile-devices");
    // Docker lets its containers make devices. This one is /dev/null, for the sake of the test.
    let pid = docker.run(
        "false",
        "mkdir -p /usr/lib; mknod /etc/os-release c 1 3; mkfifo /usr/lib/os-release; \
         echo -n cri-dockerd > /proc/self/comm; while :; do sleep 1000; done",
    );
    let comm = format!("/proc/{pid}/comm");
    eventually("the false daemon", || {
        std::fs::read_to_string(&comm).ok().filter(|comm| comm == "cri-dockerd\n")
    });
    let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
    for file in ["etc/os-release", "usr/lib/os-release"] {
        let path = PathBuf::from(format!("/proc/{pid}/root")).join(file);
        inotify::add_watch(&watch, path, WatchFlags::OPEN).unwrap();
    }
    let mut command = pfsnoop(&["doctor", "-o", "json"]);
    let (findings, _) = examine(command.env("DOCKER_HOST", docker.host()));
    // It was looked at.
    let part = "cri-dockerd (pid ";
    assert!(find(&findings, "helper.socat", part).is_some(), "{findings:#?}");
    let mut buffer = [MaybeUninit::uninit(); 512];
    let opened = Reader::new(&watch, &mut buffer).next().map(|event| event.events());
    assert_eq!(opened, Err(Errno::AGAIN));
    // The watch works.
    stdout_of(docker.client().args(["exec", "false", "/bin/sh", "-c", "cat /etc/os-release"]));
    assert!(Reader::new(&watch, &mut buffer).next().is_ok());
}
