//! The tracers that are measured. Each is started as a user would start it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::clock::monotonic_ns;
use crate::dist;
use crate::run::stdout_of;

/// Bounds how long a tracer takes to attach, and how long its last lines take to arrive.
const TRACER_TIMEOUT: Duration = Duration::from_secs(20);

/// The peers read tracefs, which may not be mounted yet. They also buffer what they write to a pipe,
/// so stdbuf makes their stdout line-buffered.
const PREPARE: &str =
    "mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
    exec stdbuf --output=L \"$@\"";

/// A tracer and how to start it.
#[derive(Clone)]
pub(crate) struct Tracer {
    pub(crate) name: &'static str,
    command: Vec<String>,
}

/// All tracers. The first is the one that the others are compared with.
pub(crate) fn all() -> Vec<Tracer> {
    let pfsnoop = dist::binary().display().to_string();
    vec![
        Tracer::new("execsnoop", &["/usr/sbin/execsnoop"]),
        Tracer::new("pfsnoop", &[&pfsnoop]),
        Tracer::new("pfsnoop --exit -o json", &[&pfsnoop, "--exit", "-o", "json"]),
        Tracer::new("execsnoop.bt", &["bpftrace", "-B", "line", "/usr/sbin/execsnoop.bt"]),
        Tracer::new("execsnoop -n nsenter", &["/usr/sbin/execsnoop", "-n", "nsenter"]),
        Tracer::new("pfsnoop -n nsenter", &[&pfsnoop, "-n", "nsenter"]),
    ]
}

/// A line of a tracer's output.
pub(crate) struct Line {
    pub(crate) text: String,
    /// When it was read, by `CLOCK_MONOTONIC`.
    pub(crate) at_ns: u64,
}

/// A tracer that is attached.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<Line>,
    /// The time from its start to the first line that shows that it is attached.
    pub(crate) start: Duration,
    /// That line.
    pub(crate) header: String,
}

impl Tracer {
    /// The shipped pfsnoop binary with these arguments.
    pub(crate) fn pfsnoop(name: &'static str, args: &[&str]) -> Self {
        let pfsnoop = dist::binary().display().to_string();
        Self::new(name, &[&[pfsnoop.as_str()], args].concat())
    }

    /// A program with its arguments.
    pub(crate) fn new(name: &'static str, command: &[&str]) -> Self {
        Self { name, command: command.iter().map(ToString::to_string).collect() }
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
            run_in_real_time();
            for text in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                let text = String::from_utf8_lossy(&text).into_owned();
                if sender.send(Line { text, at_ns: monotonic_ns() }).is_err() {
                    break;
                }
            }
        });
        let mut running = Running { child, lines, start: Duration::ZERO, header: String::new() };
        // JSON output has no header, so an exec has to provide its first line.
        let deadline = started + TRACER_TIMEOUT;
        while Instant::now() < deadline {
            if self.name.contains("json") {
                stdout_of(&mut Command::new("true"))?;
            }
            match running.lines.recv_timeout(Duration::from_millis(50)) {
                Ok(line) if shows_attached(&line.text) => {
                    running.start = Duration::from_nanos(line.at_ns - started_ns);
                    running.header = line.text;
                    return Ok(running);
                }
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        bail!("{} did not attach", self.name)
    }
}

/// Gives this thread real-time priority, so that its own wait for a CPU does not count as the
/// tracer's latency. Where that is not permitted, the latencies of all tracers are longer alike.
fn run_in_real_time() {
    let priority = libc::sched_param { sched_priority: 1 };
    // SAFETY: 0 stands for this thread, and the kernel only reads the structure.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const priority) };
    if result != 0 {
        eprintln!(
            "the benchmark's reader has no real-time priority: {}",
            std::io::Error::last_os_error()
        );
    }
}

/// Whether the line is a header or a first record. bpftrace prints other lines before it attaches.
fn shows_attached(line: &str) -> bool {
    ["PCOMM", "TIME", "{"].iter().any(|start| line.starts_with(start))
}

impl Running {
    /// The tracer's pid: unshare, sh and stdbuf each exec the next program in the same process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line, if one arrives within that time.
    pub(crate) fn next_line(&self, within: Duration) -> Option<Line> {
        self.lines.recv_timeout(within).ok()
    }

    /// All lines until none arrives for that time. On a machine that is never quiet, a timeout ends this.
    pub(crate) fn lines_until_quiet(&self, quiet: Duration) -> Vec<String> {
        let deadline = Instant::now() + TRACER_TIMEOUT;
        let next = || self.next_line(quiet).filter(|_| Instant::now() < deadline);
        std::iter::from_fn(next).map(|line| line.text).collect()
    }

    /// The present resident memory in KiB.
    pub(crate) fn rss_kib(&self) -> Result<u64> {
        self.kib_in_status("VmRSS:")
    }

    /// The most resident memory since [`forget_peak`](Self::forget_peak), in KiB.
    pub(crate) fn peak_kib(&self) -> Result<u64> {
        self.kib_in_status("VmHWM:")
    }

    /// Sets the peak to the present memory (proc_pid_clear_refs(5)).
    pub(crate) fn forget_peak(&self) -> Result<()> {
        std::fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").context("clear_refs")
    }

    fn kib_in_status(&self, key: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.with_context(|| format!("no {key}"))
    }

    pub(crate) fn signal(&self, signal: &str) -> Result<()> {
        stdout_of(Command::new("kill").args([signal, &self.pid().to_string()])).map(drop)
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
