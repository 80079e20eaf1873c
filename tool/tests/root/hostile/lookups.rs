//! Processes in made-up cgroups, and a runtime that takes its time to answer for each.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::eventually;
use crate::common::running::Running;
use crate::support::cgroup::mounts;
use crate::support::delegated::Delegated;
use crate::support::http_runtime::{HttpRuntime, begin, send, send_part};
use crate::support::memory::Memory;
use crate::support::records::records;

/// A made-up container in a cgroup of `nobody`'s.
fn folder(number: usize) -> String {
    format!("docker-{:x}{number:032x}.scope", u128::MAX - u128::from(std::process::id()))
}

fn rows(snoop: &Running, mark: &str) -> usize {
    records(snoop).iter().filter(|row| row["args"][1] == mark).count()
}

/// Rows come, and one signal ends the command, whatever the runtime does.
#[test]
fn rows_come_and_a_signal_ends_it_whatever_the_runtime_answers() {
    let letters = vec![b'x'; 64 * 1024];
    let nested = "[".repeat(15 * 1024 * 1024);
    let endless = HttpRuntime::docker("lookups-endless", move |_, stream| {
        begin(stream)?;
        send_part(stream, b"{\"Name\": \"")?;
        loop {
            send_part(stream, &letters)?;
        }
    });
    let drip = HttpRuntime::docker("lookups-drip", |_, stream| {
        begin(stream)?;
        loop {
            send_part(stream, b" ")?;
            std::thread::sleep(Duration::from_millis(500));
        }
    });
    let large = HttpRuntime::docker("lookups-large", move |_, stream| {
        send(stream, "200 OK", nested.as_bytes())
    });
    let busy = HttpRuntime::docker("lookups-busy", |_, stream| {
        loop {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
    });
    let delegated = Delegated::new(&mounts()[0], "lookups");
    for (name, runtime) in [("endless", endless), ("drip", drip), ("large", large), ("busy", busy)]
    {
        let args = ["exec", "-o", "json", "-n", "true", "-v"];
        let snoop = Running::start_attached(&mut runtime.pfsnoop(&args));
        let mark = format!("m-lookups-{name}");
        for number in 0..10 {
            delegated.run(&folder(number), &["/bin/true", &mark]);
        }
        let start = Instant::now();
        eventually("the rows", || (rows(&snoop, &mark) == 10).then_some(()));
        assert!(start.elapsed() < Duration::from_secs(4), "{name}: {:?}", start.elapsed());
        let Memory { peak, .. } = Memory::of(snoop.pid());
        assert!(peak < 160 * 1024, "{name}: {peak} KiB");
        for number in 10..20 {
            delegated.run(&folder(number), &["/bin/true", &mark]);
        }
        let start = Instant::now();
        snoop.signal(Signal::TERM);
        let (status, stdout, stderr) = snoop.end();
        assert!(status.success(), "{name}: {stderr:#?}");
        assert!(start.elapsed() < Duration::from_secs(3), "{name}: {:?}", start.elapsed());
        assert_eq!(stdout.iter().filter(|row| row.contains(&mark)).count(), 20, "{name}");
    }
}

/// 300 made-up containers in a few seconds are more questions than a runtime is to answer.
#[test]
fn made_up_containers_are_asked_for_within_a_budget() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let runtime = HttpRuntime::docker("budget", move |_, stream| {
        count.fetch_add(1, Ordering::Relaxed);
        send(stream, "404 Not Found", br#"{"message": "no such container"}"#)
    });
    let delegated = Delegated::new(&mounts()[0], "budget");
    let args = ["exec", "-o", "json", "-n", "true", "-v"];
    let snoop = Running::start_attached(&mut runtime.pfsnoop(&args));
    let start = Instant::now();
    // One shell makes them all.
    let script = "for number in $(seq 300); do
            at=$0$(printf %032x $number).scope; mkdir $at && echo $$ > $at/cgroup.procs
            /bin/true m-budget $number
        done; echo $$ > ${0%/*}/cgroup.procs";
    let prefix = delegated.join(&folder(0)[..39]);
    delegated.run("shell", &["sh", "-c", script, &prefix.display().to_string()]);
    eventually("the rows", || (rows(&snoop, "m-budget") == 300).then_some(()));
    let limit = 10 * (usize::try_from(start.elapsed().as_secs()).unwrap() + 2);
    let asked = asked.load(Ordering::Relaxed);
    assert!((1..=limit).contains(&asked), "asked {asked} times, and not {limit} at most");
}
