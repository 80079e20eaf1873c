//! A runtime that changes its answers while a target is looked up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::error::FindError;
use super::target::Target;
use crate::host::process::ProcessError;
use crate::model::{ForwardingMode, TargetDetails, TargetInfo, TargetKind};
use crate::runtime::{Answer, IndexEntry, Names, Place, RuntimeClient};

/// Answers with these places, one after the other, as a real runtime does when a sandbox changes at
/// just the wrong moment.
struct Scripted(Mutex<VecDeque<Option<Place>>>);

impl RuntimeClient for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn version(&self) -> &'static str {
        ""
    }

    fn forwarding_mode(&self) -> ForwardingMode {
        ForwardingMode::None
    }

    fn start_command(&self, _: &str) -> String {
        String::new()
    }

    fn list(&self) -> Answer<'_, Vec<TargetInfo>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn place<'a>(&'a self, _: &'a TargetInfo) -> Answer<'a, Option<Place>> {
        Box::pin(async { Ok(self.0.lock().unwrap().pop_front().flatten()) })
    }

    fn names<'a>(&'a self, _: &'a str) -> Answer<'a, Option<Names>> {
        Box::pin(async { Ok(None) })
    }
}

fn place(pid: Option<u32>, netns: Option<&str>) -> Place {
    Place { pid, netns: netns.map(Into::into), is_host_network: false, addresses: Vec::new() }
}

async fn find(answers: &[Option<Place>]) -> Result<Target, FindError> {
    let info = TargetInfo {
        kind: TargetKind::Sandbox,
        id: "0123".to_owned(),
        name: None,
        name_in_pod: None,
        pod: None,
        is_running: true,
        state: "Ready".to_owned(),
        details: TargetDetails::default(),
    };
    let client = Arc::new(Scripted(Mutex::new(answers.to_vec().into())));
    Target::of_entry(&IndexEntry { client, info }).await
}

#[tokio::test]
#[ignore = "needs root: `cargo xtask test` runs it"]
async fn a_sandbox_that_ends_while_it_is_looked_up_is_not_entered() {
    let own = std::process::id();
    let here = || Some(place(Some(own), None));
    let no_process = || Some(place(Some(1 << 30), None));
    assert_eq!(find(&[here(), here()]).await.unwrap().pid(), Some(own));
    let ended = find(&[here(), None]).await.unwrap_err();
    assert!(matches!(ended, FindError::PodNotRunning { status, .. } if status == "NotReady"));
    // No process has the pid; then the runtime reports another one.
    assert_eq!(find(&[no_process(), here(), here()]).await.unwrap().pid(), Some(own));
    let gone = find(&[no_process(), no_process()]).await.unwrap_err();
    assert!(matches!(gone, FindError::Process(ProcessError::NotFound(_))), "{gone}");
}

#[tokio::test]
#[ignore = "needs root: `cargo xtask test` runs it"]
async fn a_pid_in_another_namespace_than_the_runtime_reports_is_not_entered() {
    let at = |path| Some(place(Some(std::process::id()), Some(path)));
    assert!(find(&[at("/proc/self/ns/net"), at("/proc/self/ns/net")]).await.is_ok());
    // A namespace file without its mount is a plain file. It proves nothing.
    assert!(find(&[at("/proc/self/comm"), at("/proc/self/comm")]).await.is_ok());
    let error = find(&[at("/proc/self/ns/uts"), at("/proc/self/ns/uts")]).await.unwrap_err();
    assert!(error.to_string().contains("scripted does not report where 0123 runs"), "{error}");
}

#[tokio::test]
#[ignore = "needs root: `cargo xtask test` runs it"]
async fn a_namespace_without_a_process_is_enough() {
    let by_file = Some(place(None, Some("/proc/self/ns/net")));
    assert_eq!(find(&[by_file.clone(), by_file]).await.unwrap().pid(), None);
    let nodes_own = Some(Place { is_host_network: true, ..place(None, None) });
    assert!(find(&[nodes_own.clone(), nodes_own]).await.unwrap().is_host_network());
    let nowhere = Some(place(None, None));
    let error = find(&[nowhere.clone(), nowhere]).await.unwrap_err();
    assert!(error.to_string().contains("neither a pid nor a network namespace"), "{error}");
}
