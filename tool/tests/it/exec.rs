//! `pfsnoop exec` on the real kernel.

use std::process::Command;

use crate::support::{pfsnoop, running::Running, stdout_of, system};

/// `pfsnoop` with these options, attached and ready.
fn attached(args: &[&str]) -> Running {
    let mut running = Running::start(&mut pfsnoop(args));
    running.stdout_line("header", |line| line.contains("PCOMM"));
    running
}

/// Runs a program by an absolute path, so that no failed exec of a search comes before it.
fn run(path: &str, args: &[&str]) -> u32 {
    let mut child = Command::new(path).args(args).spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

#[test]
fn shows_pid_parent_and_arguments() {
    let mut snoop = attached(&[]);
    let pid = run("/bin/true", &["one", "two words", ""]);
    let row = snoop.stdout_line("row of true", |line| line.contains("/bin/true one"));
    assert_eq!(
        row,
        format!("true             {pid:<6} {:<6}   0 /bin/true one two words ", std::process::id())
    );
    let (status, _, stderr) = snoop.interrupt();
    assert!(status.success(), "Ctrl-C is a way to end: {status:?}");
    assert_eq!(stderr, Vec::<String>::new(), "nothing was lost, nothing to say");
}

#[test]
fn filters_by_name_line_parent_and_user() {
    let own = std::process::id().to_string();
    for (n, (args, shown)) in [
        (&["-n", "tru"][..], true),
        (&["-n", "^tru$"], false),
        (&["-n", "socat"], false),
        (&["-l", "true marked-.*$"], true),
        (&["-l", "nothing like it"], false),
        (&["-P", &own], true),
        (&["-P", "1"], false),
        (&["-u", "root"], true),
        (&["-u", "0"], true),
        (&["-u", "65534"], false),
    ]
    .into_iter()
    .enumerate()
    {
        let mut snoop = attached(args);
        let mark = format!("marked-{n}");
        run("/bin/true", &[&mark]);
        if shown {
            snoop.stdout_line("row", |line| line.ends_with(&mark));
        }
        let (_, stdout, _) = snoop.interrupt();
        assert_eq!(stdout.iter().any(|line| line.ends_with(&mark)), shown, "{args:?}: {stdout:?}");
    }
}

#[test]
fn filters_by_cgroup_and_those_below_it() {
    let root = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]
        .into_iter()
        .find(|root| std::path::Path::new(root).join("cgroup.procs").is_file())
        .expect("a cgroup v2 hierarchy");
    let outer = format!("{root}/pfsnoop-{}", std::process::id());
    let inner = format!("{outer}/below");
    std::fs::create_dir_all(&inner).unwrap();
    let mut snoop = attached(&["-c", &outer]);
    for (cgroup, mark) in [(root, "m-root"), (&outer, "m-outer"), (&inner, "m-inner")] {
        let enter = "echo $$ > \"$0/cgroup.procs\"; exec /bin/true \"$1\"";
        stdout_of(system("sh").args(["-c", enter, cgroup, mark]));
    }
    snoop.stdout_line("row of the one below", |line| line.ends_with("m-inner"));
    let (_, rows, _) = snoop.interrupt();
    assert!(rows.iter().any(|row| row.ends_with("m-outer")), "{rows:#?}");
    assert!(!rows.iter().any(|row| row.ends_with("m-root")), "{rows:#?}");
    std::fs::remove_dir(&inner).unwrap();
    std::fs::remove_dir(&outer).unwrap();
}

#[test]
fn failed_execs_have_their_errno() {
    let mut snoop = attached(&["-x"]);
    let missing = Command::new("/no/such/program").arg("an argument").spawn();
    missing.unwrap_err();
    let row = snoop.stdout_line("failed exec", |line| line.contains("/no/such/program"));
    assert!(row.contains("  -2 /no/such/program an argument"), "{row}");
    Command::new("/etc/passwd").spawn().unwrap_err();
    snoop.stdout_line("EACCES", |line| line.contains(" -13 /etc/passwd"));
}

