//! The one thread that may still enter namespaces. It also starts the helpers, which enter them, and
//! makes pipes larger than an unprivileged user may.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread::Builder;

use rustix::thread::CapabilitySet;

use super::capabilities::{PassOn, keep};

/// Work for the thread. Whoever sends a job waits for it, so that there are no more jobs than threads.
type Job = Box<dyn FnOnce() + Send>;

static JOBS: OnceLock<Sender<Job>> = OnceLock::new();

/// Starts the thread, with these capabilities. It runs until the process ends: the kernel ends a helper together with the thread
/// that forked it (`PR_SET_PDEATHSIG`, prctl(2)).
pub(super) fn start(kept: CapabilitySet) -> io::Result<()> {
    let (jobs, queue) = channel::<Job>();
    Builder::new().name("entering".to_owned()).spawn(move || {
        if let Err(error) = keep(kept, PassOn::Yes) {
            log::warn!("cannot give up capabilities: {error}");
        }
        for job in queue {
            job();
        }
    })?;
    // A process starts one.
    let _ = JOBS.set(jobs);
    Ok(())
}

/// Runs this on the thread that may enter namespaces, and waits for the result. Threads that it starts
/// have its capabilities. Without such a thread, it runs here.
pub fn on_entering_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let Some(jobs) = JOBS.get() else { return Ok(work()) };
    let (sender, receiver) = channel();
    let gone = || io::Error::other("the thread that enters namespaces has ended");
    jobs.send(Box::new(move || drop(sender.send(work())))).map_err(|_| gone())?;
    receiver.recv().map_err(|_| gone())
}
