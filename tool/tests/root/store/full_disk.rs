//! A disk that is full or read-only for a while. Watching goes on, and so does storing after it.

use std::path::PathBuf;

use crate::common::running::Running;
use crate::common::{eventually, stdout_of, system};
use crate::support::pod::DemoPod;
use crate::support::store::{connect_often, is_end, stored, wait_for_stored};

/// An agent with its store on a disk of its own at /mnt, which nobody else sees.
struct OnOwnDisk {
    agent: Running,
}

impl OnOwnDisk {
    fn start(options: &str) -> Self {
        let script = format!("mount -t tmpfs -o {options} none /mnt && exec \"$@\"");
        let mut command = system("unshare");
        command.args(["--mount", "sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_pfsnoop")]);
        command.args(["agent", "-v", "--store", "/mnt/sessions.db"]);
        let mut agent = Running::start_attached(&mut command);
        agent.stderr_line("the start", |line| line.contains("is watched"));
        Self { agent }
    }

    fn file(&self, name: &str) -> PathBuf {
        format!("/proc/{}/root/mnt/{name}", self.agent.pid()).into()
    }

    fn store(&self) -> PathBuf {
        self.file("sessions.db")
    }

    fn remount(&self, how: &str) {
        let pid = self.agent.pid().to_string();
        let remount = format!("remount,{how}");
        stdout_of(system("nsenter").args(["-t", &pid, "-m", "mount", "-o", &remount, "/mnt"]));
    }

    /// How many lines on stderr have this text.
    fn said(&self, text: &str) -> usize {
        self.agent.stderr().iter().filter(|line| line.contains(text)).count()
    }
}

#[test]
fn what_happens_while_the_disk_is_full_is_stored_once_there_is_room() {
    let pod = DemoPod::start();
    let mut own = OnOwnDisk::start("size=512k");
    connect_often(pod.pause, 8080, 1);
    wait_for_stored(&own.store(), pod.netns(), 1);
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
    let all = wait_for_stored(&own.store(), pod.netns(), made + 1);
    assert_eq!(all.len(), made + 1, "none is twice");
    own.agent.stderr_line("the end", |line| line.contains("are stored in /mnt/sessions.db again"));
    assert_eq!((own.said("the disk is full"), own.said("again; nothing was lost")), (1, 1));
}

#[test]
fn a_read_only_disk_is_reported_once_and_used_once_it_can_be_written() {
    let pod = DemoPod::start();
    let mut own = OnOwnDisk::start("size=4m");
    connect_often(pod.pause, 8080, 1);
    wait_for_stored(&own.store(), pod.netns(), 1);
    own.agent.signal(rustix::process::Signal::STOP);
    let script = "mount -o remount,ro /mnt 2> /dev/null || mount -o bind,remount,ro /mnt";
    // The agent holds the file open for writing: only the mount can become read-only.
    let pid = own.agent.pid().to_string();
    stdout_of(system("nsenter").args(["-t", &pid, "-m", "sh", "-c", &format!("mount --bind /mnt /mnt; {script}")]));
    own.agent.signal(rustix::process::Signal::CONT);
    connect_often(pod.pause, 9, 1);
    own.agent.stderr_line("a failed session in the log", |line| line.contains("refused: port 9"));
    let all = stored(&own.store(), &[]);
    assert!(all.iter().any(|record| is_end(record, pod.netns())), "{all:#?}");
    own.remount("rw");
}
