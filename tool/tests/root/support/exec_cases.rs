//! Unusual execs that tracers have missed, and the records that each must have. One list serves
//! this kernel and the kernels in virtual machines.

use serde_json::{Value, json};

/// The program that a case executes: the fixture itself, by a path that is the same everywhere.
const SELF: &str = "/proc/self/exe";

/// One run of the fixture.
pub struct Case {
    /// The fixture's arguments.
    pub run: Vec<&'static str>,
    /// Arguments of the record.
    args: Value,
    /// 0 or the negative errno.
    ret: i64,
    /// Exit code of the process, or its signal as a negative number.
    end: i64,
}

fn seen(run: &[&'static str], args: &[&str], end: i64) -> Case {
    Case { run: run.into(), args: json!(args), ret: 0, end }
}

fn failed(run: &[&'static str], args: Value, errno: i64) -> Case {
    Case { run: run.into(), args, ret: -errno, end: 0 }
}

/// Every case. Its last argument names it, in its record too.
pub fn all() -> Vec<Case> {
    let (noent, acces) = (i64::from(libc::ENOENT), i64::from(libc::EACCES));
    let long = "x".repeat(65_507);
    let mut many = vec!["sevenb"; 8_000];
    many.push("must-fail-many");
    vec![
        seen(&["plain", SELF, "exit", "3", "m-plain"], &[SELF, "exit", "3", "m-plain"], 3),
        seen(&["plain", SELF, "kill", "9", "m-kill"], &[SELF, "kill", "9", "m-kill"], -9),
        seen(
            &["plain", SELF, "leader-first", "7", "m-leader"],
            &[SELF, "leader-first", "7", "m-leader"],
            7,
        ),
        seen(&["thread", SELF, "exit", "4", "m-thread"], &[SELF, "exit", "4", "m-thread"], 4),
        seen(
            &["thread-beside-others", SELF, "exit", "5", "m-threads"],
            &[SELF, "exit", "5", "m-threads"],
            5,
        ),
        seen(&["execveat", SELF, "exit", "0", "m-at"], &[SELF, "exit", "0", "m-at"], 0),
        seen(&["execveat-fd", SELF, "exit", "0", "m-fd"], &[SELF, "exit", "0", "m-fd"], 0),
        seen(&["int80", SELF, "exit", "6", "m-int80"], &[SELF, "exit", "6", "m-int80"], 6),
        seen(&["unfaulted", SELF, "exit", "0", "m-page"], &[SELF, "exit", "0", "m-page"], 0),
        seen(
            &["argv0", "-fake", SELF, "exit", "0", "m-fake"],
            &["-fake", "exit", "0", "m-fake"],
            0,
        ),
        seen(
            &["raw-bytes", SELF, "m-raw-bytes"],
            &["exe", "exit", "0", "", r"\xff\xfe".to_owned().as_str(), "m-raw-bytes", ""],
            0,
        ),
        seen(
            &["long", SELF, "60000", "m-long"],
            &[SELF, "exit", "0", &long[..60_000], "m-long"],
            0,
        ),
        // As many bytes as fit the scratch buffer of the kernel programs (`SCRATCH_ARGS`), and as fit a
        // record.
        seen(&["long", SELF, "16355", "m-16k"], &[SELF, "exit", "0", &long[..16_355], "m-16k"], 0),
        seen(&["long", SELF, "65507", "m-64k"], &[SELF, "exit", "0", &long, "m-64k"], 0),
        failed(&["plain", "/no/such", "must-fail"], json!(["/no/such", "must-fail"]), noent),
        failed(
            &["thread", "/no/such", "must-fail-thread"],
            json!(["/no/such", "must-fail-thread"]),
            noent,
        ),
        failed(
            &["plain", "/etc", "", "must-fail-acces"],
            json!(["/etc", "", "must-fail-acces"]),
            acces,
        ),
        failed(
            &["long", "/no/such", "60000", "must-fail-long"],
            json!(["/no/such", "exit", "0", &long[..60_000], "must-fail-long"]),
            noent,
        ),
        failed(&["many", "/no/such", "8000", "must-fail-many"], json!(many), noent),
        failed(
            &["execveat", "/no/such", "must-fail-at"],
            json!(["/no/such", "must-fail-at"]),
            noent,
        ),
    ]
}

/// Asserts that the records show each of these cases exactly once.
pub fn assert_seen_all(cases: &[Case], records: &[Value]) {
    for case in cases {
        assert_seen(case, records);
    }
}

fn assert_seen(case: &Case, records: &[Value]) {
    let Case { run, args, ret, end } = case;
    let is_it = |record: &&Value| {
        let same_args = without_escapes(&record["args"]) == without_escapes(args);
        record["type"] == "exec" && same_args && record["ret"] == *ret
    };
    let found: Vec<&Value> = records.iter().filter(is_it).collect();
    let [exec] = found[..] else { panic!("{run:?}: once, not {} times: {found:#?}", found.len()) };
    assert_eq!(exec["args_truncated"], false, "{run:?}");
    let process =
        |record: &&Value| record["type"] == "exit" && record["exec_id"] == exec["exec_id"];
    let ends: Vec<&Value> = records.iter().filter(process).collect();
    let [exit] = ends[..] else { panic!("{run:?}: one end, not {}: {ends:#?}", ends.len()) };
    let (code, signal) = (exit["exit_code"].as_i64(), exit["signal"].as_i64());
    assert_eq!(code.or(signal.map(|signal| -signal)), Some(*end), "{run:?}: {exit}");
    assert_eq!(exit["pid"], exec["pid"]);
    assert!(exit["duration_ns"].as_u64().unwrap() < 60_000_000_000, "{exit}");
}

/// The arguments without the escape sequence with which the raw bytes of one case end.
fn without_escapes(args: &Value) -> Value {
    let args = args.as_array().into_iter().flatten();
    args.map(|arg| json!(arg.as_str().map(|arg| arg.replace("\u{1b}[31m", "")))).collect()
}
