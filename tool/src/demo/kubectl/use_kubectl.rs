//! The request through kubectl, and the checks of what both ends say.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::timeout;

use super::port_forward::{PortForward, Step, local_port};
use super::seen::{Seen, Shown};
use crate::demo::pod::Pod;
use crate::demo::request::get;
use crate::demo::traced_request::{check_page, check_rows, page_lines};
use crate::model::{Outcome, State};
use crate::output::escaped;

/// How long kubectl, the request and its rows may take. After that, the demo fails. kubectl is a program of
/// 50 MB, which a slow disk must read first.
const DEMO_TIMEOUT: Duration = Duration::from_secs(30);

/// Shows what kubectl prints, makes the request once it listens, and checks the rows. Returns the line that
/// says so. With `stay`, shows it, and goes on until kubectl ends.
pub(super) async fn use_kubectl(
    kubectl: &mut PortForward,
    pod: &Pod,
    shown: &Shown<'_>,
    stay: bool,
) -> Result<Option<String>> {
    let listening = timeout(DEMO_TIMEOUT, async {
        loop {
            if let Some(local) = next_port(kubectl, shown).await? {
                return Ok::<_, anyhow::Error>(local);
            }
        }
    });
    let local = listening.await.context("kubectl does not listen")??;
    let request = timeout(DEMO_TIMEOUT, request(pod, local, shown));
    tokio::pin!(request);
    let checked = loop {
        tokio::select! {
            result = &mut request => {
                break result.context("the request or its rows took too long")??;
            }
            port = next_port(kubectl, shown) => port.map(drop)?,
        }
    };
    if !stay {
        return Ok(Some(checked));
    }
    shown.line(checked)?;
    shown.line(format!("Open http://localhost:{local}/ in a browser; Ctrl-C ends the demo"))?;
    loop {
        next_port(kubectl, shown).await?;
    }
}

/// Shows the next line of kubectl. Returns the local port, if the line names it.
async fn next_port(kubectl: &mut PortForward, shown: &Shown<'_>) -> Result<Option<u16>> {
    match kubectl.next().await? {
        Step::Line(line) => {
            shown.line(format!("kubectl: {}", escaped(line.as_bytes())))?;
            Ok(local_port(&line))
        }
        Step::Ended(status) => bail!("kubectl has ended by itself ({status}); its words are above"),
    }
}

/// Makes the request, shows the page, and checks it and the rows of the connection. Returns the line that
/// says so.
async fn request(pod: &Pod, local: u16, shown: &Shown<'_>) -> Result<String> {
    let page = get(local).await.context("the request through kubectl failed")?;
    for line in page_lines(local, &page) {
        shown.line(line)?;
    }
    let seen = shown.complete().await;
    let Seen { nsenter: Some(nsenter), socat: Some(socat), closed: Some(session) } = seen else {
        bail!("rows are missing")
    };
    check_rows(pod, &nsenter, &socat)?;
    check_page(pod, &page)?;
    let State::Closed(closed) = &session.state else { bail!("the session is open") };
    let user_agent = session.client.as_ref().map(|client| client.user_agent.as_str());
    let is_kubectl = user_agent.is_some_and(|agent| agent.starts_with("kubectl"));
    if closed.outcome != Outcome::Ok || !is_kubectl {
        bail!("the session of kubectl ended as {}", closed.outcome.name());
    }
    let (pid, netns) = (nsenter.pid, pod.netns());
    Ok(format!(
        "\ndemo: ok: kubectl asked for the page, and process {pid} was nsenter, entered net:[{netns}], \
         became socat, and fetched it from there"
    ))
}
