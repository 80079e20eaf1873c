//! A program that runs while the test looks on.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};

use super::eventually;

/// A running program; what it prints is kept. Dropping it kills it.
pub struct Running {
    child: Child,
    stdout: Lines,
    stderr: Lines,
}

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = Lines::collect(child.stdout.take().unwrap());
        let stderr = Lines::collect(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
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
        let found = || stream(self).all().into_iter().find(|line| wanted(line));
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| eventually(what, found)));
        result.unwrap_or_else(|_| {
            panic!("no {what}; stdout: {:#?}, stderr: {:#?}", self.stdout.all(), self.stderr.all())
        })
    }

    /// Everything on stdout so far.
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.all()
    }

    /// Everything on stderr so far.
    pub fn stderr(&self) -> Vec<String> {
        self.stderr.all()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its own end.
    pub fn wait(&mut self) -> ExitStatus {
        eventually("the end of the program", || self.child.try_wait().unwrap())
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// All of its stdout, once it has ended by itself.
    pub fn whole_stdout(mut self) -> Vec<String> {
        self.stdout.rest()
    }

    /// All of its stdout and stderr, once it has ended.
    pub fn rest(mut self) -> (Vec<String>, Vec<String>) {
        (self.stdout.rest(), self.stderr.rest())
    }

    /// Ends it as Ctrl-C does and returns how it ended and all of its stdout and stderr.
    pub fn interrupt(self) -> (ExitStatus, Vec<String>, Vec<String>) {
        self.signal(Signal::INT);
        self.end()
    }

    /// Waits for its own end and returns how it ended and all of its stdout and stderr.
    pub fn end(mut self) -> (ExitStatus, Vec<String>, Vec<String>) {
        let status = self.wait();
        (status, self.stdout.rest(), self.stderr.rest())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a stream, as they come.
struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Lines {
    fn collect(stream: impl Read + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n') {
                sink.lock().unwrap().push(super::text(&line.unwrap()));
            }
        });
        Self { lines, reader: Some(reader) }
    }

    fn all(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// All lines, after the stream's end.
    fn rest(&mut self) -> Vec<String> {
        self.reader.take().unwrap().join().unwrap();
        self.all()
    }
}
