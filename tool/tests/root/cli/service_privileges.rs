//! What the commands that run for long keep: the endpoint, the agent, and what reads the agent's store.

use rustix::process::Signal;

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{eventually, pfsnoop};
use crate::support::agent::agent_command;
use crate::support::capabilities::{ENTERING, PROCESSES, TRACING, assert_keeps};
use crate::support::pod::DemoPod;
use crate::support::records::wait_for_record;
use crate::support::store::{agent, connect_often, wait_for_stored};

#[test]
fn serve_enters_namespaces_with_one_thread() {
    let folder = TempDir::new("serve-privileges");
    let kubeconfig = folder.join("kubeconfig").display().to_string();
    for (args, kept, reader) in
        [(&[][..], TRACING | PROCESSES, Some("reader")), (&["--no-watch"], PROCESSES, None)]
    {
        let all = ["serve", "--port", "0", "--kubeconfig", &kubeconfig, "-o", "json"];
        let serve = Running::start(&mut pfsnoop(&[&all, args].concat()));
        wait_for_record(&serve, "ready", |record| record["type"] == "ready");
        let ordinary = ["pfsnoop", "forward", "stdout"].into_iter().chain(reader);
        let mut expected: Vec<_> = ordinary.map(|thread| (thread, kept)).collect();
        expected.push(("entering", ENTERING));
        assert_keeps(&format!("serve {args:?}"), serve.pid(), &expected);
        let (status, _, stderr) = serve.interrupt();
        assert!(status.success(), "{stderr:#?}");
    }
}

#[test]
fn an_agent_keeps_what_watching_needs_and_a_reader_of_its_store_nothing() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("agent-privileges"));
    let store = folder.join("sessions.db");
    let stores = agent(&store, &[]);
    connect_often(pod.pause, 8080, 1);
    wait_for_stored(&store, pod.netns(), 1);
    let threads =
        |names: &[&'static str], kept| names.iter().map(|&name| (name, kept)).collect::<Vec<_>>();
    let watching = TRACING | PROCESSES;
    let of_agent = ["pfsnoop", "reader", "runtimes", "telemetry", "store"];
    assert_keeps("agent", stores.pid(), &threads(&of_agent, watching));
    let store = store.to_str().unwrap();
    let history = pfsnoop(&["history", "--follow", "-o", "json", "--store", store]);
    let history = Running::start(&mut { history });
    eventually("its first record", || (!history.stdout().is_empty()).then_some(()));
    assert_keeps("history", history.pid(), &threads(&["pfsnoop", "stdout"], 0));
    stores.signal(Signal::TERM);
    // Nobody answers there.
    let exports = &mut agent_command(&["--otlp", "http://127.0.0.1:9"]);
    let exports = Running::start_attached(exports);
    assert_keeps("agent --otlp", exports.pid(), &threads(&of_agent[..4], watching));
}
