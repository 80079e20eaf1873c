//! A program that nobody may execute, and whose caller has to wait for that answer.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use nix::sys::fanotify::{
    EventFFlags, Fanotify, FanotifyEvent, FanotifyResponse, InitFlags, MarkFlags, MaskFlags,
    Response,
};

use super::fixture::odd_exec;
use crate::common::temp::temp_path;

/// A program that nobody may execute: fanotify(7) asks this test, which refuses.
pub struct Guarded {
    program: PathBuf,
    guard: Fanotify,
    /// Questions that were read and not taken.
    events: Mutex<VecDeque<FanotifyEvent>>,
}

/// A caller that waits inside execve(2).
pub struct Caller<'a> {
    guard: &'a Fanotify,
    event: FanotifyEvent,
}

impl Guarded {
    pub fn new(name: &str) -> Self {
        let program = temp_path(name);
        std::fs::copy(odd_exec(), &program).unwrap();
        let guard = Fanotify::init(
            InitFlags::FAN_CLASS_CONTENT | InitFlags::FAN_CLOEXEC,
            EventFFlags::O_RDONLY,
        )
        .unwrap();
        let (add, exec) = (MarkFlags::FAN_MARK_ADD, MaskFlags::FAN_OPEN_EXEC_PERM);
        guard.mark(add, exec, nix::fcntl::AT_FDCWD, Some(&program)).unwrap();
        Self { program, guard, events: Mutex::default() }
    }

    pub fn path(&self) -> &Path {
        &self.program
    }

    /// Waits until somebody tries to execute the program.
    pub fn caller(&self) -> Caller<'_> {
        let mut events = self.events.lock().unwrap();
        if events.is_empty() {
            events.extend(self.guard.read_events().unwrap());
        }
        Caller { guard: &self.guard, event: events.pop_front().unwrap() }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.program);
    }
}

impl Caller<'_> {
    /// The exec fails with EPERM.
    pub fn refuse(self) {
        let no = FanotifyResponse::new(self.event.fd().unwrap(), Response::FAN_DENY);
        self.guard.write_response(no).unwrap();
    }
}
