//! The dialer that the user has chosen.

use std::time::Duration;

use anyhow::Result;

use super::not_found::escaped;
use crate::cli::{DialerChoice, ForwarderOptions};
use crate::forward::{Auto, Dialer, HelperError, Native, Nsenter};
use crate::output;
use crate::target::Target;

/// What `--dialer`, `--trust-path` and `--connect-timeout` say.
#[derive(Clone, Copy)]
pub(super) struct DialerOptions {
    choice: DialerChoice,
    trust_path: bool,
    connect_timeout: Option<Duration>,
}

impl From<&ForwarderOptions> for DialerOptions {
    fn from(options: &ForwarderOptions) -> Self {
        let &ForwarderOptions { dialer: choice, trust_path, connect_timeout, .. } = options;
        Self { choice, trust_path, connect_timeout }
    }
}

impl DialerOptions {
    /// The dialer for one target. With `auto`, the kubelet's dialer if it can work, else the native one.
    pub(super) fn for_target(self, target: &Target) -> Result<Box<dyn Dialer>> {
        if self.choice == DialerChoice::Auto && target.pid().is_none() {
            output::complain(
                "nsenter needs a process inside the target, and none is known; dialing natively",
            );
            return Ok(Box::new(self.native()));
        }
        Ok(match self.nsenter()? {
            Some(nsenter) => Box::new(nsenter),
            None => Box::new(self.native()),
        })
    }

    /// The dialer for targets that are not known yet. With `auto`, each gets the one that can work.
    pub(super) fn for_any_target(self) -> Result<Box<dyn Dialer>> {
        Ok(match (self.nsenter()?, self.choice) {
            (Some(nsenter), DialerChoice::Auto) => {
                Box::new(Auto { nsenter, native: self.native() })
            }
            (Some(nsenter), _) => Box::new(nsenter),
            (None, _) => Box::new(self.native()),
        })
    }

    fn native(self) -> Native {
        Native::new(self.connect_timeout)
    }

    /// The kubelet's dialer, unless the user does not want it, or the node lacks its programs.
    fn nsenter(self) -> Result<Option<Nsenter>> {
        if self.choice == DialerChoice::Native {
            return Ok(None);
        }
        let found = if self.trust_path { Nsenter::look_up_anywhere() } else { Nsenter::look_up() };
        match found {
            Ok(nsenter) => Ok(Some(nsenter.with_connect_timeout(self.connect_timeout))),
            Err(HelperError::Missing(missing)) if self.choice == DialerChoice::Auto => {
                output::complain(&format!("{missing}; dialing natively instead"));
                Ok(None)
            }
            // Somebody may wait for root to run their program: this must not go unnoticed.
            Err(error) => Err(escaped(error)),
        }
    }
}
