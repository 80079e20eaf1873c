//! The rows and columns of `pfsnoop exec`.

use std::process::Command;
use std::time::Instant;

use crate::common::running::Running;
use crate::common::{WaitInTime as _, eventually, output, pfsnoop, stdout_of, system, text};
use crate::support::exec::{run, run_as, start_exec};
use crate::support::records::wait_for_record;

#[test]
fn a_row_has_pid_parent_and_arguments() {
    let mut snoop = start_exec(&[]);
    let pid = run("/bin/true", &["one", "two words", ""]);
    let row = snoop.stdout_line("row of true", |line| line.contains("/bin/true one"));
    assert_eq!(
        row,
        format!("true             {pid:<6} {:<6}   0 /bin/true one two words ", std::process::id())
    );
    let (status, stdout, stderr) = snoop.interrupt();
    assert!(!stdout.iter().any(|line| line.contains(" - exit ")), "only --exit shows ends");
    assert!(status.success(), "Ctrl-C is a way to end: {status:?}");
    assert_eq!(stderr, Vec::<String>::new(), "nothing was lost, so stderr is empty");
}

#[test]
fn dash_x_shows_failed_execs_with_their_errno() {
    let mut snoop = start_exec(&["-x"]);
    let mut without = start_exec(&[]);
    let missing = Command::new("/no/such/program").arg("an argument").spawn();
    missing.unwrap_err();
    let row = snoop.stdout_line("failed exec", |line| line.contains("/no/such/program"));
    assert!(row.contains("  -2 /no/such/program an argument"), "{row}");
    Command::new("/etc/passwd").spawn().unwrap_err();
    snoop.stdout_line("EACCES", |line| line.contains(" -13 /etc/passwd"));
    run("/bin/true", &["m-after"]);
    without.stdout_line("later row", |line| line.ends_with("m-after"));
    let shown = without.stdout();
    assert!(!shown.iter().any(|line| line.contains("/no/such/program")), "only -x: {shown:#?}");
}

