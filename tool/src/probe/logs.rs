//! What the kernel programs log (aya-log), passed on to the `log` crate.

use aya::Ebpf;
use aya_log::EbpfLogger;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::JoinHandle;

use super::error::{ProbeError, from_source};

/// A task that forwards log records until it is dropped.
pub(super) struct Logs(JoinHandle<()>);

impl Logs {
    pub(super) fn start(programs: &mut Ebpf) -> Result<Self, ProbeError> {
        let logger = EbpfLogger::init(programs)
            .map_err(|error| from_source("read the kernel programs' log", error))?;
        // SAFETY: the logger owns its ring buffer's file descriptor and never changes it.
        let logger = unsafe { AsyncFd::register_with_interest(logger, Interest::READABLE) };
        let mut logger = logger.map_err(|error| ProbeError::Wait(error.into()))?;
        Ok(Self(tokio::spawn(async move {
            while let Ok(mut guard) = logger.readable_mut().await {
                guard.get_inner_mut().flush();
                guard.clear_ready();
            }
        })))
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        self.0.abort();
    }
}
