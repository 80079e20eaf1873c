//! From what the user named to a [`Target`]: a process that is held, and the network namespace
//! that it is in.

mod attribute;
mod docker;

use std::str::FromStr;

pub use attribute::{Attributor, Trail};

use crate::node::process::{Held, ProcessError};

/// What the user named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetName {
    /// `pid/PID`: the network namespace of that process.
    Pid(u32),
}

impl FromStr for TargetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pid = text.strip_prefix("pid/").ok_or_else(|| {
            "a target is pid/PID, with the pid of any process in the pod, as `docker inspect \
             --format {{.State.Pid}} CONTAINER` shows it"
                .to_owned()
        })?;
        let pid = pid.parse().ok().filter(|&pid| pid > 0);
        pid.map(Self::Pid).ok_or_else(|| "a pid is a number above 0, as in pid/4947".to_owned())
    }
}

/// Where connections go.
#[derive(Debug)]
pub struct Target {
    process: Held,
}

impl Target {
    /// Looks the target up and holds it.
    pub fn find(name: &TargetName) -> Result<Self, ProcessError> {
        match name {
            TargetName::Pid(pid) => Ok(Self { process: Held::open(*pid)? }),
        }
    }

    /// The process whose network namespace is meant; an error once it has ended.
    pub fn pid(&self) -> Result<u32, ProcessError> {
        let pid = self.process.pid();
        if self.process.is_alive() { Ok(pid) } else { Err(ProcessError::Gone(pid)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_process() {
        assert_eq!("pid/4947".parse(), Ok(TargetName::Pid(4947)));
        for wrong in ["pid/", "pid/x", "pid/-1", "pid/0", "4947", "", "pid/99999999999"] {
            assert!(wrong.parse::<TargetName>().is_err(), "{wrong}");
        }
    }
}
