//! A pod without a process, such as one of CRI-O whose container is in a crash loop: its runtime
//! knows the file of its network namespace.

use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::common::WaitInTime as _;
use crate::common::stdout_of;
use crate::common::temp::TempDir;
use crate::support::cri_server::ServedPod;
use crate::support::fixture::visitor;
use crate::support::helper::nsenter_socat;
use crate::support::records::{closed, sessions};
use crate::support::watch::watch_json;

/// A network namespace with a name and without a process.
struct NamedNetns(&'static str);

impl NamedNetns {
    fn new(name: &'static str) -> Self {
        let netns = Self(name);
        // A run that was killed has left it.
        if netns.path().exists() {
            netns.delete();
        }
        stdout_of(Command::new("ip").args(["netns", "add", name]));
        stdout_of(Command::new("ip").args(["-n", name, "link", "set", "lo", "up"]));
        netns
    }

    fn path(&self) -> std::path::PathBuf {
        std::path::Path::new("/run/netns").join(self.0)
    }

    fn delete(&self) {
        let _ = Command::new("ip").args(["netns", "delete", self.0]).status();
    }
}

impl Drop for NamedNetns {
    fn drop(&mut self) {
        if self.path().exists() {
            self.delete();
        }
    }
}

#[test]
fn it_has_the_name_that_its_runtime_knows_for_the_namespace() {
    let netns = NamedNetns::new("pfsnoop-crash");
    let dir = TempDir::new("crash-loop");
    let socket = dir.join("crio.sock");
    ServedPod { netns: netns.path() }.serve(&socket);
    let endpoint = format!("unix://{}", socket.display());
    let watch = watch_json(&["--runtime-endpoint", &endpoint]);
    let expected = json!({"namespace": "shop", "name": "crash", "uid": "uid-1"});

    // Nothing listens, and the visitor says so by its exit code.
    let mut visitor = Command::new(visitor());
    visitor.args(["first-thread".as_ref(), netns.path().as_os_str()]);
    visitor.args(["127.0.0.1:7090", "1"]).stderr(std::process::Stdio::null());
    assert!(!visitor.status().unwrap().success());
    let end = closed(&watch, |record| record["port"] == 7090);
    assert_eq!([&end["outcome"], &end["target"]["pod"]], [&json!("refused"), &expected], "{end}");

    // socat keeps the name until its end, although the file is gone by then.
    let script = format!("exec nsenter --net={} sleep 60", netns.path().display());
    let mut sleep = Command::new("sh").args(["-c", &script]).spawn().unwrap();
    let mut listener = Command::new("nsenter");
    listener.arg(format!("--net={}", netns.path().display()));
    listener.args(["socat", "TCP-LISTEN:7091", "-"]).stdin(std::process::Stdio::piped());
    let mut listener = listener.spawn().unwrap();
    let mut helper = crate::common::eventually("a connection", || {
        let mut helper =
            crate::support::helper::spawn_piped(&mut nsenter_socat(listener.id(), 7091));
        let pid = helper.id();
        let is_connected =
            |record: &Value| record["helper_pid"] == pid && record["state"] == "connected";
        let is_over = |record: &Value| record["helper_pid"] == pid && record["state"] == "closed";
        let connected = crate::common::eventually("an answer", || {
            let connected = !sessions(&watch, is_connected).is_empty();
            (connected || !sessions(&watch, is_over).is_empty()).then_some(connected)
        });
        if !connected {
            helper.wait_in_time();
        }
        connected.then_some(helper)
    });
    netns.delete();
    std::thread::sleep(std::time::Duration::from_millis(1200));
    listener.kill().unwrap();
    listener.wait_in_time();
    helper.wait_in_time();
    let pid = helper.id();
    let end = closed(&watch, |record| record["helper_pid"] == pid);
    assert_eq!(end["target"]["pod"], expected, "{end}");
    sleep.kill().unwrap();
    sleep.wait_in_time();
    watch.signal(Signal::INT);
}