#[test]
fn optional_columns_and_quotes() {
    let mut snoop = attached(&["-T", "-t", "-U", "-q", "--max-args", "2", "--exit", "-n", "true"]);
    let pid = run("/bin/true", &["two words", "cut"]);
    let of_pid = |line: &str| line.contains(&format!(" {pid} "));
    let exec = snoop.stdout_line("row", |line| of_pid(line) && line.contains("/bin/true"));
    let exit = snoop.stdout_line("end", |line| of_pid(line) && line.contains(" - exit 0 after 0."));
    assert_eq!(&snoop.stdout()[0][..24], "TIME     TIME(s) UID    ");
    assert!(exec.ends_with(r#"   0 "/bin/true" "two words" ..."#), "{exec}");
    for row in [exec, exit] {
        let columns: Vec<&str> = row.split_whitespace().take(4).collect();
        let [time, seconds, uid, comm] = columns[..] else { panic!("{row}") };
        assert!(
            time.split(':').map(|part| part.parse::<u8>().unwrap()).all(|part| part < 60),
            "{row}"
        );
        assert!(seconds.parse::<f64>().unwrap() < 60.0, "{row}");
        assert_eq!((uid, comm), ("0", "true"));
    }
}

#[test]
fn an_end_by_a_signal_is_named() {
    let mut snoop = attached(&["--exit", "-n", "sleep"]);
    let mut child = Command::new("/bin/sleep").arg("60").spawn().unwrap();
    snoop.stdout_line("row", |line| line.contains("/bin/sleep 60"));
    child.kill().unwrap();
    child.wait().unwrap();
    let start = format!(
        "sleep            {:<6} {:<6}   - killed by SIGKILL after ",
        child.id(),
        std::process::id()
    );
    snoop.stdout_line("its end", |line| line.starts_with(&start));
}

#[test]
fn hostile_arguments_cannot_forge_rows() {
    let mut snoop = attached(&["-n", "true"]);
    let pid = run("/bin/true", &["a\nnsenter 1 1 0 forged", "\x1b[31m"]);
    let row = snoop.stdout_line("row", |line| line.contains(&pid.to_string()));
    assert!(row.ends_with(r"/bin/true a\nnsenter 1 1 0 forged \x1b[31m"), "{row}");
    let (_, stdout, _) = snoop.interrupt();
    assert!(!stdout.iter().any(|line| line.starts_with("nsenter")));
}

#[test]
fn ends_after_a_count_and_after_a_time() {
    let mut counted = attached(&["-n", "true", "--count", "2"]);
    for _ in 0..3 {
        run("/bin/true", &[]);
    }
    assert!(counted.wait().success());
    assert_eq!(counted.whole_stdout().len(), 3, "a header and two rows");
    let mut timed = attached(&["--duration", "0.2"]);
    assert!(timed.wait().success());
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let pfsnoop = env!("CARGO_BIN_EXE_pfsnoop");
    // Each row that `head` no longer reads is one more reason to end.
    let script = format!(
        "{pfsnoop} 2>&1 >&3 | sed s/^/stderr:/ >&2 & i=0; \
        while [ $i -lt 50 ]; do /bin/true; sleep 0.02; i=$((i+1)); done"
    );
    let pipeline = format!("{{ {script}; wait; }} 3>&1 | head -n 2");
    let output = system("timeout").args(["20", "bash", "-c", &pipeline]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "nothing on stderr");
}

#[test]
fn a_second_signal_ends_a_writer_that_nobody_reads() {
    use rustix::process::{Pid, Signal, kill_process};
    // A pipe is full after 64 KiB, and nobody takes anything out.
    let mut command = pfsnoop(&["-n", "true", "-q"]);
    let mut snoop = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let long = "x".repeat(8000);
    let wchan = format!("/proc/{}/wchan", snoop.id());
    crate::support::eventually("it waits for its reader", || {
        run("/bin/true", &[&long]);
        std::fs::read_to_string(&wchan).unwrap().contains("pipe_write").then_some(())
    });
    let pid = Pid::from_raw(i32::try_from(snoop.id()).unwrap()).unwrap();
    for _ in 0..2 {
        kill_process(pid, Signal::TERM).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let status = crate::support::eventually("its end", || snoop.try_wait().unwrap());
    assert!(status.success(), "{status:?}");
}

#[test]
fn json_has_everything() {
    let mut snoop = Running::start(&mut pfsnoop(&["-n", "true", "-o", "json", "--count", "1"]));
    // There is no header to wait for.
    let pid = loop {
        let pid = run("/bin/true", &["ü", ""]);
        if !snoop.stdout().is_empty() || snoop.ended() {
            break pid;
        }
    };
    let line = snoop.stdout_line("record", |line| line.starts_with('{'));
    let record: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(record["pid"].as_u64().unwrap() <= u64::from(pid));
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
         coproc {pfsnoop} -x --duration 3; read header <&\"${{COPROC[0]}}\"; /no/such/program; \
         cat <&\"${{COPROC[0]}}\"; ! mountpoint -q /sys/kernel/tracing"
    );
    let rows = stdout_of(system("unshare").args(["--mount", "bash", "-c", &script]));
    assert!(rows.contains("-2 /no/such/program"), "{rows}");
}
