//! A child process that looks at other processes, and that can be given up.
//!
//! A process decides what its own files are: its program, its `/etc/hosts`, the folders of its `PATH`.
//! They may be on a file system that never answers (FUSE, NFS). Who waits for such a file system may be
//! beyond every signal, SIGKILL included (`request_wait_answer`, fs/fuse/dev.c). So a child waits in our
//! place.

mod child;
mod inspector;
mod question;

pub use child::serve;
pub use inspector::{Inspector, NoAnswer};
pub use question::{Answer, Question};
