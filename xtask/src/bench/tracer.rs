//! The tracers that are measured, each run as a person would run it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::latency::monotonic_ns;
use crate::dist;
use crate::run::quiet;

/// How long a tracer may take to attach, and to say what it has to say.
const PATIENCE: Duration = Duration::from_secs(20);

/// Peers read tracefs, which need not be mounted; and they keep their lines to themselves when
/// they write to a pipe, unless told otherwise.
const PREPARE: &str =
    "mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
    exec stdbuf --output=L \"$@\"";

/// A tracer and how to start it.
#[derive(Clone)]
pub(crate) struct Tracer {
    pub(crate) name: &'static str,
    command: Vec<String>,
}

/// All, the one that the others are compared with first.
pub(crate) fn all() -> Vec<Tracer> {
    let pfsnoop = dist::binary().display().to_string();
    let tracer = |name, command: &[&str]| Tracer {
        name,
        command: command.iter().map(ToString::to_string).collect(),
    };
    vec![
        tracer("execsnoop", &["/usr/sbin/execsnoop"]),
        tracer("pfsnoop", &[&pfsnoop]),
        tracer("pfsnoop --exit -o json", &[&pfsnoop, "--exit", "-o", "json"]),
        tracer("execsnoop.bt", &["bpftrace", "-B", "line", "/usr/sbin/execsnoop.bt"]),
        tracer("execsnoop -n nsenter", &["/usr/sbin/execsnoop", "-n", "nsenter"]),
        tracer("pfsnoop -n nsenter", &[&pfsnoop, "-n", "nsenter"]),
    ]
}

/// A line, and when it came.
pub(crate) struct Line {
    pub(crate) text: String,
    /// `CLOCK_MONOTONIC`.
    pub(crate) at_ns: u64,
}

/// A tracer that is attached.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<Line>,
    /// From its start to the line that it prints once it is attached.
    pub(crate) start: Duration,
}

impl Tracer {
    /// The pfsnoop that is shipped, with these arguments.
    pub(crate) fn pfsnoop(name: &'static str, args: &[&str]) -> Self {
        let pfsnoop = dist::binary().display().to_string();
        let args = args.iter().map(ToString::to_string);
        Self { name, command: std::iter::once(pfsnoop).chain(args).collect() }
    }

    /// Starts it and waits until it is attached.
    pub(crate) fn start(&self) -> Result<Running> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", PREPARE, "sh"]).args(&self.command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let started = Instant::now();
        let started_ns = monotonic_ns();
        let mut child = command.spawn().context("unshare")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            never_wait_for_a_cpu();
            for text in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                let text = String::from_utf8_lossy(&text).into_owned();
                if sender.send(Line { text, at_ns: monotonic_ns() }).is_err() {
                    break;
                }
            }
        });
        let mut running = Running { child, lines, start: Duration::ZERO };
        // JSON has no header: its first line is that of the first exec, which this is.
        let deadline = started + PATIENCE;
        while Instant::now() < deadline {
            if self.name.contains("json") {
                quiet(&mut Command::new("true"))?;
            }
            match running.lines.recv_timeout(Duration::from_millis(50)) {
                Ok(line) if says_attached(&line.text) => {
                    running.start = Duration::from_nanos(line.at_ns - started_ns);
                    return Ok(running);
                }
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        bail!("{} did not attach", self.name)
    }
}

/// Gives this thread a CPU as soon as it has something to do: how long the reader of a line waits for one
/// is no latency of the tracer's. Where it may not, the latencies are longer, for all tracers alike.
fn never_wait_for_a_cpu() {
    let priority = libc::sched_param { sched_priority: 1 };
    // SAFETY: 0 is this thread, and the kernel reads one number.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const priority) };
    if result != 0 {
        eprintln!("the reader is not in real time: {}", std::io::Error::last_os_error());
    }
}

/// A header, or a first record; bpftrace also says what it is about to do.
fn says_attached(line: &str) -> bool {
    ["PCOMM", "TIME", "{"].iter().any(|start| line.starts_with(start))
}

impl Running {
    /// The pid of the tracer: unshare, sh and stdbuf each became the next.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line, if one comes in that time.
    pub(crate) fn next_line(&self, within: Duration) -> Option<Line> {
        self.lines.recv_timeout(within).ok()
    }

    /// All lines until none has come for that time; on a machine that is never quiet, those of a while.
    pub(crate) fn lines_until_quiet(&self, quiet: Duration) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let next = || self.next_line(quiet).filter(|_| Instant::now() < deadline);
        std::iter::from_fn(next).map(|line| line.text).collect()
    }

    /// Resident memory in KiB, now.
    pub(crate) fn rss_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.context("no VmRSS")
    }

    pub(crate) fn signal(&self, signal: &str) -> Result<()> {
        quiet(Command::new("kill").args([signal, &self.pid().to_string()])).map(drop)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.signal("-INT");
        let deadline = Instant::now() + Duration::from_secs(3);
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
