//! The same processes as seen by libbpf-tools' execsnoop at the same moment.

use crate::common::running::Running;
use crate::common::{stdout_of, system};
use crate::support::exec::start_exec;
use crate::support::pod::DemoPod;

/// execsnoop reads tracefs, which may not be mounted on the node. It prints its header once it is
/// attached; stdbuf(1) makes it flush each line.
const EXECSNOOP: &str =
    "mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
    exec stdbuf --output=L execsnoop -n nsenter";

#[test]
fn nsenter_typed_by_hand_shows_the_same_lines() {
    let pod = DemoPod::start();
    let mut execsnoop = Running::start(system("unshare").args(["--mount", "sh", "-c", EXECSNOOP]));
    let mut ours = start_exec(&["-n", "nsenter"]);
    execsnoop.stdout_line("header", |line| line.starts_with("PCOMM"));

    for path in ["/", "/twice"] {
        let request = format!(
            "{{ printf 'GET {path} HTTP/1.0\\r\\n\\r\\n'; sleep 2; }} | nsenter -t {} -n socat - TCP4:localhost:8080",
            pod.pause
        );
        let page = stdout_of(system("sh").args(["-c", &request]));
        assert!(
            page.contains(&format!("GET {path}")),
            "the page came through nsenter and socat: {page}"
        );
    }
    ours.stdout_line("second row", |line| line.contains(":8080"));

    let (_, ours, _) = ours.interrupt();
    let (_, theirs, _) = execsnoop.interrupt();
    let by_hand = |lines: &[String]| -> Vec<String> {
        // execsnoop leaves a space at the end of each row.
        let rows = lines.iter().map(|line| line.trim_end().to_owned());
        rows.filter(|row| {
            row.starts_with("PCOMM") || row.contains(&format!("-t {} -n socat", pod.pause))
        })
        .collect()
    };
    assert_eq!(by_hand(&ours), by_hand(&theirs));
    assert_eq!(by_hand(&ours).len(), 3, "a header and two rows: {ours:#?}");
}
