//! The tracers that watch a forward.

use std::time::Duration;

use anyhow::Result;

use crate::bench::{Running, Tracer};

/// The tracers, as one types them.
const COMMANDS: [&str; 3] = ["execsnoop -n nsenter", "pfsnoop -n nsenter", "pfsnoop watch"];

/// Bounds how long a tracer takes to print its last lines.
const END_TIMEOUT: Duration = Duration::from_secs(3);

/// What each tracer printed.
pub(super) struct Traced {
    pub(super) execsnoop: String,
    pub(super) pfsnoop: String,
    pub(super) watch: String,
}

/// Running tracers.
pub(super) struct Tracers([Running; 3]);

impl Tracers {
    /// Starts all, and waits until each is attached.
    pub(super) fn start() -> Result<Self> {
        let start = |command: &'static str| {
            Tracer::new(command, &command.split(' ').collect::<Vec<_>>()).start()
        };
        let [first, second, third] = COMMANDS;
        Ok(Self([start(first)?, start(second)?, start(third)?]))
    }

    /// Ends them as Ctrl-C does.
    pub(super) fn stop(self) -> Result<Traced> {
        for tracer in &self.0 {
            tracer.signal("-INT")?;
        }
        let printed = self.0.map(|tracer| {
            let rest = tracer.lines_until_quiet(END_TIMEOUT);
            [vec![tracer.header.clone()], rest].concat().join("\n")
        });
        let [execsnoop, pfsnoop, watch] = printed;
        Ok(Traced { execsnoop, pfsnoop, watch })
    }
}

impl Traced {
    /// Whether each of them saw this many forwards, all into this pod. They see the whole machine.
    pub(super) fn has_only(&self, forwards: usize, pod: &str) -> bool {
        let execs = |printed: &str| printed.lines().count() - 1;
        let is_session = |line: &&str| line.contains("nsenter+socat") || line.contains(" native");
        let others = self.watch.lines().filter(is_session).any(|row| !row.contains(pod));
        !others && execs(&self.execsnoop) == forwards && execs(&self.pfsnoop) == forwards
    }
}
