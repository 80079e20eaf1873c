//! The ports of a target: who listens, and a connection to each by each dialer.

use std::time::Instant;

use super::dial::{Dialing, entrance};
use super::listening;
use crate::model::Severity::{Fail, Note, Warn};
use crate::model::{Finding, ForwardingMode};
use crate::target::Target;

/// Most ports that are tried when none was named.
const MOST_PORTS: usize = 8;

const WHY: &str = "somebody must listen for a connection to be accepted";
const WHY_MORE: &str = "a target with the node's own network has all that listens on the node";

/// Each of these ports; without any, those that listen.
pub(super) async fn ports(target: &Target, command: &str, ports: &[u16]) -> Vec<Finding> {
    let start = Instant::now();
    let listeners = match target.netns().listeners().await {
        Ok(listeners) => listeners,
        Err(error) => {
            let what = format!("who listens in there cannot be read: {error}");
            let finding = Finding::new(Fail, listening::CHECK, what, WHY);
            return vec![finding.fix("pfsnoop doctor --verbose")];
        }
    };
    let took = start.elapsed();
    let mut findings = Vec::new();
    let mut ports = ports.to_vec();
    if ports.is_empty() {
        ports = listening::ports(&listeners);
        findings.extend(cut(&mut ports));
    }
    if ports.is_empty() {
        let finding = Finding::new(Warn, listening::CHECK, "nothing listens in there", WHY);
        let again = format!("pfsnoop doctor {command}   # again, once the application has started");
        return vec![finding.fix(again).took(took)];
    }
    let mode = target.runtime().map_or(ForwardingMode::Helpers, |runtime| runtime.mode);
    let mut dialing = Dialing::new(target, command, mode);
    let enter = entrance(target);
    for port in ports {
        let listening = listening::judge(&listeners, port, mode, command, &enter).took(took);
        findings.extend(dialing.connect(port, listening).await);
    }
    findings
}

/// Says what is left out.
fn cut(ports: &mut Vec<u16>) -> Option<Finding> {
    let all = ports.len();
    ports.truncate(MOST_PORTS);
    let what = format!("{all} ports listen in there; the first {MOST_PORTS} are tried");
    (all > MOST_PORTS).then(|| Finding::new(Note, listening::CHECK, what, WHY_MORE))
}
