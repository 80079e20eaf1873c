//! The demo's request, with a check of what the kernel saw of it.

use anyhow::{Context as _, Result, bail};

use super::pod::{PORT, Pod};
use super::request::get;
use crate::host::clock;
use crate::model::{ExecEvent, Invocation, NsenterSocat, Ready, Update};
use crate::monitor::Monitor;
use crate::output::{self, Sink};

/// How many lines of the page the demo shows.
const PAGE_LINES: usize = 5;

/// Makes the request, shows the page and the execs of the forward, and checks that both belong to
/// the pod.
pub(super) async fn traced_request(
    pod: &Pod,
    local: u16,
    monitor: &mut Monitor,
    sink: &mut dyn Sink,
) -> Result<()> {
    let page = get(local).await.context("the request through the forward failed")?;
    for line in page_lines(local, &page) {
        show_line(sink, line)?;
    }
    let ready = Ready { time_ns: clock::boottime_ns(), command: "demo", has_execs: true };
    sink.update(&Update::Ready(ready))?;
    let (nsenter, socat) = helper_execs(pod, monitor, sink).await?;
    check_rows(pod, &nsenter, &socat)?;
    check_page(pod, &page)?;
    let (pid, netns) = (nsenter.pid, pod.netns());
    show_line(
        sink,
        format!(
            "\ndemo: ok: process {pid} was nsenter, entered net:[{netns}], became socat, and fetched the \
             page from there"
        ),
    )
}

/// The request and the first lines of the page, with an empty line before and after them.
pub(super) fn page_lines(local: u16, page: &str) -> impl Iterator<Item = String> {
    let request = format!("\nGET http://127.0.0.1:{local}/");
    let page = page.lines().take(PAGE_LINES);
    let page = page.map(|text| format!("  {}", output::escaped(text.as_bytes())));
    std::iter::once(request).chain(page).chain([String::new()])
}

/// Checks that one process was both, and ran in the pod.
pub(super) fn check_rows(pod: &Pod, nsenter: &ExecEvent, socat: &ExecEvent) -> Result<()> {
    if nsenter.pid != socat.pid || socat.netns.map(u64::from) != Some(pod.netns()) {
        bail!("process {} did not become the socat that ran in the pod", nsenter.pid);
    }
    Ok(())
}

/// Checks that the page came from the pod.
pub(super) fn check_page(pod: &Pod, page: &str) -> Result<()> {
    let netns = format!("net:[{}]", pod.netns());
    if !page.contains(&netns) {
        bail!("the page was not served from {netns}");
    }
    Ok(())
}

/// Shows the execs of the forward, and returns the execs of nsenter and socat once both have come.
async fn helper_execs(
    pod: &Pod,
    monitor: &mut Monitor,
    sink: &mut dyn Sink,
) -> Result<(ExecEvent, ExecEvent)> {
    let expected = NsenterSocat { target: Some(pod.pause_pid()), port: PORT };
    let (mut nsenter, mut socat) = (None, None);
    loop {
        for update in monitor.updates().await?.context("the monitor has ended")? {
            // The monitor also sees the execs that started the pod. They are not part of the
            // forward.
            let Update::Exec(exec, _) = &update else { continue };
            match exec.invocation {
                Some(Invocation::Nsenter(found)) if found == expected => {
                    nsenter = Some(exec.as_ref().clone());
                }
                Some(Invocation::Socat { port: PORT }) => socat = Some(exec.as_ref().clone()),
                Some(_) => {}
                None => continue,
            }
            sink.update(&update)?;
        }
        sink.flush()?;
        if let (Some(nsenter), Some(socat)) = (&nsenter, &socat) {
            return Ok((nsenter.clone(), socat.clone()));
        }
    }
}

/// Shows a line at once.
pub(super) fn show_line(sink: &mut dyn Sink, text: String) -> Result<()> {
    sink.update(&Update::Line(text))?;
    Ok(sink.flush()?)
}
