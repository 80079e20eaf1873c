//! Programs that are named and called as those of a forward, and that never enter the target: what
//! their arguments say is a claim, and no connection of theirs is one into the target.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::common::running::Running;
use crate::common::{WaitInTime as _, output, system};
use crate::support::helper::{nsenter_socat, request_page, spawn_piped};
use crate::support::impostors::{Attacker, Impostors, serve};
use crate::support::pod::DemoPod;
use crate::support::records::{closed, sessions};
use crate::support::watch::{watch_json, watch_text};

/// The records of a port, once its session is closed. None may say that a forward into the target
/// worked.
fn records_of(watch: &Running, port: u16) -> Vec<Value> {
    closed(watch, |record| record["port"] == port);
    sessions(watch, |record| record["port"] == port)
}

/// Asserts that every record of the target has the mark of a claim.
fn assert_claims(records: &[Value], pod: &DemoPod) {
    for record in records {
        let target = &record["target"];
        let names_victim = target["netns"] == pod.netns() || target["pid"] == pod.pause;
        assert!(!names_victim || target["claimed"] == true, "{record:#}");
        assert_ne!(record["state"], "connected", "{record:#}");
        assert_ne!(record["outcome"], "ok", "{record:#}");
    }
}

/// Runs a command, which may fail.
fn run(command: &mut Command) {
    output(command.stdin(Stdio::null()));
}

#[test]
fn a_program_of_nobodys_that_is_named_nsenter_is_no_forward_into_a_pod() {
    let (pod, impostors) = (DemoPod::start(), Impostors::new("impostor-nobody"));
    let (mut text, watch) = (watch_text(&[]), watch_json(&[]));
    for (port, way) in [(5430, "exec"), (5431, "fork"), (5432, "connect"), (5433, "exit")] {
        serve(port);
        run(impostors.forward(Attacker::Nobody, pod.pause, port).env("IMPOSTOR", way));
        let records = records_of(&watch, port);
        assert_claims(&records, &pod);
        let end = records.last().unwrap();
        assert_eq!(end["outcome"], "failed", "{way}: {end:#}");
        // Whoever reads it can find out who it was.
        assert_eq!(end["target"]["pid"], pod.pause, "{end:#}");
        let forwarder = &end["forwarder"];
        assert_eq!(
            [&forwarder["comm"], &forwarder["uid"]],
            [&Value::from("cri-dockerd"), &65534.into()]
        );
        assert_eq!(forwarder["exe"], impostors.forwarder().to_str().unwrap(), "{forwarder}");
        let target = format!("net:[{}]", pod.netns());
        let row = text.stdout_line("its row", |line| {
            line.contains(" failed ")
                && line.contains(&target)
                && line.contains(&format!(" {port} "))
        });
        assert!(row.contains(")? ") && row.contains("cri-dockerd (uid 65534)"), "{row}");
    }
    let (_, rows, _) = text.interrupt();
    let target = format!("net:[{}]", pod.netns());
    let unmarked = rows.iter().filter(|row| row.contains(&target) && !row.contains(")? "));
    assert_eq!(unmarked.count(), 0, "{rows:#?}");
}

/// The pid counts in the pid namespace of the container.
#[test]
fn a_program_in_a_container_that_is_named_nsenter_is_no_forward_into_another() {
    let (pod, impostors) = (DemoPod::start(), Impostors::new("impostor-container"));
    let watch = watch_json(&[]);
    for (port, way) in [(5440, "exec"), (5441, "fork"), (5442, "connect"), (5443, "exit")] {
        run(impostors.forward(Attacker::Container, pod.pause, port).env("IMPOSTOR", way));
        for record in records_of(&watch, port) {
            let target = &record["target"];
            let names_victim = target["netns"] == pod.netns() || target["pid"] == pod.pause;
            assert!(!names_victim, "{way}: {record:#}");
        }
    }
}

