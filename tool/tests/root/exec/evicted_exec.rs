//! A failed exec whose entry was evicted from the map of the kernel programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::fanotify::{
    EventFFlags, Fanotify, FanotifyResponse, InitFlags, MarkFlags, MaskFlags, Response,
};

use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::common::{eventually, stdout_of, system};
use crate::support::exec::start_exec_json;
use crate::support::fixture::odd_exec;
use crate::support::records::records;

/// A program that nobody may execute: fanotify(7) asks this test, which refuses.
struct Guarded {
    program: PathBuf,
    guard: Fanotify,
}

impl Guarded {
    fn new() -> Self {
        let program = temp_path("guarded");
        std::fs::copy(odd_exec(), &program).unwrap();
        let guard = Fanotify::init(
            InitFlags::FAN_CLASS_CONTENT | InitFlags::FAN_CLOEXEC,
            EventFFlags::O_RDONLY,
        )
        .unwrap();
        let (add, exec) = (MarkFlags::FAN_MARK_ADD, MaskFlags::FAN_OPEN_EXEC_PERM);
        guard.mark(add, exec, nix::fcntl::AT_FDCWD, Some(&program)).unwrap();
        Self { program, guard }
    }

    /// Tries to execute the program. While the caller waits for the answer, `meanwhile` runs with its
    /// pid.
    fn refuse(&self, meanwhile: impl FnOnce(i32)) {
        std::thread::scope(|scope| {
            let spawned = scope.spawn(|| Command::new(&self.program).arg("m-guarded").spawn());
            let asked = self.guard.read_events().unwrap().remove(0);
            meanwhile(asked.pid());
            let no = FanotifyResponse::new(asked.fd().unwrap(), Response::FAN_DENY);
            self.guard.write_response(no).unwrap();
            let error = spawned.join().unwrap().unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
        });
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.program);
    }
}

/// The ids of a process's BPF maps.
fn maps_of(pid: u32) -> Vec<String> {
    let folder = PathBuf::from(format!("/proc/{pid}/fdinfo"));
    let infos = std::fs::read_dir(&folder).unwrap().filter_map(|entry| {
        // A file may be closed since it was listed.
        std::fs::read_to_string(Path::new(&entry.ok()?.path())).ok()
    });
    let id =
        |info: String| Some(info.split_once("map_id:")?.1.split_whitespace().next()?.to_owned());
    infos.filter_map(id).collect()
}

/// Removes a thread's entry, as the kernel does with the oldest entry of a full LRU map.
fn evict(snoop: &Running, thread: i32) {
    let is_it = |id: &&String| {
        let shown = stdout_of(system("bpftool").args(["map", "show", "id", id]));
        shown.contains("EXECS_UNDER_WAY")
    };
    let maps = maps_of(snoop.pid());
    let map = maps.iter().find(is_it).expect("the map of execs under way");
    let key = thread.to_ne_bytes().map(|byte| byte.to_string());
    stdout_of(system("bpftool").args(["map", "delete", "id", map, "key"]).args(key));
}

fn guarded(snoop: &Running) -> usize {
    let all = records(snoop);
    all.iter().filter(|record| record["args"].to_string().contains("m-guarded")).count()
}

#[test]
fn an_exec_whose_entry_was_evicted_is_counted_as_lost() {
    let snoop = start_exec_json(&["-x"]);
    let guarded_program = Guarded::new();
    guarded_program.refuse(|_| {});
    eventually("the failed exec", || (guarded(&snoop) == 1).then_some(()));
    guarded_program.refuse(|thread| evict(&snoop, thread));
    eventually("the loss", || {
        records(&snoop).iter().any(|record| record["type"] == "lost").then_some(())
    });
    assert_eq!(guarded(&snoop), 1, "{:#?}", records(&snoop));
}
