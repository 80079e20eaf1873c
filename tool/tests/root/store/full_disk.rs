//! A disk that is full or read-only for a while. Watching goes on, and so does storing after it.

use std::path::PathBuf;

use serde_json::Value;

use crate::common::running::Running;
use crate::common::{eventually, stdout_of, system};
use crate::support::pod::DemoPod;
use crate::support::records::parse;
use crate::support::store::{connect_often, wait_for_ends};

/// An agent with its store on a disk of its own at /mnt, which nobody else sees.
struct OnOwnDisk {
    agent: Running,
}

impl OnOwnDisk {
    fn start_by(script: &str) -> Self {
        let mut command = system("unshare");
        command.args(["--mount", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_pfsnoop")]);
        command.args(["agent", "-v", "--no-listen", "--store", "/mnt/sessions.db"]);
        let mut agent = Running::start_attached(&mut command);
        agent.stderr_line("the start", |line| line.contains("is watched"));
        Self { agent }
    }

    fn file(&self, name: &str) -> PathBuf {
        format!("/proc/{}/root/mnt/{name}", self.agent.pid()).into()
    }

    /// Runs a program where it sees the disk.
    fn run(&self, args: &[&str]) -> String {
        let pid = self.agent.pid().to_string();
        stdout_of(system("nsenter").args(["-t", &pid, "-m"]).args(args))
    }

    fn stored(&self) -> Vec<Value> {
        let store = ["--store", "/mnt/sessions.db", "-o", "json"];
        let text = self.run(&[&[env!("CARGO_BIN_EXE_pfsnoop"), "history"], &store[..]].concat());
        parse(&text.lines().collect::<Vec<_>>())
    }

    fn wait_for_stored(&self, netns: u64, count: usize) -> Vec<Value> {
        eventually("the file", || self.file("sessions.db").exists().then_some(()));
        wait_for_ends(|| self.stored(), netns, count)
    }

    /// How many lines on stderr have this text.
    fn said(&self, text: &str) -> usize {
        self.agent.stderr().iter().filter(|line| line.contains(text)).count()
    }
}

#[test]
fn what_happens_while_the_disk_is_full_is_stored_once_there_is_room() {
    let pod = DemoPod::start();
    let mut own = OnOwnDisk::start_by("mount -t tmpfs -o size=512k none /mnt && exec \"$@\"");
    connect_often(pod.pause, 8080, 1);
    own.wait_for_stored(pod.netns(), 1);
    let fill = "yes > \"$0\" 2> /dev/null; ! echo x >> \"$0\" 2> /dev/null";
    assert!(system("sh").args(["-c", fill]).arg(own.file("fill")).status().unwrap().success());
    let mut made = 1;
    eventually("the report", || {
        // What the file has room for already is stored all the same.
        connect_often(pod.pause, 8080, 50);
        made += 50;
        (own.said("the disk is full") > 0).then_some(())
    });
    connect_often(pod.pause, 9, 1);
    own.agent.stderr_line("a failed session in the log", |line| line.contains("refused: port 9"));
    std::fs::remove_file(own.file("fill")).unwrap();
    let all = own.wait_for_stored(pod.netns(), made + 1);
    assert_eq!(all.len(), made + 1, "none is twice");
    own.agent.stderr_line("the end", |line| line.contains("are stored in /mnt/sessions.db again"));
    assert_eq!((own.said("the disk is full"), own.said("again; nothing was lost")), (1, 1));
}

#[test]
fn a_read_only_disk_is_reported_once_and_used_once_it_can_be_written() {
    let pod = DemoPod::start();
    let script = "mount -t tmpfs -o size=4m,ro none /mnt && exec \"$@\"";
    let mut own = OnOwnDisk::start_by(script);
    own.agent.stderr_line("the report", |line| line.contains("read-only"));
    connect_often(pod.pause, 9, 1);
    own.agent.stderr_line("a failed session in the log", |line| line.contains("refused: port 9"));
    own.run(&["mount", "-o", "remount,rw", "/mnt"]);
    assert_eq!(own.wait_for_stored(pod.netns(), 1).len(), 1, "it has waited in memory");
    own.agent.stderr_line("the end", |line| line.contains("again; nothing was lost"));
    assert_eq!(own.said("read-only"), 1, "{:#?}", own.agent.stderr());
}
