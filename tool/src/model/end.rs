//! How a process ended.

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Exited(u8),
    /// By this signal.
    Killed(u8),
}

impl End {
    /// From a status as `wait(2)` returns it.
    #[must_use]
    pub fn from_wait_status(status: u32) -> Self {
        let [low, code, ..] = status.to_le_bytes();
        match low & 0x7f {
            0 => Self::Exited(code),
            signal => Self::Killed(signal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_statuses_of_wait() {
        assert_eq!(End::from_wait_status(0), End::Exited(0));
        assert_eq!(End::from_wait_status(0x7f00), End::Exited(127));
        assert_eq!(End::from_wait_status(9), End::Killed(9));
        assert_eq!(End::from_wait_status(0x80 | 6), End::Killed(6), "with a core dump");
    }
}