/// The exit code and the ports are the program's own choice.
#[test]
fn a_program_named_socat_is_no_connection() {
    let (pod, impostors) = (DemoPod::start(), Impostors::new("impostor-socat"));
    let watch = watch_json(&[]);
    serve(5452);
    let (none, elsewhere) = ("none", "5452");
    for (port, to, code) in [(5450, none, "0"), (5451, none, "1"), (5453, elsewhere, "0")] {
        let mut forward = impostors.forward(Attacker::Nobody, pod.pause, port);
        run(forward.env("IMPOSTOR_PORT", to).env("IMPOSTOR_CODE", code));
        assert_claims(&records_of(&watch, port), &pod);
    }
    // In the pod's own namespace. Something listens at the other port.
    let _server = pod.serve_fixture(5456, "serve-echo");
    for (port, to, code) in [(5454, none, "0"), (5455, "5456", "0")] {
        let netns = format!("/proc/{}/ns/net", pod.pause);
        let mut forward = impostors.forward(Attacker::Root, pod.pause, port);
        forward.env("IMPOSTOR_NETNS", netns).env("IMPOSTOR_PORT", to).env("IMPOSTOR_CODE", code);
        run(&mut forward);
        let end = closed(&watch, |record| record["port"] == port);
        assert_eq!(end["target"]["claimed"], Value::Null, "it has entered: {end:#}");
        assert_eq!(end["outcome"], "failed", "{end:#}");
        assert!(sessions(&watch, |record| record["port"] == port).len() == 2, "never connected");
    }
}

#[test]
fn the_namespace_that_was_entered_counts_and_not_the_one_that_was_named() {
    let (named, entered) = (DemoPod::start(), DemoPod::start());
    let impostors = Impostors::new("impostor-other");
    let watch = watch_json(&[]);
    for (port, way) in [(5460, "exec"), (5461, "connect")] {
        let _server = entered.serve_fixture(port, "serve-echo");
        let mut forward = impostors.forward(Attacker::Root, named.pause, port);
        forward.env("IMPOSTOR_NETNS", format!("/proc/{}/ns/net", entered.pause));
        run(forward.env("IMPOSTOR", way));
        let end = closed(&watch, |record| record["port"] == port);
        assert_eq!(end["outcome"], "ok", "{way}: {end:#}");
        let target = &end["target"];
        assert_eq!([&target["netns"], &target["claimed"]], [&entered.netns().into(), &Value::Null]);
        assert_ne!(target["pid"], named.pause, "{end:#}");
    }
}

/// Like an nsenter that is built into another program: it becomes no other program.
#[test]
fn a_helper_that_enters_and_connects_by_itself_is_a_forward() {
    let (pod, impostors) = (DemoPod::start(), Impostors::new("impostor-multi-call"));
    let watch = watch_json(&[]);
    let _server = pod.serve_fixture(5470, "serve-echo");
    let mut forward = impostors.forward(Attacker::Root, pod.pause, 5470);
    forward.env("IMPOSTOR_NETNS", format!("/proc/{}/ns/net", pod.pause));
    run(forward.env("IMPOSTOR", "connect"));
    let end = closed(&watch, |record| record["port"] == 5470);
    assert_eq!([&end["outcome"], &end["via"]], ["ok", "nsenter+socat"], "{end:#}");
    let target = serde_json::json!({"pid": pod.pause, "netns": pod.netns()});
    assert_eq!(end["target"], target);
}

#[test]
fn a_script_named_nsenter_makes_no_session_by_itself() {
    let (pod, impostors) = (DemoPod::start(), Impostors::new("impostor-script"));
    let watch = watch_json(&[]);
    serve(5480);
    let socat = impostors.dir().join("socat");
    std::fs::remove_file(impostors.dir().join("nsenter")).unwrap();
    let script = format!("shift 4; exec {} \"$@\"", socat.display());
    impostors.dir().script("nsenter", &script);
    run(&mut impostors.forward(Attacker::Nobody, pod.pause, 5480));
    // A wrapper around the real one is a forward.
    let script = "exec /usr/bin/nsenter \"$@\"";
    impostors.dir().script("nsenter", script);
    run(&mut impostors.forward(Attacker::Root, pod.pause, 5481));
    let end = closed(&watch, |record| record["port"] == 5481);
    assert_eq!(
        [&end["outcome"], &end["target"]["claimed"]],
        [&Value::from("refused"), &Value::Null]
    );
    let false_ones = sessions(&watch, |record| record["port"] == 5480);
    assert_claims(&false_ones, &pod);
}

