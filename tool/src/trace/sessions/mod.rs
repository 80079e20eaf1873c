//! Forwarded connections, put together from what the kernel reports of processes and sockets: the
//! state machine behind `pfsnoop watch`.
//!
//! ```text
//! nsenter+socat:  exec(nsenter) -> exec(socat) -> connecting -> connected -> closed -> exit
//!                 started                                       connected              closed
//! native:         connecting (refused -> connecting elsewhere) -> connected -> closed
//!                 started                                         connected    closed
//! ```
//!
//! One session is one helper process, named by (pid, start), which may leave socat to a child; or one
//! connection that a process makes to localhost of another network namespace than its own. Any of the
//! events may be missing: then the session says so, or does not come about, and where records were lost
//! meanwhile, nothing is concluded from it. The last one may be missing too: so whoever follows sessions
//! looks after them now and then ([`Open::may_be_open`], [`Sessions::give_up`]), and none is left behind.
//!
//! Files use one another one way: `processes, connections -> followed -> {tracked, deadlines}`,
//! `tracked -> ending`.

mod connections;
mod deadlines;
mod ending;
mod followed;
mod processes;
mod tracked;

#[cfg(test)]
mod tests;

use super::{Destination, Event, Session};
pub use ending::Reason;
use followed::Followed;
pub use tracked::Open;

/// What must be known of a target before an event is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Of the process that is entered.
    Pid(u32),
    /// Of the network namespace of that inode.
    Netns(u32),
}

/// Every session that is not over.
#[derive(Debug, Default)]
pub struct Sessions {
    followed: Followed,
}

impl Sessions {
    /// Whose the target is must be known to [`take`](Self::take) this event.
    #[must_use]
    pub fn whom(&self, event: &Event) -> Option<Whom> {
        match event {
            Event::Exec(exec) => self.followed.whom_of_exec(exec),
            Event::Sock(sock) => self.followed.whom_of_sock(sock),
            Event::Exit(_) => None,
        }
    }

    /// Takes one event, and returns the sessions that came into another state by it. `whose` is the
    /// answer to [`whom`](Self::whom); `is_there` tells whether a process can be entered now.
    pub fn take(
        &mut self,
        event: &Event,
        whose: Option<Destination>,
        is_there: impl Fn(u32) -> bool,
    ) -> Vec<Session> {
        let mut changed = self.expire(event.time_ns());
        match event {
            Event::Exec(exec) => self.followed.exec(exec, whose, &mut changed),
            Event::Exit(exit) => self.followed.exit(exit, is_there, &mut changed),
            Event::Sock(sock) => self.followed.sock(sock, whose, &mut changed),
        }
        changed
    }

    /// So many records were lost since the start, as of now (`CLOCK_BOOTTIME`, ns), and those that follow
    /// were made before: what is not known of a session then may be among the lost ones.
    pub fn lost_in_all(&mut self, records: u64, now_ns: u64) {
        self.followed.lost_in_all(records, now_ns);
    }

    /// Ends the sessions that have waited in vain for one more event until now: `CLOCK_BOOTTIME`, ns.
    /// What has happened until then must have been taken.
    pub fn expire(&mut self, now_ns: u64) -> Vec<Session> {
        let mut changed = Vec::new();
        while let Some(number) = self.followed.overdue(now_ns) {
            self.followed.close(number, &mut changed);
        }
        changed
    }

    /// Somebody looked, and nothing is left of that session: it ends, if the records of its end do not
    /// come within moments. They may be on their way, or lost.
    pub fn give_up(&mut self, number: u64, now_ns: u64) {
        // One that waits already must not wait longer.
        if !self.followed.is_waiting(number) {
            self.followed.wait(number, now_ns);
        }
    }

    /// Those that are not over, the oldest first.
    pub fn open(&self) -> impl ExactSizeIterator<Item = &Open> {
        self.followed.open()
    }
}
