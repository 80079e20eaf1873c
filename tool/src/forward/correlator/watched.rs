//! Which connections of a forwarder the kernel's records show.

use crate::model::{Destination, Via};

/// What a monitor sees of this process's connections.
#[derive(Clone, Copy, Debug)]
pub struct Watched {
    /// Inode of the network namespace of this process: the kernel programs do not report a native
    /// connection inside it.
    pub own_netns: Option<u64>,
    /// The kernel's records name a helper by the same pid as this process does.
    pub has_kernel_pids: bool,
}

impl Watched {
    /// Whether records of a connection to this destination come.
    pub(super) fn shows(self, via: Via, to: &Destination) -> bool {
        match via {
            Via::Native => to.netns.is_none() || to.netns != self.own_netns,
            Via::NsenterSocat => self.has_kernel_pids,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_the_kernel_programs_leave_out_are_known() {
        let shows = |own_netns, has_kernel_pids, via, netns| {
            let to = Destination { netns, ..Destination::default() };
            Watched { own_netns, has_kernel_pids }.shows(via, &to)
        };
        assert!(shows(Some(1), false, Via::Native, Some(2)));
        assert!(shows(None, false, Via::Native, None));
        assert!(!shows(Some(1), true, Via::Native, Some(1)), "inside our own network");
        assert!(shows(Some(1), true, Via::NsenterSocat, Some(1)));
        assert!(!shows(Some(1), false, Via::NsenterSocat, Some(2)), "by another pid");
    }
}
