//! Where records were lost.

use std::ops::{Add, Sub};

/// How many records were lost in each place on the way from the kernel programs to the monitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossPlaces {
    /// Records of execs and exits that the kernel programs could not send.
    pub processes: u64,
    /// Records of connections that the kernel programs could not send, or connections that they could
    /// not follow.
    pub sockets: u64,
    /// Events that were read, and did not fit into the monitor's inbox.
    pub inbox: u64,
    /// Records that were read, and could not be decoded.
    pub undecodable: u64,
}

impl LossPlaces {
    /// Each place with its name in metrics, and its count.
    #[must_use]
    pub fn by_name(self) -> [(&'static str, u64); 4] {
        let Self { processes, sockets, inbox, undecodable } = self;
        [
            ("processes", processes),
            ("sockets", sockets),
            ("inbox", inbox),
            ("undecodable", undecodable),
        ]
    }
}

impl Add for LossPlaces {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            processes: self.processes + more.processes,
            sockets: self.sockets + more.sockets,
            inbox: self.inbox + more.inbox,
            undecodable: self.undecodable + more.undecodable,
        }
    }
}

/// What came since an earlier count. Counts never fall, and a difference is never below 0.
impl Sub for LossPlaces {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            processes: self.processes.saturating_sub(before.processes),
            sockets: self.sockets.saturating_sub(before.sockets),
            inbox: self.inbox.saturating_sub(before.inbox),
            undecodable: self.undecodable.saturating_sub(before.undecodable),
        }
    }
}