#[test]
fn optional_columns_and_quotes() {
    let zone = "UTC-7";
    let now = || text(&output(Command::new("date").arg("+%T").env("TZ", zone)).stdout);
    let started = Instant::now();
    let args = ["-T", "-t", "-U", "-q", "--max-args", "2", "--exit", "-n", "true"];
    let mut snoop = Running::start(pfsnoop(&args).env("TZ", zone));
    snoop.stdout_line("header", |line| line.contains("PCOMM"));
    let before = now();
    let pid = run_as(65534, "/bin/true", &["two \"words", "cut"]);
    let after = now();
    let of_pid = |line: &str| line.contains(&format!(" {pid} "));
    let exec = snoop.stdout_line("row", |line| of_pid(line) && line.contains("/bin/true"));
    let exit = snoop.stdout_line("end", |line| of_pid(line) && line.contains(" - exit 0 after 0."));
    assert_eq!(&snoop.stdout()[0][..24], "TIME     TIME(s) UID    ");
    assert!(exec.ends_with(r#"   0 "/bin/true" "two \"words" ..."#), "{exec}");
    for row in [exec, exit] {
        let columns: Vec<&str> = row.split_whitespace().take(4).collect();
        let [time, seconds, uid, comm] = columns[..] else { panic!("{row}") };
        let (before, after) = (before.trim(), after.trim());
        // Midnight may have passed.
        let is_now = (before <= time && time <= after) || after < before;
        assert!(is_now, "local time, {before} to {after}: {row}");
        assert!(seconds.parse::<f64>().unwrap() <= started.elapsed().as_secs_f64(), "{row}");
        assert_eq!((uid, comm), ("65534", "true"));
    }
}

#[test]
fn rows_show_twenty_arguments_by_default() {
    let mut snoop = start_exec(&["-n", "true"]);
    let args: Vec<String> = (1..=20).map(|n| n.to_string()).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    for (count, end) in [(19, " 18 19"), (20, " 18 19 ...")] {
        let pid = run("/bin/true", &args[..count]);
        let row = snoop.stdout_line("row", |line| line.contains(&format!(" {pid} ")));
        assert!(row.ends_with(end), "{row}");
    }
}

#[test]
fn exits_are_shown_only_for_processes_that_are_shown() {
    // A regular expression: the kernel programs cannot filter, and report every exit.
    let mut snoop = start_exec(&["--exit", "-n", "^true$"]);
    run("/bin/false", &[]);
    let pid = run("/bin/true", &[]);
    let is_end = |line: &str| line.contains(&format!(" {pid} ")) && line.contains(" - exit 0 ");
    snoop.stdout_line("end", is_end);
    let rows = snoop.stdout();
    assert!(rows[1..].iter().all(|row| row.starts_with("true ")), "{rows:#?}");
}

/// With `-u`, the kernel programs report exits only of processes that pass the filter.
#[test]
fn the_exit_of_a_process_whose_only_exec_failed_is_shown() {
    let mut snoop = start_exec(&["-x", "--exit", "-u", "65534"]);
    // The shell goes on, so that the exec fails in a child of it.
    run_as(65534, "/bin/sh", &["-c", "/no/such/child; true"]);
    let row = snoop.stdout_line("failed exec", |line| line.contains("  -2 /no/such/child"));
    let pid = row.split_whitespace().nth(1).unwrap();
    let is_end = |line: &str| line.contains(&format!(" {pid} ")) && line.contains(" - exit 127 ");
    snoop.stdout_line("its end", is_end);
}

#[test]
fn an_exit_by_a_signal_names_the_signal() {
    let mut snoop = start_exec(&["--exit", "-n", "sleep"]);
    let mut child = Command::new("/bin/sleep").arg("60").spawn().unwrap();
    snoop.stdout_line("row", |line| line.contains("/bin/sleep 60"));
    child.kill().unwrap();
    child.wait_in_time();
    let start = format!(
        "sleep            {:<6} {:<6}   - killed by SIGKILL after ",
        child.id(),
        std::process::id()
    );
    snoop.stdout_line("its end", |line| line.starts_with(&start));
}

#[test]
fn hostile_arguments_and_names_cannot_forge_rows() {
    let mut snoop = start_exec(&["-n", "true"]);
    let pid = run("/bin/true", &["a\nnsenter 1 1 0 forged", "\x1b[31m"]);
    let row = snoop.stdout_line("row", |line| line.contains(&pid.to_string()));
    assert!(row.ends_with(r"/bin/true a\nnsenter 1 1 0 forged \x1b[31m"), "{row}");
    let (_, stdout, _) = snoop.interrupt();
    assert!(!stdout.iter().any(|line| line.starts_with("nsenter")));

    // The name of the file is not trusted either.
    let file = std::env::temp_dir().join(format!("x\nnsenter\x1b{}", std::process::id()));
    std::fs::copy("/bin/true", &file).unwrap();
    let mut snoop = start_exec(&["-n", "nsenter"]);
    let pid = run(file.to_str().unwrap(), &[]);
    std::fs::remove_file(&file).unwrap();
    let row = snoop.stdout_line("row", |line| line.contains(&format!(" {pid} ")));
    assert!(row.starts_with(r"x\nnsenter\x1b"), "{row}");
}

#[test]
fn a_json_record_has_arguments_user_and_namespaces() {
    let snoop = Running::start(&mut pfsnoop(&["-n", "true", "-o", "json"]));
    wait_for_record(&snoop, "ready", |record| record["type"] == "ready");
    let pid = run("/bin/true", &["ü", ""]);
    let record = wait_for_record(&snoop, "exec", |record| record["pid"] == pid);
    assert_eq!(record["type"], "exec");
    assert_eq!(record["args"], serde_json::json!(["/bin/true", "ü", ""]));
    assert_eq!(record["filename"], "/bin/true");
    assert_eq!(record["args_truncated"], false);
    assert_eq!(record["args_bytes"], 14);
    assert_eq!(record["uid"], 0);
    for (namespace, key) in [("net", "netns"), ("mnt", "mntns"), ("pid", "pidns")] {
        let link = std::fs::read_link(format!("/proc/self/ns/{namespace}")).unwrap();
        let inode = link.to_string_lossy().replace(|char: char| !char.is_ascii_digit(), "");
        assert_eq!(record[key].to_string(), inode, "{key}");
    }
}

#[test]
fn traces_failed_execs_where_tracefs_is_not_mounted() {
    let pfsnoop = env!("CARGO_BIN_EXE_pfsnoop");
    let script = format!(
        "umount -q /sys/kernel/tracing /sys/kernel/debug; \
         coproc {pfsnoop} -x --duration 3; read header <&\"${{COPROC[0]}}\"; /no/such/coprogram; \
         cat <&\"${{COPROC[0]}}\"; ! mountpoint -q /sys/kernel/tracing"
    );
    let rows = stdout_of(system("unshare").args(["--mount", "bash", "-c", &script]));
    assert!(rows.contains("-2 /no/such/coprogram"), "{rows}");
}

/// A thread may set its slice since Linux 6.12. `/proc/PID/sched` shows it since 6.6.
#[test]
fn tracers_ask_for_short_time_slices() {
    for verb in ["exec", "watch"] {
        let snoop = Running::start(&mut pfsnoop(&[verb, "-v"]));
        let sched = format!("/proc/{}/sched", snoop.pid());
        eventually("a slice of 0.1 ms", || {
            let sched = std::fs::read_to_string(&sched).unwrap();
            let slice = sched.lines().find(|line| line.starts_with("se.slice")).unwrap();
            slice.ends_with(" 100000").then_some(())
        });
    }
}
