//! The agent's log.

use std::io;

use super::rate_limit::RateLimit;
use crate::model::{Outcome, State, Update};
use crate::output::{self, Sink};

/// Logs each session that failed or is lost, and lost records, to stderr. Above a limit, it counts lines
/// instead of printing them.
#[derive(Default)]
pub struct LogSink {
    rate: RateLimit,
}

impl Sink for LogSink {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        match update {
            Update::Ready(_) => output::complain("every port-forward of this node is watched"),
            Update::Session(session) => {
                let has_failed = match &session.state {
                    State::Closed(closed) => closed.outcome != Outcome::Ok,
                    State::Lost => true,
                    State::Started | State::Connected => false,
                };
                if has_failed {
                    self.rate.log(|| output::session_line(session));
                }
            }
            Update::Lost(lost) => self.rate.log(|| output::lost_line(*lost)),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, _open: usize) -> io::Result<()> {
        self.rate.report();
        Ok(())
    }
}
