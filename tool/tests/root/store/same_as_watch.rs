//! `pfsnoop history` shows the records that `pfsnoop watch` shows.

use serde_json::Value;

use crate::common::eventually;
use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::support::helper::{nsenter_socat, request_page, run_nsenter_socat, spawn_piped};
use crate::support::pod::DemoPod;
use crate::support::store::{agent, connect_often, history, is_end, stored, wait_for_stored};
use crate::support::watch::watch_json;

/// The records as they are printed, in order, without what each program measures itself: its own kernel
/// programs note the times, some microseconds apart. The id of a native session ends with such a time.
fn without_times(lines: &[String], netns: u64) -> Vec<String> {
    let times = r#""(time":".{19}|(connect|duration)_ns":|session_id":"\d+-\d+-)[^,}"]*"#;
    let times = regex::Regex::new(times).unwrap();
    let is_wanted = |line: &&String| is_end(&serde_json::from_str::<Value>(line).unwrap(), netns);
    let lines = lines.iter().filter(is_wanted);
    lines.map(|line| times.replace_all(line, "$1").into_owned()).collect()
}

fn some_sessions(pod: &DemoPod) -> usize {
    request_page(spawn_piped(&mut nsenter_socat(pod.pause, 8080)));
    run_nsenter_socat(pod.pause, 9);
    connect_often(pod.pause, 8080, 3);
    connect_often(pod.pause, 9, 1);
    6
}

/// Waits until `watch` has shown so many ends.
fn watched(watch: &Running, netns: u64, count: usize) -> Vec<String> {
    eventually("the ends", || {
        Some(without_times(&watch.stdout(), netns)).filter(|all| all.len() == count)
    })
}

#[test]
fn records_are_those_of_watch_to_the_letter() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("store-same"));
    let store = folder.join("new/folder/sessions.db");
    let (_agent, watch) = (agent(&store, &[]), watch_json(&[]));
    let count = some_sessions(&pod);
    let expected = watched(&watch, pod.netns(), count);
    wait_for_stored(&store, pod.netns(), count);
    let lines = history(&store, &["-o", "json"]);
    assert_eq!(without_times(&lines, pod.netns()), expected);
    let modes = [("new/folder", 0o700), ("new/folder/sessions.db", 0o600)];
    for (path, mode) in modes {
        use std::os::unix::fs::PermissionsExt as _;
        let found = std::fs::metadata(folder.join(path)).unwrap().permissions().mode();
        assert_eq!(found & 0o7777, mode, "{path}");
    }
}

/// Whether a record is one that a filter lets through.
type Wanted = fn(&Value) -> bool;

#[test]
fn filters_choose_the_sessions_that_their_names_say() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("store-filters"));
    let store = folder.join("sessions.db");
    let mut agent = agent(&store, &[]);
    let count = some_sessions(&pod);
    let all = wait_for_stored(&store, pod.netns(), count);
    let ended = agent.stdout();
    assert!(ended.is_empty() && !agent.has_exited());
    let comm = all[0]["forwarder"]["comm"].as_str().unwrap().to_owned();
    let cases: [(&[&str], Wanted); 7] = [
        (&["--port", "9"], |record| record["port"] == 9),
        (&["--outcome", "ok"], |record| record["outcome"] == "ok"),
        (&["--outcome", "refused"], |record| record["outcome"] == "refused"),
        (&["--outcome", "not-ok"], |record| record["outcome"] != "ok"),
        (&["--via", "native"], |record| record["via"] == "native"),
        (&["--via", "nsenter+socat", "--port", "8080"], |record| {
            record["via"] == "nsenter+socat" && record["port"] == 8080
        }),
        (&["--since", "1h", "--outcome", "refused"], |record| record["outcome"] == "refused"),
    ];
    let of_pod = |args: &[&str]| -> Vec<Value> {
        let all = stored(&store, args).into_iter();
        all.filter(|record| is_end(record, pod.netns())).collect()
    };
    for (args, wanted) in cases {
        let expected: Vec<_> = all.iter().filter(|record| wanted(record)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{args:?}");
        assert_eq!(of_pod(args), expected, "{args:?}");
    }
    assert_eq!(of_pod(&["--forwarder", &comm]), all);
    for none in [["--forwarder", "nobody"], ["--pod", "shop/kuard"], ["--until", "1h"]] {
        assert!(of_pod(&none).is_empty(), "{none:?}");
    }
    let third = all[2]["time"].as_str().unwrap();
    assert_eq!(of_pod(&["--since", third]), all[2..]);
    assert_eq!(of_pod(&["--until", third]), all[..3]);
    assert_eq!(stored(&store, &["--count", "2"]).len(), 2);
    let refused = ["--port", "9", "--until", all[5]["time"].as_str().unwrap()];
    let newest = stored(&store, &refused);
    let two = stored(&store, &[&refused[..], &["--count", "2"]].concat());
    assert_eq!(two, newest[newest.len() - 2..]);
}

#[test]
fn rows_and_sums_are_those_of_watch_with_the_date() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("store-rows"));
    let store = folder.join("sessions.db");
    let _agent = agent(&store, &[]);
    connect_often(pod.pause, 7095, 2);
    connect_often(pod.pause, 8080, 1);
    wait_for_stored(&store, pod.netns(), 3);
    let rows = history(&store, &["--port", "7095"]);
    assert!(rows[0].starts_with("TIME                STATE          TARGET "), "{rows:#?}");
    let words: Vec<_> = rows[1].split_whitespace().collect();
    let day = jiff::Zoned::now().strftime("%Y-%m-%d").to_string();
    assert_eq!((words[0], words[1].len(), words[2]), (day.as_str(), 8, "refused"), "{rows:#?}");
    assert!(rows[1].ends_with("nothing listens at 127.0.0.1:7095 inside the target"), "{rows:#?}");
    assert!(rows.last().unwrap().contains(" 2 2 refused "), "{rows:#?}");
    let wide = history(&store, &["--port", "7095", "-o", "wide"]);
    assert!(
        wide[0].ends_with("PID      HELPER   CONTAINER            ADDRESS         WHY"),
        "{wide:#?}"
    );
    let sums = history(&store, &["--summary"]);
    let hours = sums.iter().position(|line| line.starts_with("HOUR ")).expect("hours");
    assert!(sums[0].starts_with("TARGET ") && sums[hours + 1].starts_with(&day), "{sums:#?}");
}
