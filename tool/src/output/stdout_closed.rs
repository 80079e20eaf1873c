//! Notices that nobody can read stdout any more, also while there is nothing to write.

use std::future::pending;
use std::io;
use std::os::fd::AsFd as _;
use std::thread::Builder;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::FileType;
use tokio::sync::oneshot;

use super::stdout::kind;
use crate::host::privileges;

/// The thread below needs hardly any stack.
const STACK_BYTES: usize = 64 * 1024;

/// Completes when the reader of a pipe, a socket or a terminal has gone. Must be called once.
///
/// A TCP connection counts as gone when it was reset: an end of the peer's data alone may come from
/// a client that has nothing to send and still reads.
pub async fn stdout_closed() {
    if !matches!(kind(io::stdout()), FileType::Fifo | FileType::Socket | FileType::CharacterDevice)
    {
        return pending().await;
    }
    let (gone, is_gone) = oneshot::channel::<()>();
    // A thread, because epoll(7) needs a new registration to leave out that a pipe has room again.
    let thread =
        Builder::new().name("stdout".to_owned()).stack_size(STACK_BYTES).spawn(move || {
            privileges::settle_thread();
            wait_until_closed();
            let _ = gone.send(());
        });
    match thread {
        Ok(_) if is_gone.await.is_ok() => {}
        // Without the thread, the next write notices.
        _ => pending().await,
    }
}

/// poll(2) always reports POLLERR, of a pipe without readers, and POLLHUP, of a socket or terminal
/// without the other end.
fn wait_until_closed() {
    let stdout = io::stdout();
    loop {
        let mut polled = [PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty())];
        match poll(&mut polled, None) {
            Ok(_) if polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) => return,
            Err(rustix::io::Errno::INTR) => {}
            // It can never be closed: it is not open.
            Ok(_) | Err(_) => loop {
                std::thread::park();
            },
        }
    }
}
