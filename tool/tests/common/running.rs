//! A program that runs while the test watches it.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::eventually;
use super::lines::Lines;

/// A running program. What it prints is kept. Dropping it kills it.
pub struct Running {
    child: Child,
    stdout: Lines,
    stderr: Lines,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Tests that run under nohup(1) must not pass its ignored SIGHUP on.
        // SAFETY: between fork and exec, the closure makes one system call.
        unsafe {
            command.pre_exec(|| {
                libc::signal(libc::SIGHUP, libc::SIG_DFL);
                Ok(())
            });
        }
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = Lines::collect(child.stdout.take().unwrap());
        let stderr = Lines::collect(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Starts a `pfsnoop` that has `--verbose` among its arguments, and waits until its kernel
    /// programs are attached.
    pub fn start_attached(command: &mut Command) -> Self {
        let mut running = Self::start(command);
        running.stderr_line("the message that it is attached", |line| line.contains("attached"));
        running
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line on stdout.
    pub fn stdout_line(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        self.line(what, wanted, |running| &running.stdout)
    }

    /// Waits for a line on stderr.
    pub fn stderr_line(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        self.line(what, wanted, |running| &running.stderr)
    }

    fn line(
        &mut self,
        what: &str,
        wanted: impl Fn(&str) -> bool,
        stream: impl Fn(&Self) -> &Lines,
    ) -> String {
        let found = || stream(self).so_far().into_iter().find(|line| wanted(line));
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| eventually(what, found)));
        result.unwrap_or_else(|_| {
            panic!("no {what}; stdout: {:#?}, stderr: {:#?}", self.stdout(), self.stderr())
        })
    }

    /// Everything on stdout so far.
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.so_far()
    }

    /// Everything on stderr so far.
    pub fn stderr(&self) -> Vec<String> {
        self.stderr.so_far()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits until it exits by itself.
    pub fn wait(&mut self) -> ExitStatus {
        eventually("the end of the program", || self.child.try_wait().unwrap())
    }

    /// Whether it has exited by itself.
    pub fn has_exited(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// All of its stdout, once it has exited by itself.
    pub fn all_stdout(mut self) -> Vec<String> {
        self.stdout.all()
    }

    /// Interrupts it as Ctrl-C does. Returns its exit status and all of its stdout and stderr.
    pub fn interrupt(self) -> (ExitStatus, Vec<String>, Vec<String>) {
        self.signal(Signal::INT);
        self.end()
    }

    /// Waits until it exits by itself. Returns its exit status and all of its stdout and stderr.
    pub fn end(mut self) -> (ExitStatus, Vec<String>, Vec<String>) {
        let status = self.wait();
        (status, self.stdout.all(), self.stderr.all())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
