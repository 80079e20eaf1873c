//! Traffic that is no port-forward makes no session, and each of many port-forwards makes one.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::running::Running;
use crate::common::{TEST_TIMEOUT, eventually, output, stdout_of, system};
use crate::support::netns::{enter_netns_of, in_netns_of};
use crate::support::pod::DemoPod;
use crate::support::records::sessions;
use crate::support::watch::watch_json;

#[test]
fn other_uses_of_the_same_programs_make_no_session() {
    let pod = DemoPod::start();
    let netns = pod.netns();
    let watch = watch_json(&[]);
    stdout_of(&mut pod.inside(&["ip", "-o", "-4", "addr"]));
    stdout_of(system("socat").args(["-u", "OPEN:/etc/hostname", "CREATE:/dev/null"]));
    // A client inside the pod, and a socat that a shell inside the pod starts.
    let page = "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
    assert!(stdout_of(&mut pod.inside(&["bash", "-c", page])).contains("pfsnoop demo pod"));
    let socat = "socat - TCP4:localhost:8080 < /dev/null";
    output(&mut pod.inside(&["sh", "-c", socat]));
    // A thread that enters and reads pod statistics, as agents do.
    in_netns_of(pod.pause, || {
        assert!(std::fs::read_to_string("/proc/thread-self/net/dev").unwrap().contains("lo"));
    });
    // The last session of this pod. Everything before has been reported by then.
    let mut last = pod.inside(&["socat", "-", "TCP4:localhost:9"]);
    last.stdin(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let reported = eventually("the last session", || {
        let of_pod = sessions(&watch, |record| record["target"]["netns"] == netns);
        of_pod.iter().any(|record| record["state"] == "closed").then_some(of_pod)
    });
    assert!(reported.iter().all(|record| record["port"] == 9), "{reported:#?}");
}

/// Half of them are refused. A storm of execs and connections runs at the same time.
#[test]
fn each_of_a_thousand_sessions_has_one_start_and_one_end() {
    const EACH: usize = 250;
    let pod = DemoPod::start();
    let netns = pod.netns();
    let watch = watch_json(&[]);
    let begin = Instant::now();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                Command::new("/bin/true").status().unwrap();
                let _ = std::net::TcpStream::connect("127.0.0.1:9");
            }
        });
        let natively = |port: u16| {
            let pause = pod.pause;
            move || {
                enter_netns_of(pause);
                for _ in 0..EACH {
                    drop(std::net::TcpStream::connect(("127.0.0.1", port)));
                }
            }
        };
        let helped = |port: u16| {
            let address = format!("TCP4:localhost:{port}");
            let pod = &pod;
            move || {
                for _ in 0..EACH {
                    let mut helper = pod.inside(&["socat", "-t", "0", "-", &address]);
                    helper.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                    helper.status().unwrap();
                }
            }
        };
        let jobs = [scope.spawn(natively(8080)), scope.spawn(natively(9))];
        let helped = [scope.spawn(helped(8080)), scope.spawn(helped(9))];
        for job in jobs.into_iter().chain(helped) {
            job.join().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    println!("1000 sessions took {:?}", begin.elapsed());
    // Sessions whose end the kernel did not report come last.
    let deadline = Instant::now() + TEST_TIMEOUT;
    let seen = loop {
        std::thread::sleep(Duration::from_millis(100));
        let seen = Seen::by(&watch, |record| record["target"]["netns"] == netns);
        if seen.ends() >= 4 * EACH || Instant::now() > deadline {
            break seen;
        }
    };
    for via in ["native", "nsenter+socat"] {
        for (port, outcome) in [(8080, "ok"), (9, "refused")] {
            assert_eq!(seen.count(via, port, "started", ""), EACH, "{via} {port}: {seen:#?}");
            assert_eq!(seen.count(via, port, "closed", outcome), EACH, "{via} {port}: {seen:#?}");
        }
    }
    assert!(seen.lost.is_empty(), "{seen:#?}");
}

/// What was reported about many sessions. Its debug output shows the unusual ones.
#[derive(Debug)]
struct Seen {
    /// By via, port, state and outcome.
    counts: BTreeMap<(String, Option<u64>, String, String), usize>,
    /// Records of some sessions that do not have one start and one good end.
    #[expect(dead_code, reason = "for who reads why the test failed")]
    odd: Vec<String>,
    /// The `lost` records.
    lost: Vec<String>,
}

impl Seen {
    fn by(watch: &Running, wanted: impl Fn(&Value) -> bool) -> Self {
        let (mut counts, mut by_session) = (BTreeMap::new(), BTreeMap::<_, Vec<Value>>::new());
        for record in sessions(watch, wanted) {
            let word = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
            let key = (word("via"), record["port"].as_u64(), word("state"), word("outcome"));
            *counts.entry(key).or_default() += 1;
            by_session.entry(word("session_id")).or_default().push(record);
        }
        let is_odd = |all: &Vec<Value>| {
            let ends: Vec<_> = all.iter().filter(|record| record["state"] != "connected").collect();
            let [start, end] = ends[..] else { return true };
            let is_good = end["outcome"] == "ok" || end["outcome"] == "refused";
            start["state"] != "started" || !is_good
        };
        let odd = by_session.into_values().filter(is_odd).take(20).flatten();
        let odd = odd.map(|record| record.to_string()).collect();
        let lost = watch.stdout().into_iter().filter(|line| line.contains("\"lost\"")).collect();
        Self { counts, odd, lost }
    }

    fn ends(&self) -> usize {
        self.counts.iter().filter(|(key, _)| key.2 == "closed").map(|(_, count)| count).sum()
    }

    fn count(&self, via: &str, port: u64, state: &str, outcome: &str) -> usize {
        let key = (via.to_owned(), Some(port), state.to_owned(), outcome.to_owned());
        self.counts.get(&key).copied().unwrap_or(0)
    }
}
