//! Memory does not grow with the arguments of other processes.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use crate::common::temp::TempDir;
use crate::common::{eventually, pfsnoop};
use crate::support::exclusive::exclusive_ring_buffers;
use crate::support::memory::{ArgumentStorm, Memory};
use crate::support::processes::signal;

/// The most that a storm may add to the peak of loading, KiB.
const MOST_ABOVE_PEAK: u64 = 32 * 1024;

/// What may stay after a storm, KiB: what the first rows made the program keep.
const MOST_AFTERWARDS: u64 = 3 * 1024;

/// How long a storm lasts, in seconds.
const STORM: u32 = 2;

/// A `pfsnoop` that is attached, and whose stdout is read slowly or at once.
struct Snoop(Child, Arc<AtomicBool>);

impl Snoop {
    fn start(args: &[&str]) -> Self {
        let mut snoop = pfsnoop(args);
        snoop.arg("-v").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = snoop.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("attached") {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "{args:?} did not attach");
        }
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self(child, Arc::default())
    }

    fn memory(&self) -> Memory {
        Memory::of(self.0.id())
    }

    /// Reads stdout. While it is slow, 400 KiB a second.
    fn read(&mut self, is_slow: bool) {
        let mut stdout = self.0.stdout.take().unwrap();
        self.1.store(is_slow, Ordering::Relaxed);
        let is_slow = Arc::clone(&self.1);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 4096];
            while stdout.read(&mut buffer).is_ok_and(|count| count > 0) {
                if is_slow.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        });
    }
}

impl Drop for Snoop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Keeps the CPUs busy until it is dropped.
struct Load(Vec<Child>);

impl Load {
    fn start() -> Self {
        let busy = |_| Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        Self((0..4).map(busy).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for busy in &mut self.0 {
            let _ = busy.kill();
            let _ = busy.wait();
        }
    }
}

fn assert_bounded(what: &str, snoop: &Snoop, program: &[&str]) {
    let before = snoop.memory();
    ArgumentStorm::start(STORM, program).wait();
    let after = snoop.memory();
    snoop.1.store(false, Ordering::Relaxed);
    let above = after.peak.saturating_sub(before.peak);
    assert!(above <= MOST_ABOVE_PEAK, "{what}: {above} KiB above the peak of loading: {after:?}");
    let most = before.own + MOST_AFTERWARDS;
    eventually(&format!("{what}: its old size of {before:?}"), || {
        (snoop.memory().own <= most).then_some(())
    });
}

const FORMATS: [&[&str]; 5] =
    [&[], &["-o", "wide"], &["-o", "json"], &["--exit", "-o", "json"], &["--max-args", "40000"]];

#[test]
fn arguments_of_others_do_not_raise_it() {
    let _exclusive = exclusive_ring_buffers();
    for args in FORMATS {
        let mut snoop = Snoop::start(args);
        snoop.read(false);
        assert_bounded(&format!("{args:?}"), &snoop, &["/bin/true"]);
    }
}

/// The names of these programs wake the reader, and their records are the last to be dropped.
#[test]
fn those_of_helpers_do_not_either() {
    let _exclusive = exclusive_ring_buffers();
    let folder = TempDir::new("bounded-memory");
    let helper = folder.path().join("nsenter");
    std::fs::copy("/bin/true", &helper).unwrap();
    let helper = [helper.to_str().unwrap(), "nsenter"];
    for args in [&["watch"][..], &["watch", "-o", "json"], &["-o", "json"]] {
        let mut snoop = Snoop::start(args);
        snoop.read(false);
        assert_bounded(&format!("nsenter, {args:?}"), &snoop, &helper);
    }
}

#[test]
fn those_of_failed_execs_do_not_either() {
    let _exclusive = exclusive_ring_buffers();
    let mut snoop = Snoop::start(&["-x", "-o", "json"]);
    snoop.read(false);
    assert_bounded("failed execs", &snoop, &["/nonexistent/true"]);
}

#[test]
fn a_slow_reader_of_stdout_does_not_raise_it() {
    let _exclusive = exclusive_ring_buffers();
    for args in FORMATS {
        let mut snoop = Snoop::start(args);
        snoop.read(true);
        assert_bounded(&format!("slow reader, {args:?}"), &snoop, &["/bin/true"]);
    }
}

#[test]
fn busy_cpus_do_not_raise_it() {
    let _exclusive = exclusive_ring_buffers();
    let _load = Load::start();
    for args in [&[][..], &["--exit", "-o", "json"]] {
        let mut snoop = Snoop::start(args);
        snoop.read(false);
        assert_bounded(&format!("load, {args:?}"), &snoop, &["/bin/true"]);
    }
}

/// What does not fit is counted: rows and lost records add up to the execs.
#[test]
fn a_reader_that_was_stopped_counts_what_did_not_fit() {
    let _exclusive = exclusive_ring_buffers();
    let mut snoop = Snoop::start(&["-n", "true", "-o", "json"]);
    let stdout = BufReader::new(snoop.0.stdout.take().unwrap());
    signal(snoop.0.id(), Signal::STOP);
    let mut ran = 0;
    for _ in 0..300 {
        let mut one = Command::new("/bin/true");
        ran += u64::from(one.args(vec!["x"; 32_000]).status().unwrap().success());
    }
    signal(snoop.0.id(), Signal::CONT);
    signal(snoop.0.id(), Signal::INT);
    let (mut shown, mut lost) = (0, 0);
    for line in stdout.lines() {
        let record: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        match record["type"].as_str() {
            Some("exec") if record["args_bytes"].as_u64() > Some(60_000) => shown += 1,
            Some("lost") => lost += record["events"].as_u64().unwrap(),
            _ => {}
        }
    }
    assert!(shown > 10 && lost > 100, "{shown} shown, {lost} lost");
    // Others may run `true` too.
    assert!(shown + lost >= ran && shown <= ran, "{shown} + {lost} of {ran}");
}
