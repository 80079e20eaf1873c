//! A failed exec of which the kernel side no longer knows what was asked for.

use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::fanotify::{
    EventFFlags, Fanotify, FanotifyResponse, InitFlags, MarkFlags, MaskFlags, Response,
};

use crate::exec::unusual_execs::{attached, fixture, records};
use crate::support::{eventually, running::Running, stdout_of, system};

/// A program that is not started before somebody has said no.
struct Guarded {
    program: PathBuf,
    guard: Fanotify,
}

impl Guarded {
    fn new() -> Self {
        let name = format!("pfsnoop-guarded-{}", std::process::id());
        let program = std::env::temp_dir().join(name);
        std::fs::copy(fixture(), &program).unwrap();
        let guard = Fanotify::init(
            InitFlags::FAN_CLASS_CONTENT | InitFlags::FAN_CLOEXEC,
            EventFFlags::O_RDONLY,
        )
        .unwrap();
        let (add, exec) = (MarkFlags::FAN_MARK_ADD, MaskFlags::FAN_OPEN_EXEC_PERM);
        guard.mark(add, exec, nix::fcntl::AT_FDCWD, Some(&program)).unwrap();
        Self { program, guard }
    }

    /// Has it executed in vain; meanwhile, what is done with the pid of who waits for it.
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
        // One may be closed since it was listed.
        std::fs::read_to_string(Path::new(&entry.ok()?.path())).ok()
    });
    let id =
        |info: String| Some(info.split_once("map_id:")?.1.split_whitespace().next()?.to_owned());
    infos.filter_map(id).collect()
}

/// As the kernel does with the oldest, when more threads are inside the call than there is room for.
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
fn an_exec_that_was_forgotten_is_counted_as_lost() {
    let snoop = attached(&["-x"]);
    let guarded_program = Guarded::new();
    guarded_program.refuse(|_| {});
    eventually("the failed exec", || (guarded(&snoop) == 1).then_some(()));
    guarded_program.refuse(|thread| evict(&snoop, thread));
    eventually("the loss", || {
        records(&snoop).iter().any(|record| record["type"] == "lost").then_some(())
    });
    assert_eq!(guarded(&snoop), 1, "{:#?}", records(&snoop));
}
