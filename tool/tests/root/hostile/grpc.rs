//! A CRI runtime that answers without end, or with nonsense.

use std::time::{Duration, Instant};

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{output, pfsnoop, system};
use crate::support::cgroup::Cgroup;
use crate::support::grpc_runtime::{Answer, serve};
use crate::support::memory::Memory;
use crate::support::records::parse;

/// KiB.
const MAX_MEMORY: u64 = 160 * 1024;

/// A field of a message, by its number, with bytes as its value.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    prost::encode_length_delimiter(value.len(), &mut field).unwrap();
    field.extend(value);
    field
}

/// `targets` of a runtime that answers the question for its sandboxes with this. Returns the exit code,
/// stdout and stderr.
fn targets(
    name: &str,
    answer: impl Fn() -> Answer + Send + Sync + 'static,
) -> (Option<i32>, Vec<String>, String) {
    let dir = TempDir::new(&format!("hostile-cri-{name}"));
    let socket = dir.join("cri.sock");
    serve(&socket, move |method| match method {
        "Version" => Answer::Message([field(2, b"containerd"), field(3, b"1.6")].concat()),
        "ListPodSandbox" => answer(),
        _ => Answer::Message(Vec::new()),
    });
    let endpoint = socket.display().to_string();
    let start = Instant::now();
    let args = ["targets", "-o", "json", "--runtime-endpoint", &endpoint];
    let mut running = Running::start(&mut pfsnoop(&args));
    let mut peak = 0;
    while !running.has_exited() {
        peak = Memory::of_running(running.pid()).map_or(peak, |memory| memory.peak);
        assert!(start.elapsed() < Duration::from_mins(1), "{name}: {:#?}", running.stderr());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(start.elapsed() < Duration::from_secs(15), "{name}: {:?}", start.elapsed());
    assert!(peak < MAX_MEMORY, "{name}: {peak} KiB");
    let (status, stdout, stderr) = running.end();
    (status.code(), stdout, stderr.join("\n"))
}

#[test]
fn a_message_without_end_or_beyond_the_limit_is_refused() {
    let stalled = || Answer::Stalled(100, vec![0x0a, 0x60]);
    let (code, _, stderr) = targets("stalled", stalled);
    assert!(code == Some(1) && stderr.contains("no answer in 5 s"), "{stderr}");
    for len in [17 * 1024 * 1024, u32::MAX] {
        let large = move || Answer::Endless(len, vec![0; 16 * 1024]);
        let (code, _, stderr) = targets("large", large);
        assert!(code == Some(1) && stderr.contains("the limit is"), "{stderr}");
    }
    let words = || Answer::Error("%1B[31mno%0Asecond line");
    let (code, _, stderr) = targets("words", words);
    assert!(code == Some(1) && stderr.contains(r"\x1b[31mno\nsecond line"), "{stderr}");
}

/// Each empty entry takes two bytes here, and a hundred in memory.
#[test]
fn millions_of_empty_entries_fit_into_memory() {
    let empty = || Answer::Message(b"\x0a\x00".repeat(8_000_000));
    let (code, stdout, stderr) = targets("empty", empty);
    assert_eq!((code, stdout.len()), (Some(0), 20_000), "{stderr}");
    assert!(stderr.contains("7980000 entries of containerd's list are left out"), "{stderr}");
}

#[test]
fn one_strange_sandbox_does_not_hide_the_others() {
    let sandbox = |id: &[u8], name: &[u8]| {
        let metadata = [field(1, name), field(2, b"u"), field(3, b"shop")].concat();
        let not_ready = vec![0x18, 1];
        field(1, &[field(1, id), field(2, &metadata), not_ready].concat())
    };
    let strange = move || {
        // A name that is no text, an id that is a number, a length that is a lie.
        let wrong = [field(1, b"\x08\x07"), field(1, b"\x0a\x7fx")].concat();
        let parts =
            [sandbox(b"a", b"kuard"), sandbox(b"b", b"\xff"), wrong, sandbox(b"c", b"\x1b[31m")];
        Answer::Message(parts.concat())
    };
    let (code, stdout, stderr) = targets("strange", strange);
    assert_eq!((code, stdout.len()), (Some(0), 2), "{stdout:#?} {stderr}");
    assert!(stderr.contains("3 entries of containerd's list are left out"), "{stderr}");
    let names: Vec<_> = parse(&stdout).iter().map(|one| one["name"].clone()).collect();
    assert!(names.contains(&"kuard".into()) && !stdout.concat().contains('\u{1b}'), "{names:?}");
}

/// What a runtime says reaches the terminal as text.
#[test]
fn a_warning_about_a_runtime_is_escaped() {
    let dir = TempDir::new("hostile-cri-warning");
    let socket = dir.join("cri.sock");
    serve(&socket, |method| match method {
        "Version" => Answer::Message([field(2, b"containerd"), field(3, b"1.6")].concat()),
        _ => Answer::Error("%1B[31mno%0Asecond line"),
    });
    let mut snoop = pfsnoop(&["-o", "json", "-n", "true", "-v"]);
    snoop.env("CONTAINER_RUNTIME_ENDPOINT", &socket).env("DOCKER_HOST", "unix:///nonexistent/x");
    let mut snoop = Running::start_attached(&mut snoop);
    let id = format!("{:032x}", std::process::id()) + &"f".repeat(32);
    let cgroup = Cgroup::named(&format!("cri-containerd-{id}.scope"));
    let join = format!("echo $$ > {}/cgroup.procs; exec /bin/true", cgroup.path().display());
    assert!(output(system("sh").args(["-c", &join])).status.success());
    let line = snoop.stderr_line("the warning", |line| line.contains("containerd does not answer"));
    assert!(line.contains(r"\x1b[31mno\nsecond line; names may be missing"), "{line}");
}
