//! Chooses a dialer for each target.

use super::dialer::{Dialer, Dialing};
use super::native::Native;
use super::nsenter::Nsenter;
use crate::model::Via;
use crate::target::Target;

/// The kubelet's dialer, and the native one for a target without a known process, which nsenter needs.
#[derive(Clone, Debug)]
pub struct Auto {
    /// For targets with a process.
    pub nsenter: Nsenter,
    /// For the others.
    pub native: Native,
}

impl Auto {
    fn choose(&self, target: &Target) -> &dyn Dialer {
        if target.pid().is_some() { &self.nsenter } else { &self.native }
    }
}

impl Dialer for Auto {
    fn via(&self, target: &Target) -> Via {
        self.choose(target).via(target)
    }

    fn usual_via(&self) -> Via {
        self.nsenter.usual_via()
    }

    fn dial<'a>(&'a self, target: &'a Target, port: u16) -> Dialing<'a> {
        self.choose(target).dial(target, port)
    }
}
