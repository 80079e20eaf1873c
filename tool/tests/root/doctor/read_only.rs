//! `pfsnoop doctor` changes nothing on the node.

use crate::common::temp::temp_path;
use crate::common::{WaitInTime as _, output, system, text};

/// System calls that can change something that outlives the process.
const CHANGES: &str = "trace=openat,open,openat2,creat,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat,\
    rmdir,rename,renameat,renameat2,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,fchown,\
    lchown,fchownat,truncate,ftruncate,mount,umount2,move_mount,kill,tkill,tgkill,\
    pidfd_send_signal,prlimit64,setpriority,sethostname,utimensat,unshare";

#[test]
fn nothing_is_changed_on_the_node() {
    let mut pause = system("sleep").arg("60").spawn().unwrap();
    let target = format!("pid/{}", pause.id());
    let log = temp_path("strace");
    for args in [&["doctor"][..], &["doctor", &target]] {
        let mut strace = system("strace");
        strace.args(["-f", "-qq", "-e", CHANGES, "-e", "signal=none", "-o"]).arg(&log);
        let ended = output(strace.arg(env!("CARGO_BIN_EXE_pfsnoop")).args(args));
        assert!(text(&ended.stdout).contains("ok  "), "{ended:?}");
        let calls = text(&std::fs::read(&log).unwrap());
        assert!(calls.lines().count() > 50, "{calls}");
        // A mount in a mount namespace of the thread's own is invisible to others: so the doctor reads
        // tracefs.
        let unseen = |call: &&str| {
            let (thread, call) = call.split_once(' ').unwrap();
            let left = format!("{thread} unshare(CLONE_NEWNS");
            call.contains("mount(") && calls.replace("  ", " ").contains(&left)
        };
        // Signals to its own children are no change. Those are the processes in this log.
        let to_child = |call: &&str| {
            let killed = call.split_once(" kill(").and_then(|(_, rest)| rest.split_once(','));
            killed.is_some_and(|(pid, _)| calls.contains(&format!("\n{pid} ")))
        };
        let changes =
            calls.lines().filter(|call| !changes_nothing(call) && !unseen(call) && !to_child(call));
        let changes: Vec<&str> = changes.collect();
        assert!(changes.is_empty(), "{changes:#?}");
    }
    std::fs::remove_file(&log).unwrap();
    pause.kill().unwrap();
    pause.wait_in_time();
}

/// Whether a line of strace changes nothing.
fn changes_nothing(call: &str) -> bool {
    let opens = call.contains(" open") || call.contains("<... open");
    let reads = opens && !["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| call.contains(flag));
    // A query of its own limits.
    let asks = call.contains("prlimit64(0, ") && call.contains(", NULL, ");
    reads
        || asks
        || call.contains("\"/dev/null\"")
        || call.contains("+++ exited with")
        || call.contains("unshare(")
}
