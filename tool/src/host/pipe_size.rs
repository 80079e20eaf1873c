//! The size of a pipe.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;

use super::privileges::on_entering_thread;

/// Sets the size of a pipe, in bytes. A user whose pipes have many pages gets no larger ones, and new ones
/// of two pages (/proc/sys/fs/pipe-user-pages-soft, pipe(7)), except for a thread with CAP_SYS_ADMIN
/// (`pipe_is_unprivileged_user`, fs/pipe.c). All pipes of root's processes count.
pub fn set(pipe: &OwnedFd, bytes: usize) -> io::Result<()> {
    match fcntl_setpipe_size(pipe, bytes) {
        Ok(_) => Ok(()),
        Err(Errno::PERM) => {
            let pipe = pipe.try_clone()?;
            on_entering_thread(move || fcntl_setpipe_size(&pipe, bytes).map(drop))??;
            Ok(())
        }
        Err(errno) => Err(errno.into()),
    }
}
