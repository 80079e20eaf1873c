//! One forward, watched by the tracers.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use super::cluster::POD;
use super::kubectl::PortForward;
use super::progress::progress;
use super::traced::{Traced, Tracers};
use crate::run::everything_of;

/// A client's request. It prints no progress.
pub(super) const CURL: [&str; 5] = ["curl", "-sS", "-m", "10", "http://localhost:8080"];

/// After the end of one side, socat waits for half a second.
const LAST_END: Duration = Duration::from_millis(1200);

/// Other processes of this machine may run nsenter, too. After this many tries, they are to blame.
const TRIES: usize = 40;

/// What was seen.
pub(super) struct Act {
    pub(super) kubectl: String,
    pub(super) curl: String,
    pub(super) traced: Traced,
}

impl Act {
    /// Forwards a port, makes one request, and ends the forward. Does so again until the tracers have
    /// seen this many forwards, all of them into the pod.
    pub(super) fn play(forwards: usize) -> Result<Self> {
        for attempt in 1..=TRIES {
            let act = Self::try_to_play()?;
            if act.traced.has_only(forwards, POD) {
                return Ok(act);
            }
            progress(&format!("the tracers saw another forward (try {attempt} of {TRIES})"));
        }
        bail!(
            "not one of {TRIES} forwards was the only one; run this while nothing else runs nsenter"
        )
    }

    fn try_to_play() -> Result<Self> {
        let forward = PortForward::start(POD, "8080:8080")?;
        let tracers = Tracers::start()?;
        let curl = everything_of(Command::new(CURL[0]).args(&CURL[1..]))?;
        std::thread::sleep(LAST_END);
        let traced = tracers.stop()?;
        let kubectl = forward.stop()?;
        Ok(Self { kubectl, curl, traced })
    }
}