/// A failure before nsenter enters still says which target failed.
#[test]
fn an_honest_nsenter_that_cannot_enter_names_its_target_as_a_claim() {
    let pod = DemoPod::start();
    let (mut text, watch) = (watch_text(&[]), watch_json(&[]));
    run(nsenter_socat(pod.pause, 5490).uid(65534).gid(65534).stderr(Stdio::null()));
    let end = closed(&watch, |record| record["port"] == 5490);
    assert_eq!(end["outcome"], "failed", "{end:#}");
    let target = serde_json::json!({"pid": pod.pause, "netns": pod.netns(), "claimed": true});
    assert_eq!(end["target"], target);
    text.stdout_line("its row", |line| {
        line.contains(" failed ")
            && line.contains(&format!("net:[{}]", pod.netns()))
            && line.contains(")? ")
    });
    // One that enters is no claim any more, even if it then finds no socat.
    let mut no_socat = system("/usr/bin/nsenter");
    no_socat.args(["-t", &pod.pause.to_string(), "-n", "socat", "-", "TCP4:localhost:5491"]);
    run(no_socat.env("PATH", "/nowhere"));
    let end = closed(&watch, |record| record["port"] == 5491);
    assert_eq!(end["outcome"], "helper-missing", "{end:#}");
    assert_eq!(end["target"], serde_json::json!({"pid": pod.pause, "netns": pod.netns()}));
}

/// A target in nsenter's own network namespace, such as a pod on the node's network: only the arguments
/// tell which of the processes there is meant.
#[test]
fn a_target_on_the_nodes_network_stays_a_claim() {
    let mut target = Running::start(system("sleep").arg("60"));
    serve(5495);
    let watch = watch_json(&[]);
    let mut helper = spawn_piped(&mut nsenter_socat(target.pid(), 5495));
    drop(helper.stdin.take());
    helper.wait_in_time();
    let end = closed(&watch, |record| record["port"] == 5495);
    assert_eq!([&end["outcome"], &end["target"]["claimed"]], [&Value::from("ok"), &true.into()]);
    assert!(!target.has_exited());
}

/// A node in a container (kind) has pids of its own.
#[test]
fn a_pid_is_translated_through_the_pid_namespace_of_the_caller() {
    let watch = watch_json(&[]);
    let script = "unshare --net sleep 61 & target=$!; \
        until [ $(readlink /proc/$target/ns/net) != $(readlink /proc/self/ns/net) ]; do :; done; \
        nsenter -t $target -n ip link set lo up; \
        nsenter -t $target -n socat - TCP4:localhost:5500; \
        sleep 0.5; kill -9 $target; wait $target; \
        nsenter -t $target -n socat - TCP4:localhost:5501; sleep 61";
    let mut node = system("unshare");
    node.args([
        "--pid",
        "--fork",
        "--kill-child",
        "--mount",
        "--mount-proc",
        "--",
        "sh",
        "-c",
        script,
    ]);
    let node = Running::start(&mut node);
    let end = closed(&watch, |record| record["port"] == 5500);
    let all = sessions(&watch, |record| record["port"] == 5500);
    assert_eq!(end["outcome"], "refused", "{end:#}");
    assert_eq!(all[0]["target"]["claimed"], true, "{all:#?}");
    let pid = u32::try_from(all[0]["target"]["pid"].as_u64().expect("a pid of the node")).unwrap();
    assert!(pid > 10, "not the pid in the container: {all:#?}");
    assert_eq!(all[0]["target"]["netns"], end["target"]["netns"], "where it went");
    assert_eq!(end["target"]["pid"], pid);
    let end = closed(&watch, |record| record["port"] == 5501);
    assert_eq!(end["outcome"], "target-gone", "{end:#}");
    drop(node);
}

/// The live view has the same marks.
#[test]
fn the_live_view_marks_a_claim() {
    let (pod, impostors) = (DemoPod::start(), Impostors::new("impostor-live"));
    let pfsnoop = env!("CARGO_BIN_EXE_pfsnoop");
    let command = format!("stty cols 200 rows 24; exec {pfsnoop} watch --port 5510");
    let mut live = Running::start(system("script").args(["-qfec", &command, "/dev/null"]));
    live.stdout_line("header", |line| line.contains("TIME     STATE"));
    std::thread::sleep(Duration::from_millis(200));
    serve(5510);
    run(&mut impostors.forward(Attacker::Nobody, pod.pause, 5510));
    let row =
        live.stdout_line("its end", |line| line.contains("failed") && line.contains(" 5510 "));
    assert!(row.contains('?') && row.contains(&format!("net:[{}]", pod.netns())), "{row}");
    assert!(!live.stdout().iter().any(|line| line.contains("ok  ")), "{:#?}", live.stdout());
    // A real one.
    let (_, page) = request_page(spawn_piped(&mut nsenter_socat(pod.pause, 8080)));
    assert!(page.contains("pfsnoop demo pod"));
}
